//! Chunked uploads before their assembly: a named place per account that collects chunks, each durable when it is
//! acknowledged and counted against the pool.

use super::{AbortUpload, BeginUpload, ChunkWritten, DropChunk, PutChunk, Run};
use crate::content::{PieceBytes, Staged, StagedPiece};
use crate::error::Error;
use crate::member_quota::Growth;
use crate::permissions::Permissions;
use crate::sql::{Sql, Value};
use crate::tx::{Asker, Tx, signed};

/// The longest name of an upload or a chunk, in bytes.
const UPLOAD_NAME_BYTES_MAX: usize = 250;

impl Run for BeginUpload {
    type Outcome = ();

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<(), Error> {
        check_name(&self.upload)?;
        if let Some(access) = &asker.access {
            let writes = access.permissions & (Permissions::UPDATE | Permissions::CREATE);
            if writes.is_empty() {
                return Err(Error::Forbidden("it is for reading only"));
            }
        }
        if find(tx, asker, &self.upload).await?.is_some() {
            return Err(Error::Exists);
        }
        let limit = tx.core.limits.uploads_max;
        if tx.row(COUNT_UPLOADS, &[asker.account.id.into()]).await?.count(0)? >= limit {
            return Err(Error::TooLarge { limit });
        }
        check_total(tx, self.total_bytes, 0)?;
        tx.run(FORGET_FINISHED, &[asker.account.id.into(), self.upload.as_str().into()]).await?;
        let args = [tx.fresh_id().into(), asker.account.id.into(), self.upload.into(), tx.now().into()];
        tx.one(INSERT_UPLOAD, &args).await
    }
}

impl Run for PutChunk {
    type Outcome = ChunkWritten;

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<ChunkWritten, Error> {
        check_name(&self.chunk)?;
        let upload = find(tx, asker, &self.upload).await?.ok_or(Error::NotFound)?;
        let counts = tx.row(COUNT_CHUNKS, &[upload.into()]).await?;
        check_total(tx, self.total_bytes, counts.count(1)?)?;
        let dropped_bytes = drop_chunk(tx, upload, &self.chunk).await?;
        let is_new = dropped_bytes.is_none();
        let limit = tx.core.limits.upload_chunks_max;
        if is_new && counts.count(0)? >= limit {
            return Err(Error::TooLarge { limit });
        }
        tx.charge(self.content.size_bytes).await?;
        let growth = signed(self.content.size_bytes) - signed(dropped_bytes.unwrap_or(0));
        tx.grown.push(Growth::of_uploads(asker.account.id, growth));
        insert_chunk(tx, upload, &self.chunk, &self.content).await?;
        tx.one(TOUCH_UPLOAD, &[upload.into(), tx.now().into()]).await?;
        Ok(ChunkWritten { etag: tx.etag(), is_new })
    }
}

async fn insert_chunk(tx: &mut Tx, upload: i64, name: &str, content: &Staged) -> Result<(), Error> {
    let empty = StagedPiece {
        size_bytes: 0,
        digest: *blake3::hash(b"").as_bytes(),
        bytes: PieceBytes::Inline(bytes::Bytes::new()),
    };
    let piece = match &content.pieces[..] {
        [] => &empty,
        [piece] => piece,
        _ => return Err(Error::Invalid("a chunk is staged in one piece".to_owned())),
    };
    let (bytes, key): (Option<&[u8]>, Option<&str>) = match &piece.bytes {
        PieceBytes::Inline(bytes) => (Some(bytes), None),
        PieceBytes::Blob(key) => (None, Some(key)),
    };
    if let Some(key) = key {
        tx.consume_intent(key).await?;
    }
    let args: [Value; 9] = [
        upload.into(),
        name.into(),
        number_of(name).into(),
        tx.etag().into(),
        tx.now().into(),
        piece.size_bytes.into(),
        piece.digest.as_slice().into(),
        bytes.into(),
        key.into(),
    ];
    tx.one(INSERT_CHUNK, &args).await
}

impl Run for DropChunk {
    type Outcome = ();

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<(), Error> {
        let upload = find(tx, asker, &self.upload).await?.ok_or(Error::NotFound)?;
        drop_chunk(tx, upload, &self.chunk).await?.map(drop).ok_or(Error::NotFound)
    }
}

impl Run for AbortUpload {
    type Outcome = ();

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<(), Error> {
        let upload = find(tx, asker, &self.upload).await?.ok_or(Error::NotFound)?;
        abort(tx, upload).await
    }
}

/// Removes an upload with its chunks and gives their bytes back to the pool.
pub(crate) async fn abort(tx: &mut Tx, upload: i64) -> Result<(), Error> {
    let bytes = tx.row(COUNT_CHUNKS, &[upload.into()]).await?.count(1)?;
    let due = tx.now().plus_seconds(tx.core.limits.collect_after_seconds);
    tx.run(DISCARD_CHUNKS, &[upload.into(), due.into()]).await?;
    tx.run(DELETE_CHUNKS, &[upload.into()]).await?;
    tx.one(DELETE_UPLOAD, &[upload.into()]).await?;
    tx.refund(bytes);
    Ok(())
}

