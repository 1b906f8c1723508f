//! Facts that are read from an image file and never typed in by hand.

mod palette;

use contracts::content::{ImageFacts, Orientation};
use image::DynamicImage;
use image_hasher::{HashAlg, HasherConfig};
use sha2::{Digest, Sha256};

use crate::{
    decode::{self, Decoded},
    fault::ImageFault,
    limits::Limits,
};

/// Long side, in pixels, of the copy from which colours and hashes are read: enough for them, and
/// a hundredth of the work.
const SAMPLE_SIDE: u32 = 160;
/// Bits, of the perceptual hash's 64, up to which two pictures are nearly the same.
pub const NEAR_BITS: u32 = 6;
/// Blurhash components across and down.
const BLURHASH_COMPONENTS: (u32, u32) = (4, 3);

/// Reads a file's facts within the default [`Limits`]. Decodes the whole picture: CPU-bound.
pub fn image_facts(bytes: &[u8]) -> Result<ImageFacts, ImageFault> {
    image_facts_within(bytes, &Limits::default())
}

/// Reads a file's facts within these limits. Decodes the whole picture: CPU-bound.
pub fn image_facts_within(bytes: &[u8], limits: &Limits) -> Result<ImageFacts, ImageFault> {
    let Decoded { pixels, header, .. } = decode::decode(bytes, limits)?;
    let sample = if header.width.max(header.height) > SAMPLE_SIDE {
        pixels.thumbnail(SAMPLE_SIDE, SAMPLE_SIDE)
    } else {
        pixels
    };
    let sample = DynamicImage::ImageRgb8(decode::on_white(&sample));
    Ok(ImageFacts {
        media_type: header.format.media_type().to_owned(),
        width: header.width,
        height: header.height,
        bytes: bytes.len() as u64,
        sha256: hex::encode(Sha256::digest(bytes)),
        orientation: Orientation::of(header.width, header.height),
        palette: palette::dominant(&sample.to_rgb8()),
        perceptual_hash: perceptual_hash(&sample),
        blurhash: blurhash(&sample),
    })
}

/// How many of the 64 bits of two perceptual hashes differ; `None` when either is malformed.
pub fn perceptual_distance(left: &str, right: &str) -> Option<u32> {
    let bits = |text: &str| {
        (text.len() == 16)
            .then(|| u64::from_str_radix(text, 16).ok())
            .flatten()
    };
    Some((bits(left)? ^ bits(right)?).count_ones())
}

fn perceptual_hash(sample: &DynamicImage) -> String {
    let hasher = HasherConfig::new()
        .hash_size(8, 8)
        .hash_alg(HashAlg::Gradient)
        .to_hasher();
    hex::encode(hasher.hash_image(sample).as_bytes())
}

fn blurhash(sample: &DynamicImage) -> String {
    let small = sample.thumbnail(64, 64).to_rgba8();
    let (across, down) = BLURHASH_COMPONENTS;
    blurhash::encode(across, down, small.width(), small.height(), &small)
        .expect("the component counts are constants from 1 to 9, and the buffer is whole")
}
