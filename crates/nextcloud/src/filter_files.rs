//! REPORT `oc:filter-files`: the favourites below a folder, or what has all of some tags, wherever they are.

use http::StatusCode;
use nichoir_dav::multistatus::Multistatus;
use nichoir_dav::{Answering, Error, PropertyRequest, Report, ReportCall, Response, Selection, header::prefer, href};
use nichoir_store::{Error as StoreError, Everything, FileId, Needs, Search, TagId};
use nichoir_xml::{Element, Name, dav, nc, oc};

/// How many nodes are read at once.
const PAGE: usize = 500;

/// The table.
pub(crate) static REPORTS: &[Report] = &[Report { name: oc::FILTER_FILES, answer: |call| answer(call) }];

fn answer(call: ReportCall) -> Answering {
    Box::pin(filter_files(call))
}

async fn filter_files(call: ReportCall) -> Result<Response, Error> {
    let rules = call.root.child(&oc::FILTER_RULES).filter(|rules| rules.elements().next().is_some());
    let rules = rules.ok_or_else(|| Error::bad_request("Missing filter-rule block in request"))?;
    let search = search_of(&call, rules).await?;
    let request = PropertyRequest::child_of(&call.root)?.unwrap_or(PropertyRequest::AllProp { include: Vec::new() });
    let selection = Selection::new(&call.dav, &request, prefer::is_minimal(&call.headers));
    let tree = &call.caller.tree;
    let quota = if selection.needs().includes(Needs::QUOTA) { Some(tree.quota().await?) } else { None };
    let found = tree.search(&search, Everything).await?;
    let mut body = Multistatus::new();
    for first in (0..found.len()).step_by(PAGE) {
        let page = first..found.len().min(first + PAGE);
        for (path, node) in tree.nodes_found(&found, page, selection.needs()).await? {
            let resource = call.resource(&node, quota, None);
            body.resource(&href::of(&call.mount.prefix, &path, node.is_folder()), &resource, &selection);
        }
    }
    Ok(crate::xml_response(StatusCode::MULTI_STATUS, body.finish()))
}

/// All rules must hold.
async fn search_of(call: &ReportCall, rules: &Element) -> Result<Search, Error> {
    let mut search = Search::below(call.path.clone());
    for rule in rules.elements() {
        if rule.name == oc::FAVORITE {
            search.is_of_favourites = true;
        } else if rule.name == oc::SYSTEMTAG {
            let tagged = tagged(call, &rule.text()).await?;
            search.ids = Some(match search.ids.take() {
                Some(ids) => ids.into_iter().filter(|id| tagged.binary_search(id).is_ok()).collect(),
                None => tagged,
            });
        } else {
            let message = format!("Cannot filter by {}.", rule.name.local);
            return Err(Error::new(StatusCode::PRECONDITION_FAILED, message));
        }
    }
    if let Some(limit) = call.root.child(&dav::LIMIT) {
        let number = |name: &Name| limit.child(name).and_then(|number| number.text().parse::<u32>().ok());
        search.limit = number(&dav::NRESULTS).map_or(usize::MAX, |wanted| wanted as usize);
        search.offset = number(&nc::FIRSTRESULT).unwrap_or(0) as usize;
    }
    Ok(search)
}

async fn tagged(call: &ReportCall, id: &str) -> Result<Vec<FileId>, Error> {
    let unknown = || Error::new(StatusCode::PRECONDITION_FAILED, "Cannot filter by non-existing tag");
    match call.caller.tree.tagged(TagId(id.parse().map_err(|_| unknown())?)).await {
        Err(StoreError::NotFound) => Err(unknown()),
        tagged => Ok(tagged?),
    }
}
