-- $1 after this customer, $2 newest key id, $3 how many. Null parts compare as null, and are not asked for.
SELECT customer_id, contact_name_enc, email_enc, phone_enc, address_enc, company_name_enc
FROM crm.customers
WHERE customer_id > $1
    AND (substring(contact_name_enc FROM 2 FOR 4) <> $2
        OR substring(email_enc FROM 2 FOR 4) <> $2
        OR substring(phone_enc FROM 2 FOR 4) <> $2
        OR substring(address_enc FROM 2 FOR 4) <> $2
        OR substring(company_name_enc FROM 2 FOR 4) <> $2)
ORDER BY customer_id
LIMIT $3
FOR UPDATE
