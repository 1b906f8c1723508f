//! A catalogue of any size out of a seed: documents that describe made-up scenes, and queries for them.

use contracts::{
    ImageId, Language,
    content::{Orientation, Status},
    index::{Facets, IndexDocument, SearchText},
};
use images::vocabulary;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};
use serde::Deserialize;

/// The parts of a scene, Spanish and English.
#[derive(Deserialize)]
pub struct Catalogue {
    subjects: Vec<[String; 2]>,
    actions: Vec<[String; 2]>,
    places: Vec<[String; 2]>,
    objects: Vec<[String; 2]>,
    lights: Vec<[String; 2]>,
    moods: Vec<[String; 2]>,
    #[serde(skip)]
    seed: u64,
}

/// What somebody looks for.
pub struct Query {
    pub text: String,
    /// A twentieth of the documents has it.
    pub theme: String,
}

impl Catalogue {
    pub fn of(seed: u64) -> anyhow::Result<Self> {
        let parts: Self = toml::from_str(include_str!("../scenes.toml"))?;
        Ok(Self { seed, ..parts })
    }

    /// The document of this number.
    pub fn document(&self, number: u64) -> anyhow::Result<IndexDocument> {
        let mut dice = self.dice(number);
        let picked = [
            pick(&self.subjects, &mut dice),
            pick(&self.actions, &mut dice),
            pick(&self.places, &mut dice),
            pick(&self.objects, &mut dice),
            pick(&self.lights, &mut dice),
            pick(&self.moods, &mut dice),
        ];
        let text = |language: Language| {
            let in_it = if language == Language::Es {
                "Al lado,"
            } else {
                "Beside it,"
            };
            let [subject, action, place, object, light, mood] =
                picked.map(|part| part[usize::from(language == Language::En)].as_str());
            let tag = |words: &str| format!("#{}", camel_case(words));
            let text = SearchText {
                title: capitalised(subject),
                description: capitalised(&format!(
                    "{subject} {action} {place} {light}. {in_it} {object}; {mood}."
                )),
                hashtags: vec![tag(place), tag(object), tag(mood)],
                keywords: Vec::new(),
            };
            (language, text)
        };
        let theme = pick_str(vocabulary::THEMES, &mut dice);
        Ok(IndexDocument {
            id: image_id(number)?,
            revision: 1,
            text: Language::ALL.into_iter().map(text).collect(),
            facets: Facets {
                status: Status::Approved,
                themes: vec![theme],
                campaign_themes: vec![pick_str(vocabulary::CAMPAIGN_THEMES, &mut dice)],
                channels: vec![pick_str(vocabulary::CHANNELS, &mut dice)],
                audience: vec![pick_str(vocabulary::AUDIENCES, &mut dice)],
                orientation: Orientation::Landscape,
                territories: vec!["*".to_owned()],
                usable_from: "2026-01-01".to_owned(),
                usable_until: None,
            },
        })
    }

    /// The query of this number: three parts of a scene, as nobody put them together before, in Spanish
    /// and English by turns.
    pub fn query(&self, number: u64) -> Query {
        let mut dice = self.dice(u64::MAX - number);
        let language = usize::from(number % 2 == 1);
        let parts = [
            pick(&self.subjects, &mut dice),
            pick(&self.places, &mut dice),
            pick(&self.objects, &mut dice),
        ];
        Query {
            text: parts.map(|part| part[language].as_str()).join(" "),
            theme: pick_str(vocabulary::THEMES, &mut dice),
        }
    }

    fn dice(&self, number: u64) -> ChaCha8Rng {
        let mut dice = ChaCha8Rng::seed_from_u64(self.seed);
        dice.set_stream(number);
        dice
    }
}

pub fn image_id(number: u64) -> anyhow::Result<ImageId> {
    Ok(format!("scene-{number}").parse()?)
}

fn pick<'a>(parts: &'a [[String; 2]], dice: &mut ChaCha8Rng) -> &'a [String; 2] {
    &parts[dice.next_u32() as usize % parts.len()]
}

fn pick_str(values: &[&str], dice: &mut ChaCha8Rng) -> String {
    values[dice.next_u32() as usize % values.len()].to_owned()
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

fn camel_case(words: &str) -> String {
    let words = words.split(|letter: char| !letter.is_alphanumeric());
    words.map(capitalised).collect()
}
