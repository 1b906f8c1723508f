INSERT INTO crm.interactions (customer_id, lead_id, kind, direction, occurred_at, response_seconds)
SELECT l.customer_id, l.lead_id, (ARRAY['call', 'email', 'chat', 'meeting'])[1 + floor(p.dice * 4)::int],
    CASE WHEN p.dice < 0.4 THEN 'inbound' ELSE 'outbound' END, $3 - interval '1 hour' * p.dice,
    CASE WHEN p.dice < 0.5 THEN floor(p.dice * 3600)::int END
FROM (SELECT * FROM unnest($1, $2) AS p (place, dice) LIMIT $4) AS p,
    (SELECT max(lead_id) AS high FROM crm.leads) AS ids,
    LATERAL (
        SELECT lead_id, customer_id FROM crm.leads
        WHERE lead_id >= floor(ids.high * p.place)::bigint
        ORDER BY lead_id LIMIT 1
    ) AS l
