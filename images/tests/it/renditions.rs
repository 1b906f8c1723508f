//! Renditions: their size, their format and their pixels.

use image::{Rgb, RgbImage, Rgba, RgbaImage};
use images::{Format, ImageFault, Limits, image_facts, render_rendition, rendition_size};

use crate::support::{decoded, encoded, metadata, picture, profile, profiled_jpeg, turned_jpeg};

fn render(file: &[u8], width: Option<u32>, format: Format) -> images::EncodedRendition {
    render_rendition(file, width, format, &Limits::default()).unwrap()
}

#[test]
fn every_format_is_made_of_every_format() {
    for from in Format::ALL {
        let file = encoded(picture(200, 150), from);
        for to in Format::ALL {
            let rendition = render(&file, Some(100), to);
            assert_eq!((rendition.width, rendition.height), (100, 75));
            assert_eq!(rendition.format, to);
            assert_eq!(rendition.media_type(), to.media_type());
            let facts = image_facts(&rendition.bytes).unwrap();
            assert_eq!((facts.width, facts.height), (100, 75));
            assert_eq!(facts.media_type, to.media_type());
        }
    }
}

#[test]
fn the_shape_is_kept_and_nothing_is_enlarged() {
    for (original, width, expected) in [
        ((1600, 1200), None, (1600, 1200)),
        ((1600, 1200), Some(320), (320, 240)),
        ((1600, 1200), Some(1600), (1600, 1200)),
        ((1600, 1200), Some(2400), (1600, 1200)),
        ((900, 1200), Some(640), (640, 853)),
        ((2000, 1), Some(16), (16, 1)),
        ((8, 8), Some(16), (8, 8)),
        ((3000, u32::MAX), Some(16), (16, 22_906_492)),
    ] {
        assert_eq!(
            rendition_size(original, width).unwrap(),
            expected,
            "{original:?} {width:?}"
        );
    }
    let file = encoded(picture(40, 30), Format::Png);
    let rendition = render(&file, Some(1200), Format::Webp);
    assert_eq!((rendition.width, rendition.height), (40, 30));
    assert_eq!(decoded(&rendition.bytes).to_rgb8(), picture(40, 30));
}

#[test]
fn a_width_that_is_not_offered_is_refused() {
    let file = encoded(picture(40, 30), Format::Png);
    for width in [0, 15, 2401, 1_000_000] {
        let result = render_rendition(&file, Some(width), Format::Png, &Limits::default());
        let Err(fault @ ImageFault::InvalidWidth { .. }) = result else {
            panic!("{width}: {result:?}")
        };
        assert_eq!(
            fault.to_string(),
            format!("a rendition of {width} pixels is not offered: ask for 16 to 2400")
        );
    }
    for width in [16, 2400] {
        render(&file, Some(width), Format::Png);
    }
}

#[test]
fn an_original_that_is_what_is_asked_for_is_handed_out_as_it_is() {
    for format in Format::ALL {
        let file = encoded(picture(40, 30), format);
        assert_eq!(render(&file, None, format).bytes, file);
        assert_eq!(render(&file, Some(640), format).bytes, file);
    }
}

#[test]
fn the_camera_s_metadata_is_obeyed_and_not_handed_on() {
    let file = turned_jpeg(&RgbImage::from_fn(120, 80, |x, _| {
        Rgb(if x < 60 { [255, 0, 0] } else { [0, 0, 255] })
    }));
    for format in Format::ALL {
        let rendition = render(&file, None, format);
        assert_eq!((rendition.width, rendition.height), (80, 120));
        assert_eq!(metadata(&rendition.bytes).1, None);
        // A quarter turn clockwise brings what was on the left to the top.
        let pixels = decoded(&rendition.bytes).to_rgb8();
        assert!(pixels.get_pixel(40, 10).0[0] > 200, "{format}");
        assert!(pixels.get_pixel(40, 110).0[2] > 200, "{format}");
    }
}

#[test]
fn a_colour_profile_is_kept_if_it_is_one_of_rgb() {
    for format in Format::ALL {
        let kept = profiled_jpeg(&picture(64, 48), b"RGB ");
        let rendition = render(&kept, Some(32), format);
        assert_eq!(
            metadata(&rendition.bytes).0,
            Some(profile(b"RGB ")),
            "{format}"
        );
        let dropped = profiled_jpeg(&picture(64, 48), b"CMYK");
        let rendition = render(&dropped, Some(32), format);
        assert_eq!(metadata(&rendition.bytes).0, None, "{format}");
    }
}

#[test]
fn a_jpeg_is_white_where_the_original_is_transparent() {
    let file = encoded(
        RgbaImage::from_pixel(64, 64, Rgba([0, 0, 0, 0])),
        Format::Png,
    );
    let rendition = render(&file, Some(32), Format::Jpeg);
    let pixels = decoded(&rendition.bytes).to_rgb8();
    assert!(pixels.pixels().all(|pixel| pixel.0 == [255, 255, 255]));
}

#[test]
fn the_colour_of_what_is_transparent_does_not_bleed() {
    // Red beside transparent black: a half-covered pixel is a paler red, not a darker one.
    let file = encoded(
        RgbaImage::from_fn(99, 99, |x, _| {
            if x < 50 {
                Rgba([255, 0, 0, 255])
            } else {
                Rgba([0, 0, 0, 0])
            }
        }),
        Format::Png,
    );
    for format in [Format::Webp, Format::Png] {
        let pixels = decoded(&render(&file, Some(33), format).bytes).to_rgba8();
        assert!(pixels.pixels().any(|pixel| (1..=254).contains(&pixel.0[3])));
        for pixel in pixels.pixels().filter(|pixel| pixel.0[3] > 16) {
            assert!(pixel.0[0] >= 240 && pixel.0[1] == 0, "{pixel:?}");
        }
    }
}

#[test]
fn a_bad_original_is_a_fault_and_no_panic() {
    let file = encoded(picture(120, 80), Format::Png);
    let limits = Limits::default();
    let result = render_rendition(&file[..file.len() / 2], Some(60), Format::Webp, &limits);
    assert!(
        matches!(result, Err(ImageFault::Undecodable { .. })),
        "{result:?}"
    );
    let result = render_rendition(b"", None, Format::Webp, &limits);
    assert!(matches!(result, Err(ImageFault::Empty)), "{result:?}");
    let tight = Limits {
        max_pixels: 100,
        ..limits
    };
    let result = render_rendition(&file, None, Format::Png, &tight);
    assert!(
        matches!(result, Err(ImageFault::TooManyPixels { .. })),
        "{result:?}"
    );
}

#[test]
fn what_does_not_fit_the_format_is_a_fault() {
    let wide = encoded(RgbImage::new(16_500, 1), Format::Png);
    let result = render_rendition(&wide, None, Format::Webp, &Limits::default());
    assert!(
        matches!(
            result,
            Err(ImageFault::Unencodable {
                format: Format::Webp,
                ..
            })
        ),
        "{result:?}"
    );
}
