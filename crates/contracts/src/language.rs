//! The two languages that PromptSales speaks.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A language of queries, texts and answers, as an ISO 639-1 code on the wire.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Spanish.
    Es,
    /// English.
    En,
}

impl Language {
    /// Both, in the order in which tables list them.
    pub const ALL: [Self; 2] = [Self::Es, Self::En];

    /// The ISO 639-1 code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Es => "es",
            Self::En => "en",
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Language {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "es" => Ok(Self::Es),
            "en" => Ok(Self::En),
            other => Err(format!("unknown language '{other}': expected es or en")),
        }
    }
}
