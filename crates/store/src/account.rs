//! Accounts: the people of a space.

use crate::audit::Act;
use crate::departure::Departure;
use crate::error::Error;
use crate::member_quota;
use crate::node::{AccountId, FileId};
use crate::ports::Timestamp;
use crate::row::NO_PARENT;
use crate::space::Space;
use crate::sql::{Connection, Row, Sql, Value, is_taken};
use crate::tx::{Tx, signed};
use crate::writer::Running;

/// The longest login, in bytes.
const LOGIN_BYTES_MAX: usize = 64;

/// What an account may do in its space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Uses it.
    Member,
    /// Also manages it.
    Admin,
}

/// A person in a space.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its number.
    pub id: AccountId,
    /// The login, which also stands in URLs; of `A-Z a-z 0-9 _ . @ -`.
    pub login: String,
    /// The name to show.
    pub display_name: String,
    /// The mail address, which also works as a login when it is unique.
    pub email: Option<String>,
    /// Member or admin.
    pub role: Role,
    /// Hash of the password in PHC string format; `None`: cannot log in by password.
    pub password_hash: Option<String>,
    /// Whether it may do anything at all.
    pub is_enabled: bool,
    /// The language of messages, such as `fr`; `None`: the space's.
    pub language: Option<String>,
    /// How dates and numbers are written for it, such as `fr_FR`; `None`: by the language.
    pub locale: Option<String>,
    /// Its own share of the pool; `None`: as much as there is.
    pub quota_bytes: Option<u64>,
    /// When it was deleted, if what it held is still kept.
    pub departed: Option<Timestamp>,
    /// The root of its tree.
    pub home: FileId,
    /// The root of its trash.
    pub trash: FileId,
    /// When it was made.
    pub created: Timestamp,
    /// When it last logged in or used a device; to the hour.
    pub last_seen: Option<Timestamp>,
}

impl Account {
    /// Whether it manages the space.
    pub fn is_admin(&self) -> bool {
        self.role == Role::Admin
    }
}

/// What a new account starts with.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// The login; unique whatever its case.
    pub login: String,
    /// The name to show; the login if empty.
    pub display_name: String,
    /// The mail address.
    pub email: Option<String>,
    /// Member or admin.
    pub role: Role,
    /// Hash of the password.
    pub password_hash: Option<String>,
}

/// What to change of an account; `None` leaves as is.
#[derive(Clone, Debug, Default)]
pub struct AccountUpdate {
    /// The name to show.
    pub display_name: Option<String>,
    /// The mail address; `Some(None)` removes it.
    pub email: Option<Option<String>>,
    /// Member or admin.
    pub role: Option<Role>,
    /// Hash of the password; `Some(None)` removes it.
    pub password_hash: Option<Option<String>>,
    /// Enabled or disabled. Disabling works at once on every route.
    pub is_enabled: Option<bool>,
    /// The language of messages; `Some(None)`: the space's.
    pub language: Option<Option<String>>,
    /// How dates and numbers are written; `Some(None)`: by the language.
    pub locale: Option<Option<String>>,
    /// Its own share of the pool; `Some(None)`: as much as there is.
    pub quota_bytes: Option<Option<u64>>,
}

impl Space {
    /// Makes an account with an empty home.
    ///
    /// # Errors
    /// [`Error::Exists`] for a login or mail address in use, [`Error::BadName`] for a login of other characters,
    /// [`Error::TooLarge`] at the space's number of accounts.
    pub async fn create_account(&self, new: NewAccount) -> Result<Account, Error> {
        check_login(&new.login)?;
        let act = Act::of(new.login.as_str(), "made an account", name_of(new.role));
        let account = self.act_on_accounts(act, move |tx| Box::pin(create(tx, new))).await;
        account.map_err(taken_as_exists)
    }

