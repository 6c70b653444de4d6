//! Evaluates [`Conditions`] against the state they speak of, in the transaction or connection given.

use crate::conditions::{Conditions, EtagSet, IfList, IfResource, IfState};
use crate::error::Error;
use crate::lock::{StoredLock, covering};
use crate::look_up;
use crate::node::Node;
use crate::share::Root;
use crate::sql::Connection;

/// Checks everything that `conditions` demand of the request's resource: `chain` leads from the root to it, or to its
/// nearest existing ancestor if it `is_missing`.
///
/// # Errors
/// [`Error::ConditionFailed`] with the name of the header.
pub(crate) async fn check(
    connection: &mut Connection,
    root: &Root,
    conditions: &Conditions,
    chain: &[Node],
    is_missing: bool,
    locks: &[StoredLock],
) -> Result<(), Error> {
    let node = if is_missing { None } else { chain.last() };
    check_preconditions(conditions, node)?;
    if conditions.if_lists.is_empty() {
        return Ok(());
    }
    for list in &conditions.if_lists {
        let holds = match &list.resource {
            IfResource::Lenient => true,
            IfResource::Elsewhere => list_holds(list, None, &[], locks),
            // An unmapped resource has no etag, but a lock on the folder that would hold it covers it.
            IfResource::Request => list_holds(list, node, chain, locks),
            IfResource::Path(path) => {
                let located = look_up::locate(connection, root, path).await?;
                list_holds(list, located.node(), &located.chain, locks)
            }
        };
        if holds {
            return Ok(());
        }
    }
    Err(Error::ConditionFailed("If"))
}

/// RFC 9110 §13.2.2 for methods that change state, in its order.
fn check_preconditions(conditions: &Conditions, node: Option<&Node>) -> Result<(), Error> {
    if let Some(set) = &conditions.if_match {
        if !node.is_some_and(|node| is_in(set, node)) {
            return Err(Error::ConditionFailed("If-Match"));
        }
    } else if let Some(limit) = conditions.if_unmodified_since
        && node.is_some_and(|node| node.modified.seconds() > limit.seconds())
    {
        return Err(Error::ConditionFailed("If-Unmodified-Since"));
    }
    if let Some(set) = &conditions.if_none_match
        && node.is_some_and(|node| is_in(set, node))
    {
        return Err(Error::ConditionFailed("If-None-Match"));
    }
    Ok(())
}

fn is_in(set: &EtagSet, node: &Node) -> bool {
    match set {
        EtagSet::Any => true,
        EtagSet::Of(tags) => tags.contains(&node.etag.to_string()),
    }
}

/// RFC 4918 §10.4.4: all conditions of the list hold for the resource.
fn list_holds(list: &IfList, node: Option<&Node>, chain: &[Node], locks: &[StoredLock]) -> bool {
    list.conditions.iter().all(|condition| {
        let holds = match &condition.state {
            IfState::Token(token) => covering(locks, chain).any(|lock| lock.token == *token),
            IfState::Etag(tag) => node.is_some_and(|node| node.etag.to_string() == *tag),
            IfState::WeakEtag => false,
        };
        holds != condition.is_negated
    })
}
