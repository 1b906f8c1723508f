-- An hour of today for ads that run: the first makes the row, later ones add to it.
WITH picked AS (
    SELECT DISTINCT ON (a.ad_id) a.ad_id, p.dice
    FROM unnest($1, $2) AS p (place, dice),
        (SELECT min(ad_id) AS low, max(ad_id) AS high FROM ads.ads WHERE status = 'active') AS ids,
        LATERAL (
            SELECT ad_id FROM ads.ads
            WHERE ad_id >= ids.low + floor((ids.high - ids.low) * p.place)::bigint AND status = 'active'
            ORDER BY ad_id LIMIT 1
        ) AS a
    ORDER BY a.ad_id, p.dice
), chosen AS (
    SELECT * FROM picked ORDER BY dice LIMIT $4
)
INSERT INTO ads.ad_daily AS d
    (ad_id, day, impressions, clicks, conversions, cost, currency, reported_at)
SELECT c.ad_id, $3::date, floor(l.impressions * c.dice / 12), floor(l.clicks * c.dice / 12),
    floor(l.conversions * c.dice / 12), round(l.cost * c.dice::numeric / 12, 2), l.currency, $3
FROM chosen AS c,
    LATERAL (
        SELECT impressions, clicks, conversions, cost, currency FROM ads.ad_daily
        WHERE ad_id = c.ad_id AND day < $3::date
        ORDER BY day DESC LIMIT 1
    ) AS l
ON CONFLICT (ad_id, day) DO UPDATE
SET impressions = d.impressions + excluded.impressions,
    clicks = d.clicks + excluded.clicks,
    conversions = d.conversions + excluded.conversions,
    cost = d.cost + excluded.cost
