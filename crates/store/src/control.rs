//! The catalogue of spaces: names, hosts, pools. Small, read often, written by the admin's commands, which may run in
//! another process while the server serves.

pub(crate) mod restored;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::audit::{Actor, Trace};
use crate::error::Error;
use crate::open_space::{Engine, control_file};
use crate::ports::{Ports, Timestamp};
use crate::space::{SpaceInfo, SpaceState};
use crate::sql::{Connection, Row, Sql, Value, is_taken};
use crate::sqlite::SqliteConnection;
use crate::store::{NewSpace, SpaceUpdate};
use crate::theme::{Theme, colour_of};
use crate::upkeep;

/// How long an answer may stand before the catalogue is asked whether it changed.
const RECHECK_SECONDS: i64 = 1;
/// Hosts remembered at once.
const REMEMBERED_HOSTS_MAX: usize = 100_000;
/// Days that is kept what was done to spaces; members cannot add to it.
const ACT_DAYS: i64 = 400;

/// A space as the catalogue has it.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) info: SpaceInfo,
    /// What the space's own keys derive from.
    pub(crate) secret: [u8; 32],
}

/// The way to the catalogue.
pub(crate) struct Control {
    engine: Arc<Engine>,
    ports: Ports,
    base_domain: Option<String>,
    default_space: Option<String>,
    idle: Mutex<Vec<Connection>>,
    routes: Mutex<Routes>,
}

#[derive(Default)]
struct Routes {
    generation: i64,
    checked: Timestamp,
    by_host: HashMap<String, Arc<Entry>>,
}

impl Control {
    pub(crate) fn new(
        engine: Arc<Engine>,
        ports: Ports,
        base_domain: Option<String>,
        default_space: Option<String>,
    ) -> Control {
        let base_domain = base_domain.map(|domain| domain.trim_matches('.').to_lowercase());
        let routes = Mutex::new(Routes::default());
        Control { engine, ports, base_domain, default_space, idle: Mutex::new(Vec::new()), routes }
    }

    /// Has the engine read every statement about the catalogue.
    pub(crate) async fn prepare_all(&self) -> Result<usize, Error> {
        let mut connection = self.connection().await?;
        let prepared = crate::statements::prepare_all(&mut connection, true).await;
        self.give_back(connection);
        prepared
    }

    /// Runs a statement about the catalogue; returns how many rows it touched.
    pub(crate) async fn run(&self, sql: Sql, args: &[Value]) -> Result<u64, Error> {
        let mut connection = self.connection().await?;
        let touched = connection.run(sql, args).await?;
        self.give_back(connection);
        Ok(touched)
    }

    /// All rows of a statement about the catalogue.
    pub(crate) async fn all_of(&self, sql: Sql, args: &[Value]) -> Result<Vec<Row>, Error> {
        let mut connection = self.connection().await?;
        let rows = connection.all(sql, args).await?;
        self.give_back(connection);
        Ok(rows)
    }

