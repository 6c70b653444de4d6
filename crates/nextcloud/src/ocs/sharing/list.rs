//! Lists of shares: given, received, inherited, waiting for an answer, declined. Sheet `nextcloud-ocs`, section 5.4.

use std::collections::HashSet;

use nichoir_store::{Error, FileId, Needs, Node, NodePath, PlacedShare, Received};
use serde_json::{Value, json};

use super::super::envelope::Outcome;
use super::super::{Answer, Call};
use super::{links, number, object, path_of, refused, wrong_path};

/// What Android looks for among the tags of a share.
const FAVOURITE: &str = "_$!<Favorite>!$_";

pub(super) async fn given_or_received(call: &Call<'_>) -> Answer {
    let (tree, params) = (&call.caller.tree, &call.params);
    let path = path_of(call)?;
    let is_asked = |name| params.truth(name) == Some(true);
    let node = match &path {
        Some(path) => Some(node(call, path).await?),
        None => None,
    };
    let found = match &node {
        _ if is_asked("shared_with_me") => {
            let mut found = tree.shares_received(Received::Accepted).await?;
            if let Some(node) = &node {
                found.retain(|placed| placed.share.node == node.id);
            }
            found
        }
        Some(node) if is_asked("subfiles") => {
            if !node.is_folder() {
                return Err(Outcome::bad_request("Not a directory"));
            }
            let mut found = tree.shares_given().await?;
            found.retain(|placed| placed.node.parent == Some(node.id));
            found
        }
        Some(node) => tree.shares_of(&[node.id], is_asked("reshares")).await?,
        None => tree.shares_given().await?,
    };
    let links = match &path {
        _ if is_asked("shared_with_me") => Vec::new(),
        Some(path) if is_asked("subfiles") => tree.links_to_members(path).await?,
        Some(path) => tree.links_to(path, is_asked("reshares")).await?,
        None => tree.links().await?,
    };
    objects(call, &found, &links::placed(call, links).await?).await
}

/// Shares of what lies above the path, by which it is seen too.
pub(super) async fn inherited(call: &Call<'_>) -> Answer {
    let path = path_of(call)?.ok_or_else(wrong_path)?;
    node(call, &path).await?;
    let (mut above, mut folders): (Vec<FileId>, Vec<NodePath>) = (Vec::new(), Vec::new());
    let mut at = path.parent();
    while let Some(folder) = at.filter(|folder| !folder.is_root()) {
        above.push(node(call, &folder).await?.id);
        folders.push(folder.clone());
        at = folder.parent();
    }
    let found = call.caller.tree.shares_of(&above, true).await?;
    let mut list = Vec::with_capacity(found.len());
    for placed in &found {
        let mut object = object::object(call.caller, placed, false);
        object["via_fileid"] = json!(placed.node.id.0);
        object["via_path"] = json!(placed.path.to_string());
        list.push(object);
    }
    for folder in folders {
        for placed in links::placed(call, call.caller.tree.links_to(&folder, true).await?).await? {
            let mut object = links::object_of(call, &placed).await?;
            object["via_fileid"] = json!(placed.node().0);
            object["via_path"] = json!(folder.to_string());
            list.push(object);
        }
    }
    Ok(Value::Array(list).into())
}

pub(super) async fn pending(call: &Call<'_>) -> Answer {
    objects(call, &call.caller.tree.shares_received(Received::Pending).await?, &[]).await
}

/// What was left or declined and can be had back, under the full form of its number.
pub(super) async fn declined(call: &Call<'_>) -> Answer {
    let found = call.caller.tree.shares_received(Received::Declined).await?;
    let list = found.iter().map(|placed| {
        let mut object = object::object(call.caller, placed, false);
        object["id"] = json!(format!("ocinternal:{}", placed.share.id));
        object
    });
    Ok(Value::Array(list.collect()).into())
}

/// One share: a list of one.
pub(super) async fn one(call: &Call<'_>, id: &str) -> Answer {
    if let Some(link) = links::find(call, number(id)?.0).await? {
        return objects(call, &[], &links::placed(call, vec![link]).await?).await;
    }
    let placed = call.caller.tree.share(number(id)?).await.map_err(|error| refused(error, ""))?;
    objects(call, &[placed], &[]).await
}

/// Shares and links in one list.
async fn objects(call: &Call<'_>, found: &[PlacedShare], links: &[links::Placed]) -> Answer {
    let marked: Option<HashSet<FileId>> = match call.params.truth("include_tags") {
        Some(true) => Some(call.caller.tree.favourite_ids().await?),
        _ => None,
    };
    let tagged = |mut object: Value, node: FileId| {
        if let Some(marked) = &marked {
            object["tags"] = if marked.contains(&node) { json!([FAVOURITE]) } else { json!([]) };
        }
        object
    };
    let shares = found.iter().map(|placed| tagged(object::object(call.caller, placed, false), placed.node.id));
    let mut list: Vec<Value> = shares.collect();
    for placed in links {
        list.push(tagged(links::object_of(call, placed).await?, placed.node()));
    }
    Ok(Value::Array(list).into())
}

async fn node(call: &Call<'_>, path: &NodePath) -> Result<Node, Outcome> {
    call.caller.tree.node(path, Needs::NONE).await.map_err(|error| match error {
        Error::NotFound => wrong_path(),
        error => error.into(),
    })
}
