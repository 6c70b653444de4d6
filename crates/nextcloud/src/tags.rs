//! Tags: `/remote.php/dav/systemtags/` with a resource for each, and `/remote.php/dav/systemtags-relations/files/ID/` with
//! those of one file. Sheet `nextcloud-files-dav`, section 12.2.

use http::StatusCode;
use http::request::Parts;
use nichoir_auth::Caller;
use nichoir_dav::virtual_resource::{VirtualResource, VirtualValue};
use nichoir_dav::{Body, Dav, Error, Mount, Request, Resource, Response, Value, answer, href};
use nichoir_store::change::{AssignTag, ChangeTag, DropTag, MakeTag};
use nichoir_store::{Error as StoreError, Etag, FileId, Tag, TagId};
use nichoir_xml::{Name, Writer, dav, nc, oc};

use crate::posted::{self, file_id, number};
use crate::virtual_patch::Patch;

/// What members may change of a tag; the rest only administrators.
const WRITABLE: &[Name] = &[oc::DISPLAY_NAME, nc::COLOR, oc::USER_VISIBLE, oc::USER_ASSIGNABLE];

const METHODS: &str = "OPTIONS, PROPFIND, PROPPATCH, POST, PUT, DELETE";

/// A request to tags.
struct Place<'a> {
    dav: &'a Dav,
    caller: &'a Caller,
    mount: &'a Mount,
}

/// Answers what is below `mount`: `systemtags`, or, with `is_of_files`, `systemtags-relations`.
pub async fn handle(dav: &Dav, caller: &Caller, mount: &Mount, is_of_files: bool, request: Request) -> Response {
    let place = Place { dav, caller, mount };
    let names = match href::path_below(&mount.prefix, request.uri().path()) {
        Ok(path) => path.names().to_vec(),
        Err(error) => return dav.refuse(error),
    };
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let answered = if ["PROPFIND", "OPTIONS"].contains(&request.method().as_str()) {
        match place.resources(&names, is_of_files).await {
            Ok(resources) => return dav.answer_virtual(caller, mount, &resources, request).await,
            Err(error) => Err(error),
        }
    } else {
        let (parts, body) = request.into_parts();
        match is_of_files {
            true => place.of_files(&parts, &names, body).await,
            false => place.of_space(&parts, &names, body).await,
        }
    };
    answered.unwrap_or_else(|error| dav.refuse(error))
}

