//! What waits for one client: never more than a few bits and a bounded list of numbers, however much happens.

use std::collections::BTreeSet;

/// What a client has not been told about its files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Files {
    /// Nothing moved.
    #[default]
    Still,
    /// These files have new content, and nothing else moved: their numbers, and those of folders above.
    Replaced(BTreeSet<i64>),
    /// Anything may have moved.
    Moved,
}

impl Files {
    /// Takes in what moved later.
    fn add(&mut self, later: Files, ids_max: usize) {
        *self = match (std::mem::take(self), later) {
            (Files::Still, files) | (files, Files::Still) => files,
            (Files::Moved, _) | (_, Files::Moved) => Files::Moved,
            (Files::Replaced(mut ids), Files::Replaced(more)) => {
                ids.extend(more);
                Files::Replaced(ids)
            }
        };
        if matches!(self, Files::Replaced(ids) if ids.len() > ids_max) {
            *self = Files::Moved;
        }
    }

    /// The message, for a client that wants numbers or one that does not.
    pub(crate) fn message(&self, wants_ids: bool) -> Option<String> {
        match self {
            Files::Still => None,
            Files::Replaced(ids) if wants_ids => {
                let ids: Vec<String> = ids.iter().map(i64::to_string).collect();
                Some(format!("notify_file_id [{}]", ids.join(",")))
            }
            // Of a file that is new, clients do not know the number, and they pass over numbers that they do not know.
            Files::Replaced(_) | Files::Moved => Some("notify_file".to_owned()),
        }
    }
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pending {
    pub(crate) files: Files,
    pub(crate) has_activity: bool,
    pub(crate) has_notification: bool,
    /// Whoever logged in may not be here any more.
    pub(crate) is_over: bool,
}

impl Pending {
    /// Everything may have moved.
    pub(crate) fn all() -> Pending {
        Pending { files: Files::Moved, has_activity: true, has_notification: true, is_over: false }
    }

    pub(crate) fn is_empty(&self) -> bool {
        *self == Pending::default()
    }

    /// Takes in what came later.
    pub(crate) fn add(&mut self, later: Pending, ids_max: usize) {
        self.files.add(later.files, ids_max);
        self.has_activity |= later.has_activity;
        self.has_notification |= later.has_notification;
        self.is_over |= later.is_over;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(ids: &[i64]) -> Files {
        Files::Replaced(ids.iter().copied().collect())
    }

    #[track_caller]
    fn check(steps: &[Files], with_ids: Option<&str>, without: Option<&str>) {
        let mut files = Files::Still;
        for step in steps {
            files.add(step.clone(), 4);
        }
        assert_eq!((files.message(true).as_deref(), files.message(false).as_deref()), (with_ids, without), "{steps:?}");
    }

    #[test]
    fn several_changes_are_one_message() {
        let plain = Some("notify_file");
        check(&[], None, None);
        check(&[replaced(&[7, 3])], Some("notify_file_id [3,7]"), plain);
        check(&[replaced(&[7]), Files::Still, replaced(&[3, 7])], Some("notify_file_id [3,7]"), plain);
        check(&[replaced(&[7]), Files::Moved], plain, plain);
        check(&[Files::Moved, replaced(&[7])], plain, plain);
        check(&[replaced(&[1, 2, 3]), replaced(&[4])], Some("notify_file_id [1,2,3,4]"), plain);
        check(&[replaced(&[1, 2, 3]), replaced(&[4, 5])], plain, plain);
    }
}
