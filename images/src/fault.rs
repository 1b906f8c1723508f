//! What can be wrong with an image file or with what is asked of it.

use std::ops::RangeInclusive;

use crate::format::Format;

/// Why an image was refused. Each is the sender's fault, never a panic.
#[derive(Debug, thiserror::Error)]
pub enum ImageFault {
    /// Nothing was sent.
    #[error("the image file is empty: send a WebP, PNG or JPEG file")]
    Empty,
    /// The file is longer than allowed.
    #[error("the image file has {bytes} bytes: at most {limit} are taken, send a smaller one")]
    FileTooLarge {
        /// Of the file.
        bytes: u64,
        /// That is allowed.
        limit: u64,
    },
    /// The first bytes are of none of the three formats.
    #[error("the file is no image of a known format: send a WebP, PNG or JPEG file")]
    UnknownFormat,
    /// The header claims a picture larger than allowed.
    #[error(
        "the image claims {width} x {height} pixels: at most {limit} pixels in all are taken, \
         send a smaller one"
    )]
    TooManyPixels {
        /// As claimed.
        width: u32,
        /// As claimed.
        height: u32,
        /// Pixels that are allowed.
        limit: u64,
    },
    /// Decoding needs more memory than allowed.
    #[error("decoding the {format} image needs more than {limit} bytes: send a smaller one")]
    TooMuchMemory {
        /// By the file's first bytes.
        format: Format,
        /// Bytes that are allowed.
        limit: u64,
    },
    /// The file ends early or its contents contradict its header.
    #[error("the {format} image cannot be decoded, it is damaged or cut short: send it again")]
    Undecodable {
        /// By the file's first bytes.
        format: Format,
        /// What the decoder said; absent when the file lacks its end.
        source: Option<image::ImageError>,
    },
    /// A rendition of a width that is not offered.
    #[error("a rendition of {width} pixels is not offered: ask for {} to {}", range.start(), range.end())]
    InvalidWidth {
        /// That was asked for.
        width: u32,
        /// That are offered.
        range: RangeInclusive<u32>,
    },
    /// The picture does not fit the target format, such as a WebP wider than 16,383 pixels.
    #[error("the image cannot be written as {format}: ask for a smaller width or another format")]
    Unencodable {
        /// That was asked for.
        format: Format,
        /// What the encoder said.
        source: image::ImageError,
    },
}
