//! Where envelopes stand.

use std::fmt;

/// The one table with envelopes.
pub const CUSTOMERS: &str = "crm.customers";

/// A column of [`CUSTOMERS`] that holds envelopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CustomerColumn {
    /// `contact_name_enc`.
    ContactName,
    /// `email_enc`.
    Email,
    /// `phone_enc`.
    Phone,
    /// `address_enc`.
    Address,
    /// `company_name_enc`.
    CompanyName,
}

impl CustomerColumn {
    /// All of them, in the table's order.
    pub const ALL: [Self; 5] = [
        Self::ContactName,
        Self::Email,
        Self::Phone,
        Self::Address,
        Self::CompanyName,
    ];

    /// The column's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ContactName => "contact_name_enc",
            Self::Email => "email_enc",
            Self::Phone => "phone_enc",
            Self::Address => "address_enc",
            Self::CompanyName => "company_name_enc",
        }
    }

    /// This column in the row of one customer.
    pub fn of(self, customer_id: i64) -> Cell {
        Cell {
            table: CUSTOMERS,
            column: self.as_str(),
            row: customer_id,
        }
    }
}

/// One value of one row: what an envelope is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Table with its schema.
    pub table: &'static str,
    /// Column.
    pub column: &'static str,
    /// Primary key.
    pub row: i64,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{} of row {}", self.table, self.column, self.row)
    }
}
