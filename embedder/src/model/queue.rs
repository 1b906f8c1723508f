//! Where texts wait for a session: two bounded lanes, and the sleeping workers.
//!
//! A query goes before bulk work, since somebody waits for it; bulk work gets every fourth batch all
//! the same, so that indexing never starves. Of the sleeping workers the last to run is woken: its
//! weights are still in its core's caches.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

use super::{EmbedError, Embedded};

/// Most texts in one run of a session: more pads more and gains nothing on a CPU.
pub(super) const BATCH: usize = 16;
/// Most texts held in each lane. At about 5 ms each, a text at the end waits for some seconds.
const MAX_HELD: usize = 2_048;
/// Batches of queries that may pass waiting bulk work in a row.
const MAX_PASSES: usize = 3;

pub(super) type Answer = Result<Vec<Embedded>, EmbedError>;

/// At most [`BATCH`] texts, and who waits for them.
pub(super) struct Job {
    pub texts: Vec<String>,
    pub reply: oneshot::Sender<Answer>,
}

/// Which lane a request takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    /// One text: a query.
    Query,
    /// Several: indexing, or a client's batch.
    Bulk,
}

/// Jobs for one run of a session. Its texts count as held until [`Queue::finished`].
pub(super) struct Batch {
    pub jobs: Vec<Job>,
    /// Nothing else runs or waits, so this batch may use every core.
    pub alone: bool,
    lane: Lane,
    held: usize,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    /// Texts that wait or are being computed.
    held: usize,
}

#[derive(Default)]
struct State {
    queries: Waiting,
    bulk: Waiting,
    passes: usize,
    /// Batches that are being computed.
    running: usize,
    /// Sleeping workers; the last to fall asleep is the last here.
    asleep: Vec<usize>,
    closed: bool,
}

pub(super) struct Queue {
    state: Mutex<State>,
    /// One per worker, so that a certain one can be woken.
    alarms: Vec<Condvar>,
}

impl Queue {
    pub fn new(workers: usize) -> Self {
        Self {
            state: Mutex::default(),
            alarms: (0..workers).map(|_| Condvar::new()).collect(),
        }
    }

