//! Facts of good files, and faults of bad ones.

use contracts::content::Orientation;
use image::{Rgb, RgbImage, Rgba, RgbaImage, imageops};
use images::{Format, ImageFault, Limits, image_facts, image_facts_within, perceptual_distance};

use crate::support::{decoded, encoded, picture, png_that_claims, turned_jpeg};

#[test]
fn every_format_is_read_by_its_first_bytes() {
    for format in Format::ALL {
        let file = encoded(picture(120, 80), format);
        assert_eq!(Format::sniff(&file), Some(format));
        let facts = image_facts(&file).unwrap();
        assert_eq!(facts.media_type, format.media_type());
        assert_eq!((facts.width, facts.height), (120, 80));
        assert_eq!(facts.bytes, file.len() as u64);
        assert_eq!(facts.orientation, Orientation::Landscape);
        assert_eq!(facts.sha256, contracts::ContentHash::of(&file).as_str());
        assert_eq!(facts.perceptual_hash.len(), 16);
    }
}

#[test]
fn names_of_formats_are_read_back() {
    for format in Format::ALL {
        assert_eq!(format.to_string().parse(), Ok(format));
        assert_eq!(Format::from_media_type(format.media_type()), Some(format));
    }
    assert_eq!("jpg".parse(), Ok(Format::Jpeg));
    assert_eq!(Format::from_media_type("IMAGE/PNG"), Some(Format::Png));
    assert_eq!(Format::from_media_type("image/gif"), None);
    let error = "gif".parse::<Format>().unwrap_err().to_string();
    assert_eq!(
        error,
        "unknown image format 'gif': expected webp, png or jpeg"
    );
}

#[test]
fn an_empty_file_is_refused() {
    assert!(matches!(image_facts(b""), Err(ImageFault::Empty)));
}

#[test]
fn other_files_are_refused_whatever_they_hold() {
    for file in [
        b"GIF89a".as_slice(),
        b"<svg/>",
        b"\x89PNG",
        b"RIFF\0\0\0\0WAVE",
    ] {
        assert!(matches!(image_facts(file), Err(ImageFault::UnknownFormat)));
    }
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    for format in Format::ALL {
        let file = encoded(picture(120, 80), format);
        for percent in [5, 10, 25, 50, 75, 90, 99] {
            let cut = &file[..file.len() * percent / 100];
            let result = image_facts(cut);
            assert!(
                matches!(result, Err(ImageFault::Undecodable { format: told, .. }) if told == format),
                "{format} at {percent}%: {result:?}"
            );
        }
    }
}

#[test]
fn a_cut_jpeg_is_refused_though_its_thumbnail_is_whole() {
    let mut file = encoded(picture(120, 80), Format::Jpeg);
    file.truncate(file.len() / 2);
    // An application segment with an end-of-image marker inside, as a thumbnail has.
    let segment = [0xff, 0xe5, 0x00, 0x06, 0xff, 0xd9, 0xff, 0xd9];
    file.splice(2..2, segment);
    let result = image_facts(&file);
    assert!(
        matches!(result, Err(ImageFault::Undecodable { .. })),
        "{result:?}"
    );
}

#[test]
fn a_header_that_claims_too_much_is_refused_before_decoding() {
    let result = image_facts(&png_that_claims(100_000, 100_000));
    assert!(
        matches!(
            result,
            Err(ImageFault::TooManyPixels {
                width: 100_000,
                height: 100_000,
                limit: 40_000_000
            })
        ),
        "{result:?}"
    );
}

#[test]
fn a_header_that_claims_more_than_there_is_is_refused() {
    let result = image_facts(&png_that_claims(600, 400));
    assert!(
        matches!(result, Err(ImageFault::Undecodable { .. })),
        "{result:?}"
    );
}

#[test]
fn every_limit_holds_and_holds_exactly() {
    for format in Format::ALL {
        let file = encoded(picture(120, 80), format);
        let bytes = file.len() as u64;
        let within = |max_file_bytes, max_pixels| {
            let limits = Limits {
                max_file_bytes,
                max_pixels,
                ..Limits::default()
            };
            image_facts_within(&file, &limits)
        };
        within(bytes, 120 * 80).unwrap();
        assert!(matches!(
            within(bytes - 1, 120 * 80),
            Err(ImageFault::FileTooLarge { bytes: told, limit }) if told == bytes && limit == bytes - 1
        ));
        assert!(matches!(
            within(bytes, 120 * 80 - 1),
            Err(ImageFault::TooManyPixels { .. })
        ));
        let limits = Limits {
            max_alloc_bytes: 20_000,
            ..Limits::default()
        };
        let result = image_facts_within(&file, &limits);
        assert!(
            matches!(result, Err(ImageFault::TooMuchMemory { limit: 20_000, .. })),
            "{format}: {result:?}"
        );
    }
}

#[test]
fn the_camera_s_turn_is_undone() {
    let facts = image_facts(&turned_jpeg(&picture(120, 80))).unwrap();
    assert_eq!((facts.width, facts.height), (80, 120));
    assert_eq!(facts.orientation, Orientation::Portrait);
}

#[test]
fn a_picture_of_two_colours_has_just_these_in_its_palette() {
    let two = RgbImage::from_fn(1000, 600, |x, _| {
        Rgb(if x < 700 {
            [0xf2, 0x68, 0x5b]
        } else {
            [0x22, 0x30, 0x4a]
        })
    });
    let facts = image_facts(&encoded(two, Format::Webp)).unwrap();
    assert_eq!(facts.palette, ["#f2685b", "#22304a"]);
}

#[test]
fn a_palette_never_has_more_than_five_colours_and_never_none() {
    let many = RgbImage::from_fn(64, 64, |x, y| {
        Rgb([(x * 4) as u8, (y * 4) as u8, (x * y % 256) as u8])
    });
    let palette = image_facts(&encoded(many, Format::Png)).unwrap().palette;
    assert!((1..=5).contains(&palette.len()), "{palette:?}");
    let one = RgbImage::from_pixel(1, 1, Rgb([1, 2, 3]));
    let palette = image_facts(&encoded(one, Format::Png)).unwrap().palette;
    assert_eq!(palette, ["#010203"]);
}

#[test]
fn what_is_transparent_counts_as_white() {
    let clear = RgbaImage::from_pixel(40, 40, Rgba([10, 20, 30, 0]));
    let palette = image_facts(&encoded(clear, Format::Png)).unwrap().palette;
    assert_eq!(palette, ["#ffffff"]);
}

#[test]
fn a_smaller_copy_of_a_picture_has_nearly_its_hash_and_another_picture_has_not() {
    let bundled = images::Catalogue::bundled().unwrap();
    let [first, second, ..] = bundled.entries() else {
        panic!("two entries")
    };
    let small = imageops::thumbnail(&decoded(&first.image.bytes).to_rgb8(), 400, 533);
    let small = image_facts(&encoded(small, Format::Jpeg)).unwrap();
    let distance = |hash: &str| perceptual_distance(&small.perceptual_hash, hash).unwrap();
    assert!(distance(&first.facts.perceptual_hash) <= 3);
    assert!(distance(&second.facts.perceptual_hash) > 6);
}

#[test]
fn the_distance_of_malformed_hashes_is_unknown() {
    assert_eq!(
        perceptual_distance("00000000000000ff", "0000000000000000"),
        Some(8)
    );
    assert_eq!(perceptual_distance("ff", "0000000000000000"), None);
    assert_eq!(
        perceptual_distance("00000000000000zz", "0000000000000000"),
        None
    );
}
