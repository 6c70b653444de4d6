//! Mounts: what one account shares appears in the homes of others, as far as it was shared and no further.

use nichoir_store::change::DeadPropertyPatch::{Remove, Set};
use nichoir_store::change::{
    Copy, Delete, Grant, MakeFolder, PatchProperties, Publish, PutFile, Relocate, ShareNode, TakeLock, Unpublish,
    Written,
};
use nichoir_store::conditions::Conditions;
use nichoir_store::{
    AccountUpdate, Area, CollectionKind, Components, DeadProperty, Error, MemberFilter, MemberIndex, Needs, Node,
    NodePath, Permissions, Scope, Sharee, Tree, Visibility,
};

use crate::support::{World, make_account, names, node, on_every_engine, path, read, stage};

const SHARED: &str = "personal_shared_by_alice";

pub(crate) async fn put_as(tree: &Tree, at: &str, uid: &str, visibility: Visibility) -> Result<Written, Error> {
    let index = MemberIndex {
        uid: uid.to_owned(),
        component: "VEVENT".to_owned(),
        first_seconds: 0,
        last_seconds: 1,
        visibility,
    };
    let change = PutFile {
        path: path(at),
        content: stage(tree, uid.as_bytes()).await?,
        modified: None,
        created: None,
        checksums: None,
        makes_parents: false,
        media_type: Some("text/calendar".to_owned()),
        member: Some(index),
        conditions: Conditions::default(),
    };
    tree.apply(change).await
}

async fn put(tree: &Tree, at: &str) -> Result<Written, Error> {
    put_as(tree, at, at.rsplit('/').next().unwrap(), Visibility::Public).await
}

pub(crate) async fn share(tree: &Tree, at: &str, sharee: Sharee, is_writable: Option<bool>) -> Result<(), Error> {
    let permissions = is_writable.map(Permissions::of_collection);
    tree.apply(ShareNode { path: path(at), grants: vec![Grant { sharee, permissions }] }).await
}

async fn delete(tree: &Tree, at: &str) -> Result<(), Error> {
    tree.apply(Delete { path: path(at), skips_trash: false, conditions: Conditions::default() }).await
}

async fn relocate(tree: &Tree, from: &str, to: &str) -> Result<Written, Error> {
    let change =
        Relocate { source: path(from), destination: path(to), overwrites: true, conditions: Conditions::default() };
    tree.apply(change).await
}

async fn copy(tree: &Tree, from: &str, to: &str) -> Result<Written, Error> {
    let change = Copy {
        source: path(from),
        destination: path(to),
        overwrites: true,
        is_deep: true,
        conditions: Conditions::default(),
    };
    tree.apply(change).await
}

fn named(text: &str) -> DeadProperty {
    DeadProperty {
        namespace: "DAV:".to_owned(),
        local: "displayname".to_owned(),
        xml: format!("<D:displayname xmlns:D=\"DAV:\">{text}</D:displayname>"),
    }
}

async fn set(tree: &Tree, at: &str, property: DeadProperty) -> Result<Node, Error> {
    let change = PatchProperties { path: path(at), dead: vec![Set(property)], ..PatchProperties::default() };
    tree.apply(change).await
}

async fn display_name(tree: &Tree, at: &str) -> Option<String> {
    let node = tree.node(&path(at), Needs::DEAD_PROPERTIES).await.unwrap();
    let xml = &node.dead_properties.first()?.xml;
    Some(xml.split(['<', '>']).nth(2).unwrap().to_owned())
}

async fn changed(tree: &Tree, at: &str, token: i64) -> Vec<(String, bool)> {
    let changes = tree.changes_since(&path(at), token, false, 0, Needs::NONE).await.unwrap();
    let mut told: Vec<_> =
        changes.changed.iter().map(|it| (it.path.name().unwrap().to_owned(), it.node.is_some())).collect();
    told.sort();
    told
}

fn forbidden<T: std::fmt::Debug>(outcome: Result<T, Error>) {
    assert!(matches!(outcome, Err(Error::Forbidden(_))), "{outcome:?}");
}

fn missing<T: std::fmt::Debug>(outcome: Result<T, Error>) {
    assert!(matches!(outcome, Err(Error::NotFound)), "{outcome:?}");
}

