//! How well questions are routed, on the labelled utterances of `mcp-gateway/eval`.

use contracts::Language;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Route;
use crate::{Gateway, upstream::Service};

/// The labelled utterances that the model is fitted on, as JSON lines.
pub const TRAIN: &str = include_str!("../../eval/route-train.jsonl");
const DEV: &str = include_str!("../../eval/route-dev.jsonl");
const TEST: &str = include_str!("../../eval/route-test.jsonl");

/// Questions under way at once.
const CONCURRENCY: usize = 4;

/// A question and where it belongs.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Utterance {
    /// Unique in both splits.
    pub id: String,
    /// `es`, `en` or `mixed`.
    #[serde(rename = "lang")]
    pub language: String,
    /// The question.
    pub text: String,
    /// Where it belongs.
    pub route: Route,
}

/// What the router makes of all splits.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// `train`, `dev`, `test`.
    pub splits: Vec<SplitReport>,
}

/// What it makes of one.
#[derive(Clone, Debug, Serialize)]
pub struct SplitReport {
    /// `train`, `dev` or `test`.
    pub split: &'static str,
    /// How many.
    pub utterances: usize,
    /// The part that is routed as labelled.
    pub accuracy: f64,
    /// Of those that belong nowhere, the part that is sent nowhere.
    pub out_of_scope_recall: f64,
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvalError {
    /// A labelled utterance cannot be read.
    #[error("the labelled utterances cannot be read")]
    Labels(#[from] serde_json::Error),
    /// What would be measured is not the router as it is.
    #[error("{0} gave no evidence: is the system up?")]
    Missing(Service),
}

/// The labelled utterances of a split by name: `train`, `dev` or `test`.
pub fn utterances(split: &str) -> Result<Vec<Utterance>, serde_json::Error> {
    let lines = match split {
        "train" => TRAIN,
        "dev" => DEV,
        _ => TEST,
    };
    lines
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(serde_json::from_str)
        .collect()
}

/// Routes every utterance as a user's question would be.
pub async fn evaluate(gateway: &Gateway) -> Result<Report, EvalError> {
    let mut splits = Vec::new();
    for split in ["train", "dev", "test"] {
        let labelled = utterances(split)?;
        let routed: Vec<(Route, Route)> = stream::iter(labelled)
            .map(|utterance| async move {
                let decision = gateway.route(&utterance.text, None::<Language>).await;
                match decision.missing.first() {
                    None => Ok((utterance.route, decision.route)),
                    Some(service) => Err(EvalError::Missing(*service)),
                }
            })
            .buffered(CONCURRENCY)
            .try_collect()
            .await?;
        splits.push(SplitReport::of(split, &routed));
    }
    Ok(Report { splits })
}

impl SplitReport {
    /// From pairs of the label and the route taken.
    fn of(split: &'static str, routed: &[(Route, Route)]) -> Self {
        let part = |among: &dyn Fn(Route) -> bool| {
            let counted: Vec<_> = routed.iter().filter(|(label, _)| among(*label)).collect();
            let right = counted
                .iter()
                .filter(|(label, route)| label == route)
                .count();
            right as f64 / counted.len().max(1) as f64
        };
        Self {
            split,
            utterances: routed.len(),
            accuracy: part(&|_| true),
            out_of_scope_recall: part(&|label| label == Route::Neither),
        }
    }
}

/// In hexadecimal.
pub fn sha256(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{Route, SplitReport, utterances};

    #[test]
    fn the_splits_are_large_apart_and_hold_every_route() {
        let splits = ["train", "dev", "test"].map(|split| utterances(split).unwrap());
        let [train, dev, test] = &splits;
        // What is held back from fitting is a third of the four hundred at least.
        assert!(train.len() >= 800 && dev.len() >= 134 && test.len() >= 134);
        let all = || splits.iter().flatten();
        let texts: HashSet<_> = all().map(|one| one.text.to_lowercase()).collect();
        let ids: HashSet<_> = all().map(|one| &one.id).collect();
        assert_eq!(texts.len(), all().count());
        assert_eq!(ids.len(), all().count());
        for route in Route::ALL {
            for split in &splits {
                assert!(split.iter().any(|one| one.route == route), "{route}");
            }
        }
    }

    #[test]
    fn accuracy_and_recall_are_counted_as_defined() {
        use Route::{Content, Neither, Warehouse};
        let routed = [
            (Content, Content),
            (Neither, Neither),
            (Neither, Content),
            (Warehouse, Content),
        ];
        let report = SplitReport::of("test", &routed);
        assert_eq!((report.accuracy, report.out_of_scope_recall), (0.5, 0.5));
    }
}
