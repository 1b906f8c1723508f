//! A bare COPY of the bytes that the ETL reads: each table's rows into one table without an index.

use std::{
    fs::File,
    io::{BufWriter, Read as _, Seek as _, SeekFrom, Write as _},
    time::Instant,
};

use futures::TryStreamExt as _;
use sales_warehouse::source::{Rows, Table, Watermark};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::scene::Scene;

const CHUNK: usize = 1 << 16;

/// What the sources send for a first read, kept in files.
pub struct Bytes {
    tables: Vec<(&'static Table, File)>,
    /// Bytes of all tables.
    pub bytes: u64,
}

impl Bytes {
    /// Reads every source as the ETL does.
    pub async fn read(scene: &Scene) -> anyhow::Result<Self> {
        let mut all = Self {
            tables: Vec::new(),
            bytes: 0,
        };
        for config in scene.databases().sources() {
            let mut snapshot = config.source().open(Watermark::START).await?;
            for table in config.system().tables() {
                let mut file = BufWriter::new(tempfile::tempfile()?);
                let mut rows = snapshot.rows(table, Watermark::START).await?;
                while let Some(chunk) = rows.try_next().await? {
                    all.bytes += chunk.len() as u64;
                    file.write_all(&chunk)?;
                }
                drop(rows);
                all.tables.push((table, file.into_inner()?));
            }
        }
        Ok(all)
    }

    /// Copies them into new tables of the warehouse's database and drops these again. Says how many seconds
    /// the copying took: one connection, one transaction for each table, durable.
    pub async fn copy(&self, scene: &Scene) -> anyhow::Result<f64> {
        let mut connection = PgConnection::connect(&scene.databases().warehouse).await?;
        execute(&mut connection, "create schema bare").await?;
        for (table, _) in &self.tables {
            let landing = table.landing;
            let statement = format!("create table bare.{landing} (like staging.{landing})");
            execute(&mut connection, &statement).await?;
        }
        execute(&mut connection, "checkpoint").await?;
        let begun = Instant::now();
        for (table, file) in &self.tables {
            copy_file(&mut connection, table, file.try_clone()?).await?;
        }
        let seconds = begun.elapsed().as_secs_f64();
        execute(&mut connection, "drop schema bare cascade").await?;
        execute(&mut connection, "checkpoint").await?;
        connection.close().await?;
        Ok(seconds)
    }
}

async fn copy_file(
    connection: &mut PgConnection,
    table: &Table,
    mut file: File,
) -> anyhow::Result<()> {
    file.seek(SeekFrom::Start(0))?;
    let columns = match table.rows {
        // Its statement lists the columns in the landing table's order.
        Rows::Joined { .. } => String::new(),
        Rows::Plain => {
            let names = table.relation.columns.iter().map(|(name, _)| *name);
            format!("({})", names.collect::<Vec<_>>().join(", "))
        }
    };
    let statement = format!(
        "copy bare.{} {columns} from stdin (format binary)",
        table.landing
    );
    send(connection, &statement, file).await
}

/// Sends a file's bytes, from where it stands, to a `COPY`.
pub async fn send(
    connection: &mut PgConnection,
    statement: &str,
    mut file: File,
) -> anyhow::Result<()> {
    let mut copy = connection.copy_in_raw(statement).await?;
    let mut chunk = vec![0; CHUNK];
    loop {
        let length = file.read(&mut chunk)?;
        if length == 0 {
            break;
        }
        copy.send(&chunk[..length]).await?;
    }
    copy.finish().await?;
    Ok(())
}

pub async fn execute(connection: &mut PgConnection, statement: &str) -> anyhow::Result<()> {
    sqlx::query(AssertSqlSafe(statement.to_owned()))
        .execute(connection)
        .await?;
    Ok(())
}
