SET LOCAL ROLE warehouse_owner;

-- Facts carry keys of their ad's campaign, audience and image: when an ad or a campaign moves, they follow.
CREATE FUNCTION etl.follow_ads() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    followed bigint;
    moved bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM staging.ads_ads) AND NOT EXISTS (SELECT FROM staging.ads_campaigns) THEN
        RETURN 0;
    END IF;
    CREATE TEMPORARY TABLE touched_ads ON COMMIT DROP AS
    SELECT a.ad_id, a.campaign_id, a.channel_code, c.market_code, a.audience_id, a.content_id
    FROM core.dim_ad AS a JOIN core.dim_campaign AS c USING (campaign_id)
    WHERE a.ad_id IN (SELECT ad_id FROM staging.ads_ads)
        OR a.campaign_id IN (SELECT campaign_id FROM staging.ads_campaigns);
    UPDATE core.fact_ad_daily AS f
    SET campaign_id = a.campaign_id, channel_code = a.channel_code, market_code = a.market_code,
        audience_id = a.audience_id, content_id = a.content_id
    FROM touched_ads AS a
    WHERE a.ad_id = f.ad_id
        AND (f.campaign_id, f.channel_code, f.market_code, f.audience_id, f.content_id)
            IS DISTINCT FROM (a.campaign_id, a.channel_code, a.market_code, a.audience_id, a.content_id);
    GET DIAGNOSTICS followed = ROW_COUNT;
    UPDATE core.fact_reaction AS f
    SET campaign_id = a.campaign_id, channel_code = a.channel_code, market_code = a.market_code
    FROM touched_ads AS a
    WHERE a.ad_id = f.ad_id
        AND (f.campaign_id, f.channel_code, f.market_code)
            IS DISTINCT FROM (a.campaign_id, a.channel_code, a.market_code);
    GET DIAGNOSTICS moved = ROW_COUNT;
    followed := followed + moved;
    UPDATE core.fact_content_use AS f SET market_code = c.market_code
    FROM core.dim_campaign AS c
    WHERE c.campaign_id = f.campaign_id AND c.campaign_id IN (SELECT campaign_id FROM staging.ads_campaigns)
        AND f.market_code <> c.market_code;
    GET DIAGNOSTICS moved = ROW_COUNT;
    DROP TABLE touched_ads;
    RETURN followed + moved;
END
$$;
COMMENT ON FUNCTION etl.follow_ads IS 'Returns how many facts changed their keys.';

-- PromptCrm names campaigns by code, and may do so before PromptAds does or after a code changed.
CREATE FUNCTION etl.resolve_campaigns() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    fact text;
    resolved bigint := 0;
    more bigint;
