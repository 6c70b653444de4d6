//! Handing in under a name: `X-NC-Nickname` puts what comes into a folder of that name. Sheet `nextcloud-files-dav` §13.3.

use http::HeaderMap;
use nichoir_dav::header::single;
use nichoir_dav::{Error, href};
use nichoir_store::{Link, NodePath};

use super::asks_nickname;
use crate::names;

/// The folder of whoever hands in, if they say who they are.
pub(super) fn of_headers(headers: &HeaderMap) -> Result<Option<String>, Error> {
    let Some(text) = single(headers, "x-nc-nickname")? else { return Ok(None) };
    // Written as in a URL, because headers are ASCII.
    let text = href::decode(text).map_err(|_| malformed())?;
    check(&text).map(Some)
}

/// A nickname as the name of a folder.
pub(super) fn check(text: &str) -> Result<String, Error> {
    let nickname = text.trim();
    if nickname.is_empty() || nickname.starts_with('.') || names::check(nickname).is_err() {
        return Err(malformed());
    }
    // What the store does not take as a name either.
    NodePath::of([nickname]).map_err(|_| malformed())?;
    Ok(nickname.to_owned())
}

fn malformed() -> Error {
    Error::bad_request("The nickname cannot be the name of a folder.")
}

/// Where what is handed in under `path` goes.
pub(super) fn place(link: &Link, nickname: Option<&str>, path: &NodePath) -> Result<NodePath, Error> {
    match nickname {
        Some(nickname) => {
            let names = std::iter::once(nickname).chain(path.names().iter().map(String::as_str));
            Ok(NodePath::of(names)?)
        }
        None if asks_nickname(link) => Err(Error::bad_request("A nickname header is required for file requests.")),
        None if path.names().len() > 1 => Err(Error::bad_request("A nickname header is required to hand in folders.")),
        None => Ok(path.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn nicknames_are_names_of_folders() {
        for (text, expected) in [
            ("Joe", Some("Joe")),
            (" Zoé D'Arc ", Some("Zoé D'Arc")),
            ("", None),
            (" ", None),
            (".joe", None),
            ("..", None),
            ("a/b", None),
            ("a\\b", None),
            ("a\nb", None),
        ] {
            assert_eq!(check(text).ok().as_deref(), expected, "{text:?}");
        }
    }
}
