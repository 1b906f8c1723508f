//! Provisioning with a stand-in for Python and with the real one, and PostgreSQL as a child.
#![allow(clippy::unwrap_used)] // The setting for tests does not reach the functions that they share.

mod fake;
mod postgres;
mod provision;
