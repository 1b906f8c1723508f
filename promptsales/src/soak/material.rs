//! What is written: texts in both languages and pictures, each unlike all others.

use std::{collections::BTreeMap, io::Cursor};

use contracts::{ImageId, Language, LocalisedText};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};

use super::dice::Dice;

/// Subjects in Spanish and English, for the words of titles and of queries.
const SUBJECTS: [(&str, &str); 12] = [
    ("bicicleta en la ciudad", "bicycle in the city"),
    (
        "café con leche por la mañana",
        "coffee with milk in the morning",
    ),
    ("familia en la playa", "family on the beach"),
    ("zapatillas para correr", "running shoes"),
    ("perro en el parque", "dog in the park"),
    ("montaña con nieve", "snowy mountain"),
    ("fiesta de cumpleaños", "birthday party"),
    ("ordenador en la oficina", "computer in the office"),
    ("ensalada de verduras", "vegetable salad"),
    ("faro junto al mar", "lighthouse by the sea"),
    ("niños en la escuela", "children at school"),
    ("concierto al aire libre", "open-air concert"),
];

/// A description to search for.
pub fn query(dice: &mut Dice) -> (Language, &'static str) {
    let (es, en) = *dice.pick(&SUBJECTS);
    if dice.below(2) == 0 {
        (Language::Es, es)
    } else {
        (Language::En, en)
    }
}

/// Every description, in both languages.
pub fn queries() -> impl Iterator<Item = (Language, &'static str)> {
    let both = |(es, en)| [(Language::Es, es), (Language::En, en)];
    SUBJECTS.into_iter().flat_map(both)
}

/// A word that stands in the texts of one document only.
pub fn own_word(id: &ImageId) -> String {
    id.as_str().replace('-', "")
}

/// The texts of one edition of a document.
pub fn texts(dice: &mut Dice, id: &ImageId, edition: u64) -> BTreeMap<Language, LocalisedText> {
    let (es, en) = *dice.pick(&SUBJECTS);
    let word = own_word(id);
    let text = |title: &str, said: &str| LocalisedText {
        title: format!("{title} {word} {edition}"),
        description: format!("{said} {title}, {word}."),
        alt: format!("{title}."),
        hashtags: vec![format!("#{word}")],
    };
    BTreeMap::from([
        (Language::Es, text(es, "Una imagen de")),
        (Language::En, text(en, "A picture of")),
    ])
}

/// The titles of texts.
pub fn titles(texts: &BTreeMap<Language, LocalisedText>) -> BTreeMap<Language, String> {
    let title = |(language, text): (&Language, &LocalisedText)| (*language, text.title.clone());
    texts.iter().map(title).collect()
}

/// The part `metadata` of an upload.
pub fn metadata(id: &ImageId, texts: &BTreeMap<Language, LocalisedText>) -> Value {
    json!({
        "id": id, "text": texts, "themes": ["sport"], "channels": ["email"],
        "rights": {"licence": "CC-BY-4.0", "holder": "Soak", "from": "2020-01-01",
            "territories": ["*"]},
    })
}

/// A PNG file of 64 x 48 pixels, another one for each number.
pub fn picture(number: u64) -> anyhow::Result<Vec<u8>> {
    let [a, b, c, ..] = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
    let block = |x: u32, y: u32| (x / 8 + 8 * (y / 6)).wrapping_mul(u32::from(a) * 2 + 7) as u8;
    let pixel = |x, y| Rgb([block(x, y), b, block(y, x) ^ c]);
    let mut file = Cursor::new(Vec::new());
    DynamicImage::from(RgbImage::from_fn(64, 48, pixel)).write_to(&mut file, ImageFormat::Png)?;
    Ok(file.into_inner())
}

/// A multipart body with this boundary.
pub fn multipart(boundary: &str, file: &[u8], metadata: Option<&Value>) -> Vec<u8> {
    let mut body = Vec::new();
    let mut part = |head: &str, bytes: &[u8]| {
        body.extend_from_slice(format!("--{boundary}\r\n{head}\r\n\r\n").as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    };
    if let Some(metadata) = metadata {
        let head = "content-disposition: form-data; name=\"metadata\"\r\n\
            content-type: application/json";
        part(head, metadata.to_string().as_bytes());
    }
    let head = "content-disposition: form-data; name=\"image\"; filename=\"a.png\"\r\n\
        content-type: image/png";
    part(head, file);
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    body
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn pictures_differ() {
        let pictures: BTreeSet<_> = (0..500).map(|n| picture(n).unwrap()).collect();
        assert_eq!(pictures.len(), 500);
    }
}
