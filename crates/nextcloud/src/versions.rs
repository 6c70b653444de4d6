//! Versions of files: `/remote.php/dav/versions/LOGIN/versions/FILEID/SECOND` is what the file held at that second, the present
//! state among others; `restore/` is the destination of a MOVE that brings one back.

use http::request::Parts;
use http::{HeaderMap, StatusCode};
use nichoir_auth::Caller;
use nichoir_dav::header::{destination, if_header, prefer};
use nichoir_dav::multistatus::Multistatus;
use nichoir_dav::virtual_resource::{VirtualResource, VirtualValue};
use nichoir_dav::{
    Body, Call, Dav, Error, Mount, Request, Response, Step, answer, get_state, href, media_type, read_xml, steps_of,
    write_outcome,
};
use nichoir_store::change::{DropVersion, LabelVersion, RestoreVersion};
use nichoir_store::conditions::Conditions;
use nichoir_store::{FileId, FileVersions, Timestamp, Version};
use nichoir_xml::{dav, nc};

use crate::view_only::check_download;
use crate::{Nextcloud, preview};

const VERSIONS: &str = "versions";
const RESTORE: &str = "restore";

/// Answers a request to the versions mounted at `mount`.
pub async fn handle(dav: &Dav, caller: &Caller, mount: &Mount, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let place = Place { dav, caller, mount, parts: &parts };
    let answered = place.answer(body).await;
    answered.unwrap_or_else(|error| dav.refuse(error))
}

/// A request on its way.
struct Place<'a> {
    dav: &'a Dav,
    caller: &'a Caller,
    mount: &'a Mount,
    parts: &'a Parts,
}

