//! Tests of the servers themselves.
#![allow(clippy::unwrap_used)] // The setting for tests does not reach the functions that they share.

mod mongo;
mod redis;
mod shared;
