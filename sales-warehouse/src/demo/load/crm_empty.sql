SELECT NOT EXISTS (SELECT FROM crm.products)
    AND NOT EXISTS (SELECT FROM crm.exchange_rates)
    AND NOT EXISTS (SELECT FROM crm.customers)
