//! Believable data for the two sources: a deterministic load, and changes to it.
//!
//! [`load`] fills both sources from a [`LoadPlan`]; [`tick`] changes about as many rows as it is told.
//! The same seed and plan give the same rows, but for the nonces of envelopes and the change markers;
//! [`checksum`] leaves these out. Each entity draws from a stream of its own (seed, topic, number), so
//! that a plan with more customers begins with the same ones.
//!
//! What the data are like:
//!
//! - a campaign runs in one market, on two to four channels, and spends what its budget allows day by
//!   day, with the week and the year; its costs stay within 5% above its budget;
//! - clicks follow impressions and conversions follow clicks at rates of their channel; some days are
//!   reported late, some corrected;
//! - a customer comes by a lead, mostly from a campaign; leads qualify and buy at rates of their channel
//!   and market; companies' qualified leads become opportunities; few customers buy very often (Pareto);
//! - money is in the market's currency, in hundredths; exchange rates are monthly.
//!
//! Time: everything has happened before `today` at 00:00 UTC.

mod ad_days;
mod campaign;
mod checksum;
mod content;
mod copy;
mod crm_rows;
mod customers;
mod journey;
mod load;
mod moments;
mod people;
mod plan;
mod random;
mod reference;
mod sales;
mod tables;
mod tick;

pub use checksum::{TableSum, checksum};
pub use content::SampleContent;
pub use load::{Existing, LoadProgress, Loaded, load, loaded};
pub use plan::LoadPlan;
pub use tick::{Ticked, tick};

use crate::pii::PiiError;

/// What goes wrong with demonstration data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemoError {
    /// The sources hold rows.
    #[error(
        "{database} is not empty: load into empty sources, or say --replace to delete what they hold"
    )]
    NotEmpty {
        /// `promptads` or `promptcrm`.
        database: &'static str,
    },
    /// There is nothing to change yet.
    #[error("the sources are empty: load them first")]
    Empty,
    /// A value could not be sealed.
    #[error("cannot seal personal data")]
    Pii(#[from] PiiError),
    /// A database failed.
    #[error("cannot {action}")]
    Database {
        /// What was tried.
        action: &'static str,
        /// The cause.
        source: sqlx::Error,
    },
    /// The generator ended early.
    #[error("the generator stopped: {0}")]
    Generator(String),
}

fn database(action: &'static str) -> impl Fn(sqlx::Error) -> DemoError + Copy {
    move |source| DemoError::Database { action, source }
}
