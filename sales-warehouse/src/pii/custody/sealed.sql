SELECT EXISTS (
    SELECT FROM crm.customers
    WHERE num_nonnulls(contact_name_enc, email_enc, phone_enc, address_enc, company_name_enc) > 0)
