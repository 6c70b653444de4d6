//! Rows: files by DAV, their versions, trash, uploads, comments and tags.

use super::column::{GUESTS, HOMELESS, READING, SEEING, Who};
use super::row::Effect::{Lists, Makes, Unlists, Unmakes, Writes};
use super::row::{Row, row};
use super::verdict::Asks::{Account, Creates, Deletes, Home, Manages, Owns, Reads, Updates};

const FILE: &str = "{folder}/{word}.txt";
const XML: &str = "content-type: application/xml";
const JSON: &str = "content-type: application/json";
const VERSION: &str = "/remote.php/dav/versions/{me}/versions/{id}/{version}";
const TRASHED: &str = "/remote.php/dav/trashbin/{me}/trash/{trashed}";
/// As the owner is told of them.
const VERSIONS: &str = "/remote.php/dav/versions/alice/versions/{id}/";
const TAGS: &str = "/remote.php/dav/systemtags-relations/files/{id}/";
const COMMENTS: &str = "/remote.php/dav/comments/files/{id}/";
const TAG: &str = "/remote.php/dav/systemtags-relations/files/{id}/{tag}";
/// A guest acts through the link, and has no home.
const NO_HOME: &str = "a guest has no home";
const NOT_THEIRS: &str = "who sees it is told that it is somebody else's";
const NO_LEASE: &str = "a guest locks as WebDAV does, with a body or a token";
const NOT_LOCKED: &str = "there is no lock to end, which is what clients want to know";
const NO_FOLDER: &str = "there is no such folder to put anything into";
const BESIDE: &str = "what is handed in stands beside what is there, under another name";
const ONLY_PUT: &str = "handing in is a PUT";
const BY_LINK: &str = "uploads by a link are for who may add to what it leads to";

