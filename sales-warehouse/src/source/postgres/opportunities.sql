SELECT o.opportunity_id, o.customer_id, o.lead_id, o.stage, o.amount, o.currency, o.created_at,
    o.expected_close_on, o.closed_at, o.won,
    l.campaign_code, l.country
FROM crm.opportunities AS o LEFT JOIN crm.leads AS l USING (lead_id)
