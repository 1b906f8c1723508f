//! What is wrong with a model, all of it at once.

use std::fmt;

/// Every fault of a model, in the order of the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(pub Vec<String>);

impl Faults {
    /// Whether there is none.
    pub(super) fn none(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn add(&mut self, of: impl fmt::Display, fault: impl fmt::Display) {
        self.0.push(format!("{of}: {fault}"));
    }

    /// The value, or its fault noted.
    pub(super) fn note<T, E: fmt::Display>(
        &mut self,
        of: impl fmt::Display,
        result: Result<T, E>,
    ) -> Option<T> {
        result.map_err(|fault| self.add(of, fault)).ok()
    }

    /// The same for several.
    pub(super) fn note_all<T>(
        &mut self,
        of: impl fmt::Display,
        result: Result<T, Vec<String>>,
    ) -> Option<T> {
        result
            .map_err(|faults| {
                for fault in faults {
                    self.add(&of, fault);
                }
            })
            .ok()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the semantic model has {} faults:", self.0.len())?;
        for fault in &self.0 {
            write!(f, "\n- {fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
