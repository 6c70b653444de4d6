//! Searches: all of a tree and nothing else, through mounts too; tags and comments where they are seen, gone with what they
//! are on.

use std::cmp::Ordering;

use nichoir_store::change::{AddComment, AssignTag, Copy, Delete, EditComment, MakeTag, Relocate};
use nichoir_store::conditions::Conditions;
use nichoir_store::{
    Candidate, Error, Everything, FileId, Limits, Needs, NodePath, Reach, Search, Sharee, Sieve, Tag, Timestamp, Tree,
};

use crate::sharing::share;
use crate::support::{make_account, make_folder, node, on_every_engine, on_every_engine_with, path, put};

/// Everything, the newest first.
struct Newest;

impl Sieve for Newest {
    fn lets_through(&self, _: &Candidate) -> bool {
        true
    }

    fn compare(&self, one: &Candidate, other: &Candidate) -> Ordering {
        other.modified.cmp(&one.modified)
    }
}

async fn paths(tree: &Tree, search: &Search) -> Vec<String> {
    let found = tree.search(search, Newest).await.unwrap();
    let nodes = tree.nodes_found(&found, 0..found.len(), Needs::FAVOURITE.and(Needs::LOCKS)).await.unwrap();
    assert_eq!(nodes.len(), found.len());
    for (path, node) in &nodes {
        let looked_up = tree.node(path, Needs::NONE).await.unwrap();
        assert_eq!((node.id, node.etag, node.access.clone()), (looked_up.id, looked_up.etag, looked_up.access));
    }
    nodes.into_iter().map(|(path, _)| path.to_string()).collect()
}

fn sorted(mut paths: Vec<String>) -> Vec<String> {
    paths.sort();
    paths
}

async fn delete(tree: &Tree, at: &str) {
    tree.apply(Delete { path: path(at), skips_trash: true, conditions: Conditions::default() }).await.unwrap();
}

