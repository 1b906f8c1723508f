-- Days of some weeks ago that nobody had reported.
WITH picked AS (
    SELECT DISTINCT ON (a.ad_id) a.ad_id, $3::date - 2 - floor(p.dice * 40)::int AS day, p.dice
    FROM unnest($1, $2) AS p (place, dice),
        (SELECT min(ad_id) AS low, max(ad_id) AS high FROM ads.ads WHERE status = 'active') AS ids,
        LATERAL (
            SELECT a.ad_id, c.start_date, c.end_date
            FROM ads.ads AS a JOIN ads.campaigns AS c USING (campaign_id)
            WHERE a.ad_id >= ids.low + floor((ids.high - ids.low) * p.place)::bigint
                AND a.channel_code IN ('email', 'sms') AND a.status = 'active'
            ORDER BY a.ad_id LIMIT 1
        ) AS a
    WHERE $3::date - 2 - floor(p.dice * 40)::int BETWEEN a.start_date AND a.end_date
    ORDER BY a.ad_id, p.dice
), chosen AS (
    SELECT * FROM picked AS p
    WHERE NOT EXISTS (SELECT FROM ads.ad_daily AS d WHERE d.ad_id = p.ad_id AND d.day = p.day)
    ORDER BY dice LIMIT $4
)
INSERT INTO ads.ad_daily (ad_id, day, impressions, clicks, conversions, cost, currency, reported_at)
SELECT c.ad_id, c.day, l.impressions, l.clicks, l.conversions, l.cost, l.currency, $3
FROM chosen AS c,
    LATERAL (
        SELECT impressions, clicks, conversions, cost, currency FROM ads.ad_daily
        WHERE ad_id = c.ad_id ORDER BY day DESC LIMIT 1
    ) AS l
