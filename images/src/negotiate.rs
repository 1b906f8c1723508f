//! Which format a client takes: the `Accept` header field (RFC 9110, sections 12.4.2 and 12.5.1).

use crate::format::Format;

/// The client takes none of the formats: HTTP status 406.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("none of the accepted media types is offered: accept image/webp, image/png or image/jpeg")]
pub struct NotAcceptable;

/// One media range with its weight, in thousandths.
struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    /// Parameters other than `q`. The images have none, so a range that asks for one fits none.
    has_parameters: bool,
    weight: u16,
}

/// How well a format fits: compared field by field, the greatest wins.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Fit {
    weight: u16,
    named: bool,
    as_stored: bool,
}

/// Chooses a format by weight. Of equals, a format that is named comes before one that only a
/// wildcard allows; then WebP, PNG, JPEG. Where only wildcards speak, the original's format wins.
///
/// Without the header field, or with nothing well formed in it, any format will do. Malformed
/// ranges are passed over.
pub fn negotiate(accept: Option<&str>, original: Format) -> Result<Format, NotAcceptable> {
    let ranges: Vec<_> = accept
        .map(|accept| {
            split_outside_quotes(accept, ',')
                .filter_map(Range::parse)
                .collect()
        })
        .unwrap_or_default();
    if ranges.is_empty() {
        return Ok(original);
    }
    // `max_by_key` keeps the last of equals: the preferred format is asked last.
    Format::ALL
        .into_iter()
        .rev()
        .filter_map(|format| Some((fit(format, original, &ranges)?, format)))
        .max_by(|(left, _), (right, _)| left.cmp(right))
        .map(|(_, format)| format)
        .ok_or(NotAcceptable)
}

/// The most specific range that matches decides, whatever its weight; weight 0 refuses.
fn fit(format: Format, original: Format, ranges: &[Range<'_>]) -> Option<Fit> {
    let (specificity, weight) = ranges
        .iter()
        .filter_map(|range| Some((range.specificity(format)?, range.weight)))
        .max()?;
    let named = specificity == Specificity::Named;
    (weight > 0).then_some(Fit {
        weight,
        named,
        as_stored: !named && format == original,
    })
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Specificity {
    Anything,
    AnyImage,
    Named,
}

impl<'a> Range<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = split_outside_quotes(text, ';').map(str::trim);
        let (kind, subtype) = parts.next()?.split_once('/')?;
        if !is_token(kind) || !is_token(subtype) || (kind == "*" && subtype != "*") {
            return None;
        }
        let mut range = Self {
            kind,
            subtype,
            has_parameters: false,
            weight: 1000,
        };
        for parameter in parts.filter(|part| !part.is_empty()) {
            let (name, value) = parameter.split_once('=')?;
            if name.eq_ignore_ascii_case("q") {
                range.weight = thousandths(value)?;
                break;
            }
            range.has_parameters = true;
        }
        Some(range)
    }

    fn specificity(&self, format: Format) -> Option<Specificity> {
        let (kind, subtype) = format.media_type().split_once('/')?;
        if self.has_parameters {
            None
        } else if self.kind == "*" {
            Some(Specificity::Anything)
        } else if !self.kind.eq_ignore_ascii_case(kind) {
            None
        } else if self.subtype == "*" {
            Some(Specificity::AnyImage)
        } else {
            self.subtype
                .eq_ignore_ascii_case(subtype)
                .then_some(Specificity::Named)
        }
    }
}

/// A weight from `0` to `1` with at most three decimals, in thousandths.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let decimals: u16 = format!("{decimals:0<3}").parse().ok()?;
    match (whole, decimals) {
        ("0", decimals) => Some(decimals),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Splits at a separator, but not inside a quoted string, where it is text.
fn split_outside_quotes(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let mut escaped = false;
    text.split(move |character| {
        if escaped {
            escaped = false;
        } else if quoted && character == '\\' {
            escaped = true;
        } else if character == '"' {
            quoted = !quoted;
        }
        character == separator && !quoted
    })
}
