//! Drawing: from vector sources to the images of the catalogue. For contributors, not for services.

use std::io::Cursor;

use image::{
    ImageError, ImageFormat, Rgb, RgbImage,
    codecs::{
        jpeg::JpegEncoder,
        png::{CompressionType, FilterType as RowFilter, PngEncoder},
    },
    imageops::{self, FilterType},
};
use resvg::{
    tiny_skia::{Color, Pixmap, Transform},
    usvg::{Options, Tree},
};

/// Long side of an image, in pixels: the widest rendition that a page or an e-mail places, and the
/// most that keeps the whole catalogue below 12 MB without loss.
const LONG_SIDE: u32 = 1_200;
/// Thumbnails in a row of the contact sheet.
const SHEET_COLUMNS: u32 = 11;
/// Room for one thumbnail on the contact sheet, and its margin, in pixels.
const SHEET_CELL: u32 = 180;
const SHEET_MARGIN: u32 = 6;
const SHEET_QUALITY: u8 = 82;

/// Why a drawing could not be rendered.
#[derive(Debug, thiserror::Error)]
pub enum RenderFault {
    /// The file is no SVG that the renderer understands.
    #[error("the drawing is no valid SVG: {0}")]
    Invalid(#[from] resvg::usvg::Error),
    /// The drawing is so narrow that nothing of it would be seen.
    #[error("the drawing is {width} x {height}: expected sides of about the same length")]
    TooNarrow {
        /// In the drawing's own units.
        width: f32,
        /// In the drawing's own units.
        height: f32,
    },
    /// The picture could not be written.
    #[error("the picture cannot be written: {0}")]
    Unencodable(#[from] ImageError),
}

/// Draws an SVG on white, 1200 pixels on the long side. The same file always gives the same pixels.
pub fn draw(svg: &[u8]) -> Result<RgbImage, RenderFault> {
    let tree = Tree::from_data(svg, &Options::default())?;
    let (width, height) = (tree.size().width(), tree.size().height());
    let scale = LONG_SIDE as f32 / width.max(height);
    let pixels = |length: f32| (length * scale).round() as u32;
    let (across, down) = (pixels(width), pixels(height));
    let mut canvas = Pixmap::new(across, down).ok_or(RenderFault::TooNarrow { width, height })?;
    canvas.fill(Color::WHITE);
    resvg::render(
        &tree,
        Transform::from_scale(scale, scale),
        &mut canvas.as_mut(),
    );
    // On white every pixel is opaque, so that there is no alpha to divide out.
    let mut picture = RgbImage::new(across, down);
    for (target, pixel) in picture.pixels_mut().zip(canvas.pixels()) {
        *target = Rgb([pixel.red(), pixel.green(), pixel.blue()]);
    }
    Ok(picture)
}

/// Writes a picture as PNG: without loss, and for these drawings a seventh smaller than what the
/// WebP encoder makes of them.
pub fn to_png(picture: &RgbImage) -> Result<Vec<u8>, RenderFault> {
    let mut bytes = Vec::new();
    picture.write_with_encoder(PngEncoder::new_with_quality(
        &mut bytes,
        CompressionType::Best,
        RowFilter::Adaptive,
    ))?;
    Ok(bytes)
}

/// Reads back what [`to_png`] wrote; `None` when it is something else.
pub fn from_png(bytes: &[u8]) -> Option<RgbImage> {
    image::load(Cursor::new(bytes), ImageFormat::Png)
        .ok()
        .map(|picture| picture.to_rgb8())
}

/// All pictures on one sheet, row by row in the order given, as JPEG.
pub fn contact_sheet(pictures: &[RgbImage]) -> Result<Vec<u8>, RenderFault> {
    let rows = (pictures.len() as u32).div_ceil(SHEET_COLUMNS).max(1);
    let paper = Rgb([0xff, 0xff, 0xff]);
    let mut sheet = RgbImage::from_pixel(SHEET_COLUMNS * SHEET_CELL, rows * SHEET_CELL, paper);
    let room = SHEET_CELL - 2 * SHEET_MARGIN;
    for (index, picture) in (0_u32..).zip(pictures) {
        let (width, height) = picture.dimensions();
        let longest = width.max(height);
        let (width, height) = (width * room / longest, height * room / longest);
        let thumbnail =
            imageops::resize(picture, width.max(1), height.max(1), FilterType::CatmullRom);
        let left = index % SHEET_COLUMNS * SHEET_CELL + (SHEET_CELL - thumbnail.width()) / 2;
        let top = index / SHEET_COLUMNS * SHEET_CELL + (SHEET_CELL - thumbnail.height()) / 2;
        imageops::replace(&mut sheet, &thumbnail, i64::from(left), i64::from(top));
    }
    let mut bytes = Vec::new();
    sheet.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, SHEET_QUALITY))?;
    Ok(bytes)
}

/// Thumbnails in a row of [`contact_sheet`].
pub fn sheet_columns() -> usize {
    SHEET_COLUMNS as usize
}
