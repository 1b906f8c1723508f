//! Tests of the images crate, on the catalogue that it ships and on files made to be faulty.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bundled;
mod directory;
mod facts;
mod negotiation;
mod renditions;
mod support;
mod uploads;
mod validation;

#[cfg(feature = "render")]
mod drawing;
