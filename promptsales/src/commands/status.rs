//! `status`: services, versions, and what each index holds.

use std::{io::Write, process::ExitCode};

use contracts::index::EngineStatus;
use sales_warehouse::{
    Warehouse,
    freshness::{self, Freshness},
    runs::{self, LatestRun},
};
use serde::Serialize;
use service_kit::Clock;
use url::Url;

use crate::{output, session::Session};

#[derive(Serialize)]
struct Status {
    home: String,
    model: String,
    services: Vec<Service>,
    indexes: Vec<EngineStatus>,
    /// How old the warehouse's data are, per source.
    freshness: Vec<Freshness>,
    /// The last run's part of each source.
    etl: Vec<LatestRun>,
}

#[derive(Serialize)]
struct Service {
    name: &'static str,
    version: Option<String>,
    url: Url,
    ready: bool,
    missing: Vec<String>,
    /// What is away although the service does its job: something else stands in for it.
    degraded: Vec<String>,
}

impl Service {
    /// In a table's cell.
    fn state(&self) -> String {
        if !self.ready {
            format!("lacks {}", self.missing.join(", "))
        } else if self.degraded.is_empty() {
            "ready".to_owned()
        } else {
            format!("ready, degraded: {}", self.degraded.join(", "))
        }
    }
}

pub async fn run(session: &Session, as_json: bool) -> anyhow::Result<ExitCode> {
    let endpoints = session.endpoints();
    let named = [
        ("local-idp", &endpoints.identity),
        ("embedder", &endpoints.embedder),
        ("content-api", &endpoints.content_api),
        ("sales-warehouse", &endpoints.sales_warehouse),
        ("mcp-gateway", &endpoints.mcp_gateway),
    ];
    let mut services = Vec::new();
    for (name, url) in named {
        services.push(service(session, name, url).await?);
    }
    let index = session
        .index_status()
        .await?
        .map_err(|problem| output::refused(&problem))?;
    let (freshness, etl) = sales(session).await?;
    let status = Status {
        home: session.home().path().display().to_string(),
        model: index.model.to_string(),
        services,
        indexes: index.indexes,
        freshness,
        etl,
    };
    let mut out = output::out();
    if as_json {
        output::json(&mut out, &status)?;
    } else {
        show(&mut out, &status)?;
    }
    let well = status.services.iter().all(|service| service.ready)
        && status.indexes.iter().all(|index| index.ready)
        && status.etl.iter().all(|run| run.error.is_none());
    Ok(if well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn sales(session: &Session) -> anyhow::Result<(Vec<Freshness>, Vec<LatestRun>)> {
    let url = session.endpoints().databases.warehouse.as_str();
    let warehouse = Warehouse::connect(&url.into()).await?;
    let asked = async {
        let ages = freshness::freshness(&warehouse, Clock::system().now()).await?;
        Ok((ages, runs::latest(&warehouse).await?))
    };
    let answer = asked.await;
    warehouse.close().await;
    answer
}

async fn service(session: &Session, name: &'static str, url: &Url) -> anyhow::Result<Service> {
    let readiness = session.readiness(url).await?;
    let url = url.clone();
    Ok(match readiness {
        Some(state) => Service {
            name,
            version: Some(state.version),
            url,
            ready: state.ready,
            missing: state.missing,
            degraded: state.degraded,
        },
        None => {
            let missing = vec!["no answer".to_owned()];
            Service {
                name,
                version: None,
                url,
                ready: false,
                missing,
                degraded: Vec::new(),
            }
        }
    })
}

fn show(out: &mut impl Write, status: &Status) -> anyhow::Result<()> {
    let mut services = output::table(["service", "version", "address", "state"]);
    for service in &status.services {
        let state = service.state();
        let version = service.version.clone().unwrap_or_default();
        services.add_row([service.name, &version, service.url.as_str(), &state]);
    }
    let mut indexes = output::table(["index", "version", "documents", "model", "manifest"]);
    for index in &status.indexes {
        indexes.add_row([
            index.engine.as_str(),
            &index.version,
            &index.documents.to_string(),
            index.model.as_str(),
            index
                .fault
                .as_deref()
                .unwrap_or(&index.manifest_sha256[..12]),
        ]);
    }
    let mut sources = output::table(["source", "as of", "age", "last run", ""]);
    for source in &status.freshness {
        let last = status.etl.iter().find(|run| run.source == source.source);
        let last = last.map(|run| format!("{}: {}", run.run_id, run.status));
        let as_of = source.as_of.map(|time| time.to_string());
        let age = source.age_seconds.map(|seconds| format!("{seconds} s"));
        sources.add_row([
            source.source,
            as_of.as_deref().unwrap_or("never read"),
            age.as_deref().unwrap_or_default(),
            last.as_deref().unwrap_or_default(),
            if source.stale { "stale" } else { "" },
        ]);
    }
    writeln!(out, "{services}\n\n{indexes}\n\n{sources}\n")?;
    for error in status.etl.iter().filter_map(|run| run.error.as_deref()) {
        writeln!(out, "{error}\n")?;
    }
    writeln!(out, "home: {}", status.home)?;
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use super::{Service, Status, show};

    fn service(ready: bool, missing: &[&str], degraded: &[&str]) -> Service {
        let owned = |list: &[&str]| list.iter().map(ToString::to_string).collect();
        Service {
            name: "embedder",
            version: Some("1.2.3".to_owned()),
            url: "http://127.0.0.1:8461".parse().unwrap(),
            ready,
            missing: owned(missing),
            degraded: owned(degraded),
        }
    }

    #[test]
    fn a_service_that_does_without_something_says_so() {
        let cases = [
            (service(true, &[], &[]), "ready"),
            (
                service(true, &[], &["index qdrant", "index b"]),
                "ready, degraded: index qdrant, index b",
            ),
            // What it cannot do without comes first.
            (
                service(false, &["the model"], &["index b"]),
                "lacks the model",
            ),
        ];
        for (service, state) in cases {
            assert_eq!(service.state(), state);
        }
    }

    #[test]
    fn the_table_and_the_json_name_what_is_degraded() {
        let status = Status {
            home: "/home".to_owned(),
            model: "m".to_owned(),
            services: vec![service(true, &[], &["index qdrant"])],
            indexes: Vec::new(),
            freshness: Vec::new(),
            etl: Vec::new(),
        };
        let mut out = Vec::new();
        show(&mut out, &status).unwrap();
        let shown = String::from_utf8(out).unwrap();
        assert!(shown.contains("ready, degraded: index qdrant"), "{shown}");
        let json = serde_json::to_value(&status).unwrap();
        assert_eq!(json["services"][0]["degraded"][0], "index qdrant");
    }
}
