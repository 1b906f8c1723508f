//! How long a look into Redis takes and how large answers are there. Not a test but a measurement:
//! `cargo test --release -p content-api -- --ignored --nocapture cache::figures`.

use content_api::cache::{CacheKey, RedisCache, RedisSettings};
use futures::FutureExt;
use redis::Value;
use tokio::time::Instant;

use super::{
    replicas::{command, settings, stored},
    sample::answer,
};
use content_api::cache::AnswerCache;

const ROUNDS: usize = 2_000;

async fn ask(cache: &RedisCache, question: &str, results: usize) -> (bool, f64) {
    let started = Instant::now();
    let make = async { Ok(answer(question, results)) }.boxed();
    let served = cache.get_or_make(CacheKey::of(question), make).await;
    let took = started.elapsed().as_secs_f64() * 1e6;
    (served.unwrap().cached, took)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn of_hits_misses_and_sizes() {
    let Some(server) = test_support::own_redis(&[]).await else {
        return;
    };
    for results in [1, 10, 100] {
        let settings = RedisSettings {
            // Nothing stays in memory: every hit is Redis's.
            memory_bytes: 0,
            ..settings(&server.url())
        };
        let open = async || {
            RedisCache::start(settings.clone().check().unwrap())
                .await
                .unwrap()
        };
        let cache = open().await;
        let (mut misses, mut hits) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            let (cached, took) = ask(&cache, &round.to_string(), results).await;
            assert!(!cached);
            misses.push(took);
        }
        let other = open().await;
        for round in 0..ROUNDS {
            let (cached, took) = ask(&other, &round.to_string(), results).await;
            if cached {
                hits.push(took);
            }
        }
        let name = stored(&server.url(), &settings.prefix).await.remove(0);
        let Value::Int(bytes) = command(&server.url(), &["STRLEN", &name]).await.unwrap() else {
            panic!("no length");
        };
        let json = serde_json::to_vec(&answer("1", results)).unwrap().len();
        let making = Instant::now();
        for _ in 0..100 {
            std::hint::black_box(answer("1", results));
        }
        let making = making.elapsed().as_secs_f64() * 1e4;
        println!(
            "{results} results: JSON {json} bytes, in Redis {bytes}; hit {}; miss {} (making {making:.0} µs)",
            spread(&mut hits),
            spread(&mut misses),
        );
    }
}

fn spread(took: &mut [f64]) -> String {
    took.sort_by(f64::total_cmp);
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize];
    format!("p50 {:.0} µs, p99 {:.0} µs", at(0.5), at(0.99))
}
