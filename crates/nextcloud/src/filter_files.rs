//! REPORT `oc:filter-files`: the favourites below a folder, wherever they are.

use http::StatusCode;
use nichoir_dav::multistatus::Multistatus;
use nichoir_dav::{Answering, Error, PropertyRequest, Report, ReportCall, Response, Selection, header::prefer, href};
use nichoir_store::Needs;
use nichoir_xml::oc;

/// The table.
pub(crate) static REPORTS: &[Report] = &[Report { name: oc::FILTER_FILES, answer: |call| answer(call) }];

fn answer(call: ReportCall) -> Answering {
    Box::pin(filter_files(call))
}

async fn filter_files(call: ReportCall) -> Result<Response, Error> {
    let rules = call.root.child(&oc::FILTER_RULES).ok_or_else(|| Error::bad_request("Missing filter-rules."))?;
    let mut rules = rules.elements().peekable();
    if rules.peek().is_none() {
        return Err(Error::bad_request("No filter rules."));
    }
    if let Some(unknown) = rules.find(|rule| rule.name != oc::FAVORITE) {
        // There are no tags yet, so there is none to filter by.
        let message = format!("Cannot filter by {}.", unknown.name.local);
        return Err(Error::new(StatusCode::PRECONDITION_FAILED, message));
    }
    let request = PropertyRequest::child_of(&call.root)?.unwrap_or(PropertyRequest::AllProp { include: Vec::new() });
    let selection = Selection::new(&call.dav, &request, prefer::is_minimal(&call.headers));
    let tree = &call.caller.tree;
    let quota = if selection.needs().includes(Needs::QUOTA) { Some(tree.quota().await?) } else { None };
    let mut body = Multistatus::new();
    for (path, node) in tree.favourites(&call.path, selection.needs()).await? {
        let resource = call.resource(&node, quota, None);
        body.resource(&href::of(&call.mount.prefix, &path, node.is_folder()), &resource, &selection);
    }
    Ok(crate::xml_response(StatusCode::MULTI_STATUS, body.finish()))
}
