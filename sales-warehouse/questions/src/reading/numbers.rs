//! Numbers as people write them in either language.

use super::text::{Kind, Token};

/// A number in a question.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Quantity {
    pub value: f64,
    pub percent: bool,
    /// It was said to be money.
    pub money: bool,
    /// The token after it.
    pub end: usize,
}

/// The number that begins at `at`, with its magnitude, percent sign and currency.
pub(crate) fn quantity(tokens: &[Token], at: usize) -> Option<Quantity> {
    let before = tokens.get(at)?.is(&["$", "€", "£", "usd", "us"])
        && tokens
            .get(at + 1)
            .is_some_and(|token| token.kind == Kind::Number || token.is(&["$"]));
    let mut start = at;
    if before {
        start += if tokens[at].is(&["us"]) { 2 } else { 1 };
    }
    let (mut value, mut end) = digits(tokens, start).or_else(|| words(tokens, start))?;
    while let Some(times) = tokens.get(end).and_then(magnitude) {
        value *= times;
        end += 1;
        if tokens.get(end).is_some_and(|token| token.is(&["de", "of"]))
            && tokens.get(end + 1).is_some_and(is_currency)
        {
            end += 1;
        }
    }
    let mut money = before;
    if tokens.get(end).is_some_and(is_currency) {
        money = true;
        end += 1;
    }
    let mut percent = false;
    match tokens.get(end) {
        Some(token) if token.is(&["%", "percent", "pct", "porciento"]) => {
            percent = true;
            end += 1;
        }
        Some(token)
            if token.is(&["por", "per"])
                && tokens
                    .get(end + 1)
                    .is_some_and(|next| next.is(&["ciento", "cent"])) =>
        {
            percent = true;
            end += 2;
        }
        _ => {}
    }
    value.is_finite().then_some(Quantity {
        value,
        percent,
        money,
        end,
    })
}

/// A whole number up to a few thousand, for counts of days and rows.
pub(crate) fn count(tokens: &[Token], at: usize) -> Option<(i64, usize)> {
    let (value, end) = digits(tokens, at).or_else(|| words(tokens, at))?;
    let whole = value.fract() == 0.0 && (0.0..=100_000.0).contains(&value);
    whole.then_some((value as i64, end))
}

/// Whether a word is a number.
pub(crate) fn is_number(word: &str) -> bool {
    simple(word).is_some()
}

fn is_currency(token: &Token) -> bool {
    token.is(&[
        "$", "€", "£", "usd", "dollars", "dollar", "dolares", "dolar", "bucks", "eur", "euros",
        "euro",
    ])
}

fn magnitude(token: &Token) -> Option<f64> {
    let large = match token.text.as_str() {
        "k" | "mil" | "thousand" | "grand" => 1e3,
        "m" | "mm" | "mn" | "million" | "millions" | "millon" | "millones" => 1e6,
        "billion" | "bn" => 1e9,
        _ => return None,
    };
    // "5 m" may be anything; "5M" and "5 mil" are clear.
    (token.text.len() > 2 || token.joined || token.text == "mm").then_some(large)
}

fn digits(tokens: &[Token], at: usize) -> Option<(f64, usize)> {
    let token = tokens.get(at).filter(|token| token.kind == Kind::Number)?;
    let mut text = token.text.clone();
    let mut end = at + 1;
    // "10 000": a space for the thousands.
    while let Some(next) = tokens.get(end) {
        let group = next.kind == Kind::Number
            && next.text.len() == 3
            && !next.joined
            && next.span.start == tokens[end - 1].span.end + 1
            && text.len() <= 3
            && end == at + 1;
        if !group {
            break;
        }
        text.push_str(&next.text);
        end += 1;
    }
    parse(&text).map(|value| (value, end))
}

/// "1.000" and "1,000" are a thousand, "1,5" and "1.5" one and a half, "1.000,5" and "1,000.5" both.
fn parse(text: &str) -> Option<f64> {
    let last = text.rfind(['.', ',']);
    let Some(last) = last else { return ascii(text) };
    let mark = text.as_bytes()[last];
    let marks = text.bytes().filter(|b| *b == mark).count();
    let other = text.bytes().any(|b| matches!(b, b'.' | b',') && b != mark);
    let tail = text.len() - last - 1;
    let groups = |text: &str| text.replace(['.', ','], "");
    let thousands = marks > 1 || (!other && tail == 3 && !text.starts_with("0") && last <= 3);
    if thousands {
        ascii(&groups(text))
    } else {
        ascii(&format!("{}.{}", groups(&text[..last]), &text[last + 1..]))
    }
}

