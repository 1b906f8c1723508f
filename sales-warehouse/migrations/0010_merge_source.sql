SET LOCAL ROLE warehouse_owner;

-- Facts carry keys of their ad's campaign, audience and image: when an ad or a campaign moves, they follow. Most
-- changes of either are none that facts carry, and looking for facts to change would cost more than the merge.
CREATE FUNCTION etl.note_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'dim_ad' THEN
        INSERT INTO staging.moved (ad_id) VALUES (NEW.ad_id);
    ELSE
        INSERT INTO staging.moved (campaign_id) VALUES (NEW.campaign_id);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER moved AFTER UPDATE ON core.dim_ad FOR EACH ROW
    WHEN ((OLD.campaign_id, OLD.channel_code, OLD.audience_id, OLD.content_id)
        IS DISTINCT FROM (NEW.campaign_id, NEW.channel_code, NEW.audience_id, NEW.content_id))
    EXECUTE FUNCTION etl.note_moved();
CREATE TRIGGER moved AFTER UPDATE ON core.dim_campaign FOR EACH ROW
    WHEN ((OLD.market_code, OLD.campaign_code) IS DISTINCT FROM (NEW.market_code, NEW.campaign_code))
    EXECUTE FUNCTION etl.note_moved();

CREATE FUNCTION etl.follow_ads() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    followed bigint;
    moved bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM staging.moved) THEN
        RETURN 0;
    END IF;
    CREATE TEMPORARY TABLE touched_ads ON COMMIT DROP AS
    SELECT a.ad_id, a.campaign_id, a.channel_code, c.market_code, a.audience_id, a.content_id
    FROM core.dim_ad AS a JOIN core.dim_campaign AS c USING (campaign_id)
    WHERE a.ad_id IN (SELECT m.ad_id FROM staging.moved AS m)
        OR a.campaign_id IN (SELECT m.campaign_id FROM staging.moved AS m);
    PERFORM etl.reopen('SELECT unnest(ARRAY[f.campaign_id, a.campaign_id])
        FROM core.fact_ad_daily AS f JOIN touched_ads AS a USING (ad_id) WHERE f.campaign_id <> a.campaign_id');
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
    WHERE c.campaign_id = f.campaign_id AND c.campaign_id IN (SELECT m.campaign_id FROM staging.moved AS m)
        AND f.market_code <> c.market_code;
    GET DIAGNOSTICS moved = ROW_COUNT;
    DROP TABLE touched_ads;
    DELETE FROM staging.moved;
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
                AND c.campaign_id IN (SELECT m.campaign_id FROM staging.moved AS m)', fact);
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
    begun timestamptz;
BEGIN
    FOR t IN SELECT * FROM etl.targets WHERE source = for_source ORDER BY ordinal LOOP
        IF t.date_column IS NOT NULL AND NOT dropped THEN
            PERFORM etl.drop_gone(run, for_source);
            dropped := true;
        END IF;
        begun := clock_timestamp();
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
        counts.merge_ms := extract(epoch FROM clock_timestamp() - begun) * 1000;
        INSERT INTO etl.table_runs SELECT counts.*;
    END LOOP;
    -- Children go before their parents.
    FOR t IN SELECT * FROM etl.targets WHERE source = for_source ORDER BY ordinal DESC LOOP
        gone := etl.delete_gone(t, read_all);
        UPDATE etl.table_runs AS r SET deleted = r.deleted + gone
        WHERE r.run_id = run AND r.target = t.target AND gone > 0;
    END LOOP;
    -- A campaign that is gone leaves facts without one, whose code another may bear by now.
    IF for_source = 'promptads' AND EXISTS (SELECT FROM etl.table_runs AS r
            WHERE r.run_id = run AND r.target = 'dim_campaign' AND r.deleted > 0) THEN
        gone := etl.resolve_campaigns();
        UPDATE etl.table_runs AS r SET updated = r.updated + gone
        WHERE r.run_id = run AND r.target = 'dim_campaign';
    END IF;
    PERFORM etl.reopen_after_merge(run, for_source, read_all);
    RETURN QUERY SELECT * FROM etl.table_runs AS r WHERE r.run_id = run AND r.source = for_source ORDER BY target;
END
$$;
COMMENT ON FUNCTION etl.merge_source IS
    'Merges what is staged for a source, parents first; then deletes, children first. Writes etl.table_runs and returns them.';

CREATE FUNCTION etl.core_totals(for_target text, OUT core_rows bigint, OUT core_sum text) LANGUAGE plpgsql STABLE AS $$
DECLARE
    t etl.targets;
BEGIN
    SELECT * INTO STRICT t FROM etl.targets WHERE target = for_target;
    EXECUTE format('SELECT count(*), coalesce(sum(%s), 0)::text FROM core.%I AS f WHERE %s',
        coalesce('f.' || quote_ident(t.measure), '0'), t.target, t.keep) INTO core_rows, core_sum;
END
$$;
COMMENT ON FUNCTION etl.core_totals IS 'Rows that core has of a source''s table, and the sum of its measure.';

CREATE FUNCTION etl.reconcile(run bigint, for_target text, at_source_rows bigint, at_source_sum numeric,
    in_core_rows bigint, in_core_sum numeric) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    r etl.table_runs;
BEGIN
    SELECT count(*), coalesce(sum(measure), 0) INTO r.rejected_rows, r.rejected_sum
    FROM etl.quarantine WHERE target = for_target AND rejected;
    UPDATE etl.table_runs AS l
    SET source_rows = at_source_rows, core_rows = in_core_rows, rejected_rows = r.rejected_rows,
        source_sum = at_source_sum, core_sum = in_core_sum, rejected_sum = r.rejected_sum
    WHERE l.run_id = run AND l.target = for_target;
    RETURN at_source_rows = in_core_rows + r.rejected_rows AND at_source_sum = in_core_sum + r.rejected_sum;
END
$$;
COMMENT ON FUNCTION etl.reconcile IS
    'Whether core and quarantine together have the rows and the sum that the source has; noted in etl.table_runs.';
RESET ROLE;
