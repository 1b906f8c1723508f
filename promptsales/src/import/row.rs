//! What a line of a table or a sidecar file says about one image.

mod fields;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use contracts::{
    ContentHash, ImageId, Language, LocalisedText, Rights, lifecycle::ContentMetadata,
};
use serde::Serialize;

pub use fields::{FIELDS, Fields, unknown_field};

/// Longest title and alternative text that are made of a description, in characters.
const MADE_TITLE_CHARS: usize = 80;
const MADE_ALT_CHARS: usize = 300;

/// What the command line says for rows that do not.
#[derive(Clone, Debug, Default)]
pub struct Defaults {
    /// The language of `title`, `description`, `alt` and `hashtags`.
    pub lang: Option<Language>,
    /// Whose work the images are.
    pub holder: Option<String>,
    /// Under which licence they may be used.
    pub licence: Option<String>,
}

/// One image and what is said about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Relative to the folder that is imported.
    pub image: PathBuf,
    /// The document's, where the row names one.
    pub id: Option<ImageId>,
    /// All the rest.
    pub said: Said,
}

/// What is said, and nothing else: as JSON it is the merge patch that brings a document level.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Said {
    text: BTreeMap<Language, LocalisedText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    themes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    campaign_themes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channels: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audience: Option<Vec<String>>,
    rights: SaidRights,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct SaidRights {
    #[serde(skip_serializing_if = "Option::is_none")]
    licence: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    holder: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    territories: Option<Vec<String>>,
}

impl Said {
    /// The same for rows that say the same.
    pub fn hash(&self) -> ContentHash {
        ContentHash::of(serde_json::to_vec(self).expect("plain data always serialises"))
    }

    /// For a new document: what is left unsaid is unlimited, or said to be unspecified.
    pub fn metadata(&self, id: &ImageId) -> ContentMetadata {
        let said = self.clone();
        let rights = said.rights;
        let or = |value: Option<String>, other: &str| value.unwrap_or_else(|| other.to_owned());
        ContentMetadata {
            id: Some(id.clone()),
            text: said.text,
            themes: said.themes.unwrap_or_default(),
            campaign_themes: said.campaign_themes.unwrap_or_default(),
            channels: said.channels.unwrap_or_default(),
            audience: said.audience.unwrap_or_default(),
            rights: Rights {
                licence: or(rights.licence, "unspecified"),
                holder: or(rights.holder, "unspecified"),
                // Not today's date: the same row must say the same tomorrow.
                from: or(rights.from, "1970-01-01"),
                until: rights.until,
                territories: rights.territories.unwrap_or_else(|| vec!["*".to_owned()]),
            },
        }
    }
}

impl Row {
    /// Understands the fields of a row. `beside` is the image that a sidecar file belongs to; a row of a
    /// table names its own.
    pub fn of(
        mut fields: Fields,
        beside: Option<&Path>,
        defaults: &Defaults,
    ) -> Result<Self, String> {
        let image = match (fields.text("image")?, beside) {
            (Some(named), None) => PathBuf::from(named),
            (None, Some(beside)) => beside.to_owned(),
            (None, None) => return Err("image is missing: expected the path of a file".to_owned()),
            (Some(_), Some(_)) => {
                return Err(
                    "image is for tables: a sidecar file belongs to the image beside it".to_owned(),
                );
            }
        };
        let id = fields.text("id")?.map(|id| id.parse()).transpose();
        let id = id.map_err(|error: contracts::ids::InvalidImageId| error.to_string())?;
        let text = texts(&mut fields, defaults)?;
        let licence = fields.text("rights.licence")?;
        let holder = fields.text("rights.holder")?;
        let said = Said {
            text,
            themes: fields.list("themes"),
            campaign_themes: fields.list("campaign_themes"),
            channels: fields.list("channels"),
            audience: fields.list("audience"),
            rights: SaidRights {
                licence: licence.or_else(|| defaults.licence.clone()),
                holder: holder.or_else(|| defaults.holder.clone()),
                from: fields.text("rights.from")?,
                until: fields.text("rights.until")?,
                territories: fields.list("rights.territories"),
            },
        };
        Ok(Self { image, id, said })
    }
}

fn texts(
    fields: &mut Fields,
    defaults: &Defaults,
) -> Result<BTreeMap<Language, LocalisedText>, String> {
    let named = fields.text("lang")?.map(|lang| lang.parse()).transpose()?;
    let plain = named.or(defaults.lang);
    let mut texts = BTreeMap::new();
    for language in Language::ALL {
        if let Some(text) = localised(fields, &format!("{language}."))? {
            texts.insert(language, text);
        }
    }
    if let Some(text) = localised(fields, "")? {
        let language = plain.ok_or(
            "description has no language: call it es.description or en.description, add a field \
             lang, or pass --lang",
        )?;
        if texts.insert(language, text).is_some() {
            return Err(format!(
                "description and {language}.description are one and the same: expected one of them"
            ));
        }
    }
    if texts.is_empty() {
        return Err("no description: expected es.description or en.description".to_owned());
    }
    Ok(texts)
}

fn localised(fields: &mut Fields, prefix: &str) -> Result<Option<LocalisedText>, String> {
    let name = |field: &str| format!("{prefix}{field}");
    let title = fields.text(&name("title"))?;
    let alt = fields.text(&name("alt"))?;
    let hashtags = fields.list(&name("hashtags"));
    let Some(description) = fields.text(&name("description"))? else {
        let said = title.is_some() || alt.is_some() || hashtags.is_some();
        return if said {
            Err(format!(
                "{} is missing: a title, alt or hashtags alone describe no image",
                name("description")
            ))
        } else {
            Ok(None)
        };
    };
    Ok(Some(LocalisedText {
        title: title.unwrap_or_else(|| beginning(first_sentence(&description), MADE_TITLE_CHARS)),
        alt: alt.unwrap_or_else(|| beginning(&description, MADE_ALT_CHARS)),
        hashtags: hashtags
            .unwrap_or_default()
            .into_iter()
            .map(hashtag)
            .collect(),
        description,
    }))
}

