//! A start learns what the indexes hold, from whichever of them gives it.

use std::time::Duration;

use service_kit::CancellationToken;

use crate::{
    harness::{Mood, plain},
    indexing::Bench,
};

#[tokio::test]
async fn an_index_that_gives_no_entries_is_learnt_from_the_other() {
    let bench = Bench::of(2).await;
    let indexer = bench.service.indexer();
    indexer
        .put(vec![plain("a", 1, "lighthouse")])
        .await
        .unwrap();
    bench.indexes[0].set(Mood::Locked);
    let again = Bench::over(bench.indexes.clone()).await.unwrap();
    assert_eq!(again.words_found("lighthuose").await, ["a"], "counted");

    // Nobody can give them: nothing to begin with.
    bench.indexes[1].set(Mood::Locked);
    assert!(Bench::over(bench.indexes.clone()).await.is_err());
    bench.indexes[1].set(Mood::Failing);
    assert!(Bench::over(bench.indexes.clone()).await.is_err());
}

#[tokio::test]
async fn an_index_that_gave_no_entries_is_looked_at_again_soon() {
    let bench = Bench::of(2).await;
    let indexer = bench.service.indexer();
    indexer.put(vec![plain("a", 1, "uno")]).await.unwrap();
    bench.indexes[0].set(Mood::Locked);
    let again = Bench::over(bench.indexes.clone()).await.unwrap();
    let asked = again.indexes[1].asked();
    let looked_at = async {
        while again.indexes[1].asked() == asked {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    // Without a reason it would be looked at after a minute.
    let soon = tokio::time::timeout(Duration::from_secs(30), looked_at);
    tokio::select! {
        () = again.service.run_background(CancellationToken::new()) => panic!("it stopped"),
        looked_at = soon => looked_at.unwrap(),
    }
}
