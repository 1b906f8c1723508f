//! How long the ETL takes, against a bare `COPY` of the same bytes. For contributors:
//!
//! ```text
//! cargo run --release -p sales-warehouse --example etl_speed -- postgres://postgres@localhost 1000 5000 500000
//! ```
//!
//! takes a superuser's URL of a server, and how many finished campaigns, active campaigns and customers
//! there shall be. It fills the databases `etl_speed_ads` and `etl_speed_crm` unless they are filled
//! already, makes `etl_speed_warehouse` anew, and prints one line a figure.

#![allow(clippy::print_stdout, reason = "a tool whose output is its purpose")]
#![allow(clippy::unwrap_used, reason = "a tool for contributors: a panic tells")]

use std::{env, fs, sync::Arc, time::Instant};

use futures::StreamExt;
use sales_warehouse::{
    Warehouse,
    demo::{self, DemoError, Existing, LoadPlan},
    etl::{self, RunReport, SourceConfig},
    pii::Keyring,
    source::System,
    sources::Sources,
    verify::verify,
};
use service_kit::Clock;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

const NAMES: [&str; 3] = ["etl_speed_ads", "etl_speed_crm", "etl_speed_warehouse"];

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [server, sizes @ ..] = &arguments[..] else {
        println!("expected: <server's URL> [<finished> <active> <customers>]");
        return;
    };
    let size = |at: usize, otherwise| sizes.get(at).map_or(otherwise, |s| s.parse().unwrap());
    let today = Clock::system().now().date();
    let plan = LoadPlan {
        campaigns_finished: size(0, 1_000),
        campaigns_active: size(1, 5_000),
        customers: size(2, 500_000),
        ..LoadPlan::full(7, today)
    };
    let urls = NAMES.map(|name| with_database(server, name));
    let mut admin = PgConnection::connect(server).await.unwrap();
    execute(
        &mut admin,
        "DROP DATABASE IF EXISTS etl_speed_warehouse WITH (FORCE)",
    )
    .await;
    for name in NAMES {
        let create = AssertSqlSafe(format!("CREATE DATABASE {name} TEMPLATE template0"));
        drop(sqlx::query(create).execute(&mut admin).await);
    }
    let sources = Sources::connect(&urls[0].clone().into(), &urls[1].clone().into())
        .await
        .unwrap();
    let keyring = Arc::new(Keyring::generate().unwrap());
    let begun = Instant::now();
    match demo::load(&sources, &keyring, &plan, Existing::Refuse, &|_| {}).await {
        Ok(loaded) => say("sources loaded", begun, &format!("{} rows", loaded.rows())),
        Err(DemoError::NotEmpty { .. }) => {}
        Err(error) => panic!("{error:?}"),
    }
    for pool in [&sources.ads, &sources.crm] {
        sqlx::query("VACUUM ANALYZE").execute(pool).await.unwrap();
    }
    let warehouse = Warehouse::connect(&urls[2].clone().into()).await.unwrap();
    warehouse.migrate().await.unwrap();
    let configs: Vec<SourceConfig> = System::ALL
        .into_iter()
        .zip(&urls)
        .map(|(system, url)| SourceConfig {
            system,
            url: url.clone().into(),
        })
        .collect();

    execute(&mut admin, "CHECKPOINT").await;
    let initial = run("initial load", &warehouse, &configs).await;
    let rows = f64::from(u32::try_from(read(&initial)).unwrap());
    let whole = initial.duration_ms as f64 / 1e3;
    let merged = initial.sources.iter().map(|s| s.duration_ms).sum::<u64>() as f64 / 1e3;
    println!("    of which into core     {merged:.2} s");
    merges(&urls[2]).await;
    for format in ["text", "binary"] {
        execute(&mut admin, "CHECKPOINT").await;
        let bare = bare_copy(&urls[2], format).await;
        println!(
            "    initial load           {:.2}x its rate, {:.2}x into core",
            bare / whole,
            bare / merged
        );
    }
    run("empty tick", &warehouse, &configs).await;
    if env::var("ONLY_FIRST").is_ok() {
        return;
    }
    // A statement of demo::tick writes about 1.1 rows for one that it is asked for.
    for seed in 0..2 {
        let now = Clock::system().now();
        let ticked = demo::tick(&sources, &keyring, (rows / 110.0) as u64, seed, now)
            .await
            .unwrap();
        println!("changed at the sources     {} rows", ticked.rows());
        run("delta tick", &warehouse, &configs).await;
        merges(&urls[2]).await;
        run("empty tick", &warehouse, &configs).await;
    }
    if env::var("VERIFY").is_ok() {
        let begun = Instant::now();
        let verification = verify(&warehouse, &configs).await.unwrap();
        say("verify", begun, &format!("equal: {}", verification.equal));
    }
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    for line in status.lines().filter(|line| line.starts_with("VmHWM")) {
        println!("memory of this process     {line}");
    }
}

