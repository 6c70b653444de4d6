//! Push registrations: who is told, for how long, and how many there may be.

use nichoir_store::{Area, Error, FileId, NewPushRegistration, Timestamp, Tree};

use crate::support::*;

async fn new(tree: &Tree, resource: &str, expires_seconds: i64) -> NewPushRegistration {
    let calendars = tree.in_area(Area::Calendars).await.unwrap();
    NewPushRegistration {
        account: tree.account().id,
        device: None,
        area: calendars.area(),
        node: FileId(7),
        resource: resource.to_owned(),
        public_key: vec![4; 65],
        auth_secret: vec![1; 16],
        has_content: true,
        has_properties: false,
        expires: tree.space().ports().clock.now().plus_seconds(expires_seconds),
    }
}

#[tokio::test]
async fn a_registration_is_kept_as_it_was_asked_for() {
    on_every_engine(async |world| {
        let asked = new(&world.alice, "https://push.example.org/1", 100).await;
        let (name, is_new) = world.alice.register_push(asked.clone(), 10).await.unwrap();
        assert!(is_new && name.len() == 24);
        let kept = world.space.push_registrations().await.unwrap();
        assert_eq!(kept.len(), 1);
        assert_eq!((kept[0].name.as_str(), &kept[0].asked), (name.as_str(), &asked));
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn the_same_resource_and_collection_is_the_same_registration() {
    on_every_engine(async |world| {
        let asked = new(&world.alice, "https://push.example.org/1", 100).await;
        let (name, _) = world.alice.register_push(asked.clone(), 10).await.unwrap();
        let renewed = NewPushRegistration {
            auth_secret: vec![2; 16],
            has_properties: true,
            expires: asked.expires.plus_seconds(50),
            ..asked.clone()
        };
        assert_eq!(world.alice.register_push(renewed.clone(), 1).await.unwrap(), (name.clone(), false));
        let kept = world.space.push_registrations().await.unwrap();
        assert_eq!((kept.len(), &kept[0].asked), (1, &renewed));

        // Of another collection, or of another account, it is another.
        let elsewhere = NewPushRegistration { node: FileId(8), ..asked.clone() };
        assert!(world.alice.register_push(elsewhere, 10).await.unwrap().1);
        let of_bob = NewPushRegistration { account: world.bob.account().id, ..asked };
        assert!(world.bob.register_push(of_bob, 10).await.unwrap().1);
        assert_eq!(world.space.push_registrations().await.unwrap().len(), 3);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn an_account_has_so_many_registrations_and_no_more() {
    on_every_engine(async |world| {
        for number in 0..2 {
            let asked = new(&world.alice, &format!("https://push.example.org/{number}"), 100).await;
            world.alice.register_push(asked, 2).await.unwrap();
        }
        let further = new(&world.alice, "https://push.example.org/2", 100).await;
        let refused = world.alice.register_push(further.clone(), 2).await;
        assert!(matches!(refused, Err(Error::TooLarge { limit: 2 })), "{refused:?}");
        assert_eq!(world.space.push_registrations().await.unwrap().len(), 2);

        // Those that are over do not count.
        world.clock.advance_seconds(101);
        let further = NewPushRegistration { expires: Timestamp(further.expires.0 + 200_000_000), ..further };
        world.alice.register_push(further, 2).await.unwrap();
        assert_eq!(world.space.push_registrations().await.unwrap().len(), 1);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_registration_ends_in_time_and_for_its_owner() {
    on_every_engine(async |world| {
        let alice = world.alice.account().id;
        let asked = new(&world.alice, "https://push.example.org/1", 100).await;
        let (name, _) = world.alice.register_push(asked, 10).await.unwrap();
        assert!(!world.space.drop_push_registration(&name, Some(world.bob.account().id)).await.unwrap());
        assert_eq!(world.space.push_registrations().await.unwrap().len(), 1, "bob cannot end it");
        world.clock.advance_seconds(99);
        assert_eq!(world.space.push_registrations().await.unwrap().len(), 1);
        world.clock.advance_seconds(1);
        assert!(world.space.push_registrations().await.unwrap().is_empty());
        assert!(!world.space.drop_push_registration(&name, Some(alice)).await.unwrap(), "it is over");

        let asked = new(&world.alice, "https://push.example.org/1", 100).await;
        let (name, _) = world.alice.register_push(asked, 10).await.unwrap();
        assert!(world.space.drop_push_registration(&name, Some(alice)).await.unwrap());
        assert!(world.space.push_registrations().await.unwrap().is_empty());
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_registration_ends_with_its_device_and_with_its_account() {
    on_every_engine(async |world| {
        let alice = world.alice.account().id;
        let device = world.space.create_device(alice, "phone", [7; 32]).await.unwrap();
        let of_phone = NewPushRegistration {
            device: Some(device.id),
            ..new(&world.alice, "https://push.example.org/phone", 100).await
        };
        world.alice.register_push(of_phone, 10).await.unwrap();
        let by_password = new(&world.alice, "https://push.example.org/password", 100).await;
        world.alice.register_push(by_password, 10).await.unwrap();
        let of_bob = new(&world.bob, "https://push.example.org/bob", 100).await;
        world.bob.register_push(of_bob, 10).await.unwrap();

        world.space.revoke_device(alice, device.id).await.unwrap();
        let left = world.space.push_registrations().await.unwrap();
        assert_eq!(left.len(), 2, "{left:?}");
        world.space.delete_account(alice).await.unwrap();
        let left = world.space.push_registrations().await.unwrap();
        assert_eq!((left.len(), left[0].asked.account), (1, world.bob.account().id));
        world.finish().await;
    })
    .await;
}
