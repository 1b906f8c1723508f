SET LOCAL ROLE warehouse_owner;

-- What the semantic model reads of images, as 0015 for the rest. An image has a name in both languages, if it must
-- the other one's, or its slug.
CREATE VIEW marts.contents AS
SELECT d.content_id, coalesce(d.title_en, d.title_es, d.content_id) AS title_en,
    coalesce(d.title_es, d.title_en, d.content_id) AS title_es, d.status, d.revision
FROM core.content_document AS d
UNION ALL
SELECT c.content_id, c.content_id, c.content_id, NULL, NULL
FROM core.dim_content AS c
WHERE NOT EXISTS (SELECT FROM core.content_document AS d WHERE d.content_id = c.content_id);
COMMENT ON VIEW marts.contents IS
    'Grain: one image that PromptContent describes or PromptAds shows. Key: content_id. status and revision are null where PromptContent does not have it (any more).';

CREATE VIEW marts.content_hashtags AS SELECT hashtag, content_id FROM core.content_hashtag;
COMMENT ON VIEW marts.content_hashtags IS 'Grain: one hashtag of one image. Key: hashtag, content_id.';

-- A use that both systems know counts once, as PromptAds has it. A campaign that was given up uses nothing; one in
-- several markets has no market of its own.
CREATE OR REPLACE VIEW marts.content_uses AS
SELECT campaign_id, content_id, first_used_on, last_used_on, market_code, role FROM core.fact_content_use
UNION ALL
SELECT coalesce(c.campaign_id, 0), u.content_id, greatest(u.attached_on, r.starts_on), NULL,
    coalesce(m.market_code, '??'), 'registered'
FROM core.campaign_content AS u
JOIN core.content_campaign AS r USING (campaign_slug)
LEFT JOIN core.dim_campaign AS c ON lower(c.campaign_code) = u.campaign_slug AND c.campaign_id > 0
LEFT JOIN core.dim_market AS m
    ON m.market_code = coalesce(c.market_code, CASE WHEN cardinality(r.markets) = 1 THEN r.markets[1] END)
WHERE r.status <> 'cancelled' AND NOT EXISTS (
    SELECT FROM core.fact_content_use AS f WHERE f.campaign_id = c.campaign_id AND f.content_id = u.content_id);
COMMENT ON VIEW marts.content_uses IS
    'Grain: one image used by one campaign, whatever the number of ads. Key: campaign (campaign_id; its slug where PromptAds does not know it, campaign_id 0), content_id. first_used_on: the campaign''s first day, or the day of registration if that is later.';

GRANT SELECT ON marts.contents, marts.content_hashtags TO warehouse_etl, warehouse_reader;
RESET ROLE;
