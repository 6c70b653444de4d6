//! What a disk may hold after a power cut, given what was asked of it.
//!
//! The model, harsher than any file system in use:
//!
//! - A file's bytes are safe once the file was synced after they were written; a name is safe once its directory was synced
//!   after the name came, went or changed. A sync of a file says nothing of its name.
//! - Of what is not safe, anything may be there or not: no order holds among writes, or among names, or between both. A write
//!   is torn between sectors of 512 bytes, and what lies between the old end of a file and a write beyond it may be zeros.
//! - After a sync that failed, what it was about is lost, however often it is asked for again: the system counts it as written.
//! - A rename within a directory happens whole or not at all; what was safe stays as it was until it is written over.
//!
//! Not in it: disks that forget or spoil what they said was synced, and sectors that are torn themselves.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use super::journal::Step;

/// What the disk writes whole.
const SECTOR_BYTES: usize = 512;

/// Everything below the directory that was watched, as it is and as it is safe. The first is the directory itself.
#[derive(Clone)]
pub(crate) struct Disk {
    nodes: Vec<Node>,
    /// Counts what was asked of it.
    clock: u64,
}

#[derive(Clone)]
enum Node {
    File { safe: Vec<u8>, pending: Vec<(u64, Edit)> },
    Directory { safe: Names, now: Names, pending: Vec<(u64, Vec<Naming>)> },
}

#[derive(Clone)]
enum Edit {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

type Names = BTreeMap<String, usize>;
/// A name, and what it stands for from then on, if anything.
type Naming = (String, Option<usize>);

/// The files and directories that are found after a cut, by path; directories have no bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Image(BTreeMap<PathBuf, Option<Vec<u8>>>);

/// What becomes of all that is not safe.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cut {
    /// None of it is there.
    Nothing,
    /// All of it is.
    Everything,
    /// Names are there, bytes are not.
    Names,
    /// Bytes are there, names are not.
    Bytes,
    /// Names and lengths are there, with zeros for bytes.
    Lengths,
    /// All of it, but of the last write only the sectors of its first half.
    LastTorn,
    /// All of it, but of the last write only the sectors of its second half.
    LastTornAtItsBegin,
    /// Only what was asked for last.
    Last,
    /// All but what was asked for first.
    AllButFirst,
    /// Some names, some sectors.
    Some(u64),
}

/// Every kind of cut, with two draws of the last one.
pub(crate) fn every_cut(seed: u64) -> [Cut; 11] {
    [
        Cut::Nothing,
        Cut::Everything,
        Cut::Names,
        Cut::Bytes,
        Cut::Lengths,
        Cut::LastTorn,
        Cut::LastTornAtItsBegin,
        Cut::Last,
        Cut::AllButFirst,
        Cut::Some(seed),
        Cut::Some(!seed),
    ]
}

/// Whether a path is none of our business: the log of a test, and the index that SQLite shares between processes and makes anew after
/// each start.
fn is_beside(path: &Path) -> bool {
    let name = path.to_string_lossy();
    name == "log" || name.ends_with("-shm")
}

impl Disk {
    /// A disk on which what is in `directory` is safe.
    pub(crate) fn of(directory: &Path) -> Disk {
        let mut disk = Disk { nodes: vec![directory_with(Names::new())], clock: 0 };
        for (path, bytes) in Image::of(directory).0 {
            let made = disk.add(match bytes {
                Some(bytes) => Node::File { safe: bytes, pending: Vec::new() },
                None => directory_with(Names::new()),
            });
            let (parent, name) = disk.place(&path);
            let Node::Directory { safe, now, .. } = &mut disk.nodes[parent] else {
                panic!("{path:?} is in no directory")
            };
            safe.insert(name.clone(), made);
            now.insert(name, made);
        }
        disk
    }

