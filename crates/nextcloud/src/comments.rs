//! Comments on files: `/remote.php/dav/comments/files/ID/` with a resource for each. Sheet `nextcloud-files-dav`, section 12.1.

use http::StatusCode;
use http::request::Parts;
use nichoir_auth::Caller;
use nichoir_dav::multistatus::Multistatus;
use nichoir_dav::virtual_resource::{VirtualResource, VirtualValue};
use nichoir_dav::{Body, Dav, Error, Mount, PropertyRequest, Request, Resource, Response, answer, href, read_xml};
use nichoir_store::change::{AddComment, DropComment, EditComment, ReadComments};
use nichoir_store::{Comment, CommentId, Error as StoreError, FileId, Timestamp};
use nichoir_xml::{Element, Name, Writer, dav, oc};

use crate::posted::{self, file_id, number};
use crate::search::seconds;
use crate::virtual_patch::Patch;

/// What a comment tells, in the order of Nextcloud.
const PROPERTIES: &[Name] = &[
    oc::ID,
    oc::PARENT_ID,
    oc::TOPMOST_PARENT_ID,
    oc::CHILDREN_COUNT,
    oc::VERB,
    oc::ACTOR_TYPE,
    oc::ACTOR_ID,
    oc::CREATION_DATE_TIME,
    oc::LATEST_CHILD_DATE_TIME,
    oc::OBJECT_TYPE,
    oc::OBJECT_ID,
    oc::MESSAGE,
    oc::ACTOR_DISPLAY_NAME,
    oc::IS_UNREAD,
    oc::MENTIONS,
];

const METHODS: &str = "OPTIONS, PROPFIND, PROPPATCH, POST, DELETE, REPORT";

/// A request to comments.
struct Place<'a> {
    dav: &'a Dav,
    caller: &'a Caller,
    mount: &'a Mount,
}

/// Answers what is below `mount`.
pub async fn handle(dav: &Dav, caller: &Caller, mount: &Mount, request: Request) -> Response {
    let place = Place { dav, caller, mount };
    let names = match href::path_below(&mount.prefix, request.uri().path()) {
        Ok(path) => path.names().to_vec(),
        Err(error) => return dav.refuse(error),
    };
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let answered = if ["PROPFIND", "OPTIONS"].contains(&request.method().as_str()) {
        match place.resources(&names).await {
            Ok(resources) => return dav.answer_virtual(caller, mount, &resources, request).await,
            Err(error) => Err(error),
        }
    } else {
        let (parts, body) = request.into_parts();
        place.answer(&parts, &names, body).await
    };
    answered.unwrap_or_else(|error| dav.refuse(error))
}

