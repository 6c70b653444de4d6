//! What was made, kept in a directory: a folder for each space, a file for each preview. It may be emptied at any time.
//!
//! Beyond its bound the oldest files go. What is read back is checked, because nothing is synced: after a power cut a file
//! may be there without its bytes.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;

use crate::made::{Made, MediaType};
use crate::previews::Key;

/// The folder below the directory in which external tools work; no space has this name.
pub const WORK: &str = "at work";
/// What each file begins with; another layout gets another one.
const MAGIC: [u8; 4] = *b"nvp1";
const DIGEST_BYTES: usize = 16;
/// Magic, kind, digest.
const HEAD_BYTES: usize = 4 + 1 + DIGEST_BYTES;
/// What a file counts beyond its bytes: a block of the file system.
const FILE_OVERHEAD_BYTES: u64 = 4096;

/// What is known under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// The preview.
    Made(Made),
    /// That there can be none.
    Impossible,
}

#[derive(Debug)]
pub(crate) struct Cache {
    directory: PathBuf,
    bytes_max: u64,
    /// Bytes in the directory; `None` until it was first looked through.
    used_bytes: Mutex<Option<u64>>,
}

impl Cache {
    pub(crate) fn new(directory: PathBuf, bytes_max: u64) -> Cache {
        Cache { directory, bytes_max, used_bytes: Mutex::new(None) }
    }

    fn place(&self, space: &str, key: &Key) -> PathBuf {
        let name = key.hex();
        self.directory.join(space).join(&name[..2]).join(&name[2..])
    }

    /// What is kept under that key. Blocks.
    pub(crate) fn get(&self, space: &str, key: &Key) -> Option<Known> {
        let bytes = fs::read(self.place(space, key)).ok()?;
        read(bytes)
    }

    /// Keeps it, as far as there is room. Blocks.
    ///
    /// # Errors
    /// What the file system says; then nothing is kept.
    pub(crate) fn put(&self, space: &str, key: &Key, known: &Known) -> std::io::Result<()> {
        let bytes = written(known);
        let size_bytes = bytes.len() as u64 + FILE_OVERHEAD_BYTES;
        if size_bytes > self.bytes_max {
            return Ok(());
        }
        self.make_room(size_bytes)?;
        let place = self.place(space, key);
        let folder = place.parent().unwrap_or(&self.directory);
        fs::create_dir_all(folder)?;
        // Complete or not there, for whoever reads meanwhile; two writers of one key write the same.
        let fresh = place.with_extension(format!("{}.new", std::process::id()));
        fs::File::create(&fresh)?.write_all(&bytes)?;
        fs::rename(&fresh, &place)
    }

    fn make_room(&self, size_bytes: u64) -> std::io::Result<()> {
        let mut used = self.used_bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = match *used {
            Some(known) => known,
            None => self.files()?.iter().map(|file| file.size_bytes).sum(),
        };
        let sum = if sum + size_bytes > self.bytes_max { self.evict()? } else { sum };
        *used = Some(sum + size_bytes);
        Ok(())
    }

    /// Removes the oldest files until a fifth is free; says how much is left.
    fn evict(&self) -> std::io::Result<u64> {
        let mut files = self.files()?;
        files.sort_by_key(|file| std::cmp::Reverse(file.modified));
        let mut sum: u64 = files.iter().map(|file| file.size_bytes).sum();
        while sum > self.bytes_max / 5 * 4
            && let Some(oldest) = files.pop()
        {
            // Another server on the same directory may have been faster.
            let _ = fs::remove_file(&oldest.path);
            sum = sum.saturating_sub(oldest.size_bytes);
        }
        Ok(sum)
    }

    fn files(&self) -> std::io::Result<Vec<File>> {
        let mut found = Vec::new();
        for space in members(&self.directory)?.into_iter().filter(|it| !it.ends_with(WORK)) {
            for folder in members(&space)? {
                for path in members(&folder)? {
                    // What vanishes meanwhile does not count.
                    let Ok(about) = fs::metadata(&path) else { continue };
                    let modified = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                    found.push(File { path, modified, size_bytes: about.len() + FILE_OVERHEAD_BYTES });
                }
            }
        }
        Ok(found)
    }

    /// Forgets everything of the spaces that `is_known` does not know. Blocks.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn keep_only(&self, is_known: impl Fn(&str) -> bool) -> std::io::Result<()> {
        for folder in members(&self.directory)? {
            let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name != WORK && !is_known(name) {
                fs::remove_dir_all(&folder)?;
                *self.used_bytes.lock().unwrap_or_else(PoisonError::into_inner) = None;
            }
        }
        Ok(())
    }
}

struct File {
    path: PathBuf,
    modified: SystemTime,
    size_bytes: u64,
}

/// What is in a folder; nothing if there is none.
fn members(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(members) => members.map(|member| member.map(|member| member.path())).collect(),
        Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            Ok(Vec::new())
        }
        Err(error) => Err(error),
    }
}

