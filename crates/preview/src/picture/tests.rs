//! Pictures of all kinds, and files that only say they are.

use image::{ExtendedColorType, ImageEncoder as _, Rgb, RgbImage, Rgba};

use super::*;
use crate::geometry::Fit;

fn limits(memory_bytes_max: u64) -> Limits {
    Limits { memory_bytes_max, ..Limits::default() }
}

fn wish(side: u32) -> Wish {
    Wish::rounded(side, side, Fit::Inside, 4096)
}

fn read(source: &[u8]) -> Result<DynamicImage, Failure> {
    reduced(&Bytes::copy_from_slice(source), wish(64), &limits(64 << 20)).map(|reduced| reduced.picture)
}

/// Red on the left, blue on the right; wider than high.
fn sample() -> RgbImage {
    RgbImage::from_fn(200, 100, |x, _| if x < 100 { Rgb([250, 0, 0]) } else { Rgb([0, 0, 250]) })
}

fn encoded(format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(sample()).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A JPEG that its camera says is to be turned, with garbage behind the one thing that is understood.
fn turned(orientation: u8, tail: &[u8]) -> Vec<u8> {
    let plain = encoded(ImageFormat::Jpeg);
    let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend_from_slice(&[orientation, 0, 0, 0, 0, 0, 0]);
    exif.extend_from_slice(tail);
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    [&plain[..2], &[0xff, 0xe1], &length, &exif, &plain[2..]].concat()
}

fn is_red(picture: &DynamicImage, x: u32, y: u32) -> bool {
    let Rgb([red, _, blue]) = *picture.to_rgb8().get_pixel(x, y);
    red > 180 && blue < 80
}

#[test]
fn every_kind_is_read() {
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP] {
        let picture = read(&encoded(format)).unwrap();
        assert_eq!((picture.width(), picture.height()), (64, 32), "{format:?}");
        assert!(is_red(&picture, 5, 16) && !is_red(&picture, 58, 16), "{format:?}");
    }
}

#[test]
fn photos_are_turned_as_the_camera_says() {
    let upright = read(&turned(1, b"")).unwrap();
    assert!((upright.width(), is_red(&upright, 2, 2)) == (64, true));
    let half = read(&turned(3, b"")).unwrap();
    assert!((half.width(), is_red(&half, 2, 2)) == (64, false));
    let right = read(&turned(6, b"")).unwrap();
    assert!((right.width(), right.height(), is_red(&right, 16, 2)) == (32, 64, true));
    let left = read(&turned(8, b"")).unwrap();
    assert!((left.width(), left.height(), is_red(&left, 16, 2)) == (32, 64, false));
    for garbage in [0, 9, 255] {
        assert_eq!(read(&turned(garbage, &[0xff; 500])).unwrap().width(), 64);
    }
}

#[test]
fn ink_that_nobody_sees_does_not_bleed() {
    let ghost = RgbaImage::from_fn(128, 128, |x, _| if x % 2 == 0 { Rgba([0; 4]) } else { Rgba([200, 200, 200, 255]) });
    let mut bytes = Cursor::new(Vec::new());
    ghost.write_to(&mut bytes, ImageFormat::Png).unwrap();
    let small = read(&bytes.into_inner()).unwrap().into_rgba8();
    let Rgba([red, _, _, alpha]) = *small.get_pixel(30, 30);
    assert!(red > 190 && (100..160).contains(&alpha), "{red} {alpha}");
}

#[test]
fn deep_and_grey_pictures_become_eight_bits() {
    let deep = image::ImageBuffer::<Rgb<u16>, Vec<u16>>::from_pixel(100, 100, Rgb([60_000, 0, 0]));
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageRgb16(deep).write_to(&mut bytes, ImageFormat::Png).unwrap();
    assert!(is_red(&read(&bytes.into_inner()).unwrap(), 5, 5));
    let mut grey = Vec::new();
    let encoder = image::codecs::png::PngEncoder::new(&mut grey);
    encoder.write_image(&[128; 100 * 50 * 2], 100, 50, ExtendedColorType::La8).unwrap();
    assert_eq!(read(&grey).unwrap().height(), 32);
}

