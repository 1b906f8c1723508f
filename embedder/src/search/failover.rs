//! Reads go to the primary index; on an error or past the deadline, to the next.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{SearchError, breaker::Breaker};
use crate::index::{Candidate, IndexError, IndexQuery, VectorIndex};

/// Longest that one engine may take before the next is asked.
const DEADLINE: Duration = Duration::from_millis(800);

struct Guarded {
    index: Arc<dyn VectorIndex>,
    breaker: Breaker,
}

/// The indexes in the order in which they are asked.
pub struct Failover(Vec<Guarded>);

impl Failover {
    /// The first is the primary. There must be one at least.
    pub fn new(indexes: Vec<Arc<dyn VectorIndex>>) -> Self {
        assert!(!indexes.is_empty(), "a search needs an index");
        let guard = |index| Guarded {
            index,
            breaker: Breaker::default(),
        };
        Self(indexes.into_iter().map(guard).collect())
    }

    /// All of them, the primary first.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn VectorIndex>> {
        self.0.iter().map(|guarded| &guarded.index)
    }

    /// Each engine, with whether it is left alone because it failed.
    pub fn circuits(&self) -> impl Iterator<Item = (&'static str, bool)> {
        let circuit = |guarded: &Guarded| (guarded.index.engine(), guarded.breaker.is_open());
        self.0.iter().map(circuit)
    }

    /// Candidates from the first index that answers, and that engine's name. Those whose circuit is
    /// open are tried last of all: an unlikely answer beats a certain refusal.
    pub async fn candidates(
        &self,
        query: IndexQuery,
    ) -> Result<(&'static str, Vec<Candidate>), SearchError> {
        let mut left_out: Vec<&Guarded> = Vec::new();
        let mut last = None;
        for guarded in &self.0 {
            // Asked one by one: an index that is not needed must not use up its probe.
            if !guarded.breaker.admits(Instant::now()) {
                left_out.push(guarded);
                continue;
            }
            match ask(guarded, query.clone()).await {
                Ok(candidates) => return Ok((guarded.index.engine(), candidates)),
                Err(error) => last = Some(error),
            }
        }
        for guarded in left_out {
            match ask(guarded, query.clone()).await {
                Ok(candidates) => return Ok((guarded.index.engine(), candidates)),
                Err(error) => last = Some(error),
            }
        }
        Err(last.expect("at least one index was asked").into())
    }

    /// Candidates from one engine and no other.
    pub async fn candidates_from(
        &self,
        name: &str,
        query: IndexQuery,
    ) -> Result<(&'static str, Vec<Candidate>), SearchError> {
        let Some(guarded) = self.0.iter().find(|guarded| guarded.index.engine() == name) else {
            let known: Vec<&str> = self.iter().map(|index| index.engine()).collect();
            return Err(SearchError::UnknownEngine {
                asked: name.to_owned(),
                known: known.join(", "),
            });
        };
        Ok((guarded.index.engine(), ask(guarded, query).await?))
    }
}

async fn ask(guarded: &Guarded, query: IndexQuery) -> Result<Vec<Candidate>, IndexError> {
    let answer = tokio::time::timeout(DEADLINE, guarded.index.candidates(query)).await;
    let answer = answer.unwrap_or(Err(IndexError::Deadline {
        engine: guarded.index.engine(),
        millis: DEADLINE.as_millis(),
    }));
    match &answer {
        Ok(_) => guarded.breaker.succeeded(),
        Err(error) => {
            tracing::warn!(engine = guarded.index.engine(), %error, "index failed");
            guarded.breaker.failed(Instant::now());
        }
    }
    answer
}
