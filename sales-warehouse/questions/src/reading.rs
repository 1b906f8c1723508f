//! From a question to a [`MetricQuery`], a clarification, or a refusal.
#![allow(dead_code)]
pub(crate) mod numbers;
pub(crate) mod text;
pub(crate) mod time;
