//! Loading from a directory: what is there is read, and all that is wrong is told at once.

use std::{fs, path::Path};

use images::{Catalogue, CatalogueError, Format};
use tempfile::TempDir;

use crate::support::{encoded, picture};

const ID: &str = "running-shoes-sunrise-track";

fn source(path: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// A directory with one good entry whose picture is small.
fn directory() -> TempDir {
    let directory = TempDir::new().unwrap();
    fs::create_dir(directory.path().join("catalogue")).unwrap();
    fs::create_dir(directory.path().join("rendered")).unwrap();
    let entry = source(&format!("catalogue/{ID}.toml"));
    put(&directory, &format!("catalogue/{ID}.toml"), entry);
    put(
        &directory,
        &format!("rendered/{ID}.png"),
        encoded(picture(64, 48), Format::Png),
    );
    directory
}

fn put(directory: &TempDir, path: &str, contents: impl AsRef<[u8]>) {
    fs::write(directory.path().join(path), contents).unwrap();
}

fn load(directory: &TempDir) -> Result<Catalogue, CatalogueError> {
    Catalogue::from_directory(directory.path())
}

/// The only fault of a directory.
fn only_fault(directory: &TempDir) -> (String, String) {
    let mut faults = load(directory).unwrap_err().faults;
    assert_eq!(faults.len(), 1, "{faults:?}");
    let fault = faults.remove(0);
    (fault.file, fault.reason)
}

#[test]
fn facts_are_read_from_the_picture_where_none_are_on_record() {
    let catalogue = load(&directory()).unwrap();
    let facts = &catalogue.entries()[0].facts;
    assert_eq!((facts.width, facts.height), (64, 48));
}

#[test]
fn facts_on_record_are_believed_only_for_the_same_file() {
    let directory = directory();
    let mut facts = load(&directory).unwrap().entries()[0].facts.clone();
    facts.blurhash = "on record".to_owned();
    put_facts(&directory, &facts);
    assert_eq!(load(&directory).unwrap().entries()[0].facts, facts);

    facts.sha256 = "0".repeat(64);
    put_facts(&directory, &facts);
    let read = load(&directory).unwrap().entries()[0].facts.clone();
    assert_ne!(read.sha256, facts.sha256);
    assert_ne!(read.blurhash, facts.blurhash);
}

fn put_facts(directory: &TempDir, facts: &contracts::ImageFacts) {
    let facts = std::collections::BTreeMap::from([(ID, facts)]);
    put(
        directory,
        "catalogue/facts.json",
        serde_json::to_vec(&facts).unwrap(),
    );
}

#[test]
fn a_lying_extension_changes_nothing() {
    let directory = directory();
    let png = directory.path().join(format!("rendered/{ID}.png"));
    fs::rename(png, directory.path().join(format!("rendered/{ID}.jpeg"))).unwrap();
    let catalogue = load(&directory).unwrap();
    let entry = &catalogue.entries()[0];
    assert_eq!(entry.image.format, Format::Png);
    assert_eq!(entry.facts.media_type, "image/png");
}

#[test]
fn a_missing_directory_is_named_once_for_each() {
    let directory = TempDir::new().unwrap();
    let faults = load(&directory).unwrap_err().faults;
    let missing: Vec<_> = ["catalogue", "rendered"]
        .iter()
        .map(|name| {
            faults
                .iter()
                .filter(|fault| fault.file.ends_with(name))
                .count()
        })
        .collect();
    assert_eq!(missing, [1, 1], "{faults:?}");
}

#[test]
fn a_misspelt_key_is_told_with_its_line() {
    let directory = directory();
    let entry = String::from_utf8(source(&format!("catalogue/{ID}.toml"))).unwrap();
    put(
        &directory,
        &format!("catalogue/{ID}.toml"),
        entry.replacen("themes =", "theme =", 1),
    );
    let (file, reason) = only_fault(&directory);
    assert_eq!(file, format!("{ID}.toml"));
    assert!(
        reason.starts_with("line 4: unknown field `theme`"),
        "{reason}"
    );
}

#[test]
fn an_id_that_is_no_slug_is_refused() {
    let directory = directory();
    let entry = String::from_utf8(source(&format!("catalogue/{ID}.toml"))).unwrap();
    put(
        &directory,
        &format!("catalogue/{ID}.toml"),
        entry.replacen(ID, "../Running Shoes", 1),
    );
    let (_, reason) = only_fault(&directory);
    assert!(
        reason.contains("'../Running Shoes' is not an id"),
        "{reason}"
    );
}

#[test]
fn an_entry_that_is_not_utf_8_is_refused() {
    let directory = directory();
    put(
        &directory,
        &format!("catalogue/{ID}.toml"),
        b"id = \"\xff\"",
    );
    assert_eq!(only_fault(&directory).1, "is not UTF-8 from byte 6 on");
}

#[test]
fn facts_that_are_no_map_are_refused() {
    let directory = directory();
    put(&directory, "catalogue/facts.json", "[]");
    assert!(
        only_fault(&directory)
            .1
            .contains("is no map from id to image facts")
    );
}

#[test]
fn two_pictures_of_one_image_are_refused() {
    let directory = directory();
    put(
        &directory,
        &format!("rendered/{ID}.webp"),
        encoded(picture(64, 48), Format::Webp),
    );
    let (file, reason) = only_fault(&directory);
    assert_eq!(file, format!("{ID}.webp"));
    assert!(
        reason.contains(&format!("also there as {ID}.png")),
        "{reason}"
    );
}

#[test]
fn a_huge_file_is_refused_before_it_is_read() {
    let directory = directory();
    let path = directory.path().join(format!("rendered/{ID}.png"));
    let file = fs::File::create(path).unwrap();
    file.set_len(20_000_001).unwrap();
    let (_, reason) = only_fault(&directory);
    assert!(reason.contains("20000001 bytes"), "{reason}");
}

#[test]
fn every_fault_is_told_at_once_in_the_order_of_names() {
    let directory = directory();
    put(&directory, "catalogue/a.toml", "id = 1");
    put(
        &directory,
        "catalogue/b.toml",
        source(&format!("catalogue/{ID}.toml")),
    );
    put(&directory, "rendered/a.png", "");
    put(
        &directory,
        "rendered/c.png",
        encoded(picture(8, 8), Format::Png),
    );
    put(&directory, format!("rendered/{ID}.png").as_str(), "");
    let error = load(&directory).unwrap_err();
    let files: Vec<_> = error
        .faults
        .iter()
        .map(|fault| fault.file.as_str())
        .collect();
    assert_eq!(files, ["a.toml", "b.toml", "c.png", &format!("{ID}.png")]);
    let text = error.to_string();
    assert!(text.contains("4 faulty file(s)"), "{text}");
    assert!(
        text.contains("b.toml: has no picture: expected rendered/b.png"),
        "{text}"
    );
    assert!(
        text.contains("c.png: no entry describes this image: expected c.toml"),
        "{text}"
    );
    assert!(text.contains("the image file is empty"), "{text}");
}
