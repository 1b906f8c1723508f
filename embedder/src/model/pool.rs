//! A pool of sessions behind one bounded queue.
//!
//! Each worker is a thread that owns a single-threaded session. It takes a text and whatever else
//! waits, up to a batch of 16, and runs them as one batch: under load, queries share a run. A batch
//! that finds everything idle runs on the wide session instead, which splits it over several threads:
//! on two cores a lone query is answered in little more than half the time. A large request is sorted by
//! tokens first, so that a batch pads little.

use std::{
    cmp::Reverse,
    num::NonZeroUsize,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use async_trait::async_trait;
use contracts::ModelId;
use tokio::{sync::oneshot, task::spawn_blocking};

use super::{
    EmbedError, Embedded, Embedder,
    fastembed::Session,
    queue::{Answer, BATCH, Job, Lane, Queue},
    source::{LoadError, ModelSource},
};

/// Most threads of the wide session. A query of ten words has no work for more.
const WIDEST: NonZeroUsize = NonZeroUsize::new(4).expect("it is not zero");

type TokenCounter = Arc<dyn Fn(&str) -> usize + Send + Sync>;

/// An [`Embedder`] over several sessions of one model.
pub struct SessionPool {
    model: ModelId,
    dimensions: usize,
    count_tokens: TokenCounter,
    queue: Arc<Queue>,
}

impl SessionPool {
    /// Loads the model once per worker, and once more for the wide session where there are several
    /// workers, and starts the workers. Blocks while loading.
    pub fn start(source: &ModelSource, workers: NonZeroUsize) -> Result<Self, LoadError> {
        let sessions = (0..workers.get())
            .map(|_| Session::load(source, NonZeroUsize::MIN))
            .collect::<Result<Vec<_>, _>>()?;
        let wide = match workers {
            NonZeroUsize::MIN => None,
            several => {
                let threads = several.min(WIDEST);
                Some(Arc::new(Mutex::new(Session::load(source, threads)?)))
            }
        };
        let first = &sessions[0];
        let pool = Self {
            model: first.model().clone(),
            dimensions: first.dimensions(),
            count_tokens: Arc::new(first.token_counter()),
            queue: Arc::new(Queue::new(workers.get())),
        };
        for (number, session) in sessions.into_iter().enumerate() {
            let queue = Arc::clone(&pool.queue);
            let wide = wide.clone();
            // Should one not start, the pool is dropped and the others end.
            thread::Builder::new()
                .name(format!("embed-{number}"))
                .spawn(move || work(number, session, wide.as_deref(), &queue))
                .map_err(|error| LoadError::Model(format!("cannot start a worker: {error}")))?;
        }
        Ok(pool)
    }

    /// The texts from most tokens to fewest, and where each of them stood. Longest first, so that
    /// the workers end together.
    async fn by_length(&self, texts: Vec<String>) -> Result<(Vec<usize>, Vec<String>), EmbedError> {
        if texts.len() <= BATCH {
            return Ok(texts.into_iter().enumerate().unzip());
        }
        let count_tokens = Arc::clone(&self.count_tokens);
        spawn_blocking(move || {
            let mut numbered: Vec<(usize, String)> = texts.into_iter().enumerate().collect();
            numbered.sort_by_cached_key(|(_, text)| Reverse(count_tokens(text)));
            numbered.into_iter().unzip()
        })
        .await
        .map_err(|error| EmbedError::Model(error.to_string()))
    }
}

impl Drop for SessionPool {
    fn drop(&mut self) {
        self.queue.close();
    }
}

#[async_trait]
impl Embedder for SessionPool {
    fn model(&self) -> &ModelId {
        &self.model
    }

    fn dimensions(&self) -> usize {
        self.dimensions
    }

    async fn embed(&self, texts: Vec<String>) -> Answer {
        let asked = texts.len();
        let lane = if asked == 1 { Lane::Query } else { Lane::Bulk };
        let room = self.queue.reserve(lane, asked)?;
        let (order, sorted) = self.by_length(texts).await?;
        let mut jobs = Vec::with_capacity(asked.div_ceil(BATCH));
        let mut answers = Vec::with_capacity(jobs.capacity());
        let mut sorted = sorted.into_iter().peekable();
        while sorted.peek().is_some() {
            let texts: Vec<String> = sorted.by_ref().take(BATCH).collect();
            let (reply, answer) = oneshot::channel();
            jobs.push(Job { texts, reply });
            answers.push(answer);
        }
        room.push(jobs);
        let mut embedded = Vec::with_capacity(asked);
        for answer in answers {
            embedded.extend(answer.await.map_err(|_| EmbedError::Stopped)??);
        }
        Ok(unsort(&order, embedded))
    }
}

fn unsort(order: &[usize], sorted: Vec<Embedded>) -> Vec<Embedded> {
    let mut numbered: Vec<(usize, Embedded)> = order.iter().copied().zip(sorted).collect();
    numbered.sort_by_key(|(place, _)| *place);
    numbered.into_iter().map(|(_, embedded)| embedded).collect()
}

/// Runs until the queue is closed.
fn work(number: usize, mut own: Session, wide: Option<&Mutex<Session>>, queue: &Queue) {
    while let Some(batch) = queue.next(number) {
        let texts: Vec<&str> = batch
            .jobs
            .iter()
            .flat_map(|job| &job.texts)
            .map(String::as_str)
            .collect();
        // A text that makes the runtime panic must cost its own batch, not the worker.
        let answer = catch_unwind(AssertUnwindSafe(|| match wide {
            Some(wide) if batch.alone => wide
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .embed(&texts),
            _ => own.embed(&texts),
        }))
        .unwrap_or_else(|_| Err(EmbedError::Model("the session panicked".to_owned())));
        queue.finished(&batch);
        deliver(batch.jobs, answer);
    }
}

fn deliver(jobs: Vec<Job>, answer: Answer) {
    match answer {
        Ok(embedded) => {
            let mut embedded = embedded.into_iter();
            for job in jobs {
                let share = embedded.by_ref().take(job.texts.len()).collect();
                // A caller that gave up has dropped its end; nothing is owed to it.
                let _gone = job.reply.send(Ok(share));
            }
        }
        Err(error) => {
            let reason = error.to_string();
            for job in jobs {
                let _gone = job.reply.send(Err(EmbedError::Model(reason.clone())));
            }
        }
    }
}
