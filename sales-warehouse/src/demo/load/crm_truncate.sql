TRUNCATE crm.subscriptions, crm.sale_lines, crm.sales, crm.opportunities, crm.interactions, crm.leads,
    crm.customers, crm.products, crm.exchange_rates, crm.tombstones RESTART IDENTITY