fn ascii(text: &str) -> Option<f64> {
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

fn words(tokens: &[Token], at: usize) -> Option<(f64, usize)> {
    let (mut value, mut end) = (simple(&tokens.get(at)?.text)?, at + 1);
    if (20.0..100.0).contains(&value) && value % 10.0 == 0.0 {
        let and = tokens.get(end).is_some_and(|token| token.is(&["y"]));
        let next = end + usize::from(and);
        let unit = tokens.get(next).and_then(|token| simple(&token.text));
        if let Some(unit) = unit.filter(|unit| (1.0..10.0).contains(unit)) {
            value += unit;
            end = next + 1;
        }
    }
    if value < 10.0 && tokens.get(end).is_some_and(|token| token.is(&["hundred"])) {
        return Some((value * 100.0, end + 1));
    }
    Some((value, end))
}

fn simple(word: &str) -> Option<f64> {
    const WORDS: [(f64, &[&str]); 43] = [
        (0.0, &["zero", "cero"]),
        (1.0, &["one", "uno"]),
        (2.0, &["two", "dos"]),
        (3.0, &["three", "tres"]),
        (4.0, &["four", "cuatro"]),
        (5.0, &["five", "cinco"]),
        (6.0, &["six", "seis"]),
        (7.0, &["seven", "siete"]),
        (8.0, &["eight", "ocho"]),
        (9.0, &["nine", "nueve"]),
        (10.0, &["ten", "diez"]),
        (11.0, &["eleven", "once"]),
        (12.0, &["twelve", "doce", "dozen"]),
        (13.0, &["thirteen", "trece"]),
        (14.0, &["fourteen", "catorce"]),
        (15.0, &["fifteen", "quince"]),
        (16.0, &["sixteen", "dieciseis"]),
        (17.0, &["seventeen", "diecisiete"]),
        (18.0, &["eighteen", "dieciocho"]),
        (19.0, &["nineteen", "diecinueve"]),
        (20.0, &["twenty", "veinte"]),
        (21.0, &["veintiuno", "veintiun", "veintiuna"]),
        (22.0, &["veintidos"]),
        (23.0, &["veintitres"]),
        (24.0, &["veinticuatro"]),
        (25.0, &["veinticinco"]),
        (26.0, &["veintiseis"]),
        (27.0, &["veintisiete"]),
        (28.0, &["veintiocho"]),
        (29.0, &["veintinueve"]),
        (30.0, &["thirty", "treinta"]),
        (40.0, &["forty", "cuarenta"]),
        (50.0, &["fifty", "cincuenta"]),
        (60.0, &["sixty", "sesenta"]),
        (70.0, &["seventy", "setenta"]),
        (80.0, &["eighty", "ochenta"]),
        (90.0, &["ninety", "noventa"]),
        (100.0, &["hundred", "cien", "ciento"]),
        (200.0, &["doscientos", "doscientas"]),
        (300.0, &["trescientos", "trescientas"]),
        (500.0, &["quinientos", "quinientas"]),
        (1_000.0, &["mil", "thousand"]),
        (1_000_000.0, &["million", "millon"]),
    ];
    WORDS
        .iter()
        .find(|(_, words)| words.contains(&word))
        .map(|(value, _)| *value)
}

#[cfg(test)]
mod tests {
    use super::{super::text::tokens, *};

    #[test]
    fn both_formats_are_read() {
        for (text, value) in [
            ("1.000", 1_000.0),
            ("1,000", 1_000.0),
            ("1,5", 1.5),
            ("1.5", 1.5),
            ("0.250", 0.25),
            ("1.234.567", 1_234_567.0),
            ("1,234.5", 1_234.5),
            ("1.234,5", 1_234.5),
            ("2k", 2_000.0),
            ("2 mil", 2_000.0),
            ("dos mil", 2_000.0),
            ("1.5M", 1_500_000.0),
            ("10 000", 10_000.0),
            ("1,5 millones", 1_500_000.0),
            ("$500", 500.0),
            ("two hundred", 200.0),
            ("treinta y cinco", 35.0),
            ("twenty-five", 25.0),
            ("un", f64::NAN),
            ("mil", 1_000.0),
            ("3 millones de dolares", 3e6),
            ("US$ 40", 40.0),
            ("12.50", 12.5),
            ("2026", 2026.0),
        ] {
            let read = quantity(&tokens(text), 0).map_or(f64::NAN, |quantity| quantity.value);
            assert!(
                read == value || (read.is_nan() && value.is_nan()),
                "{text}: {read}"
            );
        }
    }

    #[test]
    fn percent_is_noticed() {
        for text in ["2%", "2 %", "2 por ciento", "2 percent", "two per cent"] {
            let quantity = quantity(&tokens(text), 0).unwrap();
            assert!(quantity.percent && quantity.value == 2.0, "{text}");
        }
    }
}
