//! OAuth 2.0 scopes: what a token lets its bearer do.

use std::{collections::BTreeSet, fmt, str::FromStr};

/// One permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Search content, read documents and images.
    ContentRead,
    /// Create, change and delete content.
    ContentWrite,
    /// Approve and retire content, and erase it.
    ContentApprove,
    /// Register campaigns.
    CampaignsWrite,
    /// Ask the sales warehouse.
    SalesRead,
    /// Write the search indexes: for services, not for people.
    IndexWrite,
}

impl Scope {
    /// Every scope there is.
    pub const ALL: [Self; 6] = [
        Self::ContentRead,
        Self::ContentWrite,
        Self::ContentApprove,
        Self::CampaignsWrite,
        Self::SalesRead,
        Self::IndexWrite,
    ];

    /// The scope token of RFC 6749 section 3.3.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ContentRead => "content:read",
            Self::ContentWrite => "content:write",
            Self::ContentApprove => "content:approve",
            Self::CampaignsWrite => "campaigns:write",
            Self::SalesRead => "sales:read",
            Self::IndexWrite => "index:write",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|scope| scope.as_str() == text)
            .ok_or_else(|| {
                let known = Self::ALL.map(Self::as_str).join(", ");
                format!("unknown scope '{text}': expected one of {known}")
            })
    }
}

/// The scopes that a token carries. Unknown ones are kept out, not refused: another service of the
/// same issuer may have its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// Reads the space-separated `scope` claim of RFC 9068 section 2.2.3.
    pub fn from_claim(claim: &str) -> Self {
        claim
            .split(' ')
            .filter_map(|token| token.parse().ok())
            .collect()
    }

    /// Does the token allow it?
    pub fn contains(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    /// In ascending order.
    pub fn iter(&self) -> impl Iterator<Item = Scope> + '_ {
        self.0.iter().copied()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, scope) in self.iter().enumerate() {
            if place > 0 {
                f.write_str(" ")?;
            }
            write!(f, "{scope}")?;
        }
        Ok(())
    }
}
