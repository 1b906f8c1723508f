//! Each rule of the catalogue, broken once.

use std::sync::LazyLock;

use contracts::{Language, content::Orientation};
use images::{Catalogue, CatalogueEntry, Format, image_facts, validate, vocabulary};

use crate::support::{decoded, encoded, picture};

/// A good entry whose picture decodes fast.
static GOOD: LazyLock<CatalogueEntry> = LazyLock::new(|| {
    let bundled = Catalogue::bundled().unwrap();
    let mut entry = bundled.entries()[0].clone();
    show(&mut entry, encoded(picture(1200, 40), Format::Png));
    entry.orientation = Orientation::Landscape;
    entry
});

fn show(entry: &mut CatalogueEntry, file: Vec<u8>) {
    entry.facts = image_facts(&file).unwrap();
    entry.image.format = Format::sniff(&file).unwrap();
    entry.image.bytes = file.into();
}

fn reasons(entries: Vec<CatalogueEntry>) -> Vec<String> {
    validate(&Catalogue::from_entries(entries))
        .into_iter()
        .map(|fault| fault.reason)
        .collect()
}

/// The good entry after one change has faults that contain these texts, one each, and no other.
fn broken(change: impl FnOnce(&mut CatalogueEntry), expected: &[&str]) {
    let mut entry = GOOD.clone();
    change(&mut entry);
    let reasons = reasons(vec![entry]);
    assert_eq!(reasons.len(), expected.len(), "{reasons:?}");
    for (reason, expected) in reasons.iter().zip(expected) {
        assert!(reason.contains(expected), "'{reason}' lacks '{expected}'");
    }
}

fn english(entry: &mut CatalogueEntry) -> &mut contracts::LocalisedText {
    entry.text.get_mut(&Language::En).unwrap()
}

fn words(count: usize) -> String {
    vec!["word"; count].join(" ")
}

#[test]
fn the_good_entry_is_good() {
    broken(|_| (), &[]);
}

#[test]
fn names() {
    broken(
        |entry| entry.file = "other.toml".into(),
        &["expected the file's name"],
    );
    let mut twin = GOOD.clone();
    twin.file = "twin.toml".into();
    let reasons = reasons(vec![GOOD.clone(), twin]);
    let count = |text| {
        reasons
            .iter()
            .filter(|reason| reason.contains(text))
            .count()
    };
    assert_eq!(count("ids are unique"), 1, "{reasons:?}");
}

#[test]
fn word_counts() {
    type Field = fn(&mut contracts::LocalisedText) -> &mut String;
    let fields: [(&str, Field, usize, usize); 3] = [
        ("title", |text| &mut text.title, 3, 8),
        ("description", |text| &mut text.description, 20, 45),
        ("alt", |text| &mut text.alt, 6, 20),
    ];
    for (key, field, least, most) in fields {
        for good in [least, most] {
            broken(|entry| *field(english(entry)) = words(good), &[]);
        }
        for bad in [0, least - 1, most + 1] {
            let expected = format!("en.{key} has {bad} words: expected {least} to {most}");
            broken(|entry| *field(english(entry)) = words(bad), &[&expected]);
        }
        broken(
            |entry| field(english(entry)).push('\u{7}'),
            &["or a control character"],
        );
        broken(
            |entry| field(english(entry)).push(' '),
            &["blanks at its ends"],
        );
    }
}

#[test]
fn a_missing_language() {
    broken(
        |entry| drop(entry.text.remove(&Language::Es)),
        &["has no text in 'es'"],
    );
}

#[test]
fn hashtags() {
    for bad in [
        "NoSign",
        "#",
        "#two words",
        "#a-b",
        "#2026",
        "##Twice",
        "#snake_case",
    ] {
        broken(
            |entry| english(entry).hashtags[0] = bad.into(),
            &[&format!("'{bad}' is no hashtag")],
        );
    }
    for good in ["#Año2026", "#Ñandú"] {
        broken(|entry| english(entry).hashtags[0] = good.into(), &[]);
    }
    broken(
        |entry| {
            let hashtags = &mut english(entry).hashtags;
            hashtags[0] = hashtags[1].to_uppercase();
        },
        &["stands there twice"],
    );
    broken(
        |entry| english(entry).hashtags.truncate(4),
        &["has 4 values: expected 5 to 10"],
    );
    broken(
        |entry| english(entry).hashtags = (0..11).map(|n| format!("#T{n}")).collect(),
        &["has 11 values: expected 5 to 10"],
    );
}

