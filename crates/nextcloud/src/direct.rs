//! Direct links: an address for a player that cannot log in, good for one file and some hours. Sheet `nextcloud-files-dav`,
//! section 15.

use http::{Method, Uri};
use nichoir_dav::{Dav, Error, Mount, Request, Response, href};
use nichoir_store::{Needs, Space};

use crate::ticket::{Invalid, Purpose, Ticket};
use crate::view_only::check_download;

/// The place that the engine is told the file stands at; nobody sees it.
const PREFIX: &str = "/remote.php/direct";

/// Answers a request to a direct link.
pub async fn handle(dav: &Dav, space: &Space, token: &str, request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return dav.refuse(Error::method_not_allowed("A direct link is only read.", "GET, HEAD"));
    }
    match Ticket::open(space, Purpose::Direct, token).await {
        // What it leads to may have been shared otherwise since.
        Ok((ticket, caller)) => match ticket.file(&caller, Needs::NONE).await {
            Ok((_, node)) => match check_download(&node) {
                Ok(()) => content(dav, &ticket, &caller, request).await,
                Err(error) => dav.refuse(error),
            },
            Err(error) => dav.refuse(error.into()),
        },
        Err(Invalid::Store(error)) => dav.refuse(error.into()),
        // Whether it was ever one is nobody's business.
        Err(Invalid::Unknown | Invalid::Expired) => dav.refuse(Error::not_found()),
    }
}

/// The content of a ticket's file, with ranges and all that GET knows.
pub(crate) async fn content(
    dav: &Dav,
    ticket: &Ticket,
    caller: &nichoir_auth::Caller,
    mut request: Request,
) -> Response {
    let path = match ticket.file(caller, Needs::NONE).await {
        Ok((path, _)) => path,
        Err(error) => return dav.refuse(error.into()),
    };
    match Uri::try_from(href::of(PREFIX, &path, false)) {
        Ok(uri) => *request.uri_mut() = uri,
        Err(error) => return dav.refuse(Error::internal("The file has no address.").caused_by(error)),
    }
    let mount = Mount {
        prefix: PREFIX.into(),
        principal: "".into(),
        principals: "".into(),
        site: "".into(),
        shows_subscriptions: false,
    };
    dav.handle(caller, &mount, request).await
}
