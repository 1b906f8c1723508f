WITH picked AS (
    SELECT DISTINCT ON (o.opportunity_id) o.opportunity_id, p.dice
    FROM unnest($1, $2) AS p (place, dice),
        (SELECT max(opportunity_id) AS high FROM crm.opportunities) AS ids,
        LATERAL (
            SELECT opportunity_id FROM crm.opportunities
            WHERE opportunity_id >= floor(ids.high * p.place)::bigint AND won IS NULL
            ORDER BY opportunity_id LIMIT 1
        ) AS o
    ORDER BY o.opportunity_id, p.dice
), chosen AS (
    SELECT * FROM picked ORDER BY dice LIMIT $4
)
UPDATE crm.opportunities AS o
SET stage = CASE WHEN o.stage = 'prospecting' THEN 'proposal' ELSE 'negotiation' END,
    amount = round(o.amount * (0.9 + c.dice / 5)::numeric, 2)
FROM chosen AS c WHERE o.opportunity_id = c.opportunity_id
