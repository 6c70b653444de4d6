//! Where an account has its notes, and how new ones end: kept with the account, the same for all its apps.

use nichoir_auth::Caller;
use nichoir_store::{Error, NodePath};
use serde_json::{Value, json};

use crate::ocs::Params;

/// Under this name they are kept.
const NAME: &str = "notes.settings";
const FOLDER: &str = "Notes";
const SUFFIX: &str = ".md";
const MODE: &str = "rich";
/// Characters of an ending that a client makes up.
const SUFFIX_CHARACTERS_MAX: usize = 10;

/// What an account prefers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    /// The folder that all notes are in.
    pub(super) folder: NodePath,
    /// How the names of new notes end, with the dot.
    pub(super) suffix: String,
    /// How apps open a note; nothing to us.
    mode: String,
}

impl Settings {
    pub(super) async fn load(caller: &Caller) -> Result<Settings, Error> {
        let kept = caller.tree.account_value(NAME).await?;
        let kept: Value = kept.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        let text = |name: &str| kept[name].as_str().map(str::to_owned);
        Ok(Settings {
            folder: folder(text("notesPath").as_deref()),
            suffix: suffix(text("fileSuffix").as_deref()),
            mode: mode(text("noteMode").as_deref()),
        })
    }

    /// With what a client sets; what makes no sense becomes what it is by default.
    pub(super) fn with(&self, params: &Params) -> Settings {
        Settings {
            folder: params.text("notesPath").map_or(self.folder.clone(), |text| folder(Some(&text))),
            suffix: params.text("fileSuffix").map_or(self.suffix.clone(), |text| suffix(Some(&text))),
            mode: params.text("noteMode").map_or(self.mode.clone(), |text| mode(Some(&text))),
        }
    }

    pub(super) async fn save(&self, caller: &Caller) -> Result<(), Error> {
        caller.tree.set_account_value(NAME, self.shown().to_string().as_bytes()).await
    }

    /// As the apps read it.
    pub(super) fn shown(&self) -> Value {
        json!({ "notesPath": self.folder_text(), "fileSuffix": self.suffix, "noteMode": self.mode })
    }

    fn folder_text(&self) -> String {
        self.folder.names().join("/")
    }
}

/// The notes folder as the capabilities tell it.
///
/// # Errors
/// [`Error::Unavailable`].
pub(crate) async fn folder_of(caller: &Caller) -> Result<String, Error> {
    Ok(Settings::load(caller).await?.folder_text())
}

/// Hidden folders are passed over, and the root is everything.
fn folder(text: Option<&str>) -> NodePath {
    let path = text.and_then(|text| NodePath::parse(text.trim()).ok());
    let path = path.filter(|path| !path.is_root() && !path.names().iter().any(|name| name.starts_with('.')));
    path.unwrap_or_else(|| NodePath::root().child(FOLDER))
}

fn suffix(text: Option<&str>) -> String {
    let text = text.unwrap_or_default().trim().trim_start_matches('.').to_ascii_lowercase();
    let is_good =
        (1..=SUFFIX_CHARACTERS_MAX).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_alphanumeric());
    if is_good && text != "part" { format!(".{text}") } else { SUFFIX.to_owned() }
}

fn mode(text: Option<&str>) -> String {
    let known = text.filter(|text| ["rich", "edit", "preview"].contains(text));
    known.unwrap_or(MODE).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_sense_is_as_by_default() {
        for (text, expected) in [
            ("Notes", "/Notes"),
            ("/My notes/here/", "/My notes/here"),
            ("", "/Notes"),
            ("/", "/Notes"),
            ("a/../b", "/Notes"),
            (".hidden", "/Notes"),
            ("a/.b", "/Notes"),
        ] {
            assert_eq!(folder(Some(text)).to_string(), expected, "{text}");
        }
        for (text, expected) in
            [(".txt", ".txt"), ("md", ".md"), (".ORG", ".org"), ("", ".md"), (".a/b", ".md"), (".part", ".md")]
        {
            assert_eq!(suffix(Some(text)), expected, "{text}");
        }
        assert_eq!(
            (mode(Some("edit")).as_str(), mode(Some("x")).as_str(), mode(None).as_str()),
            ("edit", "rich", "rich")
        );
    }
}
