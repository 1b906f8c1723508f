//! The kept questions: what `eval ask` measures.

use sales_warehouse::questions::eval::{Scratch, evaluate};

use super::world::sample;

#[tokio::test]
async fn kept_questions_are_answered_well_and_never_silently_wrong() {
    let Some(sample) = sample().await else {
        return;
    };
    let report = evaluate(&sample.questions).await.unwrap();
    for split in &report.splits {
        println!("{}", serde_json::json!(split));
    }
    for wrong in report.wrong.iter().filter(|one| one.split != "test") {
        println!("{}", serde_json::json!(wrong));
    }
    let names: Vec<String> = report
        .splits
        .iter()
        .map(|one| format!("{} {}", one.split, one.language))
        .collect();
    assert_eq!(
        names,
        [
            "dev es",
            "dev en",
            "test es",
            "test en",
            "verified es",
            "verified en"
        ]
    );
    for split in &report.splits {
        assert!(split.questions >= 25, "{split:?}");
        assert!(split.silent_wrong.unwrap() <= 0.05, "{split:?}");
    }
}

#[tokio::test]
async fn a_scratch_warehouse_is_made_and_removed() {
    let Some(server) = test_support::fresh_database().await else {
        return;
    };
    let databases = "select count(*) from pg_database where datname like 'eval\\_%'";
    let scratch = Scratch::load(&server.url.clone().into()).await.unwrap();
    let count: i64 = sqlx::query_scalar(databases)
        .fetch_one(&server.pool)
        .await
        .unwrap();
    assert_eq!(count, 3);
    scratch.questions.check().await.unwrap();
    scratch.remove().await.unwrap();
    let count: i64 = sqlx::query_scalar(databases)
        .fetch_one(&server.pool)
        .await
        .unwrap();
    assert_eq!(count, 0);
}
