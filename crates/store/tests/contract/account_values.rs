//! Values kept for accounts, and several changes in one commit.

use nichoir_store::change::{MakeFolder, Relocate};
use nichoir_store::conditions::Conditions;
use nichoir_store::{Error, Needs};

use crate::support::{make_folder, names, node, on_every_engine, path, put};

#[tokio::test]
async fn an_accounts_values_are_its_own() {
    on_every_engine(async |world| {
        assert_eq!(world.alice.account_value("notes").await.unwrap(), None);
        world.alice.set_account_value("notes", b"one").await.unwrap();
        world.alice.set_account_value("notes", b"two").await.unwrap();
        assert_eq!(world.alice.account_value("notes").await.unwrap().as_deref(), Some(b"two".as_slice()));
        assert_eq!(world.alice.account_value("other").await.unwrap(), None);
        assert_eq!(world.bob.account_value("notes").await.unwrap(), None);
        let (store, alice) = world.reopen().await;
        assert_eq!(alice.account_value("notes").await.unwrap().as_deref(), Some(b"two".as_slice()));
        store.close().await;
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn changes_in_one_commit_happen_all_or_not_at_all() {
    on_every_engine(async |world| {
        let alice = &world.alice;
        let make = |at: &str| MakeFolder {
            path: path(at),
            dead_properties: Vec::new(),
            kind: None,
            conditions: Conditions::default(),
        };
        let relocate = |from: &str, to: &str| Relocate {
            source: path(from),
            destination: path(to),
            overwrites: false,
            conditions: Conditions::default(),
        };
        put(alice, "file", b"1").await.unwrap();
        let before = world.space.change_sequence().await.unwrap();
        alice.apply((vec![make("a"), make("a/b")], Some(relocate("file", "a/b/file")))).await.unwrap();
        assert_eq!(world.space.change_sequence().await.unwrap(), before + 1);
        assert_eq!(names(alice, "a/b").await, ["file"]);

        let refused = alice.apply((vec![make("c")], Some(relocate("nothing", "c/file")))).await;
        assert!(matches!(refused, Err(Error::NotFound)));
        assert!(matches!(node(alice, "c").await, Err(Error::NotFound)), "nothing of it happened");
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn small_and_large_files_are_read_with_their_content_at_once() {
    on_every_engine(async |world| {
        let alice = &world.alice;
        make_folder(alice, "folder").await.unwrap();
        let large = vec![b'x'; 40_000];
        for number in 0..40 {
            let bytes = if number % 7 == 0 { large.clone() } else { format!("note {number}").into_bytes() };
            put(alice, &format!("folder/{number}"), &bytes).await.unwrap();
        }
        put(alice, "folder/empty", b"").await.unwrap();
        let folder = node(alice, "folder").await.unwrap();
        let mut nodes = alice.children(&path("folder"), &folder, None, Needs::NONE).await.unwrap().nodes;
        // What is replaced meanwhile comes as the row says that was read: with the entity tag that it had then.
        put(alice, "folder/3", b"new").await.unwrap();
        alice.load_bodies(&mut nodes).await.unwrap();
        for node in &nodes {
            let body = node.body.as_deref().unwrap();
            match node.name.as_str() {
                "empty" => assert_eq!(body, b""),
                name if name.parse::<u32>().unwrap() % 7 == 0 => assert_eq!(body, large),
                name => assert_eq!(body, format!("note {name}").as_bytes()),
            }
        }
        world.finish().await;
    })
    .await;
}
