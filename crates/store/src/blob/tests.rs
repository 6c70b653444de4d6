//! Blobs in memory, on a local disk and on S3: what is written comes back, and what failed is not there.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::memory::InMemory;

use super::Blobs;
use crate::error::Error;
use crate::fault::{Damage, FaultyBlobs};
use crate::store::{BlobConfig, S3Config};

#[path = "../../tests/support/s3.rs"]
mod s3;

const S3_PART_BYTES: usize = 5 * 1024 * 1024;

fn pattern(size: usize) -> Vec<u8> {
    (0..size).map(|place| (place * 31 % 251) as u8).collect()
}

async fn write(blobs: &Blobs, key: &str, bytes: &[u8]) -> Result<(), Error> {
    let mut writer = blobs.write(key);
    for run in bytes.chunks(60_000) {
        writer.push(Bytes::copy_from_slice(run), None).await?;
    }
    writer.finish().await
}

async fn read(blobs: &Blobs, key: &str, range: std::ops::Range<u64>) -> Result<Vec<u8>, Error> {
    let runs: Vec<Bytes> = blobs.read(key, range).try_collect().await?;
    Ok(runs.concat())
}

async fn keys(blobs: &Blobs, prefix: &str) -> Vec<(String, u64)> {
    let mut found: Vec<_> = blobs.list(prefix).try_collect().await.unwrap();
    found.sort();
    found
}

/// Sizes on both sides of every boundary; `part_bytes` is the store's.
async fn check(blobs: &Blobs, part_bytes: usize) {
    let mut expected = Vec::new();
    for size in [0, 1, 16 * 1024 + 1, part_bytes - 1, part_bytes, part_bytes + 1, 3 * part_bytes + 1] {
        let (key, bytes) = (format!("spaces/one/{size:08}"), pattern(size));
        assert_eq!(blobs.size(&key).await.unwrap(), None, "{size}");
        write(blobs, &key, &bytes).await.unwrap();
        assert_eq!(blobs.size(&key).await.unwrap(), Some(size as u64));
        assert!(read(blobs, &key, 0..size as u64).await.unwrap() == bytes, "{size}");
        assert_eq!(blobs.digest(&key, None).await.unwrap(), *blake3::hash(&bytes).as_bytes(), "{size}");
        let middle = size / 3..size - size / 5;
        let found = read(blobs, &key, middle.start as u64..middle.end as u64).await.unwrap();
        assert!(found == bytes[middle.clone()], "{middle:?} of {size}");
        // A row that promises more than there is: an error, never fewer bytes.
        assert!(read(blobs, &key, 0..size as u64 + 1).await.is_err(), "{size}");
        expected.push((key, size as u64));
    }
    write(blobs, "spaces/two/other", b"other").await.unwrap();
    assert_eq!(keys(blobs, "spaces/one").await, expected);

    for (key, _) in &expected {
        blobs.delete(key).await.unwrap();
        blobs.delete(key).await.unwrap();
        assert!(matches!(blobs.digest(key, None).await, Err(Error::NotFound)), "{key}");
        assert!(read(blobs, key, 0..1).await.is_err(), "{key}");
    }
    assert_eq!(keys(blobs, "spaces").await, [("spaces/two/other".to_owned(), 5)]);
    blobs.probe("probe/one").await.unwrap();
    assert_eq!(keys(blobs, "probe").await, []);
}

#[tokio::test]
async fn what_was_written_comes_back_from_memory() {
    check(&Blobs::open(&BlobConfig::Memory, 100_000).unwrap(), 100_000).await;
}

#[tokio::test]
async fn what_was_written_comes_back_from_a_local_disk() {
    let directory = tempfile::tempdir().unwrap();
    let config = BlobConfig::Local { directory: directory.path().join("deep/blobs") };
    check(&Blobs::open(&config, S3_PART_BYTES).unwrap(), super::LOCAL_PART_BYTES).await;
}

#[tokio::test]
async fn what_the_disk_begins_with_while_it_is_written_comes_back_whole() {
    let directory = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(&BlobConfig::Local { directory: directory.path().to_owned() }, S3_PART_BYTES).unwrap();
    let bytes = pattern(5 * super::WRITE_BEHIND_BYTES as usize + 7);
    write(&blobs, "spaces/one/a", &bytes).await.unwrap();
    assert!(read(&blobs, "spaces/one/a", 0..bytes.len() as u64).await.unwrap() == bytes);
}

#[tokio::test]
async fn a_file_that_vanishes_while_it_is_written_fails_the_write() {
    let directory = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(&BlobConfig::Local { directory: directory.path().to_owned() }, S3_PART_BYTES).unwrap();
    let mut writer = blobs.write("spaces/one/a");
    writer.push(Bytes::from(pattern(super::LOCAL_PART_BYTES)), None).await.unwrap();
    std::fs::remove_file(directory.path().join("spaces/one/a#1")).unwrap();
    for run in pattern(5 * super::WRITE_BEHIND_BYTES as usize).chunks(super::LOCAL_PART_BYTES) {
        writer.push(Bytes::copy_from_slice(run), None).await.unwrap();
    }
    let written = writer.finish().await;
    assert!(matches!(written, Err(Error::Unavailable(_))), "{written:?}");
}

