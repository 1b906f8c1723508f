//! The catalogue that ships.

use std::time::{Duration, Instant};

use images::{Catalogue, CatalogueEntry, Format, ImageFault, validate};

#[test]
fn has_at_least_sixty_entries_sorted_by_id_and_no_fault() {
    let catalogue = Catalogue::bundled().unwrap();
    assert!(catalogue.len() >= 60, "{}", catalogue.len());
    assert!(!catalogue.is_empty());
    assert!(catalogue.entries().is_sorted_by(|a, b| a.id < b.id));
    // Among the rules: the facts on record are those of the pictures.
    let faults: Vec<_> = validate(&catalogue)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn is_read_in_less_than_50_ms_because_no_image_is_decoded() {
    let fastest = (0..10)
        .map(|_| {
            let start = Instant::now();
            Catalogue::bundled().unwrap();
            start.elapsed()
        })
        .min()
        .unwrap();
    assert!(fastest < Duration::from_millis(50), "{fastest:?}");
}

#[test]
fn is_the_same_as_the_source_directory() {
    let directory = Catalogue::from_directory(env!("CARGO_MANIFEST_DIR")).unwrap();
    let bundled = Catalogue::bundled().unwrap();
    assert_eq!(directory.entries(), bundled.entries());
}

#[test]
fn stays_below_12_mb() {
    let bytes: usize = Catalogue::bundled()
        .unwrap()
        .into_iter()
        .map(|entry| entry.image.bytes.len())
        .sum();
    assert!(bytes < 12_000_000, "{bytes}");
}

#[test]
fn an_entry_is_found_by_its_id() -> Result<(), ImageFault> {
    let catalogue = Catalogue::bundled().unwrap();
    let entry = catalogue
        .get(&"running-shoes-sunrise-track".parse().unwrap())
        .unwrap();
    assert_eq!(entry.file, "running-shoes-sunrise-track.toml");
    assert_eq!(entry.image.format, Format::Png);
    assert_eq!(entry.image.media_type(), entry.facts.media_type);
    assert_eq!(images::image_facts(&entry.image.bytes)?, entry.facts);
    assert!(catalogue.get(&"no-such-image".parse().unwrap()).is_none());
    Ok(())
}

#[test]
fn debug_output_holds_no_image() {
    let catalogue = Catalogue::bundled().unwrap();
    let first: &CatalogueEntry = &catalogue.entries()[0];
    assert!(format!("{first:?}").len() < 5_000);
}
