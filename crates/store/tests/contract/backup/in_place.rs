//! A space that is put back in its own place: clients find the same space, older; who was shut out since stays out.

use nichoir_store::backup::{BackupError, Destination, RestoreReport};
use nichoir_store::{AccountUpdate, Error, Needs, Role, SpaceState, SpaceUpdate};

use super::interrupted::{Before, gated, spawn_restore};
use super::{assert_whole, fill, image, place, tree_of};
use crate::support::{World, make_account, on_every_engine, path, put, read, reopened};

async fn suspend(world: &World) {
    let update = SpaceUpdate { state: Some(SpaceState::Suspended), ..SpaceUpdate::default() };
    world.store.update_space(&world.name(), update).await.unwrap();
}

async fn put_back(
    world: &World,
    from: &nichoir_store::backup::Depository,
    while_active: bool,
) -> Result<RestoreReport, BackupError> {
    let to = Destination::InPlace { name: world.name(), while_active };
    world.store.restore(from, None, &to, false, &world.working()).await
}

#[tokio::test]
async fn the_same_space_answers_under_its_name_and_hosts_and_the_other_is_kept() {
    on_every_engine(async |world| {
        let place = place();
        let host = format!("{}.example.org", world.name());
        let update =
            SpaceUpdate { hosts: Some(vec![host.clone()]), quota_bytes: Some(77_000_000), ..Default::default() };
        world.store.update_space(&world.name(), update).await.unwrap();
        fill(&world).await;
        let expected = image(&world.alice).await;
        world.back_up(&place.depository).await.unwrap();
        let token = world.alice.sync_token(&path("")).await.unwrap();
        put(&world.alice, "today's", &[5; 50_000]).await.unwrap();
        let today = image(&world.alice).await;
        let (newest, token_of_today) =
            (world.space.change_sequence().await.unwrap(), world.alice.sync_token(&path("")).await.unwrap());

        let refused = put_back(&world, &place.depository, false).await;
        assert!(matches!(refused, Err(BackupError::Refused(_))), "{refused:?}");
        suspend(&world).await;
        let report = put_back(&world, &place.depository, false).await.unwrap();

        let restored = world.store.space_for_host(&host).await.unwrap().unwrap();
        assert_eq!((&restored.info().name, restored.info().state), (&world.name(), SpaceState::Suspended));
        assert_eq!(restored.info().quota_bytes, 77_000_000, "the pool is that of today");
        assert_eq!(restored.info().instance_id, world.space.info().instance_id);
        assert_eq!(restored.key("x"), world.space.key("x"));
        assert_ne!(restored.info().data_fingerprint, world.space.info().data_fingerprint);
        let alice = tree_of(&restored, "alice").await;
        assert!(image(&alice).await == expected);
        assert_eq!(restored.urn_of(alice.account().home), world.space.urn_of(alice.account().home));
        assert_whole(&world.store, &world.name()).await;

        // Numbers go on behind those of today, and no token from before is taken.
        assert!(restored.change_sequence().await.unwrap() > newest);
        for token in [token, token_of_today] {
            let changes = alice.changes_since(&path(""), token, true, 0, Needs::NONE).await;
            assert!(matches!(changes, Err(Error::StaleToken)));
        }
        let token = alice.sync_token(&path("")).await.unwrap();
        put(&alice, "next", b"1").await.unwrap();
        let changes = alice.changes_since(&path(""), token, true, 0, Needs::NONE).await.unwrap();
        assert_eq!(changes.changed.len(), 1);

        let kept_as = report.kept_as.unwrap();
        let kept = world.store.space_named(&kept_as).await.unwrap();
        assert_eq!((kept.info().state, kept.info().hosts.len()), (SpaceState::Suspended, 0));
        assert!(image(&tree_of(&kept, "alice").await).await == today, "nothing of today is lost");
        assert_whole(&world.store, &kept_as).await;

        // The next backup goes to the same place: it is the same space.
        world.back_up(&place.depository).await.unwrap();
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn whoever_was_shut_out_since_the_backup_stays_out_and_who_came_in_is_let_in() {
    on_every_engine(async |world| {
        let place = place();
        let space = &world.space;
        let (alice, bob) = (world.alice.account().clone(), world.bob.account().clone());
        let carol = make_account(space, "carol").await;
        let with_hash = |hash: &str| AccountUpdate { password_hash: Some(Some(hash.to_owned())), ..Default::default() };
        space.update_account(alice.id, with_hash("leaked")).await.unwrap();
        space.update_account(alice.id, AccountUpdate { role: Some(Role::Admin), ..Default::default() }).await.unwrap();
        let [lost, kept, carols, new]: [[u8; 32]; 4] = std::array::from_fn(|_| space.ports().bytes());
        let lost_device = space.create_device(alice.id, "lost phone", lost).await.unwrap();
        space.create_device(alice.id, "laptop", kept).await.unwrap();
        space.create_device(carol.id, "phone", carols).await.unwrap();
        put(&world.alice, "file", b"bytes").await.unwrap();
        world.back_up(&place.depository).await.unwrap();

        space.update_account(alice.id, with_hash("chosen since")).await.unwrap();
        space.update_account(alice.id, AccountUpdate { role: Some(Role::Member), ..Default::default() }).await.unwrap();
        space.revoke_device(alice.id, lost_device.id).await.unwrap();
        space.create_device(alice.id, "new phone", new).await.unwrap();
        space.update_account(bob.id, AccountUpdate { is_enabled: Some(false), ..Default::default() }).await.unwrap();
        space.delete_account(carol.id).await.unwrap();
        suspend(&world).await;
        put_back(&world, &place.depository, false).await.unwrap();

        let restored = world.store.space_named(&world.name()).await.unwrap();
        let account = restored.account(alice.id).await.unwrap();
        assert_eq!((account.password_hash.as_deref(), account.role), (Some("chosen since"), Role::Member));
        assert!(restored.account(alice.id).await.unwrap().is_enabled);
        assert!(!restored.account(bob.id).await.unwrap().is_enabled);
        assert!(
            !restored.account(carol.id).await.unwrap().is_enabled,
            "an account that was deleted comes back disabled"
        );
        for (hash, is_known) in [(lost, false), (kept, true), (new, true), (carols, false)] {
            assert_eq!(restored.device_by_hash(&hash).await.is_ok(), is_known);
        }
        assert!(read(&tree_of(&restored, "alice").await, "file").await.unwrap() == b"bytes");
        assert_whole(&world.store, &world.name()).await;
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_damaged_backup_leaves_the_space_in_its_place() {
    on_every_engine(async |world| {
        let place = place();
        put(&world.alice, "file", &[1; 40_000]).await.unwrap();
        world.back_up(&place.depository).await.unwrap();
        let objects = place.directory.path().join("objects");
        std::fs::remove_dir_all(&objects).unwrap();
        suspend(&world).await;
        let spaces = world.spaces().await;
        assert!(matches!(put_back(&world, &place.depository, true).await, Err(BackupError::Damaged(_))));
        assert_eq!(world.spaces().await, spaces);
        assert!(read(&world.alice, "file").await.unwrap() == [1; 40_000]);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn servers_hear_that_a_space_is_not_the_one_they_know_so_that_sockets_end() {
    on_every_engine(async |world| {
        let place = place();
        world.back_up(&place.depository).await.unwrap();
        suspend(&world).await;
        let server = reopened(&world.config, &world.clock).await;
        // It has served the space.
        server.space_named(&world.name()).await.unwrap();
        let events = server.events();
        put_back(&world, &place.depository, false).await.unwrap();
        let heard = async {
            loop {
                events.changed().await;
                if events.take().spaces.get(&world.space.info().id).is_some_and(|moved| moved.has_accounts) {
                    return;
                }
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(10), heard).await.expect("it hears of it");
        server.close().await;
        world.finish().await;
    })
    .await;
}

/// To copy blobs takes hours. What counts is who may come in when it is done, not when it began.
#[tokio::test]
async fn whoever_is_shut_out_while_a_restore_copies_stays_out() {
    on_every_engine(async |world| {
        let (gate, depository) = gated(Before::ReadOfAnObject);
        let (alice, bob) = (world.alice.account().clone(), world.bob.account().clone());
        let hash = world.space.ports().bytes();
        let stolen = world.space.create_device(alice.id, "stolen", hash).await.unwrap();
        world.back_up(&depository).await.unwrap();
        let to = Destination::InPlace { name: world.name(), while_active: true };
        let restore = spawn_restore(&world, &depository, to);
        gate.reached().await;
        world.space.revoke_device(alice.id, stolen.id).await.unwrap();
        let disabled = AccountUpdate { is_enabled: Some(false), ..Default::default() };
        world.space.update_account(bob.id, disabled).await.unwrap();
        gate.go_on();
        restore.await.unwrap().unwrap();
        let restored = world.store.space_named(&world.name()).await.unwrap();
        assert!(restored.device_by_hash(&hash).await.is_err());
        assert!(!restored.account(bob.id).await.unwrap().is_enabled);
        assert!(restored.account(alice.id).await.unwrap().is_enabled);
        world.finish().await;
    })
    .await;
}

/// Passwords work in a copy: those of today, or who was shut out reads everything there.
#[tokio::test]
async fn whoever_was_shut_out_since_the_backup_does_not_come_in_through_a_copy() {
    on_every_engine(async |world| {
        let place = place();
        let space = &world.space;
        let (alice, bob) = (world.alice.account().clone(), world.bob.account().clone());
        let carol = make_account(space, "carol").await;
        let with_hash = |hash: &str| AccountUpdate { password_hash: Some(Some(hash.to_owned())), ..Default::default() };
        space.update_account(alice.id, with_hash("leaked")).await.unwrap();
        space.update_account(alice.id, AccountUpdate { role: Some(Role::Admin), ..Default::default() }).await.unwrap();
        world.back_up(&place.depository).await.unwrap();
        space.update_account(alice.id, with_hash("chosen since")).await.unwrap();
        space.update_account(alice.id, AccountUpdate { role: Some(Role::Member), ..Default::default() }).await.unwrap();
        space.update_account(bob.id, AccountUpdate { is_enabled: Some(false), ..Default::default() }).await.unwrap();
        space.delete_account(carol.id).await.unwrap();

        let name = world.beside("copy");
        world.restore_as(&place.depository, &name).await.unwrap();

        let copy = world.store.space_named(&name).await.unwrap();
        let account = copy.account(alice.id).await.unwrap();
        assert_eq!((account.password_hash.as_deref(), account.role), (Some("chosen since"), Role::Member));
        for id in [bob.id, carol.id] {
            assert!(!copy.account(id).await.unwrap().is_enabled);
        }
        world.finish().await;
    })
    .await;
}
