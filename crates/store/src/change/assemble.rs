//! The final MOVE of a chunked upload: the chunks become the pieces of a content, metadata only, whatever their size.
//! Promise 6 of the design hangs here.

use super::keep_version::keep_version;
use super::put_file::{NewContent, check_target, put_content};
use super::site::{self, Site};
use super::{Assemble, Run, Written, unseen, upload};
use crate::error::Error;
use crate::member_quota::Growth;
use crate::node::{ContentId, FileId};
use crate::sql::Sql;
use crate::tx::{Asker, Tx, signed};

impl Run for Assemble {
    type Outcome = Written;

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<Written, Error> {
        let Some(upload) = upload::find(tx, asker, &self.upload).await? else {
            return finished_before(tx, asker, &self).await;
        };
        let counts = tx.row(SUM_CHUNKS, &[upload.into()]).await?;
        let size_bytes = counts.count(0)?;
        if let Some(announced) = self.total_bytes.filter(|announced| *announced != size_bytes) {
            return Err(Error::WrongTotal { announced, found: size_bytes });
        }
        let destination = unseen::place(tx, asker, self.destination).await?;
        let site = Site::find(tx, asker, &destination).await?;
        check_target(&site, destination.is_root(), asker.only_adds())?;
        site.check(tx, asker, &self.conditions).await?;
        match site.node() {
            Some(_) if !self.overwrites => return Err(Error::Exists),
            Some(_) => site.may_write(asker, &self.conditions)?,
            None => site.may_add(asker, &self.conditions)?,
        }

        if let Some(old) = site.node() {
            keep_version(tx, old, self.modified.unwrap_or(tx.now())).await?;
        }
        let content = adopt_chunks(tx, upload, size_bytes, counts.count(1)? > 0).await?;
        let new = NewContent {
            content,
            size_bytes,
            modified: self.modified,
            created: self.created,
            checksums: self.checksums.as_deref(),
            media_type: None,
            author: Some(asker.account.id),
        };
        // In the uploader's own home this is what its folder gains: an upload does not fail when it is put together.
        tx.grown.push(Growth::of_uploads(asker.account.id, -signed(size_bytes)));
        let written = put_content(tx, &site, new).await?;
        written.record(tx, asker, &destination);
        tx.one(DELETE_UPLOAD, &[upload.into()]).await?;
        let finished = [
            asker.account.id.into(),
            self.upload.into(),
            written.node.id.into(),
            written.is_new.into(),
            tx.now().into(),
        ];
        tx.run(REMEMBER, &finished).await?;
        Ok(written)
    }
}

/// Makes the upload's chunks one content, in numeric order of their names. Their bytes are charged already.
async fn adopt_chunks(
    tx: &mut Tx,
    upload: i64,
    size_bytes: u64,
    has_odd_names: bool,
) -> Result<Option<ContentId>, Error> {
    if has_odd_names {
        number_chunks(tx, upload).await?;
    }
    let content = ContentId(tx.fresh_id());
    if size_bytes > 0 {
        tx.one(INSERT_CONTENT, &[content.into(), size_bytes.into()]).await?;
        tx.run(ADOPT, &[upload.into(), content.into()]).await?;
    }
    tx.run(DELETE_CHUNKS, &[upload.into()]).await?;
    Ok((size_bytes > 0).then_some(content))
}

/// Chunks whose names are not all numbers are put in natural order, digits compared as numbers.
async fn number_chunks(tx: &mut Tx, upload: i64) -> Result<(), Error> {
    let rows = tx.all(CHUNK_NAMES, &[upload.into()]).await?;
    let mut names = rows.iter().map(|row| row.text(0)).collect::<Result<Vec<_>, _>>()?;
    names.sort_by(|left, right| natural_parts(left).cmp(&natural_parts(right)).then_with(|| left.cmp(right)));
    for (number, name) in (0i64..).zip(&names) {
        tx.one(NUMBER_CHUNK, &[upload.into(), name.as_str().into(), number.into()]).await?;
    }
    Ok(())
}