#[test]
fn labels() {
    broken(
        |entry| entry.themes = vec!["space".into()],
        &["themes: 'space' is unknown"],
    );
    broken(
        |entry| entry.campaign_themes = vec!["Loyalty".into()],
        &["campaign_themes: 'Loyalty' is unknown"],
    );
    broken(
        |entry| entry.channels = vec!["fax".into()],
        &["channels: 'fax' is unknown"],
    );
    broken(
        |entry| entry.audience = vec!["cats".into()],
        &["audience: 'cats' is unknown"],
    );
    broken(
        |entry| entry.themes.clear(),
        &["themes has 0 values: expected 1 to 3"],
    );
    broken(
        |entry| {
            entry.channels = vocabulary::CHANNELS
                .iter()
                .map(|&channel| channel.into())
                .collect()
        },
        &["channels has 6 values: expected 1 to 5"],
    );
    broken(
        |entry| entry.audience = vec!["parents".into(), "parents".into()],
        &["audience: 'parents' stands there twice"],
    );
}

#[test]
fn vocabularies_are_sorted_slugs() {
    for list in [
        vocabulary::THEMES,
        vocabulary::CAMPAIGN_THEMES,
        vocabulary::CHANNELS,
        vocabulary::AUDIENCES,
    ] {
        assert!(list.is_sorted_by(|a, b| a < b), "{list:?}");
        for word in list {
            word.parse::<contracts::ImageId>().unwrap();
        }
    }
}

#[test]
fn rights() {
    for bad in [
        "2026-13-01",
        "2026-02-30",
        "01/02/2026",
        "2026-01-01T00:00:00",
        "2026-W01-4",
        "",
    ] {
        broken(
            |entry| entry.rights.from = bad.into(),
            &[&format!("rights.from is '{bad}'")],
        );
        broken(
            |entry| entry.rights.until = Some(bad.into()),
            &[&format!("rights.until is '{bad}'")],
        );
    }
    broken(
        |entry| {
            entry.rights.from = "2026-05-02".into();
            entry.rights.until = Some("2026-05-01".into());
        },
        &["rights end on 2026-05-01 before they begin on 2026-05-02"],
    );
    broken(
        |entry| {
            entry.rights.from = "2026-05-02".into();
            entry.rights.until = Some("2026-05-02".into());
        },
        &[],
    );
    broken(
        |entry| entry.rights.licence = " ".into(),
        &["rights.licence is blank"],
    );
    broken(
        |entry| entry.rights.holder.clear(),
        &["rights.holder is blank"],
    );
    let territories = |codes: &'static [&'static str]| {
        move |entry: &mut CatalogueEntry| {
            entry.rights.territories = codes.iter().map(|&code| code.into()).collect();
        }
    };
    broken(territories(&["CR", "MX"]), &[]);
    broken(territories(&[]), &["rights.territories is empty"]);
    broken(territories(&["cr"]), &["'cr' is no ISO 3166-1"]);
    broken(territories(&["CRI"]), &["'CRI' is no ISO 3166-1"]);
    broken(territories(&["*", "CR"]), &["expected nothing beside it"]);
    broken(territories(&["CR", "CR"]), &["'CR' stands there twice"]);
}

#[test]
fn pictures() {
    broken(
        |entry| entry.orientation = Orientation::Square,
        &["orientation is 'square', but the picture of 1200 x 40 pixels is 'landscape'"],
    );
    broken(
        |entry| show(entry, encoded(picture(1199, 40), Format::Png)),
        &["has 1199 x 40 pixels: expected at least 1200"],
    );
    broken(
        |entry| entry.facts.sha256 = "0".repeat(64),
        &["the facts on record are not those of the picture"],
    );
    broken(
        |entry| entry.image.bytes.to_mut().truncate(300),
        &["cannot be decoded"],
    );
}

#[test]
fn a_picture_nearly_that_of_another() {
    let bundled = Catalogue::bundled().unwrap();
    let [first, second, ..] = bundled.entries() else {
        panic!("two entries")
    };
    let mut copy = second.clone();
    // Another file, with loss and in another format: only the picture is the same.
    show(
        &mut copy,
        encoded(decoded(&first.image.bytes), Format::Jpeg),
    );
    copy.orientation = first.orientation;
    let reasons = reasons(vec![first.clone(), copy]);
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    assert!(
        reasons[0].contains(&format!("nearly that of {}", first.file)),
        "{reasons:?}"
    );
}

#[test]
fn a_description_nearly_that_of_another() {
    let bundled = Catalogue::bundled().unwrap();
    let [first, second, ..] = bundled.entries() else {
        panic!("two entries")
    };
    let mut copy = second.clone();
    let description = &first.text[&Language::Es].description;
    // Punctuation, case and one word more do not make another text.
    let copied = format!(
        "{} siempre",
        description.to_uppercase().replace([',', '.'], "")
    );
    copy.text.get_mut(&Language::Es).unwrap().description = copied;
    let reasons = reasons(vec![first.clone(), copy]);
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    assert!(
        reasons[0].contains(&format!("es.description is nearly that of {}", first.file)),
        "{reasons:?}"
    );
}
