//! `nichoir demo`: everything in one command.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use clap::Args;
use nichoir_auth::{generate_password, hash_password};
use nichoir_store::{Error as StoreError, NewAccount, NewSpace, Ports, Role, Space, Store};

use super::serve::until_stopped;
use super::{Failure, Session, print, storage};
use crate::observe;

/// Makes a space "demo" that answers on any host, with accounts, and serves it.
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: String,
    /// The pool.
    #[arg(long, default_value = "40GB", value_parser = super::parse_size)]
    quota: u64,
}

const SPACE: &str = "demo";
const ACCOUNTS: [(&str, &str, Role); 3] =
    [("alice", "Alice", Role::Member), ("bob", "Bob", Role::Member), ("admin", "Admin", Role::Admin)];

impl Demo {
    pub(super) async fn run(self, mut session: Session) -> Result<(), Failure> {
        session.config.server.listen = vec![self.listen];
        session.config.server.default_space = SPACE.to_owned();
        observe::start_logging(&session.config.log);
        let store = session.store().await?;
        let space = space(&store, self.quota).await?;
        let file = session.config.storage.data_dir.join("demo-passwords.txt");
        let passwords = accounts(&session, &space, &file).await?;
        until_stopped(session, store, |addresses| introduce(addresses, &passwords, &file)).await
    }
}

async fn space(store: &Store, quota_bytes: u64) -> Result<Space, Failure> {
    let new = NewSpace { name: SPACE.to_owned(), hosts: Vec::new(), quota_bytes, max_accounts: 50 };
    match store.create_space(new).await {
        Err(StoreError::Exists) => store.space_named(SPACE).await,
        made => made,
    }
    .map_err(|error| storage(&error))
}

/// Makes the accounts at the first start; later starts find their passwords in the file.
async fn accounts(session: &Session, space: &Space, file: &Path) -> Result<Vec<(String, String)>, Failure> {
    let known = read_passwords(file);
    let mut passwords = Vec::new();
    for (login, display_name, role) in ACCOUNTS {
        let old = known.iter().find(|(known, _)| known == login).map(|(_, password)| password.clone());
        let password = old.unwrap_or_else(|| generate_password(&Ports::system()));
        let cost = session.config.auth_limits().password_cost();
        let account = NewAccount {
            login: login.to_owned(),
            display_name: display_name.to_owned(),
            // Invitations find people by their addresses.
            email: Some(format!("{login}@demo.example")),
            role,
            password_hash: Some(hash_password(&password, cost, &Ports::system())),
        };
        // Written down before the account exists, so that no account has a password that nobody knows.
        passwords.push((login.to_owned(), password));
        write_passwords(file, &passwords).map_err(|error| format!("cannot write {}: {error}", file.display()))?;
        match space.create_account(account).await {
            Ok(_) | Err(StoreError::Exists) => {}
            Err(error) => return Err(storage(&error)),
        }
    }
    Ok(passwords)
}

fn read_passwords(file: &Path) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().filter_map(|line| line.split_once(' ')).map(|(login, it)| (login.to_owned(), it.to_owned())).collect()
}

fn write_passwords(file: &Path, passwords: &[(String, String)]) -> std::io::Result<()> {
    let known = read_passwords(file);
    let later = known.iter().filter(|(login, _)| passwords.iter().all(|(written, _)| written != login));
    let text: String = passwords.iter().chain(later).map(|(login, password)| format!("{login} {password}\n")).collect();
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(file)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn introduce(addresses: &[String], passwords: &[(String, String)], file: &Path) {
    let address = addresses.first().map_or("", String::as_str);
    let mut text = format!("\nnichoir demo: http://{address}\n\n  login   password\n");
    for (login, password) in passwords {
        text.push_str(&format!("  {login:<7} {password}\n"));
    }
    let (login, password) = passwords.first().map_or(("", ""), |(login, password)| (login, password));
    text.push_str(&format!(
        "\nThe passwords are kept in {}. Try it:\n\n  \
         nextcloudcmd --non-interactive -u {login} -p {password} FOLDER http://{address}\n  \
         rclone lsf ':webdav,vendor=nextcloud,url=\"http://{address}/remote.php/dav/files/{login}\",user={login},pass='\"$(rclone obscure {password})\"':'\n  \
         curl -u {login}:{password} -T FILE http://{address}/remote.php/dav/files/{login}/\n\n\
         Calendars, tasks and contacts (Thunderbird, DAVx5, Evolution): the same address, login and password.\n\n\
         Stop with Ctrl-C.\n",
        file.display()
    ));
    print(&text);
}