/// `a10b` as `["a", 10, "b"]`: runs of digits without leading zeros, by length first, compare as numbers.
fn natural_parts(name: &str) -> Vec<(bool, usize, &str)> {
    let mut parts = Vec::new();
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let is_number = first.is_ascii_digit();
        let end = rest.find(|c: char| c.is_ascii_digit() != is_number).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        let part = if is_number { part.trim_start_matches('0') } else { part };
        parts.push((!is_number, if is_number { part.len() } else { 0 }, part));
        rest = after;
    }
    parts
}

/// The upload is gone: if it became this very destination a while ago, the answer was lost and is given again.
async fn finished_before(tx: &mut Tx, asker: &Asker, again: &Assemble) -> Result<Written, Error> {
    let args = [asker.account.id.into(), again.upload.as_str().into()];
    let row = tx.maybe(FINISHED, &args).await?.ok_or(Error::NotFound)?;
    let (id, is_new) = (FileId(row.int(0)?), row.truth(1)?);
    if asker.only_adds() {
        // It may have got another name, which is not told.
        return Ok(Written { node: site::reload(tx, id).await?, is_new });
    }
    let site = Site::find(tx, asker, &again.destination).await?;
    match site.node() {
        Some(node) if node.id == id => Ok(Written { node: site::reload(tx, id).await?, is_new }),
        _ => Err(Error::NotFound),
    }
}

const SUM_CHUNKS: Sql = Sql("SELECT CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT),
            CAST(COALESCE(SUM(CASE WHEN number IS NULL THEN 1 ELSE 0 END), 0) AS BIGINT)
       FROM chunk WHERE space_id = $1 AND upload_id = $2");

const INSERT_CONTENT: Sql =
    Sql("INSERT INTO content (space_id, id, size_bytes, reference_count) VALUES ($1, $2, $3, 1)");

// Names of equal number, such as 1 and 01, keep the order in which they arrived.
const ADOPT: Sql =
    Sql("INSERT INTO piece (space_id, content_id, position, offset_bytes, size_bytes, digest, bytes, blob_key)
     SELECT $1, $3, ROW_NUMBER() OVER ordered,
            CAST(SUM(size_bytes) OVER ordered AS BIGINT) - size_bytes, size_bytes, digest, bytes, blob_key
       FROM chunk WHERE space_id = $1 AND upload_id = $2 AND size_bytes > 0
     WINDOW ordered AS (ORDER BY number, etag ROWS UNBOUNDED PRECEDING)");

const DELETE_CHUNKS: Sql = Sql("DELETE FROM chunk WHERE space_id = $1 AND upload_id = $2");

const CHUNK_NAMES: Sql = Sql("SELECT name FROM chunk WHERE space_id = $1 AND upload_id = $2");

const NUMBER_CHUNK: Sql = Sql("UPDATE chunk SET number = $4 WHERE space_id = $1 AND upload_id = $2 AND name = $3");

const DELETE_UPLOAD: Sql = Sql("DELETE FROM upload WHERE space_id = $1 AND id = $2");

const REMEMBER: Sql = Sql("INSERT INTO finished_upload (space_id, account_id, name, node_id, was_new, finished_us)
     VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (space_id, account_id, name) DO UPDATE
        SET node_id = excluded.node_id, was_new = excluded.was_new, finished_us = excluded.finished_us");

const FINISHED: Sql =
    Sql("SELECT node_id, was_new FROM finished_upload WHERE space_id = $1 AND account_id = $2 AND name = $3");

pub(super) const STATEMENTS: &[Sql] =
    &[SUM_CHUNKS, INSERT_CONTENT, ADOPT, DELETE_CHUNKS, CHUNK_NAMES, NUMBER_CHUNK, DELETE_UPLOAD, REMEMBER, FINISHED];

#[cfg(test)]
mod tests {
    use super::natural_parts;

    #[test]
    fn odd_chunk_names_sort_naturally() {
        let mut names = vec!["part10", "part2", "part1", "a", "00003", "4"];
        names.sort_by(|left, right| natural_parts(left).cmp(&natural_parts(right)));
        assert_eq!(names, ["00003", "4", "a", "part1", "part2", "part10"]);
    }
}
