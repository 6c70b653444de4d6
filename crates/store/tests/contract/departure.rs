//! A member who leaves: nothing of hers is lost by accident, and nothing of hers works any more.

use nichoir_store::change::{AddComment, Delete, DropComment, EditComment, MakeFolder, Publish, Restore};
use nichoir_store::conditions::Conditions;
use nichoir_store::{Account, Area, CollectionKind, Components, Departure, Error, MemberFilter, Needs, NodePath, Tree};

use crate::support::{World, make_account, make_folder, names, node, on_every_engine, path, put, read};

fn delete(at: &str) -> Delete {
    Delete { path: path(at), skips_trash: false, conditions: Conditions::default() }
}

async fn end(world: &World, departure: Departure) -> Account {
    let alice = world.alice.account().clone();
    world.space.end_account(alice.id, departure).await.unwrap();
    alice
}

async fn trash(tree: &Tree) -> Vec<nichoir_store::Node> {
    tree.trashed(&MemberFilter::default(), None, Needs::NONE).await.unwrap().nodes
}

#[tokio::test]
async fn files_are_handed_over_as_they_are() {
    on_every_engine(async |world| {
        make_folder(&world.alice, "docs").await.unwrap();
        put(&world.alice, "docs/a.txt", b"one").await.unwrap();
        put(&world.alice, "docs/a.txt", b"two").await.unwrap();
        put(&world.alice, "old.txt", b"gone").await.unwrap();
        put(&world.bob, "alice", b"in the way").await.unwrap();
        let (kept, deleted) =
            (node(&world.alice, "docs/a.txt").await.unwrap(), node(&world.alice, "old.txt").await.unwrap().id);
        world.alice.apply(delete("old.txt")).await.unwrap();
        put(&world.bob, "old.txt", b"his").await.unwrap();
        world.bob.apply(delete("old.txt")).await.unwrap();
        let before = world.bob.quota().await.unwrap();

        end(&world, Departure::HandedOver(world.bob.account().id)).await;

        assert_eq!(names(&world.bob, "").await, ["alice", "alice-2"]);
        let found = node(&world.bob, "alice-2/docs/a.txt").await.unwrap();
        assert_eq!((found.id, found.etag), (kept.id, kept.etag), "the number and the content of before");
        assert_eq!(read(&world.bob, "alice-2/docs/a.txt").await.unwrap(), b"two");
        assert_eq!(trash(&world.bob).await.len(), 2, "hers and his of the same name and second");
        let back = world.bob.apply(Restore { id: deleted }).await.unwrap().node;
        assert_eq!(world.bob.node_by_id(back.id, Needs::NONE).await.unwrap().0, path("alice-2/old.txt"));
        let after = world.bob.quota().await.unwrap();
        assert_eq!(after.used_bytes, before.used_bytes + 4, "what was restored counts, nothing twice");
        assert!(matches!(world.space.account_by_login("alice").await, Err(Error::NotFound)));
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn calendars_and_their_trash_are_handed_over() {
    on_every_engine(async |world| {
        let calendars = world.alice.in_area(Area::Calendars).await.unwrap();
        let choir = MakeFolder {
            path: path("choir"),
            dead_properties: Vec::new(),
            kind: Some(CollectionKind::Calendar(Components::default())),
            conditions: Conditions::default(),
        };
        let choir = calendars.apply(choir).await.unwrap().node.id;
        calendars.apply(delete("choir")).await.unwrap();
        let personal = node(&calendars, "personal").await.unwrap().id;

        end(&world, Departure::HandedOver(world.bob.account().id)).await;

        let his = world.bob.in_area(Area::Calendars).await.unwrap();
        assert_eq!(names(&his, "").await, ["inbox", "outbox", "personal", "personal_alice"]);
        assert_eq!(node(&his, "personal_alice").await.unwrap().id, personal);
        his.apply(Restore { id: choir }).await.unwrap();
        assert_eq!(node(&his, "choir").await.unwrap().id, choir);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn links_follow_what_they_show_and_stop_while_nobody_answers_for_them() {
    on_every_engine(async |world| {
        let calendars = world.alice.in_area(Area::Calendars).await.unwrap();
        let token = calendars.apply(Publish { path: path("personal") }).await.unwrap();
        let alice = end(&world, Departure::Kept).await;
        assert!(matches!(world.space.published(&token).await, Err(Error::NotFound)));
        world.space.end_account(alice.id, Departure::HandedOver(world.bob.account().id)).await.unwrap();
        let seen = world.space.published(&token).await.unwrap();
        assert_eq!(seen.account().login, "bob");
        assert!(seen.node(&NodePath::default(), Needs::NONE).await.is_ok());
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_kept_comes_back_with_its_account() {
    on_every_engine(async |world| {
        put(&world.alice, "a.txt", b"one").await.unwrap();
        let id = world.alice.account().id;
        world.space.create_device(id, "phone", [1; 32]).await.unwrap();
        let group = world.space.create_group("choir", "").await.unwrap();
        world.space.add_to_group(group.id, id).await.unwrap();

        end(&world, Departure::Kept).await;
        assert!(matches!(world.space.account_by_login("alice").await, Err(Error::NotFound)));
        assert!(matches!(world.space.device_by_hash(&[1; 32]).await, Err(Error::NotFound)));
        assert_eq!(world.space.accounts().await.unwrap().len(), 1);
        assert!(world.space.members_of(group.id).await.unwrap().is_empty());
        assert!(matches!(world.space.end_account(id, Departure::Kept).await, Err(Error::NotFound)));
        assert_eq!(world.space.departed_accounts().await.unwrap()[0].login, "alice");
        assert!(!world.space.departed_accounts().await.unwrap()[0].is_enabled);

        // Another has her login meanwhile.
        let other = make_account(&world.space, "ALICE").await;
        assert!(matches!(world.space.restore_account(id).await, Err(Error::Exists)));
        world.space.end_account(other.id, Departure::Gone).await.unwrap();
        let alice = world.space.restore_account(id).await.unwrap();
        assert_eq!((alice.login.as_str(), alice.is_enabled, alice.departed), ("alice", true, None));
        assert_eq!(read(&world.space.tree_as(&alice), "a.txt").await.unwrap(), b"one");
        assert_eq!(world.space.members_of(group.id).await.unwrap().len(), 1);
        assert!(matches!(world.space.restore_account(id).await, Err(Error::NotFound)));
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_kept_is_gone_when_its_time_is_over() {
    on_every_engine(async |world| {
        put(&world.alice, "a.txt", b"one").await.unwrap();
        let before = world.bob.quota().await.unwrap();
        end(&world, Departure::Kept).await;
        assert_eq!(world.bob.quota().await.unwrap(), before, "it counts for as long as it is kept");
        world.clock.advance_seconds(30 * 24 * 3600);
        world.maintain().await;
        assert_eq!(world.space.departed_accounts().await.unwrap().len(), 1);
        world.clock.advance_seconds(1);
        world.maintain().await;
        assert!(world.space.departed_accounts().await.unwrap().is_empty());
        assert_eq!(world.bob.quota().await.unwrap().used_bytes, 0);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn nobody_hands_over_to_herself_or_to_nobody() {
    on_every_engine(async |world| {
        put(&world.alice, "a.txt", b"one").await.unwrap();
        let (alice, bob) = (world.alice.account().id, world.bob.account().id);
        let refused = world.space.end_account(alice, Departure::HandedOver(alice)).await;
        assert!(matches!(refused, Err(Error::Invalid(_))));
        world.space.end_account(bob, Departure::Kept).await.unwrap();
        for nobody in [bob, nichoir_store::AccountId(4_711)] {
            let refused = world.space.end_account(alice, Departure::HandedOver(nobody)).await;
            assert!(matches!(refused, Err(Error::NotFound)));
        }
        assert_eq!(read(&world.alice, "a.txt").await.unwrap(), b"one");
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn who_gets_a_login_that_was_anothers_gets_nothing_of_theirs() {
    on_every_engine(async |world| {
        let bob = &world.bob;
        let file = put(bob, "a.txt", b"one").await.unwrap().node.id;
        let share = |tree: &Tree| nichoir_store::change::CreateShare {
            path: path("a.txt"),
            sharee: nichoir_store::Sharee::Account(tree.account().id),
            permissions: None,
            expires: None,
            note: String::new(),
            label: String::new(),
            attributes: None,
            awaits_answer: false,
        };
        bob.apply(share(&world.alice)).await.unwrap();
        let said = world.alice.apply(AddComment { node: file, message: "mine".to_owned() }).await.unwrap();
        end(&world, Departure::Kept).await;
        let namesake = world.space.tree_as(&make_account(&world.space, "alice").await);
        assert!(names(&namesake, "").await.is_empty());
        bob.apply(share(&namesake)).await.unwrap();
        assert_eq!(
            namesake.comment(file, said.id).await.unwrap().author,
            None,
            "nobody says that it is the namesake's"
        );
        let edit = EditComment { node: file, id: said.id, message: "other".to_owned() };
        assert!(matches!(namesake.apply(edit).await, Err(Error::Forbidden(_))));
        let drop = DropComment { node: file, id: said.id };
        assert!(matches!(namesake.apply(drop).await, Err(Error::Forbidden(_))));
        assert_eq!(bob.comment(file, said.id).await.unwrap().message, "mine");
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn what_somebody_deleted_of_a_member_who_is_gone_is_in_nobodys_trash() {
    on_every_engine(async |world| {
        let (alice, bob) = (&world.alice, &world.bob);
        make_folder(alice, "team").await.unwrap();
        put(alice, "team/a.txt", b"one").await.unwrap();
        crate::bin::share_for_writing(alice, "team", bob).await;
        crate::bin::delete(bob, "team/a.txt").await;
        let seen = names(&bob.bin().unwrap(), "").await;
        assert_eq!(seen.len(), 1);
        end(&world, Departure::Gone).await;
        assert!(names(&bob.bin().unwrap(), "").await.is_empty());
        let read = bob.bin().unwrap().node(&path(&seen[0]), Needs::NONE).await;
        assert!(matches!(read, Err(Error::NotFound)), "{read:?}");
        world.maintain().await;
        world.finish().await;
    })
    .await;
}