impl Place<'_> {
    async fn answer(&self, body: Body) -> Result<Response, Error> {
        let names = href::path_below(&self.mount.prefix, self.parts.uri.path())?;
        let names: Vec<&str> = names.names().iter().map(String::as_str).collect();
        match names.as_slice() {
            [] => {
                let members = [self.collection(&[]), self.collection(&[RESTORE]), self.collection(&[VERSIONS])];
                self.fixed(&members, body).await
            }
            [name @ (VERSIONS | RESTORE)] => self.fixed(&[self.collection(&[name])], body).await,
            [VERSIONS, file] => {
                let states = self.caller.tree.versions(file_id(file)?).await?;
                let own = std::iter::once(self.collection(&[VERSIONS, file]));
                let members = states.versions.iter().map(|version| self.resource(&states, version));
                self.fixed(&own.chain(members).collect::<Vec<_>>(), body).await
            }
            [VERSIONS, file, name] => self.of_version(file_id(file)?, second_of(name)?, body).await,
            _ => Err(Error::not_found()),
        }
    }

    async fn of_version(&self, file: FileId, second: i64, body: Body) -> Result<Response, Error> {
        let states = self.caller.tree.versions(file).await?;
        let version = states.version(second).ok_or_else(Error::not_found)?;
        match self.parts.method.as_str() {
            "GET" | "HEAD" => {
                check_download(&states.file)?;
                get_state(self.call(&states), &states.file_at(version)).await
            }
            "MOVE" => self.restore(file, second).await,
            "DELETE" => {
                let conditions = lock_tokens(&self.parts.headers)?;
                self.caller.tree.apply(DropVersion { file, second, conditions }).await?;
                Ok(answer::bare(StatusCode::NO_CONTENT))
            }
            "PROPPATCH" => self.label(&states, version, body).await,
            "PUT" | "COPY" | "MKCOL" | "LOCK" | "UNLOCK" => {
                Err(Error::forbidden("A version can be read, restored, named or deleted."))
            }
            _ => self.fixed(&[self.resource(&states, version)], body).await,
        }
    }

    async fn restore(&self, file: FileId, second: i64) -> Result<Response, Error> {
        let told = destination::of(&self.parts.headers)?;
        let told = told.ok_or_else(|| Error::bad_request("The Destination header is missing."))?;
        // Apps put the file's number, its name, or just `target` behind it.
        let to = href::path_of_url(&self.mount.prefix, &told)?;
        if to.as_ref().and_then(|to| to.names().first()).is_none_or(|name| name != RESTORE) {
            return Err(Error::forbidden("A version can only be restored to its own file."));
        }
        let conditions = lock_tokens(&self.parts.headers)?;
        self.caller.tree.apply(RestoreVersion { file, second, conditions }).await?;
        Ok(answer::bare(StatusCode::CREATED))
    }

    /// PROPPATCH: the label can be set, and removed, which setting it to nothing does too.
    async fn label(&self, states: &FileVersions, version: &Version, body: Body) -> Result<Response, Error> {
        let root = read_xml(self.dav, body).await?.filter(|root| root.name == dav::PROPERTYUPDATE);
        let root =
            root.ok_or_else(|| Error::bad_request("The body of a PROPPATCH is a DAV:propertyupdate element."))?;
        let steps = steps_of(&root);
        let Some(last) = steps.last() else { return Err(Error::bad_request("No property is set or removed.")) };
        let mut failed: Vec<Option<Error>> = steps.iter().map(|step| refusal(*step)).collect();
        if failed.iter().all(Option::is_none) {
            let label = last.value().map(nichoir_xml::Element::text);
            let conditions = lock_tokens(&self.parts.headers)?;
            let change = LabelVersion { file: states.file.id, second: version.second, label, conditions };
            match self.caller.tree.apply(change).await {
                Ok(()) if prefer::is_minimal(&self.parts.headers) => return Ok(answer::bare(StatusCode::OK)),
                Ok(()) => {}
                Err(nichoir_store::Error::TooLarge { limit }) => {
                    if let Some(failed) = failed.last_mut() {
                        *failed = Some(Error::too_large(limit));
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        let mut told = Multistatus::new();
        let writer = told.writer();
        writer.open(&dav::RESPONSE);
        writer.text_element(&dav::HREF, self.resource(states, version).href());
        write_outcome(&self.call(states), &steps, &failed, writer);
        writer.close();
        Ok(answer::xml(StatusCode::MULTI_STATUS, told.finish()))
    }

    fn call<'s>(&'s self, states: &'s FileVersions) -> Call<'s> {
        Call { dav: self.dav, caller: self.caller, mount: self.mount, path: &states.path, parts: self.parts }
    }

    async fn fixed(&self, resources: &[VirtualResource], body: Body) -> Result<Response, Error> {
        let request = Request::from_parts(self.parts.clone(), body);
        Ok(self.dav.answer_virtual(self.caller, self.mount, resources, request).await)
    }

    fn collection(&self, names: &[&str]) -> VirtualResource {
        let mut href = format!("{}/", self.mount.prefix);
        for name in names {
            href::append_name(&mut href, name);
            href.push('/');
        }
        VirtualResource::collection(href, *names.last().unwrap_or(&VERSIONS))
            .with_principal(&self.mount.principal, &self.mount.principals)
    }

    fn has_preview(&self, states: &FileVersions, version: &Version) -> bool {
        let dialect = self.dav.extension::<Nextcloud>();
        dialect.is_some_and(|dialect| preview::has_preview(dialect.previews, &states.file_at(version)))
    }

    /// The Android app ignores the href and takes the modification time for the name: they are the same number.
    fn resource(&self, states: &FileVersions, version: &Version) -> VirtualResource {
        let href = format!("{}/{VERSIONS}/{}/{}", self.mount.prefix, states.file.id, version.second);
        let media_type = media_type(&states.file).to_owned();
        let mut resource = VirtualResource::file(href)
            .with(dav::GETCONTENTLENGTH, VirtualValue::Number(version.size_bytes))
            .with(dav::GETCONTENTTYPE, VirtualValue::Text(media_type))
            .with(dav::GETETAG, VirtualValue::Etag(version.etag))
            .with(dav::GETLASTMODIFIED, VirtualValue::HttpDate(Timestamp::from_seconds(version.second)))
            .with(nc::HAS_PREVIEW, VirtualValue::Text(self.has_preview(states, version).to_string()));
        if let Some(author) = &version.author {
            resource = resource.with(nc::VERSION_AUTHOR, VirtualValue::Text(author.clone()));
        }
        if let Some(label) = &version.label {
            resource = resource.with(nc::VERSION_LABEL, VirtualValue::Text(label.clone()));
        }
        resource
    }
}

/// Why the step is not carried out, if not. Who wrote a version is for the server to say.
fn refusal(step: Step<'_>) -> Option<Error> {
    (*step.name() != nc::VERSION_LABEL).then(Error::protected_property)
}

fn lock_tokens(headers: &HeaderMap) -> Result<Conditions, Error> {
    let lock_tokens = if_header::of(headers)?.map(|parsed| parsed.lock_tokens()).unwrap_or_default();
    Ok(Conditions { lock_tokens, ..Conditions::default() })
}

fn file_id(name: &str) -> Result<FileId, Error> {
    number(name).map(FileId)
}

fn second_of(name: &str) -> Result<i64, Error> {
    number(name)
}

/// A number in the one spelling that it is told in.
fn number(name: &str) -> Result<i64, Error> {
    name.parse::<i64>().ok().filter(|number| number.to_string() == name).ok_or_else(Error::not_found)
}
