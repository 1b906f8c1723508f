SET LOCAL ROLE warehouse_owner;

CREATE TABLE core.campaign_status_history (
    change_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    campaign_id bigint NOT NULL,
    status text NOT NULL,
    previous_status text,
    observed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX campaign_status_history_campaign ON core.campaign_status_history (campaign_id, change_id);
COMMENT ON TABLE core.campaign_status_history IS
    'Grain: one status that the warehouse saw a campaign take. Written by a trigger on core.dim_campaign. No foreign key: history outlives the campaign. deleted: PromptAds deleted it.';
COMMENT ON COLUMN core.campaign_status_history.observed_at IS
    'When the ETL brought it, at most one run after PromptAds had it; changes between two runs are one.';

CREATE FUNCTION core.note_campaign_status() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO core.campaign_status_history (campaign_id, status, previous_status)
    VALUES (coalesce(NEW.campaign_id, OLD.campaign_id), coalesce(NEW.status, 'deleted'), OLD.status);
    RETURN NULL;
END
$$;
CREATE TRIGGER status_begun AFTER INSERT ON core.dim_campaign
    FOR EACH ROW WHEN (NEW.campaign_id > 0) EXECUTE FUNCTION core.note_campaign_status();
CREATE TRIGGER status_changed AFTER UPDATE OF status ON core.dim_campaign
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION core.note_campaign_status();
CREATE TRIGGER status_ended AFTER DELETE ON core.dim_campaign
    FOR EACH ROW EXECUTE FUNCTION core.note_campaign_status();

CREATE TABLE audit.changes (
    change_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    table_name text NOT NULL,
    key jsonb NOT NULL,
    operation text NOT NULL CHECK (operation IN ('UPDATE', 'DELETE')),
    before jsonb NOT NULL,
    after jsonb,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_by text NOT NULL,
    role text NOT NULL
);
CREATE INDEX changes_at ON audit.changes (changed_at);
COMMENT ON TABLE audit.changes IS
    'Grain: one change of a value that money or consent hangs on. Triggers write it; nobody else may, not even the ETL.';
COMMENT ON COLUMN audit.changes.before IS 'The watched columns that changed, as they were.';
COMMENT ON COLUMN audit.changes.changed_by IS 'The login. role: the role that it acted as.';

CREATE FUNCTION audit.note_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    key_columns text[] := string_to_array(TG_ARGV[0], ',');
    watched text[] := string_to_array(TG_ARGV[1], ',');
    old_row jsonb := to_jsonb(OLD);
    new_row jsonb := CASE WHEN TG_OP = 'UPDATE' THEN to_jsonb(NEW) END;
BEGIN
    INSERT INTO audit.changes (table_name, key, operation, before, after, changed_by, role)
    SELECT format('%s.%s', TG_TABLE_SCHEMA, TG_TABLE_NAME),
        (SELECT jsonb_object_agg(k, old_row -> k) FROM unnest(key_columns) AS k), TG_OP,
        jsonb_object_agg(w, old_row -> w),
        CASE WHEN new_row IS NOT NULL THEN jsonb_object_agg(w, new_row -> w) END,
        session_user, current_setting('role')
    FROM unnest(watched) AS w
    WHERE new_row IS NULL OR (old_row -> w) IS DISTINCT FROM (new_row -> w)
    HAVING count(*) > 0;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION audit.note_change IS 'Arguments: the key''s columns and the watched ones, each a list with commas.';

CREATE TRIGGER audit_change AFTER UPDATE OF budget, currency OR DELETE ON core.dim_campaign
    FOR EACH ROW EXECUTE FUNCTION audit.note_change('campaign_id', 'budget,currency');
CREATE TRIGGER audit_change AFTER UPDATE OF list_price, unit_cost, currency OR DELETE ON core.dim_product
    FOR EACH ROW EXECUTE FUNCTION audit.note_change('product_id', 'list_price,unit_cost,currency');
CREATE TRIGGER audit_change AFTER UPDATE OF usd_per_unit OR DELETE ON core.exchange_rate
    FOR EACH ROW EXECUTE FUNCTION audit.note_change('currency,month', 'usd_per_unit');
CREATE TRIGGER audit_change AFTER UPDATE OF marketing_consent OR DELETE ON core.dim_customer
    FOR EACH ROW EXECUTE FUNCTION audit.note_change('customer_id', 'marketing_consent');

-- The books of campaigns that are over.
CREATE TABLE core.campaign_closeout (
    campaign_id bigint PRIMARY KEY REFERENCES core.dim_campaign ON DELETE CASCADE,
    closed_at timestamptz NOT NULL DEFAULT now(),
    ended_on date,
    impressions numeric NOT NULL,
    clicks numeric NOT NULL,
    conversions numeric NOT NULL,
    cost_usd numeric(18, 2) NOT NULL,
    leads bigint NOT NULL,
    revenue_usd numeric(18, 2) NOT NULL
);
COMMENT ON TABLE core.campaign_closeout IS
    'Grain: one finished campaign: what it came to. Whatever changes a sum of it opens it again, and the next closing closes it anew.';

-- Books are opened again when anything that they add up changes: rows that come, change, move to another
-- campaign or go, the campaign itself, a rate. All of it happens in the merge, before the next closing.
CREATE FUNCTION etl.reopen(campaigns text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM core.campaign_closeout) THEN
        EXECUTE format('DELETE FROM core.campaign_closeout AS o WHERE o.campaign_id IN (%s)', campaigns);
    END IF;
END
$$;
COMMENT ON FUNCTION etl.reopen IS 'Opens the books of the campaigns that a query names.';

CREATE FUNCTION etl.adds_to_books(for_target text) RETURNS boolean LANGUAGE sql IMMUTABLE
RETURN for_target IN ('fact_ad_daily', 'fact_lead', 'fact_sale');

CREATE FUNCTION etl.reopen_before(t etl.targets) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF etl.adds_to_books(t.target) THEN
        PERFORM etl.reopen(format('SELECT f.campaign_id FROM core.%1$I AS f JOIN staging.%1$I AS s ON %2$s
            WHERE s.rejected OR f.campaign_id <> s.campaign_id', t.target, etl.matches(t.key)));
    END IF;
END
$$;
COMMENT ON FUNCTION etl.reopen_before IS 'Before a merge: campaigns that rows leave.';

CREATE FUNCTION etl.reopen_after(t etl.targets) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF etl.adds_to_books(t.target) THEN
        PERFORM etl.reopen(format('SELECT s.campaign_id FROM staging.%I AS s WHERE NOT s.rejected', t.target));
    END IF;
END
$$;
COMMENT ON FUNCTION etl.reopen_after IS 'After a merge: campaigns that rows came to, or changed in.';

CREATE FUNCTION etl.reopen_deleted(t etl.targets, gone text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF etl.adds_to_books(t.target) THEN
        PERFORM etl.reopen(format('SELECT f.campaign_id FROM core.%I AS f, staging.tombstones AS x WHERE %s',
            t.target, gone));
    END IF;
END
$$;
COMMENT ON FUNCTION etl.reopen_deleted IS 'Before a deletion, whose condition it takes: campaigns that rows go from.';

CREATE FUNCTION etl.reopen_after_merge(run bigint, for_source text, read_all boolean) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF for_source = 'promptads' THEN
        PERFORM etl.reopen('SELECT campaign_id FROM staging.ads_campaigns');
    ELSIF read_all OR EXISTS (SELECT FROM etl.table_runs AS r WHERE r.run_id = run
            AND r.target = 'exchange_rate' AND r.inserted + r.updated + r.deleted > 0) THEN
        DELETE FROM core.campaign_closeout;
    END IF;
END
$$;
COMMENT ON FUNCTION etl.reopen_after_merge IS 'Campaigns that changed themselves; all of them if a rate did, or after a full read.';

CREATE PROCEDURE core.close_finished_campaigns(as_of date, INOUT closed integer DEFAULT 0)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    -- One pass over the facts for all campaigns that are due; usually that is none, or a few.
    finished CURSOR FOR
        WITH due AS MATERIALIZED (
            SELECT c.campaign_id, c.end_date FROM core.dim_campaign AS c
            WHERE (c.status = 'finished' OR c.end_date < as_of) AND c.campaign_id > 0
                AND NOT EXISTS (SELECT FROM core.campaign_closeout AS o WHERE o.campaign_id = c.campaign_id)),
        spend AS (
            SELECT d.campaign_id, sum(d.impressions) AS impressions, sum(d.clicks) AS clicks,
                sum(d.conversions) AS conversions, sum(d.cost * x.usd_per_unit) AS cost_usd
            FROM due JOIN core.fact_ad_daily AS d USING (campaign_id)
            LEFT JOIN core.exchange_rate AS x
                ON x.currency = d.currency AND x.month = date_trunc('month', d.day)::date
            GROUP BY d.campaign_id),
        interest AS (
            SELECT l.campaign_id, count(*) AS leads
            FROM due JOIN core.fact_lead AS l USING (campaign_id) GROUP BY l.campaign_id),
        revenue AS (
            SELECT s.campaign_id, sum(s.net_amount * x.usd_per_unit) AS revenue_usd
            FROM due JOIN core.fact_sale AS s USING (campaign_id)
            LEFT JOIN core.exchange_rate AS x
                ON x.currency = s.currency AND x.month = date_trunc('month', s.sold_on)::date
            WHERE s.status = 'completed' GROUP BY s.campaign_id)
        SELECT due.campaign_id, due.end_date, coalesce(impressions, 0) AS impressions, coalesce(clicks, 0) AS clicks,
            coalesce(conversions, 0) AS conversions, coalesce(cost_usd, 0) AS cost_usd, coalesce(leads, 0) AS leads,
            coalesce(revenue_usd, 0) AS revenue_usd
        FROM due LEFT JOIN spend USING (campaign_id) LEFT JOIN interest USING (campaign_id)
        LEFT JOIN revenue USING (campaign_id)
        ORDER BY due.campaign_id;
    books record;
BEGIN
    closed := 0;
    OPEN finished;
    LOOP
        FETCH finished INTO books;
        EXIT WHEN NOT FOUND;
        INSERT INTO core.campaign_closeout (campaign_id, ended_on, impressions, clicks, conversions, cost_usd,
            leads, revenue_usd)
        VALUES (books.campaign_id, books.end_date, books.impressions, books.clicks, books.conversions,
            books.cost_usd, books.leads, books.revenue_usd);
        closed := closed + 1;
    END LOOP;
    CLOSE finished;
END
$$;
COMMENT ON PROCEDURE core.close_finished_campaigns IS
    'Walks a cursor over campaigns that are finished, or past their last day on as_of, and not closed. Amounts without an exchange rate for their month count as 0.';
RESET ROLE;