BEGIN
    FOREACH fact IN ARRAY ARRAY['fact_lead', 'fact_opportunity', 'fact_sale'] LOOP
        EXECUTE format('UPDATE core.%I AS f SET campaign_id = 0
            FROM core.dim_campaign AS c
            WHERE c.campaign_id = f.campaign_id AND c.campaign_id > 0 AND f.campaign_code <> c.campaign_code
                AND c.campaign_id IN (SELECT campaign_id FROM staging.ads_campaigns)', fact);
        EXECUTE format('UPDATE core.%I AS f SET campaign_id = c.campaign_id
            FROM core.dim_campaign AS c
            WHERE f.campaign_id = 0 AND f.campaign_code = c.campaign_code AND c.campaign_id > 0', fact);
        GET DIAGNOSTICS more = ROW_COUNT;
        resolved := resolved + more;
    END LOOP;
    RETURN resolved;
END
$$;
COMMENT ON FUNCTION etl.resolve_campaigns IS 'Returns how many facts found their campaign.';

-- Everything that is staged for a source, into core. One transaction of the caller's, with the watermark.
CREATE FUNCTION etl.merge_source(run bigint, for_source text, read_all boolean) RETURNS SETOF etl.table_runs
LANGUAGE plpgsql AS $$
DECLARE
    t etl.targets;
    counts etl.table_runs;
    gone bigint;
    dropped boolean := NOT read_all;
BEGIN
    FOR t IN SELECT * FROM etl.targets WHERE source = for_source ORDER BY ordinal LOOP
        IF t.date_column IS NOT NULL AND NOT dropped THEN
            PERFORM etl.drop_gone(run, for_source);
            dropped := true;
        END IF;
        counts := etl.merge_target(run, t, read_all);
        IF t.target = 'dim_ad' THEN
            counts.updated := counts.updated + etl.follow_ads();
        ELSIF t.target = 'dim_campaign' AND counts.inserted + counts.updated > 0 THEN
            counts.updated := counts.updated + etl.resolve_campaigns();
        ELSIF t.target IN ('dim_channel', 'dim_market') AND counts.inserted > 0 THEN
            -- New members, for which PromptCrm's rows may have waited.
            UPDATE etl.watermarks AS w SET read_all = true
            WHERE w.source = 'promptcrm' AND (
                EXISTS (SELECT FROM core.fact_lead WHERE channel_code = 'unknown' OR market_code = '??')
                OR EXISTS (SELECT FROM core.fact_sale WHERE channel_code = 'unknown' OR market_code = '??')
                OR EXISTS (SELECT FROM core.fact_opportunity WHERE market_code = '??'));
        END IF;
        INSERT INTO etl.table_runs SELECT counts.*;
    END LOOP;
    -- Children go before their parents.
    FOR t IN SELECT * FROM etl.targets WHERE source = for_source ORDER BY ordinal DESC LOOP
        gone := etl.delete_gone(t, read_all);
        UPDATE etl.table_runs AS r SET deleted = r.deleted + gone
        WHERE r.run_id = run AND r.target = t.target AND gone > 0;
    END LOOP;
    -- Closed books of campaigns that got late rows are opened again.
    IF for_source = 'promptads' THEN
        DELETE FROM core.campaign_closeout AS o
        WHERE o.campaign_id IN (SELECT campaign_id FROM staging.ads_campaigns)
            OR o.campaign_id IN (SELECT a.campaign_id FROM core.dim_ad AS a JOIN staging.ads_ad_daily USING (ad_id))
            OR NOT EXISTS (SELECT FROM core.dim_campaign AS c WHERE c.campaign_id = o.campaign_id);
    ELSE
        DELETE FROM core.campaign_closeout AS o USING core.dim_campaign AS c
        WHERE c.campaign_id = o.campaign_id AND c.campaign_code IN (
            SELECT campaign_code FROM staging.crm_leads UNION SELECT campaign_code FROM staging.crm_sale_lines);
    END IF;
    RETURN QUERY SELECT * FROM etl.table_runs AS r WHERE r.run_id = run AND r.source = for_source ORDER BY target;
END
$$;
COMMENT ON FUNCTION etl.merge_source IS
    'Merges what is staged for a source, parents first; then deletes, children first. Writes etl.table_runs and returns them.';

CREATE FUNCTION etl.reconcile(run bigint, for_target text, at_source_rows bigint, at_source_sum numeric)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    t etl.targets;
    r etl.table_runs;
BEGIN
    SELECT * INTO STRICT t FROM etl.targets WHERE target = for_target;
    EXECUTE format('SELECT count(*), coalesce(sum(%s), 0) FROM core.%I AS f WHERE %s',
        coalesce('f.' || quote_ident(t.measure), '0'), t.target, t.keep) INTO r.core_rows, r.core_sum;
    SELECT count(*), coalesce(sum(measure), 0) INTO r.rejected_rows, r.rejected_sum
    FROM etl.quarantine WHERE target = for_target AND rejected;
    UPDATE etl.table_runs AS l
    SET source_rows = at_source_rows, core_rows = r.core_rows, rejected_rows = r.rejected_rows,
        source_sum = at_source_sum, core_sum = r.core_sum, rejected_sum = r.rejected_sum
    WHERE l.run_id = run AND l.target = for_target;
    RETURN at_source_rows = r.core_rows + r.rejected_rows AND at_source_sum = r.core_sum + r.rejected_sum;
END
$$;
COMMENT ON FUNCTION etl.reconcile IS
    'Whether core and quarantine together have the rows and the sum that the source has; noted in etl.table_runs.';
RESET ROLE;