    /// Room for so many texts in a lane. Asked for before any work is done on them: under overload
    /// that work would be all that is done.
    pub fn reserve(&self, lane: Lane, asked: usize) -> Result<Reservation<'_>, EmbedError> {
        let mut state = self.lock();
        if state.closed {
            return Err(EmbedError::Stopped);
        }
        let waiting = state.lane(lane);
        // A request larger than the bound passes when nothing else is held, else it never could.
        if waiting.held > 0 && waiting.held + asked > MAX_HELD {
            let queued = waiting.held;
            return Err(EmbedError::Overloaded { queued });
        }
        waiting.held += asked;
        Ok(Reservation {
            queue: self,
            lane,
            unused: asked,
        })
    }

    /// The next batch for this worker. Sleeps until there is one; `None` once closed and empty.
    pub fn next(&self, worker: usize) -> Option<Batch> {
        let mut state = self.lock();
        loop {
            if let Some(batch) = state.take() {
                // Woken by nobody, it would still be listed, and woken in place of a sleeper.
                state.asleep.retain(|sleeper| *sleeper != worker);
                return Some(batch);
            }
            if state.closed {
                return None;
            }
            // Not twice, after a wake-up for work that another worker took first.
            if !state.asleep.contains(&worker) {
                state.asleep.push(worker);
            }
            state = self.alarms[worker]
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Frees what a batch held. To be called once for each batch that [`Self::next`] gave.
    pub fn finished(&self, batch: &Batch) {
        let mut state = self.lock();
        state.running -= 1;
        state.lane(batch.lane).held -= batch.held;
    }

    /// Refuses new work; workers do what waits, then end.
    pub fn close(&self) {
        self.lock().closed = true;
        self.alarms.iter().for_each(Condvar::notify_one);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code of ours panics while it holds the lock, and the counts are whole at each step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Room in a lane, given back when it is dropped unused.
pub(super) struct Reservation<'a> {
    queue: &'a Queue,
    lane: Lane,
    unused: usize,
}

impl Reservation<'_> {
    /// Lets the jobs wait that the room was asked for.
    pub fn push(mut self, jobs: Vec<Job>) {
        let mut state = self.queue.lock();
        let wanted = jobs.len();
        state.lane(self.lane).jobs.extend(jobs);
        self.unused = 0;
        for _ in 0..wanted {
            let Some(worker) = state.asleep.pop() else {
                break;
            };
            self.queue.alarms[worker].notify_one();
        }
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        if self.unused > 0 {
            self.queue.lock().lane(self.lane).held -= self.unused;
        }
    }
}

impl State {
    fn lane(&mut self, lane: Lane) -> &mut Waiting {
        match lane {
            Lane::Query => &mut self.queries,
            Lane::Bulk => &mut self.bulk,
        }
    }

    fn take(&mut self) -> Option<Batch> {
        self.queries.drop_abandoned();
        self.bulk.drop_abandoned();
        let lane = match (self.queries.jobs.is_empty(), self.bulk.jobs.is_empty()) {
            (true, true) => return None,
            (false, true) => Lane::Query,
            (true, false) => Lane::Bulk,
            (false, false) if self.passes < MAX_PASSES => Lane::Query,
            (false, false) => Lane::Bulk,
        };
        let passed = lane == Lane::Query && !self.bulk.jobs.is_empty();
        self.passes = if passed { self.passes + 1 } else { 0 };
        let (jobs, held) = self.lane(lane).gather();
        self.running += 1;
        let waiting = self.queries.jobs.len() + self.bulk.jobs.len();
        Some(Batch {
            jobs,
            alone: self.running == 1 && waiting == 0,
            lane,
            held,
        })
    }
}

impl Waiting {
    /// Nobody waits for these any more: under overload they would be all that is computed.
    fn drop_abandoned(&mut self) {
        let held = &mut self.held;
        self.jobs.retain(|job| {
            let wanted = !job.reply.is_closed();
            if !wanted {
                *held -= job.texts.len();
            }
            wanted
        });
    }

    /// The first job and those behind it, while they fit into one batch.
    fn gather(&mut self) -> (Vec<Job>, usize) {
        let mut texts = 0;
        let mut jobs = Vec::new();
        while let Some(next) = self.jobs.front() {
            if !jobs.is_empty() && texts + next.texts.len() > BATCH {
                break;
            }
            texts += next.texts.len();
            jobs.extend(self.jobs.pop_front());
        }
        (jobs, texts)
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, thread};

    use super::*;

    type Caller = oneshot::Receiver<Answer>;

    fn job(name: &str, texts: usize) -> (Job, Caller) {
        let (reply, caller) = oneshot::channel();
        let texts = vec![name.to_owned(); texts];
        (Job { texts, reply }, caller)
    }

    /// Pushes jobs of these sizes, each text carrying the name.
    fn push(queue: &Queue, lane: Lane, name: &str, sizes: &[usize]) -> Vec<Caller> {
        let (jobs, callers) = sizes.iter().map(|size| job(name, *size)).unzip();
        let room = queue.reserve(lane, sizes.iter().sum()).unwrap();
        room.push(jobs);
        callers
    }

    /// The next batch's jobs, as name and size.
    fn next(queue: &Queue) -> Vec<(String, usize)> {
        let batch = queue.next(0).unwrap();
        queue.finished(&batch);
        let named = |job: &Job| (job.texts[0].clone(), job.texts.len());
        batch.jobs.iter().map(named).collect()
    }

    fn pairs(expected: &[(&str, usize)]) -> Vec<(String, usize)> {
        let owned = |(name, size): &(&str, usize)| ((*name).to_owned(), *size);
        expected.iter().map(owned).collect()
    }

    #[test]
    fn waiting_queries_share_a_batch_of_at_most_sixteen() {
        let queue = Queue::new(1);
        let _callers = push(&queue, Lane::Query, "q", &[1; 20]);
        assert_eq!(next(&queue).len(), 16);
        assert_eq!(next(&queue).len(), 4);
    }

    #[test]
    fn a_job_that_no_longer_fits_waits_for_the_next_batch() {
        let queue = Queue::new(1);
        let _callers = push(&queue, Lane::Bulk, "b", &[10, 6, 16, 3]);
        assert_eq!(next(&queue), pairs(&[("b", 10), ("b", 6)]));
        assert_eq!(next(&queue), pairs(&[("b", 16)]));
        assert_eq!(next(&queue), pairs(&[("b", 3)]));
    }

    #[test]
    fn queries_pass_bulk_work_three_times_and_no_more() {
        let queue = Queue::new(1);
        let _bulk = push(&queue, Lane::Bulk, "bulk", &[16, 16]);
        let _queries = push(&queue, Lane::Query, "query", &[1; 80]);
        let names: Vec<String> = (0..7).map(|_| next(&queue).remove(0).0).collect();
        let [q, b] = ["query", "bulk"];
        assert_eq!(names, [q, q, q, b, q, q, b]);
    }

    #[test]
    fn what_nobody_waits_for_is_dropped_and_frees_its_place() {
        let queue = Queue::new(1);
        drop(push(&queue, Lane::Bulk, "gone", &[16; 128]));
        let _caller = push(&queue, Lane::Query, "q", &[1]);
        assert_eq!(next(&queue), pairs(&[("q", 1)]));
        let _callers = push(&queue, Lane::Bulk, "b", &[16; 128]);
        assert_eq!(next(&queue), pairs(&[("b", 16)]));
    }

    #[test]
    fn each_lane_has_its_own_bound() {
        let queue = Queue::new(1);
        let _bulk = push(&queue, Lane::Bulk, "b", &[16; 128]);
        let refused = queue.reserve(Lane::Bulk, 1).err().unwrap();
        assert!(matches!(refused, EmbedError::Overloaded { queued: 2_048 }));
        let _query = push(&queue, Lane::Query, "q", &[1]);
        assert_eq!(next(&queue), pairs(&[("q", 1)]));
    }

    #[test]
    fn room_that_is_not_used_is_given_back() {
        let queue = Queue::new(1);
        let room = queue.reserve(Lane::Bulk, 4_096).unwrap();
        assert!(queue.reserve(Lane::Bulk, 1).is_err());
        drop(room);
        assert!(queue.reserve(Lane::Bulk, 2_048).is_ok());
    }

    #[test]
    fn the_last_worker_to_sleep_is_woken_first() {
        let queue = Arc::new(Queue::new(2));
        let sleepers = [0, 1].map(|worker| {
            let own = Arc::clone(&queue);
            let sleeper = thread::spawn(move || own.next(worker).is_some());
            while !queue.lock().asleep.contains(&worker) {
                thread::yield_now();
            }
            sleeper
        });
        let _caller = push(&queue, Lane::Query, "q", &[1]);
        let [first, last] = sleepers;
        assert!(last.join().unwrap(), "it was woken, and worked");
        assert_eq!(queue.lock().asleep, [0]);
        queue.close();
        assert!(!first.join().unwrap(), "there was nothing left to do");
    }

    #[test]
    fn a_batch_is_alone_when_nothing_else_runs_or_waits() {
        let queue = Queue::new(2);
        let _callers = push(&queue, Lane::Query, "q", &[1; 17]);
        let first = queue.next(0).unwrap();
        let second = queue.next(1).unwrap();
        assert_eq!((first.alone, second.alone), (false, false));
        queue.finished(&first);
        queue.finished(&second);
        let _caller = push(&queue, Lane::Bulk, "b", &[1]);
        assert!(queue.next(0).unwrap().alone);
    }

    #[test]
    fn a_closed_queue_gives_what_waits_and_takes_no_more() {
        let queue = Queue::new(1);
        let _caller = push(&queue, Lane::Query, "q", &[1]);
        queue.close();
        let refused = queue.reserve(Lane::Query, 1).err().unwrap();
        assert!(matches!(refused, EmbedError::Stopped));
        assert_eq!(next(&queue), pairs(&[("q", 1)]));
        assert!(queue.next(0).is_none());
    }
}
