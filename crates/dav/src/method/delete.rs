//! DELETE: a resource and everything below it, whole or not at all. RFC 4918 §9.6.

use http::StatusCode;
use nichoir_store::change::Delete;

use super::write_member as of_an_extension;
use crate::answer;
use crate::conditions;
use crate::error::Error;
use crate::extension::MemberWrite;
use crate::request::Response;
use crate::target::Call;

pub(crate) async fn delete(call: Call<'_>) -> Result<Response, Error> {
    let headers = &call.parts.headers;
    // Whatever Depth says, it is infinity (RFC 4918 §9.6.1). Nextcloud's web apps send `Depth: 0` with every request.
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
