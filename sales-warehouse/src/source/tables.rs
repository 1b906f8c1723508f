//! What the warehouse reads of each system: tables, columns and their types.

mod promptads;
mod promptcontent;
mod promptcrm;

use std::fmt;

/// A system that the warehouse reads, in the order in which a run reads them: campaigns come before the
/// leads that name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum System {
    /// Campaigns, ads, daily metrics, reactions.
    PromptAds,
    /// Customers, leads, interactions, opportunities, sales, subscriptions.
    PromptCrm,
    /// What is said of images, and which campaigns registered there use them.
    PromptContent,
}

impl System {
    /// Every system there is.
    pub const ALL: [Self; 3] = [Self::PromptAds, Self::PromptCrm, Self::PromptContent];

    /// As ledger and watermarks name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PromptAds => "promptads",
            Self::PromptCrm => "promptcrm",
            Self::PromptContent => "promptcontent",
        }
    }

    /// The schema that its tables stand in, where it is a database.
    pub fn schema(self) -> &'static str {
        match self {
            Self::PromptAds => "ads",
            Self::PromptCrm => "crm",
            Self::PromptContent => "content",
        }
    }

    /// What is read of it, parents before children.
    pub fn tables(self) -> &'static [Table] {
        match self {
            Self::PromptAds => promptads::TABLES,
            Self::PromptCrm => promptcrm::TABLES,
            Self::PromptContent => promptcontent::TABLES,
        }
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A column and its type, as PostgreSQL's `format_type` writes it.
pub type Column = (&'static str, &'static str);

/// A table of the source, as it must be.
#[derive(Debug)]
pub struct Relation {
    /// Unqualified.
    pub name: &'static str,
    /// Columns that are read. Another type, or none, is drift.
    pub columns: &'static [Column],
    /// Columns that are known and stay where they are. What is neither is new.
    pub unread: &'static [&'static str],
}

/// How rows are made of a table.
#[derive(Debug)]
pub enum Rows {
    /// The columns of [`Table::relation`].
    Plain,
    /// A statement of one's own.
    Joined {
        /// Every row.
        all: &'static str,
        /// What follows `all` for those that changed since the setting `warehouse.watermark`.
        changed: &'static str,
    },
}

/// Something that is read: one landing table's rows.
#[derive(Debug)]
pub struct Table {
    /// The relation whose rows, and whose deletions, they are.
    pub relation: Relation,
    /// Its key, with types.
    pub key: &'static [Column],
    /// Others that a [`Rows::Joined`] reads too and that are no table of their own.
    pub joined: &'static [Relation],
    /// How rows are made.
    pub rows: Rows,
    /// The table in `staging` that takes them.
    pub landing: &'static str,
    /// The table in `core` that they end up in.
    pub target: &'static str,
    /// What reconciliation adds up, an expression over the relation.
    pub measure: Option<&'static str>,
}

const TEXT: &str = "text";
const TEXTS: &str = "text[]";
const BIGINT: &str = "bigint";
const INTEGER: &str = "integer";
const SMALLINT: &str = "smallint";
const MONEY: &str = "numeric(14,2)";
const DATE: &str = "date";
const MOMENT: &str = "timestamp with time zone";
const BOOLEAN: &str = "boolean";
/// The change marker, and the time of the change.
pub(super) const MARKERS: [Column; 2] = [("change_txid", "xid8"), ("changed_at", MOMENT)];