#[tokio::test]
async fn a_search_finds_what_is_there_and_what_is_mounted_and_nothing_else() {
    on_every_engine(async |world| {
        let (alice, bob) = (&world.alice, &world.bob);
        for folder in ["team", "team/deep", "private"] {
            make_folder(alice, folder).await.unwrap();
        }
        for file in ["team/1", "team/deep/2", "private/3", "4"] {
            put(alice, file, b"x").await.unwrap();
            world.clock.advance_seconds(10);
        }
        put(bob, "own", b"x").await.unwrap();
        share(alice, "team", Sharee::Account(bob.account().id), Some(false)).await.unwrap();
        let mounted = crate::support::names(bob, "").await.into_iter().find(|name| name != "own").unwrap();
        let everything = Search::below(NodePath::root());
        let expected = ["", "/1", "/deep", "/deep/2"].map(|below| format!("/{mounted}{below}"));
        let mut expected: Vec<String> = expected.into_iter().chain(["/own".to_owned()]).collect();
        expected.sort();
        for is_newest_first in [true, false] {
            let search = Search { is_newest_first, ..everything.clone() };
            assert_eq!(sorted(paths(bob, &search).await), expected);
        }
        let newest = Search { is_newest_first: true, limit: 2, ..everything.clone() };
        let whole = paths(bob, &Search { is_newest_first: true, ..everything.clone() }).await;
        assert_eq!(paths(bob, &newest).await, whole[..2]);
        assert_eq!(paths(bob, &Search { offset: 2, ..newest.clone() }).await, whole[2..4]);
        assert_eq!(paths(bob, &Search { is_of_own: true, ..everything.clone() }).await, ["/own"]);
        let within = |reach| Search { scopes: vec![(path(&mounted), reach)], ..everything.clone() };
        assert_eq!(sorted(paths(bob, &within(Reach::All)).await).len(), 3);
        assert_eq!(sorted(paths(bob, &within(Reach::Members)).await).len(), 2);
        assert_eq!(paths(bob, &within(Reach::Itself)).await, [format!("/{mounted}")]);
        let twice =
            Search { scopes: vec![(path(&mounted), Reach::All), (NodePath::root(), Reach::All)], ..everything.clone() };
        assert_eq!(paths(bob, &twice).await.len(), expected.len());
        // By number: what is seen, under the path at which it is seen.
        let mut ids: Vec<FileId> = Vec::new();
        for at in ["team", "team/deep/2", "private/3", "4"] {
            ids.push(node(alice, at).await.unwrap().id);
        }
        let by_id = Search { ids: Some(ids), ..everything.clone() };
        let seen = [format!("/{mounted}"), format!("/{mounted}/deep/2")];
        assert_eq!(sorted(paths(bob, &by_id).await), seen);
        assert_eq!(paths(alice, &by_id).await.len(), 4);
        let unseen = Search { scopes: vec![(path("private"), Reach::All)], ..everything.clone() };
        assert!(matches!(bob.search(&unseen, Everything).await, Err(Error::NotFound)));

        let before = Search { modified_to: Timestamp::from_seconds(1_800_000_005), ..everything.clone() };
        assert_eq!(paths(alice, &before).await, ["/team/1"]);
        delete(alice, "team/1").await;
        share(alice, "team", Sharee::Account(bob.account().id), None).await.unwrap();
        assert_eq!(paths(bob, &everything).await, ["/own"]);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_search_looks_at_as_many_nodes_as_it_may_and_never_tells_half_a_result() {
    let limits = Limits { search_candidates_max: 5, ..Limits::default() };
    on_every_engine_with(limits, 1_000_000, async |world| {
        for number in 0..5 {
            put(&world.alice, &number.to_string(), b"x").await.unwrap();
        }
        let all = Search::below(NodePath::root());
        assert_eq!(world.alice.search(&all, Everything).await.unwrap().len(), 5);
        put(&world.alice, "5", b"x").await.unwrap();
        assert!(matches!(world.alice.search(&all, Everything).await, Err(Error::TooLarge { limit: 5 })));
        // The newest are known without looking at the rest.
        let newest = Search { is_newest_first: true, limit: 1, ..all };
        world.clock.advance_seconds(1);
        put(&world.alice, "6", b"x").await.unwrap();
        put(&world.alice, "7", b"x").await.unwrap();
        let found = world.alice.search(&newest, Newest).await.unwrap();
        assert_eq!((found.len(), found.has_more), (1, true));
        world.finish().await;
    })
    .await;
}

async fn tag(tree: &Tree, name: &str) -> Tag {
    let made = MakeTag { name: name.to_owned(), color: String::new(), is_visible: true, is_assignable: true };
    tree.apply(made).await.unwrap()
}

#[tokio::test]
async fn tags_and_comments_are_seen_through_a_share_and_go_with_the_file() {
    on_every_engine(async |world| {
        let (alice, bob) = (&world.alice, &world.bob);
        make_folder(alice, "team").await.unwrap();
        let file = put(alice, "team/a", b"x").await.unwrap().node.id;
        let etag = node(alice, "team/a").await.unwrap().etag;
        let urgent = tag(bob, "urgent").await;
        let assign = AssignTag { node: file, tag: urgent.id, is_assigned: true };
        assert!(matches!(bob.apply(assign).await, Err(Error::NotFound)), "not shared yet");
        share(alice, "team", Sharee::Account(bob.account().id), Some(false)).await.unwrap();
        assert!(matches!(bob.apply(assign).await, Err(Error::Forbidden(_))), "for reading only");
        let said = bob.apply(AddComment { node: file, message: "hello".to_owned() }).await.unwrap();
        alice.apply(assign).await.unwrap();
        assert_eq!(bob.tags_of(file).await.unwrap(), std::slice::from_ref(&urgent));
        let counts = async |tree: &Tree| {
            let (_, node) = tree.node_by_id(file, Needs::COMMENTS).await.unwrap();
            node.comments.map(|counts| (counts.all, counts.unread))
        };
        assert_eq!((counts(alice).await, counts(bob).await), (Some((1, 1)), Some((1, 0))));
        assert_eq!(node(alice, "team/a").await.unwrap().etag, etag);
        let others = EditComment { node: file, id: said.id, message: "no".to_owned() };
        assert!(matches!(alice.apply(others).await, Err(Error::Forbidden(_))));

        // A copy is another file; what is moved is the same.
        let copy = Copy {
            source: path("team/a"),
            destination: path("team/b"),
            overwrites: false,
            is_deep: true,
            conditions: Conditions::default(),
        };
        let copied = alice.apply(copy).await.unwrap().node.id;
        assert!(alice.tags_of(copied).await.unwrap().is_empty());
        let moved = Relocate {
            source: path("team/a"),
            destination: path("c"),
            overwrites: false,
            conditions: Conditions::default(),
        };
        alice.apply(moved).await.unwrap();
        assert_eq!(alice.tags_of(file).await.unwrap().len(), 1);
        assert!(matches!(bob.comments(file, None, 0, 9).await, Err(Error::NotFound)));

        // Whoever is gone has said what was said, without a name.
        world.space.delete_account(bob.account().id).await.unwrap();
        let comments = alice.comments(file, None, 0, 9).await.unwrap();
        assert_eq!((comments[0].author.clone(), comments[0].message.as_str()), (None, "hello"));
        delete(alice, "c").await;
        world.maintain().await;
        assert!(alice.tagged(urgent.id).await.unwrap().is_empty());
        let carol = world.space.tree_as(&make_account(&world.space, "carol").await);
        assert_eq!(carol.tags().await.unwrap(), [urgent]);
        world.finish().await;
    })
    .await;
}
