//! What was written at an earlier step of the schema opens with the newest, whole: every step that there ever was.
//!
//! A database is made by the steps up to that one, and filled with the rows of a space of today, as far as the tables and columns of
//! that time go. What came later (shares, tags, …) is in none of them.

use std::path::Path;

use nichoir_store::change::{BeginUpload, PutChunk};
use nichoir_store::{DatabaseConfig, Limits, StoreConfig};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

use crate::backup::{delete, image, tree_of};
use crate::support::{On, World, make_folder, names, put, reopened, stage};

/// The steps of a family, in their order, as `migrations.rs` names them.
fn steps(family: &str) -> Vec<String> {
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/migrations.rs");
    let list = std::fs::read_to_string(&migrations).unwrap();
    let files = list.split('"').filter(|text| text.starts_with(&format!("migrations/{family}_")));
    files.map(|file| std::fs::read_to_string(migrations.with_file_name(file)).unwrap()).collect()
}

/// Every step of the space's schema with the newest catalogue, and every step of the catalogue's with the newest space.
fn cases(space: usize, control: usize) -> Vec<(usize, usize)> {
    (1..=space).map(|step| (step, control)).chain((1..control).map(|step| (space, step))).collect()
}

const VERSIONS: &str = "CREATE TABLE IF NOT EXISTS schema_version (family TEXT PRIMARY KEY, version BIGINT NOT NULL);";

/// Sets the steps up, and says so as the program does.
fn set_up(family: &str, steps: &[String]) -> String {
    let version = format!("INSERT INTO schema_version (family, version) VALUES ('{family}', {})", steps.len());
    format!("{VERSIONS}\n{}\n{version};", steps.concat())
}

/// Takes over the rows of a table that both have.
fn take_over(table: &str, columns: &[String]) -> String {
    let columns = columns.join(", ");
    format!("DELETE FROM {table}; INSERT INTO {table} ({columns}) SELECT {columns} FROM today.{table};")
}

fn make_sqlite(file: &Path, today: &Path, family: &str, steps: &[String]) {
    let connection = rusqlite::Connection::open(file).unwrap();
    connection.execute_batch(&set_up(family, steps)).unwrap();
    connection.execute("ATTACH ?1 AS today", [today.to_str().unwrap()]).unwrap();
    let tables = "SELECT old.name FROM main.sqlite_master AS old JOIN today.sqlite_master AS new ON new.name = old.name
                   WHERE old.type = 'table' AND old.name <> 'schema_version'";
    for table in texts(&connection, tables, "") {
        let columns = "SELECT old.name FROM pragma_table_info(?1, 'main') AS old
                         JOIN pragma_table_info(?1, 'today') AS new ON new.name = old.name";
        connection.execute_batch(&take_over(&table, &texts(&connection, columns, &table))).unwrap();
    }
}