    async fn connection(&self) -> Result<Connection, Error> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match (idle, self.engine.as_ref()) {
            (Some(connection), _) => Ok(connection),
            // In place: a writer may ask from a thread that may block, and would wait for another one of those; so might all.
            (None, Engine::Sqlite { directory, .. }) => {
                Ok(Connection::sqlite(SqliteConnection::open(&control_file(directory))?, None))
            }
            (None, Engine::Postgres(pool)) => Ok(Connection::postgres(pool.acquire().await?, None)),
        }
    }

    /// Keeps a connection of our own for the next question; one of a pool goes back when dropped.
    fn give_back(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if connection.is_own() && idle.len() < 2 {
            idle.push(connection);
        }
    }

    pub(crate) async fn close(&self) {
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        for connection in idle {
            connection.close().await;
        }
    }

    /// The space that answers on `host`.
    pub(crate) async fn by_host(&self, host: &str) -> Result<Option<Arc<Entry>>, Error> {
        let host = host.trim_end_matches('.').to_lowercase();
        if let Some(entry) = self.fresh_route(&host) {
            return Ok(Some(entry));
        }
        // On the heap, as all that is rare: every request has room for this call.
        Box::pin(self.by_host_anew(host)).await
    }

    async fn by_host_anew(&self, host: String) -> Result<Option<Arc<Entry>>, Error> {
        let mut connection = self.connection().await?;
        self.recheck(&mut connection).await?;
        if let Some(entry) = self.fresh_route(&host) {
            self.give_back(connection);
            return Ok(Some(entry));
        }
        let entry = self.look_up(&mut connection, &host).await?.map(Arc::new);
        self.give_back(connection);
        if let Some(entry) = &entry {
            let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
            if routes.by_host.len() >= REMEMBERED_HOSTS_MAX {
                routes.by_host.clear();
            }
            routes.by_host.insert(host, Arc::clone(entry));
        }
        Ok(entry)
    }

    fn fresh_route(&self, host: &str) -> Option<Arc<Entry>> {
        let routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let age = self.ports.clock.now().0.abs_diff(routes.checked.0);
        let is_fresh = age <= RECHECK_SECONDS.unsigned_abs() * 1_000_000;
        is_fresh.then(|| routes.by_host.get(host).cloned()).flatten()
    }

    /// Forgets the routes if the catalogue has changed since they were learnt.
    async fn recheck(&self, connection: &mut Connection) -> Result<(), Error> {
        let generation = connection.row(GENERATION, &[]).await?.int(0)?;
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        if routes.generation != generation {
            routes.by_host.clear();
            routes.generation = generation;
        }
        routes.checked = self.ports.clock.now();
        Ok(())
    }

    async fn look_up(&self, connection: &mut Connection, host: &str) -> Result<Option<Entry>, Error> {
        if let Some(row) = connection.maybe(BY_HOST, &[host.into()]).await? {
            return entry(connection, &row).await.map(Some);
        }
        let suffix = self.base_domain.as_ref().and_then(|domain| host.strip_suffix(domain.as_str()));
        let label = suffix.and_then(|label| label.strip_suffix('.'));
        for name in label.into_iter().chain(self.default_space.as_deref()) {
            if let Some(row) = connection.maybe(BY_NAME, &[name.into()]).await? {
                return entry(connection, &row).await.map(Some);
            }
        }
        Ok(None)
    }

    /// The space of that name.
    pub(crate) async fn by_name(&self, name: &str) -> Result<Arc<Entry>, Error> {
        let mut connection = self.connection().await?;
        let row = connection.maybe(BY_NAME, &[name.into()]).await?;
        let found = match row {
            Some(row) => entry(&mut connection, &row).await.map(Arc::new),
            None => Err(Error::NotFound),
        };
        self.give_back(connection);
        found
    }

    /// The space of that number.
    pub(crate) async fn by_id(&self, id: i64) -> Result<Arc<Entry>, Error> {
        let mut connection = self.connection().await?;
        let row = connection.maybe(BY_ID, &[id.into()]).await?;
        let found = match row {
            Some(row) => entry(&mut connection, &row).await.map(Arc::new),
            None => Err(Error::NotFound),
        };
        self.give_back(connection);
        found
    }

    /// Every space, by number.
    pub(crate) async fn all(&self) -> Result<Vec<SpaceInfo>, Error> {
        let mut connection = self.connection().await?;
        let mut hosts: HashMap<i64, Vec<String>> = HashMap::new();
        for row in connection.all(ALL_HOSTS, &[]).await? {
            hosts.entry(row.int(0)?).or_default().push(row.text(1)?);
        }
        let rows = connection.all(ALL, &[]).await?;
        self.give_back(connection);
        let info = |row: &Row| {
            let mut info = info_of(row)?;
            info.hosts = hosts.remove(&info.id).unwrap_or_default();
            info.hosts.sort();
            Ok(info)
        };
        rows.iter().map(info).collect()
    }

    /// Adds a space, whose content is first read to be compared with its digests at `scrub_due`.
    pub(crate) async fn create(&self, new: NewSpace, scrub_due: Timestamp) -> Result<(), Error> {
        check_chosen_name(&new.name)?;
        let mut connection = self.connection().await?;
        connection.begin().await?;
        let made = self.insert(&mut connection, new, scrub_due).await;
        self.finish(connection, made).await
    }

    async fn insert(&self, connection: &mut Connection, new: NewSpace, scrub_due: Timestamp) -> Result<(), Error> {
        let id = connection.row(NEXT_SPACE, &[]).await?.int(0)?;
        let secret: [u8; 32] = self.ports.bytes();
        let uuid = uuid::Builder::from_random_bytes(self.ports.bytes()).into_uuid();
        let args: [Value; 11] = [
            id.into(),
            uuid.to_string().into(),
            new.name.into(),
            new.quota_bytes.into(),
            i64::from(new.max_accounts).into(),
            format!("oc{}", self.ports.lower_alphanumeric(10)).into(),
            secret.as_slice().into(),
            self.ports.clock.now().into(),
            upkeep::NEVER.into(),
            upkeep::NEVER.into(),
            scrub_due.into(),
        ];
        connection.one(INSERT, &args).await?;
        let detail = format!("{} bytes, {} accounts", new.quota_bytes, new.max_accounts);
        self.note_act(connection, id, "made the space", &detail).await?;
        insert_hosts(connection, id, &new.hosts).await
    }

    /// Changes a space.
    pub(crate) async fn update(&self, name: &str, update: SpaceUpdate) -> Result<(), Error> {
        let id = self.by_name(name).await?.info.id;
        let mut connection = self.connection().await?;
        connection.begin().await?;
        let (kind, detail) = what_changes(&update);
        let changed = async {
            change(&mut connection, id, update).await?;
            self.note_act(&mut connection, id, kind, &detail).await
        }
        .await;
        self.finish(connection, changed).await
    }

    /// Forgets a space.
    pub(crate) async fn delete(&self, id: i64) -> Result<(), Error> {
        let mut connection = self.connection().await?;
        connection.begin().await?;
        let deleted = async {
            self.note_act(&mut connection, id, "deleted the space", "").await?;
            connection.run(FORGET_HOSTS, &[id.into()]).await?;
            connection.run(FORGET_PROBLEMS, &[id.into()]).await?;
            connection.one(DELETE, &[id.into()]).await
        }
        .await;
        self.finish(connection, deleted).await
    }

    /// Writes down what is done to a space, with what is done; and forgets what is older than such acts are kept.
    pub(crate) async fn note_act(
        &self,
        connection: &mut Connection,
        id: i64,
        kind: &str,
        detail: &str,
    ) -> Result<(), Error> {
        let now = self.ports.clock.now();
        connection.run(FORGET_ACTS, &[now.plus_seconds(-ACT_DAYS * 24 * 3600).into()]).await?;
        connection.one(INSERT_ACT, &[id.into(), kind.into(), detail.into(), now.into()]).await
    }

    /// What was done to spaces of that name, newest first: also to those that are gone.
    pub(crate) async fn acts(&self, name: &str, count_max: u32) -> Result<Vec<Trace>, Error> {
        let rows = self.all_of(ACTS, &[name.into(), i64::from(count_max).into()]).await?;
        rows.iter().map(act_of).collect()
    }

    /// Commits what was done, or undoes it; every committed change moves the generation.
    async fn finish(&self, mut connection: Connection, done: Result<(), Error>) -> Result<(), Error> {
        let done = match done {
            Ok(()) => connection.one(MOVE_GENERATION, &[]).await,
            failed => failed,
        };
        match done {
            Ok(()) => connection.script("COMMIT").await?,
            Err(error) => {
                connection.script("ROLLBACK").await?;
                self.give_back(connection);
                return Err(if is_taken(&error) { Error::Exists } else { error });
            }
        }
        self.routes.lock().unwrap_or_else(PoisonError::into_inner).by_host.clear();
        self.give_back(connection);
        Ok(())
    }
}

