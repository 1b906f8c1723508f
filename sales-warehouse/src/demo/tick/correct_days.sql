-- Platforms take back clicks that were not real, and what they cost.
WITH picked AS (
    SELECT DISTINCT ON (d.ad_id, d.day) d.ad_id, d.day, p.dice
    FROM unnest($1, $2) AS p (place, dice),
        (SELECT min(ad_id) AS low, max(ad_id) AS high FROM ads.ads) AS ids,
        LATERAL (
            SELECT ad_id, day FROM ads.ad_daily
            WHERE (ad_id, day) >= (ids.low + floor((ids.high - ids.low) * p.place)::bigint,
                $3::date - floor(p.dice * 60)::int)
            ORDER BY ad_id, day LIMIT 1
        ) AS d
    ORDER BY d.ad_id, d.day, p.dice
), chosen AS (
    SELECT * FROM picked ORDER BY dice LIMIT $4
)
UPDATE ads.ad_daily AS d
SET clicks = floor(d.clicks * (0.9 + c.dice / 10)),
    conversions = least(d.conversions, floor(d.clicks * (0.9 + c.dice / 10))),
    cost = round(d.cost * (0.9 + c.dice / 10)::numeric, 2),
    corrected_at = $3
FROM chosen AS c
WHERE d.ad_id = c.ad_id AND d.day = c.day
