-- An opportunity changes with its lead, whose campaign and country it takes.
SELECT o.opportunity_id, o.customer_id, o.lead_id, o.stage, o.amount, o.currency, o.created_at,
    o.expected_close_on, o.closed_at, o.won,
    l.campaign_code, l.country
FROM crm.opportunities AS o LEFT JOIN crm.leads AS l USING (lead_id)
WHERE current_setting('warehouse.watermark') = '0' OR o.opportunity_id IN (
    SELECT opportunity_id FROM crm.opportunities
    WHERE change_txid >= current_setting('warehouse.watermark')::xid8
    UNION ALL
    SELECT t.opportunity_id FROM crm.leads AS c JOIN crm.opportunities AS t USING (lead_id)
    WHERE c.change_txid >= current_setting('warehouse.watermark')::xid8)