fn hashtag(word: String) -> String {
    if word.starts_with('#') {
        word
    } else {
        format!("#{word}")
    }
}

fn first_sentence(text: &str) -> &str {
    text.split_inclusive(['.', '!', '?', '\n'])
        .map(|sentence| sentence.trim().trim_end_matches('.'))
        .find(|sentence| !sentence.is_empty())
        .unwrap_or(text)
}

/// The text, or as many of its first words as fit.
fn beginning(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let fitting: String = text.chars().take(most - 1).collect();
    let words = fitting.rsplit_once(char::is_whitespace);
    let kept = words.map_or(fitting.as_str(), |(words, _)| words.trim_end());
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use contracts::Language;
    use serde_json::json;

    use super::{Defaults, FIELDS, Fields, Row};

    fn row(value: serde_json::Value) -> Result<Row, String> {
        Row::of(Fields::of_json(value)?, None, &Defaults::default())
    }

    #[test]
    fn one_language_and_an_image_are_enough() {
        let row = row(json!({"image": "a.png", "es": {"description": "Un faro. De noche."}}));
        let row = row.unwrap();
        let text = &row.said.text[&Language::Es];
        assert_eq!(
            (text.title.as_str(), text.alt.as_str()),
            ("Un faro", "Un faro. De noche.")
        );
        assert_eq!(row.said.text.len(), 1);
        let id = "a".parse().unwrap();
        let rights = row.said.metadata(&id).rights;
        assert_eq!((rights.from.as_str(), rights.until), ("1970-01-01", None));
        assert_eq!(rights.territories, ["*"]);
    }

    #[test]
    fn lists_may_be_written_as_texts_and_hashtags_without_their_mark() {
        let one = row(
            json!({"image": "a.png", "lang": "en", "description": "A dog",
            "hashtags": "Dog #Park, Play;Sun", "themes": "pets"}),
        );
        let other = row(json!({"image": "a.png", "en.description": "A dog",
            "en": {"hashtags": ["#Dog", "#Park", "#Play", "#Sun"]}, "themes": ["pets"]}));
        assert_eq!(one, other);
        assert_eq!(
            one.unwrap().said.hash().as_str(),
            other.unwrap().said.hash().as_str()
        );
    }

    #[test]
    fn long_descriptions_make_short_titles() {
        let long = "palabra ".repeat(60);
        let row = row(json!({"image": "a.png", "es.description": long})).unwrap();
        let text = &row.said.text[&Language::Es];
        assert!(text.title.chars().count() <= 80 && text.title.ends_with("palabra…"));
        assert!(text.alt.chars().count() <= 300 && text.alt.ends_with("palabra…"));
        assert_eq!(text.description, long.trim());
    }

    #[test]
    fn what_cannot_be_understood_is_named() {
        let text = json!({"description": "x"});
        for (value, says) in [
            (json!([]), "expected a JSON object"),
            (json!({"en": text}), "image is missing"),
            (json!({"image": "a"}), "no description"),
            (json!({"image": "a", "description": "x"}), "has no language"),
            (
                json!({"image": "a", "lang": "fr", "description": "x"}),
                "expected es or en",
            ),
            (
                json!({"image": "a", "lang": "en", "description": "x", "en": text}),
                "one and the same",
            ),
            (
                json!({"image": "a", "en": {"title": "x"}}),
                "en.description is missing",
            ),
            (
                json!({"image": "a", "en": text, "id": "A B"}),
                "'A B' is not an id",
            ),
            (
                json!({"image": "a", "hastags": "x"}),
                "unknown field 'hastags'",
            ),
            (json!({"image": "a", "es": {"x": {"y": "z"}}}), "'es.x.y'"),
            (
                json!({"image": "a", "en": text, "en.description": "y"}),
                "en.description is there twice",
            ),
            (json!({"image": 7}), "image is 7: expected a text"),
            (json!({"image": ["a"]}), "image is a list"),
            (json!({"image": "a", "themes": [1]}), "themes holds 1"),
        ] {
            let refused = row(value.clone()).unwrap_err();
            assert!(refused.contains(says), "{value}: {refused}");
        }
    }

    #[test]
    fn every_field_is_understood() {
        for name in FIELDS {
            let text = match *name {
                "lang" => "en",
                "image" => "other.png",
                _ => "value",
            };
            let mut value = json!({"en.description": "A dog"});
            if *name == "es.title" || name.starts_with("es.") {
                value["es.description"] = json!("Un perro");
            }
            if ["title", "alt", "hashtags"].contains(name) {
                value = json!({"lang": "en", "description": "A dog"});
            }
            if *name == "description" {
                value = json!({"lang": "en"});
            }
            value[*name] = json!(text);
            if *name != "image" {
                value["image"] = json!("a.png");
            }
            let row = row(value).unwrap_or_else(|error| panic!("{name}: {error}"));
            let said = serde_json::to_string(&row.said).unwrap();
            let kept = said.contains(text)
                || row.image.to_str() == Some(text)
                || row.id.is_some_and(|id| id.as_str() == text);
            assert!(kept, "{name}: {said}");
        }
    }
}
