//! Path → route. Pure: what a URL names, before anybody is asked who they are. Design §6.
//!
//! `/index.php` in front is optional everywhere, doubled and trailing slashes do not matter, and segments are
//! percent-decoded before they are compared. A mount's prefix keeps the spelling of the request, for the hrefs of answers.

use std::borrow::Cow;

use nichoir_dav::href;
use nichoir_nextcloud::image::Image;
use nichoir_nextcloud::link::files::LinkPlace;
use nichoir_nextcloud::ocs::Version;
use nichoir_store::Area;

/// What a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// `/`: the front door for browsers.
    Landing,
    /// `/status.php`.
    Status,
    /// `/204`: the connectivity check.
    Connectivity,
    /// `/robots.txt`.
    Robots,
    /// `/.well-known/caldav` and `/.well-known/carddav`.
    WellKnownDav,
    /// `/login…`: what stands behind it.
    Login(String),
    /// `/core/wipe/check` (true) and `/core/wipe/success`.
    Wipe(bool),
    /// `/apps/richdocuments…`: what stands behind it.
    Office(String),
    /// `/apps/notes/api…`: what stands behind it.
    Notes(String),
    /// `/ocs/v1.php…` and `/ocs/v2.php…`: what stands behind it.
    Ocs(Version, String),
    /// `/push/ws`: the socket on which clients are told of changes.
    PushSocket,
    /// `/apps/notify_push/pre_auth`: a token to log in with there.
    PushPreAuth,
    /// A picture: a preview, an avatar, the looks of the space; and what stands behind the part that says which.
    Image(Image, String),
    /// `/s/TOKEN…`: the pages of a public link; the token, and what stands behind it.
    LinkPage(String, String),
    /// `/f/ID` and `/apps/files`: a file or a folder, as members point each other to it and as activities are linked to.
    InternalLink,
    /// The style sheet of those pages.
    LinkStyle,
    /// `/public.php/…`: the place of a public link.
    Link(LinkPlace),
    /// A DAV resource, for which credentials are needed.
    Dav(DavRoute),
    /// Nothing that there is.
    Unknown,
    /// A path that cannot be decoded.
    Malformed,
}

/// What a path names below `/remote.php`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DavRoute {
    /// `/` of the host: it leads those who know nothing else to the root and to their principal.
    Front,
    /// `/remote.php/dav`: the root, as requested.
    Root(String),
    /// `/remote.php/dav/principals`.
    PrincipalKinds(String),
    /// `/remote.php/dav/principals/users`.
    Principals(String),
    /// `/remote.php/dav/principals/groups`.
    Groups(String),
    /// `/remote.php/dav/principals/groups/NAME`: the name.
    Group(String),
    /// `/remote.php/dav/principals/users/LOGIN`.
    Principal(Home),
    /// `/remote.php/dav/files`.
    Homes(String),
    /// `/remote.php/dav/files/LOGIN…`.
    Files(Home),
    /// `/remote.php/webdav…`: the caller's files under an address without a login.
    LegacyFiles(String),
    /// `/remote.php/dav/uploads/LOGIN…`.
    Uploads(Home),
    /// `/remote.php/dav/trashbin` and `/remote.php/dav/versions`.
    HomesOf(&'static str),
    /// `/remote.php/dav/trashbin/LOGIN…`.
    Trash(Home),
    /// `/remote.php/dav/versions/LOGIN…`.
    Versions(Home),
    /// `/remote.php/dav/calendars` and `/remote.php/dav/addressbooks/users`.
    AreaHomes(Area),
    /// `/remote.php/dav/addressbooks`, which holds `users`.
    AddressBookKinds,
    /// `/remote.php/dav/calendars/LOGIN…` and `/remote.php/dav/addressbooks/users/LOGIN…`.
    Area(Area, Home),
    /// `/remote.php/dav/public-calendars/TOKEN…`: the token, and the path up to it; nobody has to log in for it.
    PublicCalendar(String, String),
    /// `/remote.php/dav/systemtags…`.
    Tags(String),
    /// `/remote.php/dav/systemtags-relations…`.
    TagsOfFiles(String),
    /// `/remote.php/dav/comments…`.
    Comments(String),
    /// `/remote.php/direct/TOKEN`: a file for whoever has its address.
    Direct(String),
    /// `/remote.php/dav/bulk`: many small files in one request.
    Bulk,
    /// `/remote.php/dav/push/NAME`: a push registration.
    PushRegistration(String),
    /// `/remote.php/dav/avatars/LOGIN/FILE`: both.
    Avatar(String, String),
    /// Anything else below `/remote.php`.
    Unknown,
}

