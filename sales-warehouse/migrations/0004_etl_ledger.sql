SET LOCAL ROLE warehouse_owner;

CREATE TABLE etl.watermarks (
    source text PRIMARY KEY,
    epoch text NOT NULL,
    watermark xid8 NOT NULL,
    as_of timestamptz NOT NULL,
    read_all boolean NOT NULL DEFAULT false,
    run_id bigint NOT NULL
);
COMMENT ON TABLE etl.watermarks IS
    'Grain: one source. Written in the transaction that merges its rows, so that both are true or neither.';
COMMENT ON COLUMN etl.watermarks.watermark IS
    'The next read takes every row whose change_txid is not below it. The oldest transaction that was open when the last read began: rows above it that were visible already are read once more, and the merge changes nothing.';
COMMENT ON COLUMN etl.watermarks.as_of IS 'The source''s clock when its snapshot was taken: how fresh the data is.';
COMMENT ON COLUMN etl.watermarks.read_all IS 'The next read takes everything, as for a new epoch.';

CREATE TABLE etl.runs (
    run_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    status text NOT NULL DEFAULT 'running'
        CHECK (status IN ('running', 'succeeded', 'failed', 'skipped', 'interrupted')),
    marts_refreshed boolean NOT NULL DEFAULT false,
    campaigns_closed integer NOT NULL DEFAULT 0,
    message text
);
COMMENT ON TABLE etl.runs IS 'Grain: one try to bring the warehouse level with its sources.';
COMMENT ON COLUMN etl.runs.status IS
    'failed: at least one source did not make it. skipped: another run was at work. interrupted: it ended without saying so; found by the next.';

CREATE TABLE etl.source_runs (
    run_id bigint NOT NULL REFERENCES etl.runs,
    source text NOT NULL,
    status text NOT NULL CHECK (status IN ('succeeded', 'failed')),
    read_all boolean NOT NULL DEFAULT false,
    as_of timestamptz,
    duration_ms bigint NOT NULL,
    rows_read bigint NOT NULL DEFAULT 0,
    inserted bigint NOT NULL DEFAULT 0,
    updated bigint NOT NULL DEFAULT 0,
    deleted bigint NOT NULL DEFAULT 0,
    quarantined bigint NOT NULL DEFAULT 0,
    reconciled boolean,
    notices text[] NOT NULL DEFAULT '{}',
    error text,
    PRIMARY KEY (run_id, source)
);
COMMENT ON TABLE etl.source_runs IS 'Grain: one source in one run. Counts are rows; the sums of etl.table_runs.';
COMMENT ON COLUMN etl.source_runs.reconciled IS
    'Whether counts and sums of every table that changed agree with the source''s; null if nothing changed.';
COMMENT ON COLUMN etl.source_runs.notices IS 'What a person should know and that stops nothing, as a new column.';

CREATE TABLE etl.table_runs (
    run_id bigint NOT NULL,
    target text NOT NULL,
    source text NOT NULL,
    rows_read bigint NOT NULL,
    inserted bigint NOT NULL,
    updated bigint NOT NULL,
    deleted bigint NOT NULL,
    quarantined bigint NOT NULL,
    source_rows bigint,
    core_rows bigint,
    rejected_rows bigint,
    source_sum numeric,
    core_sum numeric,
    rejected_sum numeric,
    merge_ms bigint,
    PRIMARY KEY (run_id, target)
);
COMMENT ON TABLE etl.table_runs IS
    'Grain: one table of core in one run that staged something for it. Reconciliation: source_rows = core_rows + rejected_rows, and the same of the sums (of the table''s measure, see etl.targets).';

CREATE TABLE etl.quarantine (
    target text NOT NULL,
    key jsonb NOT NULL,
    source text NOT NULL,
    reasons text[] NOT NULL,
    rejected boolean NOT NULL,
    payload jsonb NOT NULL,
    measure numeric,
    run_id bigint NOT NULL,
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (target, key)
);
COMMENT ON TABLE etl.quarantine IS
    'Grain: one source row that breaks a rule now. It leaves when the row is mended or deleted at the source; a row whose parent was missing is tried again at every run.';
COMMENT ON COLUMN etl.quarantine.reasons IS
    'unknown-currency, negative-money, negative-count, date-out-of-range, value-out-of-range, text-too-long, missing-parent.';
COMMENT ON COLUMN etl.quarantine.rejected IS
    'true: core does not have the row. false: a dimension''s row, which its facts need; core has it with the offending values null (or cut to length).';
COMMENT ON COLUMN etl.quarantine.payload IS 'The row as it came, texts cut to 200 characters unless it waits for a parent.';

COMMENT ON COLUMN etl.table_runs.merge_ms IS 'Of the source''s duration: merging this table, deletions apart.';

-- 90 days of runs. What the marts lag behind is told by the newest run that refreshed them, so that one stays.
CREATE FUNCTION etl.prune_ledger(keep interval DEFAULT interval '90 days') RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    first_kept bigint;
    pruned bigint;
