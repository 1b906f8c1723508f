//! Words that carry no metric, dimension or member, by the part that they play.

use contracts::Language;

use super::text::tokens;

/// The part that a word plays in a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    Filler,
    Which,
    HowMany,
    HowMuch,
    List,
    Compare,
    Top,
    Best,
    Worst,
    Highest,
    Lowest,
    Sorted,
    Descending,
    Ascending,
    Above,
    AtLeast,
    Below,
    AtMost,
    Exactly,
    OrMore,
    OrLess,
    Negative,
    Positive,
    Between,
    By,
    All,
    Not,
    Except,
    And,
    Or,
    Versus,
    Share,
    Contribute,
    Growth,
    Fall,
    Change,
    Trend,
    Day,
    Week,
    Month,
    Quarter,
    Year,
    PreviousPeriod,
    PreviousYear,
    Average,
    Amount,
    Performance,
    Sold,
    Personal,
    Person,
    Forecast,
    Advice,
    Picture,
    Absent,
    Chatter,
    Command,
}

impl Role {
    const NAMES: [(&str, Role); 55] = [
        ("filler", Role::Filler),
        ("which", Role::Which),
        ("how_many", Role::HowMany),
        ("how_much", Role::HowMuch),
        ("list", Role::List),
        ("compare", Role::Compare),
        ("top", Role::Top),
        ("best", Role::Best),
        ("worst", Role::Worst),
        ("highest", Role::Highest),
        ("lowest", Role::Lowest),
        ("sorted", Role::Sorted),
        ("descending", Role::Descending),
        ("ascending", Role::Ascending),
        ("above", Role::Above),
        ("at_least", Role::AtLeast),
        ("below", Role::Below),
        ("at_most", Role::AtMost),
        ("exactly", Role::Exactly),
        ("or_more", Role::OrMore),
        ("or_less", Role::OrLess),
        ("negative", Role::Negative),
        ("positive", Role::Positive),
        ("between", Role::Between),
        ("by", Role::By),
        ("all", Role::All),
        ("not", Role::Not),
        ("except", Role::Except),
        ("and", Role::And),
        ("or", Role::Or),
        ("versus", Role::Versus),
        ("share", Role::Share),
        ("contribute", Role::Contribute),
        ("growth", Role::Growth),
        ("fall", Role::Fall),
        ("change", Role::Change),
        ("trend", Role::Trend),
        ("day", Role::Day),
        ("week", Role::Week),
        ("month", Role::Month),
        ("quarter", Role::Quarter),
        ("year", Role::Year),
        ("previous_period", Role::PreviousPeriod),
        ("previous_year", Role::PreviousYear),
        ("average", Role::Average),
        ("amount", Role::Amount),
        ("performance", Role::Performance),
        ("sold", Role::Sold),
        ("personal", Role::Personal),
        ("person", Role::Person),
        ("forecast", Role::Forecast),
        ("advice", Role::Advice),
        ("picture", Role::Picture),
        ("absent", Role::Absent),
        ("chatter", Role::Chatter),
    ];

    fn named(name: &str) -> Option<Self> {
        if name == "command" {
            return Some(Role::Command);
        }
        Self::NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, role)| *role)
    }

    /// A comparison of numbers, where a number follows.
    pub fn is_comparison(self) -> bool {
        matches!(
            self,
            Role::Above
                | Role::AtLeast
                | Role::Below
                | Role::AtMost
                | Role::Exactly
                | Role::Between
        )
    }

    /// Says which end of an order is asked for.
    pub fn is_rank(self) -> bool {
        matches!(
            self,
            Role::Top | Role::Best | Role::Worst | Role::Highest | Role::Lowest
        )
    }

    /// A question with it is out of scope.
    pub fn refuses(self) -> bool {
        matches!(
            self,
            Role::Personal
                | Role::Forecast
                | Role::Advice
                | Role::Picture
                | Role::Absent
                | Role::Chatter
        )
    }

    /// Can go unused without a question meaning something else.
    pub fn is_light(self) -> bool {
        matches!(
            self,
            Role::Filler
                | Role::Which
                | Role::HowMany
                | Role::HowMuch
                | Role::List
                | Role::Compare
                | Role::All
                | Role::And
                | Role::Or
                | Role::Contribute
                | Role::Performance
                | Role::Trend
        )
    }
}

/// One phrase of the vocabulary.
pub(crate) struct Phrase {
    pub words: Vec<String>,
    pub role: Role,
    pub language: Language,
}

/// All phrases of `vocabulary.txt`.
pub(crate) fn phrases() -> Vec<Phrase> {
    let mut phrases = Vec::new();
    for line in include_str!("vocabulary.txt").lines() {
        let Some((head, list)) = line
            .split_once(": ")
            .filter(|(head, _)| !head.starts_with('#'))
        else {
            continue;
        };
        let (role, language) = head.split_once(' ').unwrap_or((head, "en"));
        let Some(role) = Role::named(role) else {
            continue;
        };
        let language = if language == "es" {
            Language::Es
        } else {
            Language::En
        };
        for phrase in list.split(" | ") {
            let words = tokens(phrase).into_iter().map(|token| token.text).collect();
            phrases.push(Phrase {
                words,
                role,
                language,
            });
        }
    }
    phrases
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_names_a_role() {
        for line in include_str!("vocabulary.txt")
            .lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty())
        {
            let head = line.split_once(": ").unwrap().0;
            let (role, language) = head.split_once(' ').unwrap();
            assert!(Role::named(role).is_some(), "{head}");
            assert!(["en", "es"].contains(&language), "{head}");
        }
        assert!(phrases().iter().all(|phrase| !phrase.words.is_empty()));
    }
}