/// A place in the URL space that belongs to one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Home {
    /// The login in the path, decoded.
    pub(crate) login: String,
    /// The path up to the login, percent-encoded as requested, without a trailing slash.
    pub(crate) prefix: String,
}

/// A segment of the path, decoded, and where it ends in the path as requested.
struct Segment<'p> {
    text: Cow<'p, str>,
    end: usize,
}

impl Route {
    /// What `path`, percent-encoded, names.
    pub(crate) fn of(path: &str) -> Route {
        // The asterisk of OPTIONS is the server as a whole: as good as its front door.
        if path == "*" {
            return Route::Landing;
        }
        let Some(segments) = segments(path) else { return Route::Malformed };
        let texts: Vec<&str> = segments.iter().map(|segment| &*segment.text).collect();
        let below = |count: usize| path[segments[count - 1].end..].to_owned();
        let plain = match &texts[..] {
            ["index.php", rest @ ..] => rest,
            all => all,
        };
        let skipped = texts.len() - plain.len();
        match plain {
            [] => Route::Landing,
            ["status.php"] => Route::Status,
            ["204"] => Route::Connectivity,
            ["robots.txt"] => Route::Robots,
            [".well-known", "caldav" | "carddav"] => Route::WellKnownDav,
            ["login", ..] => Route::Login(below(skipped + 1)),
            ["apps", "richdocuments", ..] => Route::Office(below(skipped + 2)),
            ["apps", "notes", "api", ..] => Route::Notes(below(skipped + 3)),
            ["core", "wipe", "check"] => Route::Wipe(true),
            ["core", "wipe", "success"] => Route::Wipe(false),
            ["push", "ws"] => Route::PushSocket,
            ["apps", "notify_push", "pre_auth"] => Route::PushPreAuth,
            // Nextcloud answers here as under `/ocs`.
            ["apps", "groupfolders", "folders"] => Route::Ocs(Version::V2, below(skipped)),
            ["ocs", "v1.php", ..] => Route::Ocs(Version::V1, below(skipped + 2)),
            ["ocs", "v2.php", ..] => Route::Ocs(Version::V2, below(skipped + 2)),
            ["core", "preview" | "preview.png"] => Route::Image(Image::Preview, String::new()),
            ["apps", "files_trashbin", "preview"] => Route::Image(Image::Trash, String::new()),
            ["apps", "files_versions", "preview"] => Route::Image(Image::Version, String::new()),
            ["apps", "files", "api", "v1", "thumbnail", ..] => Route::Image(Image::Thumbnail, below(skipped + 5)),
            ["avatar", ..] => Route::Image(Image::Avatar, below(skipped + 1)),
            ["apps", "theming", ..] => Route::Image(Image::Theming, below(skipped + 2)),
            ["favicon.ico"] => Route::Image(Image::Theming, "/favicon".to_owned()),
            ["s", token, ..] => Route::LinkPage((*token).to_owned(), below(skipped + 2)),
            ["apps", "files_sharing", "publicpreview", _] => Route::Image(Image::Link, below(skipped + 3)),
            ["f", _] | ["apps", "files"] => Route::InternalLink,
            ["core", "css", "link.css"] => Route::LinkStyle,
            ["public.php", rest @ ..] => link_place(rest, &|count| path[..segments[skipped + count].end].to_owned()),
            ["remote.php", rest @ ..] => {
                Route::Dav(dav_route(rest, &|count| path[..segments[skipped + count].end].to_owned()))
            }
            _ => Route::Unknown,
        }
    }
}