async fn run(name: &str, warehouse: &Warehouse, configs: &[SourceConfig]) -> RunReport {
    let begun = Instant::now();
    let report = etl::run_once(warehouse, configs).await.unwrap();
    let sources: Vec<String> = report
        .sources
        .iter()
        .map(|s| {
            format!(
                "{} {} ms, {} read, {}+ {}~ {}-, agrees {:?} {}",
                s.source,
                s.duration_ms,
                s.rows_read,
                s.inserted,
                s.updated,
                s.deleted,
                s.reconciled,
                s.error.as_deref().unwrap_or_default()
            )
        })
        .collect();
    say(name, begun, &sources.join("; "));
    report
}

fn read(report: &RunReport) -> i64 {
    report.sources.iter().map(|source| source.rows_read).sum()
}

/// Prints which tables of the last run took longest to merge.
async fn merges(url: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let query = "SELECT target, merge_ms FROM etl.table_runs \
        WHERE run_id = (SELECT max(run_id) FROM etl.runs) AND merge_ms > 100 ORDER BY 2 DESC";
    let tables: Vec<(String, i64)> = sqlx::query_as(query)
        .fetch_all(&mut connection)
        .await
        .unwrap();
    let tables: Vec<_> = tables.iter().map(|(t, ms)| format!("{t} {ms}")).collect();
    println!("    merges, ms             {}", tables.join(", "));
}

/// Seconds that `COPY` takes for what a first run read, a table at a time into an unindexed one. The rows still
/// lie in staging. `format` is `COPY`'s.
async fn bare_copy(url: &str, format: &str) -> f64 {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let (mut seconds, mut bytes) = (0.0, 0);
    for table in System::ALL.into_iter().flat_map(System::tables) {
        let (landing, bare) = (table.landing, format!("public.bare_{}", table.landing));
        let copy = format!("COPY staging.{landing} TO STDOUT (FORMAT {format})");
        let mut rows = connection.copy_out_raw(&copy).await.unwrap();
        let mut all = Vec::new();
        while let Some(chunk) = rows.next().await {
            all.extend_from_slice(&chunk.unwrap());
        }
        drop(rows);
        let create = format!("CREATE TABLE {bare} (LIKE staging.{landing})");
        execute(&mut connection, &create).await;
        let begun = Instant::now();
        let copy = format!("COPY {bare} FROM STDIN (FORMAT {format})");
        let mut sink = connection.copy_in_raw(&copy).await.unwrap();
        for chunk in all.chunks(64 * 1024) {
            sink.send(chunk).await.unwrap();
        }
        sink.finish().await.unwrap();
        seconds += begun.elapsed().as_secs_f64();
        bytes += all.len();
        execute(&mut connection, &format!("DROP TABLE {bare}")).await;
    }
    let name = format!("bare copy, {format}");
    println!("{name:<26} {seconds:.2} s, {} MB", bytes / 1_000_000);
    seconds
}

fn say(name: &str, begun: Instant, what: &str) {
    println!("{name:<26} {:.2} s, {what}", begun.elapsed().as_secs_f64());
}

async fn execute(connection: &mut PgConnection, statement: &str) {
    sqlx::query(AssertSqlSafe(statement.to_owned()))
        .execute(connection)
        .await
        .unwrap();
}

/// The server's URL, whatever database it names, with another's name.
fn with_database(server: &str, name: &str) -> String {
    let (rest, query) = server.split_once('?').unwrap_or((server, ""));
    let authority = rest.find("://").map_or(0, |at| at + 3);
    let end = rest[authority..]
        .find('/')
        .map_or(rest.len(), |slash| authority + slash);
    format!("{}/{name}?{query}", &rest[..end])
}
