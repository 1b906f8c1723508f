//! Files that nobody vouches for.

use image::{
    ImageEncoder, Rgb, RgbImage, Rgba, RgbaImage,
    codecs::{jpeg::JpegEncoder, png::PngEncoder, webp::WebPEncoder},
};
use images::{CleanImage, Format, ImageFault, Limits, clean_image, perceptual_distance};

use crate::support::{
    decoded, encoded, metadata, picture, png_that_claims, profile, profiled_jpeg, turned_jpeg,
};

/// A place, as a camera would write it; no encoder makes these bytes by chance.
const PLACE: &[u8] = b"GPS 9.9281N 84.0907W";

fn clean(file: &[u8]) -> CleanImage {
    clean_image(file, &Limits::default()).unwrap()
}

fn holds(file: &[u8], needle: &[u8]) -> bool {
    file.windows(needle.len()).any(|window| window == needle)
}

/// Camera metadata with an orientation (a quarter turn) and a place in it.
fn exif() -> Vec<u8> {
    let mut exif = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0".to_vec();
    exif.extend(PLACE);
    exif
}

/// A file of each format with camera metadata in it.
fn photographed(format: Format) -> Vec<u8> {
    fn write(mut encoder: impl ImageEncoder) {
        encoder.set_exif_metadata(exif()).unwrap();
        let pixels = picture(120, 80);
        let colour = image::ExtendedColorType::Rgb8;
        encoder.write_image(&pixels, 120, 80, colour).unwrap();
    }
    let mut file = Vec::new();
    match format {
        Format::Webp => write(WebPEncoder::new_lossless(&mut file)),
        Format::Png => write(PngEncoder::new(&mut file)),
        Format::Jpeg => write(JpegEncoder::new(&mut file)),
    }
    file
}

#[test]
fn what_the_camera_wrote_is_gone_and_the_picture_stands_upright() {
    for format in Format::ALL {
        let file = photographed(format);
        assert!(holds(&file, PLACE), "{format}");
        let clean = clean(&file);
        assert!(!holds(&clean.bytes, PLACE), "{format}");
        assert_eq!(metadata(&clean.bytes), (None, None), "{format}");
        assert_eq!((clean.facts.width, clean.facts.height), (80, 120));
        assert_eq!(clean.facts.media_type, format.media_type());
        let facts = images::image_facts(&clean.bytes).unwrap();
        assert_eq!(facts, clean.facts);
    }
    assert_eq!(clean(&turned_jpeg(&picture(120, 80))).facts.width, 80);
}

#[test]
fn comments_and_whatever_hides_around_the_picture_are_gone() {
    let hidden: &[u8] = b"PK\x03\x04<script>alert(1)</script>";
    for format in Format::ALL {
        let mut file = encoded(picture(120, 80), format);
        file.extend(hidden);
        assert!(!holds(&clean(&file).bytes, hidden), "{format} at the end");
    }
    let mut jpeg = encoded(picture(120, 80), Format::Jpeg);
    let length = (hidden.len() + 2) as u16;
    let comment = [&[0xff, 0xfe], length.to_be_bytes().as_slice(), hidden].concat();
    jpeg.splice(2..2, comment);
    assert!(!holds(&clean(&jpeg).bytes, hidden), "a comment");
}

#[test]
fn no_pixel_of_a_lossless_file_changes_and_the_same_file_gives_the_same_bytes() {
    for format in [Format::Png, Format::Webp] {
        let opaque = encoded(picture(120, 80), format);
        assert_eq!(decoded(&clean(&opaque).bytes).to_rgb8(), picture(120, 80));
        assert_eq!(clean(&opaque), clean(&opaque));
        let clear = RgbaImage::from_fn(40, 30, |x, y| Rgba([x as u8, y as u8, 9, (x * 6) as u8]));
        let file = encoded(clear.clone(), format);
        assert_eq!(decoded(&clean(&file).bytes).to_rgba8(), clear, "{format}");
    }
    let first = clean(&encoded(picture(400, 300), Format::Jpeg));
    let again = clean(&first.bytes);
    let bits = perceptual_distance(&first.facts.perceptual_hash, &again.facts.perceptual_hash);
    assert!(bits.unwrap() <= images::NEAR_BITS, "{bits:?}");
}

