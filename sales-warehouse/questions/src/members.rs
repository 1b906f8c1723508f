//! Members of dimensions by their names: what a question can mean by a word such as "LinkedIn" or "México".

use std::collections::BTreeMap;

use crate::Model;

/// One member and what it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The dimension's name.
    pub dimension: String,
    /// As the database has it.
    pub code: String,
    /// In the order in which they were added, each once.
    pub names: Vec<String>,
}

/// The members of all dimensions, in the order in which they were added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    all: Vec<Member>,
    place: BTreeMap<(String, String), usize>,
}

impl Members {
    /// Those that the model's own words name.
    pub fn of(model: &Model) -> Self {
        let mut members = Self::default();
        for dimension in model.dimensions() {
            for (code, words) in &dimension.values {
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                members.add(&dimension.name, code, &words);
            }
        }
        members
    }

    /// Adds a member, or names to one that is known.
    pub fn add(&mut self, dimension: &str, code: &str, names: &[&str]) {
        let key = (dimension.to_owned(), code.to_owned());
        let place = *self.place.entry(key).or_insert_with(|| {
            self.all.push(Member {
                dimension: dimension.to_owned(),
                code: code.to_owned(),
                names: Vec::new(),
            });
            self.all.len() - 1
        });
        let known = &mut self.all[place].names;
        for name in names {
            if !known.iter().any(|one| one == name) {
                known.push((*name).to_owned());
            }
        }
    }

    /// One member.
    pub fn get(&self, dimension: &str, code: &str) -> Option<&Member> {
        let place = self.place.get(&(dimension.to_owned(), code.to_owned()))?;
        Some(&self.all[*place])
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Member> {
        self.all.iter()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_database_join_the_models_own() {
        let mut members = Members::of(Model::builtin());
        let before = members.len();
        members.add("channel", "linkedin", &["LinkedIn", "linkedin"]);
        members.add("campaign", "CMP-000001", &["Rebajas de invierno"]);
        assert_eq!(members.len(), before + 1);
        let linkedin = members.get("channel", "linkedin").unwrap();
        assert_eq!(linkedin.names, ["linkedin", "linked in", "LinkedIn"]);
        assert!(members.get("campaign", "linkedin").is_none());
    }
}
