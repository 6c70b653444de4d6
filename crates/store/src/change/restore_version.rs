//! What a file held before comes back: it changes place with what the file holds now, metadata only, whatever its size.

use super::keep_version::keep_version;
use super::put_file::{NewContent, replace};
use super::version::{self, State};
use super::{RestoreVersion, Run, Written};
use crate::activity::ActivityKind;
use crate::error::Error;
use crate::look_up;
use crate::node::Node;
use crate::sql::Sql;
use crate::tx::{Asker, Tx, signed};

impl Run for RestoreVersion {
    type Outcome = Written;

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<Written, Error> {
        let (site, file) = version::find_file(tx, asker, self.file).await?;
        site.may_write(asker, &self.conditions)?;
        let State::Earlier(version) = version::find_state(tx, &file, self.second).await? else {
            return Ok(Written { node: site.located.found()?.clone(), is_new: false });
        };
        // First out, so that what is kept instead cannot push it out.
        tx.one(FORGET, &[version.kept.id.into()]).await?;
        if !version.kept.is_labelled {
            tx.counters.reclaimable_bytes -= signed(version.kept.size_bytes);
        }
        keep_version(tx, &file, version.modified).await?;
        let new = NewContent {
            content: Some(version.kept.content),
            size_bytes: version.kept.size_bytes,
            modified: Some(version.modified),
            created: None,
            checksums: version.checksums.as_deref(),
            media_type: file.media_type.as_deref(),
            author: version.author,
        };
        let node = replace(tx, &file, new).await?;
        tx.one(version::LABEL_PRESENT, &[file.id.into(), version.label.as_deref().into()]).await?;
        let seen = site.located.found()?;
        if let (Some(folder), Some(path)) =
            (node.parent, look_up::path_of(&mut tx.connection, asker.root, node.id).await?)
        {
            tx.record(asker, ActivityKind::Changed, (node.id, folder), &path, "");
        }
        Ok(Written { node: Node { access: seen.access.clone(), mount: seen.mount.clone(), ..node }, is_new: false })
    }
}

const FORGET: Sql = Sql("DELETE FROM version WHERE space_id = $1 AND id = $2");

pub(super) const STATEMENTS: &[Sql] = &[FORGET];
