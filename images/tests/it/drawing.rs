//! Drawing from vector sources.

use image::{Rgb, RgbImage};
use images::{image_facts, render};

const LEFT_HALF: &[u8] =
    br##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 300" width="400" height="300">
    <rect width="200" height="300" fill="#F2685B"/>
</svg>"##;

#[test]
fn a_drawing_is_1200_pixels_on_the_long_side_and_white_where_nothing_is_drawn() {
    let picture = render::draw(LEFT_HALF).unwrap();
    assert_eq!(picture.dimensions(), (1200, 900));
    assert_eq!(picture.get_pixel(10, 890).0, [0xf2, 0x68, 0x5b]);
    assert_eq!(picture.get_pixel(1190, 10).0, [255, 255, 255]);
}

#[test]
fn what_is_written_is_read_back_without_loss() {
    let picture = render::draw(LEFT_HALF).unwrap();
    let file = render::to_png(&picture).unwrap();
    assert_eq!(file, render::to_png(&picture).unwrap());
    assert_eq!(render::from_png(&file), Some(picture));
    assert_eq!(render::from_png(b"no PNG"), None);
}

#[test]
fn what_is_no_drawing_is_refused() {
    let error = render::draw(b"<html/>").unwrap_err().to_string();
    assert!(error.starts_with("the drawing is no valid SVG"), "{error}");
    let thin = br#"<svg xmlns="http://www.w3.org/2000/svg" width="10000" height="1"/>"#;
    let error = render::draw(thin).unwrap_err().to_string();
    assert!(error.contains("10000 x 1"), "{error}");
}

#[test]
fn the_contact_sheet_has_a_cell_for_each_picture() {
    let picture = RgbImage::from_pixel(120, 90, Rgb([200, 0, 0]));
    let rows = |count: usize| {
        let sheet = render::contact_sheet(&vec![picture.clone(); count]).unwrap();
        let facts = image_facts(&sheet).unwrap();
        (facts.height * render::sheet_columns() as u32) / facts.width
    };
    assert_eq!(rows(1), 1);
    assert_eq!(rows(render::sheet_columns()), 1);
    assert_eq!(rows(render::sheet_columns() + 1), 2);
}