impl Place<'_> {
    /// What the path names, and its members.
    async fn resources(&self, names: &[&str], is_of_files: bool) -> Result<Vec<VirtualResource>, Error> {
        let tree = &self.caller.tree;
        let own = names.iter().fold(format!("{}/", self.mount.prefix), |href, name| format!("{href}{name}/"));
        let collection = |href: String| {
            VirtualResource::file(href).with(dav::RESOURCETYPE, VirtualValue::Elements(vec![dav::COLLECTION]))
        };
        Ok(match (names, is_of_files) {
            ([], false) => {
                let tags = tree.tags().await?;
                let members = tags.iter().map(|tag| self.resource(tag, format!("{own}{}/", tag.id)));
                [collection(own.clone())].into_iter().chain(members).collect()
            }
            ([id], false) => vec![self.resource(&tree.tag(TagId(number(id)?)).await?, own)],
            ([], true) => {
                vec![collection(own.clone()), collection(format!("{own}files/"))]
            }
            (["files"], true) => vec![collection(own.clone())],
            (["files", file], true) => {
                let tags = tree.tags_of(file_id(file)?).await?;
                let members = tags.iter().map(|tag| self.resource(tag, format!("{own}{}", tag.id)));
                [collection(own.clone())].into_iter().chain(members).collect()
            }
            (["files", file, id], true) => {
                let (tags, id) = (tree.tags_of(file_id(file)?).await?, TagId(number(id)?));
                let tag = tags.iter().find(|tag| tag.id == id).ok_or_else(Error::not_found)?;
                vec![self.resource(tag, own.trim_end_matches('/').to_owned())]
            }
            _ => return Err(Error::not_found()),
        })
    }

    fn resource(&self, tag: &Tag, href: String) -> VirtualResource {
        let truth = |truth: bool| VirtualValue::Text(truth.to_string());
        VirtualResource::file(href)
            .with(oc::ID, VirtualValue::Text(tag.id.to_string()))
            .with(oc::DISPLAY_NAME, VirtualValue::Text(tag.name.clone()))
            .with(dav::DISPLAYNAME, VirtualValue::Text(tag.name.clone()))
            .with(oc::USER_VISIBLE, truth(tag.is_visible))
            .with(oc::USER_ASSIGNABLE, truth(tag.is_assignable))
            .with(oc::CAN_ASSIGN, truth(may_assign(tag, self.caller)))
            .with(nc::COLOR, VirtualValue::Text(tag.color.clone()))
            .with(dav::GETETAG, VirtualValue::Etag(Etag(tag.changed.0)))
    }

    async fn of_space(&self, parts: &Parts, names: &[&str], body: Body) -> Result<Response, Error> {
        let tree = &self.caller.tree;
        match (parts.method.as_str(), names) {
            ("POST", []) => {
                let tag = self.make(parts, body).await?;
                Ok(posted::created(&format!("{}/{}", self.mount.prefix, tag.id)))
            }
            ("PROPPATCH", [id]) => {
                let id = tree.tag(TagId(number(id)?)).await?.id;
                let patch = Patch::read(self.dav, body).await?;
                if patch.is_about(WRITABLE) {
                    let truth = |name: &Name| patch.text(name).map(|text| ["true", "1"].contains(&text.as_str()));
                    let change = ChangeTag {
                        id,
                        name: patch.text(&oc::DISPLAY_NAME),
                        color: patch.text(&nc::COLOR),
                        is_visible: truth(&oc::USER_VISIBLE),
                        is_assignable: truth(&oc::USER_ASSIGNABLE),
                    };
                    tree.apply(change).await.map_err(refused)?;
                }
                Ok(patch.answer(&format!("{}/{id}", self.mount.prefix), WRITABLE, StatusCode::OK))
            }
            ("DELETE", [id]) => {
                tree.apply(DropTag { id: TagId(number(id)?) }).await?;
                Ok(answer::bare(StatusCode::NO_CONTENT))
            }
            (_, [] | [_]) => Err(Error::method_not_allowed("Tags are not changed in this way.", METHODS)),
            _ => Err(Error::not_found()),
        }
    }

    async fn of_files(&self, parts: &Parts, names: &[&str], body: Body) -> Result<Response, Error> {
        match (parts.method.as_str(), names) {
            ("PUT", ["files", file, id]) => {
                self.assign(file_id(file)?, TagId(number(id)?), true).await?;
                Ok(answer::bare(StatusCode::CREATED))
            }
            ("DELETE", ["files", file, id]) => {
                self.assign(file_id(file)?, TagId(number(id)?), false).await?;
                Ok(answer::bare(StatusCode::NO_CONTENT))
            }
            ("POST", ["files", file]) => {
                let file = file_id(file)?;
                self.caller.tree.tags_of(file).await?;
                let tag = self.make(parts, body).await?;
                self.assign(file, tag.id, true).await?;
                Ok(posted::created(&format!("{}/files/{file}/{}", self.mount.prefix, tag.id)))
            }
            (_, [] | ["files"] | ["files", _] | ["files", _, _]) => {
                Err(Error::method_not_allowed("Tags are not changed in this way.", METHODS))
            }
            _ => Err(Error::not_found()),
        }
    }

    async fn make(&self, parts: &Parts, body: Body) -> Result<Tag, Error> {
        let object = posted::object(parts, body).await?;
        let text = |name: &str| object.get(name).and_then(|value| value.as_str());
        let change = MakeTag {
            name: text("name").ok_or_else(|| Error::bad_request("Missing \"name\" attribute"))?.to_owned(),
            color: text("color").unwrap_or_default().to_owned(),
            is_visible: posted::truth(&object, "userVisible", true),
            is_assignable: posted::truth(&object, "userAssignable", true),
        };
        match self.caller.tree.apply(change).await {
            // As the reference has it: the flags are what is wrong with the request.
            Err(StoreError::Forbidden(_)) => Err(Error::bad_request("Not sufficient permissions")),
            made => made.map_err(refused),
        }
    }

    /// Which of the two is missing, the file or the tag, is said by the status.
    async fn assign(&self, node: FileId, tag: TagId, is_assigned: bool) -> Result<(), Error> {
        let tree = &self.caller.tree;
        tree.tags_of(node).await?;
        if is_assigned && matches!(tree.tag(tag).await, Err(StoreError::NotFound)) {
            return Err(Error::new(StatusCode::PRECONDITION_FAILED, "The tag does not exist."));
        }
        match tree.apply(AssignTag { node, tag, is_assigned }).await {
            Err(StoreError::Exists) => Err(Error::conflict("The file has the tag already.")),
            done => done.map_err(Error::from),
        }
    }
}

fn refused(error: StoreError) -> Error {
    match error {
        StoreError::Exists => Error::conflict("Tag already exists"),
        StoreError::TooLarge { .. } => Error::forbidden("There are too many tags."),
        other => other.into(),
    }
}

fn may_assign(tag: &Tag, caller: &Caller) -> bool {
    tag.is_assignable || caller.account.is_admin()
}

/// `nc:system-tags` of a file: a name is never empty, which Android would not survive.
pub(crate) fn value<'a>(_: &Resource<'a>) -> Option<Value<'a>> {
    Some(Value::Elements(write))
}

fn write(it: &Resource<'_>, writer: &mut Writer) {
    let truth = |truth: bool| if truth { "true" } else { "false" };
    for tag in &it.node.tags {
        let attributes = [
            (&oc::ID, &*tag.id.to_string()),
            (&oc::CAN_ASSIGN, truth(may_assign(tag, it.caller))),
            (&oc::USER_ASSIGNABLE, truth(tag.is_assignable)),
            (&oc::USER_VISIBLE, truth(tag.is_visible)),
            (&nc::COLOR, tag.color.as_str()),
        ];
        writer.open_with(&nc::SYSTEM_TAG, &attributes);
        writer.text(&tag.name);
        writer.close();
    }
}
