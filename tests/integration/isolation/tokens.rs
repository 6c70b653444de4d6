//! Requests whose worth hangs on something that a space gave: what of the matrix' rows does, and more.

use crate::matrix::row::{Row, row};
use crate::matrix::verdict::Asks::Nothing;

/// Names of what is given, as the rows of the matrix say them.
const GIVEN: &[&str] = &["token", "direct", "page", "wopi", "alices", "instance"];

const OLD: &str = "{folder}/{word}-old.txt";
const FORM: &str = "content-type: application/x-www-form-urlencoded";
const JSON_FORM: &str =
    "ocs-apirequest: true\naccept: application/json\ncontent-type: application/x-www-form-urlencoded";

const fn ask(method: &'static str, path: &'static str) -> Row {
    row("", method, path, Nothing, 0)
}

/// What the matrix has no rows for: the name of what is given, and the request.
const MORE: &[(&str, Row)] = &[
    // Tokens of locks.
    ("lock", ask("PUT", OLD).with("if: (<{lock}>)").sending("taken over")),
    ("lock", ask("PUT", "{folder}/none.txt").with("if: (<{lock}>)").sending("taken over")),
    ("lock", ask("DELETE", OLD).with("if: (<{lock}>)")),
    ("lock", ask("MOVE", OLD).with("if: <{folder}/{word}-old.txt> (<{lock}>)\ndestination: {folder}/moved.txt")),
    ("lock", ask("LOCK", OLD).with("if: (<{lock}>)")),
    ("lock", ask("UNLOCK", OLD).with("lock-token: <{lock}>")),
    // Links with a password: the token, and what a browser was given for the password.
    ("shut", ask("GET", "/s/{shut}")),
    ("shut", ask("POST", "/s/{shut}/authenticate/showshare").with(FORM).sending("password=Tres-secret-7")),
    ("shut", ask("GET", "/public.php/dav/files/{shut}/{word}.txt")),
    ("shut", ask("PROPFIND", "/public.php/dav/files/{shut}/").with("depth: 1")),
    ("ticket", ask("GET", "/s/{shut}").with("cookie: {cookie}={ticket}")),
    ("ticket", ask("GET", "/s/{shut}/download").with("cookie: {cookie}={ticket}")),
    ("ticket", ask("GET", "/public.php/dav/files/{shut}/{word}.txt").with("cookie: {cookie}={ticket}")),
    ("ticket", ask("PUT", "/public.php/dav/files/{shut}/{word}.txt").with("cookie: {cookie}={ticket}").sending("x")),
    // Calendars that are published.
    ("published", ask("GET", "/remote.php/dav/public-calendars/{published}?export")),
    ("published", ask("PROPFIND", "/remote.php/dav/public-calendars/{published}/").with("depth: 1")),
    ("published", ask("GET", "/remote.php/dav/public-calendars/{published}/{word}.ics")),
    // Registrations for push.
    ("push", ask("DELETE", "/remote.php/dav/push/{push}")),
    // Log-ins under way, and devices that are to be erased.
    ("flow_page", ask("GET", "/index.php/login/v2/flow/{flow_page}")),
    (
        "flow_page",
        ask("POST", "/index.php/login/v2/flow/{flow_page}")
            .with(FORM)
            .sending("user=alice&password=their-own-password"),
    ),
    ("flow_poll", ask("POST", "/index.php/login/v2/poll").with(FORM).sending("token={flow_poll}")),
    ("flow_poll", ask("POST", "/index.php/login/v2/poll?token={flow_poll}")),
    ("wiped", ask("POST", "/index.php/core/wipe/check").with(FORM).sending("token={wiped}")),
    ("wiped", ask("POST", "/index.php/core/wipe/success").with(FORM).sending("token={wiped}")),
    // Uploads under way, what is in the trash, and earlier versions, all of the first space only.
    ("upload", ask("PROPFIND", "{uploads}/{upload}/").with("depth: 1")),
    ("upload", ask("PUT", "{uploads}/{upload}/00002").with("destination: {folder}/up.txt").sending("more")),
    ("upload", ask("MOVE", "{uploads}/{upload}/.file").with("destination: {folder}/up.txt")),
    ("upload", ask("DELETE", "{uploads}/{upload}")),
    ("only", ask("GET", "/remote.php/dav/trashbin/{me}/trash/{only}")),
    (
        "only",
        ask("MOVE", "/remote.php/dav/trashbin/{me}/trash/{only}")
            .with("destination: /remote.php/dav/trashbin/{me}/restore/x"),
    ),
    ("only", ask("DELETE", "/remote.php/dav/trashbin/{me}/trash/{only}")),
    // Logins and groups that there are in the first space only.
    ("login", ask("PROPFIND", "/remote.php/dav/principals/users/{login}/").with("depth: 0")),
    ("login", ask("PROPFIND", "/remote.php/dav/files/{login}/").with("depth: 0")),
    ("login", ask("PROPFIND", "/remote.php/dav/calendars/{login}/").with("depth: 0")),
    ("login", ask("GET", "/ocs/v2.php/cloud/users/{login}").with(JSON_FORM)),
    ("login", ask("DELETE", "/ocs/v2.php/cloud/users/{login}").with(JSON_FORM)),
    ("login", ask("GET", "/ocs/v2.php/apps/user_status/api/v1/statuses/{login}").with(JSON_FORM)),
    ("login", ask("GET", "/ocs/v2.php/apps/files_sharing/api/v1/sharees?search={login}&itemType=file").with(JSON_FORM)),
    (
        "login",
        ask("POST", "/ocs/v2.php/apps/files_sharing/api/v1/shares")
            .with(JSON_FORM)
            .sending("path=/{word}&shareType=0&shareWith={login}"),
    ),
    ("group", ask("PROPFIND", "/remote.php/dav/principals/groups/{group}/").with("depth: 0")),
    ("group", ask("GET", "/ocs/v2.php/cloud/groups/{group}").with(JSON_FORM)),
    ("group", ask("DELETE", "/ocs/v2.php/cloud/groups/{group}").with(JSON_FORM)),
    (
        "group",
        ask("POST", "/ocs/v2.php/apps/files_sharing/api/v1/shares")
            .with(JSON_FORM)
            .sending("path=/{word}&shareType=1&shareWith={group}"),
    ),
];

/// Whether the row speaks of the thing of that name.
pub(super) fn says(row: &Row, name: &str) -> bool {
    let name = format!("{{{name}}}");
    [row.path, row.headers, row.body].into_iter().any(|text| text.contains(&name))
}

/// All of them: the name of what is given, and the request.
pub(crate) fn rows() -> Vec<(&'static str, &'static Row)> {
    let given = |row: &'static Row| GIVEN.iter().filter(move |name| says(row, name)).map(move |name| (*name, row));
    let known = crate::matrix::rows().into_iter().flat_map(given);
    known.chain(MORE.iter().map(|(name, row)| (*name, row))).collect()
}
