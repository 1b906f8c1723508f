//! Reads questions from standard input, one a line, and prints what they come to, for 22 November 2026.

#![allow(clippy::print_stdout, reason = "it prints")]

#[path = "../tests/it/reading/members.rs"]
mod members;

use std::{io::BufRead, sync::Arc};

use sales_questions::{Model, Outcome, Reader};
use time::macros::date;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let reader = Reader::new(Arc::new(Model::builtin().clone()), members::members(6_000));
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let reading = reader.read(&line, date!(2026 - 11 - 22));
        println!("{} [{}]", line, reading.language.code());
        match reading.outcome {
            Outcome::Answer(query) => {
                let mut json = serde_json::to_value(query)?;
                if let Some(parts) = json.as_object_mut() {
                    parts.retain(|_, part| {
                        !part.is_null() && part.as_array().is_none_or(|list| !list.is_empty())
                    });
                }
                println!("    {json}");
            }
            Outcome::Clarify(ask) => {
                let choices: Vec<String> = ask
                    .choices
                    .iter()
                    .map(|choice| choice.label.clone())
                    .collect();
                println!("    ? {:?} {} {choices:?}", ask.reason, ask.question);
            }
            Outcome::Decline(refusal) => println!("    ! {:?}", refusal.reason),
        }
        if std::env::args().nth(1).is_some() {
            for note in reading.evidence.notes {
                println!("      {:?} {:?} {}", &line[note.span], note.kind, note.name);
            }
        }
    }
    Ok(())
}