fn texts(connection: &rusqlite::Connection, sql: &str, table: &str) -> Vec<String> {
    let mut statement = connection.prepare(sql).unwrap();
    let arguments: &[&dyn rusqlite::ToSql] = if statement.parameter_count() == 0 { &[] } else { &[&table] };
    statement.query_map(arguments, |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// In a schema of its own, in the database of today.
async fn make_postgres(url: &str, schema: &str, families: &[(&str, &[String])]) {
    let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
    let mut run =
        async |sql: String| connection.execute(AssertSqlSafe(sql.replace(" BLOB", " BYTEA"))).await.map(drop).unwrap();
    run(format!("CREATE SCHEMA {schema}; SET search_path = {schema}")).await;
    for (family, steps) in families {
        run(set_up(family, steps)).await;
    }
    let columns = "SELECT old.table_name::text, old.column_name::text FROM information_schema.columns AS old
                     JOIN information_schema.columns AS new
                       ON new.table_schema = 'public' AND new.table_name = old.table_name AND new.column_name = old.column_name
                    WHERE old.table_schema = $1 AND old.table_name <> 'schema_version'";
    let found: Vec<(String, String)> = sqlx::query_as(columns).bind(schema).fetch_all(&mut connection).await.unwrap();
    let mut tables: Vec<&String> = found.iter().map(|(table, _)| table).collect();
    tables.sort();
    tables.dedup();
    for table in tables {
        let columns: Vec<String> =
            found.iter().filter(|(of, _)| of == table).map(|(_, column)| column.clone()).collect();
        let sql = take_over(table, &columns).replace("today.", "public.");
        connection.execute(AssertSqlSafe(sql)).await.unwrap();
    }
}

#[tokio::test]
async fn what_was_written_at_any_earlier_step_opens_whole() {
    let (space_steps, control_steps) = (steps("space"), steps("control"));
    assert!(space_steps.len() >= 22 && control_steps.len() >= 6);
    for on in [On::Sqlite, On::Postgres] {
        let Some(world) = World::start_apart(on, Limits::default()).await else {
            eprintln!("skipped on {on:?}: TEST_POSTGRES is not set");
            continue;
        };
        let alice = &world.alice;
        make_folder(alice, "folder").await.unwrap();
        put(alice, "folder/small", b"small").await.unwrap();
        put(alice, "folder/large", &[7; 300_000]).await.unwrap();
        put(alice, "folder/large", &[8; 200_000]).await.unwrap();
        put(alice, "thrown away", &[9; 50_000]).await.unwrap();
        delete(alice, "thrown away").await;
        alice.apply(BeginUpload { upload: "up".to_owned(), total_bytes: None }).await.unwrap();
        let content = stage(alice, &[3; 90_000]).await.unwrap();
        let chunk = PutChunk { upload: "up".to_owned(), chunk: "1".to_owned(), content, total_bytes: None };
        alice.apply(chunk).await.unwrap();
        let (expected, quota) = (image(alice).await, alice.quota().await.unwrap());
        let info = world.space.info().clone();
        world.store.close().await;

        // Each is a schema and some connections on PostgreSQL: seconds, where the machine is busy.
        let is_long = on == On::Sqlite || std::env::var_os("UPGRADE_STEPS").is_some();
        let every = if is_long { 1 } else { 4 };
        for (space_step, control_step) in cases(space_steps.len(), control_steps.len()).into_iter().step_by(every) {
            let case = format!("step {space_step} of spaces, {control_step} of the catalogue");
            let (space, control) = (&space_steps[..space_step], &control_steps[..control_step]);
            let directory = tempfile::tempdir().unwrap();
            let database = match &world.config.database {
                DatabaseConfig::Sqlite { directory: today } => {
                    let file = format!("spaces/{}.sqlite", info.uuid);
                    std::fs::create_dir(directory.path().join("spaces")).unwrap();
                    make_sqlite(&directory.path().join(&file), &today.join(&file), "space", space);
                    let control_file = "control.sqlite";
                    make_sqlite(&directory.path().join(control_file), &today.join(control_file), "control", control);
                    DatabaseConfig::Sqlite { directory: directory.path().to_owned() }
                }
                DatabaseConfig::Postgres { url, connections_max } => {
                    let schema = format!("step_{space_step}_{control_step}");
                    make_postgres(url, &schema, &[("control", control), ("space", space)]).await;
                    let url = format!("{url}?options=-c%20search_path%3D{schema}");
                    DatabaseConfig::Postgres { url, connections_max: *connections_max }
                }
            };
            let config = StoreConfig { database, ..world.config.clone() };
            let store = reopened(&config, &world.clock).await;
            let report = store.check_space(&info.name, true).await.unwrap();
            assert_eq!(report.problems, Vec::<String>::new(), "{case}");
            let opened = store.space_named(&info.name).await.unwrap();
            let tree = tree_of(&opened, "alice").await;
            assert!(image(&tree).await == expected, "{case}");
            assert_eq!(tree.quota().await.unwrap(), quota, "{case}");
            assert_eq!(names(&tree.bin().unwrap(), "").await.len(), 1, "{case}: the trash");
            assert_eq!(tree.upload("up").await.unwrap().chunks.len(), 1, "{case}");
            // It is written to like any other.
            put(&tree, "folder/new", b"small enough to be in its row").await.unwrap();
            assert_eq!(store.check_space(&info.name, true).await.unwrap().problems, Vec::<String>::new(), "{case}");
            store.close().await;
        }
        world.finish().await;
    }
}
