//! The trash of calendars: members and whole collections come back to where they were.

use nichoir_store::change::{Delete, Purge, Restore};
use nichoir_store::conditions::Conditions;
use nichoir_store::{Area, Error, FileId, MemberFilter, Needs, Sharee, Tree};

use crate::sharing::{put_as, share};
use crate::support::{names, node, on_every_engine, path, read};
use nichoir_store::Visibility::Public;

async fn delete(tree: &Tree, at: &str) -> FileId {
    let id = node(tree, at).await.unwrap().id;
    tree.apply(Delete { path: path(at), skips_trash: false, conditions: Conditions::default() }).await.unwrap();
    id
}

async fn trashed(tree: &Tree) -> Vec<String> {
    let page = tree.trashed(&MemberFilter::default(), None, Needs::NONE).await.unwrap();
    let tell =
        |trashed: nichoir_store::Trashed| format!("{}/{}", trashed.folder_name.unwrap_or_default(), trashed.name);
    page.nodes.into_iter().filter_map(|node| node.trashed).map(tell).collect()
}

#[tokio::test]
async fn one_uid_made_and_deleted_again_and_again_comes_back_under_a_free_name() {
    on_every_engine(async |world| {
        let alice = world.alice.in_area(Area::Calendars).await.unwrap();
        let mut deleted = Vec::new();
        for _ in 0..3 {
            put_as(&alice, "personal/a.ics", "1", Public).await.unwrap();
            deleted.push(delete(&alice, "personal/a.ics").await);
        }
        assert_eq!(trashed(&alice).await, ["personal/a.ics"; 3]);
        let page = alice.trashed(&MemberFilter::default(), None, Needs::BODY).await.unwrap();
        assert_eq!(page.nodes[1].name, format!("{}.ics", deleted[1]));
        assert_eq!(page.nodes[1].body.as_deref(), Some(b"1".as_slice()));
        let todos = MemberFilter { component: Some("VTODO".to_owned()), ..MemberFilter::default() };
        assert!(alice.trashed(&todos, None, Needs::NONE).await.unwrap().nodes.is_empty());

        // Another object took the name, but not the UID.
        put_as(&alice, "personal/a.ics", "2", Public).await.unwrap();
        let token = node(&alice, "personal").await.unwrap().etag.0;
        let back = alice.apply(Restore { id: deleted[0] }).await.unwrap();
        assert_eq!((back.node.id, back.node.name.as_str()), (deleted[0], "a-2.ics"));
        assert_eq!(read(&alice, "personal/a-2.ics").await.unwrap(), b"1");
        let told = alice.changes_since(&path("personal"), token, false, 0, Needs::NONE).await.unwrap();
        assert_eq!(told.changed.len(), 1);
        let taken = alice.apply(Restore { id: deleted[1] }).await;
        assert!(matches!(taken, Err(Error::UidTaken { .. })), "{taken:?}");
        alice.apply(Purge { id: deleted[1] }).await.unwrap();
        assert!(matches!(alice.apply(Restore { id: deleted[1] }).await, Err(Error::NotFound)));
        assert!(matches!(alice.apply(Purge { id: deleted[0] }).await, Err(Error::NotFound)));
        assert_eq!(trashed(&alice).await, ["personal/a.ics"]);
        let bob = world.bob.in_area(Area::Calendars).await.unwrap();
        assert!(matches!(bob.apply(Restore { id: deleted[2] }).await, Err(Error::NotFound)));
        assert!(matches!(bob.trashed_node(deleted[2], Needs::NONE).await, Err(Error::NotFound)));
        world.maintain().await;
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_calendar_comes_back_with_its_members_and_its_sharees() {
    on_every_engine(async |world| {
        let alice = world.alice.in_area(Area::Calendars).await.unwrap();
        let bob = world.bob.in_area(Area::Calendars).await.unwrap();
        put_as(&alice, "personal/a.ics", "1", Public).await.unwrap();
        put_as(&alice, "personal/b.ics", "2", Public).await.unwrap();
        share(&alice, "personal", Sharee::Account(world.bob.account().id), Some(true)).await.unwrap();
        let member = delete(&alice, "personal/b.ics").await;
        let calendar = delete(&alice, "personal").await;
        assert_eq!(trashed(&alice).await.len(), 2);
        assert!(trashed(&alice).await.contains(&"personal/b.ics".to_owned()));
        assert!(matches!(alice.apply(Restore { id: member }).await, Err(Error::ParentMissing)));
        alice.apply(Restore { id: calendar }).await.unwrap();
        alice.apply(Restore { id: member }).await.unwrap();
        assert_eq!(names(&alice, "personal").await, ["a.ics", "b.ics"]);
        assert_eq!(names(&bob, "personal_shared_by_alice").await, ["a.ics", "b.ics"]);
        assert!(trashed(&alice).await.is_empty());

        delete(&alice, "personal/a.ics").await;
        world.clock.advance_seconds(31 * 24 * 3600);
        world.maintain().await;
        assert!(trashed(&alice).await.is_empty());
        world.finish().await;
    })
    .await;
}
