//! How much is loaded.

use time::Date;

use super::moments::{Seconds, midnight};

/// How much to load. The same plan gives the same rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadPlan {
    /// Campaigns that are over; about 510 daily rows each.
    pub campaigns_finished: u32,
    /// Campaigns that run on `today`; about 300 daily rows each.
    pub campaigns_active: u32,
    /// Customers and prospects.
    pub customers: u32,
    /// Another seed, other rows.
    pub seed: u64,
    /// Everything has happened before this day begins, UTC.
    pub today: Date,
}

impl LoadPlan {
    /// What `up` loads: some 18,000 daily rows, in a few seconds.
    pub fn small(seed: u64, today: Date) -> Self {
        Self {
            campaigns_finished: 12,
            campaigns_active: 40,
            customers: 2_000,
            seed,
            today,
        }
    }

    /// The size that the product is made for: about 2 million daily rows.
    pub fn full(seed: u64, today: Date) -> Self {
        Self {
            campaigns_finished: 1_000,
            campaigns_active: 5_000,
            customers: 500_000,
            seed,
            today,
        }
    }

    pub(super) fn campaigns(&self) -> u32 {
        self.campaigns_finished + self.campaigns_active
    }

    pub(super) fn now(&self) -> Seconds {
        midnight(self.today)
    }
}
