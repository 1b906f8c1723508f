-- Rows came with their ids: what is added later goes on behind them.
SELECT setval('crm.products_product_id_seq', coalesce(max(product_id), 0) + 1, false) FROM crm.products;
SELECT setval('crm.customers_customer_id_seq', coalesce(max(customer_id), 0) + 1, false) FROM crm.customers;
SELECT setval('crm.leads_lead_id_seq', coalesce(max(lead_id), 0) + 1, false) FROM crm.leads;
SELECT setval('crm.interactions_interaction_id_seq', coalesce(max(interaction_id), 0) + 1, false) FROM crm.interactions;
SELECT setval('crm.opportunities_opportunity_id_seq', coalesce(max(opportunity_id), 0) + 1, false) FROM crm.opportunities;
SELECT setval('crm.sales_sale_id_seq', coalesce(max(sale_id), 0) + 1, false) FROM crm.sales;
SELECT setval('crm.subscriptions_subscription_id_seq', coalesce(max(subscription_id), 0) + 1, false) FROM crm.subscriptions;
