//! The three file formats that the catalogue reads and serves.

use std::{fmt, str::FromStr};

/// A file format of images and renditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Written without loss.
    Webp,
    /// Written without loss.
    Png,
    /// Written with loss, and without transparency.
    Jpeg,
}

/// A name that is no [`Format`].
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown image format '{0}': expected webp, png or jpeg")]
pub struct UnknownFormat(String);

impl Format {
    /// All, in the order in which they are preferred when a client takes several.
    pub const ALL: [Self; 3] = [Self::Webp, Self::Png, Self::Jpeg];

    /// Short name: `webp`, `png` or `jpeg`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Webp => "webp",
            Self::Png => "png",
            Self::Jpeg => "jpeg",
        }
    }

    /// Media type: `image/webp`, `image/png` or `image/jpeg`.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Webp => "image/webp",
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
        }
    }

    /// From a media type without parameters, whatever its case.
    pub fn from_media_type(media_type: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|format| format.media_type().eq_ignore_ascii_case(media_type))
    }

    /// From a file's first bytes. A file's name proves nothing, so it is never asked.
    pub fn sniff(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [
                b'R',
                b'I',
                b'F',
                b'F',
                _,
                _,
                _,
                _,
                b'W',
                b'E',
                b'B',
                b'P',
                ..,
            ] => Some(Self::Webp),
            _ => None,
        }
    }

    /// The codec's name for it.
    pub(crate) fn codec(self) -> image::ImageFormat {
        match self {
            Self::Webp => image::ImageFormat::WebP,
            Self::Png => image::ImageFormat::Png,
            Self::Jpeg => image::ImageFormat::Jpeg,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "webp" => Ok(Self::Webp),
            "png" => Ok(Self::Png),
            "jpeg" | "jpg" => Ok(Self::Jpeg),
            other => Err(UnknownFormat(other.chars().take(40).collect())),
        }
    }
}
