-- How a reader finds what changed. Every table of this database carries:
--
--   change_txid  the transaction that wrote the row last: a default at insert, the trigger `mark_change` at
--                update, and at an insert that brings a marker of its own;
--   changed_at   when that happened, by this server's clock. For people and freshness only: a
--                transaction that commits late carries an early time, so nobody reads by it.
--
-- A reader that keeps a watermark takes, in one snapshot, change_txid >= :watermark; its next watermark is
-- pg_snapshot_xmin(pg_current_snapshot()). Whatever is below xmin has ended and was visible, so nothing
-- appears there later; what lies above may come a second time. A transaction left open, in any database of
-- the server, makes readers read more and never makes them miss.
CREATE SCHEMA crm;
COMMENT ON SCHEMA crm IS
    'PromptCrm, the operational database of customers and sales. Personal data stands in it encrypted. It takes what its applications write: keys hold, values are checked by whoever reads them.';

-- Deletes: a row is gone, its key stays here. A row that exists with change_txid >= the tombstone's was
-- put back, and is alive.
CREATE TABLE crm.tombstones (
    tombstone_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    table_name text NOT NULL,
    pk jsonb NOT NULL,
    change_txid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX tombstones_change ON crm.tombstones (change_txid);
CREATE INDEX tombstones_age ON crm.tombstones (changed_at);
COMMENT ON TABLE crm.tombstones IS
    'Grain: one deletion of one row. Filled by the triggers tombstone and tombstone_moved only.';
COMMENT ON COLUMN crm.tombstones.table_name IS 'Unqualified name of a table of this schema.';
COMMENT ON COLUMN crm.tombstones.pk IS
    'The primary key, column name to value, as in {"sale_id": 7, "line_no": 1}.';

-- TRUNCATE leaves no tombstones, and in another server transaction ids start anew. A reader that finds
-- another epoch than the one it knows reads everything again.
CREATE TABLE crm.source_epoch (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    epoch uuid NOT NULL DEFAULT gen_random_uuid(),
    complete_from xid8 NOT NULL DEFAULT '0',
    started_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO crm.source_epoch DEFAULT VALUES;
COMMENT ON TABLE crm.source_epoch IS 'One row, made anew by each TRUNCATE.';
COMMENT ON COLUMN crm.source_epoch.complete_from IS
    'A watermark from which on no tombstone was thrown away: who stands below it reads everything.';

CREATE VIEW crm.epoch AS
SELECT concat_ws('/', e.epoch, c.system_identifier, d.oid, CASE WHEN pg_is_in_recovery() THEN
        (SELECT lpad(to_hex(timeline_id), 8, '0') FROM pg_control_checkpoint())
        ELSE left(pg_walfile_name(pg_current_wal_lsn()), 8) END) AS epoch, e.complete_from
FROM crm.source_epoch AS e, pg_control_system() AS c, pg_database AS d
WHERE d.datname = current_database();
COMMENT ON VIEW crm.epoch IS
    'One row. While epoch is the same, change_txid and tombstones tell of every change; it differs after a TRUNCATE, in a database restored elsewhere, and on another timeline: after a recovery to a point in time, or a failover, transaction ids are used again.';

CREATE FUNCTION crm.mark_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.change_txid := pg_current_xact_id();
    NEW.changed_at := clock_timestamp();
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION crm.mark_change IS 'BEFORE UPDATE, each row: moves the change marker. BEFORE INSERT, if the row brought another.';

CREATE FUNCTION crm.leave_tombstone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO crm.tombstones (table_name, pk)
    SELECT TG_TABLE_NAME, jsonb_object_agg(gone.key, gone.value)
    FROM jsonb_each(to_jsonb(OLD)) AS gone
    WHERE gone.key = ANY (TG_ARGV);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm.leave_tombstone IS
    'AFTER DELETE, or UPDATE of the key, each row: keeps the old key. Arguments: the key''s columns.';

-- Tombstones are kept for 30 days. Deletions themselves clear up, every thousandth of them, so that nobody else
-- has to write here; a reader that was away for longer is told to read everything.
CREATE FUNCTION crm.prune_tombstones(keep interval DEFAULT interval '30 days') RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    newest xid8;
    pruned bigint;
BEGIN
    -- One at a time; whoever finds another at it leaves the rest to it.
    IF NOT pg_try_advisory_xact_lock(hashtext('promptsales tombstones of crm')) THEN
        RETURN 0;
    END IF;
    WITH gone AS (
        DELETE FROM crm.tombstones WHERE changed_at < clock_timestamp() - keep RETURNING change_txid)
    SELECT count(*), max(change_txid) INTO pruned, newest FROM gone;
    IF pruned > 0 THEN
        UPDATE crm.source_epoch
        SET complete_from = greatest(complete_from, (newest::text::numeric + 1)::text::xid8);
    END IF;
    RETURN pruned;
END
$$;
COMMENT ON FUNCTION crm.prune_tombstones IS 'Throws away older tombstones. Returns how many.';

CREATE FUNCTION crm.clear_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM crm.prune_tombstones();
    RETURN NULL;
END
$$;
CREATE TRIGGER clear_up AFTER INSERT ON crm.tombstones
    FOR EACH ROW WHEN (NEW.tombstone_id % 1000 = 0) EXECUTE FUNCTION crm.clear_up();

CREATE FUNCTION crm.begin_epoch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE crm.source_epoch SET epoch = gen_random_uuid(), started_at = clock_timestamp();
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm.begin_epoch IS 'AFTER TRUNCATE: tells readers to read everything again.';

-- Gives a table its marker's index and triggers. Called by migrations, with names that they write.
CREATE PROCEDURE crm.track_changes(tracked text, VARIADIC key text[]) LANGUAGE plpgsql AS $$
DECLARE
    columns text := (SELECT string_agg(quote_ident(c), ', ') FROM unnest(key) AS c);
    arguments text := (SELECT string_agg(quote_literal(c), ', ') FROM unnest(key) AS c);
    moved text := (SELECT string_agg(format('OLD.%1$I IS DISTINCT FROM NEW.%1$I', c), ' OR ')
                   FROM unnest(key) AS c);
BEGIN
    EXECUTE format('CREATE INDEX %I ON crm.%I (change_txid)', tracked || '_change', tracked);
    EXECUTE format('CREATE TRIGGER mark_change BEFORE UPDATE ON crm.%I
        FOR EACH ROW EXECUTE FUNCTION crm.mark_change()', tracked);
    EXECUTE format('CREATE TRIGGER mark_insert BEFORE INSERT ON crm.%I
        FOR EACH ROW WHEN (NEW.change_txid IS DISTINCT FROM pg_current_xact_id())
        EXECUTE FUNCTION crm.mark_change()', tracked);
    EXECUTE format('CREATE TRIGGER tombstone AFTER DELETE ON crm.%I
        FOR EACH ROW EXECUTE FUNCTION crm.leave_tombstone(%s)', tracked, arguments);
    EXECUTE format('CREATE TRIGGER tombstone_moved AFTER UPDATE OF %s ON crm.%I
        FOR EACH ROW WHEN (%s) EXECUTE FUNCTION crm.leave_tombstone(%s)',
        columns, tracked, moved, arguments);
    EXECUTE format('CREATE TRIGGER epoch AFTER TRUNCATE ON crm.%I
        FOR EACH STATEMENT EXECUTE FUNCTION crm.begin_epoch()', tracked);
    EXECUTE format('COMMENT ON COLUMN crm.%I.change_txid IS %L', tracked,
        'Transaction that wrote the row last: what delta readers read by.');
    EXECUTE format('COMMENT ON COLUMN crm.%I.changed_at IS %L', tracked,
        'When the row was written last, this server''s clock, UTC. Not for delta reading.');
END
$$;
