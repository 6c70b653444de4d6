//! The database or the blob store cut off in the middle of an operation, at each message: it does not arrive, or its answer does
//! not. What was refused is as it was, or, where the answer to the commit was lost, as it was asked for; what was acknowledged is there
//! whole; nothing waits for ever, and what comes after works.

use std::time::Duration;

use nichoir_store::{BlobConfig, Blobs, Limits, S3Config};

use crate::nth_failure::{OPERATIONS, Operation, Try};
use crate::s3;
use crate::support::{World, postgres_url};
use crate::wire::{Loss, Wire};

const QUOTA_BYTES: u64 = 1_000_000_000;
/// Nothing takes as long.
const AT_MOST: Duration = Duration::from_secs(60);

/// Runs the operation, the wire cut at the `number`-th message; says whether it was.
async fn is_cut(world: &World, wire: &Wire, operation: Operation, number: u64, loss: Loss) -> bool {
    let attempt = Try { world, operation, at: format!("{operation:?}-{loss:?}-{number}") };
    attempt.prepare().await;
    let before = attempt.shown().await;
    wire.cut_at(number, loss);
    let outcome = tokio::time::timeout(AT_MOST, attempt.run()).await;
    let outcome = outcome.unwrap_or_else(|_| panic!("{operation:?} hangs, {loss:?} {number}"));
    let was_cut = wire.mend();
    // A connection that is kept may be found dead by whoever comes next.
    let is_refused = outcome.is_err();
    while is_refused && world.space.change_sequence().await.is_err() {}
    match outcome {
        Ok(()) => assert!(attempt.is_done().await, "{operation:?} was acknowledged and is not done, {loss:?} {number}"),
        Err(error) => {
            assert!(was_cut, "{operation:?}: {error}, {loss:?} {number}");
            if attempt.shown().await == before {
                let again = attempt.run().await;
                again.unwrap_or_else(|error| panic!("{operation:?} again: {error:?}, after {loss:?} {number}"));
            }
            assert!(attempt.is_done().await, "{operation:?} is half done, {loss:?} {number}");
        }
    }
    attempt.clear().await;
    was_cut
}

/// Cuts each message of each operation; says how many there were.
async fn cut_everywhere(world: &World, wire: &Wire) -> u64 {
    let mut cuts = 0;
    for operation in OPERATIONS {
        for loss in [Loss::Message, Loss::Answer] {
            let mut number = 1;
            while is_cut(world, wire, operation, number, loss).await {
                number += 1;
                cuts += 1;
                assert!(number < 200, "{operation:?} does not end");
            }
        }
    }
    cuts
}

#[tokio::test]
async fn a_database_that_is_cut_off_leaves_the_old_state_or_the_new_one() {
    let Some(url) = postgres_url() else { return eprintln!("skipped: TEST_POSTGRES is not set") };
    let address = url.split_once('@').expect("a user").1.split_once('/').expect("a database").0.to_owned();
    let (wire, own) = Wire::to(address.clone()).await;
    let through = url.replace(&address, &own.to_string());
    let world = World::start_over(Some(through), Limits::default(), QUOTA_BYTES, None).await;
    let cuts = cut_everywhere(&world, &wire).await;
    assert!(cuts > 300, "only {cuts}");
    world.finish().await;
}

#[tokio::test]
async fn a_blob_store_that_is_cut_off_leaves_the_old_state_or_the_new_one() {
    let directory = tempfile::tempdir().unwrap();
    let service = s3::start("127.0.0.1:0", directory.path(), "files").await.unwrap();
    let (wire, own) = Wire::to(service.to_string()).await;
    let config = S3Config {
        endpoint: format!("http://{own}"),
        bucket: "files".to_owned(),
        region: "garage".to_owned(),
        access_key_id: s3::ACCESS_KEY_ID.to_owned(),
        secret_access_key: s3::SECRET_ACCESS_KEY.to_owned(),
        has_path_style: true,
    };
    let blobs = Blobs::open(&BlobConfig::S3(config), Limits::default().part_bytes).unwrap();
    let world = World::start_over(None, Limits::default(), QUOTA_BYTES, Some(blobs)).await;
    let cuts = cut_everywhere(&world, &wire).await;
    assert!(cuts > 10, "only {cuts}");
    world.finish().await;
}