    /// The account of that number.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn account(&self, id: AccountId) -> Result<Account, Error> {
        find(&mut *self.core().reader().await?, BY_ID, &[id.into()]).await
    }

    /// The account with that login or, failing that, that mail address, whatever its case.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn account_by_login(&self, login: &str) -> Result<Account, Error> {
        // One statement: how long it takes does not tell whether there is such a login.
        find(&mut *self.core().reader().await?, BY_LOGIN_OR_EMAIL, &[login.to_lowercase().into()]).await
    }

    /// The account with that mail address, whatever its case.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn account_by_email(&self, email: &str) -> Result<Account, Error> {
        find(&mut *self.core().reader().await?, BY_EMAIL, &[email.to_lowercase().into()]).await
    }

    /// All accounts, by number.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn accounts(&self) -> Result<Vec<Account>, Error> {
        self.core().reader().await?.all(ALL, &[]).await?.iter().map(account_of).collect()
    }

    /// Changes an account.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Exists`] for a mail address in use.
    pub async fn update_account(&self, id: AccountId, update: AccountUpdate) -> Result<Account, Error> {
        let account = match what_matters(&update) {
            Some((kind, detail)) => {
                let act = Act::on(id, kind, detail);
                self.act_on_accounts(act, move |tx| Box::pin(change(tx, id, update))).await
            }
            None => self.write_accounts(move |tx| Box::pin(change(tx, id, update))).await,
        };
        account.map_err(taken_as_exists)
    }

    /// Deletes an account, its devices and its tree.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn delete_account(&self, id: AccountId) -> Result<(), Error> {
        self.end_account(id, Departure::Gone).await
    }

    /// Runs a change of accounts, devices or groups. With its commit every remembered log-in of the space is invalid, whether or not
    /// somebody still waits for the answer.
    pub(crate) async fn write_accounts<F, T>(&self, work: F) -> Result<T, Error>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> Running<'t, Result<T, Error>> + Send + 'static,
        T: Send + 'static,
    {
        self.core()
            .write(move |tx| {
                tx.has_accounts = true;
                work(tx)
            })
            .await
    }
}

/// What the trail says of the change; nothing where only languages and names to show change.
fn what_matters(update: &AccountUpdate) -> Option<(&'static str, String)> {
    let AccountUpdate { role, is_enabled, email, quota_bytes, password_hash, .. } = update;
    let enabled = is_enabled.map(|enabled| if enabled { "enabled" } else { "disabled" }.to_owned());
    let said: Vec<String> = [
        role.map(|role| format!("role {}", name_of(role))),
        enabled,
        email.as_ref().map(|_| "mail address".to_owned()),
        quota_bytes.map(|quota| quota.map_or("no quota".to_owned(), |bytes| format!("quota of {bytes} bytes"))),
    ]
    .into_iter()
    .flatten()
    .collect();
    match password_hash {
        Some(_) => Some(("changed a password", said.join(", "))),
        None if said.is_empty() => None,
        None => Some(("changed an account", said.join(", "))),
    }
}

fn check_login(login: &str) -> Result<(), Error> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_.@-".contains(c);
    if login.is_empty() || login.len() > LOGIN_BYTES_MAX || !login.chars().all(is_plain) || login.starts_with('.') {
        let rule = format!("a login has 1 to {LOGIN_BYTES_MAX} of A-Z a-z 0-9 _ . @ - and does not begin with a dot");
        return Err(Error::BadName(rule));
    }
    Ok(())
}

pub(crate) fn taken_as_exists(error: Error) -> Error {
    if is_taken(&error) { Error::Exists } else { error }
}

/// The account with that login, whatever its case.
pub(crate) async fn by_login(connection: &mut Connection, login: &str) -> Result<Option<Account>, Error> {
    let row = connection.maybe(BY_LOGIN, &[login.to_lowercase().into()]).await?;
    row.as_ref().map(account_of).transpose()
}

async fn find(connection: &mut Connection, sql: Sql, args: &[Value]) -> Result<Account, Error> {
    account_of(&connection.maybe(sql, args).await?.ok_or(Error::NotFound)?)
}

async fn create(tx: &mut Tx, new: NewAccount) -> Result<Account, Error> {
    let limit = tx.core.max_accounts.load(std::sync::atomic::Ordering::Relaxed);
    if count(tx).await? >= limit {
        return Err(Error::TooLarge { limit });
    }
    let id = AccountId(tx.fresh_id());
    let home = make_root(tx, format!("home {id}")).await?;
    let trash = make_root(tx, format!("trash {id}")).await?;
    let display_name = if new.display_name.is_empty() { new.login.clone() } else { new.display_name };
    let args: [Value; 12] = [
        id.into(),
        new.login.as_str().into(),
        new.login.to_lowercase().into(),
        display_name.into(),
        new.email.as_deref().into(),
        new.email.as_deref().map(str::to_lowercase).into(),
        name_of(new.role).into(),
        new.password_hash.into(),
        true.into(),
        home.into(),
        trash.into(),
        tx.now().into(),
    ];
    tx.one(INSERT, &args).await?;
    crate::mount::mount_all(tx, id).await?;
    find(&mut tx.connection, BY_ID, &[id.into()]).await
}

