//! Comments as news: who sees the file finds them among the activities, who is mentioned and sees it is told, and both end
//! with the comment.

use nichoir_store::change::{AddComment, Delete, DropComment, EditComment, EmptyTrash, Grant, ShareNode};
use nichoir_store::conditions::Conditions;
use nichoir_store::{
    Activity, ActivityFilter, ActivityKind, CommentId, FileId, Limits, NotificationKind, Permissions, Sharee, Tree,
};

use crate::support::*;

async fn said(tree: &Tree) -> Vec<Activity> {
    tree.activities(ActivityFilter::Comments, None, 100).await.unwrap()
}

async fn said_texts(tree: &Tree) -> Vec<String> {
    said(tree).await.into_iter().map(|it| it.detail).collect()
}

/// What waits for the tree's account because it was mentioned: the name of the file, and the message.
async fn told(tree: &Tree) -> Vec<(String, String)> {
    let found = tree.space().notifications(tree.account().id).await.unwrap();
    let found = found.into_iter().filter(|it| it.told.kind == NotificationKind::Mentioned);
    found.map(|it| (it.told.name, it.told.message)).collect()
}

async fn say(tree: &Tree, node: FileId, message: &str) -> CommentId {
    tree.apply(AddComment { node, message: message.to_owned() }).await.unwrap().id
}

async fn share(from: &Tree, at: &str, with: &Tree, permissions: Option<Permissions>) {
    let grants = vec![Grant { sharee: Sharee::Account(with.account().id), permissions }];
    from.apply(ShareNode { path: path(at), grants }).await.unwrap();
}

#[tokio::test]
async fn who_is_mentioned_and_sees_the_file_is_told_and_nobody_else() {
    on_every_engine(async |world| {
        let carol = world.space.tree_as(&make_account(&world.space, "carol").await);
        make_folder(&world.alice, "/a").await.unwrap();
        let file = put(&world.alice, "/a/x.txt", b"x").await.unwrap().node.id;
        share(&world.alice, "/a", &world.bob, Some(Permissions::READ)).await;
        let events = world.store.local_events();
        let message = "see @Bob, @carol, @alice, @nobody and bob@example.org";
        let id = say(&world.alice, file, message).await;

        let moved = events.take().spaces.remove(&world.space.info().id).unwrap();
        assert_eq!(moved.notified, [world.bob.account().id].into());
        assert!(moved.has_activity);
        assert_eq!(told(&world.bob).await, [("x.txt".to_owned(), message.to_owned())]);
        assert!(told(&world.alice).await.is_empty(), "nobody tells herself");
        assert!(told(&carol).await.is_empty(), "who does not see it");
        let waiting = world.space.notifications(world.bob.account().id).await.unwrap();
        let waiting = &waiting.iter().find(|it| it.told.kind == NotificationKind::Mentioned).unwrap().told;
        assert_eq!((waiting.actor, waiting.object), (Some(world.alice.account().id), id.0));
        assert_eq!(waiting.node, Some(file));

        for tree in [&world.alice, &world.bob] {
            let found = said(tree).await;
            assert_eq!((found.len(), found[0].kind, found[0].node), (1, ActivityKind::Commented, file));
            assert_eq!(found[0].detail, message);
        }
        assert!(said(&carol).await.is_empty());
        world.alice.apply(DropComment { node: file, id }).await.unwrap();
        for tree in [&world.alice, &world.bob] {
            assert!(told(tree).await.is_empty() && said(tree).await.is_empty());
        }
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_comment_that_says_something_else_tells_those_that_it_mentions_now() {
    on_every_engine(async |world| {
        let carol = world.space.tree_as(&make_account(&world.space, "carol").await);
        let file = put(&world.alice, "/x.txt", b"x").await.unwrap().node.id;
        for tree in [&world.bob, &carol] {
            share(&world.alice, "/x.txt", tree, Some(Permissions::READ)).await;
        }
        let id = say(&world.bob, file, "@alice").await;
        let edit = async |message: &str| {
            world.bob.apply(EditComment { node: file, id, message: message.to_owned() }).await.unwrap();
        };
        edit("dear @alice and @carol").await;
        let texts = ["dear @alice and @carol"];
        assert_eq!(told(&world.alice).await[0].1, texts[0]);
        assert_eq!(told(&carol).await[0].1, texts[0]);
        assert_eq!(said_texts(&world.alice).await, texts);

        world.space.dismiss_all(world.alice.account().id).await.unwrap();
        edit("dearest @alice").await;
        assert!(told(&world.alice).await.is_empty(), "she has put it away");
        assert!(told(&carol).await.is_empty(), "she is not mentioned any more");
        assert_eq!(said_texts(&carol).await, ["dearest @alice"]);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn what_was_said_is_told_as_long_as_the_file_is_seen() {
    on_every_engine(async |world| {
        let file = put(&world.alice, "/x.txt", b"x").await.unwrap().node.id;
        share(&world.alice, "/x.txt", &world.bob, Some(Permissions::READ)).await;
        say(&world.alice, file, "@bob").await;
        assert_eq!(told(&world.bob).await.len(), 1);
        share(&world.alice, "/x.txt", &world.bob, None).await;
        assert!(told(&world.bob).await.is_empty() && said(&world.bob).await.is_empty());
        share(&world.alice, "/x.txt", &world.bob, Some(Permissions::READ)).await;
        assert_eq!(told(&world.bob).await.len(), 1);

        let conditions = Conditions::default();
        world.alice.apply(Delete { path: path("/x.txt"), skips_trash: false, conditions }).await.unwrap();
        assert!(told(&world.bob).await.is_empty());
        assert_eq!(said(&world.alice).await.len(), 1);
        let until = world.space.ports().clock.now();
        while world.alice.apply(EmptyTrash { until }).await.unwrap() {}
        world.maintain().await;
        assert!(said(&world.alice).await.is_empty(), "what was said of what is gone for good");
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn comments_are_never_counted_together_and_tell_a_bounded_number_of_members() {
    let limits = Limits { activity_burst_rows: 1, mentions_of_comment_max: 1, ..Limits::default() };
    on_every_engine_with(limits, 1_000_000_000, async |world| {
        let carol = world.space.tree_as(&make_account(&world.space, "carol").await);
        let file = put(&world.alice, "/x.txt", b"x").await.unwrap().node.id;
        for tree in [&world.bob, &carol] {
            share(&world.alice, "/x.txt", tree, Some(Permissions::READ)).await;
        }
        let long = "é".repeat(1_000);
        for message in ["@bob", "@carol @bob", &long] {
            say(&world.alice, file, message).await;
        }
        assert_eq!(said_texts(&world.alice).await, [long.as_str(), "@carol @bob", "@bob"]);
        assert_eq!((told(&world.bob).await.len(), told(&carol).await.len()), (2, 0), "one of each comment");
        world.finish().await;
    })
    .await;
}
