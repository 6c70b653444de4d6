//! PUT: create a file or replace its content. RFC 4918 §9.7, RFC 9110 §9.3.4.

use http::header::{CONTENT_LENGTH, CONTENT_RANGE};
use http_body_util::BodyExt as _;
use nichoir_store::change::PutFile;
use nichoir_store::{Area, Error as StoreError, Needs, Node, StageOptions};

use super::{check_name, put_member};
use crate::answer::{self, METHODS};
use crate::conditions;
use crate::error::Error;
use crate::extension::{Answered, PutOptions};
use crate::request::{Body, Response};
use crate::target::Call;

/// Bodies up to this size are taken in before anything is looked up.
const SMALL_BYTES: u64 = 16 * 1024;

pub(crate) async fn put(call: Call<'_>, body: Body) -> Result<Response, Error> {
    if call.caller.tree.area() != Area::Files {
        return put_member::put(call, body).await;
    }
    let headers = &call.parts.headers;
    if headers.contains_key(CONTENT_RANGE) {
        // RFC 9110 §14.5: a server that cannot write a part must not take it for the whole.
        return Err(Error::bad_request("Content-Range is not supported with PUT."));
    }
    check_name(call.dav, call.path)?;
    let conditions = conditions::of(&call)?;
    let announced_bytes = announced_bytes(&call)?;
    let mut options = PutOptions::default();
    call.dav.extensions().try_for_each(|extension| extension.prepare_put(headers, &mut options))?;

    // What can be refused is refused before a large body is asked for (Expect: 100-continue). A small one costs less
    // than asking; the change checks everything anyway.
    let mut stage = StageOptions {
        expected: options.expected.clone(),
        algorithms: options.algorithms.clone(),
        ..StageOptions::default()
    };
    if announced_bytes.is_none_or(|bytes| bytes > SMALL_BYTES) || options.total_bytes.is_some() {
        let current = current_file(&call, options.makes_parents).await?;
        conditions::check(&call, &conditions).await?;
        stage.announced_bytes = announced_bytes;
        stage.replaces_bytes = current.map_or(0, |node| node.size_bytes);
        check_room(&call, options.total_bytes.max(announced_bytes), stage.replaces_bytes).await?;
    }

    let content = call.caller.tree.stage(body.into_data_stream(), stage).await?;
    let digests = content.checksums().to_vec();
    let change = PutFile {
        path: call.path.clone(),
        content,
        modified: options.modified,
        created: options.created,
        checksums: options.checksums.clone(),
        makes_parents: options.makes_parents,
        media_type: None,
        member: None,
        conditions,
    };
    let written = call.caller.tree.apply(change).await?;

    let answered = Answered { put: Some(&options), digests: &digests, ..Answered::of(&call, &written.node) };
    Ok(answer::written(&call, written.is_new, &answered))
}

/// The file that stands at the path. A folder there is a conflict, and so is a missing parent.
async fn current_file(call: &Call<'_>, makes_parents: bool) -> Result<Option<Node>, Error> {
    let tree = &call.caller.tree;
    match tree.node(call.path, Needs::NONE).await {
        Ok(node) if node.is_folder() => Err(Error::conflict("PUT does not work on a collection.")),
        Ok(node) => Ok(Some(node)),
        Err(StoreError::NotFound) => {
            let parent = call.path.parent().ok_or_else(|| Error::method_not_allowed("This is the root.", METHODS))?;
            if !makes_parents {
                match tree.node(&parent, Needs::NONE).await {
                    Ok(parent) if parent.is_folder() => {}
                    Ok(_) => return Err(StoreError::NotACollection.into()),
                    Err(StoreError::NotFound) => return Err(StoreError::ParentMissing.into()),
                    Err(error) => return Err(error.into()),
                }
            }
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

fn announced_bytes(call: &Call<'_>) -> Result<Option<u64>, Error> {
    let Some(value) = call.parts.headers.get(CONTENT_LENGTH) else { return Ok(None) };
    let length = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    length.map(Some).ok_or_else(|| Error::bad_request("Content-Length is not a number."))
}

/// 507 for a length that the client announced, or a total beside the body's own.
async fn check_room(call: &Call<'_>, total_bytes: Option<u64>, replaces_bytes: u64) -> Result<(), Error> {
    let Some(total_bytes) = total_bytes else { return Ok(()) };
    let available_bytes = call.caller.tree.available_at(call.path).await?;
    if total_bytes > available_bytes.saturating_add(replaces_bytes) {
        return Err(Error::over_quota(available_bytes));
    }
    Ok(())
}
