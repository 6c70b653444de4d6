//! Directories of local files, durable: a name survives a power cut once the directory is synced that it stands in.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::Error;
use crate::open_space::run_blocking;

/// Directories remembered as durable; with more, it begins anew.
const REMEMBERED_MAX: usize = 20_000;

/// Where the blobs of a local store lie.
pub(crate) struct Folders {
    root: PathBuf,
    /// Those that this process has seen to. That one exists says nothing: whoever made it may have been killed before it was
    /// synced, or has not come to it yet.
    durable: Mutex<HashSet<PathBuf>>,
}

impl Folders {
    /// Below `root`, which is made if it is missing.
    pub(crate) fn below(root: &Path) -> Result<Folders, Error> {
        make(root)?;
        Ok(Folders { root: root.to_owned(), durable: Mutex::default() })
    }

    /// Where `key` is, or will be.
    pub(crate) fn path_of(&self, key: &str) -> PathBuf {
        self.root.join(key)
    }

    /// Makes sure that the directory of `key` exists and will.
    pub(crate) async fn make_for(self: &Arc<Folders>, key: &str) -> Result<(), Error> {
        let Some(folder) = self.path_of(key).parent().map(Path::to_owned) else { return Ok(()) };
        if self.durable.lock().unwrap_or_else(PoisonError::into_inner).contains(&folder) {
            return Ok(());
        }
        let folders = Arc::clone(self);
        run_blocking(move || {
            std::fs::create_dir_all(&folder)?;
            let mut above = folder.ancestors().skip(1).take_while(|above| above.starts_with(&folders.root));
            above.try_for_each(sync)?;
            let mut durable = folders.durable.lock().unwrap_or_else(PoisonError::into_inner);
            if durable.len() >= REMEMBERED_MAX {
                durable.clear();
            }
            durable.insert(folder);
            Ok(())
        })
        .await
    }

    /// Keys below `prefix` of what is being written.
    pub(crate) async fn staged_below(&self, prefix: &str) -> Result<Vec<String>, Error> {
        let (root, top) = (self.root.clone(), self.root.join(prefix));
        run_blocking(move || {
            let keys = staged_in(&top)?.into_iter().filter_map(|path| {
                let key = path.strip_prefix(&root).ok()?.to_str()?;
                Some(key.rsplit_once('#')?.0.to_owned())
            });
            Ok(keys.collect())
        })
        .await
    }

    /// Removes the folder with whatever is left in it; durably, so that nothing comes back.
    pub(crate) async fn remove(&self, prefix: &str) -> Result<(), Error> {
        let folder = self.root.join(prefix);
        run_blocking(move || {
            match std::fs::remove_dir_all(&folder) {
                // Or somebody whose space is gone still writes there.
                Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::DirectoryNotEmpty) => {
                    return Err(error.into());
                }
                _ => {}
            }
            match folder.parent().map(sync) {
                Some(Err(error)) if error.kind() != ErrorKind::NotFound => Err(error.into()),
                _ => Ok(()),
            }
        })
        .await
    }

    /// Removes what is being written below `prefix`.
    pub(crate) async fn remove_staged(&self, prefix: &str) -> Result<(), Error> {
        let top = self.root.join(prefix);
        run_blocking(move || Ok(staged_in(&top)?.iter().try_for_each(std::fs::remove_file)?)).await
    }

    /// Makes sure that blobs which were removed stay removed.
    pub(crate) async fn settle_removals(&self, keys: &[String]) -> Result<(), Error> {
        let folders = keys.iter().filter_map(|key| self.path_of(key).parent().map(Path::to_owned));
        let folders: HashSet<PathBuf> = folders.collect();
        run_blocking(move || {
            for folder in folders {
                match sync(&folder) {
                    Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
                    _ => {}
                }
            }
            Ok(())
        })
        .await
    }
}

/// Files that object_store stages as `NAME#1`, `NAME#2`…
fn staged_in(top: &Path) -> io::Result<Vec<PathBuf>> {
    let (mut found, mut waiting) = (Vec::new(), vec![top.to_owned()]);
    while let Some(folder) = waiting.pop() {
        let entries = match std::fs::read_dir(&folder) {
            // Gone meanwhile, or never made.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                waiting.push(entry.path());
            } else if entry.file_name().to_string_lossy().contains('#') {
                found.push(entry.path());
            }
        }
    }
    Ok(found)
}

/// Makes a directory with those above it, durable as far up as we may open and sync them: what is above that we have not made.
/// Blocks.
pub(crate) fn make(directory: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(directory)?;
    let directory = directory.canonicalize()?;
    sync(&directory)?;
    for above in directory.ancestors().skip(1) {
        match sync(above) {
            Err(error) if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::InvalidInput) => break,
            synced => synced?,
        }
    }
    Ok(())
}

fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}
