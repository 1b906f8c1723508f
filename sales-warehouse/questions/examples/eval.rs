//! Reads questions of evaluation files and counts what came out right: `cargo run --example eval -- FILE...`.

#![allow(clippy::print_stdout, reason = "it prints")]

#[path = "../tests/it/reading/members.rs"]
mod members;
#[path = "../tests/it/reading/score.rs"]
mod score;

use std::sync::Arc;

use sales_questions::{Model, Reader};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let reader = Reader::new(Arc::new(Model::builtin().clone()), members::members(6_000));
    for file in std::env::args().skip(1) {
        let score = score::score(&reader, &std::fs::read_to_string(&file)?)?;
        println!("{file}: {score}");
    }
    Ok(())
}