#[test]
fn a_frame_of_a_moving_picture_stands_for_it() {
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::gif::GifEncoder::new(&mut bytes);
    for shade in [250, 0] {
        encoder.encode_frame(image::Frame::new(RgbaImage::from_pixel(90, 90, Rgba([shade, 0, 0, 255])))).unwrap();
    }
    drop(encoder);
    assert!(is_red(&read(&bytes).unwrap(), 10, 10));
}

#[test]
fn what_takes_too_much_memory_is_refused_before_it_is_decoded() {
    // Headers alone: nothing but the size can have been looked at.
    let jpeg = b"\xff\xd8\xff\xc0\0\x11\x08\xea\x60\xea\x60\x03\x01\x22\0\x02\x11\x01\x03\x11\x01\xff\xda\0\x0c";
    assert!(matches!(read(jpeg), Err(Failure::TooLarge)));
    let mut gif = b"GIF89a\x60\xea\x60\xea\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0;".to_vec();
    assert!(matches!(read(&gif), Err(Failure::TooLarge)));
    gif[6..10].copy_from_slice(&[100, 0, 100, 0]);
    assert!(!matches!(read(&gif), Err(Failure::TooLarge)));
    let mut png = encoded(ImageFormat::Png);
    png[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    let crc = crc32(&png[12..29]);
    png[29..33].copy_from_slice(&crc.to_be_bytes());
    assert!(matches!(read(&png), Err(Failure::TooLarge)));
}

#[test]
fn the_bound_is_where_it_says() {
    let source = Bytes::from(encoded(ImageFormat::Jpeg));
    let needed = 200 * 100 * 3 + 2 * source.len() as u64;
    assert!(reduced(&source, wish(64), &limits(needed)).is_ok());
    assert!(matches!(reduced(&source, wish(64), &limits(needed - 1)), Err(Failure::TooLarge)));
}

#[test]
fn pictures_that_come_in_passes_need_more() {
    let pass = |kind: u8| [0xff, 0xd8, 0xff, kind, 0, 0x11, 8, 0, 100, 0, 200, 3, 0, 0, 0];
    assert_eq!(jpeg_bytes(&pass(0xc0)).unwrap(), 200 * 100 * 3);
    assert_eq!(jpeg_bytes(&pass(0xc2)).unwrap(), 200 * 100 * 9);
    for malformed in [&b""[..], b"\xff\xd8", b"\xff\xd8\xff\xe1\xff\xff", b"\xff\xd8\xff\xc0\0", b"\xff\xd8\xff\xda"] {
        assert!(jpeg_bytes(malformed).is_err());
    }
}

/// However a file is cut off or spoilt, there is an answer; which one does not matter.
#[test]
fn spoilt_files_are_survived() {
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP] {
        let whole = encoded(format);
        for length in (0..whole.len()).step_by(whole.len() / 60 + 1) {
            let _ = std::panic::catch_unwind(|| read(&whole[..length]).map(drop));
        }
        let mut state = 1_u32;
        for _ in 0..300 {
            let mut spoilt = whole.clone();
            for _ in 0..4 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let place = state as usize % spoilt.len();
                spoilt[place] = (state >> 24) as u8;
            }
            let _ = std::panic::catch_unwind(|| read(&spoilt).map(drop));
        }
    }
}

#[test]
fn other_kinds_are_refused() {
    for other in [
        &b"<svg xmlns='http://www.w3.org/2000/svg'/>"[..],
        b"BM\x46\0\0\0",
        b"II*\0",
        b"",
        b"text",
        b"RIFF\0\0\0\0WAVE",
    ] {
        assert!(matches!(read(other), Err(Failure::Unsupported)), "{other:?}");
    }
}

/// Of ISO 3309, as PNG has it.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 })
    })
}
