//! What members are told: activities, notifications, statuses, and log-ins that outlive a request.

use nichoir_store::change::{Delete, Grant, Relocate, ShareNode};
use nichoir_store::conditions::Conditions;
use nichoir_store::{
    Activity, ActivityFilter, ActivityKind, Error, Limits, NewNotification, NotificationKind, Permissions, Sharee,
    Tree, UserStatus,
};

use crate::support::*;

async fn activities(tree: &Tree) -> Vec<Activity> {
    tree.activities(ActivityFilter::All, None, 100).await.unwrap()
}

/// Kind, path and count of each, newest first.
async fn shown(tree: &Tree) -> Vec<(ActivityKind, String, u64)> {
    let found = activities(tree).await;
    found.into_iter().map(|it| (it.kind, it.path.to_string(), it.others)).collect()
}

async fn share_with_bob(world: &World, at: &str, permissions: Option<Permissions>) {
    let grants = vec![Grant { sharee: Sharee::Account(world.bob.account().id), permissions }];
    world.alice.apply(ShareNode { path: path(at), grants }).await.unwrap();
}

fn told(tree: &Tree, object: i64) -> NewNotification {
    NewNotification {
        account: tree.account().id,
        kind: NotificationKind::Announced,
        actor: None,
        object,
        node: None,
        name: format!("number {object}"),
        message: String::new(),
    }
}

