//! Times readings: of the development questions with what they compile to, of hostile inputs and of random ones of
//! the greatest length.

#![allow(clippy::print_stdout, reason = "it prints")]

#[path = "../tests/it/reading/members.rs"]
mod members;

use std::{sync::Arc, time::Instant};

use sales_questions::{Model, Outcome, Reader, compile, eval::judged};
use time::macros::date;

/// Random inputs.
const INPUTS: u64 = 500;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let reader = Reader::new(Arc::new(Model::builtin().clone()), members::members(6_000));
    for piece in [
        "from ",
        "last ",
        "1 ",
        "12/",
        "entre ",
        "de ",
        "the last 3 ",
        "campaigns by ",
        "roas above 3 and ",
        "más de 1.000 leads ",
        "xqzv ",
        "revenu ",
        "campaing ",
        "conversiones por canal en el primer trimestre de 2026 y ",
        "a",
        "2026-",
        "black friday ",
        "desde hace dos semanas ",
        "viernes negro españa 2025 11 ",
        "vs last year ",
        "?",
        "¿qué? ",
        "primer trimestre de ",
        "of the of the ",
        "la última semana de la última semana de ",
        "and how many leads ",
        "España, ",
    ] {
        let text: String = piece.repeat(2_000).chars().take(2_000).collect();
        let slowest = (0..5)
            .map(|_| {
                let start = Instant::now();
                let _ = reader.read(&text, date!(2026 - 11 - 22));
                start.elapsed()
            })
            .min()
            .unwrap_or_default();
        println!("{slowest:?} {piece}");
    }
    println!(
        "{:?} the worst of {INPUTS} random inputs",
        worst_of_random(&reader)
    );
    let (p99, most, count) = development(&reader)?;
    println!("{p99:?} p99, {most:?} at most: reading and compiling {count} development questions");
    Ok(())
}

/// The quicker of two readings of each development question, with what it compiles to.
fn development(
    reader: &Reader,
) -> Result<(std::time::Duration, std::time::Duration, usize), Box<dyn std::error::Error>> {
    let mut all = Vec::new();
    for (split, questions) in judged()? {
        for one in questions.iter().filter(|_| split == "dev") {
            let taken = (0..2).map(|_| {
                let start = Instant::now();
                let reading = reader.read(&one.text, one.today);
                if let Outcome::Answer(query) = &reading.outcome {
                    let _ = compile(Model::builtin(), query, reading.language, one.today);
                }
                start.elapsed()
            });
            all.extend(taken.min());
        }
    }
    all.sort_unstable();
    let last = all.len() - 1;
    Ok((all[last * 99 / 100], all[last], all.len()))
}

/// Words of questions and letters in any order; the dice are the same each time.
fn worst_of_random(reader: &Reader) -> std::time::Duration {
    let words: Vec<String> = judged()
        .unwrap_or_default()
        .into_iter()
        .filter(|(split, _)| *split == "dev")
        .flat_map(|(_, all)| all)
        .flat_map(|one| {
            let words = one.text.split(' ').map(str::to_owned);
            words.collect::<Vec<_>>()
        })
        .collect();
    let mut dice = 0x9e37_79b9_7f4a_7c15_u64;
    let mut roll = |sides: usize| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        (dice % sides as u64) as usize
    };
    let inputs = (0..INPUTS).map(|input| {
        let mut text = String::new();
        while text.chars().count() < 2_000 {
            if input % 2 == 0 {
                text += &words[roll(words.len())];
                text.push(' ');
            } else {
                text.extend(char::from_u32(32 + roll(220) as u32));
            }
        }
        let text: String = text.chars().take(2_000).collect();
        let taken = (0..3).map(|_| {
            let start = Instant::now();
            let _ = reader.read(&text, date!(2026 - 11 - 22));
            start.elapsed()
        });
        taken.min().unwrap_or_default()
    });
    inputs.max().unwrap_or_default()
}
