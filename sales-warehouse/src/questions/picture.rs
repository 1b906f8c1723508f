//! Charts as files.

use base64::{Engine, engine::general_purpose::STANDARD};
use contracts::sales::ChartFormat;
use resvg::{
    tiny_skia::{Pixmap, Transform},
    usvg::{Options, Tree},
};
use serde::Serialize;
use utoipa::ToSchema;

/// A picture in an answer.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Chart {
    /// `image/svg+xml` or `image/png`.
    pub media_type: &'static str,
    /// The file, in base64.
    pub data: String,
}

/// An SVG document in a format.
pub fn picture(svg: &str, format: ChartFormat) -> Result<Chart, String> {
    let (media_type, bytes) = match format {
        ChartFormat::Svg => ("image/svg+xml", svg.as_bytes().to_vec()),
        ChartFormat::Png => ("image/png", png(svg)?),
    };
    Ok(Chart {
        media_type,
        data: STANDARD.encode(bytes),
    })
}

/// Drawn at twice its size, for sharp screens. The font comes along: a server may have none.
fn png(svg: &str) -> Result<Vec<u8>, String> {
    const SCALE: f32 = 2.0;
    let mut options = Options::default();
    let fonts = options.fontdb_mut();
    fonts.load_font_data(dejavu::sans::regular().to_vec());
    fonts.set_sans_serif_family("DejaVu Sans");
    let tree = Tree::from_str(svg, &options).map_err(|error| error.to_string())?;
    let size = tree.size().to_int_size();
    let (width, height) = (size.width() * 2, size.height() * 2);
    let mut pixels = Pixmap::new(width, height).ok_or("the chart has no size")?;
    let transform = Transform::from_scale(SCALE, SCALE);
    resvg::render(&tree, transform, &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| error.to_string())
}
