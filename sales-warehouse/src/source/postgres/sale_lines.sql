-- A line changes with its sale and with the sale's lead, whose attributes it takes.
SELECT l.sale_id, l.line_no, l.product_id, l.quantity, l.unit_price, l.discount, l.unit_cost, l.currency,
    s.customer_id, s.lead_id, s.opportunity_id, s.country, s.status, s.sold_at, s.recorded_at,
    d.campaign_code, d.channel_code
FROM crm.sale_lines AS l
JOIN crm.sales AS s USING (sale_id)
LEFT JOIN crm.leads AS d ON d.lead_id = s.lead_id
WHERE current_setting('warehouse.watermark') = '0' OR l.sale_id IN (
    SELECT sale_id FROM crm.sale_lines WHERE change_txid >= current_setting('warehouse.watermark')::xid8
    UNION ALL
    SELECT sale_id FROM crm.sales WHERE change_txid >= current_setting('warehouse.watermark')::xid8
    UNION ALL
    SELECT t.sale_id FROM crm.leads AS c JOIN crm.sales AS t USING (lead_id)
    WHERE c.change_txid >= current_setting('warehouse.watermark')::xid8)
