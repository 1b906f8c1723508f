//! What every adapter of `AnswerCache` must do. Call [`suite`] with what opens an empty cache.

use std::{sync::Arc, time::Duration};

use content_api::{ApiError, cache::AnswerCache};
use tokio::sync::Semaphore;

use super::sample::{Maker, answer};
use crate::world::until;

/// What a cache is opened with.
#[derive(Clone, Copy)]
pub struct Bounds {
    /// Room for answers, in all and for one.
    pub bytes: usize,
    pub lifetime: Duration,
}

const ROOMY: Bounds = Bounds {
    bytes: 1 << 20,
    lifetime: Duration::from_secs(600),
};

/// Runs everything. `server` is name and version of what the cache is in.
pub async fn suite<C: AnswerCache + 'static>(server: &str, open: impl AsyncFn(Bounds) -> C) {
    test_support::contract("AnswerCache", server);
    let cache = Arc::new(open(ROOMY).await);
    hits_and_misses(&*cache).await;
    keys_that_differ(&*cache).await;
    any_number_of_results(&*cache).await;
    once_for_all_who_ask_together(&cache).await;
    failures(&cache).await;
    a_making_that_is_given_up(&cache).await;
    expiry(&open).await;
    too_large(&open).await;
}

async fn hits_and_misses(cache: &dyn AnswerCache) {
    let maker = Maker::default();
    assert!(!maker.ask(cache, "hit").await.cached);
    for _ in 0..3 {
        assert!(maker.ask(cache, "hit").await.cached);
    }
    assert_eq!(maker.made(), 1);
}

async fn keys_that_differ(cache: &dyn AnswerCache) {
    let maker = Maker::default();
    // In one letter, its case, a letter that looks the same, where they end, and in length.
    let long = "x".repeat(20_000);
    let questions = ["key", "Key", "kéy", "ke\u{301}y", "key ", "", "\0", &long];
    for question in questions {
        assert!(!maker.ask(cache, question).await.cached, "{question:?}");
    }
    for question in questions {
        assert!(maker.ask(cache, question).await.cached, "{question:?}");
    }
}

async fn any_number_of_results(cache: &dyn AnswerCache) {
    let maker = Maker::default();
    for results in [0, 1, 100] {
        let (question, made) = (format!("{results} results"), answer("any", results));
        for cached in [false, true] {
            let make = async { Ok(made.clone()) };
            let served = maker.try_ask(cache, &question, make).await.unwrap();
            assert_eq!((&*served.answer, served.cached), (&made, cached));
        }
    }
}

async fn once_for_all_who_ask_together<C: AnswerCache + 'static>(cache: &Arc<C>) {
    let (maker, gate) = (Maker::default(), Arc::new(Semaphore::new(0)));
    let asking: Vec<_> = (0..16)
        .map(|_| {
            let (cache, maker, gate) = (Arc::clone(cache), maker.clone(), Arc::clone(&gate));
            tokio::spawn(async move {
                let make = async {
                    drop(gate.acquire().await.unwrap());
                    Ok(answer("together", 2))
                };
                maker.try_ask(&*cache, "together", make).await.unwrap()
            })
        })
        .collect();
    until("one makes it", async || maker.made() == 1).await;
    gate.add_permits(1);
    let mut made_by_us = 0;
    for asked in asking {
        let served = asked.await.unwrap();
        assert_eq!(*served.answer, answer("together", 2));
        made_by_us += usize::from(!served.cached);
    }
    assert_eq!((made_by_us, maker.made()), (1, 1));
}

async fn failures<C: AnswerCache + 'static>(cache: &Arc<C>) {
    let (maker, gate) = (Maker::default(), Semaphore::new(0));
    let failing = || async {
        let make = async {
            drop(gate.acquire().await.unwrap());
            Err(ApiError::LostImage("x".to_owned()))
        };
        maker.try_ask(&**cache, "failing", make).await
    };
    // Those who waited for it share it.
    let opening = async {
        until("it is being made", async || maker.made() == 1).await;
        gate.add_permits(4);
    };
    let (one, two, ()) = tokio::join!(failing(), failing(), opening);
    assert!(matches!(*one.unwrap_err(), ApiError::LostImage(_)));
    assert!(matches!(*two.unwrap_err(), ApiError::LostImage(_)));
    // Those who come later do not.
    assert!(!maker.ask(&**cache, "failing").await.cached);
    assert!(maker.ask(&**cache, "failing").await.cached);
}

async fn a_making_that_is_given_up<C: AnswerCache + 'static>(cache: &Arc<C>) {
    let (maker, started) = (Maker::default(), tokio::time::Instant::now());
    let dropped = tokio::spawn({
        let (cache, maker) = (Arc::clone(cache), maker.clone());
        async move {
            maker
                .try_ask(&*cache, "given up", std::future::pending())
                .await
        }
    });
    until("it is being made", async || maker.made() == 1).await;
    let waiting = tokio::spawn({
        let (cache, maker) = (Arc::clone(cache), maker.clone());
        async move { maker.ask(&*cache, "given up").await }
    });
    dropped.abort();
    assert!(!waiting.await.unwrap().cached);
    assert!(maker.ask(&**cache, "given up").await.cached);
    assert!(started.elapsed() < Duration::from_secs(20));
}

async fn expiry<C: AnswerCache>(open: &impl AsyncFn(Bounds) -> C) {
    let lifetime = Duration::from_millis(300);
    let cache = open(Bounds { lifetime, ..ROOMY }).await;
    let maker = Maker::default();
    let made = tokio::time::Instant::now();
    assert!(!maker.ask(&cache, "short").await.cached);
    // Asking does not make it live longer.
    until("it expired", async || {
        !maker.ask(&cache, "short").await.cached
    })
    .await;
    // A replica's lifetimes are spread over the last tenth.
    assert!(made.elapsed() >= lifetime * 9 / 10);
}

async fn too_large<C: AnswerCache>(open: &impl AsyncFn(Bounds) -> C) {
    let cache = open(Bounds { bytes: 10, ..ROOMY }).await;
    let maker = Maker::default();
    maker.ask(&cache, "large").await;
    // Eviction is a chore that memory does now and then.
    until("it was not kept", async || {
        !maker.ask(&cache, "large").await.cached
    })
    .await;
}