/// What the trail says of the change.
fn what_changes(update: &SpaceUpdate) -> (&'static str, String) {
    let kind = match update.state {
        Some(SpaceState::Suspended) => "suspended the space",
        Some(SpaceState::Active) => "resumed the space",
        None => "changed the space",
    };
    let said: Vec<String> = [
        update.quota_bytes.map(|bytes| format!("{bytes} bytes")),
        update.max_accounts.map(|accounts| format!("{accounts} accounts")),
        update.hosts.as_ref().map(|hosts| format!("hosts {}", hosts.join(" "))),
    ]
    .into_iter()
    .flatten()
    .collect();
    (kind, said.join(", "))
}

fn act_of(row: &Row) -> Result<Trace, Error> {
    let happened = Timestamp(row.int(0)?);
    Ok(Trace {
        happened,
        last: happened,
        times: 1,
        kind: row.text(1)?,
        actor: Actor::command_line("").name,
        subject: row.text(2)?,
        device: String::new(),
        address: String::new(),
        detail: row.text(3)?,
    })
}

async fn change(connection: &mut Connection, id: i64, update: SpaceUpdate) -> Result<(), Error> {
    if let Some(quota_bytes) = update.quota_bytes {
        connection.one(SET_QUOTA, &[id.into(), quota_bytes.into()]).await?;
    }
    if let Some(max_accounts) = update.max_accounts {
        connection.one(SET_MAX_ACCOUNTS, &[id.into(), i64::from(max_accounts).into()]).await?;
    }
    if let Some(state) = update.state {
        connection.one(SET_STATE, &[id.into(), (state == SpaceState::Suspended).into()]).await?;
    }
    let theme = update.theme;
    theme.check()?;
    let logo = theme.logo.map(Option::unwrap_or_default);
    let said = [(SET_TITLE, theme.title), (SET_SLOGAN, theme.slogan), (SET_COLOUR, theme.colour), (SET_LOGO, logo)];
    for (set, text) in said {
        if let Some(text) = text {
            connection.one(set, &[id.into(), text.into()]).await?;
        }
    }
    if let Some(hosts) = update.hosts {
        connection.run(FORGET_HOSTS, &[id.into()]).await?;
        insert_hosts(connection, id, &hosts).await?;
    }
    Ok(())
}