async fn calendars(world: &World) -> (Tree, Tree, Sharee) {
    let alice = world.alice.in_area(Area::Calendars).await.unwrap();
    let bob = world.bob.in_area(Area::Calendars).await.unwrap();
    (alice, bob, Sharee::Account(world.bob.account().id))
}

#[tokio::test]
async fn what_is_shared_is_seen_at_once_under_its_own_name_with_its_content() {
    on_every_engine(async |world| {
        let (alice, bob, with_bob) = calendars(&world).await;
        put(&alice, "personal/a.ics").await.unwrap();
        let before = node(&bob, "").await.unwrap();
        share(&alice, "personal", with_bob, Some(false)).await.unwrap();

        assert_eq!(names(&bob, "").await, ["inbox", "outbox", "personal", SHARED]);
        assert_eq!(names(&bob, SHARED).await, ["a.ics"]);
        assert_eq!(read(&bob, &format!("{SHARED}/a.ics")).await.unwrap(), b"a.ics");
        let seen = node(&bob, SHARED).await.unwrap();
        let own = node(&alice, "personal").await.unwrap();
        assert_eq!((seen.id, seen.collection, seen.size_bytes), (own.id, own.collection, own.size_bytes));
        let access = seen.access.unwrap();
        assert_eq!(
            (access.owner, access.owner_login.as_str(), access.is_writable()),
            (world.alice.account().id, "alice", false)
        );
        assert!(own.access.is_none() && own.mount.is_none() && seen.mount.is_some());
        let member = node(&bob, &format!("{SHARED}/a.ics")).await.unwrap();
        assert!(member.access.is_some_and(|access| !access.is_writable()) && member.mount.is_none());
        assert_eq!(changed(&bob, "", before.etag.0).await, [(SHARED.to_owned(), true)]);
        let home = node(&bob, "").await.unwrap();
        let listed = bob.children(&NodePath::root(), &home, None, Needs::MEMBER_COUNTS).await.unwrap().nodes;
        let mounted = listed.iter().find(|node| node.name == SHARED).unwrap();
        assert_eq!(mounted.member_counts, Some((0, 1)));
        assert_eq!(bob.node_by_id(own.id, Needs::NONE).await.unwrap().0, path(SHARED));
        let carol = world.space.tree_as(&make_account(&world.space, "carol").await);
        let carol = carol.in_area(Area::Calendars).await.unwrap();
        assert_eq!(names(&carol, "").await, ["inbox", "outbox", "personal"]);
        missing(carol.node_by_id(own.id, Needs::NONE).await);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn who_may_read_only_changes_nothing() {
    on_every_engine(async |world| {
        let (alice, bob, with_bob) = calendars(&world).await;
        put(&alice, "personal/a.ics").await.unwrap();
        put(&bob, "personal/own.ics").await.unwrap();
        share(&alice, "personal", with_bob, Some(false)).await.unwrap();
        let before = node(&alice, "personal").await.unwrap().etag;

        let at = format!("{SHARED}/a.ics");
        forbidden(put(&bob, &at).await);
        forbidden(put(&bob, &format!("{SHARED}/new.ics")).await);
        forbidden(delete(&bob, &at).await);
        forbidden(relocate(&bob, &at, "personal/a.ics").await);
        forbidden(relocate(&bob, "personal/own.ics", &at).await);
        forbidden(relocate(&bob, "personal/own.ics", &format!("{SHARED}/b.ics")).await);
        forbidden(copy(&bob, "personal/own.ics", &format!("{SHARED}/b.ics")).await);
        forbidden(copy(&bob, "personal", SHARED).await);
        forbidden(set(&bob, &at, named("x")).await);
        let lock = TakeLock {
            path: path(&at),
            scope: Scope::Exclusive,
            is_deep: false,
            owner_xml: None,
            timeout_seconds: 60,
            conditions: Conditions::default(),
        };
        forbidden(bob.apply(lock).await);
        forbidden(share(&bob, SHARED, Sharee::Everyone, Some(true)).await);
        forbidden(bob.apply(Publish { path: path(SHARED) }).await);
        copy(&bob, &at, "personal/copy.ics").await.unwrap();

        assert_eq!(node(&alice, "personal").await.unwrap().etag, before);
        assert_eq!(names(&alice, "personal").await, ["a.ics"]);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn who_may_write_writes_to_the_same_collection_and_deletes_into_its_owners_trash() {
    on_every_engine(async |world| {
        let (alice, bob, with_bob) = calendars(&world).await;
        share(&alice, "personal", with_bob, Some(true)).await.unwrap();
        put(&bob, &format!("{SHARED}/a.ics")).await.unwrap();
        put(&bob, &format!("{SHARED}/b.ics")).await.unwrap();
        put(&bob, "personal/c.ics").await.unwrap();
        relocate(&bob, "personal/c.ics", &format!("{SHARED}/c.ics")).await.unwrap();
        assert_eq!(names(&alice, "personal").await, ["a.ics", "b.ics", "c.ics"]);
        let taken = put_as(&bob, &format!("{SHARED}/d.ics"), "a.ics", Visibility::Public).await;
        assert!(matches!(&taken, Err(Error::UidTaken { path: by }) if *by == path(SHARED).child("a.ics")), "{taken:?}");
        delete(&bob, &format!("{SHARED}/a.ics")).await.unwrap();
        relocate(&bob, &format!("{SHARED}/b.ics"), "personal/b.ics").await.unwrap();
        assert_eq!(names(&alice, "personal").await, ["c.ics"]);
        // The end of the one who deleted it is not the end of what was deleted.
        world.space.delete_account(world.bob.account().id).await.unwrap();
        world.maintain().await;
        assert_eq!(alice.quota().await.unwrap().used_bytes, 5);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_change_moves_the_etag_of_every_home_that_sees_it_and_of_no_other() {
    on_every_engine(async |world| {
        let (alice, bob, with_bob) = calendars(&world).await;
        let carol = world.space.tree_as(&make_account(&world.space, "carol").await);
        let carol = carol.in_area(Area::Calendars).await.unwrap();
        share(&alice, "personal", with_bob, Some(true)).await.unwrap();
        let etags = async || {
            let mut etags = Vec::new();
            for (tree, at) in
                [(&alice, "personal"), (&alice, ""), (&bob, SHARED), (&bob, ""), (&bob, "personal"), (&carol, "")]
            {
                etags.push(node(tree, at).await.unwrap().etag);
            }
            etags
        };
        let moved = |before: &[_], after: &[_]| before.iter().zip(after).map(|(a, b)| a != b).collect::<Vec<_>>();
        let first = etags().await;
        put(&alice, "personal/a.ics").await.unwrap();
        let second = etags().await;
        assert_eq!(moved(&first, &second), [true, true, true, true, false, false]);
        delete(&bob, &format!("{SHARED}/a.ics")).await.unwrap();
        let third = etags().await;
        assert_eq!(moved(&second, &third), [true, true, true, true, false, false]);
        assert_eq!(changed(&bob, SHARED, second[2].0).await, [("a.ics".to_owned(), false)]);
        assert_eq!(changed(&bob, "", second[3].0).await, [(SHARED.to_owned(), true)]);
        let deep = bob.changes_since(&NodePath::root(), second[3].0, true, 0, Needs::NONE).await.unwrap();
        assert!(deep.changed.iter().any(|it| it.path == path(SHARED).child("a.ics") && it.node.is_none()));
        put(&bob, "personal/b.ics").await.unwrap();
        assert_eq!(moved(&third, &etags().await), [false, false, false, true, true, false]);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_no_longer_shared_is_gone_and_reported_as_removed() {
    on_every_engine(async |world| {
        let (alice, bob, with_bob) = calendars(&world).await;
        put(&alice, "personal/a.ics").await.unwrap();
        share(&alice, "personal", with_bob, Some(true)).await.unwrap();
        set(&bob, SHARED, named("Hers")).await.unwrap();
        let token = node(&bob, "").await.unwrap().etag.0;
        share(&alice, "personal", with_bob, None).await.unwrap();
        missing(node(&bob, SHARED).await);
        let gone = put(&bob, &format!("{SHARED}/a.ics")).await;
        assert!(matches!(gone, Err(Error::ParentMissing)), "{gone:?}");
        assert_eq!(changed(&bob, "", token).await, [(SHARED.to_owned(), false)]);
        let own = alice.node(&path("personal"), Needs::SHARES).await.unwrap();
        assert!(own.shares.is_empty());

        // Shared again it begins anew, and the token of the home tells of it.
        let token = node(&bob, "").await.unwrap().etag.0;
        share(&alice, "personal", with_bob, Some(false)).await.unwrap();
        assert_eq!(changed(&bob, "", token).await, [(SHARED.to_owned(), true)]);
        assert_eq!(display_name(&bob, SHARED).await, None);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn from_writable_to_read_only_and_back() {
    on_every_engine(async |world| {
        let (alice, bob, with_bob) = calendars(&world).await;
        share(&alice, "personal", with_bob, Some(true)).await.unwrap();
        put(&bob, &format!("{SHARED}/a.ics")).await.unwrap();
        let token = node(&bob, "").await.unwrap().etag.0;
        share(&alice, "personal", with_bob, Some(false)).await.unwrap();
        forbidden(put(&bob, &format!("{SHARED}/b.ics")).await);
        assert_eq!(changed(&bob, "", token).await, [(SHARED.to_owned(), true)]);
        // The most that any share says counts.
        share(&alice, "personal", Sharee::Everyone, Some(true)).await.unwrap();
        put(&bob, &format!("{SHARED}/b.ics")).await.unwrap();
        share(&alice, "personal", Sharee::Everyone, None).await.unwrap();
        forbidden(put(&bob, &format!("{SHARED}/c.ics")).await);
        assert_eq!(names(&bob, SHARED).await, ["a.ics", "b.ics"]);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_sharee_leaves_and_the_owner_sees_it() {
    on_every_engine(async |world| {
        let (alice, bob, with_bob) = calendars(&world).await;
        put(&alice, "personal/a.ics").await.unwrap();
        share(&alice, "personal", with_bob, Some(false)).await.unwrap();
        delete(&bob, SHARED).await.unwrap();
        missing(node(&bob, SHARED).await);
        assert_eq!(names(&alice, "personal").await, ["a.ics"]);
        assert!(alice.node(&path("personal"), Needs::SHARES).await.unwrap().shares.is_empty());

        // From what everyone sees one goes alone, and stays away when it is changed.
        let carol = make_account(&world.space, "carol").await;
        share(&alice, "personal", Sharee::Everyone, Some(false)).await.unwrap();
        delete(&bob, SHARED).await.unwrap();
        share(&alice, "personal", Sharee::Everyone, Some(true)).await.unwrap();
        missing(node(&bob, SHARED).await);
        let carol = world.space.tree_as(&carol).in_area(Area::Calendars).await.unwrap();
        assert!(node(&carol, SHARED).await.unwrap().is_writable());
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn what_everyone_sees_is_seen_by_those_who_come_later() {
    on_every_engine(async |world| {
        let (alice, bob, _) = calendars(&world).await;
        share(&alice, "personal", Sharee::Everyone, Some(false)).await.unwrap();
        assert!(!names(&alice, "").await.contains(&SHARED.to_owned()));
        assert!(names(&bob, "").await.contains(&SHARED.to_owned()));
        let dora = world.space.tree_as(&make_account(&world.space, "dora").await);
        assert!(names(&dora.in_area(Area::Calendars).await.unwrap(), "").await.contains(&SHARED.to_owned()));
        assert_eq!(names(&dora.in_area(Area::AddressBooks).await.unwrap(), "").await, ["contacts"]);
        let shares = alice.node(&path("personal"), Needs::SHARES).await.unwrap().shares;
        assert_eq!(shares.iter().map(|share| share.sharee).collect::<Vec<_>>(), [Sharee::Everyone]);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn what_a_sharee_calls_it_is_the_sharees_even_read_only() {
    on_every_engine(async |world| {
        let (alice, bob, with_bob) = calendars(&world).await;
        set(&alice, "personal", named("Mine")).await.unwrap();
        share(&alice, "personal", with_bob, Some(false)).await.unwrap();
        assert_eq!(display_name(&bob, SHARED).await.as_deref(), Some("Mine"));
        let before = node(&alice, "personal").await.unwrap().etag;
        let (token, seen) = (node(&bob, "").await.unwrap().etag.0, node(&bob, SHARED).await.unwrap().etag);
        set(&bob, SHARED, named("Hers")).await.unwrap();
        assert_eq!(display_name(&bob, SHARED).await.as_deref(), Some("Hers"));
        assert_eq!(display_name(&alice, "personal").await.as_deref(), Some("Mine"));
        assert_eq!(node(&alice, "personal").await.unwrap().etag, before);
        assert_ne!(node(&bob, SHARED).await.unwrap().etag, seen);
        assert_eq!(changed(&bob, "", token).await, [(SHARED.to_owned(), true)]);
        set(&alice, "personal", named("Ours")).await.unwrap();
        assert_eq!(display_name(&bob, SHARED).await.as_deref(), Some("Hers"));
        let home = node(&bob, "").await.unwrap();
        let listed = bob.children(&NodePath::root(), &home, None, Needs::DEAD_PROPERTIES).await.unwrap().nodes;
        let listed = listed.iter().find(|node| node.name == SHARED).unwrap();
        assert_eq!((listed.dead_properties.len(), listed.dead_properties[0].clone()), (1, named("Hers")));
        let forget = PatchProperties {
            path: path(SHARED),
            dead: vec![Remove { namespace: "DAV:".to_owned(), local: "displayname".to_owned() }],
            ..PatchProperties::default()
        };
        bob.apply(forget).await.unwrap();
        assert_eq!(display_name(&bob, SHARED).await.as_deref(), Some("Ours"));
        relocate(&bob, SHARED, "renamed").await.unwrap();
        assert_eq!(names(&bob, "").await, ["inbox", "outbox", "personal", "renamed"]);
        assert_eq!(names(&alice, "").await, ["inbox", "outbox", "personal"]);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn private_members_are_there_for_their_owner_only() {
    on_every_engine(async |world| {
        let (alice, bob, with_bob) = calendars(&world).await;
        put_as(&alice, "personal/open.ics", "1", Visibility::Public).await.unwrap();
        put_as(&alice, "personal/busy.ics", "2", Visibility::Confidential).await.unwrap();
        put_as(&alice, "personal/hidden.ics", "3", Visibility::Private).await.unwrap();
        share(&alice, "personal", with_bob, Some(false)).await.unwrap();
        assert_eq!(names(&bob, SHARED).await, ["busy.ics", "open.ics"]);
        missing(node(&bob, &format!("{SHARED}/hidden.ics")).await);
        assert!(node(&bob, &format!("{SHARED}/busy.ics")).await.unwrap().is_confidential);
        let folder = node(&bob, SHARED).await.unwrap();
        let wanted = ["open.ics", "hidden.ics"].map(str::to_owned);
        let found = bob.members_named(&path(SHARED), &folder, &wanted, Needs::NONE).await.unwrap();
        assert_eq!(found.iter().map(|node| node.name.as_str()).collect::<Vec<_>>(), ["open.ics"]);
        let found = bob.members(&path(SHARED), &folder, &MemberFilter::default(), None, Needs::NONE).await.unwrap();
        assert_eq!(found.nodes.len(), 2);
        forbidden(copy(&bob, SHARED, "mine").await);
        forbidden(copy(&bob, &format!("{SHARED}/busy.ics"), "personal/busy.ics").await);

        share(&alice, "personal", with_bob, Some(true)).await.unwrap();
        assert!(!node(&bob, &format!("{SHARED}/busy.ics")).await.unwrap().is_confidential);
        forbidden(put(&bob, &format!("{SHARED}/hidden.ics")).await);
        missing(delete(&bob, &format!("{SHARED}/hidden.ics")).await);
        // What becomes private is gone for the others.
        let token = node(&bob, SHARED).await.unwrap().etag.0;
        put_as(&alice, "personal/open.ics", "1", Visibility::Private).await.unwrap();
        assert_eq!(changed(&bob, SHARED, token).await, [("open.ics".to_owned(), false)]);
        assert_eq!(read(&alice, "personal/hidden.ics").await.unwrap(), b"3");
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn what_its_owner_deletes_is_gone_for_everybody() {
    on_every_engine(async |world| {
        let (alice, bob, with_bob) = calendars(&world).await;
        let kind = CollectionKind::Calendar(Components::default());
        let make = MakeFolder {
            path: path("work"),
            dead_properties: Vec::new(),
            kind: Some(kind),
            conditions: Conditions::default(),
        };
        alice.apply(make).await.unwrap();
        put(&alice, "work/a.ics").await.unwrap();
        share(&alice, "work", with_bob, Some(true)).await.unwrap();
        let token = node(&bob, "").await.unwrap().etag.0;
        delete(&alice, "work").await.unwrap();
        assert_eq!(names(&bob, "").await, ["inbox", "outbox", "personal"]);
        assert_eq!(changed(&bob, "", token).await, [("work_shared_by_alice".to_owned(), false)]);
        world.clock.advance_seconds(40 * 24 * 3600);
        world.maintain().await;
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn the_end_of_an_account_is_the_end_of_its_shares() {
    on_every_engine(async |world| {
        let (alice, bob, with_bob) = calendars(&world).await;
        let with_alice = Sharee::Account(world.alice.account().id);
        share(&alice, "personal", with_bob, Some(true)).await.unwrap();
        share(&bob, "personal", with_alice, Some(false)).await.unwrap();
        let token = bob.apply(Publish { path: path("personal") }).await.unwrap();
        let before = node(&alice, "").await.unwrap().etag.0;
        world.space.delete_account(world.bob.account().id).await.unwrap();
        assert_eq!(names(&alice, "").await, ["inbox", "outbox", "personal"]);
        assert_eq!(changed(&alice, "", before).await, [("personal_shared_by_bob".to_owned(), false)]);
        assert!(alice.node(&path("personal"), Needs::SHARES).await.unwrap().shares.is_empty());
        missing(world.space.published(&token).await);
        missing(share(&alice, "personal", with_bob, Some(true)).await);
        world.maintain().await;
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_published_is_read_by_its_token_until_it_is_taken_back() {
    on_every_engine(async |world| {
        let (alice, _, _) = calendars(&world).await;
        put_as(&alice, "personal/open.ics", "1", Visibility::Public).await.unwrap();
        put_as(&alice, "personal/hidden.ics", "2", Visibility::Private).await.unwrap();
        forbidden(alice.apply(Publish { path: path("inbox") }).await);
        let token = alice.apply(Publish { path: path("personal") }).await.unwrap();
        assert_eq!(alice.apply(Publish { path: path("personal") }).await.unwrap(), token);
        assert_eq!(alice.node(&path("personal"), Needs::SHARES).await.unwrap().publication.as_deref(), Some(&*token));
        assert!(token.len() >= 24);

        let seen = world.space.published(&token).await.unwrap();
        assert_eq!(names(&seen, "").await, ["open.ics"]);
        assert_eq!(read(&seen, "open.ics").await.unwrap(), b"1");
        missing(node(&seen, "hidden.ics").await);
        forbidden(seen.in_area(Area::Files).await);
        forbidden(put(&seen, "new.ics").await);
        forbidden(delete(&seen, "open.ics").await);
        missing(world.space.published("guess").await);

        let disable = |is_enabled| AccountUpdate { is_enabled: Some(is_enabled), ..AccountUpdate::default() };
        world.space.update_account(world.alice.account().id, disable(false)).await.unwrap();
        missing(world.space.published(&token).await);
        world.space.update_account(world.alice.account().id, disable(true)).await.unwrap();
        alice.apply(Unpublish { path: path("personal") }).await.unwrap();
        missing(world.space.published(&token).await);
        let fresh = alice.apply(Publish { path: path("personal") }).await.unwrap();
        assert_ne!(fresh, token);
        delete(&alice, "personal").await.unwrap();
        missing(world.space.published(&fresh).await);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn files_are_shared_by_the_same_means() {
    on_every_engine(async |world| {
        crate::support::make_folder(&world.alice, "team").await.unwrap();
        crate::support::make_folder(&world.alice, "team/inner").await.unwrap();
        share(&world.alice, "team", Sharee::Account(world.bob.account().id), Some(true)).await.unwrap();
        crate::support::put(&world.bob, "team/inner/a.txt", b"hello").await.unwrap();
        assert_eq!(read(&world.alice, "team/inner/a.txt").await.unwrap(), b"hello");
        delete(&world.bob, "team/inner").await.unwrap();
        assert!(names(&world.alice, "team").await.is_empty());
        delete(&world.alice, "team").await.unwrap();
        assert!(names(&world.bob, "").await.is_empty());
        world.finish().await;
    })
    .await;
}
