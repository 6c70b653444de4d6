//! What a note is called, and the file that it is. Sheet `mobile-clients`, section 5.2.

use nichoir_auth::Caller;
use nichoir_store::{Error, Needs, NodePath};

use super::settings::Settings;

/// Files with these endings are notes, besides those with the account's own.
const SUFFIXES: [&str; 5] = ["txt", "org", "markdown", "md", "note"];
/// Characters that no system's file names can hold.
const FORBIDDEN: [char; 9] = ['*', '|', '/', '\\', ':', '"', '<', '>', '?'];
const TITLE_CHARACTERS_MAX: usize = 100;
/// Leaves room for a number and the ending in a name of 255 bytes.
const TITLE_BYTES_MAX: usize = 230;
/// Names that are tried before a note is refused.
const TRIES_MAX: u32 = 1000;

/// Whether a file of this name is a note.
pub(super) fn is_note(name: &str, settings: &Settings) -> bool {
    let Some((_, suffix)) = name.rsplit_once('.') else { return false };
    let suffix = suffix.to_ascii_lowercase();
    SUFFIXES.contains(&suffix.as_str()) || settings.suffix.strip_prefix('.') == Some(&suffix)
}

/// The title that a file's name stands for.
pub(super) fn of_name(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(title, _)| title)
}

/// The ending of a file's name, with the dot.
pub(super) fn suffix_of(name: &str) -> &str {
    &name[of_name(name).len()..]
}

/// What can be a file's name of a title; where nothing is left, a new note's.
pub(super) fn sanitised(title: &str, is_french: bool) -> String {
    match clean(title.trim().lines().next().unwrap_or("")) {
        text if text.is_empty() => (if is_french { "Nouvelle note" } else { "New note" }).to_owned(),
        text => text,
    }
}

/// The title of a note that has none but its content's first line.
pub(super) fn of_content(content: &str, is_french: bool) -> String {
    let line = content.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("");
    sanitised(line.trim_start_matches(['#', '*', '-', ' ']), is_french)
}

/// The names of the folders that a category stands for.
pub(super) fn category(text: &str) -> Vec<String> {
    text.split('/').map(clean).filter(|name| !name.is_empty()).collect()
}

fn clean(text: &str) -> String {
    let kept: String = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !FORBIDDEN.contains(c) && !c.is_control())
        .collect();
    let words: Vec<&str> = kept.split(' ').filter(|word| !word.is_empty()).collect();
    let text = words.join(" ");
    let text = text.trim_start_matches(['.', ' ']);
    let mut short = String::new();
    for c in text.chars().take(TITLE_CHARACTERS_MAX) {
        if short.len() + c.len_utf8() > TITLE_BYTES_MAX {
            break;
        }
        short.push(c);
    }
    short.trim_end().to_owned()
}

/// A name in `folder` for a note of that title which nothing else has. `own` is the note's present place, which is free to it.
pub(super) async fn free_path(
    caller: &Caller,
    folder: &NodePath,
    title: &str,
    suffix: &str,
    own: Option<&NodePath>,
) -> Result<NodePath, Error> {
    for number in 1..=TRIES_MAX {
        let path = match number {
            1 => folder.join(&format!("{title}{suffix}"))?,
            number => folder.join(&format!("{title} ({number}){suffix}"))?,
        };
        if own == Some(&path) {
            return Ok(path);
        }
        match caller.tree.node(&path, Needs::NONE).await {
            Err(Error::NotFound) => return Ok(path),
            Ok(_) => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::Exists)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(title: &str, expected: &str) {
        assert_eq!(sanitised(title, false), expected, "{title:?}");
    }

    #[test]
    fn titles_become_names_of_files() {
        check("Shopping list", "Shopping list");
        check("a/b\\c:d*e?f\"g<h>i|j", "abcdefghij");
        check("  ..hidden", "hidden");
        check("one\ntwo", "one");
        check("\n\n one \t two\r\n", "one two");
        check("", "New note");
        check("...", "New note");
        check("Été 🌞", "Été 🌞");
        check("a\0b\u{7}", "ab");
        check(&"x".repeat(300), &"x".repeat(100));
        check(&"🌞".repeat(100), &"🌞".repeat(57));
        assert_eq!(sanitised("", true), "Nouvelle note");
        assert_eq!(of_content("\n# Title #\ntext", false), "Title #");
    }

    #[test]
    fn categories_are_folders() {
        assert_eq!(category("Work/Ideas"), ["Work", "Ideas"]);
        assert_eq!(category("//a/../.b/ c //"), ["a", "b", "c"]);
        assert!(category("").is_empty());
    }

    #[test]
    fn names_of_notes() {
        assert_eq!((of_name("a.b.md"), suffix_of("a.b.md")), ("a.b", ".md"));
        assert_eq!((of_name("a"), suffix_of("a")), ("a", ""));
    }
}
