//! Rows: pages, pictures, log-in, notes, and what is above the homes.

use super::column::{MISTAKEN, Who};
use super::row::{BY_PATH, Row, row};
use super::verdict::Asks::{Account, Home, Nothing, Owns, Reads};

/// Routes without a row, and why.
pub(super) const WITHOUT: &[(&str, &str)] = &[
    ("Route::Ocs", "the arms of its tables are listed one by one"),
    ("Route::Notes", "the arms of its table are listed one by one"),
    ("Route::Office", "the arms of its tables are listed one by one"),
    ("Route::Login", "the arms of its table are listed one by one"),
    ("Route::LinkPage", "the arms of its table are listed one by one"),
    ("Route::Link", "where guests reach the thing: they send all rows of the files there"),
    ("Route::Dav", "its variants are listed one by one"),
    ("Route::Image", "its variants are listed one by one"),
    ("Route::Malformed", "names nothing"),
    ("Route::Unknown", "names nothing"),
    ("Route::PushSocket", "a socket; log-in, rights and their end are tested in `notify_push`"),
    ("DavRoute::Unknown", "names nothing"),
    ("DavRoute::PublicCalendar", "a calendar's, for whoever has its link; tested in `publishing`"),
];

/// Anybody may ask, but wrong credentials are said to be wrong.
const SAID: &str = "credentials that are no good are said to be no good";
const FORM: &str = "content-type: application/x-www-form-urlencoded";
const NOTE: &str = "/index.php/apps/notes/api/v1/notes/{id}";

