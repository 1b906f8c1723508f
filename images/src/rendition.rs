//! Renditions: one size and format of an image, made on demand.

use contracts::limits::RENDITION_WIDTHS;
use image::{
    DynamicImage, ImageEncoder, ImageError, Rgba, RgbaImage,
    codecs::{jpeg::JpegEncoder, png::PngEncoder, webp::WebPEncoder},
    imageops::FilterType,
};

use crate::{
    decode::{self, Decoded, Header},
    fault::ImageFault,
    format::Format,
    limits::Limits,
};

/// Of 100; flat drawings show no ringing from here on.
const JPEG_QUALITY: u8 = 85;

/// A rendition's file and what is in it.
#[derive(Clone, PartialEq, Eq)]
pub struct EncodedRendition {
    /// The whole file.
    pub bytes: Vec<u8>,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Of the file.
    pub format: Format,
}

impl EncodedRendition {
    /// `image/webp`, `image/png` or `image/jpeg`.
    pub fn media_type(&self) -> &'static str {
        self.format.media_type()
    }
}

impl std::fmt::Debug for EncodedRendition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EncodedRendition")
            .field("bytes", &self.bytes.len())
            .field("width", &self.width)
            .field("height", &self.height)
            .field("format", &self.format)
            .finish()
    }
}

/// The size that [`render_rendition`] gives for an original of this width and height, in pixels.
///
/// The shape is kept and nothing is enlarged: a width beyond the original's gives the original's.
/// A width outside [`RENDITION_WIDTHS`] is an [`ImageFault::InvalidWidth`].
pub fn rendition_size(
    (width, height): (u32, u32),
    wanted: Option<u32>,
) -> Result<(u32, u32), ImageFault> {
    let Some(wanted) = wanted else {
        return Ok((width, height));
    };
    if !RENDITION_WIDTHS.contains(&wanted) {
        return Err(ImageFault::InvalidWidth {
            width: wanted,
            range: RENDITION_WIDTHS,
        });
    }
    if wanted >= width {
        return Ok((width, height));
    }
    let (width, height, scaled) = (u64::from(width), u64::from(height), u64::from(wanted));
    let scaled_height = ((height * scaled + width / 2) / width).max(1);
    // Never more than the original's height, which is a u32.
    Ok((wanted, scaled_height as u32))
}

/// Makes one rendition of an image file. Decodes, scales and encodes: CPU-bound.
///
/// `width` in pixels lies within [`RENDITION_WIDTHS`]; `None` keeps the original's. A JPEG shows
/// white where the original is transparent. Camera metadata is dropped, a colour profile is kept.
/// An original that already is what is asked for is handed out as it is.
pub fn render_rendition(
    original: &[u8],
    width: Option<u32>,
    format: Format,
    limits: &Limits,
) -> Result<EncodedRendition, ImageFault> {
    let header = decode::header(original, limits)?;
    let (width, height) = rendition_size((header.width, header.height), width)?;
    let as_it_is = header.format == format && width == header.width && !header.has_camera_metadata;
    let bytes = if as_it_is {
        original.to_vec()
    } else {
        let Decoded {
            pixels,
            header,
            colour_profile,
        } = decode::decode(original, limits)?;
        let pixels = scale(&pixels, &header, (width, height));
        encode(&pixels, format, JPEG_QUALITY, colour_profile)
            .map_err(|source| ImageFault::Unencodable { format, source })?
    };
    Ok(EncodedRendition {
        bytes,
        width,
        height,
        format,
    })
}

fn scale(pixels: &DynamicImage, header: &Header, (width, height): (u32, u32)) -> DynamicImage {
    let pixels = if pixels.color().has_alpha() {
        let pixels = pixels.to_rgba8();
        if pixels.pixels().all(|pixel| pixel.0[3] == u8::MAX) {
            DynamicImage::ImageRgba8(pixels).to_rgb8().into()
        } else {
            DynamicImage::ImageRgba8(pixels)
        }
    } else {
        DynamicImage::ImageRgb8(pixels.to_rgb8())
    };
    if width == header.width {
        return pixels;
    }
    // Sharp without the halos that a wider filter draws along flat edges.
    let filter = FilterType::CatmullRom;
    match pixels {
        DynamicImage::ImageRgba8(mut pixels) => {
            // The colour of a transparent pixel means nothing and must not bleed into its neighbours.
            premultiply(&mut pixels);
            let mut scaled = image::imageops::resize(&pixels, width, height, filter);
            unpremultiply(&mut scaled);
            DynamicImage::ImageRgba8(scaled)
        }
        pixels => pixels.resize_exact(width, height, filter),
    }
}

fn premultiply(pixels: &mut RgbaImage) {
    for Rgba([red, green, blue, alpha]) in pixels.pixels_mut() {
        for channel in [red, green, blue] {
            *channel = ((u32::from(*channel) * u32::from(*alpha) + 127) / 255) as u8;
        }
    }
}

fn unpremultiply(pixels: &mut RgbaImage) {
    for Rgba([red, green, blue, alpha]) in pixels.pixels_mut() {
        let alpha = u32::from(*alpha);
        for channel in [red, green, blue] {
            *channel = match alpha {
                0 => 0,
                _ => ((u32::from(*channel) * 255 + alpha / 2) / alpha).min(255) as u8,
            };
        }
    }
}

/// A file of these pixels; `jpeg_quality`, of 100, is for that format alone.
pub(crate) fn encode(
    pixels: &DynamicImage,
    format: Format,
    jpeg_quality: u8,
    colour_profile: Option<Vec<u8>>,
) -> Result<Vec<u8>, ImageError> {
    let mut bytes = Vec::new();
    match format {
        Format::Webp => write(
            pixels,
            WebPEncoder::new_lossless(&mut bytes),
            colour_profile,
        )?,
        Format::Png => write(pixels, PngEncoder::new(&mut bytes), colour_profile)?,
        Format::Jpeg => write(
            &decode::on_white(pixels).into(),
            JpegEncoder::new_with_quality(&mut bytes, jpeg_quality),
            colour_profile,
        )?,
    }
    Ok(bytes)
}

fn write(
    pixels: &DynamicImage,
    mut encoder: impl ImageEncoder,
    colour_profile: Option<Vec<u8>>,
) -> Result<(), ImageError> {
    if let Some(profile) = colour_profile {
        encoder
            .set_icc_profile(profile)
            .map_err(ImageError::Unsupported)?;
    }
    pixels.write_with_encoder(encoder)
}
