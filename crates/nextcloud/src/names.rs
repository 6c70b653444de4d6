//! Names that Nextcloud refuses and its clients ask about before they upload: published in the capabilities, enforced on
//! every write. Existing names stay readable and can be moved away.

use nichoir_dav::Error;

/// Characters that stand in no name, beside `/`, which cannot.
pub(crate) const FORBIDDEN_CHARACTERS: &[char] = &['\\', '/'];
/// Whole names, lower-case.
pub(crate) const FORBIDDEN_NAMES: &[&str] = &[".htaccess"];
/// Endings, lower-case: what clients call files that they have not finished.
pub(crate) const FORBIDDEN_EXTENSIONS: &[&str] = &[".filepart", ".part"];

/// Whether a resource may be created under this name.
pub(crate) fn check(name: &str) -> Result<(), Error> {
    if let Some(forbidden) = name.chars().find(|c| FORBIDDEN_CHARACTERS.contains(c)) {
        return Err(Error::bad_name(format!("\"{forbidden}\" is not allowed inside a file or folder name.")));
    }
    if name.trim().is_empty() {
        return Err(Error::bad_name("A file or folder name cannot be made of spaces."));
    }
    let lower = name.to_lowercase();
    if FORBIDDEN_NAMES.contains(&lower.as_str()) {
        return Err(Error::bad_name(format!("\"{name}\" is a forbidden file or folder name.")));
    }
    if let Some(extension) = FORBIDDEN_EXTENSIONS.iter().find(|extension| lower.ends_with(*extension)) {
        return Err(Error::bad_name(format!("\"{extension}\" is a forbidden file type.")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forbidden_names_of_each_kind() {
        for bad in ["a\\b", ".htaccess", ".HTACCESS", "x.part", "x.FilePart", " ", "\u{3000}"] {
            assert!(check(bad).is_err(), "{bad:?}");
        }
        for good in ["a", ".hidden", "part", "x.party", "con", "a:b", "trailing ", "é", ".htaccess2"] {
            assert!(check(good).is_ok(), "{good:?}");
        }
    }
}
