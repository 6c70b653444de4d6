//! What size a preview has: pure arithmetic on widths and heights.
//!
//! What is asked for is rounded up to a power of two, so that clients with screens of all sizes share a few previews of each
//! file. Nothing is ever made larger than it is.

/// Below this, sides are not told apart.
const SIDE_MIN: u32 = 64;

/// How a picture is put into the box that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fit {
    /// All of it, inside of the box.
    Inside,
    /// All of it, so large that it covers the box.
    Cover,
    /// The middle of it, in the shape of the box.
    Crop,
}

/// The box that was asked for, rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Wish {
    /// Its width.
    pub width: u32,
    /// Its height.
    pub height: u32,
    /// How a picture is put into it.
    pub fit: Fit,
    /// The longest side that a preview has, even where it is to cover the box.
    pub side_max: u32,
}

/// What becomes of a picture of known size: the part that is shown, and the size that it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Left, top, width and height of the part.
    pub(crate) part: (u32, u32, u32, u32),
    /// Width and height that it gets.
    pub(crate) size: (u32, u32),
}

impl Wish {
    /// The box of `width` to `height`, neither of which is 0, with its longer side rounded up to a power of two.
    pub fn rounded(width: u32, height: u32, fit: Fit, side_max: u32) -> Wish {
        let longer = width.max(height).max(1).min(side_max);
        let side = longer.max(SIDE_MIN).checked_next_power_of_two().unwrap_or(side_max).min(side_max);
        let scaled = |length: u32| scale(length, side, width.max(height).max(1)).clamp(1, side_max);
        Wish { width: scaled(width), height: scaled(height), fit, side_max }
    }

    /// Exactly this box, cut out of the middle.
    pub fn exact(width: u32, height: u32) -> Wish {
        Wish { width, height, fit: Fit::Crop, side_max: width.max(height) }
    }

    /// The same for a picture that lies on its side.
    pub(crate) fn turned(self) -> Wish {
        Wish { width: self.height, height: self.width, ..self }
    }

    /// What becomes of a picture of that size.
    pub(crate) fn plan(&self, width: u32, height: u32) -> Plan {
        match self.fit {
            Fit::Crop => self.plan_crop(width, height),
            Fit::Inside => self.plan_whole(width, height, self.is_wider_than_box(width, height)),
            Fit::Cover => self.plan_whole(width, height, !self.is_wider_than_box(width, height)),
        }
    }

    fn is_wider_than_box(&self, width: u32, height: u32) -> bool {
        u64::from(width) * u64::from(self.height) >= u64::from(height) * u64::from(self.width)
    }

    /// All of the picture; `by_width`: its width becomes that of the box.
    fn plan_whole(&self, width: u32, height: u32, by_width: bool) -> Plan {
        let (wanted, own) = if by_width { (self.width, width) } else { (self.height, height) };
        let longest = width.max(height);
        // The factor as a fraction: to the box, but never above 1, and never beyond the longest side.
        let (mut over, mut under) = if wanted < own { (wanted, own) } else { (1, 1) };
        if scale(longest, over, under) > self.side_max {
            (over, under) = (self.side_max, longest);
        }
        let size = (scale(width, over, under).max(1), scale(height, over, under).max(1));
        Plan { part: (0, 0, width, height), size }
    }

    fn plan_crop(&self, width: u32, height: u32) -> Plan {
        let (part_width, part_height) = match self.is_wider_than_box(width, height) {
            true => (scale(height, self.width, self.height).clamp(1, width), height),
            false => (width, scale(width, self.height, self.width).clamp(1, height)),
        };
        let part = ((width - part_width) / 2, (height - part_height) / 2, part_width, part_height);
        let size = if part_width > self.width { (self.width, self.height) } else { (part_width, part_height) };
        Plan { part, size }
    }
}

/// `length × over / under`, rounded.
fn scale(length: u32, over: u32, under: u32) -> u32 {
    let scaled = (u64::from(length) * u64::from(over) + u64::from(under) / 2) / u64::from(under.max(1));
    u32::try_from(scaled).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(wish: (u32, u32, Fit), picture: (u32, u32), expected: (u32, u32)) {
        let plan = Wish::rounded(wish.0, wish.1, wish.2, 4096).plan(picture.0, picture.1);
        assert_eq!(plan.size, expected);
        let (left, top, width, height) = plan.part;
        assert!(left + width <= picture.0 && top + height <= picture.1 && width > 0 && height > 0);
    }

    #[test]
    fn sides_are_rounded_up_to_powers_of_two() {
        let rounded = |width, height| {
            let wish = Wish::rounded(width, height, Fit::Inside, 4096);
            (wish.width, wish.height)
        };
        assert_eq!(rounded(1, 1), (64, 64));
        assert_eq!(rounded(64, 64), (64, 64));
        assert_eq!(rounded(65, 65), (128, 128));
        assert_eq!(rounded(300, 150), (512, 256));
        assert_eq!(rounded(1080, 1920), (1152, 2048));
        assert_eq!(rounded(4096, 4096), (4096, 4096));
        assert_eq!(rounded(5000, 4_000_000_000), (1, 4096));
        assert_eq!(rounded(u32::MAX, u32::MAX), (4096, 4096));
    }

    #[test]
    fn pictures_keep_their_shape_inside_or_around_the_box() {
        check((256, 256, Fit::Inside), (4000, 3000), (256, 192));
        check((256, 256, Fit::Inside), (3000, 4000), (192, 256));
        check((256, 256, Fit::Cover), (4000, 3000), (341, 256));
        check((256, 256, Fit::Cover), (3000, 4000), (256, 341));
        check((256, 64, Fit::Inside), (1000, 1000), (64, 64));
        check((256, 64, Fit::Cover), (1000, 1000), (256, 256));
    }

    #[test]
    fn cropping_takes_the_middle() {
        check((256, 256, Fit::Crop), (4000, 3000), (256, 256));
        assert_eq!(Wish::rounded(64, 64, Fit::Crop, 4096).plan(400, 200).part, (100, 0, 200, 200));
        check((256, 128, Fit::Crop), (1000, 1000), (256, 128));
        check((64, 64, Fit::Crop), (1, 1000), (1, 1));
    }

    #[test]
    fn nothing_is_made_larger() {
        for fit in [Fit::Inside, Fit::Cover, Fit::Crop] {
            check((64, 64, fit), (10, 10), (10, 10));
            check((4096, 4096, fit), (1, 1), (1, 1));
        }
        check((256, 256, Fit::Crop), (100, 50), (50, 50));
    }

    #[test]
    fn covering_a_box_with_a_panorama_stays_within_the_longest_side() {
        check((1024, 1024, Fit::Cover), (60_000, 1_000), (4096, 68));
        check((64, 64, Fit::Cover), (65_535, 1), (4096, 1));
        check((64, 64, Fit::Inside), (65_535, 1), (64, 1));
    }
}