pub(crate) async fn make_root(tx: &mut Tx, name: String) -> Result<FileId, Error> {
    tx.advance();
    let id = FileId(tx.fresh_id());
    let args = [id.into(), NO_PARENT.into(), name.into(), true.into(), tx.etag().into(), tx.now().into()];
    tx.one(INSERT_ROOT, &args).await?;
    Ok(id)
}

async fn change(tx: &mut Tx, id: AccountId, update: AccountUpdate) -> Result<Account, Error> {
    let old = find(&mut tx.connection, BY_ID, &[id.into()]).await?;
    let email = update.email.unwrap_or(old.email);
    let quota_bytes = update.quota_bytes.unwrap_or(old.quota_bytes);
    member_quota::recount(tx, old.quota_bytes, quota_bytes);
    let args: [Value; 10] = [
        id.into(),
        update.display_name.unwrap_or(old.display_name).into(),
        email.as_deref().into(),
        email.as_deref().map(str::to_lowercase).into(),
        name_of(update.role.unwrap_or(old.role)).into(),
        update.password_hash.unwrap_or(old.password_hash).into(),
        update.is_enabled.unwrap_or(old.is_enabled).into(),
        update.language.unwrap_or(old.language).into(),
        update.locale.unwrap_or(old.locale).into(),
        quota_bytes.map(signed).into(),
    ];
    tx.one(UPDATE, &args).await?;
    if update.is_enabled == Some(false) {
        crate::lock::forget_groundless(tx).await?;
    }
    find(&mut tx.connection, BY_ID, &[id.into()]).await
}

/// The account's rows go at once, its trees step by step; their bytes are free at once.
pub(crate) async fn delete(tx: &mut Tx, id: AccountId) -> Result<(), Error> {
    let account = find(&mut tx.connection, BY_ID, &[id.into()]).await?;
    crate::mount::forget_account(tx, id).await?;
    member_quota::recount(tx, account.quota_bytes, None);
    let uploads = tx.all(UPLOADS, &[id.into()]).await?;
    for upload in uploads {
        crate::change::abort_upload(tx, upload.int(0)?).await?;
    }
    let mut roots = crate::area::roots_of(tx, id).await?;
    roots.push((account.home, account.trash));
    crate::purge::purge_trees(tx, id, &roots).await?;
    for forget in
        [crate::standing::FORGET, crate::notification::FORGET, crate::activity::FORGET, crate::user_status::FORGET]
    {
        tx.run(forget, &[id.into()]).await?;
    }
    forget_access(tx, id).await?;
    let (outgoing, groups) = (crate::outgoing::FORGET, crate::group::FORGET);
    for forget in [
        FORGET_WIPED,
        crate::picture::FORGET,
        outgoing,
        groups,
        FORGET_TRASH_VIEWS,
        FORGET_ROOTS,
        FORGET_FAVOURITES,
        crate::comment::FORGET_AUTHOR,
        crate::comment::FORGET_READ,
        FORGET_FINISHED,
        crate::account_value::FORGET,
    ] {
        tx.run(forget, &[id.into()]).await?;
    }
    tx.one(DELETE, &[id.into()]).await
}

/// Everything by which the account comes in, is told or keeps others out. A device that is to be wiped still learns so.
pub(crate) async fn forget_access(tx: &mut Tx, id: AccountId) -> Result<(), Error> {
    for forget in [crate::standing::FORGET, crate::push::FORGET, FORGET_LOCKS, FORGET_DEVICES, FORGET_FLOWS] {
        tx.run(forget, &[id.into()]).await?;
    }
    Ok(())
}

pub(crate) async fn by_id(tx: &mut Tx, id: AccountId) -> Result<Account, Error> {
    find(&mut tx.connection, BY_ID, &[id.into()]).await
}

/// Accounts in the space, those that left not counted.
pub(crate) async fn count(tx: &mut Tx) -> Result<u64, Error> {
    tx.row(COUNT, &[]).await?.count(0)
}

const fn name_of(role: Role) -> &'static str {
    match role {
        Role::Member => "member",
        Role::Admin => "admin",
    }
}

/// The columns that [`account_of`] reads; the table goes by the name `account`.
macro_rules! account_columns {
    () => {
        "account.id, account.login, account.display_name, account.email, account.role, account.password_hash, \
         account.is_enabled, account.language, account.home_id, account.trash_id, account.created_us, \
         account.last_seen_us, account.locale, account.quota_bytes, account.departed_us"
    };
}
pub(crate) use account_columns;

/// How many columns [`account_columns`] has.
pub(crate) const ACCOUNT_COLUMNS: usize = 15;

