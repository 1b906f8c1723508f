//! How long a look into Redis takes and how large answers are there. Not a test but a measurement:
//! `cargo test --release -p content-api -- --ignored --nocapture cache::figures`.

use content_api::cache::{AnswerCache, CacheKey, RedisCache, RedisSettings};
use contracts::{ContentHit, GetContentAnswer, Language, content::Rendition};
use futures::FutureExt;
use images::Catalogue;
use redis_link::redis::Value;
use tokio::time::Instant;

use super::{
    replicas::{command, settings, stored},
    sample::answer,
};
const ROUNDS: usize = 2_000;

/// As long as a true one: the catalogue's texts and facts, and a rendition's URL four times.
fn true_answer(results: usize) -> GetContentAnswer {
    let base = answer("Encontré imágenes que encajan.", results);
    let catalogue = Catalogue::bundled().unwrap();
    let hits = base
        .results
        .into_iter()
        .zip(catalogue.entries().iter().cycle());
    let results = hits.map(|(hit, entry)| {
        let text = entry.text[&Language::Es].clone();
        let url = format!(
            "https://content.test/v1/content/{}/image?v={}",
            entry.id,
            &entry.facts.sha256[..16]
        );
        let rendition = |width: u32| Rendition {
            url: format!("{url}&format=webp&width={width}"),
            width,
            height: width * 3 / 4,
            media_type: "image/webp".to_owned(),
        };
        ContentHit {
            id: entry.id.clone(),
            title: text.title,
            description: text.description,
            alt: text.alt,
            hashtags: text.hashtags,
            channels: entry.channels.clone(),
            image: entry.facts.clone(),
            renditions: [320, 640, 1_200, 641].map(rendition).into(),
            rights: entry.rights.clone(),
            image_url: url,
            ..hit
        }
    });
    GetContentAnswer {
        results: results.collect(),
        ..base
    }
}

async fn ask(cache: &RedisCache, question: &str, made: &GetContentAnswer) -> (bool, f64) {
    let started = Instant::now();
    let make = async { Ok(made.clone()) }.boxed();
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
    for results in [0, 1, 2, 10, 100] {
        let made = true_answer(results);
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
            let (cached, took) = ask(&cache, &round.to_string(), &made).await;
            assert!(!cached);
            misses.push(took);
        }
        let other = open().await;
        for round in 0..ROUNDS {
            let (cached, took) = ask(&other, &round.to_string(), &made).await;
            if cached {
                hits.push(took);
            }
        }
        let name = stored(&server.url(), &settings.redis.prefix)
            .await
            .remove(0);
        let Value::Int(bytes) = command(&server.url(), &["STRLEN", &name]).await.unwrap() else {
            panic!("no length");
        };
        let json = serde_json::to_vec(&made).unwrap().len();
        println!(
            "{results} results: JSON {json} bytes, in Redis {bytes}; hit {}; miss {}",
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
