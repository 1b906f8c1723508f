//! Numbers and days as people write them.

use contracts::Language;
use time::Date;

use super::Cell;
use crate::{compiling::Column, model::Unit};

/// A cell as text.
pub fn cell(cell: &Cell, column: &Column, language: Language) -> String {
    match cell {
        Cell::Null => "—".to_owned(),
        Cell::Text(text) => text.clone(),
        Cell::Day(day) => day.to_string(),
        Cell::Integer(number) => decimal(*number as f64, 0, language),
        Cell::Number(value) => number(*value, column.unit.unwrap_or(Unit::Ratio), language),
    }
}

/// A number of a unit: `1,234.50 USD`, `2.35%`, `2 h 13 min`; in Spanish `1.234,50 USD`, `2,35 %`.
pub fn number(value: f64, unit: Unit, language: Language) -> String {
    match unit {
        Unit::Count => decimal(value, 0, language),
        Unit::Usd => format!("{} USD", decimal(value, 2, language)),
        Unit::Fraction => {
            let percent = decimal(value * 100.0, 2, language);
            match language {
                Language::En => format!("{percent}%"),
                // A thin space that does not break, as Spanish wants one.
                Language::Es => format!("{percent}\u{202f}%"),
            }
        }
        Unit::Ratio => decimal(value, 2, language),
        Unit::Points => decimal(value, 1, language),
        Unit::Seconds => duration(value),
    }
}

/// With a sign, for what has changed.
pub fn signed(value: f64, unit: Unit, language: Language) -> String {
    let sign = if value > 0.0 { "+" } else { "" };
    format!("{sign}{}", number(value, unit, language))
}

fn decimal(value: f64, places: usize, language: Language) -> String {
    let (thousands, point) = match language {
        Language::En => (',', '.'),
        Language::Es => ('.', ','),
    };
    let plain = format!("{:.places$}", value.abs());
    let (whole, rest) = plain.split_once('.').unwrap_or((&plain, ""));
    let mut text = String::new();
    // Not "-0.00".
    if value < 0.0 && plain.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) {
        text.push('-');
    }
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            text.push(thousands);
        }
        text.push(digit);
    }
    if !rest.is_empty() {
        text.push(point);
        text += rest;
    }
    text
}

fn duration(seconds: f64) -> String {
    let all = seconds.round() as i64;
    let (hours, minutes, rest) = (all / 3_600, all / 60 % 60, all % 60);
    match (hours, minutes) {
        (0, 0) => format!("{rest} s"),
        (0, _) => format!("{minutes} min {rest} s"),
        _ => format!("{hours} h {minutes} min"),
    }
}

/// `22 November 2026`, `22 de noviembre de 2026`.
pub fn day(day: Date, language: Language) -> String {
    let month = month(day, language);
    match language {
        Language::En => format!("{} {month} {}", day.day(), day.year()),
        Language::Es => format!("{} de {month} de {}", day.day(), day.year()),
    }
}

/// The month's name.
pub fn month(day: Date, language: Language) -> &'static str {
    const EN: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    const ES: [&str; 12] = [
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ];
    let place = usize::from(u8::from(day.month()) - 1);
    match language {
        Language::En => EN[place],
        Language::Es => ES[place],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_their_language_and_unit() {
        let (en, es) = (Language::En, Language::Es);
        for (value, unit, in_en, in_es) in [
            (
                1_234_567.891,
                Unit::Usd,
                "1,234,567.89 USD",
                "1.234.567,89 USD",
            ),
            (-1_234.5, Unit::Usd, "-1,234.50 USD", "-1.234,50 USD"),
            (-0.001, Unit::Usd, "0.00 USD", "0,00 USD"),
            (0.0235, Unit::Fraction, "2.35%", "2,35\u{202f}%"),
            (999.0, Unit::Count, "999", "999"),
            (1_000.0, Unit::Count, "1,000", "1.000"),
            (3.456, Unit::Ratio, "3.46", "3,46"),
            (61.25, Unit::Points, "61.2", "61,2"),
            (7_980.0, Unit::Seconds, "2 h 13 min", "2 h 13 min"),
            (75.4, Unit::Seconds, "1 min 15 s", "1 min 15 s"),
        ] {
            assert_eq!(number(value, unit, en), in_en);
            assert_eq!(number(value, unit, es), in_es);
        }
        assert_eq!(signed(0.5, Unit::Fraction, en), "+50.00%");
    }
}
