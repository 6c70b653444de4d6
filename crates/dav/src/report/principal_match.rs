//! principal-match and acl-principal-prop-set: which members are the caller, or the caller's, and who stands in an
//! access list. RFC 3744 §9.2, §9.3. Access is not edited here, so the list of a resource names its owner alone.

use http::StatusCode;
use nichoir_auth::Caller;
use nichoir_store::Needs;
use nichoir_xml::{Element, dav};

use super::ReportCall;
use crate::Dav;
use crate::answer;
use crate::error::Error;
use crate::header::depth::Depth;
use crate::header::prefer;
use crate::href;
use crate::multistatus::Multistatus;
use crate::principal;
use crate::request::Response;
use crate::selection::{PropertyRequest, Selection};
use crate::target::Mount;

/// Whether the report asks for the caller itself, rather than for what belongs to the caller.
fn asks_for_self(root: &Element) -> Result<bool, Error> {
    match (root.child(&dav::SELF), root.child(&dav::PRINCIPAL_PROPERTY)) {
        (Some(_), None) => Ok(true),
        (None, Some(_)) => Ok(false),
        _ => Err(Error::bad_request("A principal-match holds self or principal-property.")),
    }
}

fn depth_zero(depth: Depth) -> Result<(), Error> {
    match depth {
        Depth::Zero => Ok(()),
        _ => Err(Error::bad_request("This report is Depth: 0.")),
    }
}

fn properties_of(root: &Element) -> Result<PropertyRequest, Error> {
    Ok(PropertyRequest::child_of(root)?.unwrap_or(PropertyRequest::Prop(Vec::new())))
}

/// principal-match on a tree: the members that the caller owns, which are all of them.
pub(super) async fn match_in_tree(call: ReportCall) -> Result<Response, Error> {
    depth_zero(call.depth)?;
    let is_self = asks_for_self(&call.root)?;
    let selection = Selection::new(&call.dav, &properties_of(&call.root)?, prefer::is_minimal(&call.headers));
    let tree = &call.caller.tree;
    let folder = tree.node(&call.path, selection.needs()).await?;
    let names_owner = call.root.child(&dav::PRINCIPAL_PROPERTY).is_some_and(|it| it.child(&dav::OWNER).is_some());
    let mut body = Multistatus::new();
    if !is_self && names_owner && folder.is_folder() {
        let quota = if selection.needs().includes(Needs::QUOTA) { Some(tree.quota().await?) } else { None };
        let limit = call.dav.limits().sync_results_max;
        let (mut after, mut told) = (None, 0);
        loop {
            let page = tree.children(&call.path, &folder, after, selection.needs()).await?;
            told += page.nodes.len();
            if told > limit {
                return Err(super::sync_collection::too_many());
            }
            for node in &page.nodes {
                let href = href::of(&call.mount.prefix, &call.path.child(&node.name), node.is_folder());
                body.resource(&href, &call.resource(node, quota, None), &selection);
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
    }
    Ok(answer::xml(StatusCode::MULTI_STATUS, body.finish()))
}

/// principal-match on the collection of principals.
pub(crate) fn match_principals(dav: &Dav, caller: &Caller, mount: &Mount, root: &Element) -> Result<Response, Error> {
    asks_for_self(root)?;
    let own = dav.principal(&caller.account, mount);
    let mut body = Multistatus::new();
    dav.write_virtual(&own, &properties_of(root)?, false, body.writer());
    Ok(answer::xml(StatusCode::MULTI_STATUS, body.finish()))
}

/// acl-principal-prop-set: the principals that the access list names.
pub(super) async fn principals_of_acl(call: ReportCall) -> Result<Response, Error> {
    depth_zero(call.depth)?;
    let properties = properties_of(&call.root)?;
    call.caller.tree.node(&call.path, Needs::NONE).await?;
    let mut body = Multistatus::new();
    let owner = principal::href_of(&call.mount.principals, &call.caller.account.login);
    let principals = call.dav.principals(&call.caller, &call.mount).await?;
    for principal in principals.iter().filter(|principal| principal.href() == owner) {
        call.dav.write_virtual(principal, &properties, false, body.writer());
    }
    Ok(answer::xml(StatusCode::MULTI_STATUS, body.finish()))
}
