//! Bounds on an image file, checked before its pixels are decoded.

/// How much an image file may ask for. A header is a claim: these hold whatever it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest file, in bytes.
    pub max_file_bytes: u64,
    /// Most pixels, as the header claims them.
    pub max_pixels: u64,
    /// Most memory for decoded pixels and the decoder's own buffers, in bytes.
    pub max_alloc_bytes: u64,
}

impl Default for Limits {
    /// 20 MB, 40 megapixels, 256 MiB: a good camera's picture passes, a bomb does not.
    fn default() -> Self {
        Self {
            max_file_bytes: 20_000_000,
            max_pixels: 40_000_000,
            max_alloc_bytes: 256 * 1024 * 1024,
        }
    }
}
