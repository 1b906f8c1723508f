SELECT l.sale_id, l.line_no, l.product_id, l.quantity, l.unit_price, l.discount, l.unit_cost, l.currency,
    s.customer_id, s.lead_id, s.opportunity_id, s.country, s.status, s.sold_at, s.recorded_at,
    d.campaign_code, d.channel_code
FROM crm.sale_lines AS l
JOIN crm.sales AS s USING (sale_id)
LEFT JOIN crm.leads AS d ON d.lead_id = s.lead_id
