WITH picked AS (
    SELECT DISTINCT ON (i.interaction_id) i.interaction_id, p.dice
    FROM (SELECT * FROM unnest($1, $2) AS p (place, dice) LIMIT $4) AS p,
        (SELECT min(interaction_id) AS low, max(interaction_id) AS high FROM crm.interactions) AS ids,
        LATERAL (
            SELECT interaction_id FROM crm.interactions
            WHERE interaction_id >= ids.low + floor((ids.high - ids.low) * p.place)::bigint
            ORDER BY interaction_id LIMIT 1
        ) AS i
    ORDER BY i.interaction_id, p.dice
)
UPDATE crm.interactions AS i
SET response_seconds = coalesce(i.response_seconds, 0) + 1 + floor(p.dice * 3600)::int
FROM picked AS p WHERE i.interaction_id = p.interaction_id
