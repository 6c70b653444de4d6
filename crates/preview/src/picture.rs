//! Pictures that come from members: read within bounds, turned as their camera says, made smaller.
//!
//! Nothing is decoded before its header has said how large it is and what decoding takes is known to fit. Metadata, among
//! which the place where a photo was taken, does not reach what is made; a colour profile does.

use std::io::Cursor;

use bytes::Bytes;
use image::codecs::gif::GifDecoder;
use image::codecs::jpeg::JpegDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::imageops::{self, FilterType};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, RgbaImage};

use crate::failure::Failure;
use crate::geometry::{Plan, Wish};
use crate::previews::Limits;

/// A longer colour profile is left out.
const PROFILE_BYTES_MAX: usize = 64 * 1024;

/// What the header of a PNG may be unpacked to is so much of the memory that a preview may take.
const HEADER_PART: u64 = 16;

/// A picture made smaller.
#[derive(Debug)]
pub(crate) struct Reduced {
    pub(crate) picture: DynamicImage,
    /// How its colours are meant, for RGB.
    pub(crate) profile: Option<Vec<u8>>,
}

/// Reads a picture and puts it into the box.
pub(crate) fn reduced(source: &Bytes, wish: Wish, limits: &Limits) -> Result<Reduced, Failure> {
    let reading = || Cursor::new(&source[..]);
    match image::guess_format(source).map_err(|_| Failure::Unsupported)? {
        ImageFormat::Jpeg => {
            check_room(source, jpeg_bytes(source)?, limits)?;
            decoded(JpegDecoder::new(reading()).map_err(broken)?, source, wish, limits)
        }
        ImageFormat::Png => {
            // A profile is unpacked with the header, kept, and copied: one that swells is left out by the decoder.
            let header = Limits { memory_bytes_max: limits.memory_bytes_max / HEADER_PART, ..limits.clone() };
            let decoder = PngDecoder::with_limits(reading(), allocation(&header)).map_err(broken)?;
            decoded(decoder, source, wish, limits)
        }
        ImageFormat::Gif => decoded(GifDecoder::new(reading()).map_err(broken)?, source, wish, limits),
        ImageFormat::WebP => {
            let decoder = WebPDecoder::new(reading()).map_err(broken)?;
            // Planes and what becomes of them are held at once.
            check_room(source, decoder.total_bytes().saturating_mul(2), limits)?;
            decoded(decoder, source, wish, limits)
        }
        _ => Err(Failure::Unsupported),
    }
}

fn decoded(mut decoder: impl ImageDecoder, source: &Bytes, wish: Wish, limits: &Limits) -> Result<Reduced, Failure> {
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(Failure::Broken("it has no size".to_owned()));
    }
    // As it is stored, and as eight bits of each colour where it has more of them.
    let pixels = u64::from(width) * u64::from(height);
    let as_read = decoder.total_bytes();
    let as_shown = pixels.saturating_mul(if decoder.color_type().has_alpha() { 4 } else { 3 });
    let sum = if as_read == as_shown { as_read } else { as_read.saturating_add(as_shown) };
    check_room(source, sum, limits)?;
    decoder.set_limits(allocation(limits)).map_err(broken)?;
    let turn = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let profile = decoder.icc_profile().ok().flatten().filter(|profile| is_usable(profile));
    let picture = DynamicImage::from_decoder(decoder).map_err(broken)?;
    let is_on_its_side = matches!(
        turn,
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH
    );
    let mut picture = fitted(picture, if is_on_its_side { wish.turned() } else { wish });
    picture.apply_orientation(turn);
    Ok(Reduced { picture, profile })
}

/// Cuts out the part that is shown and makes it as small as it is to be.
pub(crate) fn fitted(picture: DynamicImage, wish: Wish) -> DynamicImage {
    let Plan { part: (left, top, width, height), size } = wish.plan(picture.width(), picture.height());
    let has_alpha = picture.color().has_alpha();
    // Ink that nobody sees must not bleed into its neighbours.
    let picture = if has_alpha { premultiplied(picture.into_rgba8()).into() } else { picture };
    let small: DynamicImage = match picture {
        DynamicImage::ImageLuma8(grey) => {
            let part = imageops::crop_imm(&grey, left, top, width, height);
            smaller(&*part, size).into()
        }
        DynamicImage::ImageRgba8(picture) => {
            let part = imageops::crop_imm(&picture, left, top, width, height);
            smaller(&*part, size).into()
        }
        picture => {
            let picture = picture.into_rgb8();
            let part = imageops::crop_imm(&picture, left, top, width, height);
            smaller(&*part, size).into()
        }
    };
    if has_alpha { straightened(small.into_rgba8()).into() } else { small }
}

