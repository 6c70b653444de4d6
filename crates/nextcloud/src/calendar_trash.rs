//! The trash bin of calendars: `/remote.php/dav/calendars/LOGIN/trashbin/` with `objects/` and `restore/`, and deleted
//! calendars, which stay in the home under a type of their own that only Nextcloud's web apps know.
//!
//! Restoring is a MOVE to anything in `restore/`, and DELETE is for good.

use futures_util::future::BoxFuture;
use http::header::{CONTENT_TYPE, ETAG};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};
use nichoir_auth::Caller;
use nichoir_dav::header::{depth::Depth, destination, prefer};
use nichoir_dav::multistatus::Multistatus;
use nichoir_dav::property::stored_text;
use nichoir_dav::request::full;
use nichoir_dav::virtual_resource::{VirtualResource, VirtualValue};
use nichoir_dav::{
    Body, Call, Dav, Error, Mount, PropertyRequest, Request, Resource, Response, Selection, answer, href, read_xml,
};
use nichoir_store::change::{Purge, Restore};
use nichoir_store::{FileId, MemberFilter, Needs, Node, NodePath, Timestamp, Tree};
use nichoir_xml::{Element, Name, apple, caldav, dav, ncdav};

/// The name of the trash bin in the home, which no calendar can have.
const TRASHBIN: &str = "trashbin";
const SECONDS_A_DAY: i64 = 24 * 3600;

/// When it was deleted, as the web apps read it.
pub(crate) fn deleted_at(instant: Timestamp) -> String {
    let date = chrono::DateTime::from_timestamp(instant.seconds(), 0).unwrap_or_default();
    date.format("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}

/// Answers a request to the trash bin or to a deleted calendar in the home mounted at `mount`; gives back what is about
/// anything else.
///
/// # Errors
/// The request, untouched.
pub async fn answer(dav: &Dav, caller: &Caller, mount: &Mount, request: Request) -> Result<Response, Request> {
    let Ok(path) = href::path_below(&mount.prefix, request.uri().path()) else { return Err(request) };
    let is_of_bin = path.names().first().is_some_and(|name| name == TRASHBIN);
    let deleted = match path.names() {
        [name] if !is_of_bin && is_for_deleted(request.method()) => deleted_calendar(caller, &path, name).await,
        _ => None,
    };
    if !is_of_bin && deleted.is_none() {
        return Err(request);
    }
    let (parts, body) = request.into_parts();
    let place = Place { dav, caller, mount, parts: &parts };
    let answered = match deleted {
        Some(calendar) => place.of_deleted(&calendar, body).await,
        None => place.of_bin(&path.names()[1..], body).await,
    };
    Ok(answered.unwrap_or_else(|error| dav.refuse(error)))
}

fn method_makes(method: &Method) -> bool {
    ["MKCOL", "MKCALENDAR"].contains(&method.as_str())
}

fn is_for_deleted(method: &Method) -> bool {
    ["MOVE", "DELETE", "PROPFIND"].contains(&method.as_str())
}

/// What the home shows beside its calendars: the bin itself, and calendars that are in it.
pub(crate) fn more_members(call: &Call<'_>) -> BoxFuture<'static, Result<Vec<VirtualResource>, Error>> {
    let (tree, mount) = (call.caller.tree.clone(), call.mount.clone());
    Box::pin(async move {
        let mut members = vec![bin(&tree, &mount)];
        let calendars = deleted_calendars(&tree).await?;
        for calendar in &calendars {
            let path = path_of_deleted(&tree, &calendars, calendar).await;
            members.push(deleted_resource(calendar, &path, &mount));
        }
        Ok(members)
    })
}

/// The calendars in the trash, the newest first.
async fn deleted_calendars(tree: &Tree) -> Result<Vec<Node>, Error> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = tree.trashed(&MemberFilter::default(), after, Needs::DEAD_PROPERTIES).await?;
        found.extend(page.nodes.into_iter().filter(Node::is_folder));
        after = page.next;
        if after.is_none() {
            found.sort_by_key(|node| std::cmp::Reverse(node.trashed.as_ref().map(|it| it.deleted)));
            return Ok(found);
        }
    }
}

/// The one that a name in the home means, if no calendar has that name now.
async fn deleted_calendar(caller: &Caller, path: &NodePath, name: &str) -> Option<Node> {
    if !matches!(caller.tree.node(path, Needs::NONE).await, Err(nichoir_store::Error::NotFound)) {
        return None;
    }
    let calendars = deleted_calendars(&caller.tree).await.ok()?;
    let is_named = |node: &&Node| suffixed(node) == name;
    let is_former = |node: &&Node| node.trashed.as_ref().is_some_and(|it| it.name == name);
    calendars.iter().find(is_named).or_else(|| calendars.iter().find(is_former)).cloned()
}

/// A name that nothing else has.
fn suffixed(calendar: &Node) -> String {
    let name = calendar.trashed.as_ref().map_or("", |it| &it.name);
    format!("{name}-deleted-{}", calendar.id)
}

/// Where it is shown: under its old name, unless another calendar, there or deleted after it, has that.
async fn path_of_deleted(tree: &Tree, calendars: &[Node], calendar: &Node) -> NodePath {
    let name = calendar.trashed.as_ref().map_or("", |it| &it.name);
    let path = NodePath::root().child(name);
    let newest = calendars.iter().find(|it| it.trashed.as_ref().is_some_and(|it| it.name == name));
    let is_newest = newest.is_some_and(|it| it.id == calendar.id);
    let is_free = matches!(tree.node(&path, Needs::NONE).await, Err(nichoir_store::Error::NotFound));
    if is_free && is_newest { path } else { NodePath::root().child(&suffixed(calendar)) }
}

fn bin(tree: &Tree, mount: &Mount) -> VirtualResource {
    let seconds = tree.space().limits().trash_days.saturating_mul(SECONDS_A_DAY);
    fixed(format!("{}/{TRASHBIN}/", mount.prefix), TRASHBIN, mount)
        .with(dav::RESOURCETYPE, VirtualValue::Elements(vec![dav::COLLECTION, ncdav::TRASH_BIN]))
        .with(ncdav::TRASH_BIN_RETENTION_DURATION, VirtualValue::Number(u64::try_from(seconds).unwrap_or(0)))
}

fn fixed(href: String, name: &str, mount: &Mount) -> VirtualResource {
    VirtualResource::collection(href, name).with_principal(&mount.principal, &mount.principals)
}

/// No `CALDAV:calendar` among its types: to every other client it is a folder of no interest.
fn deleted_resource(calendar: &Node, path: &NodePath, mount: &Mount) -> VirtualResource {
    let trashed = calendar.trashed.as_ref();
    let name = trashed.map_or("", |it| &it.name);
    let shown = stored_text(calendar, &dav::DISPLAYNAME).unwrap_or_else(|| name.to_owned());
    let mut resource = fixed(href::of(&mount.prefix, path, true), &shown, mount)
        .with(dav::RESOURCETYPE, VirtualValue::Elements(vec![dav::COLLECTION, ncdav::DELETED_CALENDAR]))
        .with(ncdav::CALENDAR_URI, VirtualValue::Text(name.to_owned()));
    if let Some(trashed) = trashed {
        resource = resource.with(ncdav::DELETED_AT, VirtualValue::Text(deleted_at(trashed.deleted)));
    }
    for name in [apple::CALENDAR_COLOR, apple::CALENDAR_ORDER] {
        if let Some(text) = stored_text(calendar, &name) {
            resource = resource.with(name, VirtualValue::Text(text));
        }
    }
    resource
}

/// A request on its way.
struct Place<'a> {
    dav: &'a Dav,
    caller: &'a Caller,
    mount: &'a Mount,
    parts: &'a Parts,
}

