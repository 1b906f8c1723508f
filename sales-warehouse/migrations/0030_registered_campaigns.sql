SET LOCAL ROLE warehouse_owner;

-- Campaigns that are registered with PromptContent and that PromptAds does not know are campaigns too: they count, are
-- found by their names, and use their images under their own id.

CREATE FUNCTION etl.registered_campaign_id(slug text) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN -2 - ('x' || substr(encode(sha256(convert_to(slug, 'UTF8')), 'hex'), 1, 15))::bit(60)::bigint;
COMMENT ON FUNCTION etl.registered_campaign_id IS
    'The campaign_id of a campaign that only PromptContent knows: below -1, so none of PromptAds'' and none of the two members that stand for no campaign; the same wherever it is worked out.';

CREATE VIEW marts.registered_campaigns AS
SELECT etl.registered_campaign_id(r.campaign_slug) AS campaign_id, r.campaign_slug AS campaign_code, r.name AS campaign_name,
    -- Planned there is what PromptAds calls a draft: it does not run.
    CASE r.status WHEN 'planned' THEN 'draft' ELSE r.status END AS status, coalesce(m.market_code, '??') AS market_code,
    r.starts_on AS start_date, r.ends_on AS end_date
FROM core.content_campaign AS r
LEFT JOIN core.dim_market AS m ON cardinality(r.markets) = 1 AND m.market_code = r.markets[1]
WHERE r.status <> 'cancelled' AND NOT EXISTS (
    SELECT FROM core.dim_campaign AS c WHERE lower(c.campaign_code) = r.campaign_slug AND c.campaign_id > 0);
COMMENT ON VIEW marts.registered_campaigns IS
    'Grain: one campaign that is registered with PromptContent and that PromptAds does not know; one that was given up is none. Key: campaign_id. In several markets, it has the unknown one.';

CREATE OR REPLACE VIEW marts.campaigns AS
SELECT c.campaign_id, c.campaign_code, c.name AS campaign_name, c.objective, c.theme, c.status, c.market_code,
    c.budget * x.usd_per_unit AS budget_usd, c.start_date, c.end_date
FROM core.dim_campaign AS c
LEFT JOIN core.exchange_rate AS x
    ON x.currency = c.currency AND x.month = date_trunc('month', c.start_date)::date
WHERE c.campaign_id > 0
UNION ALL
SELECT campaign_id, campaign_code, campaign_name, 'unknown', 'unknown', status, market_code, NULL, start_date, end_date
FROM marts.registered_campaigns;
COMMENT ON VIEW marts.campaigns IS
    'Grain: one campaign, as PromptAds runs it in one market or as it is registered with PromptContent alone. Key: campaign_id. What only PromptAds knows (objective as a kind, theme, budget) is unknown of the latter.';

CREATE OR REPLACE VIEW marts.content_uses AS
SELECT campaign_id, content_id, first_used_on, last_used_on, market_code, role FROM core.fact_content_use
UNION ALL
SELECT coalesce(c.campaign_id, etl.registered_campaign_id(u.campaign_slug)), u.content_id,
    greatest(u.attached_on, r.starts_on), NULL, coalesce(m.market_code, '??'), 'registered'
FROM core.campaign_content AS u
JOIN core.content_campaign AS r USING (campaign_slug)
LEFT JOIN core.dim_campaign AS c ON lower(c.campaign_code) = u.campaign_slug AND c.campaign_id > 0
LEFT JOIN core.dim_market AS m
    ON m.market_code = coalesce(c.market_code, CASE WHEN cardinality(r.markets) = 1 THEN r.markets[1] END)
WHERE r.status <> 'cancelled' AND NOT EXISTS (
    SELECT FROM core.fact_content_use AS f WHERE f.campaign_id = c.campaign_id AND f.content_id = u.content_id);
COMMENT ON VIEW marts.content_uses IS
    'Grain: one image used by one campaign, whatever the number of ads. Key: campaign_id, content_id. first_used_on: the campaign''s first day, or the day of registration if that is later.';

-- Both slugs are compared with codes in small letters.
CREATE INDEX dim_campaign_slug ON core.dim_campaign (lower(campaign_code));

REVOKE ALL ON FUNCTION etl.registered_campaign_id FROM PUBLIC;
GRANT EXECUTE ON FUNCTION etl.registered_campaign_id TO warehouse_etl, warehouse_reader;
GRANT SELECT ON marts.registered_campaigns TO warehouse_etl, warehouse_reader;
RESET ROLE;
