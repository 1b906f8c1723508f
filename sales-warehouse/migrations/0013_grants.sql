SET LOCAL ROLE warehouse_owner;

-- Nothing by default: functions are everybody's unless that is taken back.
REVOKE ALL ON ALL ROUTINES IN SCHEMA etl, core, audit FROM PUBLIC;

-- The ETL changes rows and never tables. The audit trail is not its to read or write, status history and
-- closed books are written by trigger and procedure.
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA staging TO warehouse_etl;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA core TO warehouse_etl;
REVOKE INSERT, UPDATE, DELETE ON core.dim_date, core.dim_currency, core.campaign_status_history FROM warehouse_etl;
REVOKE INSERT, UPDATE ON core.campaign_closeout FROM warehouse_etl;
GRANT SELECT, INSERT, UPDATE ON etl.watermarks, etl.runs, etl.source_runs, etl.table_runs TO warehouse_etl;
GRANT SELECT, INSERT, UPDATE, DELETE ON etl.quarantine TO warehouse_etl;
GRANT SELECT ON etl.targets TO warehouse_etl;
GRANT SELECT ON ALL TABLES IN SCHEMA marts TO warehouse_etl;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA etl TO warehouse_etl;
GRANT EXECUTE ON PROCEDURE core.close_finished_campaigns TO warehouse_etl;

-- Readers see core and marts, but no hash that joins customers across systems, and how the data came.
GRANT SELECT ON ALL TABLES IN SCHEMA core, marts TO warehouse_reader;
REVOKE SELECT ON core.dim_customer FROM warehouse_reader;
GRANT SELECT (customer_id, kind, lifecycle, segment, country, language, company_size, industry, age_band,
    marketing_consent, created_on) ON core.dim_customer TO warehouse_reader;
GRANT SELECT ON etl.watermarks, etl.runs, etl.source_runs, etl.table_runs, etl.targets TO warehouse_reader;
GRANT SELECT ON etl.quarantine TO warehouse_reader;

-- Quarantined rows stand as they came. Readers see those of campaigns and ads; customers' are for the ETL.
ALTER TABLE etl.quarantine ENABLE ROW LEVEL SECURITY;
CREATE POLICY etl_sees_all ON etl.quarantine TO warehouse_etl USING (true) WITH CHECK (true);
CREATE POLICY readers_see_no_customers ON etl.quarantine FOR SELECT TO warehouse_reader
    USING (source = 'promptads');
RESET ROLE;
