//! The verified questions: our rows are those of the SQL written by hand.

use serde::Deserialize;
use serde_json::Value;

use super::world::{alike, sample};

#[derive(Deserialize)]
struct Verified {
    id: String,
    query: Value,
    sql: String,
}

#[tokio::test]
async fn verified_questions_have_the_rows_of_their_sql() {
    let Some(sample) = sample().await else {
        return;
    };
    let mut wrong = Vec::new();
    let lines = include_str!("../../../questions/eval/verified.jsonl").lines();
    for line in lines.filter(|line| !line.trim().is_empty()) {
        let one: Verified = serde_json::from_str(line).unwrap();
        let answer = sample.ask(one.query.clone()).await;
        let columns: Vec<&str> = answer.columns.iter().map(|one| one.name.as_str()).collect();
        let theirs = sample.named(&one.sql).await;
        // By name, those that the hand-written SQL has.
        let ours: Vec<Vec<Value>> = answer
            .rows
            .iter()
            .map(|row| {
                let named = columns.iter().zip(row);
                let known = named.filter(|(name, _)| theirs.columns.iter().any(|one| one == *name));
                known.map(|(_, cell)| serde_json::json!(cell)).collect()
            })
            .collect();
        let picked: Vec<Vec<Value>> = theirs.pick(&columns);
        let same = ours.len() == picked.len()
            && ours
                .iter()
                .zip(&picked)
                .all(|(ours, theirs)| alike(ours, theirs));
        if !same {
            wrong.push(format!(
                "{}: {}\nours   {}: {}\ntheirs {}: {}",
                one.id,
                one.query,
                ours.len(),
                serde_json::json!(&ours[..ours.len().min(12)]),
                picked.len(),
                serde_json::json!(&picked[..picked.len().min(12)])
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
