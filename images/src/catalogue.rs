//! The catalogue: its entries, and how they are loaded.

mod assemble;
mod entry_file;
mod sources;

use std::{borrow::Cow, collections::BTreeMap, fmt, path::Path};

use contracts::{
    ImageFacts, ImageId, Language, LocalisedText, Rights,
    content::{Orientation, Status},
};

use crate::format::Format;

/// Images with everything that is known about them, sorted by id.
#[derive(Clone, Debug)]
pub struct Catalogue {
    entries: Vec<CatalogueEntry>,
}

/// One image of the catalogue.
#[derive(Clone, Debug, PartialEq)]
pub struct CatalogueEntry {
    /// Name of the file that describes it, for messages: `running-shoes-sunrise-track.toml`.
    pub file: String,
    /// Slug, unique in the catalogue, and the stem of its files' names.
    pub id: ImageId,
    /// Where it stands in its life.
    pub status: Status,
    /// As declared; [`validate`](crate::validate) compares it with the picture.
    pub orientation: Orientation,
    /// Subjects, from [`vocabulary::THEMES`](crate::vocabulary::THEMES).
    pub themes: Vec<String>,
    /// From [`vocabulary::CAMPAIGN_THEMES`](crate::vocabulary::CAMPAIGN_THEMES).
    pub campaign_themes: Vec<String>,
    /// From [`vocabulary::CHANNELS`](crate::vocabulary::CHANNELS).
    pub channels: Vec<String>,
    /// From [`vocabulary::AUDIENCES`](crate::vocabulary::AUDIENCES).
    pub audience: Vec<String>,
    /// Who may use it, where and until when.
    pub rights: Rights,
    /// Title, description, alternative text and hashtags, per language.
    pub text: BTreeMap<Language, LocalisedText>,
    /// The picture itself.
    pub image: EncodedImage,
    /// Facts read from the picture.
    pub facts: ImageFacts,
}

/// An image file in memory.
#[derive(Clone, PartialEq, Eq)]
pub struct EncodedImage {
    /// The whole file. Of the bundled catalogue it is borrowed from the binary.
    pub bytes: Cow<'static, [u8]>,
    /// By the file's first bytes, whatever its name said.
    pub format: Format,
}

/// What is wrong with one file of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Name of the file, or of its directory.
    pub file: String,
    /// What was found and what was expected.
    pub reason: String,
}

/// A catalogue that could not be loaded: everything that is wrong with it, not only the first.
#[derive(Debug, thiserror::Error)]
#[error("the catalogue has {} faulty file(s):{}", faults.len(), listed(faults))]
pub struct CatalogueError {
    /// In the order of the files' names.
    pub faults: Vec<Fault>,
}

impl Catalogue {
    /// The catalogue inside this binary. Decodes no image: the facts are embedded too.
    ///
    /// An error means that the binary was built from a faulty source tree.
    pub fn bundled() -> Result<Self, CatalogueError> {
        assemble::assemble(sources::bundled())
    }

    /// Reads `catalogue/*.toml` and `rendered/<id>.{webp,png,jpg,jpeg}` below a directory.
    ///
    /// Facts come from `catalogue/facts.json` where the file's hash still agrees; otherwise they
    /// are read from the picture, which takes time.
    pub fn from_directory(path: impl AsRef<Path>) -> Result<Self, CatalogueError> {
        assemble::assemble(sources::from_directory(path.as_ref())?)
    }

    /// From entries made elsewhere, sorted by id and not otherwise checked.
    pub fn from_entries(mut entries: Vec<CatalogueEntry>) -> Self {
        entries.sort_by(|left, right| left.id.cmp(&right.id));
        Self { entries }
    }

    /// All entries, sorted by id.
    pub fn entries(&self) -> &[CatalogueEntry] {
        &self.entries
    }

    /// The entry with this id.
    pub fn get(&self, id: &ImageId) -> Option<&CatalogueEntry> {
        let index = self
            .entries
            .binary_search_by(|entry| entry.id.cmp(id))
            .ok()?;
        self.entries.get(index)
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl IntoIterator for Catalogue {
    type Item = CatalogueEntry;
    type IntoIter = std::vec::IntoIter<CatalogueEntry>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl<'a> IntoIterator for &'a Catalogue {
    type Item = &'a CatalogueEntry;
    type IntoIter = std::slice::Iter<'a, CatalogueEntry>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.iter()
    }
}

impl EncodedImage {
    /// `image/webp`, `image/png` or `image/jpeg`.
    pub fn media_type(&self) -> &'static str {
        self.format.media_type()
    }
}

impl fmt::Debug for EncodedImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncodedImage")
            .field("bytes", &self.bytes.len())
            .field("format", &self.format)
            .finish()
    }
}

impl Fault {
    pub(crate) fn new(file: impl Into<String>, reason: impl fmt::Display) -> Self {
        Self {
            file: file.into(),
            reason: reason.to_string(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.reason)
    }
}

fn listed(faults: &[Fault]) -> String {
    faults.iter().map(|fault| format!("\n  {fault}")).collect()
}
