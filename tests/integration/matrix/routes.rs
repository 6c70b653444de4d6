//! The table: for each route, requests about what is Alice's, in an order in which she can send them all.

/// One request. `{word}`, `{id}` and so on stand for what Alice has.
pub(super) struct Row {
    /// As the source names it.
    pub(super) route: &'static str,
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    /// One a line.
    pub(super) headers: &'static str,
    pub(super) body: &'static str,
    /// What Alice is answered.
    pub(super) status: u16,
    /// Whether anybody may ask, and is told nothing that matters.
    pub(super) is_open: bool,
}

const fn row(route: &'static str, method: &'static str, path: &'static str, status: u16) -> Row {
    Row { route, method, path, headers: "", body: "", status, is_open: false }
}

impl Row {
    const fn with(mut self, headers: &'static str) -> Row {
        self.headers = headers;
        self
    }

    const fn sending(mut self, body: &'static str) -> Row {
        self.body = body;
        self
    }

    const fn open(mut self) -> Row {
        self.is_open = true;
        self
    }
}

/// Routes without a row, and why.
pub(super) const OPEN: &[(&str, &str)] = &[
    ("Route::Ocs", "its arms are listed one by one"),
    ("Route::Dav", "its variants are listed one by one"),
    ("Route::Malformed", "names nothing"),
    ("Route::Unknown", "names nothing"),
    ("Route::PushSocket", "a socket; log-in, rights and their end are tested in `notify`"),
    ("Route::Link", "for whoever has the link; tested in `links`"),
    ("Route::LinkPage", "for whoever has the link; tested in `links`"),
    ("DavRoute::Unknown", "names nothing"),
    ("DavRoute::Bulk", "has no path of its own: names files below the caller's root; tested in `bulk`"),
    ("DavRoute::PublicCalendar", "for whoever has the link; tested in `publishing`"),
    ("DavRoute::Direct", "for whoever has the address; tested in `direct_links`"),
    ("Route::Office", "off unless an office server is configured; tested in `office`"),
    ("DavRoute::PushRegistration", "named by a secret of its own; tested in `push`"),
];

const FILE: &str = "/remote.php/dav/files/alice/{word}/{word}.txt";
const CALENDAR: &str = "/remote.php/dav/calendars/alice/{word}/";
const EVENT: &str = "/remote.php/dav/calendars/alice/{word}/{word}.ics";
const BOOK: &str = "/remote.php/dav/addressbooks/users/alice/{word}/";
const UPLOAD: &str = "/remote.php/dav/uploads/alice/{word}/";
const JSON: &str = "ocs-apirequest: true\naccept: application/json";

