//! The check and the collector, side by side with each other and with those who write: neither takes for a loss what the other
//! does, and nothing goes that somebody refers to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use nichoir_store::change::{BeginUpload, Delete, MakeFolder, PutChunk};
use nichoir_store::conditions::Conditions;
use nichoir_store::{BlobConfig, Blobs, DatabaseConfig, Error, Limits, Ports, Store, Tree};
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, Result,
};
use sqlx::{Connection as _, Executor as _};
use tokio::sync::Notify;

use crate::support::{World, on_every_engine_with, path, put, read, stage};

/// Rounds of the checker.
const CHECKS: usize = 200;

/// Writes, overwrites and removes for good until told to stop; reads back what it wrote. Busy is no failure.
pub(crate) async fn write_on(tree: Tree, writer: usize, is_over: Arc<AtomicBool>) {
    let folder = format!("w{writer}");
    let made =
        MakeFolder { path: path(&folder), dead_properties: Vec::new(), kind: None, conditions: Conditions::default() };
    tree.apply(made).await.unwrap();
    for number in 0.. {
        if is_over.load(Ordering::SeqCst) {
            return;
        }
        let at = format!("{folder}/{}", number % 3);
        let bytes = vec![(number * 7 + writer) as u8; 20_000 + number % 5 * 10_000];
        match put(&tree, &at, &bytes).await {
            Ok(_) => assert!(read(&tree, &at).await.unwrap() == bytes, "{at}"),
            Err(Error::Busy) => continue,
            Err(error) => panic!("{error:?}"),
        }
        if number % 2 == 0 {
            let delete = Delete { path: path(&at), skips_trash: true, conditions: Conditions::default() };
            tree.apply(delete).await.unwrap();
        }
    }
}

/// Collects as fast as it can: whatever nothing refers to goes at once.
async fn collect_on(world: &World, is_over: &AtomicBool) {
    while !is_over.load(Ordering::SeqCst) {
        world.clock.advance_seconds(1);
        world.maintain().await;
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_check_and_the_collector_agree_while_eight_write() {
    let limits = Limits { collect_after_seconds: 0, versions_max: 1, ..Limits::default() };
    on_every_engine_with(limits, 1_000_000_000, async |world| {
        let is_over = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let tree = if writer % 2 == 0 { &world.alice } else { &world.bob };
                tokio::spawn(write_on(tree.clone(), writer, Arc::clone(&is_over)))
            })
            .collect();
        let checking = async {
            let mut found = Vec::new();
            for round in 0..CHECKS {
                let report = world.store.check_space(&world.space.info().name, round % 2 == 0).await.unwrap();
                found.extend(report.problems);
            }
            is_over.store(true, Ordering::SeqCst);
            found
        };
        let (found, ()) = tokio::join!(checking, collect_on(&world, &is_over));
        for writer in writers {
            writer.await.unwrap();
        }
        assert_eq!(found, Vec::<String>::new());
        world.finish().await;
    })
    .await;
}

/// Runs a statement about the space behind the store's back: what a mistake of ours would do.
pub(crate) async fn tamper(world: &World, sql: &str) {
    let info = world.space.info();
    let sql = sql.replace("$1", &info.id.to_string());
    match &world.config.database {
        DatabaseConfig::Sqlite { directory } => {
            let file = directory.join("spaces").join(format!("{}.sqlite", info.uuid));
            rusqlite::Connection::open(file).unwrap().execute_batch(&sql).unwrap();
        }
        DatabaseConfig::Postgres { url, .. } => {
            let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
            connection.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_blob_in_use_that_is_noted_as_to_be_removed_stays_and_is_told() {
    on_every_engine_with(Limits::default(), 1_000_000_000, async |world| {
        let alice = &world.alice;
        put(alice, "file", &[1; 40_000]).await.unwrap();
        alice.apply(BeginUpload { upload: "up".to_owned(), total_bytes: None }).await.unwrap();
        let content = stage(alice, &[2; 40_000]).await.unwrap();
        let chunk = PutChunk { upload: "up".to_owned(), chunk: "1".to_owned(), content, total_bytes: None };
        alice.apply(chunk).await.unwrap();
        for table in ["piece", "chunk"] {
            let noted = format!(
                "INSERT INTO intent (space_id, blob_key, collect_after_us, is_collecting)
                 SELECT space_id, blob_key, 0, 0 FROM {table} WHERE space_id = $1 AND blob_key IS NOT NULL"
            );
            tamper(&world, &noted).await;
        }
        world.clock.advance_seconds(1);
        world.maintain().await;

        assert!(read(alice, "file").await.unwrap() == [1; 40_000]);
        let report = world.store.check_space(&world.space.info().name, true).await.unwrap();
        assert_eq!(report.problems.len(), 2, "{report:?}");
        assert!(report.problems.iter().all(|problem| problem.contains("in use")), "{report:?}");
        tamper(&world, "DELETE FROM intent WHERE space_id = $1").await;
        world.finish().await;
    })
    .await;
}

/// What the check does while the rest of the world goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    /// It has listed the blobs.
    Listed,
    /// It reads the first one.
    Reads,
}

/// Blobs at which the check waits once.
#[derive(Debug)]
struct Slow {
    inner: Arc<object_store::local::LocalFileSystem>,
    step: Step,
    gate: Arc<Gate>,
}

#[derive(Debug, Default)]
struct Gate {
    is_reached: Notify,
    go_on: Notify,
    is_open: AtomicBool,
}

impl Gate {
    async fn wait(&self) {
        if !self.is_open.swap(true, Ordering::SeqCst) {
            self.is_reached.notify_one();
            self.go_on.notified().await;
        }
    }
}

impl std::fmt::Display for Slow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Slow")
    }
}

