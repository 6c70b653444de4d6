//! Avatars and logos, and what a space looks like.

use bytes::Bytes;
use nichoir_store::{Error, Sitter, SpaceUpdate, ThemeUpdate};

use crate::support::{World, on_every_engine};

fn said(theme: ThemeUpdate) -> SpaceUpdate {
    SpaceUpdate { theme, ..SpaceUpdate::default() }
}

async fn bytes_of(world: &World, sitter: Sitter) -> Option<Bytes> {
    world.space.picture(sitter).await.unwrap().map(|picture| picture.bytes)
}

#[tokio::test]
async fn accounts_and_the_space_have_one_picture_each() {
    on_every_engine(async |world| {
        let alice = Sitter::Account(world.alice.account().id);
        let bob = Sitter::Account(world.bob.account().id);
        assert_eq!(world.space.set_picture(alice, None).await.unwrap(), None);
        let first = world.space.set_picture(alice, Some("one".into())).await.unwrap();
        world.space.set_picture(Sitter::Space, Some("logo".into())).await.unwrap();
        assert_eq!(world.space.picture_digest(alice).await.unwrap(), first);
        let second = world.space.set_picture(alice, Some("two".into())).await.unwrap();
        assert_ne!(first, second);
        assert_eq!(bytes_of(&world, alice).await.unwrap(), "two");
        assert_eq!(bytes_of(&world, bob).await, None);
        assert_eq!(bytes_of(&world, Sitter::Space).await.unwrap(), "logo");
        world.space.set_picture(alice, None).await.unwrap();
        assert_eq!(world.space.picture_digest(alice).await.unwrap(), None);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn the_picture_of_an_account_goes_with_it() {
    on_every_engine(async |world| {
        let id = world.bob.account().id;
        world.space.set_picture(Sitter::Account(id), Some("bob".into())).await.unwrap();
        world.space.delete_account(id).await.unwrap();
        assert_eq!(bytes_of(&world, Sitter::Account(id)).await, None);
        let again = world.space.set_picture(Sitter::Account(id), Some("bob".into())).await;
        assert!(matches!(again, Err(Error::NotFound)), "{again:?}");
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_space_looks_as_it_was_told_to() {
    on_every_engine(async |world| {
        let name = world.space.info().name.clone();
        let theme = ThemeUpdate {
            title: Some("Les Amis".to_owned()),
            slogan: Some("Ensemble".to_owned()),
            colour: Some("#aabbcc".to_owned()),
            logo: Some(Some("0123456789abcdef".to_owned())),
        };
        let told = world.store.update_space(&name, said(theme)).await.unwrap().theme;
        assert_eq!((told.title.as_str(), told.slogan.as_str()), ("Les Amis", "Ensemble"));
        assert_eq!((told.colour, told.logo.as_deref()), (Some([0xaa, 0xbb, 0xcc]), Some("0123456789abcdef")));
        let cleared = ThemeUpdate { colour: Some(String::new()), logo: Some(None), ..ThemeUpdate::default() };
        let told = world.store.update_space(&name, said(cleared)).await.unwrap().theme;
        assert_eq!((told.title.as_str(), told.colour, told.logo.as_deref()), ("Les Amis", None, None));
        let bad = ThemeUpdate { title: Some("x".to_owned()), colour: Some("red".to_owned()), ..ThemeUpdate::default() };
        assert!(matches!(world.store.update_space(&name, said(bad)).await, Err(Error::BadName(_))));
        let kept = world.store.space_named(&name).await.unwrap();
        assert_eq!(kept.info().theme.title, "Les Amis", "all or nothing");
        world.finish().await;
    })
    .await;
}
