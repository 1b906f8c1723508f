//! PromptCrm lands while PromptAds is merged.

use std::time::Duration;

use sales_warehouse::etl::{self, EtlError, RunReport, RunStatus, SourceReport};

use super::fixture::{Fixture, execute, lock, wait_until};

/// Has the merge of PromptAds wait until `go` has a row, a minute at most.
const HOLD: &str = "
    create table public.go ();
    create function public.hold() returns trigger language plpgsql security definer as $$
    begin
        for attempt in 1..6000 loop
            exit when exists (select from public.go);
            perform pg_sleep(0.01);
        end loop;
        return new;
    end $$;
    create trigger hold before update on core.dim_campaign for each row execute function public.hold()";
/// Sessions of a run.
const ETL: &str = "from pg_stat_activity
    where datname = current_database() and application_name = 'sales-warehouse etl'";
const GO: &str = "insert into public.go default values";

/// Runs, and does `meanwhile` once PromptCrm has landed, while PromptAds is still being merged.
async fn run_with(fixture: &Fixture, meanwhile: &str) -> RunReport {
    change(fixture).await;
    let last = fixture.value("select max(run_id) from etl.runs").await;
    let landed = format!(
        "select exists (select from staging.landed where source = 'promptcrm' and run_id > {last})"
    );
    execute(&fixture.pool, HOLD).await;
    let (warehouse, configs) = (fixture.warehouse.clone(), fixture.configs.clone());
    let run = tokio::spawn(async move { etl::run_once(&warehouse, &configs).await });
    wait_until(&fixture.pool, &landed).await;
    execute(&fixture.pool, meanwhile).await;
    execute(&fixture.pool, GO).await;
    run.await.unwrap().unwrap()
}

/// A row of each source.
async fn change(fixture: &Fixture) {
    fixture
        .ads("update ads.campaigns set status = 'paused' where campaign_id = 2")
        .await;
    fixture
        .crm("update crm.leads set score = 1 where lead_id = 2")
        .await;
}

fn crm(report: &RunReport) -> &SourceReport {
    assert_eq!(report.sources[0].source, "promptads");
    assert_eq!(report.sources[0].status, RunStatus::Succeeded, "{report:?}");
    assert_eq!(report.sources[1].source, "promptcrm");
    &report.sources[1]
}

#[tokio::test]
async fn a_source_lands_while_the_one_before_is_merged() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    let report = run_with(&fixture, "select 1").await;
    assert_eq!(crm(&report).updated, 1, "{report:?}");
    assert!(!crm(&report).read_all, "{report:?}");
    fixture.verify().await;
}

#[tokio::test]
async fn a_request_to_read_all_that_comes_after_landing_is_met_in_the_same_run() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    let asked = "update etl.watermarks set read_all = true where source = 'promptcrm'";
    let report = run_with(&fixture, asked).await;
    assert!(crm(&report).read_all, "{report:?}");
    assert_eq!(
        fixture
            .value("select bool_or(read_all) from etl.watermarks")
            .await,
        "false"
    );
    fixture.verify().await;
}

#[tokio::test]
async fn rows_that_another_run_landed_are_not_merged_under_this_ones_watermark() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    let watermark = "select string_agg(w::text, ',' order by source) from
        (select source, watermark, run_id from etl.watermarks where source = 'promptcrm') as w";
    let before = fixture.value(watermark).await;
    let taken = "update staging.landed set run_id = 0 where source = 'promptcrm'";
    let report = run_with(&fixture, taken).await;
    let error = crm(&report).error.as_deref().unwrap_or_default();
    assert!(
        error.contains("another run has read promptcrm"),
        "{report:?}"
    );
    assert_eq!(fixture.value(watermark).await, before);
    let score = "select score from core.fact_lead where lead_id = 2";
    assert_eq!(fixture.value(score).await, "40");
    let next = fixture.run().await;
    assert_eq!(next.sources[1].updated, 1, "{next:?}");
    fixture.verify().await;
}

#[tokio::test]
async fn a_source_that_cannot_land_ahead_lands_in_its_turn() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    change(&fixture).await;
    let mut holder = fixture.pool.begin().await.unwrap();
    lock(&mut holder, "staging.crm_leads").await;
    let (warehouse, configs) = (fixture.warehouse.clone(), fixture.configs.clone());
    let run = tokio::spawn(async move { etl::run_once(&warehouse, &configs).await });
    wait_until(
        &fixture.pool,
        "select coalesce(bool_or(pg_terminate_backend(pid)), false) from pg_stat_activity
         where datname = current_database() and application_name = 'sales-warehouse etl'
            and wait_event_type = 'Lock' and query ilike 'truncate%'",
    )
    .await;
    holder.rollback().await.unwrap();
    let report = run.await.unwrap().unwrap();
    assert_eq!(crm(&report).status, RunStatus::Succeeded, "{report:?}");
    assert_eq!(crm(&report).updated, 1, "{report:?}");
    fixture.verify().await;
}

#[tokio::test]
async fn a_run_whose_merging_session_is_lost_lands_nothing_more() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    change(&fixture).await;
    execute(&fixture.pool, HOLD).await;
    let mut holder = fixture.pool.begin().await.unwrap();
    lock(&mut holder, "staging.crm_leads").await;
    let (warehouse, configs) = (fixture.warehouse.clone(), fixture.configs.clone());
    let run = tokio::spawn(async move { etl::run_once(&warehouse, &configs).await });
    // Its merge waits in the trigger, the landing of PromptCrm behind the lock.
    for of_merge in [
        "wait_event = 'PgSleep'",
        "wait_event_type = 'Lock' and query ilike 'truncate%'",
    ] {
        wait_until(
            &fixture.pool,
            &format!("select count(*) > 0 {ETL} and {of_merge}"),
        )
        .await;
    }
    // Between two sleeps it is awake.
    wait_until(
        &fixture.pool,
        &format!("select coalesce(bool_or(pg_terminate_backend(pid)), false) {ETL} and wait_event = 'PgSleep'"),
    )
    .await;
    let run = tokio::time::timeout(Duration::from_secs(8), run).await;
    let error = run.expect("it goes on landing").unwrap().unwrap_err();
    // Waiting in vain for the lock would end it, too.
    assert!(matches!(error, EtlError::Warehouse(_)), "{error:?}");
    holder.rollback().await.unwrap();
    execute(&fixture.pool, GO).await;
    wait_until(&fixture.pool, &format!("select count(*) = 0 {ETL}")).await;
    fixture.run().await;
    fixture.verify().await;
}
