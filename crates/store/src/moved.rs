//! What moved in a space since somebody last looked: the folders whose members or properties changed, and those above
//! them. Notices of several commits become one, of bounded size.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::node::{AccountId, Etag, FileId};

/// Push registrations that a change is not told to, because whoever made it asked so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quiet {
    /// Whose registrations; those of others are told whatever the names say.
    pub account: AccountId,
    /// Their names; `None`: all of the account.
    pub registrations: Option<Vec<String>>,
}

impl Quiet {
    /// Whether the registration `name` of `account` is not to be told.
    pub fn covers(&self, account: AccountId, name: &str) -> bool {
        self.account == account && self.registrations.as_ref().is_none_or(|names| names.iter().any(|it| it == name))
    }

    /// What both leave out.
    fn and(&self, other: &Quiet) -> Option<Quiet> {
        if self.account != other.account {
            return None;
        }
        let registrations = match (&self.registrations, &other.registrations) {
            (None, names) | (names, None) => names.clone(),
            (Some(names), Some(others)) => Some(names.iter().filter(|name| others.contains(name)).cloned().collect()),
        };
        Some(Quiet { account: self.account, registrations })
    }
}

/// What became of one folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// Its entity tag, which is the change sequence of the last change to it.
    pub etag: Etag,
    /// Whether a member came, changed or went; not so for changes deeper down.
    pub has_members: bool,
    /// Whether properties of the folder itself changed.
    pub has_properties: bool,
    /// Who is not to be told, since every one of the changes asked so.
    pub quiet: Option<Arc<Quiet>>,
    /// Whether no more happened than that files got new content, all of them listed in [`Moved::replaced`].
    pub is_replacement: bool,
}

/// A file that was there before and has new content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// The file.
    pub node: FileId,
    /// The folders above it, up to its owner's root.
    pub above: Arc<[FileId]>,
    /// Where others see it: mounts, and the folders above them up to their roots.
    pub elsewhere: Arc<[FileId]>,
}

impl Move {
    fn is_direct(&self) -> bool {
        self.has_members || self.has_properties
    }

    /// Takes in a later change.
    fn merge(&mut self, later: Move) {
        self.quiet = match (self.is_direct(), later.is_direct()) {
            (true, true) => match (&self.quiet, &later.quiet) {
                (Some(mine), Some(theirs)) => mine.and(theirs).map(Arc::new),
                _ => None,
            },
            (false, true) => later.quiet,
            (_, false) => self.quiet.take(),
        };
        self.etag = self.etag.max(later.etag);
        self.has_members |= later.has_members;
        self.has_properties |= later.has_properties;
        self.is_replacement &= later.is_replacement;
    }
}

/// Files that are listed as having new content; beyond it, folders are told of without.
const REPLACED_MAX: usize = 64;

/// What moved in one space.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// The folders, up to the roots.
    pub folders: HashMap<FileId, Move>,
    /// More moved than is listed here: everything has to be looked at.
    pub is_cut: bool,
    /// Accounts or devices changed.
    pub has_accounts: bool,
    /// Messages for people outside of the space were queued; not told to other servers, which send their own.
    pub has_outgoing: bool,
    /// Files with new content. Not told to other servers.
    pub replaced: Vec<Replaced>,
    /// Whether the stream of activities of those who see the folders has grown.
    pub has_activity: bool,
    /// Accounts that have a notification more, or one less.
    pub notified: BTreeSet<AccountId>,
}

impl Moved {
    /// Whether nothing moved.
    pub fn is_empty(&self) -> bool {
        self.folders.is_empty()
            && !self.is_cut
            && !self.has_accounts
            && !self.has_outgoing
            && !self.has_activity
            && self.notified.is_empty()
    }

    /// All of the space.
    pub(crate) fn all() -> Moved {
        Moved { is_cut: true, ..Moved::default() }
    }

    /// Takes in what one change did to one folder.
    pub(crate) fn add(&mut self, folder: FileId, step: Move) {
        match self.folders.get_mut(&folder) {
            Some(known) => known.merge(step),
            None => drop(self.folders.insert(folder, step)),
        }
    }

