//! Writers and a reader in a random order: what the reader has put together is what the source holds.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, Hasher, RandomState},
};

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};
use sales_warehouse::source::Watermark;

use super::{
    Backend, Held, Write,
    reading::{open, settled},
    scene::Numbered,
};

const STEPS: usize = 250;
const NUMBERS: i64 = 12;
/// A seed to repeat a failure with.
const SEED_VARIABLE: &str = "SALES_WAREHOUSE_TEST_SEED";

/// Reads by watermark into a copy, as the ETL does.
struct Reader {
    copy: Numbered,
    since: Watermark,
}

impl Reader {
    async fn read(&mut self, backend: &dyn Backend) {
        let scene = backend.scene();
        let mut snapshot = open(backend).await;
        let next = snapshot.facts().next;
        assert!(next >= self.since, "the watermark went back");
        for number in scene.deleted(snapshot.as_mut(), self.since).await {
            self.copy.remove(&number);
        }
        let rows = scene.read(snapshot.as_mut(), self.since).await;
        self.copy.extend(rows);
        self.since = next;
        // A copy is of the very snapshot that it was read from.
        let whole = scene.read(snapshot.as_mut(), Watermark::START).await;
        assert_eq!(self.copy, whole);
    }
}

/// Writers, none of which waits for another: a number that one of them holds is left alone.
struct Writers<'a> {
    backend: &'a dyn Backend,
    committed: Numbered,
    held: BTreeMap<i64, (Write, Box<dyn Held>)>,
}

impl Writers<'_> {
    async fn step(&mut self, dice: &mut ChaCha8Rng) {
        let number = i64::from(dice.next_u32()) % NUMBERS;
        if let Some((write, held)) = self.held.remove(&number) {
            if dice.next_u32().is_multiple_of(3) {
                held.roll_back().await;
            } else {
                held.commit().await;
                self.note(write);
            }
            return;
        }
        let write = if !self.committed.contains_key(&number) {
            Write::Insert(number)
        } else if dice.next_u32().is_multiple_of(3) {
            Write::Delete(number)
        } else {
            Write::Update(number, i64::from(dice.next_u32() % 1_000))
        };
        if dice.next_u32().is_multiple_of(3) {
            let held = self.backend.hold(write).await;
            self.held.insert(number, (write, held));
        } else {
            self.backend.write(write).await;
            self.note(write);
        }
    }

    fn note(&mut self, write: Write) {
        match write {
            Write::Insert(number) => self.committed.insert(number, number),
            Write::Update(number, measure) => self.committed.insert(number, measure),
            Write::Delete(number) => self.committed.remove(&number),
        };
    }
}

#[allow(clippy::print_stdout, reason = "a failing test shows it")]
pub async fn anything_in_any_order(backend: &dyn Backend) {
    let seed = match std::env::var(SEED_VARIABLE) {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => RandomState::new().build_hasher().finish(),
    };
    println!("{SEED_VARIABLE}={seed}");
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let mut reader = Reader {
        copy: Numbered::new(),
        since: settled(backend).await,
    };
    let mut writers = Writers {
        backend,
        committed: Numbered::new(),
        held: BTreeMap::new(),
    };
    for _ in 0..STEPS {
        if dice.next_u32().is_multiple_of(4) {
            reader.read(backend).await;
            assert_eq!(reader.copy, writers.committed);
        } else {
            writers.step(&mut dice).await;
        }
    }
    for (write, held) in std::mem::take(&mut writers.held).into_values() {
        held.commit().await;
        writers.note(write);
    }
    reader.read(backend).await;
    assert_eq!(reader.copy, writers.committed);
    for number in writers.committed.into_keys() {
        backend.write(Write::Delete(number)).await;
    }
}
