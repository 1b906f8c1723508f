//! From wheels to trees.

mod cache;
mod failures;
mod overrides;
mod real;
