//! The command line: arguments to command to exit code. Every command takes `--config`, `--data-dir` and `--json`; commands open the
//! store themselves and so work while the server runs.

mod account;
mod app_password;
mod audit;
mod backup;
mod check;
mod demo;
mod doctor;
mod export;
mod gc;
mod group;
mod restore;
mod serve;
mod space;
mod team_folder;

use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use nichoir_store::{Actor, Error as StoreError, Ports, Space, Store};
use serde_json::Value;

use crate::config::{self, Config};

/// Nextcloud-compatible storage for many small spaces on one machine.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    /// The configuration file (default: /etc/nichoir/nichoir.toml, if it exists).
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    /// The directory of everything that is kept on this machine.
    #[arg(long, global = true)]
    data_dir: Option<PathBuf>,
    /// Answer in JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Try it out: makes a space with accounts and serves it.
    Demo(demo::Demo),
    /// Serve.
    Serve(serve::Serve),
    /// Spaces: create, list, show, set, suspend, resume, delete.
    #[command(subcommand)]
    Space(space::SpaceCommand),
    /// Accounts of a space.
    #[command(subcommand)]
    Account(account::AccountCommand),
    /// Groups of a space's accounts.
    #[command(subcommand)]
    Group(group::GroupCommand),
    /// Folders that belong to a space, and the groups that see them.
    #[command(subcommand)]
    TeamFolder(team_folder::TeamFolderCommand),
    /// App passwords of an account.
    #[command(subcommand)]
    AppPassword(app_password::AppPasswordCommand),
    /// Who signed in to a space, who failed to, and what was done to it and in it.
    Audit(audit::Audit),
    /// Back up a space, or all of them, while they are in use.
    Backup(backup::Backup),
    /// List the backups in a place, and verify them.
    Generations(backup::Generations),
    /// Put a backup back, as a new space or in the place of the one that it was taken of.
    Restore(restore::Restore),
    /// Write a space out as plain files, calendars and cards.
    Export(export::Export),
    /// Compare metadata and blobs (fsck).
    Check(check::Check),
    /// List what is reachable from nothing, or remove it.
    Gc(gc::Gc),
    /// Test configuration, storage and surroundings.
    Doctor,
    /// Print the sample configuration.
    #[command(hide = true)]
    ConfigSample,
}

/// What a command needs.
struct Session {
    config: Config,
    is_json: bool,
}

/// What a command failed of, in words for a person.
type Failure = String;

/// The stack of each thread, of which only what is used takes memory. SQLite is called at the deepest point of a request.
const STACK_BYTES: usize = 8 * 1024 * 1024;

/// How often a busy thread runs a task before it looks what has come in. With tokio's 61, a neighbour's poll lies unread behind as
/// many pages of listings; looking takes a microsecond.
const TASKS_BETWEEN_EVENTS: u32 = 8;

/// Runs the command that the arguments name.
pub fn main() -> ExitCode {
    // Wrong usage ends here, with exit code 2 and what is right.
    let arguments = Arguments::parse();
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.enable_all().thread_stack_size(STACK_BYTES).event_interval(TASKS_BETWEEN_EVENTS);
    let runtime = match runtime.build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&format!("cannot start: {error}")),
    };
    match runtime.block_on(run(arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failed(&failure),
    }
}

fn failed(failure: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "nichoir: {failure}");
    ExitCode::FAILURE
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    if matches!(arguments.command, Command::ConfigSample) {
        print(&config::sample());
        return Ok(());
    }
    let mut config = Config::load(arguments.config.as_deref()).map_err(|wrong| format!("configuration: {wrong}"))?;
    let is_demo = matches!(arguments.command, Command::Demo(_));
    if let Some(directory) = arguments.data_dir {
        config.storage.data_dir = directory;
    } else if is_demo && config.storage.data_dir == Config::default().storage.data_dir {
        config.storage.data_dir = "nichoir-data".into();
    }
    let session = Session { config, is_json: arguments.json };
    match arguments.command {
        Command::Demo(demo) => demo.run(session).await,
        Command::Serve(serve) => serve.run(session).await,
        Command::Space(command) => command.run(&session).await,
        Command::Account(command) => command.run(&session).await,
        Command::Group(command) => command.run(&session).await,
        Command::TeamFolder(command) => command.run(&session).await,
        Command::AppPassword(command) => command.run(&session).await,
        Command::Audit(audit) => audit.run(&session).await,
        Command::Backup(backup) => backup.run(&session).await,
        Command::Generations(generations) => generations.run(&session).await,
        Command::Restore(restore) => restore.run(&session).await,
        Command::Export(export) => export.run(&session).await,
        Command::Check(check) => check.run(&session).await,
        Command::Gc(gc) => gc.run(&session).await,
        Command::Doctor => doctor::run(&session).await,
        Command::ConfigSample => Ok(()),
    }
}

