//! `/f/ID`: the address that apps copy when one member points another to a file; `/apps/files/?dir=…`, which activities are
//! linked to. The Android app claims the first and opens the file; everybody else comes here. Sheets `desktop-client` §14,
//! `mobile-clients` §3.13 and `nextcloud-ocs` §17.

use http::{HeaderMap, StatusCode};
use nichoir_dav::Response;

use crate::Visit;
use crate::page::{Language, page};

/// The page: the same for every number, so that nobody learns from it which files there are.
pub fn answer(visit: &Visit<'_>, headers: &HeaderMap) -> Response {
    let language = Language::of(headers);
    let body = language.say(
        "<p>This address leads members to their files. Open it with the Nextcloud app, or look in the folder that your \
         computer synchronises.</p>",
        "<p>Cette adresse mène les membres à leurs fichiers. Ouvrez-la avec l’application Nextcloud, ou cherchez dans le \
         dossier que votre ordinateur synchronise.</p>",
    );
    page(StatusCode::OK, language, &visit.space.info().name, body)
}
