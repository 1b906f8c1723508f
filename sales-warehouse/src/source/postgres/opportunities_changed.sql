-- An opportunity changes with its lead, whose campaign and country it takes. Each by its change index.
WHERE o.opportunity_id IN (
    SELECT opportunity_id FROM crm.opportunities
    WHERE change_txid >= current_setting('warehouse.watermark')::xid8
    UNION
    SELECT t.opportunity_id FROM crm.leads AS c JOIN crm.opportunities AS t USING (lead_id)
    WHERE c.change_txid >= current_setting('warehouse.watermark')::xid8)
