//! `nichoir export`: a space as plain files, which any other software reads.
//!
//! `accounts/LOGIN/files/…`, `accounts/LOGIN/calendars/NAME.ics`, `accounts/LOGIN/contacts/NAME.vcf`, `team-folders/NAME/…`. What is
//! shared stands once, with its owner.

use std::fs::{DirBuilder, File};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;
use futures_util::{Stream, StreamExt as _};
use nichoir_caldav::{Limits as CalendarLimits, whole_calendar};
use nichoir_carddav::whole_address_book;
use nichoir_store::{Area, CollectionKind, Error, Needs, Node, NodePath, Space, Timestamp, Tree};
use serde_json::json;

use super::{Failure, Session, about, storage};

/// The longest name that file systems take, in bytes.
const NAME_BYTES_MAX: usize = 255;

/// Write a space out as plain files, calendars and cards.
#[derive(Debug, Args)]
pub(super) struct Export {
    /// The space.
    space: String,
    /// A directory that is not there yet, or empty.
    #[arg(long)]
    to: PathBuf,
    /// Only this account; may be given several times.
    #[arg(long = "account", value_name = "LOGIN")]
    accounts: Vec<String>,
}

/// What was written.
#[derive(Default)]
struct Written {
    files: u64,
    bytes: u64,
    calendars: u64,
    address_books: u64,
    /// Paths whose names are not the ones they had.
    renamed: Vec<String>,
}

/// An export under way.
struct Writing {
    limits: CalendarLimits,
    written: Written,
}

impl Export {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let to = self.to.clone();
        make_root(&to).map_err(|error| format!("{}: {error}", to.display()))?;
        let mut writing = Writing { limits: session.config.calendar_limits(), written: Written::default() };
        let accounts = self.accounts.clone();
        session.in_space(&self.space, async |space| writing.space(space, &to, &accounts).await).await?;
        sync(&to).map_err(|error| format!("{}: {error}", to.display()))?;
        let Written { files, bytes, calendars, address_books, renamed } = writing.written;
        let text = format!(
            "{files} files of {bytes} bytes, {calendars} calendars, {address_books} address books; {} have other names\n",
            renamed.len()
        );
        session.say(
            &text,
            &json!({
                "space": self.space,
                "files": files,
                "bytes": bytes,
                "calendars": calendars,
                "address_books": address_books,
                "renamed": renamed,
            }),
        );
        Ok(())
    }
}

/// Nothing that was there before can lead out of it.
fn make_root(directory: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    match std::fs::read_dir(directory)?.next() {
        None => Ok(()),
        Some(_) => Err(io::Error::other("is not empty; name a directory that is not there yet")),
    }
}

impl Writing {
    async fn space(&mut self, space: &Space, to: &Path, only: &[String]) -> Result<(), Failure> {
        let mut accounts = space.accounts().await.map_err(|error| storage(&error))?;
        if let Some(unknown) = only.iter().find(|login| !accounts.iter().any(|account| account.login == **login)) {
            return Err(format!("account {unknown}: there is none"));
        }
        accounts.retain(|account| only.is_empty() || only.contains(&account.login));
        let below = self.folder(to, "accounts")?;
        for account in accounts {
            let tree = space.tree_as(&account);
            let home = self.folder(&below, &account.login)?;
            let files = self.folder(&home, "files")?;
            self.files(&tree, &files).await?;
            for (area, name) in [(Area::Calendars, "calendars"), (Area::AddressBooks, "contacts")] {
                let what = format!("account {}", account.login);
                let tree = tree.in_area_if_made(area).await.map_err(|error| about(&what, &error))?;
                if let Some(tree) = tree {
                    let folder = self.folder(&home, name)?;
                    self.collections(&tree, &folder).await?;
                }
            }
        }
        if only.is_empty() {
            let below = self.folder(to, "team-folders")?;
            for folder in space.team_folders().await.map_err(|error| storage(&error))? {
                let at = self.folder(&below, &folder.name)?;
                self.files(&space.tree_of_team_folder(&folder), &at).await?;
            }
        }
        Ok(())
    }

    /// Everything in a tree of files, folder by folder.
    async fn files(&mut self, tree: &Tree, to: &Path) -> Result<(), Failure> {
        let mut waiting = vec![(NodePath::root(), to.to_owned())];
        while let Some((path, directory)) = waiting.pop() {
            for node in members(tree, &path).await? {
                let at = path.child(&node.name);
                if node.is_folder() {
                    waiting.push((at, self.folder(&directory, &node.name)?));
                    continue;
                }
                let content = match tree.open(&node).await {
                    // It was removed for good since its folder was read.
                    Err(Error::NotFound) => continue,
                    content => content.map_err(|error| about(&node.name, &error))?,
                };
                let (file, to) = self.file(&directory, &node.name)?;
                let bytes = pour(content.stream(0..u64::MAX), file, &to, Some(node.modified)).await?;
                self.written.files += 1;
                self.written.bytes += bytes;
            }
        }
        Ok(())
    }