#[tokio::test]
async fn what_a_member_does_is_in_her_stream_newest_first() {
    on_every_engine(async |world| {
        make_folder(&world.alice, "/a").await.unwrap();
        put(&world.alice, "/a/x.txt", b"one").await.unwrap();
        world.clock.advance_seconds(100);
        put(&world.alice, "/a/x.txt", b"two").await.unwrap();
        let (source, destination) = (path("/a/x.txt"), path("/a/y.txt"));
        let conditions = Conditions::default();
        world.alice.apply(Relocate { source, destination, overwrites: false, conditions }).await.unwrap();
        let conditions = Conditions::default();
        world.alice.apply(Delete { path: path("/a/y.txt"), skips_trash: false, conditions }).await.unwrap();

        let found = shown(&world.alice).await;
        let expected = [
            (ActivityKind::Deleted, "/a/y.txt"),
            (ActivityKind::Moved, "/a/y.txt"),
            (ActivityKind::Changed, "/a/x.txt"),
            (ActivityKind::Created, "/a/x.txt"),
            (ActivityKind::Created, "/a"),
        ];
        let found: Vec<(ActivityKind, &str)> = found.iter().map(|(kind, path, _)| (*kind, path.as_str())).collect();
        assert_eq!(found, expected);
        assert_eq!(activities(&world.alice).await[1].detail, "/a/x.txt");
        assert!(shown(&world.bob).await.is_empty(), "bob sees nothing of it");
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_change_that_failed_is_no_activity() {
    on_every_engine(async |world| {
        assert!(matches!(put(&world.alice, "/missing/x.txt", b"one").await, Err(Error::ParentMissing)));
        assert!(shown(&world.alice).await.is_empty());
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_stream_goes_on_below_the_last_one_that_was_given() {
    on_every_engine(async |world| {
        for name in ["/1", "/2", "/3"] {
            put(&world.alice, name, b"x").await.unwrap();
        }
        let first = world.alice.activities(ActivityFilter::All, None, 2).await.unwrap();
        assert_eq!(first.len(), 2);
        let rest = world.alice.activities(ActivityFilter::All, Some(first[1].id), 2).await.unwrap();
        assert_eq!((rest.len(), rest[0].path.to_string().as_str()), (1, "/1"));
        assert!(world.alice.activities(ActivityFilter::All, Some(rest[0].id), 2).await.unwrap().is_empty());
        let of_one = world.alice.activities(ActivityFilter::Of(first[0].node), None, 10).await.unwrap();
        assert_eq!((of_one.len(), of_one[0].path.to_string().as_str()), (1, "/3"));
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn who_sees_a_folder_sees_what_was_done_in_it_and_not_longer() {
    on_every_engine(async |world| {
        make_folder(&world.alice, "/shared").await.unwrap();
        make_folder(&world.alice, "/shared/deep").await.unwrap();
        put(&world.alice, "/private.txt", b"x").await.unwrap();
        // What was there before is not told to who comes later.
        put(&world.alice, "/shared/deep/dismissal.txt", b"x").await.unwrap();
        let conditions = Conditions::default();
        let gone = Delete { path: path("/shared/deep/dismissal.txt"), skips_trash: false, conditions };
        world.alice.apply(gone).await.unwrap();
        world.clock.advance_seconds(1);
        share_with_bob(&world, "/shared", Some(Permissions::ALL)).await;
        put(&world.alice, "/shared/deep/a.txt", b"x").await.unwrap();
        let bobs = shown(&world.bob).await;
        assert!(bobs.contains(&(ActivityKind::Created, "/a.txt".to_owned(), 0)), "{bobs:?}");
        assert!(bobs.contains(&(ActivityKind::Shared, "/shared".to_owned(), 0)), "{bobs:?}");
        assert!(!bobs.iter().any(|(_, path, _)| path.contains("private")), "{bobs:?}");
        assert!(!bobs.iter().any(|(_, path, _)| path.contains("dismissal")), "{bobs:?}");

        // What it is called there is the mount's business.
        let mount = names(&world.bob, "/").await.remove(0);
        put(&world.bob, &format!("/{mount}/b.txt"), b"x").await.unwrap();
        let alices = shown(&world.alice).await;
        assert!(alices.contains(&(ActivityKind::Created, "/b.txt".to_owned(), 0)), "{alices:?}");
        let of_others = world.alice.activities(ActivityFilter::OfOthers, None, 10).await.unwrap();
        assert_eq!(of_others.len(), 1);

        share_with_bob(&world, "/shared", None).await;
        let left = shown(&world.bob).await;
        assert_eq!(left, [(ActivityKind::Created, format!("/{mount}/b.txt"), 0)], "what he did himself");
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn many_alike_become_one_row_that_counts() {
    let limits = Limits { activity_burst_rows: 3, ..Limits::default() };
    on_every_engine_with(limits, 1_000_000_000, async |world| {
        for number in 0..10 {
            put(&world.alice, &format!("/{number}"), b"x").await.unwrap();
        }
        let found = shown(&world.alice).await;
        assert_eq!(found.len(), 3);
        assert_eq!(found[0], (ActivityKind::Created, "/9".to_owned(), 7));
        world.clock.advance_seconds(301);
        put(&world.alice, "/later", b"x").await.unwrap();
        assert_eq!(shown(&world.alice).await.len(), 4);
        // The same file again and again is no news.
        for _ in 0..5 {
            put(&world.alice, "/later", b"y").await.unwrap();
        }
        assert_eq!(shown(&world.alice).await.len(), 5);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn activities_are_kept_for_a_while_and_in_a_bounded_number() {
    let limits = Limits { activities_max: 5, activity_burst_rows: 1_000, activity_days: 2, ..Limits::default() };
    on_every_engine_with(limits, 1_000_000_000, async |world| {
        for number in 0..8 {
            put(&world.alice, &format!("/{number}"), b"x").await.unwrap();
        }
        world.maintain().await;
        assert_eq!(shown(&world.alice).await.len(), 5);
        world.clock.advance_seconds(2 * 86_400 + 1);
        assert!(shown(&world.alice).await.is_empty(), "what is too old is not shown, removed or not");
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_share_that_is_received_is_told_once_and_withdrawn_with_it() {
    on_every_engine(async |world| {
        make_folder(&world.alice, "/a").await.unwrap();
        let events = world.store.local_events();
        share_with_bob(&world, "/a", Some(Permissions::READ)).await;
        let bob = world.bob.account().id;
        let moved = events.take().spaces.remove(&world.space.info().id).unwrap();
        assert_eq!(moved.notified, [bob].into());
        share_with_bob(&world, "/a", Some(Permissions::ALL)).await;
        let waiting = world.space.notifications(bob).await.unwrap();
        assert_eq!(waiting.len(), 1);
        assert_eq!((waiting[0].told.kind, waiting[0].told.name.as_str()), (NotificationKind::Shared, "a"));
        assert_eq!(waiting[0].told.actor, Some(world.alice.account().id));
        assert!(world.space.notifications(world.alice.account().id).await.unwrap().is_empty());
        share_with_bob(&world, "/a", None).await;
        assert!(world.space.notifications(bob).await.unwrap().is_empty());
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn notifications_are_their_accounts_own_bounded_and_expire() {
    let limits = Limits { notifications_max: 3, notification_days: 2, ..Limits::default() };
    on_every_engine_with(limits, 1_000_000_000, async |world| {
        let (alice, bob) = (world.alice.account().id, world.bob.account().id);
        for object in 0..5 {
            world.space.notify(told(&world.alice, object)).await.unwrap();
        }
        world.space.notify(told(&world.bob, 9)).await.unwrap();
        let waiting = world.space.notifications(alice).await.unwrap();
        let objects: Vec<i64> = waiting.iter().map(|it| it.told.object).collect();
        assert_eq!(objects, [4, 3, 2], "the oldest went");

        assert!(!world.space.dismiss(bob, waiting[0].id).await.unwrap(), "somebody else's");
        assert!(world.space.dismiss(alice, waiting[0].id).await.unwrap());
        assert!(!world.space.dismiss(alice, waiting[0].id).await.unwrap());
        world.space.dismiss_all(alice).await.unwrap();
        assert!(world.space.notifications(alice).await.unwrap().is_empty());
        assert_eq!(world.space.notifications(bob).await.unwrap().len(), 1);
        world.clock.advance_seconds(2 * 86_400);
        assert!(world.space.notifications(bob).await.unwrap().is_empty());
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_status_is_kept_as_it_was_set() {
    on_every_engine(async |world| {
        let account = world.alice.account().id;
        assert_eq!(world.space.user_status(account).await.unwrap(), None);
        let status = UserStatus {
            account,
            status: "dnd".to_owned(),
            is_user_defined: true,
            message_id: None,
            message: Some("à la mer".to_owned()),
            icon: Some("🏖".to_owned()),
            clear: None,
            set: world.space.ports().clock.now(),
        };
        for status in [UserStatus { status: "away".to_owned(), ..status.clone() }, status.clone()] {
            world.space.set_user_status(status).await.unwrap();
        }
        assert_eq!(world.space.user_status(account).await.unwrap(), Some(status.clone()));
        assert_eq!(world.space.user_statuses().await.unwrap(), [status]);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_token_stands_for_a_log_in_once_and_not_for_long() {
    on_every_engine(async |world| {
        let alice = world.alice.account();
        world.space.add_pre_auth([1; 32], alice.id, None, 15).await.unwrap();
        world.space.add_pre_auth([2; 32], alice.id, None, 15).await.unwrap();
        assert!(matches!(world.space.take_pre_auth([9; 32]).await, Err(Error::NotFound)));
        let (found, device) = world.space.take_pre_auth([1; 32]).await.unwrap();
        assert_eq!((found.id, device), (alice.id, None));
        assert!(matches!(world.space.take_pre_auth([1; 32]).await, Err(Error::NotFound)));
        world.clock.advance_seconds(16);
        assert!(matches!(world.space.take_pre_auth([2; 32]).await, Err(Error::NotFound)));
        world.finish().await;
    })
    .await;
}
