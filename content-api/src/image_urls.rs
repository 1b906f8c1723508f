//! Where images are fetched.

use contracts::{ImageFacts, ImageId, Rendition};
use images::{Format, rendition_size};
use url::Url;

/// Sizes offered with each hit: for a thumbnail, a page and a full screen.
const OFFERED: [(u32, Format); 4] = [
    (320, Format::Webp),
    (640, Format::Webp),
    (1_200, Format::Webp),
    (640, Format::Jpeg),
];
/// As much of a file's hash as its URLs carry, in hexadecimal digits.
const VERSION_DIGITS: usize = 16;

/// Makes absolute image URLs.
#[derive(Clone, Debug)]
pub struct ImageUrls {
    base: String,
}

impl ImageUrls {
    /// URLs below the service's public one.
    pub fn new(public_url: &Url) -> Self {
        Self {
            base: public_url.as_str().trim_end_matches('/').to_owned(),
        }
    }

    /// The original, or what `Accept` prefers to it, in full size.
    pub fn original(&self, id: &ImageId, image: &ImageFacts) -> String {
        format!(
            "{}/v1/content/{id}/image?v={}",
            self.base,
            version(&image.sha256)
        )
    }

    /// The sizes that are offered: none wider than the original.
    pub fn renditions(&self, id: &ImageId, image: &ImageFacts) -> Vec<Rendition> {
        OFFERED
            .into_iter()
            .filter(|(width, _)| *width <= image.width)
            .filter_map(|(width, format)| {
                let (width, height) =
                    rendition_size((image.width, image.height), Some(width)).ok()?;
                let version = version(&image.sha256);
                let url = format!(
                    "{}/v1/content/{id}/image?width={width}&format={format}&v={version}",
                    self.base
                );
                Some(Rendition {
                    url,
                    width,
                    height,
                    media_type: format.media_type().to_owned(),
                })
            })
            .collect()
    }
}

/// What stands for a file in URLs and entity tags: they change when it does.
pub fn version(sha256: &str) -> &str {
    sha256.get(..VERSION_DIGITS).unwrap_or(sha256)
}
