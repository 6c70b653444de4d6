//! Chunked uploads: promise 6.

use nichoir_store::Error;
use nichoir_store::change::{AbortUpload, Assemble, BeginUpload, DropChunk, PutChunk};
use nichoir_store::conditions::{Conditions, EtagSet};

use crate::support::{names, node, on_every_engine, on_every_engine_with, path, put, read, stage};

fn begin() -> BeginUpload {
    BeginUpload { upload: "up".to_owned(), total_bytes: None }
}

async fn chunk(tree: &nichoir_store::Tree, name: &str, bytes: &[u8]) -> Result<bool, Error> {
    let content = stage(tree, bytes).await?;
    let change = PutChunk { upload: "up".to_owned(), chunk: name.to_owned(), content, total_bytes: None };
    tree.apply(change).await.map(|written| written.is_new)
}

fn assemble(to: &str) -> Assemble {
    Assemble {
        upload: "up".to_owned(),
        destination: path(to),
        total_bytes: None,
        overwrites: true,
        modified: None,
        created: None,
        checksums: None,
        expected: None,
        conditions: Conditions::default(),
    }
}

#[tokio::test]
async fn chunks_become_a_file_in_numeric_order_of_their_names() {
    on_every_engine(async |world| {
        let alice = &world.alice;
        alice.apply(begin()).await.unwrap();
        // Small and large, out of order, one of them twice.
        chunk(alice, "10", b"end").await.unwrap();
        chunk(alice, "2", &[2; 70_000]).await.unwrap();
        assert!(chunk(alice, "00001", b"wrong").await.unwrap());
        assert!(!chunk(alice, "00001", b"begin").await.unwrap());
        let listed = alice.upload("up").await.unwrap();
        let listed: Vec<&str> = listed.chunks.iter().map(|chunk| chunk.name.as_str()).collect();
        assert_eq!(listed, ["00001", "2", "10"]);

        let written = alice.apply(assemble("file")).await.unwrap();

        let expected = [b"begin".as_slice(), &[2; 70_000], b"end"].concat();
        assert!(written.is_new && written.node.size_bytes == expected.len() as u64);
        assert!(read(alice, "file").await.unwrap() == expected);
        assert!(matches!(alice.upload("up").await, Err(Error::NotFound)));
        assert_eq!(alice.quota().await.unwrap().used_bytes, expected.len() as u64);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_repeated_final_move_answers_the_same_again() {
    on_every_engine(async |world| {
        world.alice.apply(begin()).await.unwrap();
        chunk(&world.alice, "1", b"content").await.unwrap();
        let first = world.alice.apply(assemble("file")).await.unwrap();
        let before = world.space.change_sequence().await.unwrap();
        let again = world.alice.apply(assemble("file")).await.unwrap();
        assert_eq!((first.node.id, first.node.etag, first.is_new), (again.node.id, again.node.etag, again.is_new));
        assert!(before <= world.space.change_sequence().await.unwrap());
        assert!(matches!(world.alice.apply(assemble("elsewhere")).await, Err(Error::NotFound)));
        assert!(matches!(world.bob.apply(assemble("file")).await, Err(Error::NotFound)));
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn assembling_over_a_file_keeps_its_id_and_its_guard() {
    on_every_engine(async |world| {
        let old = put(&world.alice, "file", b"old").await.unwrap().node;
        world.alice.apply(begin()).await.unwrap();
        chunk(&world.alice, "1", b"new").await.unwrap();
        let guarded = |tag: String| {
            let conditions = Conditions { if_match: Some(EtagSet::Of(vec![tag])), ..Conditions::default() };
            Assemble { conditions, ..assemble("file") }
        };
        let refused = world.alice.apply(guarded("0000000000000000".to_owned())).await;
        assert!(matches!(refused, Err(Error::ConditionFailed("If-Match"))));
        assert_eq!(read(&world.alice, "file").await.unwrap(), b"old");
        let written = world.alice.apply(guarded(old.etag.to_string())).await.unwrap();
        assert_eq!((written.node.id, written.is_new), (old.id, false));
        assert_eq!(read(&world.alice, "file").await.unwrap(), b"new");
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_wrong_total_keeps_the_chunks() {
    on_every_engine(async |world| {
        world.alice.apply(begin()).await.unwrap();
        chunk(&world.alice, "1", b"12345").await.unwrap();
        let wrong = Assemble { total_bytes: Some(6), ..assemble("file") };
        assert!(matches!(world.alice.apply(wrong).await, Err(Error::WrongTotal { announced: 6, found: 5 })));
        assert_eq!(world.alice.upload("up").await.unwrap().chunks.len(), 1);
        world.alice.apply(Assemble { total_bytes: Some(5), ..assemble("file") }).await.unwrap();
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn no_chunks_make_an_empty_file() {
    on_every_engine(async |world| {
        world.alice.apply(begin()).await.unwrap();
        world.alice.apply(assemble("empty")).await.unwrap();
        assert_eq!(read(&world.alice, "empty").await.unwrap(), b"");
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn dropped_chunks_and_aborted_uploads_give_their_bytes_back() {
    on_every_engine(async |world| {
        world.alice.apply(begin()).await.unwrap();
        assert!(matches!(world.alice.apply(begin()).await, Err(Error::Exists)));
        chunk(&world.alice, "1", &[1; 50_000]).await.unwrap();
        chunk(&world.alice, "2", &[2; 50_000]).await.unwrap();
        assert_eq!(world.alice.quota().await.unwrap().used_bytes, 100_000);
        let drop = |name: &str| DropChunk { upload: "up".to_owned(), chunk: name.to_owned() };
        world.alice.apply(drop("2")).await.unwrap();
        assert!(matches!(world.alice.apply(drop("2")).await, Err(Error::NotFound)));
        assert_eq!(world.alice.quota().await.unwrap().used_bytes, 50_000);
        world.alice.apply(AbortUpload { upload: "up".to_owned() }).await.unwrap();
        assert_eq!(world.alice.quota().await.unwrap().used_bytes, 0);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn uploads_survive_a_restart_and_end_when_nobody_comes_back() {
    on_every_engine(async |world| {
        world.alice.apply(begin()).await.unwrap();
        chunk(&world.alice, "1", &[1; 50_000]).await.unwrap();
        let (store, again) = world.reopen().await;
        assert_eq!(again.upload("up").await.unwrap().chunks[0].size_bytes, 50_000);
        store.close().await;
        world.clock.advance_seconds(world.config.limits.upload_expiry_seconds + 1);
        world.maintain().await;
        assert!(matches!(world.alice.upload("up").await, Err(Error::NotFound)));
        assert_eq!(world.alice.quota().await.unwrap().used_bytes, 0);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn chunks_count_against_the_pool_and_a_total_that_cannot_fit_is_refused_at_once() {
    let limits = nichoir_store::Limits::default();
    on_every_engine_with(limits, 100_000, async |world| {
        let too_much = BeginUpload { total_bytes: Some(100_001), ..begin() };
        assert!(matches!(world.alice.apply(too_much).await, Err(Error::OverQuota { available_bytes: 100_000 })));
        world.alice.apply(begin()).await.unwrap();
        chunk(&world.alice, "1", &[1; 60_000]).await.unwrap();
        assert!(matches!(chunk(&world.alice, "2", &[2; 60_000]).await, Err(Error::OverQuota { .. })));
        // A chunk may be replaced by one of its size however full the pool is.
        chunk(&world.alice, "1", &[3; 40_000]).await.unwrap();
        chunk(&world.alice, "2", &[2; 60_000]).await.unwrap();
        world.alice.apply(assemble("full")).await.unwrap();
        assert_eq!(names(&world.alice, "").await, ["full"]);
        assert_eq!(node(&world.alice, "").await.unwrap().size_bytes, 100_000);
        world.finish().await;
    })
    .await;
}