impl Place<'_> {
    async fn of_deleted(&self, calendar: &Node, body: Body) -> Result<Response, Error> {
        match self.parts.method.as_str() {
            "MOVE" => self.restore(calendar.id).await,
            "DELETE" => self.purge(calendar.id).await,
            _ => {
                let tree = &self.caller.tree;
                let path = path_of_deleted(tree, &deleted_calendars(tree).await?, calendar).await;
                self.fixed(&[deleted_resource(calendar, &path, self.mount)], body).await
            }
        }
    }

    async fn of_bin(&self, names: &[String], body: Body) -> Result<Response, Error> {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let tree = &self.caller.tree;
        let inner = |name: &str| fixed(format!("{}/{TRASHBIN}/{name}/", self.mount.prefix), name, self.mount);
        match (self.parts.method.as_str(), names.as_slice()) {
            ("PROPFIND" | "REPORT", ["objects"]) => self.list(body).await,
            ("OPTIONS", _) | (_, [] | ["restore" | "objects"]) if !method_makes(&self.parts.method) => {
                let resources = match names.as_slice() {
                    [] => vec![bin(tree, self.mount), inner("restore"), inner("objects")],
                    [name, ..] => vec![inner(name)],
                };
                self.fixed(&resources, body).await
            }
            (method, ["objects", name]) => {
                let id = name.strip_suffix(".ics").and_then(|number| number.parse().ok());
                let id = FileId(id.ok_or_else(Error::not_found)?);
                match method {
                    "GET" | "HEAD" => self.get(id).await,
                    "PROPFIND" => self.one(id, body).await,
                    "MOVE" => self.restore(id).await,
                    "DELETE" => self.purge(id).await,
                    _ => Err(Error::forbidden("What is in the trash bin can be restored or deleted.")),
                }
            }
            ("MKCOL" | "MKCALENDAR", _) => {
                Err(Error::method_not_allowed("This is the trash bin.", "OPTIONS, PROPFIND"))
            }
            _ => Err(Error::not_found()),
        }
    }

    async fn fixed(&self, resources: &[VirtualResource], body: Body) -> Result<Response, Error> {
        let request = Request::from_parts(self.parts.clone(), body);
        Ok(self.dav.answer_virtual(self.caller, self.mount, resources, request).await)
    }

    /// PROPFIND, and REPORT calendar-query, of which the type of component is looked at.
    async fn list(&self, body: Body) -> Result<Response, Error> {
        let root = read_xml(self.dav, body).await?;
        let is_report = self.parts.method.as_str() == "REPORT";
        let (asked, component) = match &root {
            Some(root) if is_report && root.name == caldav::CALENDAR_QUERY => {
                (PropertyRequest::child_of(root)?.unwrap_or(PropertyRequest::Prop(Vec::new())), component_of(root))
            }
            _ if is_report => return Err(Error::unknown_report()),
            root => (PropertyRequest::of_propfind(root.as_ref())?, None),
        };
        let selection = Selection::new(self.dav, &asked, prefer::is_minimal(&self.parts.headers));
        let mut told = Multistatus::new();
        if !is_report {
            let own = fixed(format!("{}/{TRASHBIN}/objects/", self.mount.prefix), "objects", self.mount);
            self.dav.write_virtual(&own, &asked, prefer::is_minimal(&self.parts.headers), told.writer());
        }
        let is_deep = is_report || Depth::of(&self.parts.headers)? != Some(Depth::Zero);
        let filter = MemberFilter { component, ..MemberFilter::default() };
        let mut after = None;
        loop {
            if !is_deep {
                break;
            }
            let page = self.caller.tree.trashed(&filter, after, selection.needs()).await?;
            page.nodes.iter().filter(|node| !node.is_folder()).for_each(|node| self.tell(node, &selection, &mut told));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        Ok(answer::xml(StatusCode::MULTI_STATUS, told.finish()))
    }

    async fn one(&self, id: FileId, body: Body) -> Result<Response, Error> {
        let root = read_xml(self.dav, body).await?;
        let asked = PropertyRequest::of_propfind(root.as_ref())?;
        let selection = Selection::new(self.dav, &asked, prefer::is_minimal(&self.parts.headers));
        let node = self.member(id, selection.needs()).await?;
        let mut told = Multistatus::new();
        self.tell(&node, &selection, &mut told);
        Ok(answer::xml(StatusCode::MULTI_STATUS, told.finish()))
    }

    fn tell(&self, node: &Node, selection: &Selection, told: &mut Multistatus) {
        let resource = Resource {
            dav: self.dav,
            caller: self.caller,
            mount: self.mount,
            node,
            quota: None,
            log_floor: None,
            rendered: None,
        };
        let path = [TRASHBIN, "objects", &node.name].iter().fold(NodePath::root(), |path, name| path.child(name));
        told.resource(&href::of(&self.mount.prefix, &path, false), &resource, selection);
    }

    async fn member(&self, id: FileId, needs: Needs) -> Result<Node, Error> {
        let node = self.caller.tree.trashed_node(id, needs).await?;
        if node.is_folder() { Err(Error::not_found()) } else { Ok(node) }
    }

    async fn get(&self, id: FileId) -> Result<Response, Error> {
        let node = self.member(id, Needs::BODY).await?;
        let mut response = Response::new(full(node.body.unwrap_or_default()));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/calendar; charset=utf-8"));
        if let Ok(etag) = HeaderValue::try_from(node.etag.quoted()) {
            headers.insert(ETAG, etag);
        }
        Ok(response)
    }

    async fn restore(&self, id: FileId) -> Result<Response, Error> {
        let told = destination::of(&self.parts.headers)?.unwrap_or_default();
        let to = href::path_of_url(&self.mount.prefix, &told)?;
        if !to.is_some_and(|to| matches!(to.names(), [bin, restore, _] if bin == TRASHBIN && restore == "restore")) {
            return Err(Error::forbidden("What is in the trash bin can only be restored to where it was."));
        }
        self.caller.tree.apply(Restore { id }).await?;
        Ok(answer::bare(StatusCode::CREATED))
    }

    async fn purge(&self, id: FileId) -> Result<Response, Error> {
        self.caller.tree.apply(Purge { id }).await?;
        Ok(answer::bare(StatusCode::NO_CONTENT))
    }
}

/// The innermost component that the filter names, if it names one inside of a VCALENDAR.
fn component_of(root: &Element) -> Option<String> {
    let calendar = root.child(&caldav::FILTER)?.child(&caldav::COMP_FILTER)?;
    let inner = calendar.child(&caldav::COMP_FILTER)?;
    inner.attribute(&Name::new("", "name")).map(str::to_ascii_uppercase)
}
