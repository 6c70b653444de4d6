//! The page that opens a document in the office server: a form that is sent into a frame, with the token in its body, where no
//! log and no `Referer` has it.

use http::header::CONTENT_SECURITY_POLICY;
use http::{HeaderMap, HeaderValue, StatusCode};
use nichoir_dav::{Response, media_type};
use nichoir_outbound::Url;
use nichoir_store::Needs;

use super::{Office, may_write};
use crate::Visit;
use crate::page::{Language, escape, page};
use crate::ticket::{Invalid, Purpose, Ticket};

pub(super) async fn answer(visit: Visit<'_>, office: &Office, token: &str, headers: &HeaderMap) -> Response {
    let language = Language::of(headers);
    let sorry = |status: StatusCode, english: &'static str, french: &'static str| {
        let text = format!("<p>{}</p>", language.say(english, french));
        page(status, language, language.say("Document", "Document"), &text)
    };
    let gone = || {
        sorry(
            StatusCode::NOT_FOUND,
            "This link is not valid any more. Open the document again.",
            "Ce lien n’est plus valable. Ouvrez le document de nouveau.",
        )
    };
    let absent = || {
        sorry(
            StatusCode::SERVICE_UNAVAILABLE,
            "The document cannot be opened at the moment.",
            "Le document ne peut pas être ouvert pour le moment.",
        )
    };
    let (ticket, caller) = match Ticket::open(visit.space, Purpose::OfficePage, token).await {
        Ok(found) => found,
        Err(Invalid::Unknown | Invalid::Expired) => return gone(),
        Err(Invalid::Store(_)) => return absent(),
    };
    let Ok((_, node)) = ticket.file(&caller, Needs::NONE).await else { return gone() };
    let Ok(discovery) = office.discovery(visit.space.ports().clock.now()).await else { return absent() };
    let is_writable = ticket.is_writable && may_write(&node);
    let Some(action) = discovery.action(&node.name, media_type(&node), is_writable) else { return absent() };
    let Ok(mut place) = Url::parse(&action.url) else { return absent() };

    let access = Ticket::new(&caller, node.id, is_writable, office.config.token_seconds);
    let source = source_url(visit, access.node.0);
    let permission = if is_writable { "edit" } else { "readonly" };
    let tongue = language.say("en", "fr");
    place
        .query_pairs_mut()
        .append_pair("WOPISrc", &source)
        .append_pair("lang", tongue)
        .append_pair("title", &node.name)
        .append_pair("closebutton", "1")
        .append_pair("permission", permission);
    let nonce = visit.space.ports().alphanumeric(24);
    let body = format!(
        "<style nonce=\"{nonce}\">main{{all:unset}}h1{{display:none}}iframe{{position:fixed;inset:0;width:100%;height:100%;border:0}}</style>\
         <form id=\"open\" method=\"post\" target=\"office\" action=\"{}\">\
         <input type=\"hidden\" name=\"access_token\" value=\"{}\"><input type=\"hidden\" name=\"access_token_ttl\" value=\"{}\">\
         <noscript><button>{}</button></noscript></form>\
         <iframe name=\"office\" title=\"{}\" allow=\"fullscreen; clipboard-read; clipboard-write\"></iframe>\
         <script nonce=\"{nonce}\">document.getElementById('open').submit()</script>",
        escape(place.as_str()),
        access.seal(&caller, Purpose::Office),
        access.expires.0 / 1000,
        language.say("Open", "Ouvrir"),
        escape(&node.name),
    );
    let mut response = page(StatusCode::OK, language, &node.name, &body);
    let origin = place.origin().ascii_serialization();
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'nonce-{nonce}'; frame-src {origin}; form-action {origin}; \
         frame-ancestors 'none'; base-uri 'none'"
    );
    if let Ok(policy) = HeaderValue::try_from(policy) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response.headers_mut().insert("referrer-policy", HeaderValue::from_static("no-referrer"));
    response
}

/// The address under which the office server finds a file.
pub(super) fn source_url(visit: Visit<'_>, id: i64) -> String {
    let (public_url, instance) = (visit.public_url, &visit.space.info().instance_id);
    format!("{public_url}/index.php/apps/richdocuments/wopi/files/{id}_{instance}")
}
