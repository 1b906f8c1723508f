-- $1 customers, $2 to $6 their envelopes. Null: nothing to change.
UPDATE crm.customers AS c
SET contact_name_enc = coalesce(n.contact_name_enc, c.contact_name_enc),
    email_enc = coalesce(n.email_enc, c.email_enc),
    phone_enc = coalesce(n.phone_enc, c.phone_enc),
    address_enc = coalesce(n.address_enc, c.address_enc),
    company_name_enc = coalesce(n.company_name_enc, c.company_name_enc)
FROM unnest($1::bigint[], $2::bytea[], $3::bytea[], $4::bytea[], $5::bytea[], $6::bytea[])
    AS n (customer_id, contact_name_enc, email_enc, phone_enc, address_enc, company_name_enc)
WHERE c.customer_id = n.customer_id
    AND num_nonnulls(n.contact_name_enc, n.email_enc, n.phone_enc, n.address_enc, n.company_name_enc) > 0
