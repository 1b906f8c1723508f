//! Which system a question is for.
//!
//! ```text
//! question ─► evidence: its vector, the warehouse's plan, the best image   (evidence.rs)
//!          ─► features: those, and the words that a route shows in         (features.rs, signs.toml)
//!          ─► nearness to each labelled utterance, by features, vectors
//!             and letters                                                  (nearness.rs, letters.rs)
//!          ─► probabilities, and abstention where none is high             (model.rs, model.json)
//! ```
//!
//! The same question and the same evidence always take the same route. A service that says nothing
//! leaves its evidence out, and the decision names it.

mod compound;
pub mod eval;
mod evidence;
mod features;
pub mod letters;
pub mod model;
pub mod nearness;
mod packed;
pub(crate) mod signs;
mod words;

use std::fmt;

use contracts::Language;
use serde::{Deserialize, Serialize};

pub(crate) use compound::{Compound, read as read_compound};
pub use evidence::Evidence;
pub(crate) use evidence::Witnesses;
pub use features::{Features, features};
pub use signs::SOURCE as SIGNS;

use crate::upstream::Service;

/// Where a question goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Route {
    /// Content search: which image fits.
    Content,
    /// The sales warehouse: how much, how many, how it went.
    Warehouse,
    /// One after the other.
    Both,
    /// Nowhere: it is about something else.
    Neither,
    /// It could be for more than one: ask back.
    Ambiguous,
}

impl Route {
    /// All of them, in the order of a model's weights.
    pub const ALL: [Self; 5] = [
        Self::Content,
        Self::Warehouse,
        Self::Both,
        Self::Neither,
        Self::Ambiguous,
    ];

    /// As on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Content => "content",
            Self::Warehouse => "warehouse",
            Self::Both => "both",
            Self::Neither => "neither",
            Self::Ambiguous => "ambiguous",
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a question goes, and how sure that is.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// Where it goes.
    pub route: Route,
    /// The route's probability, 0 to 1.
    pub score: f64,
    /// The next likely route and its probability.
    pub runner_up: (Route, f64),
    /// The question's, as a service guessed it.
    pub language: Option<Language>,
    /// Services that gave no evidence.
    pub missing: Vec<Service>,
}

/// Decides by the built-in model.
pub fn decide(text: &str, evidence: &Evidence) -> Decision {
    let model = model::builtin();
    let features = features(text, evidence);
    let probabilities = model.probabilities(text, &features, evidence);
    let mut ranked: Vec<(Route, f64)> = Route::ALL.into_iter().zip(probabilities).collect();
    // A stable sort: equal scores stay in the order of the routes.
    ranked.sort_by(|one, other| other.1.total_cmp(&one.1));
    let (mut first, mut second) = (ranked[0], ranked[1]);
    if first.0 != Route::Ambiguous && first.1 < model.least_score {
        // No route is likely enough to be taken without a question back.
        let ambiguous = ranked
            .iter()
            .find(|(route, _)| *route == Route::Ambiguous)
            .map_or(0.0, |(_, score)| *score);
        (first, second) = ((Route::Ambiguous, ambiguous), first);
    }
    Decision {
        route: first.0,
        score: first.1,
        runner_up: second,
        language: evidence.language,
        missing: evidence.missing.clone(),
    }
}
