-- Customers show interest again, by the campaigns that others came by; one in five is entered late.
INSERT INTO crm.leads
    (customer_id, source, channel_code, campaign_code, country, score, status, created_at)
SELECT c.customer_id, l.source, l.channel_code, l.campaign_code, c.country, floor(p.dice * 100), 'new',
    greatest(c.created_at, $3 - CASE WHEN p.dice < 0.2 THEN interval '100 days' ELSE interval '1 hour' END * p.dice)
FROM (SELECT * FROM unnest($1, $2) AS p (place, dice) LIMIT $4) AS p,
    (SELECT max(customer_id) AS high FROM crm.customers) AS customer_ids,
    (SELECT max(lead_id) AS high FROM crm.leads) AS lead_ids,
    LATERAL (
        SELECT customer_id, country, created_at FROM crm.customers
        WHERE customer_id >= floor(customer_ids.high * p.place)::bigint
        ORDER BY customer_id LIMIT 1
    ) AS c,
    LATERAL (
        SELECT source, channel_code, campaign_code FROM crm.leads
        WHERE lead_id >= floor(lead_ids.high * p.dice)::bigint
        ORDER BY lead_id LIMIT 1
    ) AS l
