//! Reads: searches in both languages, similar pictures, lists and single documents, each held against
//! what must be true.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use contracts::{ContentHit, GetContentAnswer, ImageId, Language, content::Status};
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::{
    client::{Answer, Client, SEARCH},
    dice::Dice,
    ledger::{Facts, State},
    material,
};

/// After a read that failed.
const PAUSE: Duration = Duration::from_millis(100);

/// Reads until told to stop.
pub async fn read(client: Client, seed: u64, number: u64, stop: &AtomicBool) {
    let mut dice = Dice::new(seed, 200 + number);
    while !stop.load(Ordering::SeqCst) {
        let answered = match dice.below(12) {
            0..=6 => search(&client, &mut dice).await,
            7 | 8 => similar(&client, &mut dice).await,
            9 | 10 => look(&client, &mut dice).await,
            _ => list(&client).await,
        };
        if answered.is_none() {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

async fn search(client: &Client, dice: &mut Dice) -> Option<()> {
    let (language, words) = material::query(dice);
    // A floor of 0 fills the answer: the more hits, the more is checked.
    let body = json!({"description": words, "language": language, "limit": 50, "min_score": 0.0});
    let request = client.request(Method::POST, "/v1/getContent").json(&body);
    let answer = client.once("search", SEARCH, request).await?;
    check_hits(client, &answer, language);
    Some(())
}

async fn similar(client: &Client, dice: &mut Dice) -> Option<()> {
    let id = any(client, dice)?;
    let body = json!({"limit": 20, "language": "en", "min_score": 0.0});
    let path = format!("/v1/content/{id}/similar");
    let request = client.request(Method::POST, &path).json(&body);
    let answer = client.once("similar", SEARCH, request).await?;
    if answer.status == StatusCode::NOT_FOUND {
        let (from, to) = answer.during;
        if !client
            .ledger
            .possible(&id, from, to)
            .contains(&State::Absent)
        {
            client
                .tally
                .wrong(format!("nothing is similar to {id}, which is there"));
        }
        return Some(());
    }
    check_hits(client, &answer, Language::En);
    Some(())
}

/// Every hit must be one that could be found while the search ran.
pub fn check_hits(client: &Client, answer: &Answer, language: Language) {
    let found: GetContentAnswer = match answer.json() {
        Ok(found) => found,
        Err(error) => return client.tally.wrong(format!("a search: {error:#}")),
    };
    for ContentHit { id, title, .. } in &found.results {
        let wrong = client.ledger.wrong_hit(id, language, title, answer.during);
        if let Some(wrong) = wrong {
            let (engine, cached) = (&found.engine, found.cached);
            client
                .tally
                .wrong(format!("{wrong} ({engine}, cached: {cached})"));
        }
    }
}

async fn look(client: &Client, dice: &mut Dice) -> Option<()> {
    let id = any(client, dice)?;
    client.look(&id).await
}

/// Nothing that is there is missing in a list, nothing that is gone is in it.
async fn list(client: &Client) -> Option<()> {
    let known = client.ledger.all();
    let (documents, during) = client.list().await?;
    for document in &documents {
        let shown = Facts::of(document);
        let wrong = client.ledger.wrong_look(&document.id, Some(&shown), during);
        wrong
            .into_iter()
            .for_each(|wrong| client.tally.wrong(wrong));
    }
    for id in known.keys() {
        if !documents.iter().any(|document| document.id == *id) {
            let wrong = client.ledger.wrong_look(id, None, during);
            wrong
                .into_iter()
                .for_each(|wrong| client.tally.wrong(wrong));
        }
    }
    Some(())
}

/// One that is there, or any that there ever was.
fn any(client: &Client, dice: &mut Dice) -> Option<ImageId> {
    let gone_too = dice.below(2) == 0;
    let all = client.ledger.all().into_iter();
    let chosen = all.filter(|(_, state)| gone_too || *state != State::Absent);
    let ids: Vec<ImageId> = chosen.map(|(id, _)| id).collect();
    (!ids.is_empty()).then(|| dice.pick(&ids).clone())
}

/// The documents that searches may find now.
pub fn findable(client: &Client) -> Vec<ImageId> {
    let approved = |state: &State| matches!(state, State::There(f) if f.status == Status::Approved);
    let all = client.ledger.all().into_iter();
    all.filter(|(_, state)| approved(state))
        .map(|(id, _)| id)
        .collect()
}
