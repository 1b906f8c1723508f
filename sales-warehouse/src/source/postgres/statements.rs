//! Statements over the source's tables. `COPY` takes no parameters, so they are put together here, out of
//! names that stand in [`crate::source::Table`] and nothing else; the watermark is a setting.

use crate::source::{Rows, System, Table};

const SINCE: &str = "change_txid >= current_setting('warehouse.watermark')::xid8";

/// One row: `epoch`, `next`, `as_of`.
pub fn facts(schema: &str) -> String {
    format!(
        "SELECT epoch, pg_snapshot_xmin(pg_current_snapshot())::text AS next, now() AS as_of \
         FROM {schema}.epoch"
    )
}

/// Changed rows of a table.
pub fn rows(system: System, table: &Table) -> String {
    match table.rows {
        Rows::Joined(statement) => format!("COPY ({statement}) TO STDOUT"),
        Rows::Plain => {
            let columns: Vec<&str> = table
                .relation
                .columns
                .iter()
                .map(|(name, _)| *name)
                .collect();
            format!(
                "COPY (SELECT {} FROM {}.{} WHERE {SINCE}) TO STDOUT",
                columns.join(", "),
                system.schema(),
                table.relation.name
            )
        }
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
    format!("COPY ({}) TO STDOUT", of_tables.join(" UNION "))
}

fn of(schema: &str, system: System, table: &Table) -> String {
    let name = table.relation.name;
    let same_key: Vec<String> = table
        .key
        .iter()
        .map(|(column, kind)| format!("r.{column} = (t.pk->>'{column}')::{kind}"))
        .collect();
    format!(
        "SELECT '{system}', t.table_name, t.pk FROM {schema}.tombstones AS t \
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
