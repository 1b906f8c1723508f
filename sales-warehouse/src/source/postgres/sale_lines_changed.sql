-- A line changes with its sale and with the sale's lead, whose attributes it takes. Each by its change index.
WHERE l.sale_id IN (
    SELECT sale_id FROM crm.sale_lines WHERE change_txid >= current_setting('warehouse.watermark')::xid8
    UNION
    SELECT sale_id FROM crm.sales WHERE change_txid >= current_setting('warehouse.watermark')::xid8
    UNION
    SELECT t.sale_id FROM crm.leads AS c JOIN crm.sales AS t USING (lead_id)
    WHERE c.change_txid >= current_setting('warehouse.watermark')::xid8)