pub(super) const ROUTES: &[Row] = &[
    // Pages that anybody may see.
    row("Route::Landing", "GET", "/", 200).open(),
    row("Route::Status", "GET", "/status.php", 200).open(),
    row("Route::Connectivity", "GET", "/204", 204).open(),
    row("Route::Robots", "GET", "/robots.txt", 200).open(),
    row("Route::LinkStyle", "GET", "/core/css/link.css", 200).open(),
    row("Route::WellKnownDav", "GET", "/.well-known/caldav", 301).open(),
    row("Route::Login", "POST", "/index.php/login/v2", 200).open(),
    row("Route::Wipe", "POST", "/index.php/core/wipe/check", 404).open(),
    row("Route::PushPreAuth", "POST", "/index.php/apps/notify_push/pre_auth", 200),
    // Pictures.
    row("Route::Image", "GET", "/index.php/core/preview?fileId={id}&x=64&y=64&a=1", 200),
    row("Route::Image", "GET", "/core/preview.png?file=/{word}/{word}.txt&x=64&y=64", 200),
    row("Route::Image", "GET", "/index.php/apps/files/api/v1/thumbnail/64/64/{word}/{word}.txt", 200),
    row("Route::Image", "GET", "/apps/files_versions/preview?file=/{word}/{word}.txt&version={version}&x=64&y=64", 200),
    row("Route::Image", "GET", "/index.php/avatar/alice/64", 200).open(),
    row("Route::Image", "DELETE", "/index.php/avatar/", 200),
    row("Route::Image", "GET", "/index.php/apps/theming/manifest", 200).open(),
    row("DavRoute::Avatar", "GET", "/remote.php/dav/avatars/alice/64.png", 200),
    // What is above the homes.
    row("DavRoute::Front", "PROPFIND", "/", 207).with("depth: 0"),
    row("DavRoute::Root", "PROPFIND", "/remote.php/dav/", 207).with("depth: 1"),
    row("DavRoute::PrincipalKinds", "PROPFIND", "/remote.php/dav/principals/", 207).with("depth: 1"),
    row("DavRoute::Principals", "PROPFIND", "/remote.php/dav/principals/users/", 207).with("depth: 1"),
    row("DavRoute::Principal", "PROPFIND", "/remote.php/dav/principals/users/alice/", 207).with("depth: 0"),
    row("DavRoute::Groups", "PROPFIND", "/remote.php/dav/principals/groups/", 207).with("depth: 1"),
    row("DavRoute::Group", "PROPFIND", "/remote.php/dav/principals/groups/everyone/", 207).with("depth: 0"),
    row("DavRoute::Homes", "PROPFIND", "/remote.php/dav/files/", 207).with("depth: 1"),
    row("DavRoute::HomesOf", "PROPFIND", "/remote.php/dav/trashbin/", 207).with("depth: 1"),
    row("DavRoute::AreaHomes", "PROPFIND", "/remote.php/dav/calendars/", 207).with("depth: 1"),
    row("DavRoute::AddressBookKinds", "PROPFIND", "/remote.php/dav/addressbooks/", 207).with("depth: 1"),
    // OCS.
    row("mod GET cloud, user", "GET", "/ocs/v2.php/cloud/user", 200).with(JSON),
    row("mod GET core, getapppassword", "GET", "/ocs/v2.php/core/getapppassword", 200).with(JSON),
    row("mod DELETE core, apppassword", "DELETE", "/ocs/v2.php/core/apppassword", 403).with(JSON),
    row("mod GET core, navigation, apps | settings", "GET", "/ocs/v2.php/core/navigation/apps", 200).with(JSON),
    row("mod PUT apps, files_lock, lock, id", "PUT", "/ocs/v2.php/apps/files_lock/lock/{id}", 200).with(JSON),
    row("mod DELETE apps, files_lock, lock, id", "DELETE", "/ocs/v2.php/apps/files_lock/lock/{id}", 200).with(JSON),
    row("mod POST apps, dav, api, v1, direct", "POST", "/ocs/v2.php/apps/dav/api/v1/direct", 200)
        .with(JSON).sending("fileId={id}"),
    row("mod POST apps, richdocuments, api, v1, document", "POST", "/ocs/v2.php/apps/richdocuments/api/v1/document", 404)
        .with(JSON).sending("fileId={id}"),
    // Notes: this file is none, which is all that is said of it.
    row("Route::Notes", "GET", "/index.php/apps/notes/api/v1/notes/{id}", 404),
    row("Route::Notes", "PUT", "/index.php/apps/notes/api/v1/notes/{id}", 404).sending("content=taken%20over"),
    row("Route::Notes", "DELETE", "/index.php/apps/notes/api/v1/notes/{id}", 404),
    // What members are told.
    row("notifications GET notifications", "GET", "/ocs/v2.php/apps/notifications/api/v2/notifications", 200).with(JSON),
    row("notifications GET notifications, id", "GET", "/ocs/v2.php/apps/notifications/api/v2/notifications/{id}", 404).with(JSON),
    row("notifications DELETE notifications, id", "DELETE", "/ocs/v2.php/apps/notifications/api/v2/notifications/{id}", 404).with(JSON),
    row("notifications DELETE notifications", "DELETE", "/ocs/v2.php/apps/notifications/api/v2/notifications", 200).with(JSON),
    row("notifications POST notifications, exists", "POST", "/ocs/v2.php/apps/notifications/api/v2/notifications/exists", 200).with(JSON),
    row("notifications POST push", "POST", "/ocs/v2.php/apps/notifications/api/v2/push", 404).with(JSON),
    row("notifications DELETE push", "DELETE", "/ocs/v2.php/apps/notifications/api/v2/push", 200).with(JSON),
    row("activity GET activity, filters", "GET", "/ocs/v2.php/apps/activity/api/v2/activity/filters", 200).with(JSON),
    row("activity GET activity", "GET", "/ocs/v2.php/apps/activity/api/v2/activity", 200).with(JSON),
    row("activity GET activity, filter", "GET", "/ocs/v2.php/apps/activity/api/v2/activity/filter?object_type=files&object_id={id}", 200).with(JSON),
    row("user_status GET user_status", "GET", "/ocs/v2.php/apps/user_status/api/v1/user_status", 404).with(JSON),
    row("user_status PUT user_status, status", "PUT", "/ocs/v2.php/apps/user_status/api/v1/user_status/status?statusType=away", 200).with(JSON),
    row("user_status PUT user_status, message, predefined", "PUT", "/ocs/v2.php/apps/user_status/api/v1/user_status/message/predefined?messageId=meeting", 200).with(JSON),
    row("user_status PUT user_status, message, custom", "PUT", "/ocs/v2.php/apps/user_status/api/v1/user_status/message/custom?message={word}", 200).with(JSON),
    row("user_status DELETE user_status, message", "DELETE", "/ocs/v2.php/apps/user_status/api/v1/user_status/message", 200).with(JSON),
    row("user_status PUT heartbeat", "PUT", "/ocs/v2.php/apps/user_status/api/v1/heartbeat?status=online", 204).with(JSON),
    row("user_status GET predefined_statuses", "GET", "/ocs/v2.php/apps/user_status/api/v1/predefined_statuses", 200).with(JSON),
    row("user_status GET statuses", "GET", "/ocs/v2.php/apps/user_status/api/v1/statuses", 200).with(JSON),
    row("user_status GET statuses, login", "GET", "/ocs/v2.php/apps/user_status/api/v1/statuses/alice", 200).with(JSON),
    row("mod GET cloud, user, fields", "GET", "/ocs/v2.php/cloud/user/fields", 200).with(JSON),
    row("mod POST core, apppassword, rotate", "POST", "/ocs/v2.php/core/apppassword/rotate", 403).with(JSON),
    row("mod PUT core, apppassword, confirm", "PUT", "/ocs/v2.php/core/apppassword/confirm?password=wrong", 403).with(JSON),
    row("mod GET core, autocomplete, get", "GET", "/ocs/v2.php/core/autocomplete/get?search=bo&itemType=&itemId=&shareTypes[]=0", 200).with(JSON),
    row("mod GET hovercard, v1, login", "GET", "/ocs/v2.php/hovercard/v1/alice", 200).with(JSON),
    row("mod GET apps, password_policy, api, v1, generate", "GET", "/ocs/v2.php/apps/password_policy/api/v1/generate", 200).with(JSON),
    row("mod POST apps, password_policy, api, v1, validate", "POST", "/ocs/v2.php/apps/password_policy/api/v1/validate?password=correct-horse-battery-7", 200).with(JSON),
    row("mod GET apps, groupfolders, folders", "GET", "/ocs/v2.php/apps/groupfolders/folders", 200).with(JSON),
    row("mod GET search, providers", "GET", "/ocs/v2.php/search/providers", 200).with(JSON),
    row("mod GET search, providers, provider, search", "GET", "/ocs/v2.php/search/providers/files/search?term={word}", 200).with(JSON),
    row("mod GET", "GET", "/ocs/v2.php/cloud/users", 200).with(JSON),
    row("mod POST", "POST", "/ocs/v2.php/cloud/users?userid=nina&password=a-long-word-7", 200).with(JSON),
    row("mod GET details | recent", "GET", "/ocs/v2.php/cloud/users/details", 200).with(JSON),
    row("mod GET disabled", "GET", "/ocs/v2.php/cloud/users/disabled", 200).with(JSON),
    row("mod GET login", "GET", "/ocs/v2.php/cloud/users/alice", 200).with(JSON),
    row("mod PUT login", "PUT", "/ocs/v2.php/cloud/users/alice?key=displayname&value=Taken", 200).with(JSON),
    row("mod PUT login, disable", "PUT", "/ocs/v2.php/cloud/users/nina/disable", 200).with(JSON),
    row("mod PUT login, enable", "PUT", "/ocs/v2.php/cloud/users/nina/enable", 200).with(JSON),
    row("mod POST login, wipe", "POST", "/ocs/v2.php/cloud/users/nina/wipe", 200).with(JSON),
    row("mod GET login, groups", "GET", "/ocs/v2.php/cloud/users/alice/groups", 200).with(JSON),
    row("mod POST login, groups", "POST", "/ocs/v2.php/cloud/users/nina/groups?groupid=printers", 200).with(JSON),
    row("mod DELETE login, groups", "DELETE", "/ocs/v2.php/cloud/users/nina/groups?groupid=printers", 200).with(JSON),
    row("mod GET login, subadmins", "GET", "/ocs/v2.php/cloud/users/alice/subadmins", 200).with(JSON),
    row("mod DELETE login", "DELETE", "/ocs/v2.php/cloud/users/nina", 200).with(JSON),
    row("mod GET details", "GET", "/ocs/v2.php/cloud/groups/details", 200).with(JSON),
    row("mod GET name", "GET", "/ocs/v2.php/cloud/groups/printers", 200).with(JSON),
    row("mod GET name, users, details", "GET", "/ocs/v2.php/cloud/groups/printers/users/details", 200).with(JSON),
    row("mod GET name, subadmins", "GET", "/ocs/v2.php/cloud/groups/printers/subadmins", 200).with(JSON),
    row("mod PUT name", "PUT", "/ocs/v2.php/cloud/groups/printers?key=displayname&value=Taken", 200).with(JSON),
    row("sharing GET shares", "GET", "/ocs/v2.php/apps/files_sharing/api/v1/shares?path=/{word}", 200).with(JSON),
    row("sharing GET shares, inherited", "GET", "/ocs/v2.php/apps/files_sharing/api/v1/shares/inherited?path=/{word}/{word}.txt", 200).with(JSON),
    row("sharing GET shares, pending", "GET", "/ocs/v2.php/apps/files_sharing/api/v1/shares/pending", 200).with(JSON),
    row("sharing GET deletedshares", "GET", "/ocs/v2.php/apps/files_sharing/api/v1/deletedshares", 200).with(JSON),
    row("sharing GET shares, id", "GET", "/ocs/v2.php/apps/files_sharing/api/v1/shares/{share}", 200).with(JSON),
    row("sharing GET sharees", "GET", "/ocs/v2.php/apps/files_sharing/api/v1/sharees?search=bo&itemType=file", 200).with(JSON),
    row("sharing GET sharees_recommended", "GET", "/ocs/v2.php/apps/files_sharing/api/v1/sharees_recommended?itemType=file", 200).with(JSON),
    row("sharing GET remote_shares", "GET", "/ocs/v2.php/apps/files_sharing/api/v1/remote_shares", 200).with(JSON),
    row("sharing POST shares", "POST", "/ocs/v2.php/apps/files_sharing/api/v1/shares?path=/{word}&shareType=0&shareWith=bob&permissions=31", 200).with(JSON),
    row("sharing POST shares, pending, id", "POST", "/ocs/v2.php/apps/files_sharing/api/v1/shares/pending/{share}", 404).with(JSON),
    row("sharing DELETE shares, pending, id", "DELETE", "/ocs/v2.php/apps/files_sharing/api/v1/shares/pending/{share}", 404).with(JSON),
    row("sharing POST deletedshares, id", "POST", "/ocs/v2.php/apps/files_sharing/api/v1/deletedshares/{share}", 404).with(JSON),
    row("sharing PUT shares, id", "PUT", "/ocs/v2.php/apps/files_sharing/api/v1/shares/{share}?permissions=1", 200).with(JSON),
    row("sharing DELETE shares, id", "DELETE", "/ocs/v2.php/apps/files_sharing/api/v1/shares/{share}", 200).with(JSON),
    row("mod DELETE name", "DELETE", "/ocs/v2.php/cloud/groups/printers", 200).with(JSON),
    // Pictures, tags, comments.
    row("DavRoute::Avatar", "GET", "/remote.php/dav/avatars/alice/64.png", 200),
    row("Route::Image", "GET", "/index.php/core/preview?fileId={id}&x=32&y=32", 200),
    row("Route::Image", "GET", "/index.php/apps/files_versions/preview?file=/{word}/{word}.txt&version={version}", 200),
    row("Route::Image", "GET", "/index.php/apps/files/api/v1/thumbnail/32/32/{word}/{word}.txt", 200),
    row("DavRoute::Tags", "PROPFIND", "/remote.php/dav/systemtags/", 207).with("depth: 1"),
    row("DavRoute::TagsOfFiles", "PROPFIND", "/remote.php/dav/systemtags-relations/files/{id}/", 207).with("depth: 1"),
    row("DavRoute::Comments", "POST", "/remote.php/dav/comments/files/{id}/", 201)
        .with("content-type: application/json")
        .sending("{\"actorType\":\"users\",\"verb\":\"comment\",\"message\":\"taken\"}"),
    row("DavRoute::Comments", "PROPFIND", "/remote.php/dav/comments/files/{id}/", 207).with("depth: 1"),
    // Versions and trash.
    row("DavRoute::Versions", "PROPFIND", "/remote.php/dav/versions/alice/versions/{id}/", 207).with("depth: 1"),
    row("DavRoute::Versions", "GET", "/remote.php/dav/versions/alice/versions/{id}/{version}", 200),
    row("DavRoute::Versions", "MOVE", "/remote.php/dav/versions/alice/versions/{id}/{version}", 201)
        .with("destination: /remote.php/dav/versions/alice/restore/target"),
    row("DavRoute::Trash", "PROPFIND", "/remote.php/dav/trashbin/alice/trash/", 207).with("depth: 1"),
    row("DavRoute::Trash", "GET", "/remote.php/dav/trashbin/alice/trash/{trashed}", 200),
    row("DavRoute::Trash", "MOVE", "/remote.php/dav/trashbin/alice/trash/{trashed}", 201)
        .with("destination: /remote.php/dav/trashbin/alice/restore/{trashed}"),
    row("DavRoute::Trash", "DELETE", "/remote.php/dav/trashbin/alice/trash", 204),
    // Uploads.
    row("DavRoute::Uploads", "PROPFIND", UPLOAD, 207).with("depth: 1"),
    row("DavRoute::Uploads", "PUT", "/remote.php/dav/uploads/alice/{word}/00002", 201)
        .with("destination: /remote.php/dav/files/alice/{word}/up.txt").sending("more"),
    row("DavRoute::Uploads", "MOVE", "/remote.php/dav/uploads/alice/{word}/.file", 201)
        .with("destination: /remote.php/dav/files/alice/{word}/up.txt"),
    // Files.
    row("DavRoute::Files", "PROPFIND", "/remote.php/dav/files/alice/{word}/", 207).with("depth: 1"),
    row("DavRoute::Files", "GET", FILE, 200),
    row("DavRoute::Files", "PUT", FILE, 204).sending("taken over"),
    row("DavRoute::Files", "MKCOL", "/remote.php/dav/files/alice/{word}/new", 201),
    row("DavRoute::Files", "COPY", FILE, 201).with("destination: /remote.php/dav/files/alice/{word}/copy.txt"),
    row("DavRoute::Files", "LOCK", FILE, 200)
        .with("content-type: application/xml")
        .sending("<d:lockinfo xmlns:d='DAV:'><d:lockscope><d:shared/></d:lockscope><d:locktype><d:write/></d:locktype></d:lockinfo>"),
    row("DavRoute::Files", "REPORT", "/remote.php/dav/files/alice/{word}/", 207)
        .with("depth: 1")
        .sending("<d:sync-collection xmlns:d='DAV:'><d:sync-token/><d:sync-level>1</d:sync-level><d:prop><d:getetag/></d:prop></d:sync-collection>"),
    row("DavRoute::LegacyFiles", "GET", "/remote.php/webdav/{word}/copy.txt", 200),
    row("DavRoute::LegacyFiles", "PROPPATCH", "/remote.php/webdav/{word}/", 207)
        .sending("<d:propertyupdate xmlns:d='DAV:' xmlns:o='http://owncloud.org/ns'><d:set><d:prop><o:favorite>1</o:favorite></d:prop></d:set></d:propertyupdate>"),
    row("DavRoute::Files", "MOVE", "/remote.php/dav/files/alice/{word}/copy.txt", 201)
        .with("destination: /remote.php/dav/files/alice/{word}/moved.txt"),
    row("DavRoute::Files", "DELETE", "/remote.php/dav/files/alice/{word}/moved.txt", 204),
    // Calendars and address books.
    row("DavRoute::Area", "PROPFIND", CALENDAR, 207).with("depth: 1"),
    row("DavRoute::Area", "GET", EVENT, 200),
    row("DavRoute::Area", "REPORT", CALENDAR, 207)
        .with("depth: 1")
        .sending("<c:calendar-query xmlns:d='DAV:' xmlns:c='urn:ietf:params:xml:ns:caldav'><d:prop><c:calendar-data/></d:prop><c:filter><c:comp-filter name='VCALENDAR'/></c:filter></c:calendar-query>"),
    row("DavRoute::Area", "DELETE", EVENT, 204),
    row("DavRoute::Area", "DELETE", CALENDAR, 204),
    row("DavRoute::Area", "PROPFIND", BOOK, 207).with("depth: 1"),
    row("DavRoute::Area", "DELETE", BOOK, 204),
];
