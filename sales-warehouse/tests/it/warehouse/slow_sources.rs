//! Sources that are silent, or answer so slowly that the others would starve.

use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt as _;
use sales_warehouse::{
    etl::{self, RunReport, RunStatus, SourceConfig},
    source::{
        PostgresSource, RowStream, Snapshot, SnapshotFacts, Source, SourceError, System, Table,
        Totals, Watermark,
    },
};

use super::fixture::Fixture;

/// Sends a chunk a second: never silent for long, and never done in time.
struct Trickling(Box<dyn Source>);

struct TricklingSnapshot(Box<dyn Snapshot>);

const BETWEEN_CHUNKS: Duration = Duration::from_secs(1);

#[async_trait]
impl Source for Trickling {
    fn system(&self) -> System {
        self.0.system()
    }

    async fn open(&self, from: Watermark) -> Result<Box<dyn Snapshot>, SourceError> {
        Ok(Box::new(TricklingSnapshot(self.0.open(from).await?)))
    }
}

#[async_trait]
impl Snapshot for TricklingSnapshot {
    fn facts(&self) -> &SnapshotFacts {
        self.0.facts()
    }

    async fn rows(
        &mut self,
        table: &'static Table,
        since: Watermark,
    ) -> Result<RowStream<'_>, SourceError> {
        let rows = self.0.rows(table, since).await?;
        let slow = rows.then(|chunk| async {
            tokio::time::sleep(BETWEEN_CHUNKS).await;
            chunk
        });
        Ok(slow.boxed())
    }

    async fn tombstones(&mut self, since: Watermark) -> Result<RowStream<'_>, SourceError> {
        self.0.tombstones(since).await
    }

    async fn totals(&mut self, table: &'static Table) -> Result<Option<Totals>, SourceError> {
        self.0.totals(table).await
    }
}

/// PromptAds as `ads` makes it of its URL, PromptCrm as it is.
fn sources(
    fixture: &Fixture,
    ads: impl Fn(PostgresSource) -> Box<dyn Source>,
) -> Vec<Box<dyn Source>> {
    let mut sources = Vec::new();
    for config in &fixture.configs {
        sources.push(match config {
            SourceConfig::Postgres {
                system: System::PromptAds,
                url,
            } => ads(PostgresSource::new(System::PromptAds, url.clone())),
            other => other.source(),
        });
    }
    sources
}

async fn change(fixture: &Fixture) {
    fixture.ads("update ads.ad_daily set cost = cost + 1").await;
    fixture
        .crm("update crm.leads set score = 1 where lead_id = 2")
        .await;
}

/// PromptAds failed and kept its data, PromptCrm is in.
fn only_crm_came_in(report: &RunReport, why: &str) {
    let (ads, crm) = (&report.sources[0], &report.sources[1]);
    assert_eq!(report.status, RunStatus::Failed);
    let error = ads.error.as_deref().unwrap_or_default();
    assert!(error.contains(why), "{report:?}");
    assert_eq!(crm.status, RunStatus::Succeeded, "{report:?}");
    assert_eq!(crm.updated, 1, "{report:?}");
}

#[tokio::test]
async fn a_silent_source_is_given_up_and_the_others_go_on() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    change(&fixture).await;
    let ads = &fixture.world.sources.ads;
    let mut holder = ads.begin().await.unwrap();
    sqlx::query("lock table ads.campaigns in access exclusive mode")
        .execute(&mut *holder)
        .await
        .unwrap();
    let impatient =
        |source: PostgresSource| Box::new(source.with_stall_timeout(Duration::from_secs(3))) as _;
    let sources = sources(&fixture, impatient);
    let report = etl::run(&fixture.warehouse, &sources).await.unwrap();
    only_crm_came_in(&report, "promptads sent nothing for 3 s while locking");
    holder.rollback().await.unwrap();
    fixture.run().await;
    fixture.verify().await;
}

#[tokio::test]
async fn a_trickling_source_uses_up_its_share_of_a_run_and_no_more() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    change(&fixture).await;
    // A third for each source, and one for what follows them.
    let limited = fixture
        .warehouse
        .clone()
        .with_run_limit(Duration::from_secs(15));
    let trickling = |source| Box::new(Trickling(Box::new(source))) as _;
    let sources = sources(&fixture, trickling);
    let report = etl::run(&limited, &sources).await.unwrap();
    only_crm_came_in(
        &report,
        "promptads was given up: it had been waited for for 5 s",
    );
    fixture.run().await;
    fixture.verify().await;
}