    /// Takes in a file that has new content.
    pub(crate) fn add_replaced(&mut self, replaced: Replaced) {
        if self.replaced.len() < REPLACED_MAX {
            return self.replaced.push(replaced);
        }
        for folder in replaced.above.iter().chain(replaced.elsewhere.iter()) {
            if let Some(step) = self.folders.get_mut(folder) {
                step.is_replacement = false;
            }
        }
    }

    /// Takes in a later notice; lists no more than `folders_max`. Says how many more are listed now.
    pub(crate) fn merge(&mut self, later: &Moved, folders_max: usize) -> isize {
        let before = self.folders.len() as isize;
        self.has_accounts |= later.has_accounts;
        self.has_outgoing |= later.has_outgoing;
        self.is_cut |= later.is_cut;
        self.has_activity |= later.has_activity;
        self.notified.extend(&later.notified);
        for (folder, step) in &later.folders {
            self.add(*folder, step.clone());
        }
        for replaced in &later.replaced {
            self.add_replaced(replaced.clone());
        }
        if self.folders.len() > folders_max || self.notified.len() > folders_max {
            self.folders.clear();
            self.replaced.clear();
            self.notified.clear();
            self.is_cut = true;
        }
        self.folders.len() as isize - before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quiet(account: i64, names: Option<&[&str]>) -> Option<Arc<Quiet>> {
        let registrations = names.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        Some(Arc::new(Quiet { account: AccountId(account), registrations }))
    }

    fn change(etag: i64, quiet: Option<Arc<Quiet>>) -> Move {
        Move { etag: Etag(etag), has_members: true, has_properties: false, quiet, is_replacement: false }
    }

    /// Whether the two changes together are told to the registration `phone` of account 1.
    fn check(first: Move, second: Move, is_told: bool) {
        let mut moved = Moved::default();
        moved.add(FileId(7), first.clone());
        moved.add(FileId(7), second.clone());
        let left = &moved.folders[&FileId(7)];
        let is_quiet = left.quiet.as_ref().is_some_and(|quiet| quiet.covers(AccountId(1), "phone"));
        assert_eq!(!is_quiet, is_told, "{first:?} then {second:?}");
    }

    #[test]
    fn only_who_made_all_changes_is_left_out() {
        let phone = || quiet(1, Some(&["phone"]));
        check(change(1, phone()), change(2, phone()), false);
        check(change(1, phone()), change(2, None), true);
        check(change(1, None), change(2, phone()), true);
        check(change(1, phone()), change(2, quiet(1, Some(&["tablet"]))), true);
        check(change(1, phone()), change(2, quiet(1, Some(&["tablet", "phone"]))), false);
        check(change(1, phone()), change(2, quiet(1, None)), false);
        check(change(1, phone()), change(2, quiet(2, Some(&["phone"]))), true);
    }

    #[test]
    fn a_change_deeper_down_says_nothing_about_who_is_told() {
        let deep =
            Move { etag: Etag(3), has_members: false, has_properties: false, quiet: None, is_replacement: false };
        check(change(1, quiet(1, None)), deep.clone(), false);
        check(deep, change(4, quiet(1, None)), false);
    }

    #[test]
    fn the_names_of_another_account_mean_nothing() {
        assert!(!quiet(2, Some(&["phone"])).unwrap().covers(AccountId(1), "phone"));
        assert!(!quiet(2, None).unwrap().covers(AccountId(1), "phone"));
    }

    #[test]
    fn more_folders_than_the_limit_become_everything() {
        let mut moved = Moved::default();
        let mut later = Moved::default();
        for folder in 0..3 {
            later.add(FileId(folder), change(folder, None));
        }
        assert_eq!(moved.merge(&later, 3), 3);
        assert!(!moved.is_cut);
        later.add(FileId(9), change(9, None));
        assert_eq!(moved.merge(&later, 3), -3);
        assert!(moved.is_cut && moved.folders.is_empty());
    }
}