/// The same for what stands behind `public.php`.
fn link_place(rest: &[&str], up_to: &dyn Fn(usize) -> String) -> Route {
    match rest {
        ["webdav", ..] => Route::Link(LinkPlace { token: None, prefix: up_to(1), is_upload: false }),
        ["dav", kind @ ("files" | "uploads"), token, ..] => {
            Route::Link(LinkPlace { token: Some((*token).to_owned()), prefix: up_to(3), is_upload: *kind == "uploads" })
        }
        _ => Route::Unknown,
    }
}

/// `rest` is what stands behind `remote.php`; `up_to(n)` the path as requested up to the n-th segment of `rest`.
fn dav_route(rest: &[&str], up_to: &dyn Fn(usize) -> String) -> DavRoute {
    let home = |login: &str| Home { login: login.to_owned(), prefix: up_to(3) };
    let book_home = |login: &str| Home { login: login.to_owned(), prefix: up_to(4) };
    match rest {
        ["webdav" | "files", ..] => DavRoute::LegacyFiles(up_to(1)),
        ["dav"] => DavRoute::Root(up_to(1)),
        ["dav", "principals"] => DavRoute::PrincipalKinds(up_to(2)),
        ["dav", "principals", "users"] => DavRoute::Principals(up_to(3)),
        ["dav", "principals", "users", login] => {
            DavRoute::Principal(Home { login: (*login).to_owned(), prefix: up_to(4) })
        }
        ["dav", "principals", "groups"] => DavRoute::Groups(up_to(3)),
        ["dav", "principals", "groups", name] => DavRoute::Group((*name).to_owned()),
        ["dav", "files"] => DavRoute::Homes(up_to(2)),
        ["dav", "files", login, ..] => DavRoute::Files(home(login)),
        ["dav", "uploads", login, ..] => DavRoute::Uploads(home(login)),
        ["dav", "trashbin"] => DavRoute::HomesOf("trashbin"),
        ["dav", "trashbin", login, ..] => DavRoute::Trash(home(login)),
        ["dav", "versions"] => DavRoute::HomesOf("versions"),
        ["dav", "versions", login, ..] => DavRoute::Versions(home(login)),
        ["dav", "public-calendars", token, ..] => DavRoute::PublicCalendar((*token).to_owned(), up_to(3)),
        ["dav", "avatars", login, file] => DavRoute::Avatar((*login).to_owned(), (*file).to_owned()),
        ["dav", "systemtags", ..] => DavRoute::Tags(up_to(2)),
        ["dav", "systemtags-relations", ..] => DavRoute::TagsOfFiles(up_to(2)),
        ["dav", "comments", ..] => DavRoute::Comments(up_to(2)),
        ["dav", "bulk"] => DavRoute::Bulk,
        ["direct", token] => DavRoute::Direct((*token).to_owned()),
        ["dav", "push", name] => DavRoute::PushRegistration((*name).to_owned()),
        ["dav", "calendars"] => DavRoute::AreaHomes(Area::Calendars),
        ["dav", "calendars", login, ..] => DavRoute::Area(Area::Calendars, home(login)),
        ["dav", "addressbooks"] => DavRoute::AddressBookKinds,
        ["dav", "addressbooks", "users"] => DavRoute::AreaHomes(Area::AddressBooks),
        ["dav", "addressbooks", "users", login, ..] => DavRoute::Area(Area::AddressBooks, book_home(login)),
        // What the first versions of ownCloud gave out; set-ups remember it.
        ["caldav" | "carddav"] => DavRoute::Root(up_to(1)),
        _ => DavRoute::Unknown,
    }
}

