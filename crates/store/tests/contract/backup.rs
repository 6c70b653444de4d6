//! Backups: one moment of a space comes back whole, on either engine, and what is not whole is never taken for it.

pub(crate) mod damage;
mod in_place;
mod interrupted;

use std::collections::BTreeMap;
use std::path::Path;

use nichoir_store::backup::{BackupError, BackupReport, Depository, Destination, RestoreReport};
use nichoir_store::change::{BeginUpload, CreateShare, Delete, PutChunk};
use nichoir_store::conditions::Conditions;
use nichoir_store::{BlobConfig, Blobs, Error, Etag, Limits, Permissions, Quota, S3Config, Sharee, Space, Store, Tree};

use crate::s3;
use crate::support::{
    On, World, make_account, make_folder, make_space, names, node, on_every_engine, path, put, read, stage,
};

const PART_BYTES: usize = 5 * 1024 * 1024;

/// A place for backups in a directory.
pub(crate) struct Place {
    pub(crate) depository: Depository,
    pub(crate) directory: tempfile::TempDir,
}

pub(crate) fn place() -> Place {
    let directory = tempfile::tempdir().unwrap();
    Place { depository: open(directory.path()), directory }
}

fn open(directory: &Path) -> Depository {
    let config = BlobConfig::Local { directory: directory.to_owned() };
    Depository::open(&config, "", PART_BYTES, "the place").unwrap()
}

/// A place for backups in a bucket.
async fn bucket() -> Place {
    let directory = tempfile::tempdir().unwrap();
    let address = s3::start("127.0.0.1:0", directory.path(), "backups").await.unwrap();
    let config = BlobConfig::S3(S3Config {
        endpoint: format!("http://{address}"),
        bucket: "backups".to_owned(),
        region: "us-east-1".to_owned(),
        access_key_id: s3::ACCESS_KEY_ID.to_owned(),
        secret_access_key: s3::SECRET_ACCESS_KEY.to_owned(),
        has_path_style: true,
    });
    let depository = Depository::open(&config, "of/this/space", PART_BYTES, "the bucket").unwrap();
    Place { depository, directory }
}

impl World {
    pub(crate) fn name(&self) -> String {
        self.space.info().name.clone()
    }

    /// A directory for files of the moment.
    pub(crate) fn working(&self) -> std::path::PathBuf {
        let BlobConfig::Local { directory } = &self.config.blobs else { panic!("blobs are local here") };
        directory.parent().unwrap().to_owned()
    }

    pub(crate) async fn back_up(&self, to: &Depository) -> Result<BackupReport, BackupError> {
        self.store.back_up(&self.name(), to, None, &self.working()).await
    }

    pub(crate) async fn restore_as(&self, from: &Depository, name: &str) -> Result<RestoreReport, BackupError> {
        let to = Destination::Beside { name: name.to_owned() };
        self.store.restore(from, None, &to, false, &self.working()).await
    }

    /// The names of the spaces that belong to this test, half-made ones included.
    pub(crate) async fn spaces(&self) -> Vec<String> {
        let spaces = self.store.spaces().await.unwrap();
        let ours = |name: &String| name.starts_with(&self.name()) || self.is_alone() && name.starts_with("restoring-");
        spaces.into_iter().map(|space| space.name).filter(ours).collect()
    }

    /// Whether no other test uses the same database.
    fn is_alone(&self) -> bool {
        matches!(self.config.database, nichoir_store::DatabaseConfig::Sqlite { .. })
    }

    /// A name that no other test has.
    pub(crate) fn beside(&self, what: &str) -> String {
        format!("{}-{what}", self.name())
    }
}

/// Number, entity tag and bytes of everything in a tree.
pub(crate) type Image = BTreeMap<String, (i64, Etag, Option<Vec<u8>>)>;

pub(crate) async fn image(tree: &Tree) -> Image {
    let mut found = Image::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        for name in names(tree, &folder).await {
            let at = format!("{folder}/{name}");
            let found_node = node(tree, &at).await.unwrap();
            let bytes = match found_node.is_folder() {
                true => {
                    folders.push(at.clone());
                    None
                }
                false => Some(read(tree, &at).await.unwrap()),
            };
            found.insert(at, (found_node.id.0, found_node.etag, bytes));
        }
    }
    found
}

pub(crate) async fn delete(tree: &Tree, at: &str) {
    let change = Delete { path: path(at), skips_trash: false, conditions: Conditions::default() };
    tree.apply(change).await.unwrap();
}