/// Removes a chunk if it is there; says how many bytes it had.
async fn drop_chunk(tx: &mut Tx, upload: i64, name: &str) -> Result<Option<u64>, Error> {
    let Some(row) = tx.maybe(DELETE_CHUNK, &[upload.into(), name.into()]).await? else { return Ok(None) };
    let size_bytes = row.count(0)?;
    tx.refund(size_bytes);
    if let Some(key) = row.maybe_text(1)? {
        tx.discard_blob(&key).await?;
    }
    Ok(Some(size_bytes))
}

/// The number of the asker's upload of that name.
pub(super) async fn find(tx: &mut Tx, asker: &Asker, name: &str) -> Result<Option<i64>, Error> {
    let row = tx.maybe(FIND_UPLOAD, &[asker.account.id.into(), name.into()]).await?;
    row.map(|row| row.int(0)).transpose()
}

/// Refuses early what cannot fit: the rest of the announced total against what is free.
fn check_total(tx: &Tx, total_bytes: Option<u64>, arrived_bytes: u64) -> Result<(), Error> {
    let available_bytes = tx.available_bytes();
    match total_bytes {
        Some(total) if total.saturating_sub(arrived_bytes) > available_bytes => {
            Err(Error::OverQuota { available_bytes })
        }
        _ => Ok(()),
    }
}

fn check_name(name: &str) -> Result<(), Error> {
    if name.is_empty() || name.len() > UPLOAD_NAME_BYTES_MAX || name.chars().any(|c| c == '/' || c.is_control()) {
        return Err(Error::BadName(format!("an upload's or chunk's name has 1 to {UPLOAD_NAME_BYTES_MAX} bytes")));
    }
    Ok(())
}

/// The place of a chunk among its likes: clients name chunks by number, with or without leading zeros.
fn number_of(name: &str) -> Option<i64> {
    name.bytes().all(|byte| byte.is_ascii_digit()).then(|| name.parse().ok()).flatten()
}

const FIND_UPLOAD: Sql = Sql("SELECT id FROM upload WHERE space_id = $1 AND account_id = $2 AND name = $3");

const COUNT_UPLOADS: Sql = Sql("SELECT COUNT(*) FROM upload WHERE space_id = $1 AND account_id = $2");

const INSERT_UPLOAD: Sql =
    Sql("INSERT INTO upload (space_id, id, account_id, name, touched_us) VALUES ($1, $2, $3, $4, $5)");

const FORGET_FINISHED: Sql = Sql("DELETE FROM finished_upload WHERE space_id = $1 AND account_id = $2 AND name = $3");

const TOUCH_UPLOAD: Sql = Sql("UPDATE upload SET touched_us = $3 WHERE space_id = $1 AND id = $2");

const COUNT_CHUNKS: Sql = Sql(
    "SELECT COUNT(*), CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT) FROM chunk WHERE space_id = $1 AND upload_id = $2",
);

const INSERT_CHUNK: Sql =
    Sql("INSERT INTO chunk (space_id, upload_id, name, number, etag, modified_us, size_bytes, digest, bytes, blob_key)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)");

const DELETE_CHUNK: Sql =
    Sql("DELETE FROM chunk WHERE space_id = $1 AND upload_id = $2 AND name = $3 RETURNING size_bytes, blob_key");

const DISCARD_CHUNKS: Sql = Sql("INSERT INTO intent (space_id, blob_key, collect_after_us, is_collecting)
     SELECT space_id, blob_key, $3, 0 FROM chunk WHERE space_id = $1 AND upload_id = $2 AND blob_key IS NOT NULL");

const DELETE_CHUNKS: Sql = Sql("DELETE FROM chunk WHERE space_id = $1 AND upload_id = $2");

const DELETE_UPLOAD: Sql = Sql("DELETE FROM upload WHERE space_id = $1 AND id = $2");

pub(super) const STATEMENTS: &[Sql] = &[
    FIND_UPLOAD,
    COUNT_UPLOADS,
    INSERT_UPLOAD,
    FORGET_FINISHED,
    TOUCH_UPLOAD,
    COUNT_CHUNKS,
    INSERT_CHUNK,
    DELETE_CHUNK,
    DISCARD_CHUNKS,
    DELETE_CHUNKS,
    DELETE_UPLOAD,
];

#[cfg(test)]
mod tests {
    use super::number_of;

    #[test]
    fn chunk_names_of_all_client_generations_are_numbers() {
        for (name, expected) in [
            ("0000000000000010", Some(10)),
            ("00002", Some(2)),
            ("1", Some(1)),
            ("10", Some(10)),
            ("", None),
            ("a1", None),
            ("-1", None),
        ] {
            assert_eq!(number_of(name).filter(|_| !name.is_empty()), expected, "{name}");
        }
    }
}
