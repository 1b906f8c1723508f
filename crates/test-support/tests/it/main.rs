//! Tests of the shared server itself.
#![allow(clippy::unwrap_used)] // The setting for tests does not reach the functions that they share.

mod shared;
