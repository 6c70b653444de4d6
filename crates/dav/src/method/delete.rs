//! DELETE: a resource and everything below it, whole or not at all. RFC 4918 §9.6.

use http::StatusCode;
use nichoir_store::change::Delete;

use super::write_member as of_an_extension;
use crate::answer;
use crate::conditions;
use crate::error::Error;
use crate::extension::MemberWrite;
use crate::header::depth::Depth;
use crate::request::Response;
use crate::target::Call;

pub(crate) async fn delete(call: Call<'_>) -> Result<Response, Error> {
    let headers = &call.parts.headers;
    if Depth::of(headers)?.is_some_and(|depth| depth != Depth::Infinity) {
        // RFC 4918 §9.6.1: "A client MUST NOT submit a Depth header with … any value but infinity" on a collection.
        // Kept lenient for files, where the header says nothing.
        let node = call.caller.tree.node(call.path, nichoir_store::Needs::NONE).await?;
        if node.is_folder() {
            return Err(Error::bad_request("DELETE of a collection is always Depth: infinity."));
        }
    }
    if call.path.is_root() {
        return Err(Error::forbidden("The root cannot be deleted."));
    }
    let skips_trash = call.dav.extensions().any(|extension| extension.skips_trash(headers));
    let conditions = conditions::of(&call)?;
    let change = Delete { path: call.path.clone(), skips_trash, conditions };
    match of_an_extension(call, MemberWrite::Delete(change)) {
        Ok(writing) => drop(writing.await?),
        Err(write) => match *write {
            MemberWrite::Delete(change) => call.caller.tree.apply(change).await?,
            _ => return Err(Error::not_implemented()),
        },
    }
    Ok(answer::bare(StatusCode::NO_CONTENT))
}
