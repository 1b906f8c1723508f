//! Times readings of hostile inputs of the greatest length.

#![allow(clippy::print_stdout, reason = "it prints")]

#[path = "../tests/it/reading/members.rs"]
mod members;

use std::{sync::Arc, time::Instant};

use sales_questions::{Model, Reader};
use time::macros::date;

fn main() {
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
}
