//! The subcommands that do not serve.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use sales_warehouse::{
    Warehouse,
    etl::{self, RunStatus, SourceConfig},
    source::System,
    sources::Sources,
    verify,
};
use service_kit::{CancellationToken, Clock, listen, with_causes};

use super::settings::WarehouseSettings;

/// The warehouse, if its schemas are there.
pub async fn connect(settings: &WarehouseSettings) -> anyhow::Result<Warehouse> {
    let warehouse = Warehouse::connect(&settings.url).await?;
    warehouse.check_schemas().await?;
    Ok(warehouse.with_run_limit(settings.run_limit))
}

/// One run. Its report goes to standard output, as one line of JSON.
pub async fn etl_once(
    settings: &WarehouseSettings,
    sources: &[SourceConfig],
) -> anyhow::Result<ExitCode> {
    let warehouse = connect(settings).await?;
    let report = tokio::select! {
        report = etl::run_once(&warehouse, sources) => report?,
        signal = listen::shutdown_signal() => {
            signal?;
            tracing::warn!("stopped in the middle of a run; the next one makes up for it");
            note_interrupted(&warehouse).await;
            return Ok(ExitCode::FAILURE);
        }
    };
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, &report)?;
    writeln!(out)?;
    for source in &report.sources {
        if let Some(error) = &source.error {
            tracing::error!(source = source.source, error, "a source is not in");
        }
    }
    Ok(if report.status == RunStatus::Failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Runs until SIGINT or SIGTERM.
pub async fn etl(
    settings: &WarehouseSettings,
    sources: &[SourceConfig],
) -> anyhow::Result<ExitCode> {
    let warehouse = connect(settings).await?;
    let (clock, stop) = (Clock::system(), CancellationToken::new());
    tokio::select! {
        () = etl::keep_running(&warehouse, sources, etl::EVERY, &stop) => {}
        () = etl::watch(&warehouse, etl::WATCH_EVERY, &clock, &stop) => {}
        signal = listen::shutdown_signal() => signal?,
    }
    note_interrupted(&warehouse).await;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Says in the ledger that a run which was dropped has ended; if that fails, the next run says it.
pub async fn note_interrupted(warehouse: &Warehouse) {
    if let Err(error) = etl::note_interrupted(warehouse).await {
        tracing::warn!(error = with_causes(&error), "the ledger cannot be told");
    }
}

/// The warehouse's schemas.
pub async fn migrate(settings: &WarehouseSettings) -> anyhow::Result<ExitCode> {
    Warehouse::connect(&settings.url).await?.migrate().await?;
    tracing::info!("the warehouse is migrated");
    Ok(ExitCode::SUCCESS)
}

/// The sources'.
pub async fn migrate_sources(sources: &[SourceConfig]) -> anyhow::Result<()> {
    let of = |wanted: System| {
        let mut urls = sources.iter().filter_map(|config| match config {
            SourceConfig::Postgres { system, url } if *system == wanted => Some(url.clone()),
            _ => None,
        });
        urls.next().unwrap_or_default()
    };
    let sources = Sources::connect(&of(System::PromptAds), &of(System::PromptCrm)).await?;
    sources.close().await;
    tracing::info!("the sources are migrated");
    Ok(())
}

/// Is the warehouse what a load from scratch would give?
pub async fn verify(
    settings: &WarehouseSettings,
    sources: &[SourceConfig],
    json: bool,
) -> anyhow::Result<ExitCode> {
    let warehouse = connect(settings).await?;
    let found = verify::verify(&warehouse, sources).await?;
    let mut out = io::stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut out, &found)?;
        writeln!(out)?;
    } else {
        for table in &found.tables {
            let same = table.checksum == table.expected;
            let verdict = if same { "equal" } else { "DIFFERS" };
            writeln!(out, "{:<24} {:>12} {verdict}", table.name, table.rows)?;
        }
        writeln!(out, "{}", if found.equal { "equal" } else { "NOT equal" })?;
    }
    Ok(if found.equal {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
