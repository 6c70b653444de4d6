//! Public links for people: `/s/TOKEN` and what stands behind it. Plain HTML in French or English that works without
//! JavaScript: the password, a folder, a file, a form for handing in.

use http::header::{ALLOW, RETRY_AFTER, SET_COOKIE};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};
use nichoir_auth::{AuthError, link_ticket};
use nichoir_dav::request::read_whole;
use nichoir_dav::{Body, Error, Request, Response, href};
use nichoir_store::{Error as StoreError, FileId, Needs, NodePath, OpenLink};

use super::html::{Language, escape, guarded, page, query_escape, see_other};
use super::{hand_in, has_ticket, is_view_only, picture, show, ticket_name};
use crate::image::refusal;
use crate::{Visit, view_only};

/// Bytes of the form with the password.
const FORM_BYTES_MAX: usize = 8 * 1024;

/// A look at a link by somebody with a browser.
pub(super) struct Look<'a> {
    pub(super) visit: &'a Visit<'a>,
    pub(super) open: OpenLink,
    pub(super) language: Language,
    pub(super) parts: Parts,
}

/// Answers `/s/TOKEN` and what stands `below`.
pub async fn handle(visit: &Visit<'_>, token: &str, below: &str, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let language = Language::of(&parts.headers);
    if !visit.links.is_offered {
        return not_here(language);
    }
    let open = match visit.space.open_link(token).await {
        Ok(open) => open,
        Err(StoreError::NotFound) => return not_here(language),
        Err(error) => return sorry(language, &error.into()),
    };
    let look = Look { visit, open, language, parts };
    let below: Vec<&str> = below.split('/').filter(|part| !part.is_empty()).collect();
    guarded(look.answer(&below, body).await)
}

