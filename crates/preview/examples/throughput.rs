//! How many previews a second, and in how much memory: photos of 12 megapixels, each seen for the first time, through the
//! workshop with its defaults. `benches/previews/run` runs it.

#![allow(clippy::disallowed_methods, reason = "a measurement reads the machine's clock")]
#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on stops")]

use std::io::{Cursor, Write as _};
use std::time::Instant;

use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::{ImageFormat, RgbImage};
use nichoir_preview::{Drawing, Fit, Key, Kinds, Limits, Previews, Wish};

const ROUNDS: usize = 24;

/// What a camera makes: slopes of light with grain.
fn photo(width: u32, height: u32) -> RgbImage {
    let mut state = 1_u32;
    RgbImage::from_fn(width, height, |x, y| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let grain = (state >> 27) as f32;
        let slope = |over: f32, by: f32| 127.0 + 90.0 * ((x as f32 / over).sin() + (y as f32 / by).cos()) / 2.0 + grain;
        image::Rgb([slope(310.0, 500.0) as u8, slope(270.0, 700.0) as u8, slope(410.0, 330.0) as u8])
    })
}

fn encoded(picture: &RgbImage, format: ImageFormat) -> Bytes {
    let mut bytes = Cursor::new(Vec::new());
    match format {
        ImageFormat::Jpeg => JpegEncoder::new_with_quality(&mut bytes, 92).encode_image(picture).unwrap(),
        format => picture.write_to(&mut bytes, format).unwrap(),
    }
    bytes.into_inner().into()
}

/// The most memory that this process ever had, in MB.
fn peak_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0) / 1024
}

async fn measure(name: &str, source: &Bytes, side: u32, parallel: usize) {
    let directory = tempfile::tempdir().unwrap();
    let limits = Limits { directory: directory.path().to_owned(), parallel, ..Limits::default() };
    let previews = Previews::new(limits, Kinds::default(), None, None);
    let wish = Wish::rounded(side, side, Fit::Cover, 4096);
    let began = Instant::now();
    let ask = |number: usize| {
        let (previews, source) = (previews.clone(), source.clone());
        tokio::spawn(async move {
            let key = Key::of(&[&number.to_le_bytes()]);
            previews.make("space", key, async { Ok(Drawing::Picture { source, wish }) }).await.unwrap().bytes.len()
        })
    };
    let asked: Vec<_> = (0..ROUNDS).map(ask).collect();
    let mut bytes = 0;
    for one in asked {
        bytes = one.await.unwrap();
    }
    let rate = ROUNDS as f64 / began.elapsed().as_secs_f64();
    let again = Instant::now();
    for number in 0..ROUNDS {
        let key = Key::of(&[&number.to_le_bytes()]);
        previews.make("space", key, std::future::pending()).await.unwrap();
    }
    let known = ROUNDS as f64 / again.elapsed().as_secs_f64();
    let mut out = std::io::stdout();
    let size = source.len() / 1024;
    writeln!(
        out,
        "{name:<22} {size:>6} KiB, {side:>4} px, {parallel} at once: {rate:>6.1}/s, {} KiB each; kept ones {known:.0}/s; peak {} MB",
        bytes / 1024,
        peak_megabytes(),
    )
    .unwrap();
}

#[tokio::main]
async fn main() {
    // A picture to be measured as an argument, in the place of those that are made here.
    if let Some(file) = std::env::args().nth(1) {
        let source = Bytes::from(std::fs::read(&file).unwrap());
        for (side, parallel) in [(256, 1), (256, 2), (1024, 2)] {
            measure(&file, &source, side, parallel).await;
        }
        return;
    }
    let small = photo(2000, 1500);
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        measure(&format!("3 MP {format:?}"), &encoded(&small, format), 256, 2).await;
    }
    drop(small);
    let photo = encoded(&photo(4000, 3000), ImageFormat::Jpeg);
    for (side, parallel) in [(256, 1), (256, 2), (1024, 2)] {
        measure("12 MP JPEG", &photo, side, parallel).await;
    }
}
