-- Qualified leads buy what somebody in their country bought: a sale with its lines, the lead, the deal.
-- One in four was sold earlier and is entered now. Counts the rows written.
WITH picked AS (
    SELECT DISTINCT ON (l.lead_id) l.lead_id, l.customer_id, l.country, l.qualified_at, p.place, p.dice
    FROM unnest($1, $2) AS p (place, dice),
        (SELECT max(lead_id) AS high FROM crm.leads) AS ids,
        LATERAL (
            SELECT lead_id, customer_id, country, qualified_at FROM crm.leads
            WHERE lead_id >= floor(ids.high * p.place)::bigint AND status = 'qualified'
            ORDER BY lead_id LIMIT 1
        ) AS l
    ORDER BY l.lead_id, p.dice
), chosen AS (
    SELECT nextval('crm.sales_sale_id_seq') AS sale_id, p.*, e.sale_id AS example, e.currency, e.total,
        (SELECT min(o.opportunity_id) FROM crm.opportunities AS o
         WHERE o.lead_id = p.lead_id AND o.won IS NULL) AS opportunity_id,
        greatest(p.qualified_at,
            $3 - CASE WHEN p.dice < 0.25 THEN interval '80 days' ELSE interval '1 hour' END * p.dice) AS sold_at
    FROM (SELECT * FROM picked ORDER BY dice LIMIT $4) AS p,
        (SELECT max(sale_id) AS high FROM crm.sales) AS ids,
        LATERAL (
            SELECT s.sale_id, s.currency, s.total FROM crm.sales AS s
            WHERE s.sale_id >= floor(ids.high * p.place)::bigint AND s.country = p.country
            ORDER BY s.sale_id LIMIT 1
        ) AS e
), sale AS (
    INSERT INTO crm.sales (sale_id, customer_id, lead_id, opportunity_id, country, status, currency,
        total, sold_at, recorded_at)
    SELECT sale_id, customer_id, lead_id, opportunity_id, country, 'completed', currency, total,
        sold_at, $3
    FROM chosen
    RETURNING 1
), line AS (
    INSERT INTO crm.sale_lines (sale_id, line_no, product_id, quantity, unit_price, discount,
        unit_cost, currency)
    SELECT c.sale_id, l.line_no, l.product_id, l.quantity, l.unit_price, l.discount, l.unit_cost,
        l.currency
    FROM chosen AS c JOIN crm.sale_lines AS l ON l.sale_id = c.example
    RETURNING 1
), lead AS (
    UPDATE crm.leads AS l SET status = 'converted', converted_at = c.sold_at
    FROM chosen AS c WHERE l.lead_id = c.lead_id
    RETURNING 1
), deal AS (
    UPDATE crm.opportunities AS o
    SET stage = 'won', won = true, closed_at = c.sold_at, amount = c.total
    FROM chosen AS c WHERE o.opportunity_id = c.opportunity_id
    RETURNING 1
), customer AS (
    UPDATE crm.customers AS k SET lifecycle = 'customer'
    FROM (SELECT DISTINCT customer_id FROM chosen) AS c
    WHERE k.customer_id = c.customer_id AND k.lifecycle <> 'customer'
    RETURNING 1
)
SELECT 1 FROM sale UNION ALL SELECT 1 FROM line UNION ALL SELECT 1 FROM lead
UNION ALL SELECT 1 FROM deal UNION ALL SELECT 1 FROM customer