impl Look<'_> {
    async fn answer(&self, below: &[&str], body: Body) -> Response {
        let link = &self.open.link;
        let is_open = link.password_hash.is_none() || has_ticket(self.visit, link, &self.parts.headers);
        match (self.parts.method.clone(), below) {
            (Method::GET | Method::HEAD, []) if !is_open => self.to_password("showshare"),
            (Method::GET | Method::HEAD, ["download"] | ["download", _]) if !is_open => {
                self.to_password("downloadshare")
            }
            (Method::GET | Method::HEAD, ["preview"]) => {
                let shown = picture::of_file(self.visit, &self.open, &self.parts).await;
                shown.unwrap_or_else(|error| refusal(&error))
            }
            (Method::POST, ["upload"]) if !is_open => self.to_password("showshare"),
            (Method::GET | Method::HEAD, []) => show::show(self).await,
            (Method::GET | Method::HEAD, ["download"] | ["download", _]) => self.download().await,
            (Method::POST, ["upload"]) => hand_in::hand_in(self, body).await,
            (Method::GET | Method::HEAD, ["authenticate"] | ["authenticate", _]) if is_open => {
                see_other(&self.address(""))
            }
            (Method::GET | Method::HEAD, ["authenticate"] | ["authenticate", _]) => {
                self.password_form(StatusCode::OK, None)
            }
            (Method::POST, ["authenticate", purpose @ ..]) if purpose.len() <= 1 => self.enter(purpose, body).await,
            (Method::GET | Method::HEAD | Method::POST, _) => not_here(self.language),
            _ => not_allowed(self.language),
        }
    }

    /// `/s/TOKEN` and what stands behind it.
    pub(super) fn address(&self, below: &str) -> String {
        format!("/s/{}{below}", self.open.link.token)
    }

    /// The address of the page of a folder or file.
    pub(super) fn page_of(&self, path: &NodePath) -> String {
        if path.is_root() {
            self.address("")
        } else {
            self.address(&format!("?path={}", query_escape(&path_text(path))))
        }
    }

    /// The address of the content of a file.
    pub(super) fn content_of(&self, path: &NodePath) -> String {
        href::of(&format!("/public.php/dav/files/{}", self.open.link.token), path, false)
    }

    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        let query = self.parts.uri.query()?;
        form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// The path that the address speaks of.
    pub(super) fn path(&self) -> Result<NodePath, Error> {
        let text = self.parameter("path").or_else(|| self.parameter("dir")).unwrap_or_default();
        NodePath::parse(&text).map_err(|_| Error::not_found())
    }

    /// Whether the page offers to take things away.
    pub(super) fn offers_download(&self) -> bool {
        !self.open.link.hides_download && !is_view_only(&self.open)
    }

    /// What the owner of the link has to say.
    pub(super) fn note(&self) -> String {
        let note = self.open.link.note.trim();
        if note.is_empty() { String::new() } else { format!("<p class=\"note\">{}</p>\n", escape(note)) }
    }

    fn to_password(&self, purpose: &str) -> Response {
        let query = self.parts.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        see_other(&self.address(&format!("/authenticate/{purpose}{query}")))
    }

    /// To the content: of one file, or of a folder as an archive.
    async fn download(&self) -> Response {
        match self.download_address().await {
            Ok(address) => see_other(&address),
            Err(error) => sorry(self.language, &error),
        }
    }

    async fn download_address(&self) -> Result<String, Error> {
        if is_view_only(&self.open) {
            return Err(view_only::refusal());
        }
        let path = self.path()?;
        let node = self.open.tree.node(&path, Needs::NONE).await?;
        let files = self.parameter("files").filter(|files| !files.is_empty());
        if !node.is_folder() {
            return Ok(self.content_of(&path));
        }
        // One file of the folder is that file, not an archive with it.
        if let Some(name) = files.as_ref().filter(|files| !files.starts_with('[')) {
            let one = path.join(name).map_err(|_| Error::not_found())?;
            if !self.open.tree.node(&one, Needs::NONE).await?.is_folder() {
                return Ok(self.content_of(&one));
            }
        }
        let files = files.map(|files| format!("&files={}", query_escape(&files))).unwrap_or_default();
        Ok(format!("{}/?accept=zip{files}", self.content_of(&path)))
    }

    /// Takes the password; what comes of it goes into a cookie that scripts do not see.
    async fn enter(&self, purpose: &[&str], body: Body) -> Response {
        let link = &self.open.link;
        if link.password_hash.is_none() {
            return see_other(&self.address(""));
        }
        let body = match read_whole(body, FORM_BYTES_MAX).await {
            Ok(body) => body,
            Err(error) => return sorry(self.language, &error),
        };
        let password = form_urlencoded::parse(&body).find(|(key, _)| key == "password").map(|(_, value)| value);
        let password = password.unwrap_or_default();
        let visit = self.visit;
        let checked = visit.auth.check_link_password(visit.space, link, &password, visit.address).await;
        match checked {
            Ok(()) => self.entered(purpose),
            Err(error) => self.not_entered(&error),
        }
    }

    fn entered(&self, purpose: &[&str]) -> Response {
        let (visit, link) = (self.visit, &self.open.link);
        let query = self.parts.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        let to_download = purpose.first().is_some_and(|it| it.eq_ignore_ascii_case("downloadshare"));
        let below = if to_download { "/download" } else { "" };
        let mut response = see_other(&self.address(&format!("{below}{query}")));
        let seconds = visit.links.ticket_seconds;
        let ticket = link_ticket(visit.space, link, visit.space.ports().clock.now().plus_seconds(seconds));
        let secure = if visit.public_url.starts_with("https://") { "; Secure" } else { "" };
        let name = ticket_name(visit, link);
        let cookie = format!("{name}={ticket}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
        response.headers_mut().extend(HeaderValue::try_from(cookie).ok().map(|cookie| (SET_COOKIE, cookie)));
        response
    }

    fn not_entered(&self, error: &AuthError) -> Response {
        let say = |english, french| Some(self.language.say(english, french));
        match error {
            AuthError::Throttled { retry_after_seconds } => {
                let words = say(
                    "Too many wrong passwords. Try again later.",
                    "Trop de mots de passe erronés. Réessayez plus tard.",
                );
                let mut response = self.password_form(StatusCode::TOO_MANY_REQUESTS, words);
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(*retry_after_seconds));
                response
            }
            AuthError::Unavailable(_) => {
                let words = say(
                    "The password cannot be checked now. Try again.",
                    "Le mot de passe ne peut être vérifié pour l'instant. Réessayez.",
                );
                self.password_form(StatusCode::SERVICE_UNAVAILABLE, words)
            }
            _ => self.password_form(StatusCode::FORBIDDEN, say("Wrong password.", "Mot de passe erroné.")),
        }
    }

    fn password_form(&self, status: StatusCode, wrong: Option<&str>) -> Response {
        let language = self.language;
        let alert = wrong
            .map(|words| format!("<p class=\"alert\" role=\"alert\" id=\"wrong\">{words}</p>\n"))
            .unwrap_or_default();
        let described = if wrong.is_some() { " aria-invalid=\"true\" aria-describedby=\"wrong\"" } else { "" };
        let action = escape(&self.parts.uri.path_and_query().map_or(String::new(), ToString::to_string));
        let body = format!(
            "<div class=\"narrow\">\n<p>{}</p>\n{alert}<form method=\"post\" action=\"{action}\">\n\
             <label for=\"password\">{}</label>\n\
             <input type=\"password\" id=\"password\" name=\"password\" required autocomplete=\"off\"{described}>\n\
             <button type=\"submit\">{}</button>\n</form>\n</div>",
            language.say("This link is protected by a password.", "Ce lien est protégé par un mot de passe."),
            language.say("Password", "Mot de passe"),
            language.say("Open", "Ouvrir"),
        );
        page(status, language, language.say("Password needed", "Mot de passe requis"), &body)
    }
}