pub(crate) fn account_of(row: &Row) -> Result<Account, Error> {
    let id = AccountId(row.int(0)?);
    Ok(Account {
        id,
        login: row.text(1)?,
        display_name: row.text(2)?,
        email: row.maybe_text(3)?,
        role: match row.text(4)?.as_str() {
            "member" => Role::Member,
            "admin" => Role::Admin,
            _ => return Err(Error::Corrupt { table: "account", column: "role", id: id.0 }),
        },
        password_hash: row.maybe_text(5)?,
        is_enabled: row.truth(6)?,
        language: row.maybe_text(7)?,
        home: FileId(row.int(8)?),
        trash: FileId(row.int(9)?),
        created: Timestamp(row.int(10)?),
        last_seen: row.maybe_int(11)?.map(Timestamp),
        locale: row.maybe_text(12)?,
        quota_bytes: row.maybe_int(13)?.map(|bytes| u64::try_from(bytes).unwrap_or(0)),
        departed: row.maybe_int(14)?.map(Timestamp),
    })
}

const BY_ID: Sql = Sql(concat!("SELECT ", account_columns!(), " FROM account WHERE space_id = $1 AND id = $2"));

const BY_LOGIN: Sql =
    Sql(concat!("SELECT ", account_columns!(), " FROM account WHERE space_id = $1 AND login_key = $2"));

const BY_EMAIL: Sql =
    Sql(concat!("SELECT ", account_columns!(), " FROM account WHERE space_id = $1 AND email_key = $2"));

const BY_LOGIN_OR_EMAIL: Sql = Sql(concat!(
    "SELECT ",
    account_columns!(),
    " FROM account WHERE space_id = $1 AND (login_key = $2 OR email_key = $2) ORDER BY login_key <> $2 LIMIT 1"
));

const ALL: Sql = Sql(concat!(
    "SELECT ",
    account_columns!(),
    " FROM account WHERE space_id = $1 AND departed_us IS NULL ORDER BY id"
));

const COUNT: Sql = Sql("SELECT COUNT(*) FROM account WHERE space_id = $1 AND departed_us IS NULL");

const INSERT: Sql =
    Sql("INSERT INTO account (space_id, id, login, login_key, display_name, email, email_key, role, password_hash,
                          is_enabled, home_id, trash_id, created_us)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)");

const INSERT_ROOT: Sql = Sql(
    "INSERT INTO node (space_id, id, parent_id, name, is_folder, etag, size_bytes, modified_us, created_us, uploaded_us)
     VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $7, $7)",
);

const UPDATE: Sql = Sql("UPDATE account
        SET display_name = $3, email = $4, email_key = $5, role = $6, password_hash = $7, is_enabled = $8,
            language = $9, locale = $10, quota_bytes = $11
      WHERE space_id = $1 AND id = $2");

const UPLOADS: Sql = Sql("SELECT id FROM upload WHERE space_id = $1 AND account_id = $2");

const FORGET_TRASH_VIEWS: Sql = Sql("DELETE FROM trash_view WHERE space_id = $1 AND account_id = $2");

const FORGET_ROOTS: Sql = Sql("DELETE FROM root WHERE space_id = $1 AND account_id = $2");

const FORGET_FAVOURITES: Sql = Sql("DELETE FROM favourite WHERE space_id = $1 AND account_id = $2");

const FORGET_LOCKS: Sql = Sql("DELETE FROM lock WHERE space_id = $1 AND account_id = $2");

const FORGET_DEVICES: Sql = Sql("DELETE FROM device WHERE space_id = $1 AND account_id = $2 AND is_wiped = 0");

const FORGET_WIPED: Sql = Sql("DELETE FROM device WHERE space_id = $1 AND account_id = $2");

const FORGET_FLOWS: Sql = Sql("DELETE FROM login_flow WHERE space_id = $1 AND account_id = $2");

const FORGET_FINISHED: Sql = Sql("DELETE FROM finished_upload WHERE space_id = $1 AND account_id = $2");

const DELETE: Sql = Sql("DELETE FROM account WHERE space_id = $1 AND id = $2");

pub(crate) const STATEMENTS: &[Sql] = &[
    BY_ID,
    BY_LOGIN,
    BY_EMAIL,
    BY_LOGIN_OR_EMAIL,
    ALL,
    COUNT,
    INSERT,
    INSERT_ROOT,
    UPDATE,
    UPLOADS,
    FORGET_TRASH_VIEWS,
    FORGET_ROOTS,
    FORGET_FAVOURITES,
    FORGET_LOCKS,
    FORGET_DEVICES,
    FORGET_WIPED,
    FORGET_FLOWS,
    FORGET_FINISHED,
    DELETE,
];
