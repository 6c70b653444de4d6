//! Versions of files: what a file held before is seen, read, comes back with the file's number, and goes as it grows old.

use nichoir_store::change::{Delete, DropVersion, LabelVersion, PatchProperties, PutFile, RestoreVersion};
use nichoir_store::conditions::Conditions;
use nichoir_store::{Error, FileId, FileVersions, LABEL_BYTES_MAX, Limits, Needs, Timestamp, Tree};

use crate::support::{World, make_folder, node, on_every_engine, on_every_engine_with, path, put, read, stage};

/// Saves with a modification time of the client's own.
async fn save(tree: &Tree, at: &str, bytes: &[u8], second: i64) -> FileId {
    let change = PutFile {
        path: path(at),
        content: stage(tree, bytes).await.unwrap(),
        modified: Some(Timestamp::from_seconds(second)),
        created: None,
        checksums: Some(format!("X:{second}")),
        makes_parents: false,
        media_type: None,
        member: None,
        conditions: Conditions::default(),
    };
    tree.apply(change).await.unwrap().node.id
}

async fn seconds(tree: &Tree, file: FileId) -> Vec<i64> {
    tree.versions(file).await.unwrap().versions.iter().map(|version| version.second).collect()
}

async fn read_version(tree: &Tree, states: &FileVersions, second: i64) -> Vec<u8> {
    use futures_util::TryStreamExt as _;
    let file = states.file_at(states.version(second).unwrap());
    let runs: Vec<bytes::Bytes> = tree.open(&file).await.unwrap().stream(0..u64::MAX).try_collect().await.unwrap();
    runs.concat()
}

async fn restore(tree: &Tree, file: FileId, second: i64) -> Result<(), Error> {
    tree.apply(RestoreVersion { file, second, conditions: Conditions::default() }).await.map(drop)
}

async fn label(tree: &Tree, file: FileId, second: i64, label: &str) -> Result<(), Error> {
    let label = Some(label.to_owned());
    tree.apply(LabelVersion { file, second, label, conditions: Conditions::default() }).await
}

async fn drop_version(tree: &Tree, file: FileId, second: i64) -> Result<(), Error> {
    tree.apply(DropVersion { file, second, conditions: Conditions::default() }).await
}

