//! Accounts, devices, login flows.

use nichoir_store::{AccountUpdate, Error, Limits, LoginFlow, LoginGrant, NewAccount, Role};

use crate::support::{On, World, make_account, node, on_every_engine, put};

#[tokio::test]
async fn logins_and_addresses_are_unique_whatever_their_case() {
    on_every_engine(async |world| {
        let new = |login: &str, email: Option<&str>| NewAccount {
            login: login.to_owned(),
            display_name: String::new(),
            email: email.map(str::to_owned),
            role: Role::Admin,
            password_hash: None,
        };
        assert!(matches!(world.space.create_account(new("ALICE", None)).await, Err(Error::Exists)));
        let carol = world.space.create_account(new("carol", Some("Carol@Example.org"))).await.unwrap();
        assert!(matches!(
            world.space.create_account(new("other", Some("carol@example.ORG"))).await,
            Err(Error::Exists)
        ));
        assert_eq!(world.space.account_by_login("CAROL").await.unwrap().id, carol.id);
        assert_eq!(world.space.account_by_login("carol@example.org").await.unwrap().id, carol.id);
        for bad in ["", "a b", "a/b", "é", ".x"] {
            assert!(matches!(world.space.create_account(new(bad, None)).await, Err(Error::BadName(_))), "{bad:?}");
        }
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn no_more_accounts_than_the_space_may_have() {
    on_every_engine(async |world| {
        for number in 2..50 {
            make_account(&world.space, &format!("member{number}")).await;
        }
        let one_more = NewAccount {
            login: "one-more".to_owned(),
            display_name: String::new(),
            email: None,
            role: Role::Member,
            password_hash: None,
        };
        assert!(matches!(world.space.create_account(one_more).await, Err(Error::TooLarge { limit: 50 })));
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn every_change_of_an_account_is_noticed() {
    on_every_engine(async |world| {
        let alice = world.alice.account().clone();
        let before = world.space.account_epoch();
        let update = AccountUpdate { is_enabled: Some(false), ..AccountUpdate::default() };
        assert!(!world.space.update_account(alice.id, update).await.unwrap().is_enabled);
        assert_ne!(world.space.account_epoch(), before);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn devices_are_found_by_their_hash_until_revoked() {
    on_every_engine(async |world| {
        let alice = world.alice.account();
        let device = world.space.create_device(alice.id, "phone", [1; 32]).await.unwrap();
        let (found, account) = world.space.device_by_hash(&[1; 32]).await.unwrap();
        assert_eq!((found.id, found.name.as_str(), account.id), (device.id, "phone", alice.id));
        assert!(matches!(world.space.revoke_device(world.bob.account().id, device.id).await, Err(Error::NotFound)));
        world.space.wipe_device(alice.id, device.id).await.unwrap();
        assert!(world.space.device_by_hash(&[1; 32]).await.unwrap().0.is_wiped);
        world.space.revoke_device(alice.id, device.id).await.unwrap();
        assert!(matches!(world.space.device_by_hash(&[1; 32]).await, Err(Error::NotFound)));
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_login_flow_is_granted_once_and_taken_once() {
    on_every_engine(async |world| {
        let space = &world.space;
        let created = space.ports().clock.now();
        let flow =
            LoginFlow { poll_hash: [1; 32], page_hash: [2; 32], client_name: "app".to_owned(), created, grant: None };
        space.begin_login_flow(flow, 1200).await.unwrap();
        assert!(space.take_login_flow(&[1; 32]).await.unwrap().is_none());
        let grant = LoginGrant { account: world.alice.account().id, sealed_password: vec![3] };
        space.grant_login_flow(&[2; 32], [4; 32], grant.clone()).await.unwrap();
        assert!(matches!(space.grant_login_flow(&[2; 32], [5; 32], grant).await, Err(Error::NotFound)));
        let taken = space.take_login_flow(&[1; 32]).await.unwrap().unwrap();
        assert_eq!(taken.grant.unwrap().sealed_password, [3]);
        assert!(matches!(space.take_login_flow(&[1; 32]).await, Err(Error::NotFound)));
        assert_eq!(space.device_by_hash(&[4; 32]).await.unwrap().0.name, "app");
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_deleted_account_takes_its_files_along_and_leaves_the_others_alone() {
    on_every_engine(async |world| {
        put(&world.alice, "large", &[1; 100_000]).await.unwrap();
        put(&world.bob, "file", b"bob's").await.unwrap();
        world.space.delete_account(world.alice.account().id).await.unwrap();
        assert_eq!(world.bob.quota().await.unwrap().used_bytes, 5);
        assert!(matches!(world.space.account_by_login("alice").await, Err(Error::NotFound)));
        world.maintain().await;
        assert_eq!(node(&world.bob, "file").await.unwrap().size_bytes, 5);
        world.finish().await;
    })
    .await;
}

/// Otherwise the first polls of the devices of a space, after a start or an hour, would each make the others' cost a query again.
#[tokio::test]
async fn that_a_device_was_used_leaves_what_polls_ask_for_remembered() {
    let world = World::start(On::Sqlite, Limits::default(), 1_000_000).await.unwrap();
    let alice = world.space.account_by_login("alice").await.unwrap();
    let device = world.space.create_device(alice.id, "laptop", [7; 32]).await.unwrap();
    let root = node(&world.alice, "/").await.unwrap();
    world.space.note_sign_in(&alice, Some(&device), std::net::IpAddr::from([192, 0, 2, 1])).await.unwrap();
    let before = world.faults.seen();
    assert_eq!(node(&world.alice, "/").await.unwrap().etag, root.etag);
    assert_eq!(world.faults.seen(), before, "no statement");
    put(&world.alice, "a file", b"x").await.unwrap();
    assert!(node(&world.alice, "/").await.unwrap().etag > root.etag);
    world.finish().await;
}
