//! From tokens to items: the best cover of a question by phrases, numbers and times.

use std::ops::Range;

use super::{
    lexicon::{Lexicon, Sense},
    numbers::{Quantity, quantity},
    text::{Kind, Token},
    time::{Meaning, TimeSpan},
    vocabulary::Role,
};

/// A run of tokens and what it can mean.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub tokens: Range<usize>,
    pub senses: Vec<Sense>,
    pub exact: bool,
    pub time: Option<Meaning>,
    pub quantity: Option<Quantity>,
}

impl Item {
    pub fn is_unknown(&self) -> bool {
        self.senses.is_empty() && self.time.is_none() && self.quantity.is_none()
    }

    pub fn role(&self) -> Option<Role> {
        self.senses.iter().find_map(|sense| match sense {
            Sense::Role(role) => Some(*role),
            _ => None,
        })
    }

    pub fn has(&self, role: Role) -> bool {
        self.senses.contains(&Sense::Role(role))
    }
}

/// The cover that explains most with the fewest items.
pub(crate) fn link(lexicon: &Lexicon, tokens: &[Token], times: &[Option<TimeSpan>]) -> Vec<Item> {
    let mut best: Vec<(i32, Option<Item>)> = vec![(0, None); tokens.len() + 1];
    for at in (0..tokens.len()).rev() {
        let mut choice = (
            best[at + 1].0 - i32::from(tokens[at].kind != Kind::Mark) * 20,
            unknown(at),
        );
        for (score, item) in candidates(lexicon, tokens, times, at) {
            let total = score + best[item.tokens.end].0;
            if total > choice.0 {
                choice = (total, item);
            }
        }
        best[at] = (choice.0, Some(choice.1));
    }
    let mut items = Vec::new();
    let mut at = 0;
    while let Some(item) = best.get_mut(at).and_then(|(_, item)| item.take()) {
        at = item.tokens.end;
        let mark = item.is_unknown() && tokens[item.tokens.start].kind == Kind::Mark;
        if !mark || tokens[item.tokens.start].is(&["?", "!", ";", "."]) {
            items.push(item);
        }
    }
    items
}

fn unknown(at: usize) -> Item {
    Item {
        tokens: at..at + 1,
        senses: Vec::new(),
        exact: false,
        time: None,
        quantity: None,
    }
}

fn candidates(
    lexicon: &Lexicon,
    tokens: &[Token],
    times: &[Option<TimeSpan>],
    at: usize,
) -> Vec<(i32, Item)> {
    let mut found = Vec::new();
    if let Some(span) = times[at] {
        let item = Item {
            tokens: at..span.end,
            time: Some(span.meaning),
            ..unknown(at)
        };
        // A holiday may be a theme as well: what follows decides.
        let same = run(tokens, at, span.end)
            .map(|run| lexicon.lookup(&run))
            .unwrap_or_default();
        let senses = same
            .senses
            .into_iter()
            .filter(|sense| matches!(sense, Sense::Member(_)))
            .collect();
        found.push((
            weight(span.end - at) - 3,
            Item {
                senses,
                exact: same.exact,
                ..item
            },
        ));
    }
    if let Some(quantity) = quantity(tokens, at) {
        let item = Item {
            tokens: at..quantity.end,
            quantity: Some(quantity),
            ..unknown(at)
        };
        found.push((weight(quantity.end - at) - 4, item));
    }
    let reach = lexicon.reach(&tokens[at]);
    for length in 1..=reach.min(tokens.len() - at) {
        if length > 1 && !lexicon.goes_on(&tokens[at..at + length - 1]) {
            break;
        }
        let Some(run) = run(tokens, at, at + length) else {
            continue;
        };
        let matched = lexicon.lookup(&run);
        if matched.senses.is_empty() {
            continue;
        }
        let words = i32::try_from(run.len()).unwrap_or(i32::MAX);
        let light = matched
            .senses
            .iter()
            .all(|sense| matches!(sense, Sense::Role(Role::Filler)));
        let score = words * 10 - 4 - i32::from(!matched.exact) - i32::from(light);
        found.push((
            score,
            Item {
                tokens: at..at + length,
                senses: matched.senses,
                exact: matched.exact,
                ..unknown(at)
            },
        ));
    }
    found
}

fn weight(tokens: usize) -> i32 {
    i32::try_from(tokens).unwrap_or(i32::MAX / 20) * 10
}

/// The words from `at` to `end`, past quotes and the like; `None` where a mark parts them.
fn run(tokens: &[Token], at: usize, end: usize) -> Option<Vec<&Token>> {
    let run: Vec<&Token> = tokens[at..end].iter().collect();
    // A mark alone may be a word of its own (">", "%"); within a phrase it must belong to it.
    let parted = run.len() > 1
        && run
            .iter()
            .any(|token| token.is(&["?", "!", ";", ":", "(", ")", "."]));
    (!parted).then_some(run)
}
