//! Identifiers that must not be mixed up.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::limits::MAX_ID_BYTES;

/// A content document's id: a lower-case slug such as `running-shoes-sunrise-track`.
///
/// 1 to 80 bytes of `a-z`, `0-9` and inner single hyphens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", max_length = 80)]
pub struct ImageId(String);

/// Why a string is not an [`ImageId`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("'{0}' is not an id: expected 1 to 80 of a-z, 0-9 and single inner hyphens")]
pub struct InvalidImageId(String);

impl ImageId {
    /// The slug itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ImageId {
    type Err = InvalidImageId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let well_formed = text.len() <= MAX_ID_BYTES
            && text.split('-').all(|part| {
                !part.is_empty()
                    && part
                        .bytes()
                        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            });
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidImageId(text.chars().take(MAX_ID_BYTES).collect()))
        }
    }
}

impl TryFrom<String> for ImageId {
    type Error = InvalidImageId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ImageId> for String {
    fn from(id: ImageId) -> Self {
        id.0
    }
}

impl fmt::Display for ImageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names one set of model weights with one way of using them. Vectors of two models never meet.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, example = "minilm-es-en-v1")]
pub struct ModelId(String);

impl ModelId {
    /// Wraps a name such as `minilm-es-en-v1`.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// SHA-256 of a canonical JSON text, in lower-case hexadecimal: two documents with the same hash
/// are the same document, so a repeated push can be recognised and dropped.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, pattern = "^[0-9a-f]{64}$")]
pub struct ContentHash(String);

impl ContentHash {
    /// Hashes the bytes of an already canonical text.
    pub fn of(bytes: impl AsRef<[u8]>) -> Self {
        Self(hex::encode(Sha256::digest(bytes.as_ref())))
    }

    /// Reads a hash that a store kept.
    pub fn from_hex(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The 64 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::ImageId;

    #[test]
    fn slugs_and_only_slugs_are_ids() {
        for good in ["a", "two-beaches", "x1-2", &"a".repeat(80)] {
            assert!(good.parse::<ImageId>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "-a",
            "a-",
            "a--b",
            "Á",
            "A",
            "a b",
            "../x",
            &"a".repeat(81),
        ] {
            assert!(bad.parse::<ImageId>().is_err(), "{bad}");
        }
    }
}
