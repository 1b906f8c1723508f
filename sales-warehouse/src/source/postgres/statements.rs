//! Statements over the source's tables. `COPY` takes no parameters, so they are put together here, out of
//! names that stand in [`crate::source::Table`] and nothing else; the watermark is a setting.

use crate::source::{Rows, System, Table, Watermark};

const SINCE: &str = "change_txid >= current_setting('warehouse.watermark')::xid8";

/// One row: `epoch`, `next`, `complete_from`, `as_of`.
pub fn facts(schema: &str) -> String {
    format!(
        "SELECT epoch, pg_snapshot_xmin(pg_current_snapshot())::text AS next, \
         complete_from::text, now() AS as_of FROM {schema}.epoch"
    )
}

/// Keeps those of the system's tables that exist as they are until the transaction ends. Run before its
/// snapshot is taken: `TRUNCATE` is not seen by snapshots, so one that commits between snapshot and read would
/// show an empty table in place of what the snapshot holds.
pub fn lock(system: System, existing: &[&str]) -> Option<String> {
    let names: Vec<String> = existing
        .iter()
        .map(|name| format!("{}.{name}", system.schema()))
        .collect();
    (!names.is_empty()).then(|| format!("LOCK TABLE {} IN ACCESS SHARE MODE", names.join(", ")))
}

/// Rows of a table that changed since; all of them from the start.
pub fn rows(system: System, table: &Table, since: Watermark) -> String {
    let (select, changed) = match table.rows {
        Rows::Joined { all, changed } => (all.to_owned(), changed.to_owned()),
        Rows::Plain => {
            let columns: Vec<&str> = table
                .relation
                .columns
                .iter()
                .map(|(name, _)| *name)
                .collect();
            let (schema, name) = (system.schema(), table.relation.name);
            (
                format!("SELECT {} FROM {schema}.{name}", columns.join(", ")),
                format!("WHERE {SINCE}"),
            )
        }
    };
    if since == Watermark::START {
        format!("COPY ({select}) TO STDOUT (FORMAT binary)")
    } else {
        format!("COPY ({select}\n{changed}) TO STDOUT (FORMAT binary)")
    }
}

/// Tombstones of every table whose key does not exist any more.
pub fn tombstones(system: System) -> String {
    let schema = system.schema();
    let of_tables: Vec<String> = system
        .tables()
        .iter()
        .map(|table| of(schema, system, table))
        .collect();
    format!(
        "COPY ({}) TO STDOUT (FORMAT binary)",
        of_tables.join(" UNION ")
    )
}

fn of(schema: &str, system: System, table: &Table) -> String {
    let name = table.relation.name;
    let same_key: Vec<String> = table
        .key
        .iter()
        .map(|(column, kind)| format!("r.{column} = (t.pk->>'{column}')::{kind}"))
        .collect();
    format!(
        "SELECT '{system}'::text, t.table_name, t.pk FROM {schema}.tombstones AS t \
         WHERE t.table_name = '{name}' AND t.{SINCE} \
         AND NOT EXISTS (SELECT FROM {schema}.{name} AS r WHERE {})",
        same_key.join(" AND ")
    )
}

/// One row: how many, and the sum of the measure.
pub fn totals(system: System, table: &Table) -> String {
    format!(
        "SELECT count(*), coalesce(sum({}), 0)::text FROM {}.{}",
        table.measure.unwrap_or("0"),
        system.schema(),
        table.relation.name
    )
}
