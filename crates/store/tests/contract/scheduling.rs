//! Scheduling: one request writes to the calendars of several accounts, in one change or not at all.

use nichoir_store::change::{Delete, Delivery, PutFile, Scheduled, Seen, TagChange};
use nichoir_store::conditions::Conditions;
use nichoir_store::{Area, Error, Limits, MemberIndex, Needs, NewOutgoing, Space, Timestamp, Tree};

use crate::support::{World, names, node, on_every_engine, on_every_engine_with, path, read, stage};

const UID: &str = "meeting";

fn event() -> MemberIndex {
    MemberIndex {
        uid: UID.to_owned(),
        component: "VEVENT".to_owned(),
        first_seconds: 0,
        last_seconds: 1,
        visibility: nichoir_store::Visibility::Public,
    }
}

async fn put(tree: &Tree, at: &str, bytes: &[u8]) -> PutFile {
    PutFile {
        path: path(at),
        content: stage(tree, bytes).await.unwrap(),
        modified: None,
        created: None,
        checksums: None,
        makes_parents: false,
        media_type: Some("text/calendar".to_owned()),
        member: Some(event()),
        conditions: Conditions::default(),
    }
}

async fn add(tree: &Tree, collection: &str, name: &str, bytes: &[u8]) -> Delivery {
    Delivery::Add {
        account: tree.account().id,
        collection: node(tree, collection).await.unwrap().id,
        name: name.to_owned(),
        content: stage(tree, bytes).await.unwrap(),
        index: event(),
        media_type: "text/calendar".to_owned(),
        has_tag: collection != "inbox",
    }
}

async fn seen(space: &Space, tree: &Tree) -> Seen {
    let copies = space.scheduling_copies(tree.account(), UID).await.unwrap();
    let copies = copies.iter().map(|copy| (copy.node.id, copy.node.etag)).collect();
    Seen { account: tree.account().id, uid: UID.to_owned(), copies }
}

async fn tag(tree: &Tree, at: &str) -> Option<String> {
    tree.node(&path(at), Needs::SCHEDULE_TAG).await.unwrap().schedule_tag.map(|tag| tag.to_string())
}

fn mail(from: &Tree) -> NewOutgoing {
    NewOutgoing {
        account: from.account().id,
        recipient: "mailto:someone@example.org".to_owned(),
        method: "REQUEST".to_owned(),
        body: b"mail".to_vec(),
    }
}

/// alice's invitation: her own object, bob's copy, two messages in bob's inbox, a mail.
async fn invite(world: &World) -> (Tree, Tree) {
    let alice = world.alice.in_area(Area::Calendars).await.unwrap();
    let bob = world.bob.in_area(Area::Calendars).await.unwrap();
    let change = Scheduled {
        seen: vec![seen(&world.space, &alice).await, seen(&world.space, &bob).await],
        tag: Some((path("personal/m.ics"), TagChange::Moves)),
        deliveries: vec![
            add(&bob, "personal", "copy.ics", b"bob's").await,
            add(&bob, "inbox", "1.ics", b"request").await,
            add(&bob, "inbox", "2.ics", b"request again").await,
        ],
        outgoing: vec![mail(&alice)],
        ..Scheduled::of(put(&alice, "personal/m.ics", b"alice's").await)
    };
    alice.apply(change).await.unwrap();
    (alice, bob)
}

