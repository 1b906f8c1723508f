//! Whether two loads hold the same.

use sqlx::{AssertSqlSafe, PgPool};

use super::{DemoError, copy::Table, database, tables};
use crate::sources::Sources;

/// The contents of a table, in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSum {
    /// With its schema.
    pub table: &'static str,
    /// How many rows.
    pub rows: i64,
    /// Sum over the rows of 60 bits of the MD5 of each row's text, whatever their order.
    pub checksum: String,
}

/// Every table of both sources. Envelopes, which never repeat, and change markers are left out; the
/// keyed hash of the email is not, so two loads are equal under the same keyring only.
pub async fn checksum(sources: &Sources) -> Result<Vec<TableSum>, DemoError> {
    let mut sums = Vec::new();
    for table in [
        &tables::CHANNELS,
        &tables::MARKETS,
        &tables::AUDIENCES,
        &tables::CAMPAIGNS,
        &tables::CAMPAIGN_CONTENT,
        &tables::ADS,
        &tables::AD_DAILY,
        &tables::REACTIONS,
    ] {
        sums.push(of(&sources.ads, table).await?);
    }
    for table in [
        &tables::PRODUCTS,
        &tables::EXCHANGE_RATES,
        &tables::CUSTOMERS,
        &tables::LEADS,
        &tables::INTERACTIONS,
        &tables::OPPORTUNITIES,
        &tables::SALES,
        &tables::SALE_LINES,
        &tables::SUBSCRIPTIONS,
    ] {
        sums.push(of(&sources.crm, table).await?);
    }
    Ok(sums)
}

async fn of(pool: &PgPool, table: &Table) -> Result<TableSum, DemoError> {
    // Its one variable part is a name written in this program.
    let statement = include_str!("checksum/of.sql").replace("{table}", table.name);
    let (rows, checksum) = sqlx::query_as(AssertSqlSafe(statement))
        .fetch_one(pool)
        .await
        .map_err(database("add up a table"))?;
    Ok(TableSum {
        table: table.name,
        rows,
        checksum,
    })
}
