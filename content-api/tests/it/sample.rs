//! Documents and pictures to test with.

use std::{collections::BTreeMap, io::Cursor};

use bytes::Bytes;
use content_api::store::{CampaignDraft, ContentDraft, ContentStore, ImageFile, Stamp};
use contracts::{
    ImageFacts, ImageId, Language, LocalisedText, Rights,
    campaigns::{Budget, CampaignStatus},
    content::{Origin, Status},
};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use time::{OffsetDateTime, macros::datetime};

/// The time in all tests, unless one moves it.
pub const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);

pub fn id(slug: &str) -> ImageId {
    slug.parse().unwrap()
}

/// An approved document with rights everywhere from 2026 on. Its facts say 1600 x 1200 pixels.
pub fn draft(slug: &str) -> ContentDraft {
    let text = |language: &str| LocalisedText {
        title: format!("{slug} title {language}"),
        description: format!("{slug} description {language}"),
        alt: format!("{slug} alt {language}"),
        hashtags: vec![format!("#{language}")],
    };
    ContentDraft {
        id: id(slug),
        status: Status::Approved,
        text: BTreeMap::from([(Language::Es, text("es")), (Language::En, text("en"))]),
        themes: vec!["sport".to_owned()],
        campaign_themes: vec!["new-collection".to_owned()],
        channels: vec!["email".to_owned()],
        audience: vec!["athletes".to_owned()],
        rights: Rights {
            licence: "CC-BY-4.0".to_owned(),
            holder: "Nobody".to_owned(),
            from: "2026-01-01".to_owned(),
            until: None,
            territories: vec!["*".to_owned()],
        },
        image: facts("0".repeat(64)),
        origin: Origin::Catalogue,
        former_images: Vec::new(),
    }
}

/// Written now, by the tests.
pub fn stamp() -> Stamp {
    Stamp {
        now: NOW,
        by: "tester".to_owned(),
    }
}

/// A planned campaign that uses these documents.
pub fn campaign(slug: &str, contents: &[&str]) -> CampaignDraft {
    CampaignDraft {
        id: id(slug),
        name: format!("{slug} name"),
        objective: "To be seen".to_owned(),
        status: CampaignStatus::Planned,
        audience: vec!["athletes".to_owned()],
        markets: vec!["CR".to_owned()],
        channels: vec!["email".to_owned()],
        budget: Budget {
            amount: "12500.00".to_owned(),
            currency: "USD".to_owned(),
        },
        starts_on: "2026-12-01".to_owned(),
        ends_on: "2026-12-31".to_owned(),
        content_ids: contents.iter().map(|slug| id(slug)).collect(),
    }
}

/// A PNG file of 64 x 48 pixels: another picture for each of 256 shades.
pub fn png(shade: u8) -> Vec<u8> {
    // Which way each block gets brighter decides the perceptual hash.
    let block = |x: u32, y: u32| (x / 8 + 8 * (y / 6)).wrapping_mul(u32::from(shade) * 2 + 7) as u8;
    let picture = RgbImage::from_fn(64, 48, |x, y| Rgb([block(x, y), shade, block(y, x)]));
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(picture)
        .write_to(&mut bytes, ImageFormat::Png)
        .unwrap();
    bytes.into_inner()
}

fn facts(sha256: String) -> ImageFacts {
    ImageFacts {
        media_type: "image/webp".to_owned(),
        width: 1_600,
        height: 1_200,
        bytes: 1,
        sha256,
        orientation: contracts::content::Orientation::Landscape,
        palette: vec!["#ffffff".to_owned()],
        perceptual_hash: "0".repeat(16),
        blurhash: "L00000fQfQfQfQfQfQfQfQfQfQfQ".to_owned(),
    }
}

/// The same document with another title.
pub fn retitled(slug: &str, title: &str) -> ContentDraft {
    let mut draft = draft(slug);
    for text in draft.text.values_mut() {
        text.title = title.to_owned();
    }
    draft
}

/// Stores a document with a real picture: a PNG of 64 x 48 pixels.
pub async fn store_with_picture(store: &dyn ContentStore, slug: &str) -> ContentDraft {
    let picture = RgbImage::from_fn(64, 48, |x, y| Rgb([x as u8, y as u8, slug.len() as u8]));
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(picture)
        .write_to(&mut bytes, ImageFormat::Png)
        .unwrap();
    let bytes = Bytes::from(bytes.into_inner());
    let facts = images::image_facts(&bytes).unwrap();
    let file = ImageFile {
        sha256: facts.sha256.clone(),
        media_type: facts.media_type.clone(),
        bytes,
    };
    store.put_image(&file).await.unwrap();
    let draft = ContentDraft {
        image: facts,
        ..draft(slug)
    };
    store.put(&draft, NOW).await.unwrap();
    draft
}
