//! Which days a time expression means: JSON lines with `id`, `text` and `lang` in; with `id`, `from` and `to` out.
//! Each is asked as a question about revenue, on 22 November 2026. `bench/time` scores it.

use std::{
    error::Error,
    io::{self, BufRead as _, Write as _},
    sync::Arc,
};

use sales_questions::{Members, Model, Outcome, Reader, query::TimeRange};
use serde_json::{Value, json};
use time::macros::date;

fn main() -> Result<(), Box<dyn Error>> {
    let model = Model::builtin();
    let reader = Reader::new(Arc::new(model.clone()), Members::of(model));
    for line in io::stdin().lock().lines() {
        let asked: Value = serde_json::from_str(&line?)?;
        let text = asked["text"].as_str().ok_or("no text")?;
        let revenue = match asked["lang"].as_str() {
            Some("es") => "ingresos",
            _ => "revenue",
        };
        let reading = reader.read(&format!("{revenue} {text}"), date!(2026 - 11 - 22));
        let range = match reading.outcome {
            Outcome::Answer(query) => query.time,
            Outcome::Clarify(_) | Outcome::Decline(_) => None,
        };
        let TimeRange { from, to } = range.unwrap_or(TimeRange {
            from: None,
            to: None,
        });
        let day = |day: Option<time::Date>| day.map(|day| day.to_string());
        let answer = json!({"id": asked["id"], "from": day(from), "to": day(to)});
        writeln!(io::stdout(), "{answer}")?;
    }
    Ok(())
}