async fn start_s3(root: &std::path::Path) -> BlobConfig {
    let address = s3::start("127.0.0.1:0", root, "files").await.unwrap();
    BlobConfig::S3(S3Config {
        endpoint: format!("http://{address}"),
        bucket: "files".to_owned(),
        region: "garage".to_owned(),
        access_key_id: s3::ACCESS_KEY_ID.to_owned(),
        secret_access_key: s3::SECRET_ACCESS_KEY.to_owned(),
        has_path_style: true,
    })
}

#[tokio::test]
async fn what_was_written_comes_back_from_s3() {
    let directory = tempfile::tempdir().unwrap();
    let config = start_s3(directory.path()).await;
    check(&Blobs::open(&config, S3_PART_BYTES).unwrap(), S3_PART_BYTES).await;
}

#[tokio::test]
async fn s3_with_the_wrong_secret_is_unavailable() {
    let directory = tempfile::tempdir().unwrap();
    let BlobConfig::S3(config) = start_s3(directory.path()).await else { panic!("S3 was asked for") };
    let config = BlobConfig::S3(S3Config { secret_access_key: "wrong".to_owned(), ..config });
    let blobs = Blobs::open(&config, S3_PART_BYTES).unwrap();
    assert!(matches!(write(&blobs, "spaces/one/a", b"bytes").await, Err(Error::Unavailable(_))));
    assert!(matches!(blobs.probe("probe/one").await, Err(Error::Unavailable(_))));
}

#[tokio::test]
async fn aborted_or_dropped_writes_leave_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(&BlobConfig::Local { directory: directory.path().to_owned() }, S3_PART_BYTES).unwrap();
    let files = || std::fs::read_dir(directory.path().join("spaces/one")).unwrap().count();
    for is_aborted in [true, false] {
        let mut writer = blobs.write("spaces/one/a");
        writer.push(Bytes::from(pattern(2 * super::LOCAL_PART_BYTES + 7)), None).await.unwrap();
        assert_eq!(files(), 1, "the staged file");
        assert_eq!(blobs.size("spaces/one/a").await.unwrap(), None, "not visible before it is finished");
        if is_aborted {
            writer.abort().await
        } else {
            drop(writer)
        }
        for _ in 0..200 {
            if files() > 0 {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        }
        assert_eq!(files(), 0, "is_aborted: {is_aborted}");
    }
}

#[tokio::test]
async fn what_a_crash_left_of_a_write_is_removed_with_its_key() {
    let directory = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(&BlobConfig::Local { directory: directory.path().to_owned() }, S3_PART_BYTES).unwrap();
    std::fs::create_dir_all(directory.path().join("spaces/one")).unwrap();
    std::fs::write(directory.path().join("spaces/one/a#1"), b"half").unwrap();
    assert_eq!(keys(&blobs, "spaces").await, [], "half a blob is not listed");
    blobs.delete("spaces/one/a").await.unwrap();
    assert!(!directory.path().join("spaces/one/a#1").exists());
}

/// Each call of a write in turn goes wrong, in each way, once or for good.
#[tokio::test]
async fn a_write_of_which_any_call_failed_is_an_error() {
    let part_bytes = 100_000;
    for size in [10usize, 3 * 100_000 + 1] {
        for damage in [Damage::Refuse, Damage::Tear, Damage::LoseAnswer] {
            for is_lasting in [false, true] {
                for number in 1.. {
                    let faulty = Arc::new(FaultyBlobs::over(Arc::new(InMemory::new())));
                    let blobs = Blobs::from_object_store(Arc::clone(&faulty) as _, part_bytes);
                    faulty.arm(number, damage, is_lasting);
                    let written = write(&blobs, "key", &pattern(size)).await;
                    let is_hit = faulty.seen() >= number;
                    faulty.disarm();
                    assert_eq!(written.is_err(), is_hit, "{damage:?} of call {number}, {size} bytes");
                    if damage == Damage::Refuse && is_hit {
                        assert_eq!(blobs.size("key").await.unwrap(), None, "call {number} of {size} bytes");
                    }
                    if !is_hit {
                        assert!(read(&blobs, "key", 0..size as u64).await.unwrap() == pattern(size));
                        assert!(number > if size > part_bytes { 6 } else { 1 }, "every call had its turn");
                        break;
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn a_torn_read_ends_in_an_error_and_never_short() {
    let faulty = Arc::new(FaultyBlobs::over(Arc::new(InMemory::new())));
    let blobs = Blobs::from_object_store(Arc::clone(&faulty) as _, 100_000);
    let bytes = pattern(250_000);
    write(&blobs, "key", &bytes).await.unwrap();
    for damage in [Damage::Refuse, Damage::Tear, Damage::LoseAnswer] {
        faulty.arm(1, damage, false);
        let runs: Vec<_> = blobs.read("key", 0..250_000).collect().await;
        assert!(runs.last().is_some_and(Result::is_err), "{damage:?}");
        let arrived: Vec<u8> = runs.into_iter().flatten().flatten().collect();
        assert_eq!(arrived.len(), if damage == Damage::Tear { 125_000 } else { 0 });
        assert!(bytes.starts_with(&arrived));
    }
}
