WITH numbered AS (
    SELECT ad_id, day, row_number() OVER (ORDER BY ad_id, day) AS n, count(*) OVER () AS of
    FROM ads.ad_daily),
picked AS (
    SELECT ad_id, day FROM numbered WHERE n % greatest(of / $1, 1) = 0 LIMIT $1)
UPDATE ads.ad_daily AS d
SET impressions = d.impressions + 1, corrected_at = now()
FROM picked AS p
WHERE d.ad_id = p.ad_id AND d.day = p.day
