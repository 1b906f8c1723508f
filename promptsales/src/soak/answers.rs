//! Kept answers against fresh ones: the cache must say what the stores say.

use std::{collections::BTreeSet, time::Duration};

use anyhow::Context;
use contracts::{GetContentAnswer, ImageId, Language};
use reqwest::Method;
use serde_json::json;

use super::{
    client::{Client, SEARCH},
    material, readers,
};

/// Everything serves by now; only a busy machine makes it wait.
const TRIES: u32 = 5;
/// Scores of one search, made twice, differ in rounding at most.
const NEARLY: f32 = 1e-3;

/// Asks everything twice, so that the second answer is a kept one, and a service without a memory
/// once. Returns what differs, and how many answers came from the cache.
pub async fn differences(served: &Client, witness: &Client) -> anyhow::Result<(Vec<String>, u64)> {
    let (mut found, mut cached) = (Vec::new(), 0);
    for (language, words) in material::queries() {
        search(served, language, words, 50).await?;
        let kept = search(served, language, words, 50).await?;
        let fresh = search(witness, language, words, 50).await?;
        cached += u64::from(kept.cached);
        if let Some(difference) = difference(&kept, &fresh) {
            found.push(format!("cache: “{words}”: {difference}"));
        }
    }
    found.extend(unfound(served).await?);
    Ok((found, cached))
}

/// Every approved document is found by a word that stands in no other.
async fn unfound(client: &Client) -> anyhow::Result<Vec<String>> {
    let findable = readers::findable(client).into_iter();
    let mut lost = Vec::new();
    for id in findable.filter(|id| id.as_str().starts_with("soak-")) {
        let word = material::own_word(&id);
        let answer = search(client, Language::En, &word, 10).await?;
        if !answer.results.iter().any(|hit| hit.id == id) {
            lost.push(format!("search: {id} is not found by its word {word}"));
        }
    }
    Ok(lost)
}

async fn search(
    client: &Client,
    language: Language,
    words: &str,
    limit: u32,
) -> anyhow::Result<GetContentAnswer> {
    let body =
        json!({"description": words, "language": language, "limit": limit, "min_score": 0.0});
    for _ in 0..TRIES {
        let request = client.request(Method::POST, "/v1/getContent").json(&body);
        if let Some(answer) = client.once("search", SEARCH, request).await {
            readers::check_hits(client, &answer, language);
            return answer.json();
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    None.with_context(|| format!("no answer to “{words}” after the faults had ended"))
}

fn difference(kept: &GetContentAnswer, fresh: &GetContentAnswer) -> Option<String> {
    let ids = |answer: &GetContentAnswer| -> BTreeSet<ImageId> {
        answer.results.iter().map(|hit| hit.id.clone()).collect()
    };
    if ids(kept) != ids(fresh) {
        let (kept, fresh) = (ids(kept), ids(fresh));
        let (more, fewer) = (kept.difference(&fresh), fresh.difference(&kept));
        return Some(format!(
            "kept and not in the stores: {:?}; the other way round: {:?}",
            more.collect::<Vec<_>>(),
            fewer.collect::<Vec<_>>()
        ));
    }
    let mut hits = kept.results.iter();
    hits.find_map(|hit| {
        let fresh = fresh.results.iter().find(|other| other.id == hit.id)?;
        let same = hit.title == fresh.title && (hit.score - fresh.score).abs() < NEARLY;
        (!same).then(|| {
            let (title, score) = (&fresh.title, fresh.score);
            format!(
                "{} is kept as “{}” {}, and is “{title}” {score}",
                hit.id, hit.title, hit.score
            )
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(results: serde_json::Value) -> GetContentAnswer {
        let whole = json!({
            "results": results, "no_match": false, "message": "", "language": "en",
            "engine": "pgvector", "model": "m", "cached": false, "took_ms": 1.0,
        });
        serde_json::from_value(whole).unwrap()
    }

    fn hit(id: &str, title: &str, score: f32) -> serde_json::Value {
        json!({
            "id": id, "score": score, "title": title, "description": "", "alt": "",
            "reason": {"dense": 0.5, "lexical": 0.0, "matched_terms": []},
            "hashtags": [], "channels": [], "image_url": "", "renditions": [],
            "image": {"media_type": "image/png", "width": 1, "height": 1, "bytes": 1,
                "sha256": "", "orientation": "square", "palette": [],
                "perceptual_hash": "", "blurhash": ""},
            "rights": {"licence": "", "holder": "", "from": "2026-01-01", "territories": []},
        })
    }

    #[test]
    fn a_stale_kept_answer_is_told() {
        let fresh = answer(json!([hit("a", "A", 0.5), hit("b", "B", 0.4)]));
        assert_eq!(difference(&fresh, &fresh), None);
        for (kept, says) in [
            (
                json!([hit("a", "A", 0.5), hit("c", "C", 0.4)]),
                "kept and not",
            ),
            (json!([hit("a", "A", 0.5)]), "the other way round"),
            (json!([hit("a", "Old", 0.5), hit("b", "B", 0.4)]), "“Old”"),
            (json!([hit("a", "A", 0.6), hit("b", "B", 0.4)]), "0.6"),
        ] {
            let told = difference(&answer(kept), &fresh).unwrap();
            assert!(told.contains(says), "{told}");
        }
    }
}
