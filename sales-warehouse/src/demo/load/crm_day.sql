SELECT (min(changed_at) AT TIME ZONE 'UTC')::date FROM crm.products
