SET LOCAL ROLE warehouse_owner;

-- PromptContent, the third source: what is said of images, and which campaigns registered there use them. What
-- PromptAds shows stays as it is, core.dim_content with it: an image may be known to one, to the other, or to both.

CREATE TABLE core.content_document (
    content_id text PRIMARY KEY CHECK (length(content_id) <= 200),
    title_en text CHECK (length(title_en) <= 300),
    title_es text CHECK (length(title_es) <= 300),
    status text NOT NULL,
    hashtags text[] NOT NULL,
    revision bigint NOT NULL,
    created_at timestamptz
);
COMMENT ON TABLE core.content_document IS
    'Grain: one image as PromptContent describes it now; what was deleted or erased there is not here. Key: its slug, as in core.dim_content.';
COMMENT ON COLUMN core.content_document.title_en IS 'Null where it has none in English; title_es likewise. One of them is there.';
COMMENT ON COLUMN core.content_document.status IS 'draft, approved or retired.';
COMMENT ON COLUMN core.content_document.hashtags IS 'Of both languages, in small letters, each once; core.content_hashtag has a row for each.';
COMMENT ON COLUMN core.content_document.revision IS 'The version that it is in: grows by one at every change.';

CREATE TABLE core.content_hashtag (
    hashtag text NOT NULL,
    content_id text NOT NULL REFERENCES core.content_document ON DELETE CASCADE,
    PRIMARY KEY (hashtag, content_id)
);
CREATE INDEX content_hashtag_content ON core.content_hashtag (content_id);
COMMENT ON TABLE core.content_hashtag IS
    'Grain: one hashtag of one image, a bridge between facts by image and hashtags. Key: hashtag, content_id. Kept by triggers on core.content_document. A join to it counts a fact once for each hashtag.';

CREATE TABLE core.content_campaign (
    campaign_slug text PRIMARY KEY CHECK (length(campaign_slug) <= 200),
    name text NOT NULL CHECK (length(name) <= 300),
    status text NOT NULL,
    markets text[] NOT NULL,
    starts_on date REFERENCES core.dim_date,
    ends_on date REFERENCES core.dim_date,
    revision bigint NOT NULL,
    created_at timestamptz
);
COMMENT ON TABLE core.content_campaign IS
    'Grain: one campaign as it is registered with PromptContent. Key: its slug; where that is a campaign code of PromptAds in small letters, it is that campaign.';
COMMENT ON COLUMN core.content_campaign.status IS 'planned, active, paused, finished or cancelled.';
COMMENT ON COLUMN core.content_campaign.markets IS 'ISO 3166-1 alpha-2.';

CREATE TABLE core.campaign_content (
    campaign_slug text NOT NULL REFERENCES core.content_campaign,
    content_id text NOT NULL CHECK (length(content_id) <= 200),
    attached_on date NOT NULL REFERENCES core.dim_date,
    PRIMARY KEY (campaign_slug, content_id)
);
COMMENT ON TABLE core.campaign_content IS
    'Grain: one image that a campaign registered with PromptContent uses. Key: campaign_slug, content_id. The image may be unknown: it was deleted since.';

-- The bridge follows the documents in the transaction that changes them.
CREATE FUNCTION etl.keep_hashtags() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM core.content_hashtag AS h USING come AS c
    WHERE h.content_id = c.content_id AND h.hashtag <> ALL (c.hashtags);
    INSERT INTO core.content_hashtag (hashtag, content_id)
    SELECT DISTINCT tag, c.content_id FROM come AS c, unnest(c.hashtags) AS tag
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
CREATE TRIGGER hashtags_come AFTER INSERT ON core.content_document REFERENCING NEW TABLE AS come
    FOR EACH STATEMENT EXECUTE FUNCTION etl.keep_hashtags();
CREATE TRIGGER hashtags_change AFTER UPDATE ON core.content_document REFERENCING NEW TABLE AS come
    FOR EACH STATEMENT EXECUTE FUNCTION etl.keep_hashtags();

CREATE UNLOGGED TABLE staging.content_contents (
    content_id text, title_en text, title_es text, status text, hashtags text[], revision bigint,
    created_at timestamptz);
CREATE UNLOGGED TABLE staging.content_campaigns (
    campaign_slug text, name text, status text, markets text[], starts_on date, ends_on date, revision bigint,
    created_at timestamptz);
CREATE UNLOGGED TABLE staging.content_campaign_contents (
    campaign_slug text, content_id text, attached_at timestamptz);