fn segments(path: &str) -> Option<Vec<Segment<'_>>> {
    let mut segments = Vec::with_capacity(8);
    let mut start = 0;
    for part in path.split('/') {
        let end = start + part.len();
        if !part.is_empty() {
            // Only the head of the path decides the route, and it is short; the rest is decoded by whoever is asked.
            let text = match part {
                _ if segments.len() >= 6 => Cow::Borrowed(""),
                plain if !plain.contains('%') => Cow::Borrowed(plain),
                escaped => Cow::Owned(href::decode(escaped).ok()?),
            };
            segments.push(Segment { text, end });
        }
        start = end + 1;
    }
    Some(segments)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, expected: &str) {
        let shown = match Route::of(path) {
            Route::Login(rest) => format!("login {rest}"),
            Route::Wipe(is_check) => format!("wipe {is_check}"),
            Route::Office(rest) => format!("office {rest}"),
            Route::Notes(rest) => format!("notes {rest}"),
            Route::Ocs(version, rest) => format!("ocs {version:?} {rest}"),
            Route::Dav(route) => match route {
                DavRoute::Front => "front".to_owned(),
                DavRoute::Root(at) => format!("root {at}"),
                DavRoute::PrincipalKinds(at) => format!("principal kinds {at}"),
                DavRoute::Principals(at) => format!("principals {at}"),
                DavRoute::Principal(home) => format!("principal of {} at {}", home.login, home.prefix),
                DavRoute::Groups(at) => format!("groups {at}"),
                DavRoute::Group(name) => format!("group {name}"),
                DavRoute::Homes(at) => format!("homes {at}"),
                DavRoute::Files(home) => format!("files of {} at {}", home.login, home.prefix),
                DavRoute::LegacyFiles(at) => format!("files at {at}"),
                DavRoute::Uploads(home) => format!("uploads of {} at {}", home.login, home.prefix),
                DavRoute::HomesOf(name) => format!("homes of {name}"),
                DavRoute::Trash(home) => format!("trash of {} at {}", home.login, home.prefix),
                DavRoute::Versions(home) => format!("versions of {} at {}", home.login, home.prefix),
                DavRoute::PublicCalendar(token, at) => format!("public calendar {token} at {at}"),
                DavRoute::Avatar(login, file) => format!("avatar {file} of {login}"),
                DavRoute::Tags(at) => format!("tags at {at}"),
                DavRoute::TagsOfFiles(at) => format!("tags of files at {at}"),
                DavRoute::Comments(at) => format!("comments at {at}"),
                DavRoute::Bulk => "bulk".to_owned(),
                DavRoute::Direct(token) => format!("direct {token}"),
                DavRoute::PushRegistration(name) => format!("push registration {name}"),
                DavRoute::AreaHomes(area) => format!("homes of {area:?}"),
                DavRoute::AddressBookKinds => "address book kinds".to_owned(),
                DavRoute::Area(area, home) => format!("{area:?} of {} at {}", home.login, home.prefix),
                DavRoute::Unknown => "unknown dav".to_owned(),
            },
            Route::Image(image, below) => format!("{image:?} {below}"),
            Route::LinkPage(token, rest) => format!("page of link {token} {rest}"),
            Route::InternalLink => "internal link".to_owned(),
            Route::LinkStyle => "link style".to_owned(),
            Route::Link(LinkPlace { token, prefix, is_upload }) => {
                let kind = if is_upload { "uploads" } else { "files" };
                format!("{kind} of link {} at {prefix}", token.unwrap_or_default())
            }
            Route::Landing => "landing".to_owned(),
            Route::Status => "status".to_owned(),
            Route::Connectivity => "connectivity".to_owned(),
            Route::Robots => "robots".to_owned(),
            Route::PushSocket => "push socket".to_owned(),
            Route::PushPreAuth => "push pre-auth".to_owned(),
            Route::WellKnownDav => "well_known".to_owned(),
            Route::Unknown | Route::Malformed => "unknown".to_owned(),
        };
        assert_eq!(shown, expected, "{path}");
    }

    #[test]
    fn pages_and_services() {
        check("/", "landing");
        check("//", "landing");
        check("*", "landing");
        check("/index.php", "landing");
        check("/index.php/", "landing");
        check("/status.php", "status");
        check("/index.php/204", "connectivity");
        check("/204/", "connectivity");
        check("/robots.txt", "robots");
        check("/.well-known/caldav", "well_known");
        check("/index.php/.well-known/carddav/", "well_known");
        check("/.well-known/webfinger", "unknown");
        check("/login", "login ");
        check("/login/v2", "login /v2");
        check("/index.php/login/v2/poll", "login /v2/poll");
        check("//index.php//login/flow", "login /flow");
        check("/index.php/core/wipe/check", "wipe true");
        check("/core/wipe/success", "wipe false");
        check("/core/wipe", "unknown");
        check("/index.php/apps/notes/api/v1/notes/7", "notes /v1/notes/7");
        check("/apps/notes/api", "notes ");
        check("/apps/notes", "unknown");
        check("/index.php/apps/richdocuments/wopi/files/7_x/contents", "office /wopi/files/7_x/contents");
        check("/remote.php/direct/abc", "direct abc");
        check("/remote.php/direct", "unknown dav");
        check("/remote.php/direct/abc/x", "unknown dav");
        check("/ocs/v1.php/cloud/user", "ocs V1 /cloud/user");
        check("/ocs/v2.php", "ocs V2 ");
        check("/index.php/ocs/v2.php/cloud/capabilities/", "ocs V2 /cloud/capabilities/");
        check("/push/ws", "push socket");
        check("/index.php/push/ws/", "push socket");
        check("/push", "unknown");
        check("/push/ws/x", "unknown");
        check("/index.php/apps/notify_push/pre_auth", "push pre-auth");
        check("/apps/notify_push/pre_auth", "push pre-auth");
        check("/index.php/apps/groupfolders/folders", "ocs V2 /apps/groupfolders/folders");
        check("/ocs/v3.php/x", "unknown");
        check("/index.php/apps/x", "unknown");
        check("/index.php/index.php/204", "unknown");
    }

    #[test]
    fn pictures() {
        check("/index.php/core/preview", "Preview ");
        check("/core/preview.png", "Preview ");
        check("/apps/files_trashbin/preview", "Trash ");
        check("/index.php/apps/files_versions/preview", "Version ");
        check("/index.php/apps/files/api/v1/thumbnail/64/64/a%20b/c.png", "Thumbnail /64/64/a%20b/c.png");
        check("/apps/files/api/v1/thumbnail", "Thumbnail ");
        check("/index.php/avatar/alice/64", "Avatar /alice/64");
        check("/index.php/apps/theming/image/logo", "Theming /image/logo");
        check("/favicon.ico", "Theming /favicon");
        check("/remote.php/dav/avatars/alice/128.png", "avatar 128.png of alice");
        check("/remote.php/dav/avatars/alice", "unknown dav");
    }

    #[test]
    fn dav_places_keep_the_spelling_of_the_request() {
        check("/remote.php/dav", "root /remote.php/dav");
        check("/remote.php/dav/", "root /remote.php/dav");
        check("/remote.php/dav/files/", "homes /remote.php/dav/files");
        check("/remote.php/dav/files/alice", "files of alice at /remote.php/dav/files/alice");
        check("/remote.php/dav/files/alice/", "files of alice at /remote.php/dav/files/alice");
        check("/remote.php/dav/files/alice/a/b%20c", "files of alice at /remote.php/dav/files/alice");
        check(
            "/remote.php/dav/files/anna%40asso.org/x",
            "files of anna@asso.org at /remote.php/dav/files/anna%40asso.org",
        );
        check("//remote.php//dav/files///Alice//x", "files of Alice at //remote.php//dav/files///Alice");
        check("/index.php/remote.php/dav/files/a/x", "files of a at /index.php/remote.php/dav/files/a");
        check("/remote.php/%64av/files/a", "files of a at /remote.php/%64av/files/a");
        check("/remote.php/webdav/x/y", "files at /remote.php/webdav");
        check("/remote.php/files", "files at /remote.php/files");
        check("/remote.php/dav/uploads/alice/1234/.file", "uploads of alice at /remote.php/dav/uploads/alice");
        check("/remote.php/dav/trashbin/", "homes of trashbin");
        check("/remote.php/dav/trashbin/alice/trash/a.d1/b", "trash of alice at /remote.php/dav/trashbin/alice");
        check("/remote.php/dav/versions", "homes of versions");
        check("/remote.php/dav/versions/al%69ce/versions/7", "versions of alice at /remote.php/dav/versions/al%69ce");
        check("/remote.php/dav/systemtags/7/", "tags at /remote.php/dav/systemtags");
        check(
            "/remote.php/dav/systemtags-relations/files/1/2",
            "tags of files at /remote.php/dav/systemtags-relations",
        );
        check("/remote.php/dav/comments/files/69/1", "comments at /remote.php/dav/comments");
        check("/remote.php/dav/bulk", "bulk");
        check("/remote.php/dav/push/Abc", "push registration Abc");
        check("/remote.php/dav/principals/", "principal kinds /remote.php/dav/principals");
        check(
            "/remote.php/dav/public-calendars/abc/x.ics",
            "public calendar abc at /remote.php/dav/public-calendars/abc",
        );
        check("/remote.php/dav/principals/groups", "groups /remote.php/dav/principals/groups");
        check("/remote.php/dav/principals/groups/everyone/", "group everyone");
        check("/remote.php/dav/principals/users", "principals /remote.php/dav/principals/users");
        check("/remote.php/dav/principals/users/bob/", "principal of bob at /remote.php/dav/principals/users/bob");
    }

    #[test]
    fn calendars_and_address_books() {
        check("/remote.php/dav/calendars/", "homes of Calendars");
        check("/remote.php/dav/calendars/alice/", "Calendars of alice at /remote.php/dav/calendars/alice");
        check("/remote.php/dav/calendars/al%69ce/x/y.ics", "Calendars of alice at /remote.php/dav/calendars/al%69ce");
        check("/remote.php/dav/addressbooks", "address book kinds");
        check("/remote.php/dav/addressbooks/users", "homes of AddressBooks");
        check(
            "/remote.php/dav/addressbooks/users/alice/contacts/a.vcf",
            "AddressBooks of alice at /remote.php/dav/addressbooks/users/alice",
        );
        check("/remote.php/caldav/", "root /remote.php/caldav");
    }

    #[test]
    fn public_links() {
        check("/s/AbC", "page of link AbC ");
        check("/index.php/s/AbC/authenticate/showshare", "page of link AbC /authenticate/showshare");
        check("/s", "unknown");
        check("/f/12", "internal link");
        check("/index.php/f/12", "internal link");
        check("/apps/files/", "internal link");
        check("/index.php/apps/files/files", "unknown");
        check("/core/css/link.css", "link style");
        check("/public.php/webdav/a/b", "files of link  at /public.php/webdav");
        check("/public.php/dav/files/AbC", "files of link AbC at /public.php/dav/files/AbC");
        check("/index.php/public.php/dav/files/AbC/x", "files of link AbC at /index.php/public.php/dav/files/AbC");
        check("/public.php/dav/uploads/AbC/u/1", "uploads of link AbC at /public.php/dav/uploads/AbC");
        check("/public.php/dav", "unknown");
        check("/public.php", "unknown");
    }

    #[test]
    fn what_there_is_not() {
        check("/remote.php", "unknown dav");
        check("/remote.php/dav/uploads", "unknown dav");
        check("/remote.php/dav/principals/rooms", "unknown dav");
        check("/remote.php/dav/principals/users/bob/x", "unknown dav");
        check("/dav", "unknown");
        check("/nope", "unknown");
        check("/remote.php/dav/files/%zz", "unknown");
        check("/remote.php/dav/files/%ff", "unknown");
        check("/%2fstatus.php", "unknown");
        // Beyond the head of the path the tree decides, and says what is wrong.
        check("/remote.php/dav/files/a/b/c/%zz", "files of a at /remote.php/dav/files/a");
        assert_eq!(Route::of("/remote.php/dav/files/%zz"), Route::Malformed);
    }
}
