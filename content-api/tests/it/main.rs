//! The content API over real sockets, a real PostgreSQL and real tokens. Only the embedder is a
//! double: the true one runs in the end-to-end tests of the one-binary edition.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod access;
mod bad_input;
mod binary;
mod cache;
mod caching;
mod campaigns;
mod config;
mod documents;
mod double;
mod erasure;
mod faults;
mod get_content;
mod health;
mod images_served;
mod left_out;
mod life_cycle;
mod metrics;
mod mongo_faults;
mod openapi;
mod postgres_faults;
mod publishing;
mod restored;
mod sample;
mod seeding;
mod stopping;
mod store_contract;
mod store_mongo;
mod store_mongo_setup;
mod store_postgres;
mod under_load;
mod uploads;
mod world;
