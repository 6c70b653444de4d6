//! Groups of accounts.

use nichoir_store::{Error, Group, Limits};

use crate::support::{World, make_account, on_every_engine, on_every_engine_with};

async fn logins(world: &World, group: &Group) -> Vec<String> {
    world.space.members_of(group.id).await.unwrap().into_iter().map(|account| account.login).collect()
}

#[tokio::test]
async fn a_group_has_the_accounts_that_were_put_in_it() {
    on_every_engine(async |world| {
        let (alice, bob) = (world.alice.account().id, world.bob.account().id);
        let group = world.space.create_group("Conseil d'administration", "").await.unwrap();
        assert_eq!(group.display_name, "Conseil d'administration");
        assert!(world.space.add_to_group(group.id, alice).await.unwrap());
        assert!(world.space.add_to_group(group.id, bob).await.unwrap());
        assert!(!world.space.add_to_group(group.id, bob).await.unwrap(), "she is in it already");
        assert_eq!(logins(&world, &group).await, ["alice", "bob"]);
        assert!(world.space.remove_from_group(group.id, alice).await.unwrap());
        assert!(!world.space.remove_from_group(group.id, alice).await.unwrap());
        assert_eq!(world.space.groups_of(bob).await.unwrap(), [Group::everyone(), group.clone()]);
        assert_eq!(world.space.groups_of(alice).await.unwrap(), [Group::everyone()]);
        assert_eq!(world.space.memberships().await.unwrap()[&bob], [group.id]);
        let renamed = world.space.rename_group(group.id, "Bureau").await.unwrap();
        assert_eq!((renamed.name.as_str(), renamed.display_name.as_str()), (group.name.as_str(), "Bureau"));
        world.space.delete_group(group.id).await.unwrap();
        assert!(matches!(world.space.group(group.id).await, Err(Error::NotFound)));
        assert_eq!(world.space.groups_of(bob).await.unwrap(), [Group::everyone()]);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn names_of_groups_are_unique_whatever_their_case() {
    on_every_engine(async |world| {
        let group = world.space.create_group("Été", "").await.unwrap();
        assert_eq!(world.space.group_by_name("ÉTÉ").await.unwrap(), group);
        for taken in ["été", "Everyone", "ADMIN"] {
            assert!(matches!(world.space.create_group(taken, "").await, Err(Error::Exists)), "{taken}");
        }
        let long = "é".repeat(64);
        assert!(world.space.create_group(&long, "").await.is_ok());
        for bad in ["", " x", "a/b", "a\\b", ".x", "a\nb", &format!("{long}é")] {
            assert!(matches!(world.space.create_group(bad, "x").await, Err(Error::BadName(_))), "{bad:?}");
        }
        assert!(matches!(world.space.rename_group(group.id, "").await, Err(Error::BadName(_))));
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn everyone_is_a_group_that_stays_as_it_is() {
    on_every_engine(async |world| {
        let everyone = world.space.group_by_name("EVERYONE").await.unwrap();
        assert!(everyone.is_everyone());
        assert_eq!(logins(&world, &everyone).await, ["alice", "bob"]);
        let carol = make_account(&world.space, "carol").await;
        assert_eq!(logins(&world, &everyone).await, ["alice", "bob", "carol"]);
        for refused in [
            world.space.add_to_group(everyone.id, carol.id).await.map(drop),
            world.space.remove_from_group(everyone.id, carol.id).await.map(drop),
            world.space.rename_group(everyone.id, "x").await.map(drop),
            world.space.delete_group(everyone.id).await,
        ] {
            assert!(matches!(refused, Err(Error::Forbidden(_))));
        }
        assert_eq!(world.space.groups().await.unwrap(), [everyone]);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn who_is_deleted_is_in_no_group_any_more() {
    on_every_engine(async |world| {
        let group = world.space.create_group("choir", "").await.unwrap();
        let carol = make_account(&world.space, "carol").await;
        world.space.add_to_group(group.id, carol.id).await.unwrap();
        world.space.delete_account(carol.id).await.unwrap();
        assert!(logins(&world, &group).await.is_empty());
        assert!(matches!(world.space.add_to_group(group.id, carol.id).await, Err(Error::NotFound)));
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_space_has_no_more_groups_than_it_may_have() {
    let limits = Limits { groups_max: 2, ..Limits::default() };
    on_every_engine_with(limits, 1_000_000, async |world| {
        world.space.create_group("one", "").await.unwrap();
        world.space.create_group("two", "").await.unwrap();
        assert!(matches!(world.space.create_group("three", "").await, Err(Error::TooLarge { limit: 2 })));
        assert_eq!(world.space.groups().await.unwrap().len(), 3);
        world.finish().await;
    })
    .await;
}
