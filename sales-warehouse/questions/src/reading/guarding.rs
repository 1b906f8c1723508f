//! What is refused, whatever else it says.

mod contacts;

use super::{
    RefusalReason,
    linking::Item,
    text::{Kind, Token},
    vocabulary::Role,
};

/// Text that is meant for a machine: SQL, scripts, orders to a language model. Folded.
const SHAPES: [&str; 40] = [
    "select *",
    "drop table",
    "drop database",
    "delete from",
    "insert into",
    "union select",
    "union all select",
    "truncate table",
    "alter table",
    "update core.",
    "update marts.",
    "' or '1'='1",
    "or 1=1",
    "\" or \"",
    "'; ",
    "';",
    "; --",
    "--;",
    "/*",
    "*/",
    "xp_cmdshell",
    "<script",
    "javascript:",
    "${",
    "{{",
    "system prompt",
    "prompt del sistema",
    "previous instructions",
    "prior instructions",
    "instrucciones anteriores",
    "instrucciones previas",
    "your instructions",
    "tus instrucciones",
    "you are now",
    "ahora eres",
    "act as ",
    "actua como",
    "jailbreak",
    "pg_sleep",
    "information_schema",
];

const IGNORES: [&str; 10] = [
    "ignore",
    "disregard",
    "forget",
    "override",
    "bypass",
    "ignora",
    "olvida",
    "omite",
    "saltate",
    "desobedece",
];
const RULES: [&str; 12] = [
    "instructions",
    "rules",
    "instruction",
    "prompt",
    "guidelines",
    "restrictions",
    "filters",
    "instrucciones",
    "reglas",
    "indicaciones",
    "restricciones",
    "above",
];

/// Whether text is SQL or an order to a language model.
pub(crate) fn is_injection(folded: &str, tokens: &[Token]) -> bool {
    let says = |words: &[&str]| tokens.iter().any(|token| token.is(words));
    let sql = tokens.first().is_some_and(|first| {
        first.is(&[
            "select", "insert", "update", "delete", "drop", "alter", "truncate", "grant", "with",
        ])
    }) && says(&["from", "into", "table", "set"])
        && (folded.contains('*')
            || folded.contains("dim_")
            || folded.contains("fact_")
            || says(&["table", "where", "into"])
            || tokens[0].is(&["select"]));
    SHAPES.iter().any(|shape| folded.contains(shape)) || (says(&IGNORES) && says(&RULES)) || sql
}

/// Words before a command that only make it polite.
const POLITE: &[&str] = &[
    "please", "pls", "hey", "hi", "hello", "ok", "can", "could", "would", "will", "you", "i",
    "want", "need", "to", "like", "d", "id", "lets", "let", "us", "just", "go", "and", "now",
    "por", "favor", "porfa", "hola", "oye", "puedes", "podrias", "podria", "quiero", "necesito",
    "que", "me", "ahora", "y", "ve", "debes", "tienes", "hay", "quisiera", "sistema", "system",
    "bot",
];

/// Whether a question begins by telling to change something.
pub(crate) fn is_command(tokens: &[Token], items: &[Item]) -> bool {
    let words: Vec<&Token> = tokens
        .iter()
        .filter(|token| token.kind == Kind::Word)
        .collect();
    let first = words.iter().find(|token| !token.is(POLITE));
    let Some(first) = first else { return false };
    let Some(item) = items
        .iter()
        .find(|item| item.tokens.contains(&position(tokens, first)))
    else {
        return false;
    };
    let at = item.tokens.start;
    // "Email all customers" is one, "email's share of revenue" none.
    let other = item
        .senses
        .iter()
        .any(|sense| !matches!(sense, super::lexicon::Sense::Role(_)));
    let object = tokens.get(item.tokens.end).is_some_and(|next| {
        next.is(&[
            "all", "every", "the", "our", "to", "a", "this", "them", "a", "todos", "todas", "los",
            "las",
        ])
    });
    let commands = item.has(Role::Command) && (!other || object) || command_word(&tokens[at], item);
    // "Change in revenue" and "baja de leads" are nouns.
    let noun = tokens
        .get(item.tokens.end)
        .is_some_and(|next| next.is(&["in", "of", "de", "en", "by", "per", "por", "vs"]));
    commands && !noun
}

/// "Increase", at the beginning, is no growth.
fn command_word(token: &Token, item: &Item) -> bool {
    item.role()
        .is_some_and(|role| matches!(role, Role::Growth | Role::Fall | Role::Change))
        && token.is(&[
            "increase",
            "decrease",
            "change",
            "reduce",
            "raise",
            "drop",
            "aumenta",
            "sube",
            "reduce",
            "cambia",
            "incrementa",
        ])
}

fn position(tokens: &[Token], of: &Token) -> usize {
    tokens
        .iter()
        .position(|token| token.span == of.span)
        .unwrap_or(0)
}

/// What puts a question out of scope, if anything does.
pub(crate) fn refused(question: &str, tokens: &[Token], items: &[Item]) -> Option<RefusalReason> {
    if contacts::asks_for_contacts(question, tokens, items) {
        return Some(RefusalReason::PersonalData);
    }
    let measured = items.iter().any(|item| {
        item.senses
            .iter()
            .any(|sense| matches!(sense, super::lexicon::Sense::Metric(_)))
    });
    for (at, item) in items.iter().enumerate() {
        let Some(role) = item.senses.iter().find_map(|sense| match sense {
            super::lexicon::Sense::Role(role) if role.refuses() => Some(*role),
            _ => None,
        }) else {
            continue;
        };
        let only = item
            .senses
            .iter()
            .all(|sense| matches!(sense, super::lexicon::Sense::Role(_)));
        if !only {
            continue;
        }
        let next = items[at + 1..].iter().find(|next| !next.has(Role::Filler));
        match role {
            // "Por qué canal" is through which.
            Role::Advice
                if tokens[item.tokens.start].is(&["por"])
                    && item.tokens.len() == 2
                    && next.is_some_and(|next| {
                        next.senses
                            .iter()
                            .any(|sense| matches!(sense, super::lexicon::Sense::Dimension(_)))
                    }) => {}
            // "Images with most clicks" are counted, not shown.
            Role::Picture if measured => {}
            Role::Personal => return Some(RefusalReason::PersonalData),
            Role::Forecast => return Some(RefusalReason::Forecast),
            Role::Advice => return Some(RefusalReason::Advice),
            Role::Picture => return Some(RefusalReason::Images),
            Role::Absent => return Some(RefusalReason::NoSuchMetric),
            _ => return Some(RefusalReason::OutOfScope),
        }
    }
    None
}
