//! The listing that answers PROPFIND: the resource itself first, then what lies below, a page at a time.

use bytes::Bytes;
use nichoir_auth::Caller;
use nichoir_store::{FileId, Node, NodePath, Quota};
use nichoir_xml::dav;

use crate::Dav;
use crate::error::Error;
use crate::header::depth::Depth;
use crate::href;
use crate::multistatus::Multistatus;
use crate::paged::Paged;
use crate::property::Resource;
use crate::report::{ReportCall, sync_collection};
use crate::selection::{PropertyRequest, Selection};
use crate::target::{Call, Mount};
use crate::virtual_resource::VirtualResource;

/// Room for the response of one member; it grows where more is needed.
const RESPONSE_BYTES: usize = 640;

/// A listing under way.
#[derive(Debug)]
pub(crate) struct Listing {
    dav: Dav,
    caller: Caller,
    mount: Mount,
    selection: Selection,
    quota: Option<Quota>,
    log_floor: Option<i64>,
    body: Multistatus,
    is_deep: bool,
    is_of_folder: bool,
    /// Folders still to be listed, the next one last.
    pending: Vec<Pending>,
    /// Members that may still be told of; one more fails the report.
    room: Option<usize>,
    /// Of a synchronisation: the token that ends the answer.
    final_token: Option<String>,
}

#[derive(Debug)]
struct Pending {
    path: NodePath,
    folder: Node,
    after: Option<FileId>,
}

impl Listing {
    /// Looks the resource up and writes its own response.
    ///
    /// `leaves_root_out`: it was asked for its members alone (RFC 8144 §4), so that nothing is written of a collection.
    pub(crate) async fn open(
        call: &Call<'_>,
        depth: Depth,
        selection: Selection,
        leaves_root_out: bool,
    ) -> Result<Listing, Error> {
        let tree = &call.caller.tree;
        let log_floor = if selection.needs_log_floor() { Some(tree.log_floor().await?) } else { None };
        let node = tree.node(call.path, selection.needs()).await?;
        let wants_quota = selection.needs().includes(nichoir_store::Needs::QUOTA);
        let quota = if wants_quota { Some(tree.quota().await?) } else { None };
        let mut listing = Listing {
            dav: call.dav.clone(),
            caller: call.caller.clone(),
            mount: call.mount.clone(),
            selection,
            quota,
            log_floor,
            body: Multistatus::new(),
            is_deep: depth == Depth::Infinity,
            is_of_folder: node.is_folder(),
            pending: Vec::new(),
            room: None,
            final_token: None,
        };
        let href = href::of(&call.mount.prefix, call.path, node.is_folder());
        if !(leaves_root_out && depth != Depth::Zero && node.is_folder()) {
            listing.write(&href, &node);
        }
        if depth != Depth::Zero && node.is_folder() {
            listing.pending.push(Pending { path: call.path.clone(), folder: node, after: None });
        }
        Ok(listing)
    }

    /// What lies below a folder, without the folder itself, and a sync token at the end (RFC 6578). More than
    /// `limit` members fail the report: a walk cannot be cut and gone on with.
    pub(crate) async fn below(
        call: &ReportCall,
        folder: Node,
        is_deep: bool,
        selection: Selection,
        limit: Option<usize>,
        final_token: String,
    ) -> Result<Listing, Error> {
        let wants_quota = selection.needs().includes(nichoir_store::Needs::QUOTA);
        let quota = if wants_quota { Some(call.caller.tree.quota().await?) } else { None };
        let log_floor = if selection.needs_log_floor() { Some(call.caller.tree.log_floor().await?) } else { None };
        Ok(Listing {
            dav: call.dav.clone(),
            caller: call.caller.clone(),
            mount: call.mount.clone(),
            selection,
            quota,
            log_floor,
            body: Multistatus::new(),
            is_deep,
            is_of_folder: true,
            pending: vec![Pending { path: call.path.clone(), folder, after: None }],
            room: limit,
            final_token: Some(final_token),
        })
    }

    /// Tells of resources that are no nodes.
    pub(crate) fn add(&mut self, request: &PropertyRequest, is_minimal: bool, members: &[VirtualResource]) {
        for member in members {
            self.dav.write_virtual(member, request, is_minimal, self.body.writer());
        }
    }

    pub(crate) fn is_of_folder(&self) -> bool {
        self.is_of_folder
    }

    fn write(&mut self, href: &str, node: &Node) {
        let resource = Resource {
            dav: &self.dav,
            caller: &self.caller,
            mount: &self.mount,
            node,
            quota: self.quota,
            log_floor: self.log_floor,
            rendered: None,
        };
        self.body.resource(href, &resource, &self.selection);
    }
}

impl Paged for Listing {
    fn body(&mut self) -> &mut Multistatus {
        &mut self.body
    }

    fn may_be_refused(&self) -> bool {
        self.room.is_some()
    }

    async fn advance(&mut self) -> Result<bool, Error> {
        let Some(Pending { path, folder, after }) = self.pending.pop() else { return Ok(false) };
        let page = self.caller.tree.children(&path, &folder, after, self.selection.needs()).await?;
        if let Some(room) = self.room {
            let room = room.checked_sub(page.nodes.len()).ok_or_else(sync_collection::too_many)?;
            self.room = Some(room);
        }
        self.body.writer().reserve(page.nodes.len() * RESPONSE_BYTES);
        let mut href = href::of(&self.mount.prefix, &path, true);
        let folder_length = href.len();
        for node in &page.nodes {
            href.truncate(folder_length);
            href::append_name(&mut href, &node.name);
            if node.is_folder() {
                href.push('/');
            }
            self.write(&href, node);
        }
        if page.next.is_some() {
            self.pending.push(Pending { path: path.clone(), folder, after: page.next });
        }
        if self.is_deep {
            let folders = page.nodes.into_iter().filter(Node::is_folder);
            let below = folders.map(|node| Pending { path: path.child(&node.name), folder: node, after: None });
            self.pending.extend(below);
        }
        Ok(true)
    }

    fn finish(mut self) -> Bytes {
        if let Some(token) = &self.final_token {
            self.body.writer().text_element(&dav::SYNC_TOKEN, token);
        }
        self.body.finish()
    }
}
