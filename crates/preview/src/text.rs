//! The first page of a text as a picture: dark on white, as many lines as fit.

use image::{GrayImage, Luma};

use crate::failure::Failure;
use crate::letter;

const PAGE_WIDTH: u32 = 600;
const PAGE_HEIGHT: u32 = 800;
const MARGIN: f32 = 28.0;
/// Height of the letters, and from one line to the next.
const LETTER_HEIGHT: f32 = 20.0;
const HEADING_HEIGHT: f32 = 30.0;
const SPACING: f32 = 1.25;
const TAB_COLUMNS: usize = 4;

/// How much of a file is read for it: more than a page holds.
pub(crate) const SOURCE_BYTES: u64 = 16 * 1024;

/// The page.
///
/// # Errors
/// [`Failure::Unsupported`] for what is no text, or nothing but white.
pub(crate) fn page(source: &[u8], is_markdown: bool) -> Result<GrayImage, Failure> {
    let text = decoded(source)?;
    let mut page = GrayImage::from_pixel(PAGE_WIDTH, PAGE_HEIGHT, Luma([255]));
    let mut top = MARGIN;
    for line in text.lines() {
        let (line, height) = match heading_of(line).filter(|_| is_markdown) {
            Some(heading) => (heading, HEADING_HEIGHT),
            None => (line, LETTER_HEIGHT),
        };
        let columns = ((PAGE_WIDTH as f32 - 2.0 * MARGIN) / letter::advance(height)) as usize;
        for run in wrapped(line, columns.max(1)) {
            if top + height > PAGE_HEIGHT as f32 - MARGIN {
                return Ok(page);
            }
            letter::draw(&run, MARGIN, top, height, |x, y, ink| darken(&mut page, x, y, ink));
            top += height * SPACING;
        }
    }
    Ok(page)
}

fn darken(page: &mut GrayImage, x: i64, y: i64, ink: f32) {
    let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else { return };
    if let Some(pixel) = page.get_pixel_mut_checked(x, y) {
        let grey = 255.0 - 225.0 * ink.clamp(0.0, 1.0);
        pixel.0[0] = pixel.0[0].min(grey as u8);
    }
}

/// UTF-8, or what can be made of it; UTF-16 by its mark.
fn decoded(source: &[u8]) -> Result<String, Failure> {
    let text = match source {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => String::from_utf8_lossy(source).into_owned(),
    };
    match text.contains('\0') || text.trim().is_empty() {
        true => Err(Failure::Unsupported),
        false => Ok(text),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.as_chunks::<2>().0.iter().map(|pair| unit(*pair));
    char::decode_utf16(units).map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// What stands behind the `#`s of a heading (CommonMark §4.2).
fn heading_of(line: &str) -> Option<&str> {
    let text = line.trim_start_matches('#');
    let level = line.len() - text.len();
    ((1..=6).contains(&level) && text.starts_with(' ')).then(|| text.trim())
}

/// The line in runs of at most `columns` characters, broken at spaces where there are some; nothing but what can be seen.
fn wrapped(line: &str, columns: usize) -> Vec<String> {
    let mut letters: Vec<char> = Vec::new();
    for letter in line.chars() {
        match letter {
            '\t' => letters.extend(std::iter::repeat_n(' ', TAB_COLUMNS - letters.len() % TAB_COLUMNS)),
            letter if letter.is_control() => {}
            letter => letters.push(letter),
        }
    }
    let mut runs = Vec::new();
    let mut rest = &letters[..];
    while rest.len() > columns {
        let at_space = rest[..=columns].iter().rposition(|letter| *letter == ' ').filter(|place| *place > 0);
        let (run, next) = match at_space {
            Some(place) => (&rest[..place], &rest[place + 1..]),
            None => rest.split_at(columns),
        };
        runs.push(run.iter().collect());
        rest = next;
    }
    runs.push(rest.iter().collect());
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ink(page: &GrayImage) -> usize {
        page.pixels().filter(|pixel| pixel.0[0] < 128).count()
    }

    #[test]
    fn lines_are_broken_at_spaces_and_cut_where_there_are_none() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrapped("", 4), [""]);
        assert_eq!(wrapped("a\tb\u{7}", 9), ["a   b"]);
    }

    #[test]
    fn headings_are_larger() {
        assert_eq!(heading_of("## A title "), Some("A title"));
        assert_eq!(heading_of("#hashtag"), None);
        assert_eq!(heading_of("text"), None);
        let plain = ink(&page(b"# Title", false).unwrap());
        let heading = ink(&page(b"# Title", true).unwrap());
        assert!(plain > 100 && heading > plain, "{plain} {heading}");
    }

    #[test]
    fn texts_in_other_encodings_are_read() {
        assert!(ink(&page(b"\xff\xfeH\0i\0", false).unwrap()) > 20);
        assert!(ink(&page(b"\xef\xbb\xbfHi", false).unwrap()) > 20);
        assert!(ink(&page("Caf\u{e9}".as_bytes(), false).unwrap()) > 20);
        assert!(ink(&page(b"Caf\xe9", false).unwrap()) > 20);
    }

    #[test]
    fn what_is_no_text_has_no_page() {
        assert!(page(b"a\0b", false).is_err());
        assert!(page(b" \n\t ", false).is_err());
    }

    #[test]
    fn a_page_is_full_at_some_time() {
        let long = "x".repeat(100_000) + "\n" + &"line\n".repeat(10_000);
        assert_eq!(page(long.as_bytes(), true).unwrap().dimensions(), (PAGE_WIDTH, PAGE_HEIGHT));
    }
}
