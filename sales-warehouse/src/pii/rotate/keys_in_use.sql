SELECT DISTINCT substring(e.envelope FROM 2 FOR 4)
FROM crm.customers AS c,
    unnest(ARRAY[c.contact_name_enc, c.email_enc, c.phone_enc, c.address_enc, c.company_name_enc])
        AS e (envelope)
WHERE e.envelope IS NOT NULL
