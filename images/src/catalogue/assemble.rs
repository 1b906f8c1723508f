//! From files to a catalogue: matches each entry with its image and its facts.

use std::collections::BTreeMap;

use contracts::{ContentHash, ImageFacts};

use super::{
    Catalogue, CatalogueEntry, CatalogueError, EncodedImage, Fault,
    entry_file::EntryFile,
    sources::{File, Sources},
};
use crate::{ImageFault, facts::image_facts, format::Format};

type FactsById = BTreeMap<String, ImageFacts>;

/// Reports every fault at once: whoever mends a catalogue wants the whole list.
pub(super) fn assemble(sources: Sources) -> Result<Catalogue, CatalogueError> {
    let mut faults = Vec::new();
    let mut known = read_facts(sources.facts.as_ref(), &mut faults);
    let mut images: BTreeMap<String, File> = BTreeMap::new();
    for image in sources.images {
        let stem = image.stem().to_owned();
        if let Some(other) = images.get(&stem) {
            let reason = format!("the same image is also there as {}: keep one", other.name);
            faults.push(Fault::new(image.name, reason));
        } else {
            images.insert(stem, image);
        }
    }
    let mut entries = Vec::with_capacity(sources.entries.len());
    for file in sources.entries {
        let stem = file.stem().to_owned();
        let image = images.remove(&stem);
        let known = known.remove(&stem);
        match entry(file, image, known, sources.facts_are_current) {
            Ok(entry) => entries.push(entry),
            Err(fault) => faults.push(fault),
        }
    }
    for image in images.into_values() {
        let reason = format!(
            "no entry describes this image: expected {}.toml",
            image.stem()
        );
        faults.push(Fault::new(image.name, reason));
    }
    if faults.is_empty() {
        return Ok(Catalogue::from_entries(entries));
    }
    faults.sort_by(|left, right| left.file.cmp(&right.file));
    Err(CatalogueError { faults })
}

fn read_facts(file: Option<&File>, faults: &mut Vec<Fault>) -> FactsById {
    let Some(file) = file else {
        return FactsById::new();
    };
    serde_json::from_slice(&file.contents).unwrap_or_else(|error| {
        faults.push(Fault::new(
            file.name.as_str(),
            format_args!(
                "is no map from id to image facts, write it with the render tool: {error}"
            ),
        ));
        FactsById::new()
    })
}

fn entry(
    file: File,
    image: Option<File>,
    known: Option<ImageFacts>,
    facts_are_current: bool,
) -> Result<CatalogueEntry, Fault> {
    let described = EntryFile::parse(&file.contents)
        .map_err(|reason| Fault::new(file.name.as_str(), reason))?;
    let image = image.ok_or_else(|| {
        let reason = format!("has no picture: expected rendered/{}.png", file.stem());
        Fault::new(file.name.as_str(), reason)
    })?;
    let image_fault = |fault: ImageFault| Fault::new(image.name.as_str(), fault);
    let format = Format::sniff(&image.contents).ok_or_else(|| {
        image_fault(if image.contents.is_empty() {
            ImageFault::Empty
        } else {
            ImageFault::UnknownFormat
        })
    })?;
    let known = known.filter(|facts| {
        facts_are_current || facts.sha256 == ContentHash::of(&image.contents).as_str()
    });
    let facts = match known {
        Some(facts) => facts,
        None => image_facts(&image.contents).map_err(image_fault)?,
    };
    Ok(CatalogueEntry {
        file: file.name,
        id: described.id.clone(),
        status: described.status,
        orientation: described.orientation,
        themes: described.themes.clone(),
        campaign_themes: described.campaign_themes.clone(),
        channels: described.channels.clone(),
        audience: described.audience.clone(),
        rights: described.rights(),
        text: described.into_text(),
        image: EncodedImage {
            bytes: image.contents,
            format,
        },
        facts,
    })
}