/// Averages what falls together where that is much, interpolates where it is little.
fn smaller<V, P>(part: &V, (width, height): (u32, u32)) -> image::ImageBuffer<P, Vec<u8>>
where
    V: image::GenericImageView<Pixel = P>,
    P: image::Pixel<Subpixel = u8> + 'static,
{
    if part.width() >= width.saturating_mul(2) && part.height() >= height.saturating_mul(2) {
        return imageops::thumbnail(part, width, height);
    }
    if part.dimensions() == (width, height) {
        let mut same = image::ImageBuffer::new(width, height);
        part.pixels().for_each(|(x, y, pixel)| same.put_pixel(x, y, pixel));
        return same;
    }
    imageops::resize(part, width, height, FilterType::Triangle)
}

/// The picture with sides of exactly that length, even where it has to be made larger for it.
pub(crate) fn enlarged(picture: DynamicImage, side: u32) -> DynamicImage {
    match (picture.width(), picture.height()) == (side, side) {
        true => picture,
        false => picture.resize_exact(side, side, FilterType::Triangle),
    }
}

fn premultiplied(mut picture: RgbaImage) -> RgbaImage {
    for pixel in picture.pixels_mut() {
        let [red, green, blue, alpha] = pixel.0;
        let times = |part: u8| ((u32::from(part) * u32::from(alpha) + 127) / 255) as u8;
        pixel.0 = [times(red), times(green), times(blue), alpha];
    }
    picture
}

fn straightened(mut picture: RgbaImage) -> RgbaImage {
    for pixel in picture.pixels_mut().filter(|pixel| pixel.0[3] != 0) {
        let [red, green, blue, alpha] = pixel.0;
        let over = |part: u8| ((u32::from(part) * 255 + u32::from(alpha) / 2) / u32::from(alpha)).min(255) as u8;
        pixel.0 = [over(red), over(green), over(blue), alpha];
    }
    picture
}

/// A profile for RGB of moderate length (ICC.1, header: the colour space is at 16).
fn is_usable(profile: &[u8]) -> bool {
    profile.len() <= PROFILE_BYTES_MAX && profile.get(16..20) == Some(b"RGB ")
}

fn allocation(limits: &Limits) -> image::Limits {
    let mut allocation = image::Limits::no_limits();
    allocation.max_alloc = Some(limits.memory_bytes_max);
    allocation
}

/// The file itself is held too, once here and once by the decoder.
fn check_room(source: &Bytes, decoding_bytes: u64, limits: &Limits) -> Result<(), Failure> {
    let file_bytes = (source.len() as u64).saturating_mul(2);
    match decoding_bytes.saturating_add(file_bytes) <= limits.memory_bytes_max {
        true => Ok(()),
        false => Err(Failure::TooLarge),
    }
}

/// Bytes for each pixel of a JPEG.
const JPEG_BYTES_PER_PIXEL: u64 = 3;
/// The same where it comes in several passes, and the coefficients of all colours are held to the end.
const PASSES_BYTES_PER_PIXEL: u64 = 9;

/// What decoding a JPEG takes: more where it comes in several passes (ITU-T T.81 §G).
fn jpeg_bytes(source: &[u8]) -> Result<u64, Failure> {
    let malformed = || Failure::Broken("its header has no size".to_owned());
    let mut rest = source.get(2..).ok_or_else(malformed)?;
    loop {
        let start = rest.iter().position(|byte| *byte == 0xff).ok_or_else(malformed)?;
        rest = &rest[start..];
        let marker = rest.iter().position(|byte| *byte != 0xff).ok_or_else(malformed)?;
        let kind = rest[marker];
        rest = &rest[marker + 1..];
        match kind {
            0x00 | 0x01 | 0xd0..=0xd8 => {}
            // Start of frame, of whichever process.
            0xc0..=0xcf if ![0xc4, 0xc8, 0xcc].contains(&kind) => {
                let [_, _, _, h1, h0, w1, w0, _, ..] = *rest else { return Err(malformed()) };
                let pixels = u64::from(u16::from_be_bytes([h1, h0])) * u64::from(u16::from_be_bytes([w1, w0]));
                let is_one_pass = kind == 0xc0 || kind == 0xc1;
                return Ok(pixels * if is_one_pass { JPEG_BYTES_PER_PIXEL } else { PASSES_BYTES_PER_PIXEL });
            }
            0xd9 | 0xda => return Err(malformed()),
            _ => {
                let [l1, l0, ..] = *rest else { return Err(malformed()) };
                rest = rest.get(usize::from(u16::from_be_bytes([l1, l0])).max(2)..).ok_or_else(malformed)?;
            }
        }
    }
}

fn broken(error: ImageError) -> Failure {
    match error {
        ImageError::Limits(_) => Failure::TooLarge,
        ImageError::Unsupported(_) => Failure::Unsupported,
        error => Failure::Broken(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
