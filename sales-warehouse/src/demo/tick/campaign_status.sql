WITH picked AS (
    SELECT DISTINCT ON (c.campaign_id) c.campaign_id, p.dice
    FROM unnest($1, $2) AS p (place, dice),
        (SELECT min(campaign_id) AS low, max(campaign_id) AS high
         FROM ads.campaigns WHERE status <> 'finished') AS ids,
        LATERAL (
            SELECT campaign_id FROM ads.campaigns
            WHERE campaign_id >= ids.low + floor((ids.high - ids.low) * p.place)::bigint
                AND status <> 'finished'
            ORDER BY campaign_id LIMIT 1
        ) AS c
    ORDER BY c.campaign_id, p.dice
), chosen AS (
    SELECT * FROM picked ORDER BY dice LIMIT $4
)
UPDATE ads.campaigns AS c
SET status = CASE
    WHEN c.end_date < $3::date THEN 'finished'
    WHEN c.status = 'active' THEN 'paused'
    ELSE 'active'
END
FROM chosen WHERE c.campaign_id = chosen.campaign_id