pub(super) const ROWS: &[Row] = &[
    // Pages that anybody may see.
    row("Route::Landing", "GET", "/", Nothing, 200),
    row("Route::Status", "GET", "/status.php", Nothing, 200),
    row("Route::Connectivity", "GET", "/204", Nothing, 204),
    row("Route::Robots", "GET", "/robots.txt", Nothing, 200),
    row("Route::InternalLink", "GET", "/f/1", Nothing, 200),
    row("Route::InternalLink", "GET", "/index.php/apps/files/?dir=/{word}", Nothing, 200),
    row("Route::LinkStyle", "GET", "/core/css/link.css", Nothing, 200),
    row("Route::WellKnownDav", "GET", "/.well-known/caldav", Nothing, 301),
    row("Route::Wipe", "POST", "/index.php/core/wipe/check", Nothing, 404),
    row("Route::PushPreAuth", "POST", "/index.php/apps/notify_push/pre_auth", Account, 200),
    // To log in, one has to know what nobody here does.
    row(BY_PATH, "POST", "/index.php/login/v2", Nothing, 200),
    row(BY_PATH, "POST", "/index.php/login/v2/poll", Nothing, 404).with(FORM).sending("token={word}"),
    row(BY_PATH, "GET", "/index.php/login/v2/flow/{word}", Nothing, 403),
    row(BY_PATH, "POST", "/index.php/login/v2/flow/{word}", Nothing, 403).with(FORM).sending("login=alice&password=wrong"),
    row(BY_PATH, "GET", "/index.php/login/flow", Nothing, 403),
    row(BY_PATH, "POST", "/index.php/login/flow", Nothing, 403)
        .with(FORM).sending("login=alice&password=wrong"),
    // Pictures.
    row("Image::Preview", "GET", "/index.php/core/preview?fileId={id}&x=64&y=64&a=1", Reads, 200),
    row("Image::Preview", "GET", "/core/preview.png?file=/{word}/{word}.txt&x=64&y=64", Reads, 200),
    row("Image::Thumbnail", "GET", "/index.php/apps/files/api/v1/thumbnail/64/64/{word}/{word}.txt", Reads, 200),
    row("Image::Version", "GET", "/apps/files_versions/preview?file=/{word}/{word}.txt&version={version}&x=64&y=64", Reads, 200),
    row("Image::Trash", "GET", "/index.php/apps/files_trashbin/preview?fileId={gone}&x=64&y=64", Owns, 200),
    row("Image::Avatar", "GET", "/index.php/avatar/alice/64", Nothing, 200).told(MISTAKEN, 401, SAID).told(&[Who::Disabled], 403, SAID),
    row("Image::Avatar", "DELETE", "/index.php/avatar/", Account, 200),
    row("Image::Theming", "GET", "/index.php/apps/theming/manifest", Nothing, 200),
    row("DavRoute::Avatar", "GET", "/remote.php/dav/avatars/alice/64.png", Account, 200),
    // What is above the homes.
    row("DavRoute::Front", "PROPFIND", "/", Account, 207).with("depth: 0"),
    row("DavRoute::Root", "PROPFIND", "/remote.php/dav/", Account, 207).with("depth: 1"),
    row("DavRoute::PrincipalKinds", "PROPFIND", "/remote.php/dav/principals/", Account, 207).with("depth: 1"),
    row("DavRoute::Principals", "PROPFIND", "/remote.php/dav/principals/users/", Account, 207).with("depth: 1"),
    row("DavRoute::Principal", "PROPFIND", "/remote.php/dav/principals/users/alice/", Account, 207).with("depth: 0"),
    row("DavRoute::Groups", "PROPFIND", "/remote.php/dav/principals/groups/", Account, 207).with("depth: 1"),
    row("DavRoute::Group", "PROPFIND", "/remote.php/dav/principals/groups/everyone/", Account, 207).with("depth: 0"),
    row("DavRoute::Homes", "PROPFIND", "/remote.php/dav/files/", Account, 207).with("depth: 1"),
    row("DavRoute::HomesOf", "PROPFIND", "/remote.php/dav/trashbin/", Account, 207).with("depth: 1"),
    row("DavRoute::AreaHomes", "PROPFIND", "/remote.php/dav/calendars/", Account, 207).with("depth: 1"),
    row("DavRoute::AddressBookKinds", "PROPFIND", "/remote.php/dav/addressbooks/", Account, 207).with("depth: 1"),
    row("DavRoute::PushRegistration", "DELETE", "/remote.php/dav/push/{word}", Account, 404),
    // Notes: each account has its own, and this file is none, which is all that is said of it.
    row(BY_PATH, "GET", "/index.php/apps/notes/api/v1/notes", Account, 200),
    row(BY_PATH, "POST", "/index.php/apps/notes/api/v1/notes", Account, 200).with(FORM).sending("title=own&content=own"),
    row(BY_PATH, "GET", NOTE, Account, 404),
    row(BY_PATH, "PUT", NOTE, Account, 404).with(FORM).sending("content=taken%20over"),
    row(BY_PATH, "DELETE", NOTE, Account, 404),
    row(BY_PATH, "GET", "/index.php/apps/notes/api/v1/settings", Account, 200),
    row(BY_PATH, "PUT", "/index.php/apps/notes/api/v1/settings", Account, 200).with(FORM).sending("fileSuffix=.md"),
    row(BY_PATH, "GET", "/index.php/apps/notes/api/v1/attachment/{id}?path={word}.txt", Account, 404),
    row(BY_PATH, "POST", "/index.php/apps/notes/api/v1/attachment/{id}", Account, 404),
    // A search begins at the caller's own root.
    row("DavRoute::Root", "SEARCH", "/remote.php/dav/", Home, 207).with("content-type: text/xml").sending(
        "<d:searchrequest xmlns:d='DAV:' xmlns:o='http://owncloud.org/ns'><d:basicsearch><d:select><d:prop><o:fileid/></d:prop></d:select>\
         <d:from><d:scope><d:href>/files/{me}</d:href><d:depth>infinity</d:depth></d:scope></d:from><d:where><d:like><d:prop>\
         <d:displayname/></d:prop><d:literal>%.odt</d:literal></d:like></d:where></d:basicsearch></d:searchrequest>",
    ),
];