    fn add(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// The directory that holds `path`, and the name in it.
    fn place(&self, path: &Path) -> (usize, String) {
        let parent = self.find(path.parent().unwrap_or(Path::new("")));
        let name = path.file_name().unwrap_or_else(|| panic!("{path:?} has no name"));
        (parent, name.to_string_lossy().into_owned())
    }

    fn find(&self, path: &Path) -> usize {
        path.iter().fold(0, |at, name| match &self.nodes[at] {
            Node::Directory { now, .. } => *now.get(&*name.to_string_lossy()).unwrap_or_else(|| panic!("no {path:?}")),
            Node::File { .. } => panic!("{path:?} lies in a file"),
        })
    }

    /// Carries out what was asked.
    pub(crate) fn ask(&mut self, step: &Step) {
        if step.path().is_none_or(is_beside) {
            return;
        }
        self.clock += 1;
        match step {
            Step::Create(path) => {
                let made = self.add(Node::File { safe: Vec::new(), pending: Vec::new() });
                let (parent, name) = self.place(path);
                self.name(parent, vec![(name, Some(made))]);
            }
            Step::MakeDirectory(path) => {
                let made = self.add(directory_with(Names::new()));
                let (parent, name) = self.place(path);
                self.name(parent, vec![(name, Some(made))]);
            }
            Step::Write(path, offset, bytes) => self.edit(path, Edit::Write(*offset, bytes.clone())),
            Step::Truncate(path, length) => self.edit(path, Edit::Truncate(*length)),
            Step::Sync(path) => {
                let at = self.find(path);
                self.nodes[at].sync();
            }
            Step::FailSync(path) => {
                let at = self.find(path);
                self.nodes[at].forsake();
            }
            Step::Rename(from, to) => {
                let moved = self.find(from);
                let ((parent, old), (to_parent, new)) = (self.place(from), self.place(to));
                assert_eq!(parent, to_parent, "a rename from one directory to another is not in the model");
                self.name(parent, vec![(old, None), (new, Some(moved))]);
            }
            Step::Link(from, to) => {
                let linked = self.find(from);
                let (parent, name) = self.place(to);
                self.name(parent, vec![(name, Some(linked))]);
            }
            Step::Remove(path) => {
                let (parent, name) = self.place(path);
                self.name(parent, vec![(name, None)]);
            }
            Step::Begin(..) | Step::Answer(..) => {}
        }
    }

    fn name(&mut self, directory: usize, names: Vec<Naming>) {
        let Node::Directory { now, pending, .. } = &mut self.nodes[directory] else { panic!("a name in a file") };
        apply(now, &names);
        pending.push((self.clock, names));
    }

    fn edit(&mut self, path: &Path, edit: Edit) {
        let at = self.find(path);
        let Node::File { pending, .. } = &mut self.nodes[at] else { panic!("{path:?} is a directory") };
        pending.push((self.clock, edit));
    }

    /// When what is not safe was asked for.
    fn pending(&self) -> impl Iterator<Item = u64> {
        self.nodes.iter().flat_map(|node| match node {
            Node::File { pending, .. } => pending.iter().map(|(asked, _)| *asked).collect::<Vec<_>>(),
            Node::Directory { pending, .. } => pending.iter().map(|(asked, _)| *asked).collect(),
        })
    }

    /// What is found after the power was cut now.
    pub(crate) fn cut(&self, cut: Cut) -> Image {
        let (first, last) = (self.pending().min().unwrap_or(0), self.pending().max().unwrap_or(0));
        let mut image = Image(BTreeMap::new());
        self.cut_below(0, Path::new(""), Fate { cut, first, last }, &mut image);
        image
    }

    fn cut_below(&self, at: usize, path: &Path, fate: Fate, image: &mut Image) {
        match &self.nodes[at] {
            Node::File { safe, pending } => {
                let mut bytes = safe.clone();
                for (asked, edit) in pending {
                    fate.edit(*asked, edit, &mut bytes);
                }
                image.0.insert(path.to_owned(), Some(bytes));
            }
            Node::Directory { safe, pending, .. } => {
                let mut names = safe.clone();
                for (_, naming) in pending.iter().filter(|(asked, _)| fate.keeps_name(*asked)) {
                    apply(&mut names, naming);
                }
                if at != 0 {
                    image.0.insert(path.to_owned(), None);
                }
                for (name, node) in names {
                    self.cut_below(node, &path.join(name), fate, image);
                }
            }
        }
    }
}

fn directory_with(names: Names) -> Node {
    Node::Directory { safe: names.clone(), now: names, pending: Vec::new() }
}

fn apply(names: &mut Names, naming: &[Naming]) {
    for (name, node) in naming {
        match node {
            Some(node) => names.insert(name.clone(), *node),
            None => names.remove(name),
        };
    }
}

impl Node {
    fn sync(&mut self) {
        match self {
            Node::File { safe, pending } => {
                for (_, edit) in pending.drain(..) {
                    edit.carry_out(safe, |_| true);
                }
            }
            Node::Directory { safe, now, pending } => {
                safe.clone_from(now);
                pending.clear();
            }
        }
    }
}

impl Node {
    /// What was not safe is never written.
    fn forsake(&mut self) {
        match self {
            Node::File { pending, .. } => pending.clear(),
            Node::Directory { pending, .. } => pending.clear(),
        }
    }
}

impl Edit {
    /// Carries it out on the sectors that `is_kept` says, counted from the beginning of the file.
    fn carry_out(&self, bytes: &mut Vec<u8>, is_kept: impl Fn(usize) -> bool) {
        match self {
            Edit::Truncate(length) => {
                if is_kept(length / SECTOR_BYTES) {
                    bytes.resize(*length, 0);
                }
            }
            Edit::Write(offset, written) => {
                let (mut at, end) = (*offset, offset + written.len());
                while at < end {
                    let sector = at / SECTOR_BYTES;
                    let next = end.min((sector + 1) * SECTOR_BYTES);
                    if is_kept(sector) {
                        if bytes.len() < next {
                            bytes.resize(next, 0);
                        }
                        bytes[at..next].copy_from_slice(&written[at - offset..next - offset]);
                    }
                    at = next;
                }
            }
        }
    }

