//! The least that a load has to do which leaves the warehouse's keys behind: its own rows, finished, copied into
//! tables that get keys, indexes and foreign keys once the rows are there. No source is read, nothing is looked up,
//! checked against the sources or added up. Two connections share the work.

use std::{
    collections::VecDeque,
    fs::File,
    io::{BufWriter, Write as _},
    sync::{Mutex, PoisonError},
    time::Instant,
};

use futures::TryStreamExt as _;
use sqlx::{Connection as _, FromRow, PgConnection};
use tempfile::TempDir;
use tokio::try_join;

use crate::{
    copy::{execute, send},
    scene::Scene,
};

/// A table that holds rows (of a partitioned one, a month), and statements for its twin.
#[derive(Debug, FromRow)]
struct Table {
    name: String,
    /// Keys and indexes.
    keys: Vec<String>,
    /// Foreign keys, without looking at the rows; [`Table::checks`] looks.
    foreign_keys: Vec<String>,
    checks: Vec<String>,
}

/// Copies the newest warehouse's rows and says how many seconds it took.
pub async fn copy(scene: &Scene) -> anyhow::Result<f64> {
    let url = scene.databases().warehouse;
    let (mut one, mut other) = try_join!(PgConnection::connect(&url), PgConnection::connect(&url))?;
    for connection in [&mut one, &mut other] {
        execute(connection, "set maintenance_work_mem = '256MB'").await?;
    }
    let tables: Vec<Table> = sqlx::query_as(include_str!("keyed/tables.sql"))
        .fetch_all(&mut one)
        .await?;
    let files = TempDir::new()?;
    execute(&mut one, "create schema keyed").await?;
    for table in &tables {
        let name = &table.name;
        write_rows(&mut one, name, &files).await?;
        let twin = format!("create table keyed.{name} (like core.{name} including constraints)");
        execute(&mut one, &twin).await?;
    }
    execute(&mut one, "checkpoint").await?;

    let begun = Instant::now();
    let queue = Queue::new(&tables);
    try_join!(
        fill(&mut one, &queue, &files),
        fill(&mut other, &queue, &files)
    )?;
    // Adding one shuts others out of both tables for a moment, so that two connections would wait for each other.
    for foreign_key in tables.iter().flat_map(|table| &table.foreign_keys) {
        execute(&mut one, foreign_key).await?;
    }
    let queue = Queue::new(tables.iter().flat_map(|table| &table.checks));
    try_join!(check(&mut one, &queue), check(&mut other, &queue))?;
    let seconds = begun.elapsed().as_secs_f64();

    execute(&mut one, "drop schema keyed cascade").await?;
    execute(&mut one, "checkpoint").await?;
    try_join!(one.close(), other.close())?;
    Ok(seconds)
}

/// What is left to do, for whichever connection is free.
struct Queue<'a, T>(Mutex<VecDeque<&'a T>>);

impl<'a, T> Queue<'a, T> {
    fn new(all: impl IntoIterator<Item = &'a T>) -> Self {
        Self(Mutex::new(all.into_iter().collect()))
    }

    fn next(&self) -> Option<&'a T> {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        left.pop_front()
    }
}

async fn fill(
    connection: &mut PgConnection,
    tables: &Queue<'_, Table>,
    files: &TempDir,
) -> anyhow::Result<()> {
    while let Some(table) = tables.next() {
        let statement = format!("copy keyed.{} from stdin (format binary)", table.name);
        let rows = File::open(files.path().join(&table.name))?;
        send(connection, &statement, rows).await?;
        for key in &table.keys {
            execute(connection, key).await?;
        }
    }
    Ok(())
}

async fn check(connection: &mut PgConnection, checks: &Queue<'_, String>) -> anyhow::Result<()> {
    while let Some(statement) = checks.next() {
        execute(connection, statement).await?;
    }
    Ok(())
}

async fn write_rows(
    connection: &mut PgConnection,
    name: &str,
    files: &TempDir,
) -> anyhow::Result<()> {
    let mut file = BufWriter::new(File::create(files.path().join(name))?);
    let statement = format!("copy core.{name} to stdout (format binary)");
    let mut rows = connection.copy_out_raw(&statement).await?;
    while let Some(chunk) = rows.try_next().await? {
        file.write_all(&chunk)?;
    }
    drop(rows);
    file.flush()?;
    Ok(())
}