impl Place<'_> {
    /// What the path names, and its members: all comments of a file, the newest first.
    async fn resources(&self, names: &[&str]) -> Result<Vec<VirtualResource>, Error> {
        let tree = &self.caller.tree;
        let own = names.iter().fold(format!("{}/", self.mount.prefix), |href, name| format!("{href}{name}/"));
        let collection = |href: String| {
            VirtualResource::file(href).with(dav::RESOURCETYPE, VirtualValue::Elements(vec![dav::COLLECTION]))
        };
        Ok(match names {
            [] => vec![collection(own.clone()), collection(format!("{own}files/"))],
            ["files"] => vec![collection(own)],
            ["files", file] => {
                let file = file_id(file)?;
                let read = tree.comments_read(file).await?;
                let comments = tree.comments(file, None, 0, u32::MAX).await?;
                let marker = read.map_or(VirtualValue::Text(String::new()), VirtualValue::HttpDate);
                let mut found = vec![collection(own).with(oc::READ_MARKER, marker)];
                found.extend(self.resources_of(&comments).await?);
                found
            }
            ["files", file, id] => {
                let comment = tree.comment(file_id(file)?, CommentId(number(id)?)).await?;
                self.resources_of(std::slice::from_ref(&comment)).await?
            }
            _ => return Err(Error::not_found()),
        })
    }

    async fn resources_of(&self, comments: &[Comment]) -> Result<Vec<VirtualResource>, Error> {
        let accounts = match comments.iter().any(|comment| comment.message.contains('@')) {
            true => self.caller.space.accounts().await?,
            false => Vec::new(),
        };
        let display_name = |login: &str| {
            let meant = accounts.iter().find(|account| account.login.eq_ignore_ascii_case(login))?;
            Some((meant.login.clone(), meant.display_name.clone()))
        };
        Ok(comments.iter().map(|comment| self.resource(comment, &display_name)).collect())
    }

    fn resource(&self, comment: &Comment, account: &dyn Fn(&str) -> Option<(String, String)>) -> VirtualResource {
        let text = |text: &str| VirtualValue::Text(text.to_owned());
        // Nextcloud's words for whoever is there no more.
        let (kind, login, name) = match &comment.author {
            Some((login, name)) => ("users", login.as_str(), name.as_str()),
            None => ("deleted_users", "deleted_users", ""),
        };
        VirtualResource::file(format!("{}/files/{}/{}", self.mount.prefix, comment.node, comment.id))
            .with(oc::ID, text(&comment.id.to_string()))
            .with(oc::PARENT_ID, text("0"))
            .with(oc::TOPMOST_PARENT_ID, text("0"))
            .with(oc::CHILDREN_COUNT, text("0"))
            .with(oc::VERB, text("comment"))
            .with(oc::ACTOR_TYPE, text(kind))
            .with(oc::ACTOR_ID, text(login))
            .with(oc::CREATION_DATE_TIME, VirtualValue::HttpDate(comment.created))
            .with(oc::LATEST_CHILD_DATE_TIME, text(""))
            .with(oc::OBJECT_TYPE, text("files"))
            .with(oc::OBJECT_ID, text(&comment.node.to_string()))
            .with(oc::MESSAGE, text(&comment.message))
            .with(oc::ACTOR_DISPLAY_NAME, text(name))
            .with(oc::IS_UNREAD, text(if comment.is_unread { "true" } else { "false" }))
            .with(oc::MENTIONS, VirtualValue::Fragment(mentions(&comment.message, account)))
    }

    async fn answer(&self, parts: &Parts, names: &[&str], body: Body) -> Result<Response, Error> {
        let tree = &self.caller.tree;
        match (parts.method.as_str(), names) {
            ("POST", ["files", file]) => self.add(parts, file_id(file)?, body).await,
            ("REPORT", ["files", file]) => self.report(file_id(file)?, body).await,
            ("PROPPATCH", ["files", file]) => self.mark_read(file_id(file)?, body).await,
            ("PROPPATCH", ["files", file, id]) => {
                let (node, id) = (file_id(file)?, CommentId(number(id)?));
                tree.comment(node, id).await?;
                let patch = Patch::read(self.dav, body).await?;
                if let (true, Some(message)) = (patch.is_about(&[oc::MESSAGE]), patch.text(&oc::MESSAGE)) {
                    tree.apply(EditComment { node, id, message }).await?;
                }
                let href = format!("{}/files/{node}/{id}", self.mount.prefix);
                Ok(patch.answer(&href, &[oc::MESSAGE], StatusCode::OK))
            }
            ("DELETE", ["files", file, id]) => {
                tree.apply(DropComment { node: file_id(file)?, id: CommentId(number(id)?) }).await?;
                Ok(answer::bare(StatusCode::NO_CONTENT))
            }
            (_, [] | ["files"] | ["files", _] | ["files", _, _]) => {
                Err(Error::method_not_allowed("Comments are not changed in this way.", METHODS))
            }
            _ => Err(Error::not_found()),
        }
    }

    async fn add(&self, parts: &Parts, node: FileId, body: Body) -> Result<Response, Error> {
        // A file that is not seen comes before all that may be wrong with the comment.
        self.caller.tree.comments_read(node).await?;
        let object = posted::object(parts, body).await?;
        let text = |name: &str| object.get(name).and_then(|value| value.as_str());
        let is_known =
            text("actorType").is_none_or(|it| it == "users") && text("verb").is_none_or(|it| it == "comment");
        let message = text("message").filter(|_| is_known);
        let message = message.ok_or_else(|| Error::bad_request("Invalid input values"))?.to_owned();
        match self.caller.tree.apply(AddComment { node, message }).await {
            Ok(comment) => Ok(posted::created(&format!("{}/files/{node}/{}", self.mount.prefix, comment.id))),
            Err(StoreError::TooLarge { .. }) => Err(Error::forbidden("There are too many comments on this.")),
            Err(error) => Err(error.into()),
        }
    }

    /// `oc:filter-comments`: the newest first, a page of them.
    async fn report(&self, node: FileId, body: Body) -> Result<Response, Error> {
        let root = read_xml(self.dav, body).await?.filter(|root| root.name == oc::FILTER_COMMENTS);
        let root = root.ok_or_else(Error::unknown_report)?;
        let number = |name: &Name| -> Result<Option<u32>, Error> {
            let text = root.child(name).map(Element::text).filter(|text| !text.is_empty());
            text.map(|text| text.parse().map_err(|_| Error::bad_request("A limit is a number."))).transpose()
        };
        let since = root.child(&oc::DATETIME).map(Element::text).filter(|text| !text.is_empty());
        let since = since.map(|text| seconds(&text).map(Timestamp::from_seconds)).transpose()?;
        let limit = number(&oc::LIMIT)?.filter(|limit| *limit > 0).unwrap_or(u32::MAX);
        let comments = self.caller.tree.comments(node, since, number(&oc::OFFSET)?.unwrap_or(0), limit).await?;
        let request = PropertyRequest::Prop(PROPERTIES.to_vec());
        let mut body = Multistatus::new();
        for resource in self.resources_of(&comments).await? {
            self.dav.write_virtual(&resource, &request, false, body.writer());
        }
        Ok(crate::xml_response(StatusCode::MULTI_STATUS, body.finish()))
    }

    /// Everything up to now, or up to a date, is read.
    async fn mark_read(&self, node: FileId, body: Body) -> Result<Response, Error> {
        self.caller.tree.comments_read(node).await?;
        let patch = Patch::read(self.dav, body).await?;
        let told = patch.text(&oc::READ_MARKER).unwrap_or_default();
        let until = match told.as_str() {
            "" => None,
            text => Some(Timestamp::from_seconds(seconds(text)?)),
        };
        if patch.is_about(&[oc::READ_MARKER]) {
            self.caller.tree.apply(ReadComments { node, until }).await?;
        }
        // As the reference says it: what has no value has no content.
        let status = if told.is_empty() { StatusCode::NO_CONTENT } else { StatusCode::OK };
        Ok(patch.answer(&format!("{}/files/{node}", self.mount.prefix), &[oc::READ_MARKER], status))
    }
}

/// `oc:mention` elements for the accounts that the message names: `@login` or `@"login"`.
fn mentions(message: &str, account: &dyn Fn(&str) -> Option<(String, String)>) -> String {
    let mut writer = Writer::new();
    let mut told: Vec<String> = Vec::new();
    for (login, name) in nichoir_store::mentions(message).into_iter().filter_map(|it| account(it.login)) {
        if told.contains(&login) {
            continue;
        }
        writer.open(&oc::MENTION);
        writer.text_element(&oc::MENTION_TYPE, "user");
        writer.text_element(&oc::MENTION_ID, &login);
        writer.text_element(&oc::MENTION_DISPLAY_NAME, &name);
        writer.close();
        told.push(login);
    }
    String::from_utf8_lossy(&writer.take()).into_owned()
}

/// `oc:comments-href` of a file.
pub(crate) fn append_href(it: &Resource<'_>, text: &mut String) {
    text.push_str("/remote.php/dav/comments/files/");
    text.push_str(&it.node.id.to_string());
}