pub(super) const ROWS: &[Row] = &[
    // To look.
    row("DavRoute::Files", "OPTIONS", "{folder}/", Reads, 200)
        .told(HOMELESS, 200, "it is a question about the server")
        .told(&[Who::HandingInGuest], 200, "it is a question about the server"),
    row("DavRoute::Files", "PROPFIND", "{folder}/", Reads, 207).with("depth: 0"),
    row("DavRoute::Files", "PROPFIND", "{folder}/", Reads, 207).with("depth: 1"),
    row("DavRoute::Files", "GET", FILE, Reads, 200),
    row("DavRoute::Files", "HEAD", FILE, Reads, 200),
    row("DavRoute::Files", "GET", "{folder}/", Reads, 200).with("accept: application/zip"),
    row("DavRoute::Files", "REPORT", "{folder}/", Reads, 207).with("depth: 1").sending(
        "<d:sync-collection xmlns:d='DAV:'><d:sync-token/><d:sync-level>1</d:sync-level><d:prop><d:getetag/></d:prop>\
         </d:sync-collection>",
    ),
    row("DavRoute::Versions", "PROPFIND", "/remote.php/dav/versions/{me}/versions/{id}/", Reads, 207).with("depth: 1"),
    row("DavRoute::Versions", "GET", VERSION, Reads, 200),
    row("DavRoute::Comments", "PROPFIND", COMMENTS, Reads, 207).with("depth: 1"),
    row("DavRoute::TagsOfFiles", "PROPFIND", "/remote.php/dav/systemtags-relations/files/{id}/", Reads, 207).with("depth: 1"),
    row("DavRoute::Tags", "PROPFIND", "/remote.php/dav/systemtags/", Account, 207).with("depth: 1"),
    row("DavRoute::LegacyFiles", "PROPFIND", "/remote.php/webdav/{word}/", Reads, 207).with("depth: 1"),
    row("DavRoute::LegacyFiles", "GET", "/remote.php/webdav/{word}/{word}.txt", Reads, 200),
    // To take along.
    row("DavRoute::Files", "COPY", FILE, Reads, 201)
        .with("destination: /remote.php/dav/files/{me}/taken.txt")
        .told(GUESTS, 403, NO_HOME),
    // What somebody has for themselves of what they see.
    row("DavRoute::Files", "PROPPATCH", FILE, Reads, 200).with(XML).sending(
        "<d:propertyupdate xmlns:d='DAV:' xmlns:o='http://owncloud.org/ns'><d:set><d:prop><o:favorite>1</o:favorite></d:prop></d:set></d:propertyupdate>",
    ).told(GUESTS, 403, NO_HOME),
    row("DavRoute::Comments", "POST", COMMENTS, Reads, 201)
        .with(JSON)
        .sending("{\"actorType\":\"users\",\"verb\":\"comment\",\"message\":\"taken\"}")
        .effect(Lists(COMMENTS, ">taken<")),
    row("DavRoute::Comments", "PROPPATCH", "/remote.php/dav/comments/files/{id}/{comment}", Owns, 200).with(XML).sending(
        "<d:propertyupdate xmlns:d='DAV:' xmlns:o='http://owncloud.org/ns'><d:set><d:prop><o:message>taken over</o:message></d:prop></d:set></d:propertyupdate>",
    ).told(SEEING, 403, NOT_THEIRS),
    row("DavRoute::Comments", "DELETE", "/remote.php/dav/comments/files/{id}/{comment}", Owns, 204)
        .effect(Unlists(COMMENTS, "/{comment}<"))
        .told(SEEING, 403, NOT_THEIRS),
    // To change what is there.
    row("DavRoute::Files", "PUT", FILE, Updates, 204).told(HOMELESS, 409, NO_FOLDER).told(&[Who::HandingInGuest], 201, BESIDE).sending("taken over").effect(Writes("taken over")),
    row("DavRoute::Files", "PROPPATCH", FILE, Updates, 200).with(XML).sending(
        "<d:propertyupdate xmlns:d='DAV:'><d:set><d:prop><x xmlns='urn:x'>1</x></d:prop></d:set></d:propertyupdate>",
    ),
    row("DavRoute::Files", "LOCK", FILE, Updates, 200).with("x-user-lock: 1").told(GUESTS, 400, NO_LEASE),
    row("DavRoute::Files", "UNLOCK", FILE, Updates, 200)
        .with("x-user-lock: 1")
        .told(GUESTS, 400, NO_LEASE)
        .told(READING, 412, NOT_LOCKED),
    row("DavRoute::Versions", "PROPPATCH", VERSION, Updates, 200).with(XML).sending(
        "<d:propertyupdate xmlns:d='DAV:' xmlns:n='http://nextcloud.org/ns'><d:set><d:prop><n:version-label>taken</n:version-label></d:prop></d:set></d:propertyupdate>",
    ).effect(Lists(VERSIONS, ">taken<")),
    row("DavRoute::Versions", "MOVE", VERSION, Updates, 201)
        .with("destination: /remote.php/dav/versions/{me}/restore/target")
        .effect(Writes("xylograph, the first")),
    row("DavRoute::Versions", "DELETE", "/remote.php/dav/versions/{me}/versions/{id}/{older}", Updates, 204)
        .effect(Unlists(VERSIONS, "{older}")),
    row("DavRoute::TagsOfFiles", "PUT", TAG, Updates, 201)
        .effect(Lists(TAGS, "/{tag}<")),
    row("DavRoute::TagsOfFiles", "DELETE", TAG, Updates, 204),
    row("DavRoute::Tags", "POST", "/remote.php/dav/systemtags/", Account, 201)
        .with(JSON)
        .sending("{\"name\":\"another\",\"userVisible\":true,\"userAssignable\":true}"),
    row("DavRoute::Tags", "PROPPATCH", "/remote.php/dav/systemtags/{tag}", Account, 200).with(XML).sending(
        "<d:propertyupdate xmlns:d='DAV:' xmlns:o='http://owncloud.org/ns'><d:set><d:prop><o:display-name>renamed</o:display-name></d:prop></d:set></d:propertyupdate>",
    ).told(&[Who::Namesake], 404, "the tags of another space"),
    row("DavRoute::Tags", "DELETE", "/remote.php/dav/systemtags/{tag}", Manages, 204)
        .told(&[Who::Namesake], 404, "the tags of another space"),
    // To add to it.
    row("DavRoute::Files", "PUT", "{folder}/new.txt", Creates, 201).told(HOMELESS, 409, NO_FOLDER).sending("new").effect(Makes("new.txt")),
    row("DavRoute::Files", "MKCOL", "{folder}/made", Creates, 201).told(HOMELESS, 409, NO_FOLDER).told(&[Who::HandingInGuest], 405, ONLY_PUT).effect(Makes("made")),
    row("DavRoute::Files", "LOCK", "{folder}/made", Updates, 200).with(XML).sending(
        "<d:lockinfo xmlns:d='DAV:'><d:lockscope><d:shared/></d:lockscope><d:locktype><d:write/></d:locktype></d:lockinfo>",
    ).told(HOMELESS, 409, NO_FOLDER),
    row("DavRoute::Files", "COPY", FILE, Creates, 201).told(&[Who::HandingInGuest], 405, ONLY_PUT).with("destination: {folder}/copy.txt").effect(Makes("copy.txt")),
    row("DavRoute::Files", "LOCK", "{folder}/locked.txt", Creates, 201).told(HOMELESS, 409, NO_FOLDER).told(&[Who::HandingInGuest], 405, ONLY_PUT)
        .with(XML)
        .sending("<d:lockinfo xmlns:d='DAV:'><d:lockscope><d:exclusive/></d:lockscope><d:locktype><d:write/></d:locktype></d:lockinfo>")
        .effect(Makes("locked.txt")),
    row("DavRoute::Bulk", "POST", "/remote.php/dav/bulk", Account, 200)
        .with("content-type: multipart/related; boundary=b")
        .sending(
            "--b\r\nX-File-Path: /{word}/bulk.txt\r\nX-File-MD5: 827ccb0eea8a706c4c34a16891f84e7b\r\n\
             X-File-Mtime: 1700000000\r\nContent-Length: 5\r\n\r\n12345\r\n--b--\r\n",
        ),
    row("DavRoute::Uploads", "MKCOL", "{uploads}/{word}-own", Home, 201)
        .with("destination: {folder}/up.txt")
        .told(&[Who::EditingGuest, Who::HandingInGuest], 201, BY_LINK)
        .told(GUESTS, 403, BY_LINK),
    row("DavRoute::Uploads", "PUT", "{uploads}/{word}-own/00001", Home, 201)
        .told(&[Who::EditingGuest, Who::HandingInGuest], 201, BY_LINK)
        .with("destination: {folder}/up.txt")
        .sending("more"),
    row("DavRoute::Uploads", "MOVE", "{uploads}/{word}-own/.file", Creates, 201)
        .with("destination: {folder}/up.txt")
        .told(&[Who::Guest, Who::OldGuest, Who::GuestWithPassword], 404, BY_LINK)
        .told(HOMELESS, 409, NO_FOLDER)
        .effect(Makes("up.txt")),
    // An upload that another has begun.
    row("DavRoute::Uploads", "PROPFIND", "{uploads}/{word}/", Owns, 207).with("depth: 1").told(&[Who::HandingInGuest], 404, BY_LINK),
    row("DavRoute::Uploads", "PUT", "{uploads}/{word}/00002", Owns, 201)
        .told(&[Who::HandingInGuest], 404, BY_LINK)
        .with("destination: {folder}/stolen.txt")
        .sending("more"),
    row("DavRoute::Uploads", "MOVE", "{uploads}/{word}/.file", Owns, 201)
        .told(&[Who::HandingInGuest], 404, BY_LINK)
        .with("destination: {folder}/stolen.txt")
        .effect(Makes("stolen.txt")),
    // To give another name, to take out.
    row("DavRoute::Files", "MOVE", "{folder}/{word}-old.txt", Updates, 201)
        .with("destination: {folder}/moved.txt")
        .effect(Makes("moved.txt")),
    row("DavRoute::LegacyFiles", "MOVE", "/remote.php/webdav/{word}/{word}-out.txt", Deletes, 201)
        .with("destination: /remote.php/webdav/out.txt")
        .effect(Unmakes("xylograph-out.txt")),
    row("DavRoute::Files", "DELETE", "{folder}/{word}-ends.txt", Deletes, 204).effect(Unmakes("xylograph-ends.txt")),
    // The trash.
    row("DavRoute::Trash", "PROPFIND", "/remote.php/dav/trashbin/{me}/trash/", Home, 207).with("depth: 1"),
    row("DavRoute::Trash", "GET", TRASHED, Owns, 200),
    row("DavRoute::Trash", "MOVE", TRASHED, Owns, 201)
        .with("destination: /remote.php/dav/trashbin/{me}/restore/{trashed}")
        .effect(Makes("xylograph-gone.txt")),
    row("DavRoute::Trash", "DELETE", "/remote.php/dav/trashbin/{me}/trash", Home, 204),
];
