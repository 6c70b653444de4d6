//! What `record.c` wrote of a process: its changes of files and directories, its syncs and its answers, in their order; and the marks of
//! the client, which are added to the same file.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One thing that happened. Paths are below the directory that was watched.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A file was made, with nothing in it.
    Create(PathBuf),
    /// A directory was made.
    MakeDirectory(PathBuf),
    /// Bytes were written at an offset.
    Write(PathBuf, usize, Vec<u8>),
    /// A file was cut, or lengthened with zeros.
    Truncate(PathBuf, usize),
    /// A file or directory was synced.
    Sync(PathBuf),
    /// A sync failed. The system takes what it was about for written nevertheless, and does not try again.
    FailSync(PathBuf),
    /// A file was renamed, in place of what had that name before.
    Rename(PathBuf, PathBuf),
    /// A file got another name.
    Link(PathBuf, PathBuf),
    /// A name of a file is gone, or an empty directory.
    Remove(PathBuf),
    /// The client on that port is about to ask for its operation of that number.
    Begin(u16, usize),
    /// The client on that port is about to be told that status.
    Answer(u16, u16),
}

impl Step {
    /// The file or directory that it is about; none for marks.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Step::Create(path) | Step::MakeDirectory(path) | Step::Write(path, ..) | Step::Truncate(path, _) => {
                Some(path)
            }
            Step::Sync(path)
            | Step::FailSync(path)
            | Step::Rename(path, _)
            | Step::Link(path, _)
            | Step::Remove(path) => Some(path),
            Step::Begin(..) | Step::Answer(..) => None,
        }
    }
}

/// Kind, lengths of two paths and of the data, a number.
const HEAD_BYTES: usize = 24;

/// Everything that was recorded.
pub(crate) fn read(journal: &Path) -> Vec<Step> {
    let bytes = std::fs::read(journal).unwrap_or_default();
    let mut rest = &bytes[..];
    let mut steps = Vec::new();
    while !rest.is_empty() {
        let word = |place: usize| u32::from_le_bytes(rest[place..place + 4].try_into().unwrap()) as usize;
        let number = u64::from_le_bytes(rest[16..HEAD_BYTES].try_into().unwrap());
        let (kind, lengths) = (rest[0], [word(4), word(8), word(12)]);
        let mut at = HEAD_BYTES;
        let [first, second, data] = lengths.map(|length| {
            at += length;
            &rest[at - length..at]
        });
        let path = |text: &[u8]| PathBuf::from(String::from_utf8(text.to_vec()).unwrap().trim_start_matches('/'));
        let (high, low) = ((number >> 32) as u16, (number & 0xffff_ffff) as usize);
        steps.push(match kind {
            b'C' => Step::Create(path(first)),
            b'D' => Step::MakeDirectory(path(first)),
            b'W' => Step::Write(path(first), number as usize, data.to_vec()),
            b'T' => Step::Truncate(path(first), number as usize),
            b'S' => Step::Sync(path(first)),
            b'X' => Step::FailSync(path(first)),
            b'R' => Step::Rename(path(first), path(second)),
            b'L' => Step::Link(path(first), path(second)),
            b'U' => Step::Remove(path(first)),
            b'B' => Step::Begin(high, low),
            b'A' => Step::Answer(high, low as u16),
            kind => panic!("a step of kind {kind} in {}", journal.display()),
        });
        rest = &rest[at..];
    }
    steps
}

/// The client's mark: what the process does from here on may be because of that operation.
pub(crate) fn mark_begin(journal: &Path, port: u16, number: usize) {
    mark(journal, b'B', port, number);
}

/// The mark of whoever waited for a process to end: it has ended.
pub(crate) fn mark_end(journal: &Path) {
    mark(journal, b'A', 0, 0);
}

fn mark(journal: &Path, kind: u8, port: u16, number: usize) {
    let mut head = [0; HEAD_BYTES];
    head[0] = kind;
    head[16..].copy_from_slice(&(u64::from(port) << 32 | number as u64).to_le_bytes());
    let mut file = std::fs::File::options().append(true).create(true).open(journal).unwrap();
    file.write_all(&head).unwrap();
}

/// The library that records, built where `directory` is.
pub(crate) fn build_recorder(directory: &Path) -> PathBuf {
    build_library(directory, "power_cut/record.c")
}

/// A library to be loaded below the server, from one of these tests' sources.
pub(crate) fn build_library(directory: &Path, source: &str) -> PathBuf {
    let library = directory.join("below.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/process").join(source);
    let mut build = Command::new("cc");
    build.args(["-O1", "-shared", "-fPIC", "-o"]).arg(&library).arg(source).arg("-ldl");
    assert!(build.status().expect("a C compiler").success(), "it does not compile");
    library
}