    /// The sector in the middle of what it writes.
    fn middle(&self) -> usize {
        match self {
            Edit::Write(offset, written) => (offset + written.len() / 2) / SECTOR_BYTES,
            Edit::Truncate(length) => length / SECTOR_BYTES,
        }
    }
}

/// A cut, and when the first and the last that is not safe was asked for.
#[derive(Clone, Copy)]
struct Fate {
    cut: Cut,
    first: u64,
    last: u64,
}

impl Fate {
    fn keeps_name(self, asked: u64) -> bool {
        match self.cut {
            Cut::Nothing | Cut::Bytes => false,
            Cut::Everything | Cut::Names | Cut::Lengths | Cut::LastTorn | Cut::LastTornAtItsBegin => true,
            Cut::Last => asked == self.last,
            Cut::AllButFirst => asked != self.first,
            Cut::Some(seed) => is_drawn(seed, asked, 0),
        }
    }

    fn edit(self, asked: u64, edit: &Edit, bytes: &mut Vec<u8>) {
        let is_last = asked == self.last;
        match self.cut {
            Cut::Nothing | Cut::Names => {}
            Cut::Everything | Cut::Bytes => edit.carry_out(bytes, |_| true),
            Cut::Lengths => {
                let length = match edit {
                    Edit::Write(offset, written) => bytes.len().max(offset + written.len()),
                    Edit::Truncate(length) => *length,
                };
                bytes.resize(length, 0);
            }
            Cut::LastTorn => edit.carry_out(bytes, |sector| !is_last || sector < edit.middle()),
            Cut::LastTornAtItsBegin => edit.carry_out(bytes, |sector| !is_last || sector >= edit.middle()),
            Cut::Last => edit.carry_out(bytes, |_| is_last),
            Cut::AllButFirst => edit.carry_out(bytes, |_| asked != self.first),
            Cut::Some(seed) => edit.carry_out(bytes, |sector| is_drawn(seed, asked, sector as u64)),
        }
    }
}

/// Heads or tails, always the same for the same question.
fn is_drawn(seed: u64, asked: u64, sector: u64) -> bool {
    let mut hasher = DefaultHasher::new();
    (seed, asked, sector).hash(&mut hasher);
    hasher.finish() & 1 == 1
}

impl Image {
    /// What is in a directory.
    pub(crate) fn of(directory: &Path) -> Image {
        let mut image = Image(BTreeMap::new());
        image.add_all(directory, Path::new(""));
        image
    }

    fn add_all(&mut self, directory: &Path, below: &Path) {
        for found in std::fs::read_dir(directory.join(below)).unwrap() {
            let found = found.unwrap();
            let path = below.join(found.file_name());
            if is_beside(&path) {
                continue;
            }
            if found.file_type().unwrap().is_dir() {
                self.0.insert(path.clone(), None);
                self.add_all(directory, &path);
            } else {
                self.0.insert(path, Some(std::fs::read(found.path()).unwrap()));
            }
        }
    }

    /// Writes it to a directory that is not there.
    pub(crate) fn write(&self, directory: &Path) {
        std::fs::create_dir(directory).unwrap();
        for (path, bytes) in &self.0 {
            match bytes {
                Some(bytes) => std::fs::write(directory.join(path), bytes).unwrap(),
                None => std::fs::create_dir(directory.join(path)).unwrap(),
            }
        }
    }

    /// A number that tells images apart.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.0.hash(&mut hasher);
        hasher.finish()
    }

    /// The paths at which two images differ.
    pub(crate) fn difference(&self, other: &Image) -> Vec<PathBuf> {
        let paths = self.0.keys().chain(other.0.keys().filter(|path| !self.0.contains_key(*path)));
        paths.filter(|path| self.0.get(*path) != other.0.get(*path)).cloned().collect()
    }
}
