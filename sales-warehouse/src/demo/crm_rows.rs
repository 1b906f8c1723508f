//! PromptCrm's rows in the making: what customers, journeys and sales write into.

use std::sync::Arc;

use super::{copy::Rows, moments::Seconds, plan::LoadPlan, reference::Market};
use crate::pii::Keyring;

/// Rows of PromptCrm, chunk after chunk. Ids of what customers cause are counted through, so chunks are
/// made in order.
pub(super) struct CrmChunks {
    pub plan: LoadPlan,
    pub keyring: Arc<Keyring>,
    pub ids: Ids,
    pub customers: Rows,
    pub leads: Rows,
    pub interactions: Rows,
    pub opportunities: Rows,
    pub sales: Rows,
    pub lines: Rows,
    pub subscriptions: Rows,
}

/// The last ids given.
#[derive(Default)]
pub(super) struct Ids {
    pub lead: i64,
    pub interaction: i64,
    pub opportunity: i64,
    pub sale: i64,
    pub subscription: i64,
}

/// What of a customer decides how they buy.
pub(super) struct Customer {
    pub id: i64,
    pub market: &'static Market,
    pub b2b: bool,
    /// Units at once, against the smallest company.
    pub scale: f64,
    pub size: Option<&'static str>,
    pub segment: &'static str,
}

/// What became of a customer.
#[derive(Default)]
pub(super) struct Outcome {
    pub last_sale: Option<Seconds>,
    pub subscribed: bool,
}