BEGIN
    IF keep < interval '1 day' THEN
        RAISE EXCEPTION 'the ledger of less than a day is not kept: expected an interval of 1 day or more';
    END IF;
    SELECT least(
        (SELECT min(run_id) FROM etl.runs WHERE started_at >= now() - keep),
        (SELECT max(run_id) FROM etl.runs),
        (SELECT max(run_id) FROM etl.runs WHERE marts_refreshed)) INTO first_kept;
    DELETE FROM etl.table_runs WHERE run_id < first_kept;
    DELETE FROM etl.source_runs WHERE run_id < first_kept;
    DELETE FROM etl.runs WHERE run_id < first_kept;
    GET DIAGNOSTICS pruned = ROW_COUNT;
    RETURN pruned;
END
$$;
COMMENT ON FUNCTION etl.prune_ledger IS 'Forgets runs that began longer ago. Returns how many.';

-- What the merge needs to know of each table of core, in the order in which it fills them.
CREATE TABLE etl.targets (
    target text PRIMARY KEY,
    source text NOT NULL,
    ordinal smallint NOT NULL UNIQUE,
    key text[] NOT NULL,
    date_column text,
    landing_day text,
    landing text,
    tombstones text,
    keep text NOT NULL DEFAULT 'true',
    measure text
);
COMMENT ON TABLE etl.targets IS 'Grain: one table of core that is filled from a source. Written by migrations only.';
COMMENT ON COLUMN etl.targets.date_column IS 'Business date by which it is partitioned; null for dimensions.';
COMMENT ON COLUMN etl.targets.landing_day IS 'Expression over l, a landing row: the business date.';
COMMENT ON COLUMN etl.targets.landing IS 'Its landing table in staging; null if it is derived from others''.';
COMMENT ON COLUMN etl.targets.tombstones IS 'The source''s table whose deletions are its deletions.';
COMMENT ON COLUMN etl.targets.keep IS 'Condition over f of rows that the source may delete: not our own members.';
COMMENT ON COLUMN etl.targets.measure IS 'Column that reconciliation adds up.';
INSERT INTO etl.targets (ordinal, source, target, key, date_column, landing_day, landing, tombstones, keep, measure) VALUES
    (1, 'promptads', 'dim_channel', '{channel_code}', NULL, NULL, 'ads_channels', 'channels',
        'f.channel_code NOT IN (''none'', ''unknown'')', NULL),
    (2, 'promptads', 'dim_market', '{market_code}', NULL, NULL, 'ads_markets', 'markets', 'f.market_code <> ''??''', NULL),
    (3, 'promptads', 'dim_audience', '{audience_id}', NULL, NULL, 'ads_audiences', 'audiences', 'true', NULL),
    (4, 'promptads', 'dim_campaign', '{campaign_id}', NULL, NULL, 'ads_campaigns', 'campaigns', 'f.campaign_id > 0', NULL),
    (5, 'promptads', 'dim_content', '{content_id}', NULL, NULL, NULL, NULL, 'true', NULL),
    (6, 'promptads', 'dim_ad', '{ad_id}', NULL, NULL, 'ads_ads', 'ads', 'true', NULL),
    (7, 'promptads', 'fact_content_use', '{campaign_id,content_id}', 'first_used_on', 'l.first_used_on', 'ads_campaign_content',
        'campaign_content', 'true', NULL),
    (8, 'promptads', 'fact_ad_daily', '{ad_id,day}', 'day', 'l.day', 'ads_ad_daily', 'ad_daily', 'true', 'cost'),
    (9, 'promptads', 'fact_reaction', '{ad_id,day,kind}', 'day', 'l.day', 'ads_reactions', 'reactions', 'true', 'reactions'),
    (11, 'promptcrm', 'exchange_rate', '{currency,month}', NULL, NULL, 'crm_exchange_rates', 'exchange_rates', 'true',
        'usd_per_unit'),
    (12, 'promptcrm', 'dim_customer', '{customer_id}', NULL, NULL, 'crm_customers', 'customers', 'true', NULL),
    (13, 'promptcrm', 'dim_product', '{product_id}', NULL, NULL, 'crm_products', 'products', 'true', NULL),
    (14, 'promptcrm', 'fact_lead', '{lead_id}', 'created_on', 'etl.utc_day(l.created_at)', 'crm_leads', 'leads', 'true', 'score'),
    (15, 'promptcrm', 'fact_interaction', '{interaction_id}', 'occurred_on', 'etl.utc_day(l.occurred_at)', 'crm_interactions', 'interactions',
        'true', 'response_seconds'),
    (16, 'promptcrm', 'fact_opportunity', '{opportunity_id}', 'created_on', 'etl.utc_day(l.created_at)', 'crm_opportunities', 'opportunities',
        'true', 'amount'),
    (17, 'promptcrm', 'fact_sale', '{sale_id,line_no}', 'sold_on', 'etl.utc_day(l.sold_at)', 'crm_sale_lines', 'sale_lines', 'true',
        'net_amount'),
    (18, 'promptcrm', 'fact_subscription', '{subscription_id}', 'started_on', 'l.started_on', 'crm_subscriptions', 'subscriptions',
        'true', 'monthly_price');
RESET ROLE;
