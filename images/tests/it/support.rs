//! Pictures made for the tests.

use std::io::Cursor;

use image::{
    DynamicImage, ImageDecoder, ImageEncoder, ImageReader, Rgb, RgbImage, codecs::jpeg::JpegEncoder,
};
use images::Format;

/// A picture with something to see everywhere: a ramp across, a ramp down, and a chequerboard.
pub fn picture(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let check = if (x / 8 + y / 8) % 2 == 0 { 200 } else { 40 };
        Rgb([(x * 255 / width) as u8, (y * 255 / height) as u8, check])
    })
}

/// A file of a picture.
pub fn encoded(picture: impl Into<DynamicImage>, format: Format) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let codec = match format {
        Format::Webp => image::ImageFormat::WebP,
        Format::Png => image::ImageFormat::Png,
        Format::Jpeg => image::ImageFormat::Jpeg,
    };
    picture.into().write_to(&mut file, codec).unwrap();
    file.into_inner()
}

/// A JPEG file with camera metadata that asks for a quarter turn clockwise.
pub fn turned_jpeg(picture: &RgbImage) -> Vec<u8> {
    // A TIFF header (big-endian), one directory of one entry: orientation (0x0112), a short, 6.
    let exif = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0".to_vec();
    let mut file = Vec::new();
    let mut encoder = JpegEncoder::new(&mut file);
    encoder.set_exif_metadata(exif).unwrap();
    picture.write_with_encoder(encoder).unwrap();
    file
}

/// A JPEG file with a colour profile of this colour space (`RGB ` or `CMYK`).
pub fn profiled_jpeg(picture: &RgbImage, colour_space: &[u8; 4]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = JpegEncoder::new(&mut file);
    encoder.set_icc_profile(profile(colour_space)).unwrap();
    picture.write_with_encoder(encoder).unwrap();
    file
}

/// As much of a profile as is looked at: 16 bytes, then the colour space.
pub fn profile(colour_space: &[u8; 4]) -> Vec<u8> {
    let mut profile = vec![0; 128];
    profile[16..20].copy_from_slice(colour_space);
    profile
}

/// The pixels of a file.
pub fn decoded(file: &[u8]) -> DynamicImage {
    image::load_from_memory(file).unwrap()
}

/// The colour profile and the camera metadata of a file.
pub fn metadata(file: &[u8]) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
    let mut decoder = ImageReader::new(Cursor::new(file))
        .with_guessed_format()
        .unwrap()
        .into_decoder()
        .unwrap();
    (
        decoder.icc_profile().unwrap(),
        decoder.exif_metadata().unwrap(),
    )
}

/// A PNG file of a few bytes that claims this size. Its checksums are right.
pub fn png_that_claims(width: u32, height: u32) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    header.extend([8, 2, 0, 0, 0]);
    for (name, contents) in [
        (b"IHDR", header.as_slice()),
        (b"IDAT", b"x"),
        (b"IEND", b""),
    ] {
        file.extend((contents.len() as u32).to_be_bytes());
        let chunk = [name.as_slice(), contents].concat();
        file.extend(&chunk);
        file.extend(crc32(&chunk).to_be_bytes());
    }
    file
}

/// CRC-32 as PNG has it (ISO 3309).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 * (crc & 1))
        })
    })
}
