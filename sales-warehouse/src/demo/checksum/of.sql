SELECT count(*),
    coalesce(sum(('x' || left(md5((to_jsonb(t)
        - '{change_txid,changed_at,contact_name_enc,email_enc,phone_enc,address_enc,company_name_enc}'::text[]
    )::text), 15))::bit(60)::bigint), 0)::text
FROM {table} AS t
