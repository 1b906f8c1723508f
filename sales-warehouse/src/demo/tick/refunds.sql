WITH picked AS (
    SELECT DISTINCT ON (s.sale_id) s.sale_id, p.dice
    FROM unnest($1, $2) AS p (place, dice),
        (SELECT max(sale_id) AS high FROM crm.sales) AS ids,
        LATERAL (
            SELECT sale_id FROM crm.sales
            WHERE sale_id >= floor(ids.high * p.place)::bigint AND status = 'completed'
            ORDER BY sale_id LIMIT 1
        ) AS s
    ORDER BY s.sale_id, p.dice
), chosen AS (
    SELECT * FROM picked ORDER BY dice LIMIT $4
)
UPDATE crm.sales AS s
SET status = CASE WHEN c.dice < 0.7 THEN 'refunded' ELSE 'cancelled' END
FROM chosen AS c WHERE s.sale_id = c.sale_id
