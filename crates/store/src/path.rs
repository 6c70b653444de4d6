//! Paths in an account's tree: names normalised to NFC once, at the edge, and never again.

use std::fmt;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::error::Error;

/// The longest name, in bytes of UTF-8: what every file system that a member syncs to can hold.
pub const NAME_BYTES_MAX: usize = 255;
/// The deepest path, in names.
pub const PATH_DEPTH_MAX: usize = 256;

/// A path from the root of an account's tree: names, outermost first. Empty for the root itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodePath(Vec<String>);

impl NodePath {
    /// The root of the tree.
    pub const fn root() -> NodePath {
        NodePath(Vec::new())
    }

    /// The path made of these (already percent-decoded) names. Empty names, as from `//` or a trailing
    /// slash, must have been dropped by the caller.
    ///
    /// # Errors
    /// [`Error::BadName`] for a name that is empty, `.`, `..`, longer than [`NAME_BYTES_MAX`] bytes, or
    /// holds `/`, NUL or another control character; or for a path deeper than [`PATH_DEPTH_MAX`].
    pub fn of<I, S>(names: I) -> Result<NodePath, Error>
    where
        I: IntoIterator<Item = S>,
        S: AsRef<str>,
    {
        let names = names.into_iter().map(|name| checked_name(name.as_ref())).collect::<Result<Vec<_>, _>>()?;
        if names.len() > PATH_DEPTH_MAX {
            return Err(Error::BadName(format!("a path may be at most {PATH_DEPTH_MAX} names deep")));
        }
        Ok(NodePath(names))
    }

    /// The same, from text with `/` between the names; empty names are dropped.
    ///
    /// # Errors
    /// As [`NodePath::of`].
    pub fn parse(text: &str) -> Result<NodePath, Error> {
        NodePath::of(text.split('/').filter(|name| !name.is_empty()))
    }

    /// The names, outermost first.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// The last name; `None` for the root.
    pub fn name(&self) -> Option<&str> {
        self.0.last().map(String::as_str)
    }

    /// The path of the folder that holds this; `None` for the root.
    pub fn parent(&self) -> Option<NodePath> {
        let (_, parents) = self.0.split_last()?;
        Some(NodePath(parents.to_vec()))
    }

    /// The path of a child whose name came from the store.
    pub fn child(&self, name: &str) -> NodePath {
        let mut names = self.0.clone();
        names.push(name.to_owned());
        NodePath(names)
    }

    /// The path of a child whose name came from outside.
    ///
    /// # Errors
    /// As [`NodePath::of`].
    pub fn join(&self, name: &str) -> Result<NodePath, Error> {
        Ok(self.child(&checked_name(name)?))
    }

    /// Whether this is the root of the tree.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `other` is this path or lies below it.
    pub fn contains(&self, other: &NodePath) -> bool {
        other.0.starts_with(&self.0)
    }
}

impl fmt::Display for NodePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("/");
        }
        for name in &self.0 {
            write!(f, "/{name}")?;
        }
        Ok(())
    }
}

/// Whether `name` can name a node.
///
/// # Errors
/// [`Error::BadName`], also for one that would be normalised to another.
pub(crate) fn check_name(name: &str) -> Result<(), Error> {
    match checked_name(name)? == name {
        true => Ok(()),
        false => Err(Error::BadName("a name must be in Unicode's normal form C".to_owned())),
    }
}

/// `name` in NFC, or why it cannot name a node.
fn checked_name(name: &str) -> Result<String, Error> {
    let name = match is_nfc_quick(name.chars()) {
        IsNormalized::Yes => name.to_owned(),
        _ => name.nfc().collect(),
    };
    if name.is_empty() || name == "." || name == ".." {
        return Err(Error::BadName(format!("{name:?} cannot name a file or folder")));
    }
    if name.len() > NAME_BYTES_MAX {
        return Err(Error::BadName(format!("a name may be at most {NAME_BYTES_MAX} bytes long")));
    }
    if name.chars().any(|c| c == '/' || c.is_control()) {
        return Err(Error::BadName("a name may not hold / or control characters".to_owned()));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(input: &[&str], expected: &str) {
        let found = match NodePath::of(input) {
            Ok(path) => path.to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn names_are_normalised_and_checked_once() {
        check(&[], "/");
        check(&["a", "b c"], "/a/b c");
        check(&["cafe\u{301}"], "/caf\u{e9}");
        check(&[".."], "bad name: \"..\" cannot name a file or folder");
        check(&["a\0b"], "bad name: a name may not hold / or control characters");
        check(&["a/b"], "bad name: a name may not hold / or control characters");
        check(&["\u{7f}"], "bad name: a name may not hold / or control characters");
        let longest = "x".repeat(255);
        check(&[&longest], &format!("/{longest}"));
        check(&[&"x".repeat(256)], "bad name: a name may be at most 255 bytes long");
    }

    #[test]
    fn a_path_contains_itself_and_what_lies_below() {
        let a = NodePath::parse("a").expect("a good path");
        assert!(a.contains(&a) && a.contains(&a.child("b")) && NodePath::root().contains(&a));
        assert!(!a.contains(&NodePath::parse("ab").expect("a good path")));
    }
}