/// A bit of everything: small and large files, versions, trash, a share, an unfinished upload.
pub(crate) async fn fill(world: &World) {
    let alice = &world.alice;
    make_folder(alice, "folder").await.unwrap();
    put(alice, "folder/small", b"small").await.unwrap();
    put(alice, "folder/empty", b"").await.unwrap();
    put(alice, "folder/large", &[7; 700_000]).await.unwrap();
    put(alice, "folder/large", &[8; 300_000]).await.unwrap();
    put(alice, "thrown away", &[9; 50_000]).await.unwrap();
    delete(alice, "thrown away").await;
    put(&world.bob, "bob's", &[1; 20_000]).await.unwrap();
    let share = CreateShare {
        path: path("folder"),
        sharee: Sharee::Account(world.bob.account().id),
        permissions: Permissions::from_bits(15),
        expires: None,
        note: String::new(),
        label: String::new(),
        attributes: None,
        awaits_answer: false,
    };
    alice.apply(share).await.unwrap();
    alice.apply(BeginUpload { upload: "up".to_owned(), total_bytes: None }).await.unwrap();
    let content = stage(alice, &[3; 90_000]).await.unwrap();
    let chunk = PutChunk { upload: "up".to_owned(), chunk: "1".to_owned(), content, total_bytes: None };
    alice.apply(chunk).await.unwrap();
    // Staged, and never used: no part of any backup.
    stage(alice, &[4; 90_000]).await.unwrap();
}

pub(crate) async fn tree_of(space: &Space, login: &str) -> Tree {
    space.tree_as(&space.account_by_login(login).await.unwrap())
}

pub(crate) async fn assert_whole(store: &Store, name: &str) {
    let report = store.check_space(name, true).await.unwrap();
    assert_eq!(report.problems, Vec::<String>::new(), "{name}");
}

/// Everything in the space of that name is what it was when `expected` was made, after [`fill`].
async fn assert_restored(store: &Store, name: &str, expected: &(Image, Image), quota: Quota) -> Space {
    let space = store.space_named(name).await.unwrap();
    let (alice, bob) = (tree_of(&space, "alice").await, tree_of(&space, "bob").await);
    assert!(image(&alice).await == expected.0, "alice's tree");
    assert!(image(&bob).await == expected.1, "bob's tree, with what is shared with him");
    assert_eq!(names(&alice.bin().unwrap(), "").await.len(), 1, "the trash");
    let large = node(&alice, "folder/large").await.unwrap().id;
    assert_eq!(alice.versions(large).await.unwrap().versions.len(), 2, "a state before, and that of today");
    assert_eq!(alice.upload("up").await.unwrap().chunks.len(), 1);
    assert_eq!(alice.quota().await.unwrap(), quota);
    assert_whole(store, name).await;
    space
}

async fn images(world: &World) -> (Image, Image) {
    (image(&world.alice).await, image(&world.bob).await)
}

