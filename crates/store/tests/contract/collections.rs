//! Calendars and address books: homes, the rules for members, and what the store knows of their content.

use nichoir_store::change::{Copy, Delete, Generate, GeneratedMember, MakeFolder, PutFile, Relocate, Written};
use nichoir_store::conditions::Conditions;
use nichoir_store::{
    Area, CARD, CollectionKind, Components, Error, Limits, MemberFilter, MemberIndex, Needs, Tree, Visibility,
};

use crate::support::{names, node, on_every_engine, on_every_engine_with, path, put, read, stage};

pub(crate) fn event(uid: &str, first_seconds: i64, last_seconds: i64) -> MemberIndex {
    MemberIndex {
        uid: uid.to_owned(),
        component: "VEVENT".to_owned(),
        first_seconds,
        last_seconds,
        visibility: Visibility::Public,
    }
}

pub(crate) async fn put_member(tree: &Tree, at: &str, bytes: &[u8], index: MemberIndex) -> Result<Written, Error> {
    let change = PutFile {
        path: path(at),
        content: stage(tree, bytes).await?,
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

async fn make_calendar(tree: &Tree, at: &str, components: &[&str]) -> Result<Written, Error> {
    let kind = CollectionKind::Calendar(Components::of(components).unwrap());
    let change =
        MakeFolder { path: path(at), dead_properties: Vec::new(), kind: Some(kind), conditions: Conditions::default() };
    tree.apply(change).await
}

async fn relocate(tree: &Tree, from: &str, to: &str, overwrites: bool) -> Result<Written, Error> {
    let change = Relocate { source: path(from), destination: path(to), overwrites, conditions: Conditions::default() };
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

async fn delete(tree: &Tree, at: &str) -> Result<(), Error> {
    tree.apply(Delete { path: path(at), skips_trash: false, conditions: Conditions::default() }).await
}

async fn matching(tree: &Tree, at: &str, filter: &MemberFilter) -> Vec<String> {
    let folder = node(tree, at).await.unwrap();
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = tree.members(&path(at), &folder, filter, after, Needs::NONE).await.unwrap();
        for node in page.nodes {
            assert_eq!(node.body.as_deref().unwrap(), read(tree, &format!("{at}/{}", node.name)).await.unwrap());
            found.push(node.name);
        }
        after = page.next;
        if after.is_none() {
            return found;
        }
    }
}

#[tokio::test]
async fn a_home_is_made_once_with_its_first_collections() {
    on_every_engine(async |world| {
        let (first, second) = tokio::join!(world.alice.in_area(Area::Calendars), world.alice.in_area(Area::Calendars));
        let (first, second) = (first.unwrap(), second.unwrap());
        assert_eq!(names(&first, "").await, ["inbox", "outbox", "personal"]);
        make_calendar(&first, "work", &["VEVENT"]).await.unwrap();
        assert_eq!(names(&second, "").await, ["inbox", "outbox", "personal", "work"]);
        let cards = world.alice.in_area(Area::AddressBooks).await.unwrap();
        assert_eq!(names(&cards, "").await, ["contacts"]);
        assert_eq!(names(&world.alice, "").await, Vec::<String>::new());
        let bob = world.bob.in_area(Area::Calendars).await.unwrap();
        assert_eq!(names(&bob, "").await, ["inbox", "outbox", "personal"]);

        let (store, reopened) = world.reopen().await;
        let reopened = reopened.in_area(Area::Calendars).await.unwrap();
        assert_eq!(names(&reopened, "").await, ["inbox", "outbox", "personal", "work"]);
        store.close().await;
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn members_stand_in_collections_and_collections_in_the_home() {
    on_every_engine(async |world| {
        let tree = world.alice.in_area(Area::Calendars).await.unwrap();
        let refused = |error| assert!(matches!(error, Err(Error::WrongPlace)), "{error:?}");
        refused(put_member(&tree, "lost.ics", b"x", event("1", 0, 1)).await);
        refused(make_calendar(&tree, "personal/inner", &["VEVENT"]).await);
        refused(put(&tree, "personal/plain", b"x").await);
        refused(relocate(&tree, "personal", "inbox/personal", false).await);
        put_member(&tree, "personal/a.ics", b"a", event("1", 0, 1)).await.unwrap();
        refused(relocate(&tree, "personal/a.ics", "a.ics", false).await);
        refused(copy(&tree, "personal/a.ics", "a.ics").await);
        assert!(matches!(put_member(&tree, "inbox/a.ics", b"x", event("1", 0, 1)).await, Err(Error::Forbidden(_))));
        assert!(matches!(delete(&tree, "inbox").await, Err(Error::Forbidden(_))));
        assert!(matches!(relocate(&tree, "outbox", "elsewhere", false).await, Err(Error::Forbidden(_))));
        // A file of the files' tree is no member, and a calendar is no folder there.
        assert!(matches!(make_calendar(&world.alice, "cal", &["VEVENT"]).await, Err(Error::WrongPlace)));
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_uid_is_unique_in_its_collection_and_free_again_after_delete() {
    on_every_engine(async |world| {
        let tree = world.alice.in_area(Area::Calendars).await.unwrap();
        make_calendar(&tree, "work", &["VEVENT"]).await.unwrap();
        put_member(&tree, "personal/a.ics", b"a", event("1", 0, 1)).await.unwrap();
        let taken = |outcome: Result<Written, Error>, by: &str| match outcome {
            Err(Error::UidTaken { path }) => assert_eq!(path.to_string(), by),
            other => panic!("{other:?}"),
        };
        taken(put_member(&tree, "personal/b.ics", b"b", event("1", 0, 1)).await, "/personal/a.ics");
        taken(put_member(&tree, "personal/a.ics", b"b", event("2", 0, 1)).await, "/personal/a.ics");
        taken(copy(&tree, "personal/a.ics", "personal/c.ics").await, "/personal/a.ics");
        copy(&tree, "personal/a.ics", "work/a.ics").await.unwrap();
        taken(relocate(&tree, "personal/a.ics", "work/other.ics", true).await, "/work/a.ics");
        relocate(&tree, "personal/a.ics", "work/a.ics", true).await.unwrap();
        put_member(&tree, "work/b.ics", b"b", event("2", 0, 1)).await.unwrap();
        taken(relocate(&tree, "work/a.ics", "work/b.ics", true).await, "/work/b.ics");
        taken(copy(&tree, "work/b.ics", "work/a.ics").await, "/work/a.ics");
        assert!(matches!(relocate(&tree, "work/a.ics", "work/b.ics", false).await, Err(Error::Exists)));
        delete(&tree, "work/b.ics").await.unwrap();
        relocate(&tree, "work/a.ics", "work/renamed.ics", true).await.unwrap();
        delete(&tree, "work/renamed.ics").await.unwrap();
        put_member(&tree, "work/again.ics", b"c", event("1", 0, 1)).await.unwrap();
        assert_eq!(matching(&tree, "work", &MemberFilter::default()).await, ["again.ics"]);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_calendar_takes_its_components_only_wherever_they_come_from() {
    on_every_engine(async |world| {
        let tree = world.alice.in_area(Area::Calendars).await.unwrap();
        make_calendar(&tree, "tasks", &["vtodo"]).await.unwrap();
        let refused = |error| assert!(matches!(error, Err(Error::WrongComponent)), "{error:?}");
        refused(put_member(&tree, "tasks/a.ics", b"a", event("1", 0, 1)).await);
        put_member(&tree, "personal/a.ics", b"a", event("1", 0, 1)).await.unwrap();
        refused(copy(&tree, "personal/a.ics", "tasks/a.ics").await);
        refused(relocate(&tree, "personal/a.ics", "tasks/a.ics", true).await);
        let todo = MemberIndex { component: "VTODO".to_owned(), ..event("2", i64::MIN, i64::MAX) };
        put_member(&tree, "tasks/b.ics", b"b", todo).await.unwrap();
        let cards = world.alice.in_area(Area::AddressBooks).await.unwrap();
        refused(put_member(&cards, "contacts/a.vcf", b"a", event("1", 0, 1)).await);
        let card = MemberIndex { component: CARD.to_owned(), ..event("1", i64::MIN, i64::MAX) };
        put_member(&cards, "contacts/a.vcf", b"a", card).await.unwrap();
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn members_are_found_by_time_type_uid_and_name_with_content_of_any_size() {
    on_every_engine(async |world| {
        let tree = world.alice.in_area(Area::Calendars).await.unwrap();
        let large = vec![b'x'; 100_000];
        put_member(&tree, "personal/old", b"old", event("1", 10, 20)).await.unwrap();
        put_member(&tree, "personal/large", &large, event("2", 30, 40)).await.unwrap();
        put_member(&tree, "personal/endless", b"endless", event("3", 35, i64::MAX)).await.unwrap();
        let todo = MemberIndex { component: "VTODO".to_owned(), ..event("4", i64::MIN, i64::MAX) };
        put_member(&tree, "personal/todo", b"todo", todo).await.unwrap();
        let all = MemberFilter::default();
        assert_eq!(matching(&tree, "personal", &all).await, ["old", "large", "endless", "todo"]);
        let events = MemberFilter { component: Some("VEVENT".to_owned()), ..all.clone() };
        let within = |start_seconds, end_seconds| MemberFilter { start_seconds, end_seconds, ..events.clone() };
        assert_eq!(matching(&tree, "personal", &within(20, 29)).await, ["old"]);
        assert_eq!(matching(&tree, "personal", &within(21, 30)).await, ["large"]);
        assert_eq!(matching(&tree, "personal", &within(41, i64::MAX)).await, ["endless"]);
        let by_uid = MemberFilter { uid: Some("2".to_owned()), ..all };
        assert_eq!(matching(&tree, "personal", &by_uid).await, ["large"]);

        let folder = node(&tree, "personal").await.unwrap();
        let wanted = ["todo", "nothing", "large", "todo"].map(str::to_owned);
        let found = tree.members_named(&path("personal"), &folder, &wanted, Needs::NONE).await.unwrap();
        let found: Vec<(&str, usize)> =
            found.iter().map(|node| (node.name.as_str(), node.body.as_ref().unwrap().len())).collect();
        assert_eq!(found, [("large", large.len()), ("todo", 4)]);
        let listed = tree.children(&path("personal"), &folder, None, Needs::BODY).await.unwrap();
        assert_eq!(listed.nodes[1].body.as_deref().unwrap(), large);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_copied_or_deleted_calendar_keeps_what_it_holds_apart() {
    on_every_engine(async |world| {
        let tree = world.alice.in_area(Area::Calendars).await.unwrap();
        put_member(&tree, "personal/a.ics", b"a", event("1", 0, 1)).await.unwrap();
        put_member(&tree, "personal/a.ics", b"aa", event("1", 5, 6)).await.unwrap();
        copy(&tree, "personal", "copy").await.unwrap();
        assert_eq!(node(&tree, "copy").await.unwrap().collection, node(&tree, "personal").await.unwrap().collection);
        assert_eq!(matching(&tree, "copy", &MemberFilter::default()).await, ["a.ics"]);
        put_member(&tree, "copy/a.ics", b"b", event("1", 0, 1)).await.unwrap();
        assert_eq!(read(&tree, "personal/a.ics").await.unwrap(), b"aa");
        delete(&tree, "personal").await.unwrap();
        assert_eq!(names(&tree, "").await, ["copy", "inbox", "outbox"]);
        assert_eq!(tree.quota().await.unwrap().used_bytes, 1);

        world.space.delete_account(world.alice.account().id).await.unwrap();
        assert_eq!(world.bob.quota().await.unwrap().used_bytes, 0);
        world.maintain().await;
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn only_the_server_writes_into_a_generated_collection() {
    on_every_engine(async |world| {
        let home = world.alice.in_area(Area::Calendars).await.unwrap();
        let change = MakeFolder {
            path: path("contact_birthdays"),
            dead_properties: Vec::new(),
            kind: Some(CollectionKind::Birthdays),
            conditions: Conditions::default(),
        };
        home.apply(change).await.unwrap();
        let generate = async |puts: &[(&str, &[u8])], removes: &[&str]| {
            let mut made = Vec::new();
            for (name, bytes) in puts {
                made.push(GeneratedMember {
                    name: (*name).to_owned(),
                    content: stage(&home, bytes).await.unwrap(),
                    index: event(name, 0, 10),
                    media_type: "text/calendar".to_owned(),
                });
            }
            let removes = removes.iter().map(|name| (*name).to_owned()).collect();
            let collection = path("contact_birthdays");
            home.apply(Generate { collection, puts: made, removes, dead_property: None }).await
        };
        let before = node(&home, "contact_birthdays").await.unwrap().etag;
        let used = home.quota().await.unwrap().used_bytes;
        generate(&[("a.ics", b"one"), ("b.ics", b"two")], &[]).await.unwrap();
        generate(&[("a.ics", b"three")], &["b.ics", "c.ics"]).await.unwrap();
        assert_eq!(names(&home, "contact_birthdays").await, ["a.ics"]);
        assert_eq!(read(&home, "contact_birthdays/a.ics").await.unwrap(), b"three");
        assert!(node(&home, "contact_birthdays").await.unwrap().etag > before);
        assert_eq!(home.quota().await.unwrap().used_bytes, used + 5);

        let refused = |outcome: Result<(), Error>| assert!(matches!(outcome, Err(Error::Forbidden(_))), "{outcome:?}");
        refused(put_member(&home, "contact_birthdays/x.ics", b"x", event("x", 0, 1)).await.map(drop));
        refused(put_member(&home, "contact_birthdays/a.ics", b"x", event("a.ics", 0, 1)).await.map(drop));
        refused(delete(&home, "contact_birthdays/a.ics").await);
        refused(relocate(&home, "contact_birthdays/a.ics", "personal/a.ics", true).await.map(drop));
        refused(copy(&home, "contact_birthdays", "mine").await.map(drop));
        assert_eq!(read(&home, "contact_birthdays/a.ics").await.unwrap(), b"three");
        // What a client writes to, the server does not generate.
        let change = Generate {
            collection: path("personal"),
            puts: Vec::new(),
            removes: vec!["a.ics".to_owned()],
            dead_property: None,
        };
        refused(home.apply(change).await);
        delete(&home, "contact_birthdays").await.unwrap();
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn readers_of_large_members_do_not_wait_for_each_other_for_ever() {
    on_every_engine(async |world| {
        let tree = world.alice.in_area(Area::Calendars).await.unwrap();
        let large = vec![b'x'; 20_000];
        for uid in ["1", "2", "3"] {
            put_member(&tree, &format!("personal/{uid}"), &large, event(uid, 0, 1)).await.unwrap();
        }
        let folder = node(&tree, "personal").await.unwrap();
        let read = async |round: usize| {
            let (at, names) = (path("personal"), ["1", "2", "3"].map(str::to_owned));
            let nodes = match round % 3 {
                0 => tree.members(&at, &folder, &MemberFilter::default(), None, Needs::NONE).await.unwrap().nodes,
                1 => tree.members_named(&at, &folder, &names, Needs::NONE).await.unwrap(),
                _ => tree.children(&at, &folder, None, Needs::BODY).await.unwrap().nodes,
            };
            assert!(nodes.len() == 3 && nodes.iter().all(|node| node.body.as_deref() == Some(&*large)));
        };
        let readers = futures_util::future::join_all((0..24).map(read));
        tokio::time::timeout(std::time::Duration::from_secs(30), readers).await.expect("nobody waits for ever");
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn pages_end_where_their_content_is_too_much_to_hold() {
    let limits = Limits { page_member_bytes: 25, ..Limits::default() };
    on_every_engine_with(limits, 1_000_000, async |world| {
        let tree = world.alice.in_area(Area::Calendars).await.unwrap();
        for (uid, size) in [("1", 10), ("2", 15), ("3", 1), ("4", 60), ("5", 0)] {
            put_member(&tree, &format!("personal/{uid}"), &vec![b'x'; size], event(uid, 0, 1)).await.unwrap();
        }
        let (at, folder) = (path("personal"), node(&tree, "personal").await.unwrap());
        let expected = ["12", "3", "4", "5"];
        for is_listing in [false, true] {
            let (mut after, mut pages) = (None, Vec::new());
            loop {
                let page = match is_listing {
                    false => tree.members(&at, &folder, &MemberFilter::default(), after, Needs::NONE).await.unwrap(),
                    true => tree.children(&at, &folder, after, Needs::BODY).await.unwrap(),
                };
                assert!(page.nodes.iter().all(|node| node.body.as_ref().unwrap().len() as u64 == node.size_bytes));
                pages.push(page.nodes.iter().map(|node| node.name.as_str()).collect::<String>());
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(pages, expected, "{is_listing}");
        }
        let wanted = ["1", "2", "3", "4"].map(str::to_owned);
        let mut found = tree.members_named(&at, &folder, &wanted, Needs::NONE).await.unwrap();
        for member in found.iter_mut().filter(|member| member.body.is_none()) {
            assert!(tree.load_body(member).await.unwrap());
        }
        let sizes: Vec<usize> = found.iter().map(|member| member.body.as_ref().unwrap().len()).collect();
        assert_eq!(sizes, [10, 15, 1, 60]);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_member_that_is_replaced_or_deleted_while_it_is_read() {
    on_every_engine(async |world| {
        let tree = world.alice.in_area(Area::Calendars).await.unwrap();
        put_member(&tree, "personal/a", &[b'x'; 20_000], event("1", 0, 1)).await.unwrap();
        let mut old = node(&tree, "personal/a").await.unwrap();
        put_member(&tree, "personal/a", &[b'y'; 30_000], event("1", 0, 1)).await.unwrap();
        let new = node(&tree, "personal/a").await.unwrap();
        assert!(tree.load_body(&mut old).await.unwrap());
        assert_eq!((old.etag, old.size_bytes), (new.etag, 30_000));
        assert_eq!(old.body.as_deref(), Some(&[b'y'; 30_000][..]));
        put_member(&tree, "personal/a", b"z", event("1", 0, 1)).await.unwrap();
        delete(&tree, "personal/a").await.unwrap();
        assert!(!tree.load_body(&mut old).await.unwrap());
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_home_is_never_without_an_address_book() {
    on_every_engine(async |world| {
        let books = world.alice.in_area(Area::AddressBooks).await.unwrap();
        let first = node(&books, "contacts").await.unwrap().id;
        let token = books.sync_token(&path("")).await.unwrap();
        delete(&books, "contacts").await.unwrap();
        assert_eq!(names(&books, "").await, ["contacts"]);
        assert_ne!(node(&books, "contacts").await.unwrap().id, first, "it is another one");
        let changes = books.changes_since(&path(""), token, false, 10, Needs::NONE).await.unwrap();
        assert!(matches!(&changes.changed[..], [only] if only.node.is_some()), "{changes:?}");
        let kind = Some(CollectionKind::AddressBook);
        let conditions = Conditions::default();
        let make = MakeFolder { path: path("more"), dead_properties: Vec::new(), kind, conditions };
        books.apply(make).await.unwrap();
        delete(&books, "contacts").await.unwrap();
        assert_eq!(names(&books, "").await, ["more"]);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn inbox_and_outbox_are_neither_copied_nor_moved_over() {
    on_every_engine(async |world| {
        let home = world.alice.in_area(Area::Calendars).await.unwrap();
        make_calendar(&home, "work", &["VEVENT"]).await.unwrap();
        let inbox = node(&home, "inbox").await.unwrap().id;
        for name in ["inbox", "outbox"] {
            let copied = copy(&home, "work", name).await;
            assert!(matches!(copied, Err(Error::Forbidden(_))), "{copied:?}");
            let moved = relocate(&home, "work", name, true).await;
            assert!(matches!(moved, Err(Error::Forbidden(_))), "{moved:?}");
        }
        assert_eq!(names(&home, "").await, ["inbox", "outbox", "personal", "work"]);
        assert_eq!(node(&home, "inbox").await.unwrap().id, inbox);
        world.finish().await;
    })
    .await;
}
