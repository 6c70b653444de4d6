//! What is drawn, and what comes out of it.

use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{DynamicImage, ExtendedColorType, ImageEncoder as _, RgbImage};

use crate::failure::Failure;
use crate::geometry::Wish;
use crate::previews::Limits;
use crate::{initials, picture, text};

/// What is to be drawn.
#[derive(Clone, Debug)]
pub enum Drawing {
    /// A picture, made smaller.
    Picture {
        /// The file.
        source: Bytes,
        /// The box that it is put in.
        wish: Wish,
    },
    /// A picture, as PNG whatever it was.
    Square {
        /// The file.
        source: Bytes,
        /// Width and height.
        side: u32,
    },
    /// The first lines of a text.
    Text {
        /// The beginning of the file.
        source: Bytes,
        /// The box that the page is put in.
        wish: Wish,
        /// Whether lines that begin with `#` are headings.
        is_markdown: bool,
    },
    /// A letter or two on a ground.
    Initials {
        /// The letters.
        letters: String,
        /// The ground.
        ground: Colour,
        /// Width and height.
        side: u32,
    },
}

/// A colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Colour(pub [u8; 3]);

/// The media type of what was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaType {
    /// `image/jpeg`.
    Jpeg,
    /// `image/png`.
    Png,
}

/// A preview.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// What it is.
    pub media_type: MediaType,
    /// The file.
    pub bytes: Bytes,
}

impl MediaType {
    /// What a file is, by its first bytes, if it is one of these.
    pub fn of(bytes: &[u8]) -> Option<MediaType> {
        match image::guess_format(bytes).ok()? {
            image::ImageFormat::Jpeg => Some(MediaType::Jpeg),
            image::ImageFormat::Png => Some(MediaType::Png),
            _ => None,
        }
    }

    /// As it stands in a header.
    pub fn name(self) -> &'static str {
        match self {
            MediaType::Jpeg => "image/jpeg",
            MediaType::Png => "image/png",
        }
    }

    /// The ending of a file name.
    pub fn extension(self) -> &'static str {
        match self {
            MediaType::Jpeg => "jpg",
            MediaType::Png => "png",
        }
    }
}

impl Drawing {
    /// Draws. Takes long: not for a thread that answers requests.
    pub(crate) fn draw(&self, limits: &Limits) -> Result<Made, Failure> {
        match self {
            Drawing::Picture { source, wish } => {
                let small = picture::reduced(source, *wish, limits)?;
                match small.picture.color().has_alpha() {
                    true => png(&small.picture),
                    false => jpeg(&small.picture.into_rgb8(), small.profile, limits.jpeg_quality),
                }
            }
            Drawing::Square { source, side } => {
                let small = picture::reduced(source, Wish::exact(*side, *side), limits)?;
                png(&picture::enlarged(small.picture, *side))
            }
            Drawing::Text { source, wish, is_markdown } => {
                let page = text::page(source, *is_markdown)?;
                png(&picture::fitted(DynamicImage::ImageLuma8(page), *wish))
            }
            Drawing::Initials { letters, ground, side } => png(&initials::drawn(letters, *ground, *side)),
        }
    }
}

fn png(picture: &DynamicImage) -> Result<Made, Failure> {
    let mut bytes = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Adaptive);
    picture.write_with_encoder(encoder).map_err(encoding)?;
    Ok(Made { media_type: MediaType::Png, bytes: bytes.into() })
}

fn jpeg(picture: &RgbImage, profile: Option<Vec<u8>>, quality: u8) -> Result<Made, Failure> {
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, quality.clamp(1, 100));
    if let Some(profile) = profile {
        // Without it the colours are a little off, which is no reason to show nothing.
        let _ = encoder.set_icc_profile(profile);
    }
    encoder.write_image(picture, picture.width(), picture.height(), ExtendedColorType::Rgb8).map_err(encoding)?;
    Ok(Made { media_type: MediaType::Jpeg, bytes: bytes.into() })
}

fn encoding(error: image::ImageError) -> Failure {
    Failure::Unavailable(Box::new(error))
}