-- As in 0006.
CREATE VIEW staging.content_document AS
SELECT left(content_id, 200) AS content_id, left(title_en, 300) AS title_en, left(title_es, 300) AS title_es,
    left(status, 300) AS status, ARRAY(SELECT left(tag, 300) FROM unnest(hashtags) AS tag) AS hashtags, revision,
    CASE WHEN etl.finite(created_at) THEN created_at END AS created_at,
    array_remove(ARRAY[
        CASE WHEN etl.too_long(title_en, title_es, status) OR etl.too_long(VARIADIC hashtags) OR length(content_id) > 200
            THEN 'text-too-long' END,
        CASE WHEN NOT etl.finite(created_at) THEN 'date-out-of-range' END], NULL) AS reasons,
    length(content_id) > 200 AS rejected, to_jsonb(l) AS payload
FROM staging.content_contents AS l;

CREATE VIEW staging.content_campaign AS
SELECT left(campaign_slug, 200) AS campaign_slug, left(name, 300) AS name, left(status, 300) AS status, markets,
    CASE WHEN etl.in_calendar(starts_on) THEN starts_on END AS starts_on,
    CASE WHEN etl.in_calendar(ends_on) THEN ends_on END AS ends_on, revision,
    CASE WHEN etl.finite(created_at) THEN created_at END AS created_at,
    array_remove(ARRAY[
        CASE WHEN etl.too_long(name, status) OR length(campaign_slug) > 200 THEN 'text-too-long' END,
        CASE WHEN NOT (etl.in_calendar(starts_on) AND etl.in_calendar(ends_on) AND etl.finite(created_at))
            THEN 'date-out-of-range' END], NULL) AS reasons,
    length(campaign_slug) > 200 AS rejected, to_jsonb(l) AS payload
FROM staging.content_campaigns AS l;

CREATE VIEW staging.campaign_content AS
SELECT s.*, s.reasons <> '{}' AS rejected FROM (
    SELECT l.campaign_slug, l.content_id, etl.utc_day(l.attached_at) AS attached_on,
        array_remove(ARRAY[
            CASE WHEN length(l.content_id) > 200 THEN 'text-too-long' END,
            CASE WHEN NOT etl.finite(l.attached_at) THEN 'date-out-of-range' END,
            CASE WHEN c.campaign_slug IS NULL THEN 'missing-parent' END], NULL) AS reasons,
        to_jsonb(l) AS payload
    FROM staging.content_campaign_contents AS l
    LEFT JOIN core.content_campaign AS c ON c.campaign_slug = l.campaign_slug) AS s;

INSERT INTO etl.targets (ordinal, source, target, key, landing, tombstones, measure) VALUES
    (21, 'promptcontent', 'content_document', '{content_id}', 'content_contents', 'contents', 'revision'),
    (22, 'promptcontent', 'content_campaign', '{campaign_slug}', 'content_campaigns', 'campaigns', 'revision'),
    (23, 'promptcontent', 'campaign_content', '{campaign_slug,content_id}', 'content_campaign_contents',
        'campaign_contents', NULL);

-- As in 0011, but for PromptContent, on which no books hang.
CREATE OR REPLACE FUNCTION etl.reopen_after_merge(run bigint, for_source text, read_all boolean) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF for_source = 'promptads' THEN
        PERFORM etl.reopen('SELECT campaign_id FROM staging.ads_campaigns');
    ELSIF for_source = 'promptcrm' AND (read_all OR EXISTS (SELECT FROM etl.table_runs AS r WHERE r.run_id = run
            AND r.target = 'exchange_rate' AND r.inserted + r.updated + r.deleted > 0)) THEN
        DELETE FROM core.campaign_closeout;
    END IF;
END
$$;

REVOKE ALL ON FUNCTION etl.keep_hashtags FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON staging.content_contents, staging.content_campaigns,
    staging.content_campaign_contents TO warehouse_etl;
GRANT SELECT ON staging.content_document, staging.content_campaign, staging.campaign_content TO warehouse_etl;
GRANT SELECT, INSERT, UPDATE, DELETE ON core.content_document, core.content_campaign, core.campaign_content
    TO warehouse_etl;
GRANT SELECT ON core.content_hashtag TO warehouse_etl;
GRANT SELECT ON core.content_document, core.content_hashtag, core.content_campaign, core.campaign_content
    TO warehouse_reader;
ALTER POLICY readers_see_no_customers ON etl.quarantine USING (source IN ('promptads', 'promptcontent'));
RESET ROLE;