#[tokio::test]
async fn what_a_file_held_is_kept_under_the_second_of_its_modification() {
    on_every_engine(async |world| {
        let World { alice, bob, clock, .. } = &world;
        make_folder(alice, "Docs").await.unwrap();
        let file = save(alice, "Docs/a.txt", b"one", 1_700_000_000).await;
        for (text, second) in [("two..", 1_700_000_010), ("three", 1_700_000_030)] {
            clock.advance_seconds(60);
            save(alice, "Docs/a.txt", text.as_bytes(), second).await;
        }
        let states = alice.versions(file).await.unwrap();
        let told: Vec<_> =
            states.versions.iter().map(|it| (it.second, it.size_bytes, it.is_current, it.author.as_deref())).collect();
        let alice_wrote = Some("alice");
        assert_eq!(
            told,
            [
                (1_700_000_030, 5, true, alice_wrote),
                (1_700_000_010, 5, false, alice_wrote),
                (1_700_000_000, 3, false, alice_wrote)
            ]
        );
        assert_eq!(read_version(alice, &states, 1_700_000_000).await, b"one");
        assert_eq!(read_version(alice, &states, 1_700_000_030).await, b"three");
        let quota = alice.quota().await.unwrap();
        assert_eq!(quota.used_bytes, 5);

        let before = node(alice, "Docs/a.txt").await.unwrap();
        let folder = node(alice, "Docs").await.unwrap();
        restore(alice, file, 1_700_000_000).await.unwrap();
        let after = node(alice, "Docs/a.txt").await.unwrap();
        assert_eq!((after.id, after.modified.seconds(), after.size_bytes), (file, 1_700_000_000, 3));
        assert_eq!(after.checksums.as_deref(), Some("X:1700000000"));
        assert!(after.etag != before.etag && node(alice, "Docs").await.unwrap().etag != folder.etag);
        assert_eq!(read(alice, "Docs/a.txt").await.unwrap(), b"one");
        assert_eq!(alice.quota().await.unwrap().used_bytes, 3);
        // It changed places with what was there: nothing is lost, and nothing is there twice.
        assert_eq!(seconds(alice, file).await, [1_700_000_000, 1_700_000_030, 1_700_000_010]);

        assert!(matches!(restore(alice, file, 7).await, Err(Error::NotFound)));
        restore(alice, file, 1_700_000_000).await.unwrap();
        assert_eq!(node(alice, "Docs/a.txt").await.unwrap().etag, after.etag, "it held that already");
        drop_version(alice, file, 1_700_000_010).await.unwrap();
        drop_version(alice, file, 1_700_000_000).await.unwrap();
        assert!(matches!(drop_version(alice, file, 1_700_000_010).await, Err(Error::NotFound)));
        assert_eq!(seconds(alice, file).await, [1_700_000_000, 1_700_000_030]);
        assert_eq!(read(alice, "Docs/a.txt").await.unwrap(), b"one", "of the present state only the label goes");

        assert!(matches!(bob.versions(file).await, Err(Error::NotFound)));
        assert!(matches!(restore(bob, file, 1_700_000_030).await, Err(Error::NotFound)));
        assert!(matches!(label(bob, file, 1_700_000_030, "x").await, Err(Error::NotFound)));
        assert!(matches!(drop_version(bob, file, 1_700_000_030).await, Err(Error::NotFound)));
        let docs = node(alice, "Docs").await.unwrap().id;
        assert!(matches!(alice.versions(docs).await, Err(Error::NotFound)));
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn states_of_one_second_have_names_of_their_own() {
    on_every_engine(async |world| {
        let World { alice, clock, .. } = &world;
        let file = save(alice, "a", b"1", 100_000).await;
        for text in ["2", "3", "4"] {
            clock.advance_seconds(60);
            save(alice, "a", text.as_bytes(), 100_000).await;
        }
        let states = alice.versions(file).await.unwrap();
        assert_eq!(seconds(alice, file).await, [100_000, 100_003, 100_002, 100_001]);
        assert_eq!(read_version(alice, &states, 100_001).await, b"1");
        assert_eq!(read_version(alice, &states, 100_003).await, b"3");
        // The time that it had comes back with it.
        restore(alice, file, 100_001).await.unwrap();
        assert_eq!(read(alice, "a").await.unwrap(), b"1");
        assert_eq!(node(alice, "a").await.unwrap().modified.seconds(), 100_000);
        // Whoever sets the time of the file takes the name of no version away.
        let patch = PatchProperties {
            path: path("a"),
            modified: Some(Timestamp::from_seconds(100_002)),
            ..PatchProperties::default()
        };
        alice.apply(patch).await.unwrap();
        let all = seconds(alice, file).await;
        assert_eq!((all[0], all.len()), (100_002, 4));
        assert_eq!(all.iter().collect::<std::collections::HashSet<_>>().len(), 4, "{all:?}");
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_label_keeps_a_version_for_good_and_in_the_pool() {
    on_every_engine_with(Limits::default(), 1_000, async |world| {
        let World { alice, clock, .. } = &world;
        let file = save(alice, "a", &[1; 400], 100_000).await;
        save(alice, "a", &[2; 300], 200_000).await;
        assert_eq!(alice.quota().await.unwrap().used_bytes, 300);
        label(alice, file, 100_000, "first draft").await.unwrap();
        assert_eq!(alice.quota().await.unwrap().used_bytes, 700);
        assert!(matches!(stage(alice, &[3; 301]).await, Err(Error::OverQuota { available_bytes: 300 })));
        put(alice, "b", &[3; 300]).await.unwrap();
        assert_eq!(seconds(alice, file).await, [200_000, 100_000], "it gave way to nothing");

        clock.advance_seconds(400 * 24 * 3600);
        world.maintain().await;
        let states = alice.versions(file).await.unwrap();
        assert_eq!(states.version(100_000).unwrap().label.as_deref(), Some("first draft"));

        // The label goes where the state goes.
        restore(alice, file, 100_000).await.unwrap();
        let states = alice.versions(file).await.unwrap();
        assert_eq!(states.versions[0].label.as_deref(), Some("first draft"));
        assert_eq!((states.versions[1].second, states.versions[1].label.as_deref()), (200_000, None));
        save(alice, "a", &[4; 10], 300_000).await;
        let states = alice.versions(file).await.unwrap();
        assert_eq!(states.version(100_000).unwrap().label.as_deref(), Some("first draft"));
        assert_eq!(states.versions[0].label, None);

        label(alice, file, 100_000, &"x".repeat(LABEL_BYTES_MAX)).await.unwrap();
        let long = label(alice, file, 100_000, &"x".repeat(LABEL_BYTES_MAX + 1)).await;
        assert!(matches!(long, Err(Error::TooLarge { .. })));
        label(alice, file, 100_000, "").await.unwrap();
        assert_eq!(alice.quota().await.unwrap().used_bytes, 310);
        world.maintain().await;
        clock.advance_seconds(366 * 24 * 3600);
        world.maintain().await;
        assert_eq!(seconds(alice, file).await, [300_000]);

        label(alice, file, 300_000, "present").await.unwrap();
        save(alice, "a", &[5; 10], 400_000).await;
        alice.apply(Delete { path: path("a"), skips_trash: true, conditions: Conditions::default() }).await.unwrap();
        world.maintain().await;
        assert_eq!(alice.quota().await.unwrap().used_bytes, 300);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn versions_go_when_they_are_many_or_near_each_other() {
    let limits = |thins_versions| Limits { versions_max: 3, thins_versions, ..Limits::default() };
    on_every_engine_with(limits(false), 1_000_000, async |world| {
        let file = save(&world.alice, "a", b"0", 100_000).await;
        for number in 1..=3 {
            save(&world.alice, "a", b"x", 100_000 + number).await;
        }
        assert_eq!(seconds(&world.alice, file).await.len(), 4);
        label(&world.alice, file, 100_000, "stays").await.unwrap();
        save(&world.alice, "a", b"x", 100_004).await;
        assert_eq!(seconds(&world.alice, file).await, [100_004, 100_003, 100_002, 100_000]);
        world.finish().await;
    })
    .await;
    on_every_engine_with(Limits::default(), 1_000_000, async |world| {
        let World { alice, clock, .. } = &world;
        let file = save(alice, "a", b"0", 100_000).await;
        for number in 1..=60 {
            clock.advance_seconds(5);
            save(alice, "a", b"x", 100_000 + number).await;
        }
        let left = seconds(alice, file).await.len();
        assert!((10..=16).contains(&left), "{left} of 60 states of five minutes");
        world.finish().await;
    })
    .await;
}

/// Two members whose programs write over each other within a second: what each wrote is there.
#[tokio::test]
async fn a_burst_of_one_member_does_not_push_out_what_another_wrote() {
    on_every_engine(async |world| {
        let World { alice, bob, .. } = &world;
        make_folder(alice, "Docs").await.unwrap();
        crate::bin::share_for_writing(alice, "Docs", bob).await;
        let theirs = crate::support::names(bob, "").await[0].clone();
        let file = save(alice, "Docs/a", b"alice's", 100_000).await;
        for number in 1..10 {
            save(bob, &format!("{theirs}/a"), b"bob's", 100_000 + number).await;
        }
        let states = bob.versions(file).await.unwrap();
        let authors: Vec<_> = states.versions.iter().filter_map(|it| it.author.as_deref()).collect();
        assert_eq!(authors, ["bob", "bob", "alice"]);
        assert_eq!(read_version(bob, &states, 100_000).await, b"alice's");
        // Who may write may bring it back, and the owner sees it.
        restore(bob, file, 100_000).await.unwrap();
        assert_eq!(read(alice, "Docs/a").await.unwrap(), b"alice's");
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn an_empty_state_leaves_no_version_and_is_left_by_one_that_comes_back() {
    on_every_engine(async |world| {
        let alice = &world.alice;
        let file = save(alice, "a", b"", 100_000).await;
        save(alice, "a", b"full", 200_000).await;
        assert_eq!(seconds(alice, file).await, [200_000]);
        save(alice, "a", b"", 300_000).await;
        restore(alice, file, 200_000).await.unwrap();
        assert_eq!(seconds(alice, file).await, [200_000]);
        assert_eq!(read(alice, "a").await.unwrap(), b"full");
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_file_in_the_trash_shows_no_versions_and_has_them_again_when_it_comes_back() {
    on_every_engine(async |world| {
        let alice = &world.alice;
        let file = save(alice, "a", b"1", 100_000).await;
        save(alice, "a", b"2", 200_000).await;
        crate::bin::delete(alice, "a").await;
        assert!(matches!(alice.versions(file).await, Err(Error::NotFound)));
        assert!(alice.bin().unwrap().node(&path("a.d1800000000"), Needs::NONE).await.is_ok());
        crate::bin::undelete(alice, "a.d1800000000").await.unwrap();
        assert_eq!(seconds(alice, file).await, [200_000, 100_000]);
        world.finish().await;
    })
    .await;
}
