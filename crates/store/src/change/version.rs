//! Versions of a file: how a change finds one, and what members do with one that stays where it is.

use super::site::{self, Site};
use super::{DropVersion, LabelVersion, Run};
use crate::error::Error;
use crate::look_up;
use crate::node::{AccountId, ContentId, FileId, Node};
use crate::permissions::Permissions;
use crate::ports::Timestamp;
use crate::retention::{self, Kept};
use crate::sql::Sql;
use crate::tx::{Asker, Tx, signed};
use crate::version::LABEL_BYTES_MAX;

/// A state of a file, found by its name.
pub(super) enum State {
    /// What it holds now.
    Present,
    /// What it held before.
    Earlier(Earlier),
}

/// What a file held before.
pub(super) struct Earlier {
    pub(super) kept: Kept,
    pub(super) modified: Timestamp,
    pub(super) checksums: Option<String>,
    pub(super) author: Option<AccountId>,
    pub(super) label: Option<String>,
}

impl Run for LabelVersion {
    type Outcome = ();

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<(), Error> {
        let (site, file) = find_file(tx, asker, self.file).await?;
        site.may_write(asker, &self.conditions)?;
        let label = self.label.as_deref().filter(|label| !label.is_empty());
        if label.is_some_and(|label| label.len() > LABEL_BYTES_MAX) {
            return Err(Error::TooLarge { limit: LABEL_BYTES_MAX as u64 });
        }
        let State::Earlier(version) = find_state(tx, &file, self.second).await? else {
            return tx.one(LABEL_PRESENT, &[file.id.into(), label.into()]).await;
        };
        // What has a label counts as files do, and gives way to nothing.
        let size_bytes = signed(version.kept.size_bytes);
        match (version.kept.is_labelled, label.is_some()) {
            (false, true) => tx.counters.reclaimable_bytes -= size_bytes,
            (true, false) => tx.counters.reclaimable_bytes += size_bytes,
            _ => {}
        }
        tx.one(LABEL, &[version.kept.id.into(), label.into()]).await
    }
}

impl Run for DropVersion {
    type Outcome = ();

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<(), Error> {
        let (site, file) = find_file(tx, asker, self.file).await?;
        site.may_write(asker, &self.conditions)?;
        if !site.located.found()?.permissions().includes(Permissions::DELETE) {
            return Err(Error::Forbidden("not shared for deleting"));
        }
        match find_state(tx, &file, self.second).await? {
            // The file stays: only what is noted of its state goes.
            State::Present => tx.one(LABEL_PRESENT, &[file.id.into(), None::<&str>.into()]).await,
            State::Earlier(version) => retention::drop_version(tx, &version.kept).await,
        }
    }
}

/// The file with that number as it is in its owner's tree, and the place where the asker sees it.
pub(super) async fn find_file(tx: &mut Tx, asker: &Asker, id: FileId) -> Result<(Site, Node), Error> {
    let path = look_up::path_of(&mut tx.connection, asker.root, id).await?.ok_or(Error::NotFound)?;
    let site = Site::find(tx, asker, &path).await?;
    let seen = site.located.found()?;
    if seen.id != id || seen.is_folder() {
        return Err(Error::NotFound);
    }
    let file = site::reload(tx, id).await?;
    Ok((site, file))
}

/// The state of `file` of that name.
pub(super) async fn find_state(tx: &mut Tx, file: &Node, second: i64) -> Result<State, Error> {
    if file.modified.seconds() == second {
        return Ok(State::Present);
    }
    let row = tx.maybe(BY_NAME, &[file.id.into(), second.into()]).await?.ok_or(Error::NotFound)?;
    let label = row.maybe_text(6)?;
    let kept = Kept {
        id: row.int(0)?,
        content: ContentId(row.int(1)?),
        size_bytes: row.count(2)?,
        is_labelled: label.is_some(),
    };
    Ok(State::Earlier(Earlier {
        kept,
        modified: Timestamp(row.int(3)?),
        checksums: row.maybe_text(4)?,
        author: row.maybe_int(5)?.map(AccountId),
        label,
    }))
}

const BY_NAME: Sql = Sql("SELECT id, content_id, size_bytes, modified_us, checksums, author_id, label
       FROM version WHERE space_id = $1 AND node_id = $2 AND named_seconds = $3 ORDER BY id DESC LIMIT 1");

const LABEL: Sql = Sql("UPDATE version SET label = $3 WHERE space_id = $1 AND id = $2");

pub(super) const LABEL_PRESENT: Sql = Sql("UPDATE node SET version_label = $3 WHERE space_id = $1 AND id = $2");

pub(super) const STATEMENTS: &[Sql] = &[BY_NAME, LABEL, LABEL_PRESENT];
