//! Metric queries on a warehouse with the sample data.

mod asked;
mod generated;
mod measured;
mod reference;
mod shapes;
mod verified;
mod world;
