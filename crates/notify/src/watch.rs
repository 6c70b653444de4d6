//! From what moved to who is told: listens to the store's hub, and to nothing for spaces without sockets.

use std::collections::BTreeSet;
use std::time::Duration;

use nichoir_store::{Error, FileId, Moved, SpaceState, Standing, Waiting};
use tokio::time::Instant;
use tracing::warn;

use crate::Parts;
use crate::pending::{Files, Pending};
use crate::registry::Person;

/// Between two looks at who may still be in a space where much happens.
const CHECK_PAUSE: Duration = Duration::from_secs(10);

pub(crate) async fn run(parts: &Parts) {
    let events = parts.store.events();
    let gather = Duration::from_millis(parts.limits.gather_milliseconds);
    let recheck = Duration::from_secs(parts.limits.recheck_seconds.max(1));
    let mut next_round = Instant::now() + recheck;
    loop {
        tokio::select! {
            () = events.changed() => {
                tokio::time::sleep(gather).await;
                tell(parts, events.take()).await;
            }
            () = tokio::time::sleep_until(next_round) => {
                for space in parts.registry.spaces() {
                    check(parts, space, recheck).await;
                }
                next_round = Instant::now() + recheck;
            }
        }
    }
}

async fn tell(parts: &Parts, waiting: Waiting) {
    let ids_max = parts.limits.file_ids_max;
    for (space, moved) in &waiting.spaces {
        let pause = if moved.has_accounts { Duration::ZERO } else { CHECK_PAUSE };
        check(parts, *space, pause).await;
        parts.registry.tell(*space, ids_max, |person| news(moved, person));
    }
    // What other servers committed may have been missed.
    if waiting.is_cut {
        for space in parts.registry.spaces() {
            parts.registry.tell(space, ids_max, |_| Pending::all());
        }
    }
}

/// Closes the sockets of those who may not be here any more, unless that was looked at within `pause`.
pub(crate) async fn check(parts: &Parts, space: i64, pause: Duration) {
    let now = Instant::now();
    let Some(before) = now.checked_sub(pause) else { return };
    if !pause.is_zero() && !parts.registry.is_due(space, before) || !parts.registry.is_due(space, now) {
        return;
    }
    match standing(parts, space).await {
        Ok(standing) => parts.registry.check(space, now, &standing),
        Err(error) => warn!(space.id = space, %error, "who may be on a socket could not be read"),
    }
}

/// Who may be in the space; nobody in one that is suspended or gone.
async fn standing(parts: &Parts, space: i64) -> Result<Standing, Error> {
    match parts.store.space_numbered(space).await {
        Ok(space) if space.info().state == SpaceState::Active => space.standing().await,
        Ok(_) | Err(Error::NotFound) => Ok(Standing::default()),
        Err(error) => Err(error),
    }
}

/// What of it concerns one account: whatever moved its root.
fn news(moved: &Moved, person: &Person) -> Pending {
    if moved.is_cut {
        return Pending::all();
    }
    let files = match moved.folders.get(&person.home) {
        None => Files::Still,
        Some(step) if step.is_replacement => Files::Replaced(replaced(moved, person.home)),
        Some(_) => Files::Moved,
    };
    Pending {
        has_activity: moved.has_activity && files != Files::Still,
        has_notification: moved.notified.contains(&person.account),
        files,
        is_over: false,
    }
}

/// The files with new content below `home`, with the folders above as far as they are its own, and `home`.
fn replaced(moved: &Moved, home: FileId) -> BTreeSet<i64> {
    let mut ids = BTreeSet::from([home.0]);
    for file in &moved.replaced {
        let is_own = file.above.contains(&home);
        if is_own {
            ids.extend(file.above.iter().map(|folder| folder.0));
        }
        if is_own || file.elsewhere.contains(&home) {
            ids.insert(file.node.0);
        }
    }
    ids
}

#[cfg(test)]
mod tests {
    use nichoir_store::{AccountId, Etag, Move, Replaced};

    use super::*;

    /// Alice's root is 10, Bob's 20. A file 5 in Alice's folder 11, which Bob sees as 21, has new content.
    fn shared(is_replacement: bool) -> Moved {
        let mut moved = Moved { has_activity: true, ..Moved::default() };
        for folder in [10, 11, 20, 21] {
            let step =
                Move { etag: Etag(1), has_members: folder == 11, has_properties: false, quiet: None, is_replacement };
            moved.folders.insert(FileId(folder), step);
        }
        let above = [FileId(11), FileId(10)].into();
        let elsewhere = [FileId(21), FileId(20)].into();
        moved.replaced.push(Replaced { node: FileId(5), above, elsewhere });
        moved
    }

    fn of(moved: &Moved, account: i64) -> Pending {
        let person =
            Person { space: 1, account: AccountId(account), home: FileId(account * 10), device: None, password: 0 };
        news(moved, &person)
    }

    #[test]
    fn everybody_who_sees_a_file_is_told_and_nobody_else() {
        let alice = of(&shared(true), 1);
        assert_eq!(alice.files, Files::Replaced([5, 10, 11].into()));
        assert!(alice.has_activity && !alice.has_notification);
        assert_eq!(of(&shared(true), 2).files, Files::Replaced([5, 20].into()), "Alice's own folders are not named");
        assert!(of(&shared(true), 3).is_empty());
    }

    #[test]
    fn what_came_or_went_is_told_without_numbers() {
        assert_eq!(of(&shared(false), 1).files, Files::Moved);
        assert_eq!(of(&shared(false), 2).files, Files::Moved);
    }

    #[test]
    fn notifications_concern_their_account() {
        let moved = Moved { notified: [AccountId(2)].into(), ..Moved::default() };
        assert!(of(&moved, 2).has_notification && of(&moved, 2).files == Files::Still);
        assert!(of(&moved, 1).is_empty());
    }

    #[test]
    fn where_not_everything_is_known_everything_is_told() {
        let moved = Moved { is_cut: true, ..Moved::default() };
        assert_eq!(of(&moved, 1), Pending::all());
    }
}