#[async_trait]
impl ObjectStore for Slow {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.inner.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(&self, at: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(at, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        if self.step == Step::Reads {
            self.gate.wait().await;
        }
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (listed, gate, step) = (self.inner.list(prefix), Arc::clone(&self.gate), self.step);
        let end = async move {
            if step == Step::Listed {
                gate.wait().await;
            }
            None
        };
        listed.map(Some).chain(futures_util::stream::once(end)).filter_map(|found| async { found }).boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

/// A check takes hours where there is much to read. What goes meanwhile, as it should, is no loss.
#[tokio::test]
async fn what_is_removed_in_good_order_during_a_check_is_no_problem() {
    let limits = Limits { collect_after_seconds: 0, versions_max: 1, ..Limits::default() };
    for step in [Step::Listed, Step::Reads] {
        on_every_engine_with(limits.clone(), 1_000_000_000, async |world| {
            put(&world.alice, "goes", &[1; 40_000]).await.unwrap();
            put(&world.alice, "stays", &[2; 40_000]).await.unwrap();
            let BlobConfig::Local { directory } = &world.config.blobs else { panic!("blobs are local here") };
            let gate = Arc::new(Gate::default());
            let inner = Arc::new(object_store::local::LocalFileSystem::new_with_prefix(directory).unwrap());
            let slow = Slow { inner, step, gate: Arc::clone(&gate) };
            let blobs = Blobs::from_object_store(Arc::new(slow), 64 * 1024);
            let checker = Store::open_with(world.config.clone(), Ports::system(), blobs, None).await.unwrap();
            let (name, checking) = (world.space.info().name.clone(), checker.clone());
            let check = tokio::spawn(async move { checking.check_space(&name, true).await });
            gate.is_reached.notified().await;

            // Something comes, too.
            put(&world.alice, "comes", &[3; 40_000]).await.unwrap();
            let delete = Delete { path: path("goes"), skips_trash: true, conditions: Conditions::default() };
            world.alice.apply(delete).await.unwrap();
            for _ in 0..3 {
                world.clock.advance_seconds(1);
                world.maintain().await;
            }
            gate.go_on.notify_one();

            let report = check.await.unwrap().unwrap();
            assert_eq!(report.problems, Vec::<String>::new(), "{step:?}");
            checker.close().await;
            world.finish().await;
        })
        .await;
    }
}

/// Links and pictures were forgotten when a space was deleted from PostgreSQL.
#[tokio::test]
async fn a_deleted_space_leaves_no_row_behind() {
    on_every_engine_with(Limits::default(), 1_000_000_000, async |world| {
        let DatabaseConfig::Postgres { url, .. } = &world.config.database else { return world.finish().await };
        let (name, id) = (format!("{}-gone", world.space.info().name), world.space.info().id);
        let place = crate::backup::place();
        crate::backup::fill(&world).await;
        let insert = "INSERT INTO link (space_id, id, token, node_id, account_id, permissions, label, note, hides_download,
                                        download_count, created_us)
                      SELECT $1, 1, 'token of $1', home_id, id, 1, '', '', 0, 0, 0 FROM account WHERE space_id = $1 LIMIT 1";
        tamper(&world, insert).await;
        tamper(&world, "INSERT INTO picture (space_id, account_id, digest, bytes) VALUES ($1, 1, '', '')").await;
        world.back_up(&place.depository).await.unwrap();
        world.restore_as(&place.depository, &name).await.unwrap();
        let copy = world.store.space_named(&name).await.unwrap().info().id;
        assert_ne!(copy, id);
        let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
        let tables = "SELECT table_name::text FROM information_schema.columns WHERE column_name = 'space_id'
                       AND table_schema = current_schema()";
        let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut connection).await.unwrap();
        let mut rows_of = async |space: i64| {
            let mut found = Vec::new();
            for table in &tables {
                let count = format!("SELECT COUNT(*) FROM {table} WHERE space_id = {space}");
                let count: i64 =
                    sqlx::query_scalar(sqlx::AssertSqlSafe(count)).fetch_one(&mut connection).await.unwrap();
                found.extend((count > 0).then(|| table.clone()));
            }
            found
        };
        let there = rows_of(copy).await;
        assert!(["link", "picture", "node"].iter().all(|table| there.contains(&(*table).to_owned())), "{there:?}");

        world.store.delete_space(&name).await.unwrap();

        // What was done to a space outlives it.
        assert_eq!(rows_of(copy).await, ["space_act"]);
        world.finish().await;
    })
    .await;
}
