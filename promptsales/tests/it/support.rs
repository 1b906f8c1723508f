//! What every test starts with.

mod cli;
mod home;
mod http;
mod ports;
mod scene;
mod up;

pub use cli::{Ran, command, run, run_with_input};
pub use home::TestHome;
pub use http::{Api, Reply, token};
pub use ports::five_free_ports;
pub use scene::{FirstStart, indexed_home, shared_up, writable_up};
pub use up::Up;

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

/// Longest that anything may take here before the test fails; nothing waits for it otherwise. A
/// first start on a machine that is also compiling takes a minute.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// Asks again and again until there is a value.
///
/// # Panics
/// When there is none within [`PATIENCE`].
pub fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = ask() {
            return value;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Documents of the catalogue.
pub const CATALOGUE: u64 = 66;

/// Both indexes of a `status --json` hold the whole catalogue, and the same.
#[track_caller]
pub fn assert_complete_and_equal(status: &Value) {
    let indexes = status["indexes"].as_array().unwrap();
    let engines: Vec<_> = indexes.iter().map(|index| &index["engine"]).collect();
    assert_eq!(engines, ["qdrant-edge", "pgvector"]);
    for index in indexes {
        assert_eq!(index["documents"], CATALOGUE, "{status}");
        assert_eq!(index["manifest_sha256"], indexes[0]["manifest_sha256"]);
        assert_eq!(index["ready"], true, "{status}");
    }
}

/// The ids of an answer of getContent, best first.
#[track_caller]
pub fn ids(answer: &Value) -> Vec<&str> {
    let results = answer["results"]
        .as_array()
        .unwrap_or_else(|| panic!("{answer}"));
    results
        .iter()
        .map(|hit| hit["id"].as_str().unwrap())
        .collect()
}
