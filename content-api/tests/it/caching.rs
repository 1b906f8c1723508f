//! Answers that are served again, and those that must not be.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use content_api::{
    ApiError,
    cache::{AnswerCache, CacheKey, Making, MemoryCache, Served},
    store::ContentStore,
};
use contracts::GetContentAnswer;
use serde_json::{Value, json};

use crate::{
    double::Double,
    sample::{NOW, retitled},
    world::{Setup, World, until},
};

async fn answer(world: &World, body: Value) -> GetContentAnswer {
    let reply = world.find(body).await;
    assert_eq!(reply.status, 200);
    reply.json()
}

#[tokio::test]
async fn an_equal_question_is_answered_from_the_cache() {
    let Some(world) = World::start().await else {
        return;
    };
    world.publish(&["alpha"]).await;
    let first = answer(&world, json!({"description": "Zapatos y ni\u{f1}os"})).await;
    assert!(!first.cached);
    let equal = [
        json!({"description": "Zapatos y ni\u{f1}os"}),
        json!({"description": "  Zapatos \t y\nnin\u{303}os "}),
        json!({"description": "Zapatos y niños", "limit": 10}),
        json!({"description": "Zapatos y niños", "filters": {"usable_on": "2026-11-23"}}),
        json!({"description": "Zapatos y niños", "limit": null, "language": null}),
    ];
    for body in equal {
        let again = answer(&world, body.clone()).await;
        assert!(again.cached, "{body}");
        assert!(again.took_ms > 0.0 && again.took_ms != first.took_ms);
        assert_eq!(again.results, first.results);
    }
    assert_eq!(world.double.searches(), 1);

    let different = [
        // Case tells words apart: search splits `RunningShoes` and not `runningshoes`.
        json!({"description": "ZAPATOS Y NIÑOS"}),
        json!({"description": "zapatos y ninos"}),
        json!({"description": "zapatos y niños", "limit": 9}),
        json!({"description": "zapatos y niños", "language": "es"}),
        json!({"description": "zapatos y niños", "language": "en"}),
        json!({"description": "zapatos y niños", "min_score": 0.0}),
        json!({"description": "zapatos y niños", "min_score": 0.5}),
        json!({"description": "zapatos y niños", "filters": {"territory": "CR"}}),
        json!({"description": "zapatos y niños", "filters": {"themes": ["sport"]}}),
        json!({"description": "zapatos y niños", "filters": {"channels": ["search"]}}),
        json!({"description": "zapatos y niños", "filters": {"usable_on": "2026-11-24"}}),
    ];
    for body in different {
        assert!(!answer(&world, body.clone()).await.cached, "{body}");
    }
    let sorted = json!({"themes": ["sport", "travel"]});
    let shuffled = json!({"themes": ["travel", "sport", "travel"]});
    assert!(
        !answer(&world, json!({"description": "x1", "filters": sorted}))
            .await
            .cached
    );
    assert!(
        answer(&world, json!({"description": "x1", "filters": shuffled}))
            .await
            .cached
    );
}

#[tokio::test]
async fn a_write_is_never_followed_by_the_old_answer() {
    let Some(world) = World::start().await else {
        return;
    };
    world.publish(&["alpha"]).await;
    let body = json!({"description": "shoes"});
    for round in 0..5 {
        let title = format!("Title {round}");
        world
            .store
            .put(&retitled("alpha", &title), NOW)
            .await
            .unwrap();
        let answered = answer(&world, body.clone()).await;
        assert_eq!(answered.results[0].title, title);
    }
}

#[tokio::test]
async fn a_change_of_the_indexes_makes_answers_anew() {
    let Some(world) = World::start().await else {
        return;
    };
    world.publish(&["alpha"]).await;
    let body = json!({"description": "shoes"});
    assert!(!answer(&world, body.clone()).await.cached);
    assert!(answer(&world, body.clone()).await.cached);
    // Another service wrote to the indexes; the next tick hears of it.
    world.double.bump();
    until("the new generation is seen", async || {
        !answer(&world, body.clone()).await.cached
    })
    .await;
    // Published after the answer was cached: the rank may be another now.
    world.publish(&["beta"]).await;
    assert_eq!(answer(&world, body.clone()).await.results.len(), 2);
}

/// Counts who asks.
struct Counting {
    inner: MemoryCache,
    asked: AtomicUsize,
}

#[async_trait]
impl AnswerCache for Counting {
    async fn get_or_make(&self, key: CacheKey, make: Making<'_>) -> Result<Served, Arc<ApiError>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.inner.get_or_make(key, make).await
    }
}

fn counting() -> Arc<Counting> {
    let inner = MemoryCache::new(1 << 20, Duration::from_secs(60));
    Arc::new(Counting {
        inner,
        asked: AtomicUsize::new(0),
    })
}

#[tokio::test]
async fn equal_questions_at_the_same_time_make_one_search() {
    let cache = counting();
    let setup = Setup {
        cache: Some(Arc::clone(&cache) as _),
        ..Setup::default()
    };
    let Some(world) = World::start_with(setup).await else {
        return;
    };
    world.publish(&["alpha"]).await;
    Double::close(&world.double.search_gate);
    let asking =
        futures::future::join_all((0..8).map(|_| answer(&world, json!({"description": "shoes"}))));
    let opening = async {
        until("all have asked", async || {
            cache.asked.load(Ordering::SeqCst) == 8
        })
        .await;
        until("the search began", async || world.double.searches() > 0).await;
        Double::open(&world.double.search_gate);
    };
    let (answers, ()) = tokio::join!(asking, opening);
    assert_eq!(world.double.searches(), 1);
    assert_eq!(answers.iter().filter(|answer| !answer.cached).count(), 1);
    assert!(answers.iter().all(|answer| answer.results.len() == 1));
}

#[tokio::test]
async fn failures_are_shared_but_not_kept() {
    let Some(world) = World::start().await else {
        return;
    };
    world.publish(&["alpha"]).await;
    world.double.fail_with(500);
    let body = json!({"description": "shoes"});
    world.find(body.clone()).await.problem(503, "unavailable");
    world.double.recover();
    assert!(!answer(&world, body).await.cached);
}

#[tokio::test]
async fn the_cache_is_bounded_by_bytes_and_age() {
    let day = Duration::from_secs(86_400);
    // Room for less than one answer; room enough, but not for long.
    let bounds = [(10, day), (1 << 20, Duration::from_millis(50))];
    for (max_bytes, lifetime) in bounds {
        let cache: Arc<dyn AnswerCache> = Arc::new(MemoryCache::new(max_bytes, lifetime));
        let setup = Setup {
            cache: Some(cache),
            ..Setup::default()
        };
        let Some(world) = World::start_with(setup).await else {
            return;
        };
        world.publish(&["alpha"]).await;
        let body = json!({"description": "shoes"});
        answer(&world, body.clone()).await;
        // Eviction is a chore that the cache does now and then.
        until("it was dropped", async || {
            !answer(&world, body.clone()).await.cached
        })
        .await;
    }
}