impl Session {
    async fn store(&self) -> Result<Store, Failure> {
        let directory = &self.config.storage.data_dir;
        // What members store is nobody else's on this machine.
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory);
        made.map_err(|error| format!("cannot make {}: {error}; name another with --data-dir", directory.display()))?;
        Store::open(self.config.store(), Ports::system()).await.map_err(|error| storage(&error))
    }

    /// Does `deed` in the space of that name, and closes the store whatever comes of it.
    async fn in_space(&self, name: &str, deed: impl AsyncFnOnce(&Space) -> Result<(), Failure>) -> Result<(), Failure> {
        let store = self.store().await?;
        let space = store.space_named(name).await.map_err(|error| about(&format!("space {name}"), &error))?;
        let result = deed(&space.by(actor())).await;
        store.close().await;
        result
    }

    /// Says the result: `text` for people, `value` for machines.
    fn say(&self, text: &str, value: &Value) {
        if self.is_json {
            print(&format!("{value}\n"));
        } else if !text.is_empty() {
            print(&format!("{}\n", text.trim_end()));
        }
    }
}

/// Who acts here, for the trail: whoever became root for it, if the system says so.
fn actor() -> Actor {
    let user = ["SUDO_USER", "USER"].iter().find_map(|name| std::env::var(name).ok());
    Actor::command_line(&user.unwrap_or_default())
}

fn print(text: &str) {
    // Nobody reads any more: nothing to say it to.
    let _ = std::io::stdout().write_all(text.as_bytes());
    let _ = std::io::stdout().flush();
}

/// The space that a command names; all of them where it names none.
async fn names_of(store: &Store, only: Option<String>) -> Result<Vec<String>, Failure> {
    match only {
        Some(name) => Ok(vec![name]),
        None => {
            let spaces = store.spaces().await.map_err(|error| storage(&error))?;
            Ok(spaces.into_iter().map(|space| space.name).collect())
        }
    }
}

/// A store's error, with its cause.
fn storage(error: &StoreError) -> Failure {
    match error {
        StoreError::Unavailable(cause) => format!("storage: {cause}"),
        error => format!("storage: {error}"),
    }
}

/// A store's error about `what`, which the command named.
fn about(what: &str, error: &StoreError) -> Failure {
    match error {
        StoreError::NotFound => format!("{what}: there is none"),
        StoreError::Exists => format!("{what}: exists already, or a name, host or mail address of it is in use"),
        StoreError::TooLarge { limit } => format!("{what}: no more than {limit} are allowed"),
        StoreError::BadName(reason) => format!("{what}: {reason}"),
        error => storage(error),
    }
}

/// `40GB`, `512MiB`, `1000`: a number of bytes.
fn parse_size(text: &str) -> Result<u64, String> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1000,
        "m" | "mb" => 1000_u64.pow(2),
        "g" | "gb" => 1000_u64.pow(3),
        "t" | "tb" => 1000_u64.pow(4),
        "kib" => 1024,
        "mib" => 1024_u64.pow(2),
        "gib" => 1024_u64.pow(3),
        "tib" => 1024_u64.pow(4),
        _ => return Err(format!("{unit} is not a unit of size; use GB, GiB, MB, …")),
    };
    let number: u64 = number.parse().map_err(|_| format!("{text} is not a size"))?;
    number.checked_mul(factor).filter(|size| *size <= i64::MAX as u64).ok_or_else(|| format!("{text} is too large"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        use clap::CommandFactory as _;
        Arguments::command().debug_assert();
    }

    #[test]
    fn sizes_have_units() {
        for (text, expected) in [
            ("40GB", Some(40_000_000_000)),
            ("1 GiB", Some(1_073_741_824)),
            ("512mb", Some(512_000_000)),
            ("7", Some(7)),
            ("", None),
            ("GB", None),
            ("1.5GB", None),
            ("9999999999GB", None),
        ] {
            assert_eq!(parse_size(text).ok(), expected, "{text}");
        }
    }
}
