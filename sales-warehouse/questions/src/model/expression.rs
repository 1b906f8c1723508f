//! Expressions of the model: SQL over columns, and arithmetic over metrics.
//!
//! They are cut into words, not understood: enough to know every column, to give it its table's alias, and
//! to let nothing in that the list below does not have.

use std::fmt::Write;

/// What may stand in an expression besides columns, numbers, strings and operators.
const WORDS: [&str; 20] = [
    "SUM", "COUNT", "AVG", "MIN", "MAX", "DISTINCT", "FILTER", "WHERE", "AND", "OR", "NOT", "IS",
    "NULL", "IN", "BETWEEN", "TRUE", "FALSE", "OVER", "ORDER", "BY",
];
const SYMBOLS: &str = "()*+-/,<>= ";

/// A column of a dataset. Indices are those of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Column {
    pub dataset: usize,
    /// Index into the dataset's fields.
    pub field: usize,
}

#[derive(Clone, Debug, PartialEq)]
enum Part<T> {
    Text(String),
    Name(T),
}

/// What a parenthesis belongs to.
enum Around {
    Sum,
    Count,
    /// `COUNT(DISTINCT …)`.
    Different,
    Filter,
    Other,
}

impl Around {
    fn after(word: &str) -> Self {
        match &*word.to_ascii_uppercase() {
            "SUM" => Self::Sum,
            "COUNT" => Self::Count,
            "FILTER" => Self::Filter,
            _ => Self::Other,
        }
    }
}

/// Text with names in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression<T>(Vec<Part<T>>);

impl<T: Copy> Expression<T> {
    /// Every name, in order.
    pub fn names(&self) -> impl Iterator<Item = T> {
        self.0.iter().filter_map(|part| match part {
            Part::Name(name) => Some(*name),
            Part::Text(_) => None,
        })
    }

    /// The name, where there is nothing else.
    pub fn only(&self) -> Option<T> {
        match self.0[..] {
            [Part::Name(name)] => Some(name),
            _ => None,
        }
    }

    /// Whether it comes to the same over rows that were added up before, of which `is_sum` tells the columns
    /// that were: these are in a `SUM` alone, and others are counted as different ones or filtered by.
    pub fn adds_up(&self, is_sum: impl Fn(T) -> bool) -> bool {
        let (mut around, mut word) = (Vec::new(), "");
        for part in &self.0 {
            let place = around.last_mut();
            match part {
                Part::Text(text) if text == " " => {}
                Part::Text(text) if text == "(" => {
                    around.push(Around::after(word));
                    word = "";
                }
                Part::Text(text) if text == ")" => {
                    around.pop();
                }
                Part::Text(text) => {
                    match place {
                        Some(Around::Sum) if !["+", "-"].contains(&&**text) => return false,
                        Some(count @ Around::Count) if text.eq_ignore_ascii_case("DISTINCT") => {
                            *count = Around::Different;
                        }
                        Some(Around::Count | Around::Different) => return false,
                        _ => {}
                    }
                    word = text;
                }
                Part::Name(name) => match place {
                    Some(Around::Sum) if is_sum(*name) => {}
                    Some(Around::Different | Around::Filter) if !is_sum(*name) => {}
                    _ => return false,
                },
            }
        }
        true
    }

    /// As text, with each name written by `write`.
    pub fn render(&self, write: impl Fn(T) -> String) -> String {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Name(name) => text.push_str(&write(*name)),
            }
        }
        text
    }
}

/// Reads SQL; `column` finds `dataset.field`.
pub fn sql(
    text: &str,
    column: impl Fn(&str, &str) -> Result<Column, String>,
) -> Result<Expression<Column>, Vec<String>> {
    parse(text, |word| match word.split_once('.') {
        Some((dataset, field)) => column(dataset, field).map(Part::Name),
        None if WORDS.contains(&word.to_ascii_uppercase().as_str()) => {
            Ok(Part::Text(word.to_owned()))
        }
        None => Err(format!(
            "'{word}' is no column: write dataset.field, or use one of {}",
            WORDS.join(", ")
        )),
    })
}

/// Reads arithmetic over metrics; `metric` finds one.
pub fn arithmetic(
    text: &str,
    metric: impl Fn(&str) -> Result<usize, String>,
) -> Result<Expression<usize>, Vec<String>> {
    parse(text, |word| metric(word).map(Part::Name))
}

