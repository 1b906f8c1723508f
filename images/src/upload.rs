//! Files from outside: read within limits, and written anew so that nothing but the picture stays.

use image::DynamicImage;

use contracts::ImageFacts;

use crate::{
    decode::{self, Decoded},
    facts::image_facts_within,
    fault::ImageFault,
    format::Format,
    limits::Limits,
    rendition::encode,
};

/// Of 100. Higher than for renditions: these are made of it.
const JPEG_QUALITY: u8 = 92;
/// A colour profile has a few hundred bytes to some ten thousand; more of it is something else.
const MAX_PROFILE_BYTES: usize = 256 * 1024;

/// An image file of ours, made of one from outside.
#[derive(Clone, PartialEq)]
pub struct CleanImage {
    /// The whole file.
    pub bytes: Vec<u8>,
    /// Of that file, not of the one it was made of.
    pub facts: ImageFacts,
}

impl std::fmt::Debug for CleanImage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CleanImage")
            .field("bytes", &self.bytes.len())
            .field("facts", &self.facts)
            .finish()
    }
}

/// Decodes a file that nobody vouches for and encodes its picture again: what a camera wrote into
/// it, comments, and bytes before, between or after the picture are gone. The picture is turned as
/// its metadata asked. The same file always gives the same bytes. CPU-bound.
///
/// PNG stays PNG and JPEG stays JPEG, of quality 92. WebP is written without loss; one that was
/// compressed with loss and is opaque becomes JPEG, which is smaller by far. Of an animation the
/// first picture stays. The result keeps the limits too.
pub fn clean_image(file: &[u8], limits: &Limits) -> Result<CleanImage, ImageFault> {
    let Decoded {
        pixels,
        header,
        colour_profile,
    } = decode::decode(file, limits)?;
    let format = match header.format {
        Format::Webp if is_lossy_webp(file) && !pixels.color().has_alpha() => Format::Jpeg,
        format => format,
    };
    let profile = colour_profile.filter(|profile| is_profile(profile));
    let bytes = encode(&eight_bits(pixels), format, JPEG_QUALITY, profile)
        .map_err(|source| ImageFault::Unencodable { format, source })?;
    // Read back: what is stored is known to be readable, and its facts are its own.
    let facts = image_facts_within(&bytes, limits)?;
    Ok(CleanImage { bytes, facts })
}

/// All three encoders take eight bits, with or without transparency.
fn eight_bits(pixels: DynamicImage) -> DynamicImage {
    if pixels.color().has_alpha() {
        DynamicImage::ImageRgba8(pixels.into_rgba8())
    } else {
        DynamicImage::ImageRgb8(pixels.into_rgb8())
    }
}

/// Does it hold a frame of the lossy kind (RFC 9649 section 2.5)?
fn is_lossy_webp(file: &[u8]) -> bool {
    let mut rest = file.get(12..).unwrap_or_default();
    while let [a, b, c, d, l0, l1, l2, l3, contents @ ..] = rest {
        match &[*a, *b, *c, *d] {
            b"VP8 " => return true,
            // The frame of an animation: its own chunks come after 16 bytes.
            b"ANMF" => return contents.get(16..20) == Some(b"VP8 "),
            _ => {}
        }
        let length = u32::from_le_bytes([*l0, *l1, *l2, *l3]) as usize;
        // Chunks begin at even places.
        let next = length.saturating_add(length % 2);
        rest = contents.get(next..).unwrap_or_default();
    }
    false
}

/// Is it a colour profile by its size, its own length field and its signature (ICC.1 section 7.2)?
fn is_profile(profile: &[u8]) -> bool {
    let claimed = profile
        .first_chunk()
        .map(|length| u32::from_be_bytes(*length) as usize);
    profile.len() <= MAX_PROFILE_BYTES
        && claimed == Some(profile.len())
        && profile.get(36..40) == Some(b"acsp")
}
