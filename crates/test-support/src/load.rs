//! Requests without a pause, for servers that are stopped under them.

use std::{error::Error, future::Future, io, sync::Arc};

use tokio::{sync::watch, task::JoinSet};

/// After so many a worker gives up.
const MOST_FAILURES: usize = 20;

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// What was asked for.
    Answered,
    /// Nobody listens, or the listener was closed before it took the connection: a caller behind a load
    /// balancer goes elsewhere. Whether the service had taken the request all the same, its log tells.
    NotTaken,
    /// Anything else, in words.
    Failed(String),
}

impl Reaction {
    /// To a request that got no answer.
    pub fn to(error: &(dyn Error + 'static)) -> Self {
        let mut cause = Some(error);
        while let Some(inner) = cause {
            if let Some(io) = inner.downcast_ref::<io::Error>()
                && matches!(
                    io.kind(),
                    io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset
                )
            {
                return Self::NotTaken;
            }
            cause = inner.source();
        }
        Self::Failed(format!("{error:?}"))
    }
}

/// Workers that each send one request after the other until one is not taken, or too many have failed.
#[derive(Debug)]
pub struct Load {
    answered: watch::Receiver<usize>,
    workers: JoinSet<Vec<String>>,
}

impl Load {
    /// Begins at once.
    pub fn start<F, Fut>(workers: usize, request: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Reaction> + Send + 'static,
    {
        let (count, answered) = watch::channel(0);
        let (request, count) = (Arc::new(request), Arc::new(count));
        let worker = |_| {
            let (request, count) = (Arc::clone(&request), Arc::clone(&count));
            async move {
                let mut failures = Vec::new();
                loop {
                    match request().await {
                        Reaction::Answered => count.send_modify(|count| *count += 1),
                        Reaction::NotTaken => return failures,
                        Reaction::Failed(how) => failures.push(how),
                    }
                    // Enough to see why.
                    if failures.len() == MOST_FAILURES {
                        return failures;
                    }
                }
            }
        };
        let workers = (0..workers).map(worker).collect();
        Self { answered, workers }
    }

    /// Requests that were answered so far.
    pub fn answered(&self) -> usize {
        *self.answered.borrow()
    }

    /// Waits until so many more were answered, or every worker has ended.
    pub async fn more(&self, by: usize) {
        let mut answered = self.answered.clone();
        let enough = self.answered() + by;
        let _ended = answered.wait_for(|count| *count >= enough).await.is_err();
    }

    /// Waits until no worker's request is taken any more, and tells how many were answered and what failed.
    pub async fn end(self) -> (usize, Vec<String>) {
        let failures = self.workers.join_all().await.concat();
        let answered = *self.answered.borrow();
        (answered, failures)
    }
}
