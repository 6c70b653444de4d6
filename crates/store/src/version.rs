//! What a file held before: its versions, and the present state among them.

use crate::error::Error;
use crate::node::{ContentId, Etag, FileId, Needs, Node};
use crate::path::NodePath;
use crate::permissions::Permissions;
use crate::ports::Timestamp;
use crate::sql::Sql;
use crate::tree::Tree;

/// The longest label, in bytes of UTF-8.
pub const LABEL_BYTES_MAX: usize = 1024;

/// A state of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// What it is called: the second of its modification time, or where two states have the same, one after it.
    pub second: i64,
    /// Bytes of content.
    pub size_bytes: u64,
    /// Of this state alone.
    pub etag: Etag,
    /// The login of whoever wrote it, as long as there is such an account.
    pub author: Option<String>,
    /// What members call it; while it is called something, it does not expire.
    pub label: Option<String>,
    /// Whether it is what the file holds now.
    pub is_current: bool,
    content: Option<ContentId>,
    checksums: Option<String>,
}

/// A file with its states.
#[derive(Clone, Debug)]
pub struct FileVersions {
    /// Where the caller sees it.
    pub path: NodePath,
    /// The file as it is now.
    pub file: Node,
    /// Its states, the present one first, then the others, the newest first.
    pub versions: Vec<Version>,
}

impl FileVersions {
    /// The state of that name.
    pub fn version(&self, second: i64) -> Option<&Version> {
        self.versions.iter().find(|version| version.second == second)
    }

    /// The file as it was then, to be opened.
    pub fn file_at(&self, version: &Version) -> Node {
        if version.is_current {
            return self.file.clone();
        }
        Node {
            content: version.content,
            size_bytes: version.size_bytes,
            modified: Timestamp::from_seconds(version.second),
            etag: version.etag,
            checksums: version.checksums.clone(),
            ..self.file.clone()
        }
    }
}

impl Tree {
    /// The states of the file with that number, of which there are at most
    /// [`versions_max`](crate::Limits::versions_max) and the present one.
    ///
    /// # Errors
    /// [`Error::NotFound`] for what the account cannot see or read, and for a folder.
    pub async fn versions(&self, id: FileId) -> Result<FileVersions, Error> {
        let (path, file) = self.node_by_id(id, Needs::NONE).await?;
        if file.is_folder() || !file.permissions().includes(Permissions::READ) {
            return Err(Error::NotFound);
        }
        let mut reader = self.reader().await?;
        let present = reader.row(PRESENT, &[id.into()]).await?;
        let mut versions = vec![Version {
            second: file.modified.seconds(),
            size_bytes: file.size_bytes,
            etag: file.etag,
            author: present.maybe_text(0)?,
            label: present.maybe_text(1)?,
            is_current: true,
            content: file.content,
            checksums: file.checksums.clone(),
        }];
        for row in reader.all(VERSIONS, &[id.into()]).await? {
            let content = ContentId(row.int(2)?);
            versions.push(Version {
                second: row.int(0)?,
                size_bytes: row.count(1)?,
                // No two states of a file share a content unless they are the same.
                etag: Etag(content.0),
                author: row.maybe_text(3)?,
                label: row.maybe_text(4)?,
                is_current: false,
                content: Some(content),
                checksums: row.maybe_text(5)?,
            });
        }
        Ok(FileVersions { path, file, versions })
    }
}

const PRESENT: Sql = Sql("SELECT account.login, node.version_label FROM node
       LEFT JOIN account ON account.space_id = $1 AND account.id = node.author_id
      WHERE node.space_id = $1 AND node.id = $2");

const VERSIONS: Sql = Sql(
    "SELECT version.named_seconds, version.size_bytes, version.content_id, account.login, version.label, version.checksums
       FROM version
       LEFT JOIN account ON account.space_id = $1 AND account.id = version.author_id
      WHERE version.space_id = $1 AND version.node_id = $2 ORDER BY version.id DESC",
);

pub(crate) const STATEMENTS: &[Sql] = &[PRESENT, VERSIONS];
