//! Rows: what is reached by a token: the pages of a public link, its pictures, addresses for players and office servers.

use super::column::{SHUT, UNKNOWN, Who};
use super::row::{BY_PATH, Effect, Row, row};
use super::verdict::Asks::{Address, Creates, Page, Reads, Updates};

const WOPI: &str = "/index.php/apps/richdocuments/wopi/files/{document}_{instance}?access_token={wopi}";
const CONTENTS: &str = "/index.php/apps/richdocuments/wopi/files/{document}_{instance}/contents?access_token={wopi}";

const PROTECTED: &str = "such a picture is only for links without a password";
const ASKED: &str = "here the password is asked for";
/// Office servers know this status for it.
const NO_TOKEN: &str = "the token is none";

pub(super) const ROWS: &[Row] = &[
    row(BY_PATH, "GET", "/s/{token}", Page, 200),
    row(BY_PATH, "GET", "/index.php/s/{token}?path=/{word}.txt", Page, 200),
    row(BY_PATH, "GET", "/s/{token}/download?path=/{word}.txt", Page, 303).told(
        &[Who::HandingInGuest],
        404,
        "nothing is seen",
    ),
    row(BY_PATH, "GET", "/s/{token}/download/x", Page, 303),
    row(BY_PATH, "GET", "/s/{token}/preview", Page, 400).told(SHUT, 403, PROTECTED).told(
        &[Who::GuestWithPassword],
        403,
        PROTECTED,
    ),
    row(BY_PATH, "GET", "/s/{token}/authenticate", Page, 303).told(SHUT, 200, ASKED),
    row(BY_PATH, "GET", "/s/{token}/authenticate/showshare", Page, 303).told(SHUT, 200, ASKED),
    row(BY_PATH, "POST", "/s/{token}/authenticate", Page, 303).told(SHUT, 403, "this password is wrong").told(
        &[Who::GuestWithPassword],
        403,
        "this password is wrong",
    ),
    row(BY_PATH, "POST", "/s/{token}/upload", Creates, 303)
        .told(SHUT, 303, "pages lead to the password")
        .with("content-type: multipart/form-data; boundary=b")
        .sending("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"form.txt\"\r\n\r\nform\r\n--b--\r\n")
        .effect(Effect::Makes("form.txt")),
    row(
        "Image::Link",
        "GET",
        "/index.php/apps/files_sharing/publicpreview/{token}?file=/{word}.txt&x=64&y=64",
        Reads,
        200,
    ),
    row("DavRoute::Direct", "GET", "/remote.php/direct/{direct}", Address, 200),
    row(BY_PATH, "GET", "/index.php/apps/richdocuments/direct/{page}", Address, 200),
    row(BY_PATH, "GET", WOPI, Address, 200).told(UNKNOWN, 403, NO_TOKEN),
    row(BY_PATH, "GET", CONTENTS, Address, 200).told(UNKNOWN, 403, NO_TOKEN),
    row(BY_PATH, "POST", WOPI, Updates, 200).with("x-wopi-override: LOCK\nx-wopi-lock: l").told(UNKNOWN, 403, NO_TOKEN),
    row(BY_PATH, "POST", CONTENTS, Updates, 200)
        .with("x-wopi-override: PUT\nx-wopi-lock: l")
        .sending("from the office")
        .effect(Effect::Shows("{word}.odt", "from the office"))
        .told(UNKNOWN, 403, NO_TOKEN),
    row(BY_PATH, "POST", WOPI, Updates, 200)
        .with("x-wopi-override: UNLOCK\nx-wopi-lock: l")
        .told(UNKNOWN, 403, NO_TOKEN),
];
