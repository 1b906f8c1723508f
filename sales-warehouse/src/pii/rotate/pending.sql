-- $1 newest key id. As in lock.sql.
SELECT count(*) FROM crm.customers
WHERE substring(contact_name_enc FROM 2 FOR 4) <> $1
    OR substring(email_enc FROM 2 FOR 4) <> $1
    OR substring(phone_enc FROM 2 FOR 4) <> $1
    OR substring(address_enc FROM 2 FOR 4) <> $1
    OR substring(company_name_enc FROM 2 FOR 4) <> $1
