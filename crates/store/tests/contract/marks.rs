//! What belongs to the members of a folder is found, whether one of them has it or all.

use nichoir_store::change::{AssignTag, CreateShare, DeadPropertyPatch, Grant, MakeTag, PatchProperties, ShareNode};
use nichoir_store::{DeadProperty, Needs, Node, Permissions, Sharee, Tree};

use crate::support::{World, make_folder, node, on_every_engine, path, put};

/// More than are told apart in one look.
const MEMBERS: usize = 40;
const NEEDS: Needs = Needs::FAVOURITE.and(Needs::DEAD_PROPERTIES).and(Needs::SHARES).and(Needs::TAGS);

fn name(number: usize) -> String {
    format!("file {number:02}")
}

async fn listed(tree: &Tree, at: &str) -> Vec<Node> {
    let folder = node(tree, at).await.unwrap();
    let mut nodes = tree.children(&path(at), &folder, None, NEEDS).await.unwrap().nodes;
    nodes.sort_by(|left, right| left.name.cmp(&right.name));
    nodes
}

async fn mark(world: &World, numbers: &[usize]) {
    let tag = MakeTag { name: "tag".to_owned(), color: String::new(), is_visible: true, is_assignable: true };
    let tag = world.alice.apply(tag).await.unwrap().id;
    for &number in numbers {
        let at = format!("folder/{}", name(number));
        let property =
            DeadProperty { namespace: "urn:x".to_owned(), local: "p".to_owned(), xml: format!("<p>{number}</p>") };
        let patch = PatchProperties {
            path: path(&at),
            favourite: Some(true),
            dead: vec![DeadPropertyPatch::Set(property)],
            ..PatchProperties::default()
        };
        world.alice.apply(patch).await.unwrap();
        let share = CreateShare {
            path: path(&at),
            sharee: Sharee::Account(world.bob.account().id),
            permissions: Some(Permissions::READ),
            expires: None,
            note: String::new(),
            label: String::new(),
            attributes: None,
            awaits_answer: false,
        };
        world.alice.apply(share).await.unwrap();
        let id = node(&world.alice, &at).await.unwrap().id;
        world.alice.apply(AssignTag { node: id, tag, is_assigned: true }).await.unwrap();
    }
}

#[track_caller]
fn check(nodes: &[Node], numbers: &[usize]) {
    assert_eq!(nodes.len(), MEMBERS);
    for (number, node) in nodes.iter().enumerate() {
        let is_marked = numbers.contains(&number);
        assert_eq!(node.name, name(number));
        assert_eq!(node.is_favourite, is_marked, "{number}");
        let property = is_marked.then(|| format!("<p>{number}</p>"));
        assert_eq!(node.dead_property("urn:x", "p").map(|it| it.xml.clone()), property, "{number}");
        assert_eq!(node.shares.len(), usize::from(is_marked), "{number}");
        assert_eq!(node.tags.len(), usize::from(is_marked), "{number}");
    }
}

#[tokio::test]
async fn what_belongs_to_one_to_two_or_to_all_members_of_a_folder_is_listed_with_them() {
    let all: Vec<usize> = (0..MEMBERS).collect();
    for numbers in [&[][..], &[7], &[0, MEMBERS - 1], &all] {
        on_every_engine(async |world| {
            make_folder(&world.alice, "folder").await.unwrap();
            make_folder(&world.alice, "other").await.unwrap();
            for number in 0..MEMBERS {
                put(&world.alice, &format!("folder/{}", name(number)), b"x").await.unwrap();
                put(&world.alice, &format!("other/{}", name(number)), b"x").await.unwrap();
            }
            mark(&world, numbers).await;
            check(&listed(&world.alice, "folder").await, numbers);
            // Their numbers lie between those of the marked ones.
            check(&listed(&world.alice, "other").await, &[]);
            world.finish().await;
        })
        .await;
    }
}

#[tokio::test]
async fn what_belongs_to_a_mounted_folder_is_listed_with_the_mount() {
    on_every_engine(async |world| {
        for number in 0..3 {
            make_folder(&world.alice, &format!("team {number}")).await.unwrap();
            let sharee = Sharee::Account(world.bob.account().id);
            let grants = vec![Grant { sharee, permissions: Some(Permissions::ALL) }];
            world.alice.apply(ShareNode { path: path(&format!("team {number}")), grants }).await.unwrap();
            put(&world.bob, &format!("own {number}"), b"x").await.unwrap();
        }
        let patch = PatchProperties { path: path("team 1"), favourite: Some(true), ..PatchProperties::default() };
        world.bob.apply(patch).await.unwrap();
        let marked = |nodes: Vec<Node>| {
            nodes.into_iter().filter(|node| node.is_favourite).map(|node| node.name).collect::<Vec<_>>()
        };
        assert_eq!(marked(listed(&world.bob, "").await), ["team 1"]);
        assert_eq!(marked(listed(&world.alice, "").await), Vec::<String>::new());
        world.finish().await;
    })
    .await;
}
