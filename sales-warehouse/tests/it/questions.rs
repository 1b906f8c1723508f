//! Metric queries on a warehouse with the sample data.

mod shapes;
mod verified;
mod world;
