//! Items with their meaning settled, as far as their neighbours settle it.

mod settling;

use std::ops::Range;

use super::{
    lexicon::{Lexicon, Sense},
    linking::Item,
    numbers::Quantity,
    text::Token,
    time::Meaning,
    vocabulary::Role,
};
use crate::query::Grain;
use settling::Settle;

/// One thing that a question says.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub tokens: Range<usize>,
    pub what: What,
    /// Some rule has made use of it.
    pub used: bool,
    /// A question word that asks for one: "which of them has".
    pub singular: bool,
    /// The word before it, explained or not.
    pub lead: String,
    /// Its own words, folded.
    pub text: String,
}

/// What it says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum What {
    Metric(usize),
    /// A metric, and whether its highest come first.
    Ranked(usize, bool),
    Dimension(usize),
    /// "Campaigns": counted, or grouped by. "Active campaigns": counted, or grouped by with a filter.
    Either {
        metric: usize,
        dimension: usize,
        members: Vec<usize>,
    },
    /// Any one of these.
    Members(Vec<usize>),
    /// Other metrics that a word may mean.
    Unclear(Vec<usize>),
    Time(Meaning),
    /// A holiday or a theme.
    TimeOr(Meaning, Vec<usize>),
    Number(Quantity),
    Role(Role),
    /// "Month" on its own: of which something is said.
    Unit(Grain),
    /// The end of a sentence.
    Break,
    Unknown,
}

impl Part {
    pub fn is(&self, role: Role) -> bool {
        self.what == What::Role(role)
    }

    pub fn role(&self) -> Option<Role> {
        match self.what {
            What::Role(role) => Some(role),
            _ => None,
        }
    }

    pub fn metric(&self) -> Option<usize> {
        match self.what {
            What::Metric(metric) | What::Ranked(metric, _) => Some(metric),
            _ => None,
        }
    }

    pub fn dimension(&self) -> Option<usize> {
        match self.what {
            What::Dimension(dimension) => Some(dimension),
            _ => None,
        }
    }

    /// Whether its last noun is a plural.
    pub fn is_plural(&self) -> bool {
        let singular = ["pais", "status", "campaign status"];
        self.text
            .split(' ')
            .any(|word| word.ends_with('s') && !singular.contains(&word) && word.len() > 3)
    }
}

/// Parts of items, without fillers. `picks` settle what an item at a token means.
pub(crate) fn parts(
    lexicon: &Lexicon,
    tokens: &[Token],
    items: &[Item],
    picks: &[(usize, Sense)],
) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for (place, item) in items.iter().enumerate() {
        let settle = Settle {
            lexicon,
            tokens,
            items,
            place,
        };
        let picked = picks.iter().find(|(at, _)| *at == item.tokens.start);
        let what = match picked {
            Some((_, sense)) => Some(settle.plain(*sense)),
            None => settle.what(parts.last()),
        };
        let Some(what) = what else { continue };
        let text: Vec<&str> = tokens[item.tokens.clone()]
            .iter()
            .map(|token| &*token.text)
            .collect();
        let lead = item
            .tokens
            .start
            .checked_sub(1)
            .map_or("", |before| &tokens[before].text);
        // Of "de campañas" as no member only the noun is left.
        let lead = if text.len() > 1
            && ["de", "from"].contains(&text[0])
            && !matches!(what, What::Members(_) | What::Time(_))
        {
            text[0]
        } else {
            lead
        };
        parts.push(Part {
            tokens: item.tokens.clone(),
            what,
            used: false,
            singular: settle.asks_for_one(),
            lead: lead.to_owned(),
            text: text.join(" "),
        });
    }
    parts
}
