//! A note: a file of the notes folder, as the apps see it.

use nichoir_store::{Error as StoreError, FileId, Needs, Node, NodePath, Permissions};
use serde_json::{Map, Value, json};

use super::settings::Settings;
use super::{Call, NotesLimits, Refusal, title};

/// What has to be loaded with a file for [`Note::shown`].
pub(super) const NEEDS: Needs = Needs::FAVOURITE;

/// A note.
#[derive(Clone, Debug)]
pub(super) struct Note {
    /// The file.
    pub(super) node: Node,
    /// Its path.
    pub(super) path: NodePath,
    /// The folders between it and the notes folder, with slashes.
    pub(super) category: String,
}

impl Note {
    /// The file at `path`, if that is a note.
    pub(super) fn of(node: Node, path: NodePath, settings: &Settings) -> Option<Note> {
        let depth = settings.folder.names().len();
        let below = path.names().get(depth..).filter(|_| settings.folder.contains(&path))?;
        let (name, folders) = below.split_last()?;
        let is_hidden = folders.iter().any(|folder| folder.starts_with('.'));
        if node.is_folder() || is_hidden || !title::is_note(name, settings) {
            return None;
        }
        Some(Note { category: folders.join("/"), node, path })
    }

    /// The note of that number.
    pub(super) async fn find(call: &Call<'_>, id: i64) -> Result<Note, Refusal> {
        let (path, node) = call.caller.tree.node_by_id(FileId(id), NEEDS).await?;
        Ok(Note::of(node, path, &call.settings).ok_or(StoreError::NotFound)?)
    }

    /// Loads its content, if that is not too much.
    pub(super) async fn load(&mut self, call: &Call<'_>) -> Result<(), Refusal> {
        if self.is_too_large(call.limits) {
            return Ok(());
        }
        match call.caller.tree.load_body(&mut self.node).await? {
            true => Ok(()),
            false => Err(StoreError::NotFound.into()),
        }
    }

    pub(super) fn title(&self) -> &str {
        title::of_name(self.path.name().unwrap_or(""))
    }

    pub(super) fn is_too_large(&self, limits: &NotesLimits) -> bool {
        self.node.size_bytes > limits.note_bytes_max as u64
    }

    pub(super) fn is_readonly(&self, limits: &NotesLimits) -> bool {
        self.is_too_large(limits) || !self.node.permissions().includes(Permissions::UPDATE)
    }

    /// Moves with everything that apps are told of it. The content is in the etag of the file.
    pub(super) fn hash(&self) -> [u8; 16] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.node.id.0.to_le_bytes());
        hasher.update(&self.node.etag.0.to_le_bytes());
        hasher.update(&self.node.modified.seconds().to_le_bytes());
        let is_writable = self.node.permissions().includes(Permissions::UPDATE);
        hasher.update(&[u8::from(self.node.is_favourite), u8::from(is_writable)]);
        hasher.update(self.path.to_string().as_bytes());
        let mut hash = [0; 16];
        hasher.finalize_xof().fill(&mut hash);
        hash
    }

    pub(super) fn etag(&self) -> String {
        format!("{:032x}", u128::from_be_bytes(self.hash()))
    }

    /// The content as text, once it is loaded.
    pub(super) fn content(&self) -> String {
        self.node.body.as_deref().map(text_of).unwrap_or_default()
    }

    /// As the apps read it, without what they do not want.
    pub(super) fn shown(&self, excluded: &[String], limits: &NotesLimits) -> Value {
        let is_wanted = |name: &str| !excluded.iter().any(|it| it == name);
        let is_too_large = self.is_too_large(limits);
        let mut shown = Map::new();
        let mut tell = |name: &str, value: Value| {
            if is_wanted(name) || name == "id" {
                shown.insert(name.to_owned(), value);
            }
        };
        tell("id", json!(self.node.id.0));
        tell("etag", json!(self.etag()));
        tell("readonly", json!(self.is_readonly(limits)));
        tell("modified", json!(self.node.modified.seconds()));
        tell("title", json!(self.title()));
        tell("category", json!(self.category));
        tell("content", json!(self.content()));
        tell("favorite", json!(self.node.is_favourite));
        tell("internalPath", json!(self.path.to_string()));
        tell("error", json!(is_too_large));
        tell("errorType", json!(if is_too_large { "NoteTooLarge" } else { "" }));
        Value::Object(shown)
    }
}

/// The bytes of a file as text: without a byte-order mark; what is not UTF-8 is read byte by byte, so that nothing of it is lost.
pub(super) fn text_of(bytes: &[u8]) -> String {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_text_without_loss() {
        assert_eq!(text_of(b"\xef\xbb\xbfa\xc3\xa9"), "aé");
        assert_eq!(text_of(b"caf\xe9"), "café");
        assert_eq!(text_of(b""), "");
    }
}