async fn insert_hosts(connection: &mut Connection, id: i64, hosts: &[String]) -> Result<(), Error> {
    for host in hosts {
        let host = host.trim_end_matches('.').to_lowercase();
        let is_plain = |c: char| c.is_alphanumeric() || "-._:[]".contains(c);
        if host.is_empty() || host.len() > 255 || !host.chars().all(is_plain) {
            return Err(Error::BadName(format!("{host:?} is not a host name")));
        }
        connection.one(INSERT_HOST, &[host.into(), id.into()]).await?;
    }
    Ok(())
}

/// A name is a DNS label, since it may stand before the base domain.
fn check_name(name: &str) -> Result<(), Error> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.len() > 63 || !name.chars().all(is_plain) || name.starts_with('-') || name.ends_with('-')
    {
        return Err(Error::BadName("a space's name has 1 to 63 of a-z 0-9 - and no - at its ends".to_owned()));
    }
    Ok(())
}

/// A name that an administrator chooses: not one of those that restores give.
fn check_chosen_name(name: &str) -> Result<(), Error> {
    if restored::is_provisional(name) {
        return Err(Error::BadName(format!("{name} is called as spaces are whose restore is under way")));
    }
    check_name(name)
}

async fn entry(connection: &mut Connection, row: &Row) -> Result<Entry, Error> {
    let mut info = info_of(row)?;
    for row in connection.all(HOSTS_OF, &[info.id.into()]).await? {
        info.hosts.push(row.text(0)?);
    }
    info.hosts.sort();
    let secret =
        row.bytes(8)?.try_into().map_err(|_| Error::Corrupt { table: "space", column: "secret", id: info.id })?;
    Ok(Entry { info, secret })
}

fn info_of(row: &Row) -> Result<SpaceInfo, Error> {
    let id = row.int(0)?;
    let corrupt = |column| Error::Corrupt { table: "space", column, id };
    Ok(SpaceInfo {
        id,
        uuid: row.text(1)?.parse().map_err(|_| corrupt("uuid"))?,
        name: row.text(2)?,
        hosts: Vec::new(),
        quota_bytes: row.count(3)?,
        max_accounts: u32::try_from(row.int(4)?).map_err(|_| corrupt("max_accounts"))?,
        state: if row.truth(5)? { SpaceState::Suspended } else { SpaceState::Active },
        instance_id: row.text(6)?,
        data_fingerprint: row.text(7)?,
        theme: Arc::new(theme_of(row)?),
    })
}

fn theme_of(row: &Row) -> Result<Theme, Error> {
    Ok(Theme {
        title: row.text(9)?,
        slogan: row.text(10)?,
        colour: colour_of(&row.text(11)?),
        logo: Some(row.text(12)?).filter(|digest| !digest.is_empty()),
    })
}

