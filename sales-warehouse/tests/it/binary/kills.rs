//! Killed at any point in a run, again and again, the service ends up with the truth.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::Arc,
    time::{Duration, Instant},
};

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};
use sales_warehouse::{
    demo::{self, Existing, LoadPlan},
    pii::Keyring,
};
use time::macros::{date, datetime};

use super::{
    process::{Environment, Running, run},
    serving::SERVE,
};
use crate::{
    feed::Feed,
    warehouse::fixture::{Fixture, wait_until},
    world::keyring,
};

/// How many runs must be killed before they have ended.
const KILLS: usize = 10;
/// How many tries that may take: a run that ends before its kill does not count.
const TRIES: usize = 60;
/// A seed to repeat a failure with.
const SEED_VARIABLE: &str = "SALES_WAREHOUSE_TEST_SEED";

/// Enough for a run of seconds.
fn plan() -> LoadPlan {
    LoadPlan {
        campaigns_finished: 20,
        campaigns_active: 30,
        customers: 2_000,
        seed: 11,
        today: date!(2026 - 03 - 15),
    }
}

#[tokio::test]
async fn killed_at_ten_random_points_it_ends_up_equal_to_a_load_from_scratch() {
    let (Some(fixture), Some(twin)) = (Fixture::empty().await, Fixture::empty().await) else {
        return;
    };
    let seed = match std::env::var(SEED_VARIABLE) {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => RandomState::new().build_hasher().finish(),
    };
    println!("{SEED_VARIABLE}={seed}");
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let keyring = keyring();
    for sources in [&fixture.world.sources, &twin.world.sources] {
        demo::load(sources, &keyring, &plan(), Existing::Refuse, &|_| {})
            .await
            .unwrap();
    }
    let feed = Feed::filled().await;
    let secrets = tempfile::tempdir().unwrap();
    let secret_file = secrets.path().join("client_secret");
    let [environment, of_twin] = [&fixture, &twin].map(|fixture| {
        let mut environment = Environment::of(fixture);
        environment.set_feed(&feed, &secret_file);
        environment
    });
    let began = Instant::now();
    run(&of_twin, &["etl", "--once"]).await.expect(0);
    let whole = began.elapsed();
    println!("a first load takes {} ms", whole.as_millis());

    // How long a run takes that reads what changed, and one that reads everything: as long as the first
    // load, until one of them gets to its end before its kill.
    let mut lengths = [whole; 2];
    let mut points = Vec::new();
    for attempt in 0..TRIES {
        if points.len() == KILLS {
            break;
        }
        let read_all = attempt == 0 || dice.next_u32() & 1 == 1;
        if attempt > 0 {
            change(&fixture, &feed, &keyring, dice.next_u32(), read_all).await;
        }
        let length = &mut lengths[usize::from(read_all)];
        let after = length.mul_f64(f64::from(dice.next_u32()) / f64::from(u32::MAX));
        match killed(&fixture, &environment, after).await {
            Ok(point) => points.push(point),
            Err(took) => *length = took,
        }
    }
    assert_eq!(points.len(), KILLS, "killed in the middle: {points:?}");
    println!("killed: {}", points.join("; "));

    let_go(&fixture).await;
    let report = run(&environment, &["etl", "--once"]).await.expect(0).json();
    assert_eq!(report["status"], "succeeded", "{report}");
    let interrupted = "select count(*) from etl.runs where status = 'interrupted'";
    assert_eq!(fixture.value(interrupted).await, KILLS.to_string());
    let verified = run(&environment, &["verify", "--json"]).await.expect(0);
    let tables = verified.json()["tables"].clone();
    println!("equal: {tables}");
    let named = |table: &str| {
        let mut tables = tables.as_array().unwrap().iter();
        tables.any(|one| one["name"] == table && one["rows"].as_u64() > Some(0))
    };
    assert!(named("core.content_document") && named("core.dim_campaign"));
    let rows = fixture
        .value("select count(*) from core.fact_ad_daily")
        .await;
    assert!(rows.parse::<u64>().unwrap() > 12_000, "{rows}");
}

/// New rows, changed and deleted ones, and a reason to read everything again: so that runs merge both into
/// empty tables and into full ones.
async fn change(fixture: &Fixture, feed: &Feed, keyring: &Arc<Keyring>, dice: u32, read_all: bool) {
    let image = format!("image-{}", dice % 5);
    if dice & 64 == 0 {
        feed.content(&image, &image, i64::from(dice), &["#Killed", "#Again"]);
        feed.attach("spring-fair", &image);
    } else {
        feed.detach("spring-fair", &image);
        feed.delete(&image, i64::from(dice));
    }
    let now = datetime!(2026-03-15 09:00 UTC) + Duration::from_secs(u64::from(dice % 86_400));
    demo::tick(&fixture.world.sources, keyring, 400, u64::from(dice), now)
        .await
        .unwrap();
    sqlx::query("update etl.watermarks set read_all = $1")
        .bind(read_all)
        .execute(&fixture.pool)
        .await
        .unwrap();
}

/// The lock of a run that was killed lasts until the server notices.
async fn let_go(fixture: &Fixture) {
    wait_until(
        &fixture.pool,
        "select count(*) = 0 from pg_stat_activity
         where datname = current_database() and application_name = 'sales-warehouse etl'",
    )
    .await;
}

/// Starts the service and kills it so long after its run has begun. Says where that was; or how long the run
/// took, if it had ended by then.
async fn killed(
    fixture: &Fixture,
    environment: &Environment,
    after: Duration,
) -> Result<String, Duration> {
    let_go(fixture).await;
    let before = fixture
        .value("select coalesce(max(run_id), 0) from etl.runs")
        .await;
    let service = Running::start(environment, &SERVE);
    let began = format!("select coalesce(max(run_id), 0) > {before} from etl.runs");
    wait_until(&fixture.pool, &began).await;
    tokio::time::sleep(after).await;
    service.kill().await;
    let (status, sources, took): (String, i64, Option<f64>) = sqlx::query_as(
        "select status, (select count(*) from etl.source_runs s where s.run_id = r.run_id),
            extract(epoch from finished_at - started_at)::float8
         from etl.runs r order by run_id desc limit 1",
    )
    .fetch_one(&fixture.pool)
    .await
    .unwrap();
    match (status.as_str(), took) {
        ("running", _) => Ok(format!(
            "after {} ms with {sources} sources in",
            after.as_millis()
        )),
        ("succeeded", Some(seconds)) => Err(Duration::from_secs_f64(seconds)),
        _ => panic!("{status} {took:?}"),
    }
}
