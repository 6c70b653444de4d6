//! Initials on a ground of one colour: what stands for somebody who has no picture, and for a space that has no logo.

use image::{DynamicImage, Rgb, RgbImage};

use crate::letter;
use crate::made::Colour;

/// Height of the letters as a part of the side.
const LETTER_PART: f32 = 0.55;

impl Colour {
    /// One of a few colours on which white letters can be read, always the same one for the same name.
    pub fn of_name(name: &str) -> Colour {
        let hash = blake3::hash(name.to_lowercase().as_bytes());
        Colour(GROUNDS[usize::from(hash.as_bytes()[0]) % GROUNDS.len()])
    }

    /// The same colour, darker.
    #[must_use]
    pub fn darkened(self) -> Colour {
        Colour(self.0.map(|part| (u16::from(part) * 3 / 5) as u8))
    }

    /// Relative luminance, from 0 to 1 (WCAG 2.2).
    pub fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// White or black, whichever can be read better on this ground.
    pub fn ink(self) -> Colour {
        // Equal contrast, (1.05 / (l + 0.05)) = ((l + 0.05) / 0.05), is at 0.179.
        Colour(if self.luminance() < 0.179 { [255; 3] } else { [0; 3] })
    }
}

/// The first letters of the first and the last word of a name, in capitals, as far as the font has them.
pub fn initials_of(name: &str) -> String {
    let words = || name.split(|c: char| c.is_whitespace() || "-_.@".contains(c)).filter(|word| !word.is_empty());
    let first = |word: &str| word.chars().find(|letter| letter.is_alphanumeric());
    let mut letters: Vec<char> = words().next().and_then(first).into_iter().collect();
    if words().count() > 1 {
        letters.extend(words().next_back().and_then(first));
    }
    letters.iter().flat_map(|letter| letter.to_uppercase().next()).filter(|letter| letter::has(*letter)).collect()
}

/// The picture.
pub(crate) fn drawn(letters: &str, ground: Colour, side: u32) -> DynamicImage {
    let ink_colour = ground.ink();
    let mut picture = RgbImage::from_pixel(side, side, Rgb(ground.0));
    let height = side as f32 * LETTER_PART;
    let Some((left, top, right, bottom)) = letter::ink(letters, height) else { return picture.into() };
    let corner = ((side as f32 - left - right) / 2.0, (side as f32 - top - bottom) / 2.0);
    letter::draw(letters, corner.0, corner.1, height, |x, y, ink| {
        let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else { return };
        if let Some(pixel) = picture.get_pixel_mut_checked(x, y) {
            let ink = ink.clamp(0.0, 1.0);
            for (part, wanted) in pixel.0.iter_mut().zip(ink_colour.0) {
                *part = (f32::from(*part) * (1.0 - ink) + f32::from(wanted) * ink) as u8;
            }
        }
    });
    picture.into()
}

/// Dark enough for white letters.
const GROUNDS: [[u8; 3]; 12] = [
    [0x2f, 0x6f, 0x4f],
    [0x1f, 0x5f, 0x8b],
    [0x6a, 0x3d, 0x9a],
    [0x9c, 0x27, 0x4a],
    [0xa0, 0x48, 0x14],
    [0x5d, 0x40, 0x37],
    [0x00, 0x69, 0x5c],
    [0x3f, 0x51, 0xb5],
    [0x7b, 0x1f, 0x5f],
    [0x4e, 0x6b, 0x1d],
    [0x8a, 0x2b, 0x2b],
    [0x45, 0x5a, 0x64],
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_one_or_two_capitals() {
        for (name, expected) in [
            ("alice", "A"),
            ("Marie Curie", "MC"),
            ("élodie de la tour", "ÉT"),
            ("jean-paul", "JP"),
            ("anna@asso.org", "AO"),
            ("  ", ""),
            ("42", "4"),
            ("漢字", ""),
            ("(anna)", "A"),
        ] {
            assert_eq!(initials_of(name), expected, "{name}");
        }
    }

    #[test]
    fn every_ground_takes_white_letters() {
        for ground in GROUNDS {
            assert_eq!(Colour(ground).ink(), Colour([255; 3]), "{ground:?}");
        }
        assert_eq!(Colour([255, 255, 0]).ink(), Colour([0; 3]));
    }

    #[test]
    fn letters_stand_in_the_middle_whatever_the_size() {
        for side in [1, 2, 16, 64, 512] {
            assert_eq!(drawn("MC", Colour::of_name("x"), side).width(), side);
        }
        let picture = drawn("M", Colour([0; 3]), 100).to_rgb8();
        let lit = |x: u32, y: u32| picture.get_pixel(x, y).0[0] > 128;
        let columns: Vec<u32> = (0..100).filter(|x| (0..100).any(|y| lit(*x, y))).collect();
        let (first, last) = (columns[0], columns[columns.len() - 1]);
        assert!(first.abs_diff(99 - last) <= 2, "{first} {last}");
        assert!((0..100).all(|side| !lit(side, 0) && !lit(0, side)));
    }
}