#[tokio::test]
async fn a_space_comes_back_as_it_was_whatever_happened_since() {
    on_every_engine(async |world| {
        fill(&world).await;
        for (place, name) in [(place(), "a"), (bucket().await, "b")] {
            let (expected, quota) = (images(&world).await, world.alice.quota().await.unwrap());
            let made = world.back_up(&place.depository).await.unwrap();
            assert!(made.lacking.is_empty() && made.generation.blobs > 3, "{made:?}");
            assert_eq!(place.depository.verify(None).await.unwrap().problems, Vec::<String>::new());
            let later = put(&world.alice, "later", &[5; 100_000]).await.unwrap().node;
            put(&world.alice, "folder/small", b"changed").await.unwrap();

            let name = world.beside(name);
            world.restore_as(&place.depository, &name).await.unwrap();

            let restored = assert_restored(&world.store, &name, &expected, quota).await;
            let now = restored.change_sequence().await.unwrap();
            assert!(now > world.space.change_sequence().await.unwrap(), "no number is given out twice");
            let alice = tree_of(&restored, "alice").await;
            assert!(put(&alice, "next", b"1").await.unwrap().node.id > later.id);
            assert!(!restored.info().data_fingerprint.is_empty(), "clients are told");
            assert_ne!(restored.info().instance_id, world.space.info().instance_id, "a copy is a space of its own");
            assert_ne!(restored.key("x"), world.space.key("x"));
            world.store.delete_space(&name).await.unwrap();
        }
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_backup_of_either_engine_is_restored_into_the_other() {
    let mut worlds = Vec::new();
    for on in [On::Sqlite, On::Postgres] {
        worlds.extend(World::start(on, Limits::default(), 1_000_000_000).await);
    }
    let [sqlite, postgres] = &worlds[..] else { return eprintln!("skipped: TEST_POSTGRES is not set") };
    for (from, to) in [(sqlite, postgres), (postgres, sqlite)] {
        let place = place();
        fill(from).await;
        let expected = images(from).await;
        from.back_up(&place.depository).await.unwrap();
        let name = to.beside("moved");
        to.restore_as(&place.depository, &name).await.unwrap();
        let quota = from.alice.quota().await.unwrap();
        let restored = assert_restored(&to.store, &name, &expected, quota).await;
        // There, the original is not: it is the same space again.
        assert_eq!(restored.info().instance_id, from.space.info().instance_id);
        assert_eq!(restored.key("x"), from.space.key("x"));
    }
    for world in worlds {
        world.finish().await;
    }
}

#[tokio::test]
async fn a_space_that_is_lost_comes_back_as_the_same_with_its_hosts_and_devices() {
    on_every_engine(async |world| {
        let place = place();
        let host = format!("{}.example.org", world.name());
        let update = nichoir_store::SpaceUpdate { hosts: Some(vec![host.clone()]), ..Default::default() };
        world.store.update_space(&world.name(), update).await.unwrap();
        let lost = world.beside("lost");
        let space = make_space(&world.store, &lost, 5_000_000).await;
        let hosts = vec![format!("lost.{host}"), format!("other.{host}")];
        let update = nichoir_store::SpaceUpdate { hosts: Some(hosts.clone()), ..Default::default() };
        world.store.update_space(&lost, update).await.unwrap();
        let alice = make_account(&space, "alice").await;
        let hash = world.space.ports().bytes();
        space.create_device(alice.id, "phone", hash).await.unwrap();
        put(&space.tree_as(&alice), "file", &[1; 40_000]).await.unwrap();
        world.store.back_up(&lost, &place.depository, None, &world.working()).await.unwrap();
        world.store.delete_space(&lost).await.unwrap();
        // Somebody has taken one of its hosts since.
        let update = nichoir_store::SpaceUpdate { hosts: Some(vec![host, hosts[1].clone()]), ..Default::default() };
        world.store.update_space(&world.name(), update).await.unwrap();

        let report = world.restore_as(&place.depository, &lost).await.unwrap();

        assert_eq!((&report.space.hosts, &report.hosts_taken), (&vec![hosts[0].clone()], &vec![hosts[1].clone()]));
        let again = world.store.space_for_host(&hosts[0]).await.unwrap().unwrap();
        assert_eq!(again.info().name, lost);
        assert_eq!(again.info().instance_id, space.info().instance_id);
        assert_eq!(again.info().quota_bytes, 5_000_000);
        assert_eq!(again.urn_of(alice.home), space.urn_of(alice.home));
        assert_eq!(again.device_by_hash(&hash).await.unwrap().1.login, "alice");
        assert!(read(&tree_of(&again, "alice").await, "file").await.unwrap() == [1; 40_000]);
        assert_whole(&world.store, &lost).await;
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_there_already_is_not_copied_again() {
    on_every_engine(async |world| {
        let place = place();
        fill(&world).await;
        for number in 0..400 {
            put(&world.alice, &format!("folder/{number}"), format!("{number:04}").repeat(2_500).as_bytes())
                .await
                .unwrap();
        }
        let first = world.back_up(&place.depository).await.unwrap();
        let again = world.back_up(&place.depository).await.unwrap();
        // The word that blobs are held for the backup is in the row of counters.
        assert!(again.objects_written <= 1, "{again:?}");
        put(&world.alice, "folder/new", &[6; 60_000]).await.unwrap();
        put(&world.alice, "folder/7", b"other").await.unwrap();
        let third = world.back_up(&place.depository).await.unwrap();
        assert!(third.bytes_written < first.bytes_written / 2, "{} of {}", third.bytes_written, first.bytes_written);
        let names = place.depository.names().await.unwrap();
        assert_eq!(names.len(), 3);
        assert_eq!(names[2], third.generation.name, "the newest is the last");
        assert_eq!(place.depository.verify(None).await.unwrap().problems, Vec::<String>::new());
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn members_write_on_while_a_backup_is_made_and_what_was_acknowledged_before_is_in_it() {
    on_every_engine(async |world| {
        let place = place();
        fill(&world).await;
        let writing = {
            let (alice, bob) = (world.alice.clone(), world.bob.clone());
            tokio::spawn(async move {
                for number in 0.. {
                    put(&alice, &format!("w{}", number % 20), &vec![number as u8; 30_000 + number]).await.unwrap();
                    put(&bob, "bob's", &number.to_string().into_bytes()).await.unwrap();
                    if number % 3 == 0 {
                        delete(&alice, &format!("w{}", number % 20)).await;
                    }
                    tokio::task::yield_now().await;
                }
            })
        };
        for number in 0..4 {
            let before = put(&world.alice, &format!("before {number}"), &[number; 50_000]).await.unwrap();
            let made = world.back_up(&place.depository).await.unwrap();
            assert!(made.lacking.is_empty(), "{made:?}");
            let name = world.beside(&format!("w{number}"));
            world.restore_as(&place.depository, &name).await.unwrap();
            let space = world.store.space_named(&name).await.unwrap();
            let restored = tree_of(&space, "alice").await;
            let found = node(&restored, &format!("before {number}")).await.unwrap();
            assert_eq!((found.id, found.etag), (before.node.id, before.node.etag));
            assert_whole(&world.store, &name).await;
        }
        writing.abort();
        let _ = writing.await;
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn no_blob_goes_that_a_kept_generation_reaches() {
    on_every_engine(async |world| {
        let place = place();
        let mut expected = Vec::new();
        for number in 0..5_u8 {
            // Each generation has a blob that no other has, and one that the next has too.
            put(&world.alice, "only", &[number; 40_000]).await.unwrap();
            put(&world.alice, &format!("also {number}"), &[100 + number; 40_000]).await.unwrap();
            if number > 1 {
                delete(&world.alice, &format!("also {}", number - 2)).await;
            }
            expected.push(image(&world.alice).await);
            world.clock.advance_seconds(60);
            let made = world.store.back_up(&world.name(), &place.depository, Some(2), &world.working()).await.unwrap();
            assert_eq!(made.generations_removed.len(), usize::from(number > 1));
            assert_eq!(place.depository.verify(None).await.unwrap().problems, Vec::<String>::new());
        }
        let kept = place.depository.names().await.unwrap();
        assert_eq!(kept.len(), 2);
        for (generation, expected) in kept.iter().zip(&expected[3..]) {
            let name = world.beside(&generation.to_lowercase());
            let to = Destination::Beside { name: name.clone() };
            world.store.restore(&place.depository, Some(generation), &to, false, &world.working()).await.unwrap();
            let space = world.store.space_named(&name).await.unwrap();
            assert!(image(&tree_of(&space, "alice").await).await == *expected, "{generation}");
            assert_whole(&world.store, &name).await;
        }
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_place_belongs_to_one_space() {
    on_every_engine(async |world| {
        let place = place();
        world.back_up(&place.depository).await.unwrap();
        let other = world.store.back_up(&world.beside("other"), &place.depository, None, &world.working()).await;
        assert!(matches!(other, Err(BackupError::Refused(_))), "{other:?}");
        let to = Destination::InPlace { name: world.beside("other"), while_active: true };
        let other = world.store.restore(&place.depository, None, &to, false, &world.working()).await;
        assert!(matches!(other, Err(BackupError::Refused(_))), "{other:?}");
        let taken = world.restore_as(&place.depository, &world.name()).await;
        assert!(matches!(taken, Err(BackupError::Space(Error::Exists))), "{taken:?}");
        assert_eq!(place.depository.names().await.unwrap().len(), 1);
        assert_eq!(world.spaces().await.len(), 2);
        world.finish().await;
    })
    .await;
}

/// Whoever has no account, no file and no blob has a backup nevertheless.
#[tokio::test]
async fn a_space_that_was_never_used_is_backed_up_and_restored() {
    on_every_engine(async |world| {
        let place = place();
        let unused = world.beside("unused");
        make_space(&world.store, &unused, 1_000).await;
        world.store.back_up(&unused, &place.depository, Some(1), &world.working()).await.unwrap();
        let name = world.beside("again");
        world.restore_as(&place.depository, &name).await.unwrap();
        make_account(&world.store.space_named(&name).await.unwrap(), "first").await;
        assert_whole(&world.store, &name).await;
        world.finish().await;
    })
    .await;
}

pub(crate) fn over_memory() -> (std::sync::Arc<nichoir_store::fault::FaultyBlobs>, Depository) {
    let inner = std::sync::Arc::new(object_store::memory::InMemory::new());
    let faulty = std::sync::Arc::new(nichoir_store::fault::FaultyBlobs::over(inner));
    let blobs = Blobs::from_object_store(std::sync::Arc::clone(&faulty) as _, PART_BYTES);
    (faulty, Depository::over(blobs, "", "a faulty place"))
}
