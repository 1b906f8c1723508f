//! Lines as they come to lie on a real disk, and what becomes of them there.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod chains;
mod collected;
mod requests;
mod support;