/// `/a/b`.
fn path_text(path: &NodePath) -> String {
    path.names().iter().map(|name| format!("/{name}")).collect()
}

/// The number that a further page of a listing begins after.
pub(super) fn after(look: &Look<'_>) -> Option<FileId> {
    look.parameter("after").and_then(|text| text.parse().ok()).map(FileId)
}

fn not_here(language: Language) -> Response {
    let title = language.say("Nothing here", "Rien ici");
    let words = language.say(
        "This link leads nowhere: it may have been taken back, or have run out.",
        "Ce lien ne mène nulle part : il a peut-être été retiré, ou a expiré.",
    );
    page(StatusCode::NOT_FOUND, language, title, &format!("<p>{words}</p>"))
}

fn not_allowed(language: Language) -> Response {
    let title = language.say("Not possible", "Impossible");
    let mut response = page(StatusCode::METHOD_NOT_ALLOWED, language, title, "");
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
    response
}

/// What went wrong, in words for people.
pub(super) fn sorry(language: Language, error: &Error) -> Response {
    let status = error.status();
    let (title, words) = match status {
        StatusCode::NOT_FOUND => return not_here(language),
        StatusCode::FORBIDDEN => (
            language.say("Not allowed", "Interdit"),
            language.say("This link does not allow that.", "Ce lien ne permet pas cela."),
        ),
        StatusCode::INSUFFICIENT_STORAGE => (
            language.say("No room left", "Plus de place"),
            language.say("There is no room left for this.", "Il n'y a plus de place pour cela."),
        ),
        StatusCode::PAYLOAD_TOO_LARGE => (
            language.say("Too large", "Trop grand"),
            language.say("That is too much at once.", "C'est trop à la fois."),
        ),
        StatusCode::LOCKED => (
            language.say("Locked", "Verrouillé"),
            language.say("Somebody is working on it. Try again later.", "Quelqu'un y travaille. Réessayez plus tard."),
        ),
        status if status.is_client_error() => (
            language.say("That did not work", "Cela n'a pas marché"),
            language.say(
                "The request cannot be understood, or the name cannot be used.",
                "La demande est incompréhensible, ou le nom inutilisable.",
            ),
        ),
        _ => (
            language.say("Not now", "Pas maintenant"),
            language
                .say("Something is wrong here. Try again later.", "Quelque chose ne va pas ici. Réessayez plus tard."),
        ),
    };
    if status.is_server_error() && status != StatusCode::INSUFFICIENT_STORAGE {
        tracing::error!(
            http.status = status.as_u16(),
            cause = error.causes().map(tracing::field::display),
            "failed: {}",
            error.message()
        );
    }
    page(status, language, title, &format!("<p class=\"alert\" role=\"alert\">{words}</p>"))
}
