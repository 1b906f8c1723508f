WITH picked AS (
    SELECT DISTINCT ON (l.lead_id) l.lead_id, p.dice
    FROM unnest($1, $2) AS p (place, dice),
        (SELECT max(lead_id) AS high FROM crm.leads) AS ids,
        LATERAL (
            SELECT lead_id FROM crm.leads
            WHERE lead_id >= floor(ids.high * p.place)::bigint AND status IN ('new', 'contacted')
            ORDER BY lead_id LIMIT 1
        ) AS l
    ORDER BY l.lead_id, p.dice
), chosen AS (
    SELECT * FROM picked ORDER BY dice LIMIT $4
)
UPDATE crm.leads AS l
SET status = CASE
        WHEN c.dice < 0.2 THEN 'lost'
        WHEN l.status = 'new' THEN 'contacted'
        ELSE 'qualified'
    END,
    score = least(100, l.score + 10),
    qualified_at = CASE WHEN c.dice >= 0.2 AND l.status = 'contacted' THEN $3 END
FROM chosen AS c WHERE l.lead_id = c.lead_id
