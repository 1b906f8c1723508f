//! The port `AnswerCache` and its adapters.

mod contract;
mod figures;
mod memory;
mod redis;
mod redis_faults;
mod redis_settings;
mod redis_topologies;
mod replicas;
mod sample;
