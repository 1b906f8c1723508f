//! The one way from a file's bytes to pixels: every bound is checked before a pixel is decoded.

mod jpeg_end;

use std::io::Cursor;

use image::{
    DynamicImage, ImageDecoder, ImageError, ImageReader, Rgb, RgbImage, metadata::Orientation,
};

use crate::{fault::ImageFault, format::Format, limits::Limits};

/// What the header says.
pub(crate) struct Header {
    pub format: Format,
    /// As shown, that is after the rotation that the file's metadata asks for.
    pub width: u32,
    pub height: u32,
    /// Camera metadata, which may tell a place, is never handed on.
    pub has_camera_metadata: bool,
}

/// Pixels the right way up.
pub(crate) struct Decoded {
    pub pixels: DynamicImage,
    pub header: Header,
    /// Of RGB pixels only: that of a CMYK file is meaningless after decoding.
    pub colour_profile: Option<Vec<u8>>,
}

/// Reads the header within the limits; decodes nothing.
pub(crate) fn header(bytes: &[u8], limits: &Limits) -> Result<Header, ImageFault> {
    open(bytes, limits).map(|(header, _, _)| header)
}

/// Decodes the whole picture within the limits.
pub(crate) fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded, ImageFault> {
    let (header, orientation, mut decoder) = open(bytes, limits)?;
    let format = header.format;
    // The JPEG decoder fills what a cut file lacks with grey instead of failing.
    if format == Format::Jpeg && !jpeg_end::has_end(bytes) {
        return Err(ImageFault::Undecodable {
            format,
            source: None,
        });
    }
    let colour_profile = decoder
        .icc_profile()
        .ok()
        .flatten()
        .filter(|profile| profile.get(16..20) == Some(b"RGB "));
    let mut pixels = DynamicImage::from_decoder(decoder)
        .map_err(|error| decoder_fault(format, limits, error))?;
    pixels.apply_orientation(orientation);
    Ok(Decoded {
        pixels,
        header,
        colour_profile,
    })
}

/// The same pixels without transparency: what shows through is white.
pub(crate) fn on_white(pixels: &DynamicImage) -> RgbImage {
    if !pixels.color().has_alpha() {
        return pixels.to_rgb8();
    }
    let source = pixels.to_rgba8();
    let mut flat = RgbImage::new(source.width(), source.height());
    for (target, pixel) in flat.pixels_mut().zip(source.pixels()) {
        let [red, green, blue, alpha] = pixel.0.map(u32::from);
        let over = |channel: u32| ((channel * alpha + 255 * (255 - alpha) + 127) / 255) as u8;
        *target = Rgb([over(red), over(green), over(blue)]);
    }
    flat
}

fn open<'a>(
    bytes: &'a [u8],
    limits: &Limits,
) -> Result<(Header, Orientation, impl ImageDecoder + use<'a>), ImageFault> {
    let length = bytes.len() as u64;
    if length == 0 {
        return Err(ImageFault::Empty);
    }
    if length > limits.max_file_bytes {
        return Err(ImageFault::FileTooLarge {
            bytes: length,
            limit: limits.max_file_bytes,
        });
    }
    let format = Format::sniff(bytes).ok_or(ImageFault::UnknownFormat)?;
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format.codec());
    let mut codec_limits = image::Limits::default();
    codec_limits.max_alloc = Some(limits.max_alloc_bytes);
    reader.limits(codec_limits);
    let mut decoder = reader
        .into_decoder()
        .map_err(|error| decoder_fault(format, limits, error))?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > limits.max_pixels {
        return Err(ImageFault::TooManyPixels {
            width,
            height,
            limit: limits.max_pixels,
        });
    }
    if decoder.total_bytes() > limits.max_alloc_bytes {
        return Err(ImageFault::TooMuchMemory {
            format,
            limit: limits.max_alloc_bytes,
        });
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let (width, height) = match orientation {
        Orientation::Rotate90
        | Orientation::Rotate270
        | Orientation::Rotate90FlipH
        | Orientation::Rotate270FlipH => (height, width),
        _ => (width, height),
    };
    let header = Header {
        format,
        width,
        height,
        has_camera_metadata: decoder.exif_metadata().ok().flatten().is_some(),
    };
    Ok((header, orientation, decoder))
}

fn decoder_fault(format: Format, limits: &Limits, error: ImageError) -> ImageFault {
    match error {
        ImageError::Limits(_) => ImageFault::TooMuchMemory {
            format,
            limit: limits.max_alloc_bytes,
        },
        error => ImageFault::Undecodable {
            format,
            source: Some(error),
        },
    }
}
