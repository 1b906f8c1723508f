//! A pool of single-threaded sessions behind one bounded queue.
//!
//! Each worker is a thread that owns a session. It takes a text and whatever else waits, up to
//! a batch of 16, and runs them as one batch: alone, a query is answered at once; under load, queries
//! share a run. A large request is sorted by length first, so that a batch pads little.

use std::{
    num::NonZeroUsize,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use async_trait::async_trait;
use contracts::ModelId;
use tokio::sync::{mpsc, oneshot};

use super::{
    EmbedError, Embedded, Embedder,
    fastembed::Session,
    source::{LoadError, ModelSource},
};

/// Most texts in one run of a session: more pads more and gains nothing on a CPU.
const BATCH: usize = 16;
/// Most texts that may wait. At about 5 ms each, a text at the end waits for some seconds.
const MAX_QUEUED: usize = 2_048;

type Answer = Result<Vec<Embedded>, EmbedError>;

struct Job {
    texts: Vec<String>,
    reply: oneshot::Sender<Answer>,
}

/// An [`Embedder`] over several sessions of one model.
pub struct SessionPool {
    model: ModelId,
    dimensions: usize,
    jobs: mpsc::UnboundedSender<Job>,
    queued: Arc<AtomicUsize>,
}

impl SessionPool {
    /// Loads the model once per worker and starts the workers. Blocks while loading.
    pub fn start(source: &ModelSource, workers: NonZeroUsize) -> Result<Self, LoadError> {
        let (jobs, inbox) = mpsc::unbounded_channel();
        let inbox = Arc::new(Mutex::new(inbox));
        let queued = Arc::new(AtomicUsize::new(0));
        let mut named = None;
        for number in 0..workers.get() {
            let session = Session::load(source)?;
            named.get_or_insert_with(|| (session.model().clone(), session.dimensions()));
            let (inbox, queued) = (Arc::clone(&inbox), Arc::clone(&queued));
            thread::Builder::new()
                .name(format!("embed-{number}"))
                .spawn(move || work(session, &inbox, &queued))
                .map_err(|error| LoadError::Model(format!("cannot start a worker: {error}")))?;
        }
        let (model, dimensions) = named.expect("there is at least one worker");
        Ok(Self {
            model,
            dimensions,
            jobs,
            queued,
        })
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
        let waiting = self.queued.fetch_add(asked, Ordering::Relaxed);
        // A request larger than the bound passes when nothing else waits, else it never could.
        if waiting > 0 && waiting + asked > MAX_QUEUED {
            self.queued.fetch_sub(asked, Ordering::Relaxed);
            return Err(EmbedError::Overloaded { queued: waiting });
        }
        let (order, sorted) = by_length(texts);
        let mut replies = Vec::with_capacity(asked.div_ceil(BATCH));
        let mut sorted = sorted.into_iter().peekable();
        while sorted.peek().is_some() {
            let texts: Vec<String> = sorted.by_ref().take(BATCH).collect();
            let (reply, answer) = oneshot::channel();
            self.jobs
                .send(Job { texts, reply })
                .map_err(|_| EmbedError::Stopped)?;
            replies.push(answer);
        }
        let mut embedded = Vec::with_capacity(asked);
        for reply in replies {
            embedded.extend(reply.await.map_err(|_| EmbedError::Stopped)??);
        }
        Ok(unsort(&order, embedded))
    }
}

/// The texts from short to long, and where each of them stood.
fn by_length(texts: Vec<String>) -> (Vec<usize>, Vec<String>) {
    let mut numbered: Vec<(usize, String)> = texts.into_iter().enumerate().collect();
    numbered.sort_by_key(|(_, text)| text.len());
    numbered.into_iter().unzip()
}

fn unsort(order: &[usize], sorted: Vec<Embedded>) -> Vec<Embedded> {
    let mut numbered: Vec<(usize, Embedded)> = order.iter().copied().zip(sorted).collect();
    numbered.sort_by_key(|(place, _)| *place);
    numbered.into_iter().map(|(_, embedded)| embedded).collect()
}

/// Runs until the pool is dropped.
fn work(mut session: Session, inbox: &Mutex<mpsc::UnboundedReceiver<Job>>, queued: &AtomicUsize) {
    loop {
        let jobs = {
            let Ok(mut inbox) = inbox.lock() else { return };
            let Some(first) = inbox.blocking_recv() else {
                return;
            };
            gather(first, &mut inbox)
        };
        // Nobody waits for these any more: under overload they would be all that is computed.
        let (jobs, abandoned): (Vec<Job>, Vec<Job>) =
            jobs.into_iter().partition(|job| !job.reply.is_closed());
        queued.fetch_sub(texts_in(&abandoned), Ordering::Relaxed);
        if jobs.is_empty() {
            continue;
        }
        let texts: Vec<&str> = jobs
            .iter()
            .flat_map(|job| &job.texts)
            .map(String::as_str)
            .collect();
        let total = texts.len();
        // A text that makes the runtime panic must cost its own batch, not the worker.
        let answer = catch_unwind(AssertUnwindSafe(|| session.embed(&texts)))
            .unwrap_or_else(|_| Err(EmbedError::Model("the session panicked".to_owned())));
        queued.fetch_sub(total, Ordering::Relaxed);
        deliver(jobs, answer);
    }
}

fn texts_in(jobs: &[Job]) -> usize {
    jobs.iter().map(|job| job.texts.len()).sum()
}

/// The first job and those that wait behind it, while they fit into one batch.
fn gather(first: Job, inbox: &mut mpsc::UnboundedReceiver<Job>) -> Vec<Job> {
    let mut room = BATCH.saturating_sub(first.texts.len());
    let mut jobs = vec![first];
    while room > 0 {
        let Ok(next) = inbox.try_recv() else { break };
        room = room.saturating_sub(next.texts.len());
        jobs.push(next);
    }
    jobs
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
