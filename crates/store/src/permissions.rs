//! What somebody may do with a node that is not their own: the bits that Nextcloud's sharing API speaks of.

use std::ops::{BitAnd, BitOr};

/// A set of rights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Permissions(u8);

impl Permissions {
    /// No right at all.
    pub const NONE: Permissions = Permissions(0);
    /// See content, properties and members.
    pub const READ: Permissions = Permissions(1);
    /// Give an existing file new content, an existing node other properties or another name in its folder.
    pub const UPDATE: Permissions = Permissions(2);
    /// Add members to a folder.
    pub const CREATE: Permissions = Permissions(4);
    /// Take members out of a folder.
    pub const DELETE: Permissions = Permissions(8);
    /// Hand on what one holds to others.
    pub const SHARE: Permissions = Permissions(16);
    /// All of them: what an owner has.
    pub const ALL: Permissions = Permissions(31);
    /// All but to hand it on.
    pub const READ_WRITE: Permissions = Permissions(15);
    /// What makes sense for a single file: nothing is created in it, and it is not taken out of anywhere.
    pub const OF_FILE: Permissions = Permissions(19);

    /// The set that `bits` mean; `None` if there are others among them.
    pub fn from_bits(bits: i64) -> Option<Permissions> {
        u8::try_from(bits).ok().map(Permissions).filter(|set| Permissions::ALL.includes(*set))
    }

    /// As a number.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether all of `other` is in this set.
    pub const fn includes(self, other: Permissions) -> bool {
        self.0 & other.0 == other.0
    }

    /// This set without `other`.
    pub const fn without(self, other: Permissions) -> Permissions {
        Permissions(self.0 & !other.0)
    }

    /// Whether there is nothing in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether files and members may be added, changed and removed.
    pub const fn is_writable(self) -> bool {
        self.includes(Permissions(2 | 4 | 8))
    }

    /// The rights over a calendar or address book that is shared.
    pub const fn of_collection(is_writable: bool) -> Permissions {
        if is_writable { Permissions::READ_WRITE } else { Permissions::READ }
    }
}

impl BitOr for Permissions {
    type Output = Permissions;

    fn bitor(self, other: Permissions) -> Permissions {
        Permissions(self.0 | other.0)
    }
}

impl BitAnd for Permissions {
    type Output = Permissions;

    fn bitand(self, other: Permissions) -> Permissions {
        Permissions(self.0 & other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Permissions;

    #[test]
    fn a_set_is_what_its_bits_say_and_no_other_bits_are_taken() {
        for bits in 0..=31 {
            assert_eq!(Permissions::from_bits(bits).map(|set| i64::from(set.bits())), Some(bits));
        }
        for bits in [-1, 32, 33, 255, 256, 257, i64::MAX, i64::MIN] {
            assert_eq!(Permissions::from_bits(bits), None, "{bits}");
        }
    }

    #[test]
    fn what_is_writable_has_all_three_ways_of_writing() {
        assert!(Permissions::READ_WRITE.is_writable() && Permissions::ALL.is_writable());
        for missing in [Permissions::UPDATE, Permissions::CREATE, Permissions::DELETE] {
            assert!(!Permissions::ALL.without(missing).is_writable());
        }
        assert_eq!(Permissions::of_collection(true) & Permissions::SHARE, Permissions::NONE);
        assert!(!Permissions::of_collection(false).is_writable());
    }
}