macro_rules! space_columns {
    () => {
        "space.id, space.uuid, space.name, space.quota_bytes, space.max_accounts, space.is_suspended, \
         space.instance_id, space.data_fingerprint, space.secret, space.title, space.slogan, space.colour, space.logo"
    };
}

const GENERATION: Sql = Sql("SELECT generation FROM control_state WHERE id = 1");

const MOVE_GENERATION: Sql = Sql("UPDATE control_state SET generation = generation + 1 WHERE id = 1");

const NEXT_SPACE: Sql =
    Sql("UPDATE control_state SET next_space_id = next_space_id + 1 WHERE id = 1 RETURNING next_space_id - 1");

const BY_HOST: Sql =
    Sql(concat!("SELECT ", space_columns!(), " FROM host JOIN space ON space.id = host.space_id WHERE host.name = $1"));

const BY_NAME: Sql = Sql(concat!("SELECT ", space_columns!(), " FROM space WHERE name = $1"));

const BY_ID: Sql = Sql(concat!("SELECT ", space_columns!(), " FROM space WHERE id = $1"));

const ALL: Sql = Sql(concat!("SELECT ", space_columns!(), " FROM space ORDER BY id"));

const ALL_HOSTS: Sql = Sql("SELECT space_id, name FROM host");

const HOSTS_OF: Sql = Sql("SELECT name FROM host WHERE space_id = $1");

const INSERT: Sql =
    Sql("INSERT INTO space (id, uuid, name, quota_bytes, max_accounts, is_suspended, instance_id, data_fingerprint,
                        secret, created_us, upkeep_due_us, check_due_us, scrub_due_us, has_outgoing)
     VALUES ($1, $2, $3, $4, $5, 0, $6, '', $7, $8, $9, $10, $11, 0)");

const INSERT_HOST: Sql = Sql("INSERT INTO host (name, space_id) VALUES ($1, $2)");

const SET_QUOTA: Sql = Sql("UPDATE space SET quota_bytes = $2 WHERE id = $1");

const SET_MAX_ACCOUNTS: Sql = Sql("UPDATE space SET max_accounts = $2 WHERE id = $1");

const SET_STATE: Sql = Sql("UPDATE space SET is_suspended = $2 WHERE id = $1");

const SET_TITLE: Sql = Sql("UPDATE space SET title = $2 WHERE id = $1");

const SET_SLOGAN: Sql = Sql("UPDATE space SET slogan = $2 WHERE id = $1");

const SET_COLOUR: Sql = Sql("UPDATE space SET colour = $2 WHERE id = $1");

const SET_LOGO: Sql = Sql("UPDATE space SET logo = $2 WHERE id = $1");

const FORGET_HOSTS: Sql = Sql("DELETE FROM host WHERE space_id = $1");

const FORGET_PROBLEMS: Sql = Sql("DELETE FROM problem WHERE space_id = $1");

const DELETE: Sql = Sql("DELETE FROM space WHERE id = $1");

const INSERT_ACT: Sql = Sql("INSERT INTO space_act (space_id, name, kind, detail, happened_us)
     VALUES ($1, (SELECT name FROM space WHERE id = $1), $2, $3, $4)");

const ACTS: Sql = Sql("SELECT happened_us, kind, name, detail FROM space_act
      WHERE name = $1 ORDER BY happened_us DESC LIMIT $2");

const FORGET_ACTS: Sql = Sql("DELETE FROM space_act WHERE happened_us < $1");

pub(crate) const STATEMENTS: &[Sql] = &[
    GENERATION,
    MOVE_GENERATION,
    NEXT_SPACE,
    BY_HOST,
    BY_NAME,
    BY_ID,
    ALL,
    ALL_HOSTS,
    HOSTS_OF,
    INSERT,
    INSERT_HOST,
    SET_QUOTA,
    SET_MAX_ACCOUNTS,
    SET_STATE,
    SET_TITLE,
    SET_SLOGAN,
    SET_COLOUR,
    SET_LOGO,
    FORGET_HOSTS,
    FORGET_PROBLEMS,
    DELETE,
    INSERT_ACT,
    ACTS,
    FORGET_ACTS,
];
