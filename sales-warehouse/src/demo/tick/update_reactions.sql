WITH picked AS (
    SELECT DISTINCT ON (r.ad_id, r.day, r.kind) r.ad_id, r.day, r.kind, p.dice
    FROM (SELECT * FROM unnest($1, $2) AS p (place, dice) LIMIT $4) AS p,
        (SELECT min(ad_id) AS low, max(ad_id) AS high FROM ads.reactions) AS ids,
        LATERAL (
            SELECT ad_id, day, kind FROM ads.reactions
            WHERE (ad_id, day) >= (ids.low + floor((ids.high - ids.low) * p.place)::bigint,
                $3::date - floor(p.dice * 60)::int)
            ORDER BY ad_id, day, kind LIMIT 1
        ) AS r
    ORDER BY r.ad_id, r.day, r.kind, p.dice
)
UPDATE ads.reactions AS r
SET reactions = r.reactions + 1
FROM picked AS p WHERE r.ad_id = p.ad_id AND r.day = p.day AND r.kind = p.kind