#[tokio::test]
async fn an_invitation_is_one_change_in_two_homes_and_all_ancestors_move() {
    on_every_engine(async |world| {
        let bob = world.bob.in_area(Area::Calendars).await.unwrap();
        let (home, inbox) = (node(&bob, "").await.unwrap(), node(&bob, "inbox").await.unwrap());
        let before = world.space.change_sequence().await.unwrap();
        let (alice, bob) = invite(&world).await;

        // One sequence number for each write, all of them in one commit; the collections have that of the last.
        let after = world.space.change_sequence().await.unwrap();
        let written =
            [(&alice, "personal/m.ics"), (&bob, "personal/copy.ics"), (&bob, "inbox/1.ics"), (&bob, "inbox/2.ics")];
        for ((tree, at), back) in written.into_iter().zip([3, 2, 1, 0]) {
            assert_eq!(node(tree, at).await.unwrap().etag.0, after - back, "{at}");
        }
        assert_eq!(node(&bob, "inbox").await.unwrap().etag.0, after);
        assert_eq!(node(&bob, "").await.unwrap().etag.0, after);
        assert!(after > before);
        assert_ne!(node(&bob, "").await.unwrap().etag, home.etag);
        assert_ne!(node(&bob, "inbox").await.unwrap().etag, inbox.etag);
        assert_eq!(read(&bob, "personal/copy.ics").await.unwrap(), b"bob's");
        assert_eq!(names(&bob, "inbox").await, ["1.ics", "2.ics"]);
        assert!(tag(&alice, "personal/m.ics").await.is_some() && tag(&bob, "personal/copy.ics").await.is_some());
        assert_eq!(tag(&bob, "inbox/1.ics").await, None);
        let changes = bob.changes_since(&path("inbox"), inbox.etag.0, false, 10, Needs::NONE).await.unwrap();
        assert_eq!(changes.changed.len(), 2);
        let used = bob.quota().await.unwrap().used_bytes;
        assert_eq!(used, 7 + 5 + 7 + 13);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn what_was_computed_from_a_stale_copy_changes_nothing() {
    on_every_engine(async |world| {
        let (alice, bob) = invite(&world).await;
        let stale = seen(&world.space, &alice).await;
        alice.apply(Scheduled::of(put(&alice, "personal/m.ics", b"newer").await)).await.unwrap();
        let sequence = world.space.change_sequence().await.unwrap();

        let copy = node(&bob, "personal/copy.ics").await.unwrap();
        let reply = Scheduled {
            seen: vec![stale],
            deliveries: vec![add(&alice, "inbox", "reply.ics", b"reply").await],
            ..Scheduled::of(put(&bob, "personal/copy.ics", b"accepted").await)
        };
        assert!(matches!(bob.apply(reply).await, Err(Error::Moved)));

        assert_eq!(world.space.change_sequence().await.unwrap(), sequence);
        assert_eq!(node(&bob, "personal/copy.ics").await.unwrap().etag, copy.etag);
        assert_eq!(names(&alice, "inbox").await, Vec::<String>::new());
        assert_eq!(read(&alice, "personal/m.ics").await.unwrap(), b"newer");
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn schedule_tags_move_stay_and_end_apart_from_etags() {
    on_every_engine(async |world| {
        let (alice, bob) = invite(&world).await;
        let first = tag(&alice, "personal/m.ics").await.unwrap();
        let replace = async |change| Scheduled {
            seen: vec![seen(&world.space, &alice).await],
            deliveries: vec![Delivery::Replace {
                account: alice.account().id,
                member: node(&alice, "personal/m.ics").await.unwrap().id,
                content: stage(&alice, b"merged").await.unwrap(),
                index: event(),
                tag: change,
            }],
            ..Scheduled::of(put(&bob, "personal/copy.ics", b"accepted").await)
        };
        let etag = node(&alice, "personal/m.ics").await.unwrap().etag;
        bob.apply(replace(TagChange::Stays).await).await.unwrap();
        assert_ne!(node(&alice, "personal/m.ics").await.unwrap().etag, etag);
        assert_eq!(tag(&alice, "personal/m.ics").await.as_ref(), Some(&first));
        assert_eq!(read(&alice, "personal/m.ics").await.unwrap(), b"merged");
        bob.apply(replace(TagChange::Moves).await).await.unwrap();
        let second = tag(&alice, "personal/m.ics").await.unwrap();
        assert_ne!(second, first);

        let overwrite = async |tag: &str| Scheduled {
            if_tag_match: Some((path("personal/m.ics"), tag.to_owned())),
            tag: Some((path("personal/m.ics"), TagChange::Ends)),
            ..Scheduled::of(put(&alice, "personal/m.ics", b"private").await)
        };
        let refused = alice.apply(overwrite(&first).await).await;
        assert!(matches!(refused, Err(Error::ConditionFailed("If-Schedule-Tag-Match"))));
        assert_eq!(read(&alice, "personal/m.ics").await.unwrap(), b"merged");
        alice.apply(overwrite(&second).await).await.unwrap();
        assert_eq!(tag(&alice, "personal/m.ics").await, None);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_delivery_beyond_the_pool_leaves_the_senders_object_alone() {
    on_every_engine_with(Limits::default(), 20, async |world| {
        let alice = world.alice.in_area(Area::Calendars).await.unwrap();
        let bob = world.bob.in_area(Area::Calendars).await.unwrap();
        let change = Scheduled {
            deliveries: vec![add(&bob, "personal", "copy.ics", b"0123456789012").await],
            ..Scheduled::of(put(&alice, "personal/m.ics", b"01234567").await)
        };
        assert!(matches!(alice.apply(change).await, Err(Error::OverQuota { .. })));
        assert_eq!(names(&alice, "personal").await, Vec::<String>::new());
        assert_eq!(names(&bob, "personal").await, Vec::<String>::new());
        assert_eq!(alice.quota().await.unwrap().used_bytes, 0);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn copies_are_found_in_calendars_only_and_not_in_the_trash() {
    on_every_engine(async |world| {
        let (alice, bob) = invite(&world).await;
        let copies = world.space.scheduling_copies(bob.account(), UID).await.unwrap();
        assert_eq!(copies.len(), 1);
        assert_eq!(copies[0].calendar, "personal");
        assert_eq!(copies[0].node.body.as_deref(), Some(b"bob's".as_slice()));
        assert!(world.space.scheduling_copies(bob.account(), "other").await.unwrap().is_empty());
        let delete = Delete { path: path("personal/copy.ics"), skips_trash: false, conditions: Conditions::default() };
        bob.apply(Scheduled::of(delete)).await.unwrap();
        assert!(world.space.scheduling_copies(bob.account(), UID).await.unwrap().is_empty());
        // What another account holds is no place to deliver to.
        let mut astray = add(&alice, "personal", "x.ics", b"x").await;
        if let Delivery::Add { account, .. } = &mut astray {
            *account = bob.account().id;
        }
        let change =
            Scheduled { deliveries: vec![astray], ..Scheduled::of(put(&bob, "personal/new.ics", b"new").await) };
        assert!(matches!(bob.apply(change).await, Err(Error::Moved)));
        assert_eq!(names(&bob, "personal").await, Vec::<String>::new());
        world.finish().await;
    })
    .await;
}

/// A hoster's mailer asks for them each quarter of an hour: of ten thousand spaces, those without mail stay closed.
#[tokio::test]
async fn only_spaces_with_queued_mail_are_looked_at_for_it() {
    on_every_engine(async |world| {
        let is_looked_at = async || {
            let found = world.store.spaces_with_outgoing().await.unwrap();
            found.iter().any(|space| space.info().id == world.space.info().id)
        };
        assert!(!is_looked_at().await, "it has members, and no mail");
        let (alice, _) = invite(&world).await;
        world.space.settle_outgoing().await.unwrap();
        assert!(is_looked_at().await, "something is queued");
        let waiting = world.space.outgoing_messages(10).await.unwrap();
        world.space.complete_outgoing(waiting[0].id).await.unwrap();
        assert!(is_looked_at().await, "until somebody has found nothing");
        world.space.settle_outgoing().await.unwrap();
        assert!(!is_looked_at().await);
        let again = Scheduled {
            outgoing: vec![mail(&alice)],
            ..Scheduled::of(put(&alice, "personal/m.ics", b"alice's again").await)
        };
        alice.apply(again).await.unwrap();
        assert!(is_looked_at().await, "more was queued");
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn mail_is_queued_with_the_change_and_taken_once_it_is_due() {
    on_every_engine(async |world| {
        invite(&world).await;
        let waiting = world.space.outgoing_messages(10).await.unwrap();
        assert_eq!(waiting.len(), 1);
        assert_eq!(waiting[0].message.recipient, "mailto:someone@example.org");
        assert_eq!(waiting[0].message.body, b"mail");
        let later = Timestamp::from_seconds(waiting[0].queued.seconds() + 60);
        assert!(world.space.claim_outgoing(&waiting[0], later).await.unwrap());
        assert!(!world.space.claim_outgoing(&waiting[0], later).await.unwrap(), "one caller makes the try");
        assert!(world.space.outgoing_messages(10).await.unwrap().is_empty());
        assert_eq!(world.space.next_outgoing().await.unwrap(), Some(later));
        world.clock.advance_seconds(60);
        let waiting = world.space.outgoing_messages(10).await.unwrap();
        assert_eq!(waiting[0].attempts, 1);
        world.space.postpone_outgoing(waiting[0].id, later.plus_seconds(1)).await.unwrap();
        assert!(world.space.outgoing_messages(10).await.unwrap().is_empty());
        world.clock.advance_seconds(1);
        let waiting = world.space.outgoing_messages(10).await.unwrap();
        assert_eq!(waiting[0].attempts, 1, "what was put off was not tried");
        world.space.complete_outgoing(waiting[0].id).await.unwrap();
        assert!(world.space.outgoing_messages(10).await.unwrap().is_empty());
        world.finish().await;
    })
    .await;
}
