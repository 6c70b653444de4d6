//! Unified search: what the search fields of the apps and of the desktop client ask. Files alone, by name; sheet
//! `nextcloud-ocs`, section 8.2.

use std::cmp::Ordering;

use http::StatusCode;
use nichoir_store::{Candidate, Needs, Node, NodePath, Search, Sieve};
use serde_json::{Value, json};

use super::envelope::Outcome;
use super::{Answer, Call};
use crate::preview::has_preview;

/// What is told when nothing is said about it.
const RESULTS: usize = 5;
/// What is told at most at once.
const RESULTS_MAX: usize = 100;
/// Pixels of a thumbnail's sides, as Nextcloud has them.
const THUMBNAIL_SIDE: u32 = 32;
/// Characters of what is searched for.
const TERM_CHARS_MAX: usize = 255;

/// What there is to search.
pub(super) fn providers() -> Value {
    json!([{
        "id": "files",
        "appId": "files",
        "name": "Files",
        "icon": "/apps/files/img/app.svg",
        "order": 5,
        "isExternalProvider": false,
        "triggers": ["files"],
        "filters": { "term": "string" },
        "inAppSearch": false,
    }])
}

/// Names that hold the term, the newest first.
struct Named(String);

impl Sieve for Named {
    fn lets_through(&self, candidate: &Candidate) -> bool {
        candidate.name.to_lowercase().contains(&self.0)
    }

    fn compare(&self, one: &Candidate, other: &Candidate) -> Ordering {
        other.modified.cmp(&one.modified)
    }
}

/// A page of what is found.
pub(super) async fn search(call: &Call<'_>, provider: &str) -> Answer {
    if provider != "files" {
        return Err(Outcome::not_found("There is nothing of this kind to search."));
    }
    let is_french = call.caller.account.language.as_deref().is_some_and(|language| language.starts_with("fr"));
    let term = call.params.text("term").unwrap_or_default();
    let term: String = unicode_normalization::UnicodeNormalization::nfc(term.trim()).collect();
    if term.is_empty() || term.chars().count() > TERM_CHARS_MAX {
        return Err(Outcome::new(StatusCode::BAD_REQUEST, 400, "No valid filters provided"));
    }
    let at_least_none = |name: &str| call.params.number(name).and_then(|number| usize::try_from(number).ok());
    let offset = at_least_none("cursor").unwrap_or(0);
    let limit = at_least_none("limit").filter(|limit| *limit > 0).unwrap_or(RESULTS).min(RESULTS_MAX);
    let search = Search { is_newest_first: true, offset, limit, ..Search::below(NodePath::root()) };
    let tree = &call.caller.tree;
    let found = tree.search(&search, Named(term.to_lowercase())).await?;
    let nodes = tree.nodes_found(&found, 0..found.len(), Needs::NONE).await?;
    let entries: Vec<Value> = nodes.iter().map(|(path, node)| entry(call, path, node, is_french)).collect();
    // iOS goes on only with a number.
    let cursor = found.has_more.then(|| json!(offset + limit));
    Ok(json!({
        "name": if is_french { "Fichiers" } else { "Files" },
        "isPaginated": found.has_more,
        "entries": entries,
        "cursor": cursor,
    })
    .into())
}

/// Every text must be there, and the number be a text, or iOS leaves the hit out.
fn entry(call: &Call<'_>, path: &NodePath, node: &Node, is_french: bool) -> Value {
    let public_url = call.visit.public_url;
    let folder = path.parent().unwrap_or_default();
    let within = if is_french { "dans" } else { "in" };
    let subline = match folder.is_root() {
        true => String::new(),
        false => format!("{within} {}", folder.names().join("/")),
    };
    let is_shown = has_preview(call.visit.previews.kinds(), node) && call.caller.tree.check_content(node).is_ok();
    let thumbnail = match is_shown {
        true => format!("{public_url}/index.php/core/preview?x={THUMBNAIL_SIDE}&y={THUMBNAIL_SIDE}&fileId={}", node.id),
        false => String::new(),
    };
    json!({
        "thumbnailUrl": thumbnail,
        "title": node.name,
        "subline": subline,
        "resourceUrl": format!("{public_url}/f/{}", node.id),
        "icon": if node.is_folder() { "icon-folder" } else { "icon-file" },
        "rounded": false,
        "attributes": { "fileId": node.id.to_string(), "path": path.to_string() },
    })
}
