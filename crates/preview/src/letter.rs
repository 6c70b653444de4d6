//! Letters: the one font that comes with the server, drawn in shades of grey. Its licence stands beside it.

use std::sync::OnceLock;

use ab_glyph::{Font as _, FontRef, GlyphId, PxScale, ScaleFont as _, point};

static FONT: &[u8] = include_bytes!("../font/DejaVuSansMono.ttf");

/// The font; `None` only if the file that is built in were broken.
fn font() -> Option<&'static FontRef<'static>> {
    static READ: OnceLock<Option<FontRef<'static>>> = OnceLock::new();
    READ.get_or_init(|| FontRef::try_from_slice(FONT).ok()).as_ref()
}

/// Whether the font has this character.
pub(crate) fn has(letter: char) -> bool {
    font().is_some_and(|font| font.glyph_id(letter) != GlyphId(0))
}

/// How far one character is from the next, in pixels, at that height.
pub(crate) fn advance(height: f32) -> f32 {
    font().map_or(height / 2.0, |font| font.as_scaled(PxScale::from(height)).h_advance(font.glyph_id('0')))
}

/// Tells `put` of each pixel of a line of text, left and top in the corner that is given: where it is, and how much of it
/// is ink, from 0 to 1.
pub(crate) fn draw(text: &str, left: f32, top: f32, height: f32, mut put: impl FnMut(i64, i64, f32)) {
    let Some(font) = font() else { return };
    let scaled = font.as_scaled(PxScale::from(height));
    let mut at = left;
    for letter in text.chars() {
        let glyph =
            font.glyph_id(letter).with_scale_and_position(PxScale::from(height), point(at, top + scaled.ascent()));
        at += advance(height);
        if let Some(outline) = font.outline_glyph(glyph) {
            let bounds = outline.px_bounds();
            let (left, top) = (bounds.min.x as i64, bounds.min.y as i64);
            outline.draw(|x, y, ink| put(left + i64::from(x), top + i64::from(y), ink));
        }
    }
}

/// Left, top, right and bottom of the ink of a line of text whose corner is at 0, 0.
pub(crate) fn ink(text: &str, height: f32) -> Option<(f32, f32, f32, f32)> {
    let mut bounds: Option<(f32, f32, f32, f32)> = None;
    draw(text, 0.0, 0.0, height, |x, y, ink| {
        if ink > 0.1 {
            let (x, y) = (x as f32, y as f32);
            let (left, top, right, bottom) = bounds.unwrap_or((x, y, x, y));
            bounds = Some((left.min(x), top.min(y), right.max(x + 1.0), bottom.max(y + 1.0)));
        }
    });
    bounds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_font_has_the_letters_of_europe() {
        for letter in "AaÉéœŒßŁžİΩжЯ€–’0".chars() {
            assert!(has(letter), "{letter}");
        }
        assert!(!has('漢'));
        assert!(advance(20.0) > 8.0 && advance(20.0) < 16.0);
    }
}