#[test]
fn wider_pixels_and_grey_ones_are_taken() {
    let deep = image::DynamicImage::from(picture(40, 30)).to_rgb16();
    let grey = image::DynamicImage::from(picture(40, 30)).to_luma_alpha8();
    for file in [encoded(deep, Format::Png), encoded(grey, Format::Png)] {
        assert_eq!(clean(&file).facts.width, 40);
    }
}

#[test]
fn a_lossy_webp_becomes_a_jpeg() {
    // 1 x 1 pixel: no encoder at hand writes with loss.
    let lossy = b"RIFF\x24\0\0\0WEBPVP8 \x18\0\0\0\x30\x01\0\x9d\x01\x2a\x01\0\x01\0\x02\0\x34\x25\
        \xa4\0\x03\x70\0\xfe\xfb\x94\0\0";
    let clean = clean(lossy);
    assert_eq!(clean.facts.media_type, "image/jpeg");
    assert_eq!((clean.facts.width, clean.facts.height), (1, 1));
}

#[test]
fn a_colour_profile_stays_and_what_only_claims_to_be_one_does_not() {
    let mut good = profile(b"RGB ");
    good[..4].copy_from_slice(&128_u32.to_be_bytes());
    good[36..40].copy_from_slice(b"acsp");
    let with = |profile: Vec<u8>| {
        let mut file = Vec::new();
        let mut encoder = PngEncoder::new(&mut file);
        encoder.set_icc_profile(profile).unwrap();
        picture(40, 30).write_with_encoder(encoder).unwrap();
        metadata(&clean(&file).bytes).0
    };
    assert_eq!(with(good.clone()), Some(good.clone()));
    let longer = [good.as_slice(), PLACE].concat();
    assert_eq!(with(longer), None, "its length field disagrees");
    let mut huge = good.clone();
    huge.resize(256 * 1024 + 1, 7);
    huge[..4].copy_from_slice(&(256 * 1024 + 1_u32).to_be_bytes());
    assert_eq!(with(huge), None, "too large");
    let unsigned = metadata(&clean(&profiled_jpeg(&picture(40, 30), b"RGB ")).bytes);
    assert_eq!(unsigned.0, None, "no signature");
}

#[test]
fn what_is_no_picture_is_refused() {
    for file in [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>".as_slice(),
        b"<?xml version='1.0'?><svg/>",
        b"GIF89a\x01\0\x01\0\0\0\0;",
        b"%PDF-1.7",
        b"BM",
    ] {
        let result = clean_image(file, &Limits::default());
        assert!(
            matches!(result, Err(ImageFault::UnknownFormat)),
            "{result:?}"
        );
    }
    let empty = clean_image(b"", &Limits::default());
    assert!(matches!(empty, Err(ImageFault::Empty)));
    let bomb = clean_image(&png_that_claims(50_000, 50_000), &Limits::default());
    assert!(
        matches!(bomb, Err(ImageFault::TooManyPixels { width: 50_000, .. })),
        "{bomb:?}"
    );
    for format in Format::ALL {
        let file = encoded(picture(120, 80), format);
        let cut = clean_image(&file[..file.len() / 2], &Limits::default());
        assert!(
            matches!(cut, Err(ImageFault::Undecodable { .. })),
            "{format}: {cut:?}"
        );
    }
}

#[test]
fn a_file_that_grows_beyond_the_limit_is_refused() {
    // Noise: what one encoder takes small, another may not.
    let mut seed = 7_u32;
    let noise = RgbImage::from_fn(200, 200, |_, _| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Rgb([(seed >> 24) as u8; 3])
    });
    let mut file = Vec::new();
    let poor = JpegEncoder::new_with_quality(&mut file, 5);
    noise.write_with_encoder(poor).unwrap();
    let limits = Limits {
        max_file_bytes: file.len() as u64,
        ..Limits::default()
    };
    let result = clean_image(&file, &limits);
    assert!(
        matches!(result, Err(ImageFault::FileTooLarge { .. })),
        "{result:?}"
    );
}
