//! Whatever is written in whatever order while indexes fail: they end equal, and with the newest.

use std::collections::HashMap;

use contracts::ContentHash;
use embedder::index::Manifest;
use proptest::prelude::*;

use crate::{
    harness::{Mood, deletion, plain},
    indexing::Bench,
};

const IDS: u8 = 3;

#[derive(Clone, Debug)]
enum Step {
    Put(Vec<(u8, i64)>),
    Delete(Vec<(u8, i64)>),
    /// Which of the two indexes work from now on.
    Switch(bool, bool),
    Reconcile,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let some = || prop::collection::vec((0..IDS, 1_i64..9), 1..3);
    prop_oneof![
        6 => some().prop_map(Step::Put),
        3 => some().prop_map(Step::Delete),
        4 => any::<(bool, bool)>().prop_map(|(one, two)| Step::Switch(one, two)),
        1 => Just(Step::Reconcile),
        1 => Just(Step::Restart),
    ]
}

fn slug(number: u8) -> String {
    format!("d{number}")
}

/// Content comes back in later revisions, as when a change is undone.
fn word(revision: i64) -> String {
    format!("w{}", revision % 3)
}

/// The newest accepted revision of each id; `None` for a deletion.
#[derive(Default)]
struct Newest(HashMap<u8, (i64, Option<ContentHash>)>);

impl Newest {
    fn put(&mut self, (number, revision): (u8, i64)) {
        let hash = plain(&slug(number), revision, &word(revision)).content_hash();
        if self.0.get(&number).is_none_or(|(held, _)| *held < revision) {
            self.0.insert(number, (revision, Some(hash)));
        }
    }

    fn delete(&mut self, (number, revision): (u8, i64)) {
        if self
            .0
            .get(&number)
            .is_none_or(|(held, _)| *held <= revision)
        {
            self.0.insert(number, (revision, None));
        }
    }

    fn documents(&self) -> HashMap<String, ContentHash> {
        let held = |(number, (_, hash)): (&u8, &(i64, Option<ContentHash>))| {
            Some((slug(*number), hash.clone()?))
        };
        self.0.iter().filter_map(held).collect()
    }
}

fn documents(manifest: &Manifest) -> HashMap<String, ContentHash> {
    let held = manifest.iter();
    held.filter_map(|(id, entry)| Some((id.to_string(), entry.content_hash.clone()?)))
        .collect()
}

async fn run(steps: Vec<Step>) {
    let mut bench = Bench::of(2).await;
    let mut newest = Newest::default();
    let mut working = [true, true];
    for step in steps {
        let indexer = bench.service.indexer();
        match step {
            Step::Put(changes) => {
                let document = |(number, revision): &(u8, i64)| {
                    plain(&slug(*number), *revision, &word(*revision))
                };
                let outcome = indexer.put(changes.iter().map(document).collect()).await;
                if outcome.is_ok() {
                    changes.into_iter().for_each(|change| newest.put(change));
                }
            }
            Step::Delete(changes) => {
                let gone = changes
                    .iter()
                    .map(|(number, rev)| deletion(&slug(*number), *rev));
                if indexer.delete(gone.collect()).await.is_ok() {
                    changes.into_iter().for_each(|change| newest.delete(change));
                }
            }
            Step::Switch(one, two) => {
                working = [one, two];
                for (index, works) in bench.indexes.iter().zip(working) {
                    index.set(if works { Mood::Well } else { Mood::Failing });
                }
            }
            Step::Reconcile => {
                assert_eq!(indexer.reconcile().await.is_ok(), working.contains(&true));
            }
            Step::Restart => {
                let started = Bench::over(bench.indexes.clone()).await;
                assert_eq!(started.is_ok(), working.contains(&true));
                bench = started.unwrap_or(bench);
            }
        }
    }
    bench.indexes.iter().for_each(|index| index.set(Mood::Well));
    bench.service.indexer().reconcile().await.unwrap();
    let (one, two) = (bench.manifest(0).await, bench.manifest(1).await);
    assert_eq!(one.sha256(), two.sha256());
    assert_eq!(documents(&one), newest.documents());
    let again = bench.service.indexer().reconcile().await.unwrap();
    assert!(again.engines.iter().all(|repair| !repair.did_something()));
    // What is held is known, to this service and to one that starts now.
    let started = Bench::over(bench.indexes.clone()).await.unwrap();
    for (number, (revision, hash)) in newest.0 {
        for service in [&bench.service, &started.service] {
            let document = plain(&slug(number), revision, &word(revision));
            let answer = service.indexer().put(vec![document]).await.unwrap();
            assert_eq!(answer.written, 0, "document {number}, {hash:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn indexes_end_equal_and_newest(steps in prop::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(steps));
    }
}