    /// Each calendar or address book of a home as one file.
    async fn collections(&mut self, tree: &Tree, to: &Path) -> Result<(), Failure> {
        for node in members(tree, &NodePath::root()).await? {
            let path = NodePath::root().child(&node.name);
            let node = tree.node(&path, Needs::DEAD_PROPERTIES).await.map_err(|error| about(&node.name, &error))?;
            match node.collection.as_deref() {
                Some(CollectionKind::AddressBook) => {
                    let (file, to) = self.file(to, &format!("{}.vcf", node.name))?;
                    pour(whole_address_book(tree.clone(), path, node), file, &to, None).await?;
                    self.written.address_books += 1;
                }
                Some(CollectionKind::Calendar(_) | CollectionKind::Subscription | CollectionKind::Birthdays) => {
                    let (file, to) = self.file(to, &format!("{}.ics", node.name))?;
                    pour(whole_calendar(tree.clone(), path, node, self.limits.clone()), file, &to, None).await?;
                    self.written.calendars += 1;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn folder(&mut self, parent: &Path, name: &str) -> Result<PathBuf, Failure> {
        let made = self.make(parent, name, |path| DirBuilder::new().mode(0o700).create(path));
        made.map(|((), path)| path)
    }

    fn file(&mut self, parent: &Path, name: &str) -> Result<(File, PathBuf), Failure> {
        self.make(parent, name, |path| File::options().write(true).create_new(true).mode(0o600).open(path))
    }

    /// Makes something new in `parent` that is called `name`, or nearly so.
    fn make<T>(
        &mut self,
        parent: &Path,
        name: &str,
        make: impl Fn(&Path) -> io::Result<T>,
    ) -> Result<(T, PathBuf), Failure> {
        let safe = safe_name(name);
        for number in 1.. {
            let candidate = numbered(&safe, number);
            let path = parent.join(&candidate);
            match make(&path) {
                Ok(made) => {
                    if candidate != name {
                        self.written.renamed.push(path.display().to_string());
                    }
                    return Ok((made, path));
                }
                // As where names that differ in case are the same.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(format!("{}: {error}", path.display())),
            }
        }
        Err(format!("{}: no name is free", parent.display()))
    }
}

/// What belongs to the tree's own account in a folder; nothing, if that was moved or removed since its parent was read.
async fn members(tree: &Tree, path: &NodePath) -> Result<Vec<Node>, Failure> {
    let failed = |error: Error| about(&path.to_string(), &error);
    let folder = match tree.node(path, Needs::NONE).await {
        Err(Error::NotFound) => return Ok(Vec::new()),
        folder => folder.map_err(failed)?,
    };
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = tree.children(path, &folder, after, Needs::NONE).await.map_err(failed)?;
        found.extend(page.nodes.into_iter().filter(|node| node.mount.is_none()));
        after = page.next;
        if after.is_none() {
            return Ok(found);
        }
    }
}

/// Writes it all; says how many bytes.
async fn pour<E: std::fmt::Display>(
    bytes: impl Stream<Item = Result<bytes::Bytes, E>>,
    mut file: File,
    path: &Path,
    modified: Option<Timestamp>,
) -> Result<u64, Failure> {
    let mut bytes = std::pin::pin!(bytes);
    let mut written = 0;
    let failed = |why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
    while let Some(run) = bytes.next().await {
        let run = run.map_err(|error| failed(&error))?;
        file.write_all(&run).map_err(|error| failed(&error))?;
        written += run.len() as u64;
    }
    if let Some(modified) = modified.and_then(system_time) {
        file.set_modified(modified).map_err(|error| failed(&error))?;
    }
    file.sync_all().map_err(|error| failed(&error))?;
    Ok(written)
}

fn system_time(instant: Timestamp) -> Option<SystemTime> {
    u64::try_from(instant.0).ok().and_then(|micros| UNIX_EPOCH.checked_add(Duration::from_micros(micros)))
}

/// Syncs every directory: the files are synced already.
fn sync(directory: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync(&entry.path())?;
        }
    }
    File::open(directory)?.sync_all()
}

/// A name that stays in its folder, on every system.
fn safe_name(name: &str) -> String {
    let plain: String = name.chars().map(|c| if c.is_control() || matches!(c, '/' | '\\') { '_' } else { c }).collect();
    match plain.as_str() {
        "" | "." | ".." => "_".repeat(plain.len().max(1)),
        _ => plain,
    }
}

/// The name, with a number before its extension if it is not the first, and cut to what file systems take.
fn numbered(name: &str, number: u32) -> String {
    let (stem, extension) = match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() && extension.len() <= 16 => (stem, format!(".{extension}")),
        _ => (name, String::new()),
    };
    let ending = if number > 1 { format!(" ({number}){extension}") } else { extension };
    let mut room = NAME_BYTES_MAX.saturating_sub(ending.len()).min(stem.len());
    while !stem.is_char_boundary(room) {
        room -= 1;
    }
    format!("{}{ending}", &stem[..room])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_folder() {
        for (name, expected) in [
            ("plain.txt", "plain.txt"),
            ("..", "__"),
            (".", "_"),
            ("", "_"),
            ("../../etc/passwd", ".._.._etc_passwd"),
            ("C:\\x", "C:_x"),
            ("a\u{0}b\nc", "a_b_c"),
            ("...", "..."),
            (".hidden", ".hidden"),
        ] {
            let safe = safe_name(name);
            assert_eq!(safe, expected);
            assert_eq!(Path::new("/dir").join(&safe).parent(), Some(Path::new("/dir")), "{name:?}");
        }
    }

    #[test]
    fn names_are_numbered_and_cut_between_characters() {
        assert_eq!(numbered("a.txt", 1), "a.txt");
        assert_eq!(numbered("a.txt", 2), "a (2).txt");
        assert_eq!(numbered(".hidden", 3), ".hidden (3)");
        let long = numbered(&format!("{}.ics", "é".repeat(200)), 12);
        assert!(long.len() <= NAME_BYTES_MAX && long.ends_with("é (12).ics"), "{long}");
    }
}