fn parse<T>(
    text: &str,
    name: impl Fn(&str) -> Result<Part<T>, String>,
) -> Result<Expression<T>, Vec<String>> {
    let (mut parts, mut faults) = (Vec::new(), Vec::new());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '\'' => rest[1..].find('\'').map_or(rest.len(), |at| at + 2),
            'a'..='z' | 'A'..='Z' | '_' => word_end(rest),
            '0'..='9' => rest
                .find(|c: char| !c.is_ascii_digit() && c != '.')
                .unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (word, after) = rest.split_at(end);
        match first {
            '\'' if word.len() < 2 || !word.ends_with('\'') => {
                faults.push(format!("{word} has no closing quote"));
            }
            'a'..='z' | 'A'..='Z' | '_' => match name(word) {
                Ok(part) => parts.push(part),
                Err(fault) => faults.push(fault),
            },
            '\'' | '0'..='9' => parts.push(Part::Text(word.to_owned())),
            other if SYMBOLS.contains(other) => parts.push(Part::Text(word.to_owned())),
            other => faults.push(format!("'{other}' may not stand in an expression")),
        }
        rest = after;
    }
    if parts.is_empty() && faults.is_empty() {
        faults.push("an expression is empty".to_owned());
    }
    if text.matches('(').count() != text.matches(')').count() {
        faults.push("its parentheses do not match".to_owned());
    }
    if faults.is_empty() {
        Ok(Expression(parts))
    } else {
        let mut told = String::new();
        let _infallible = write!(told, "in `{text}`: ");
        Err(faults
            .into_iter()
            .map(|fault| told.clone() + &fault)
            .collect())
    }
}

fn word_end(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.')
        .unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Expression<Column>, Vec<String>> {
        sql(text, |dataset, field| match (dataset, field) {
            ("ads", "cost") => Ok(Column {
                dataset: 0,
                field: 1,
            }),
            ("ads", "kind") => Ok(Column {
                dataset: 0,
                field: 2,
            }),
            _ => Err(format!("no {dataset}.{field}")),
        })
    }

    #[test]
    fn columns_are_found_and_written_anew() {
        let text = "1000 * SUM(ads.cost) FILTER (WHERE ads.cost <> 'it is ads.cost')";
        let read = read(text).unwrap();
        assert_eq!(read.names().count(), 2);
        let written = read.render(|_| "f.cost_usd".to_owned());
        assert_eq!(
            written,
            "1000 * SUM(f.cost_usd) FILTER (WHERE f.cost_usd <> 'it is ads.cost')"
        );
    }

    #[test]
    fn only_sums_of_sums_add_up() {
        for (text, expected) in [
            ("SUM(ads.cost)", true),
            (
                "1000 * SUM(ads.cost - ads.cost) / COUNT(DISTINCT ads.kind)",
                true,
            ),
            ("SUM(ads.cost) FILTER (WHERE ads.kind = 'a')", true),
            ("SUM(ads.cost) FILTER (WHERE ads.cost > 3)", false),
            ("SUM(ads.cost * ads.cost)", false),
            ("SUM(ads.kind)", false),
            ("SUM(2)", false),
            ("COUNT(ads.kind)", false),
            ("COUNT(*)", false),
            ("COUNT(DISTINCT ads.cost)", false),
            ("AVG(ads.cost)", false),
            ("MAX(ads.kind)", false),
            ("SUM(SUM(ads.cost)) OVER (ORDER BY ads.kind)", false),
        ] {
            let adds_up = read(text).unwrap().adds_up(|column| column.field == 1);
            assert_eq!(adds_up, expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_known_is_refused_all_at_once() {
        let faults = read("SUM(ads.price) + pg_sleep(1); --").unwrap_err();
        assert_eq!(faults.len(), 3, "{faults:?}");
        assert!(faults[0].contains("no ads.price"), "{faults:?}");
        assert!(faults[1].contains("'pg_sleep' is no column"), "{faults:?}");
        assert!(faults[2].contains("';' may not stand"), "{faults:?}");
        for text in ["", "SUM(ads.cost", "ads.cost = 'x", "\"x\"", "'"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
