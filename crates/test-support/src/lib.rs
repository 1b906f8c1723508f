//! What integration tests share: a real PostgreSQL with pgvector, a real Redis, a server that speaks
//! MongoDB's protocol, ONNX Runtime, forged tokens, skip notices.
//!
//! ```no_run
//! # async fn example() {
//! let Some(database) = test_support::fresh_database().await else { return };
//! sqlx::query("select '[1,2]'::vector").execute(&database.pool).await.unwrap();
//! # }
//! ```
//!
//! What is needed is provisioned into the default cache once (see `local_runtime`), so that repeated
//! runs are quick. Where that is impossible a test prints `skipped: <reason>` and passes, unless
//! `CI=true` or `PROMPTSALES_REQUIRE_SERVERS=1` says that a missing part is a failure.
//!
//! Each test process starts one PostgreSQL in a temporary directory and shares it among its tests;
//! `TEST_POSTGRES_URL` names a server to use instead (a superuser's URL; pgvector must be installed).
//! A static is never dropped, so the server ends with the process as `local_runtime` arranges, and a
//! small watcher, which notices the end of this process however it comes, removes the directory.
//! [`own_postgres`] gives a test a server that it may kill and start again.
//!
//! Redis comes from `redis-server` on the PATH, or from `TEST_REDIS_URL`; see [`redis`] for the server
//! that is shared and [`RedisServer`] for one that a test may stop, freeze and start again.
//! MongoDB is the one that `TEST_MONGODB_URL` names, or a FerretDB of ours; see [`mongo`].
//! Qdrant comes from `qdrant` on the PATH, or from `TEST_QDRANT_URL`.

mod chart;
mod database;
pub mod forge;
mod keeper;
mod mongo;
mod own_postgres;
mod qdrant;
mod redis;
mod restart;
mod server;
mod tls;

use std::{
    collections::BTreeSet,
    io::Write,
    path::PathBuf,
    sync::{Mutex, OnceLock, PoisonError},
};

use local_runtime::{CacheDir, Options, Progress, Provisioned, Step, progress};
use tokio::sync::OnceCell;

pub use crate::{
    qdrant::qdrant,
    redis::{RedisServer, own_redis, redis},
};
pub use chart::assert_exports_what_the_chart_reads;
pub use database::{TestDatabase, fresh_database};
pub use keeper::free_port;
pub use mongo::{MongoServer, mongo, own_mongo};
pub use own_postgres::{PostgresServer, own_postgres};
pub use restart::{Addresses, Reaction, restart_under_load};
pub use server::{SharedPostgres, postgres};
pub use tls::assert_speaks_tls_1_3_alone;

/// The environment variable that names a PostgreSQL to use instead of a local one.
pub const POSTGRES_URL_VARIABLE: &str = "TEST_POSTGRES_URL";
/// The environment variable that names a Redis to use instead of a local one.
pub const REDIS_URL_VARIABLE: &str = "TEST_REDIS_URL";
/// The environment variable that names a MongoDB to use instead of a local FerretDB.
pub const MONGODB_URL_VARIABLE: &str = "TEST_MONGODB_URL";
/// The environment variable that names a `ferretdb` binary, instead of one on the PATH.
pub const FERRETDB_VARIABLE: &str = "TEST_FERRETDB";
/// The environment variable that names a Qdrant to use instead of a local one, by its URL for gRPC.
pub const QDRANT_URL_VARIABLE: &str = "TEST_QDRANT_URL";
/// The environment variable that, set to `1`, turns a skip into a failure.
pub const REQUIRE_VARIABLE: &str = "PROMPTSALES_REQUIRE_SERVERS";

/// The path of ONNX Runtime's shared library; `None` (and a printed notice) when it cannot be had.
/// Blocks while it is provisioned for the first time; may be called inside and outside a runtime.
///
/// # Panics
/// When it cannot be had and skipping is not allowed.
pub fn onnxruntime() -> Option<PathBuf> {
    static PATH: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let path = PATH.get_or_init(|| {
        // A thread of its own: the caller's may be inside a runtime already.
        std::thread::scope(|scope| {
            let provisioning = scope.spawn(|| {
                tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .map_err(|error| error.to_string())?
                    .block_on(provisioned())
                    .map(|provisioned| provisioned.onnxruntime.clone())
            });
            provisioning
                .join()
                .unwrap_or_else(|_| Err("provisioning panicked".to_owned()))
        })
    });
    or_skip("ONNX Runtime", path.clone())
}

/// Provisions once per process, into the default cache.
async fn provisioned() -> Result<&'static Provisioned, String> {
    static PROVISIONED: OnceCell<Result<Provisioned, String>> = OnceCell::const_new();
    let outcome = PROVISIONED
        .get_or_init(|| async {
            let env = |name: &str| std::env::var(name).ok();
            let cache = CacheDir::resolve(None, &env).map_err(|error| error.to_string())?;
            let shown = Quiet(progress::on_stderr());
            local_runtime::provision(&cache, &Options::from_env(&env), &shown)
                .await
                .map_err(|error| error.to_string())
        })
        .await;
    outcome.as_ref().map_err(Clone::clone)
}

/// Shows the work, but not that nothing had to be done: every test process would say so.
struct Quiet(Box<dyn Progress>);

impl Progress for Quiet {
    fn step(&self, artifact: &'static str, step: Step) {
        if step != Step::Ready {
            self.0.step(artifact, step);
        }
    }

    fn waiting(&self, cache: &std::path::Path, holder: &str) {
        self.0.waiting(cache, holder);
    }
}

/// Says on standard error that a contract suite runs, once for each adapter and server. Seen also when the
/// tests pass: a suite that did not run would look the same.
pub fn contract(port: &'static str, server: &str) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let line = format!("contract: {port} on {server}\n");
    let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    if said.insert(line.clone()) {
        std::io::stderr().write_all(line.as_bytes()).ok();
    }
}

/// The value; or a notice and `None`; or a panic where skipping is not allowed.
///
/// # Panics
/// When there is no value and `CI=true` or `PROMPTSALES_REQUIRE_SERVERS=1`.
pub fn or_skip<T>(what: &str, outcome: Result<T, String>) -> Option<T> {
    let is = |name, value| std::env::var(name).is_ok_and(|found| found == value);
    resolve(what, outcome, is("CI", "true") || is(REQUIRE_VARIABLE, "1"))
}

fn resolve<T>(what: &str, outcome: Result<T, String>, required: bool) -> Option<T> {
    match outcome {
        Ok(value) => Some(value),
        Err(reason) => {
            assert!(!required, "{what} is required here and missing: {reason}");
            // A skip that nobody sees would be a lie: `eprintln` is captured in tests that pass.
            let notice = format!("skipped: {what} is missing: {reason}\n");
            std::io::stderr().write_all(notice.as_bytes()).ok();
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::resolve;

    #[test]
    fn a_missing_part_is_a_skip() {
        assert_eq!(
            resolve::<()>("it", Err("no network".to_owned()), false),
            None
        );
        assert_eq!(resolve("it", Ok(1), true), Some(1));
    }

    #[test]
    #[should_panic(expected = "it is required here and missing: no network")]
    fn a_missing_part_is_a_failure_where_it_is_required() {
        resolve::<()>("it", Err("no network".to_owned()), true);
    }
}