fn written(known: &Known) -> Vec<u8> {
    let (kind, content) = match known {
        Known::Impossible => (0, &[][..]),
        Known::Made(Made { media_type: MediaType::Jpeg, bytes }) => (1, &bytes[..]),
        Known::Made(Made { media_type: MediaType::Png, bytes }) => (2, &bytes[..]),
    };
    let mut file = Vec::with_capacity(HEAD_BYTES + content.len());
    file.extend_from_slice(&MAGIC);
    file.push(kind);
    file.extend_from_slice(&digest(kind, content));
    file.extend_from_slice(content);
    file
}

fn read(file: Vec<u8>) -> Option<Known> {
    let file = Bytes::from(file);
    let head = file.get(..HEAD_BYTES)?;
    let (kind, content) = (head[4], file.slice(HEAD_BYTES..));
    if head[..4] != MAGIC || head[5..] != digest(kind, &content) {
        return None;
    }
    match kind {
        0 => Some(Known::Impossible),
        1 => Some(Known::Made(Made { media_type: MediaType::Jpeg, bytes: content })),
        2 => Some(Known::Made(Made { media_type: MediaType::Png, bytes: content })),
        _ => None,
    }
}

fn digest(kind: u8, content: &[u8]) -> [u8; DIGEST_BYTES] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[kind]).update(content);
    let mut digest = [0; DIGEST_BYTES];
    digest.copy_from_slice(&hasher.finalize().as_bytes()[..DIGEST_BYTES]);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(size: usize) -> Known {
        Known::Made(Made { media_type: MediaType::Png, bytes: vec![7; size].into() })
    }

    fn key(number: u8) -> Key {
        Key::of(&[&[number]])
    }

    #[test]
    fn what_was_put_is_found_again_in_its_space_only() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::new(directory.path().join("previews"), 1_000_000);
        assert_eq!(cache.get("a", &key(1)), None);
        cache.put("a", &key(1), &picture(100)).unwrap();
        cache.put("a", &key(2), &Known::Impossible).unwrap();
        assert_eq!(cache.get("a", &key(1)), Some(picture(100)));
        assert_eq!(cache.get("a", &key(2)), Some(Known::Impossible));
        assert_eq!(cache.get("b", &key(1)), None);
        let later = Cache::new(directory.path().join("previews"), 1_000_000);
        assert_eq!(later.get("a", &key(1)), Some(picture(100)));
    }

    #[test]
    fn files_that_lost_their_bytes_are_as_good_as_none() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::new(directory.path().to_owned(), 1_000_000);
        cache.put("a", &key(1), &picture(100)).unwrap();
        let place = cache.place("a", &key(1));
        let whole = fs::read(&place).unwrap();
        for length in [0, 3, 5, HEAD_BYTES - 1, HEAD_BYTES, HEAD_BYTES + 50] {
            fs::write(&place, &whole[..length]).unwrap();
            assert_eq!(cache.get("a", &key(1)), None, "{length} bytes");
        }
        fs::write(&place, [&whole[..HEAD_BYTES], &[0; 100]].concat()).unwrap();
        assert_eq!(cache.get("a", &key(1)), None);
    }

    #[test]
    fn beyond_the_bound_the_oldest_go() {
        let directory = tempfile::tempdir().unwrap();
        let each = 10_000 + FILE_OVERHEAD_BYTES + HEAD_BYTES as u64;
        let cache = Cache::new(directory.path().to_owned(), each * 10);
        for number in 0..10 {
            cache.put("a", &key(number), &picture(10_000)).unwrap();
            let then = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(u64::from(number) + 1);
            fs::File::options().write(true).open(cache.place("a", &key(number))).unwrap().set_modified(then).unwrap();
        }
        assert!((0..10).all(|number| cache.get("a", &key(number)).is_some()), "at the bound");
        cache.put("b", &key(10), &picture(10_000)).unwrap();
        let kept: Vec<u8> = (0..10).filter(|number| cache.get("a", &key(*number)).is_some()).collect();
        assert_eq!(kept, [2, 3, 4, 5, 6, 7, 8, 9]);
        assert!(cache.get("b", &key(10)).is_some());
        // One that is larger than everything is not kept, and throws nothing out.
        cache.put("b", &key(11), &picture(1_000_000)).unwrap();
        assert!(cache.get("b", &key(11)).is_none() && cache.get("b", &key(10)).is_some());
    }

    #[test]
    fn spaces_that_are_gone_are_forgotten() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::new(directory.path().to_owned(), 1_000_000);
        cache.put("a", &key(1), &picture(1)).unwrap();
        cache.put("b", &key(1), &picture(1)).unwrap();
        cache.keep_only(|space| space == "b").unwrap();
        assert!(cache.get("a", &key(1)).is_none() && cache.get("b", &key(1)).is_some());
        assert!(!directory.path().join("a").exists());
    }
}
