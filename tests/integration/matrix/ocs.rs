//! Rows: the calls of OCS.

use super::column::{BLIND, KEEPING, MISTAKEN, READING, Who};
use super::row::{Effect, Row, ocs};
use super::verdict::Asks::{Account, Manages, Nothing, Owns, Reads, Shares, Updates};

/// Anybody may ask, but wrong credentials are said to be wrong.
const SAID: &str = "credentials that are no good are said to be no good";
/// The shares of the document that the owner is told of.
const SHARES: &str = "/ocs/v2.php/apps/files_sharing/api/v1/shares?path=/{word}/{word}.odt&reshares=true";
const HERSELF: &str = "it is about herself";
const WORDS: &str = "the status that the apps know for these words";

pub(super) const ROWS: &[Row] = &[
    // What the caller is told of the server and of themselves.
    ocs("GET", "/cloud/capabilities", Nothing, 200).told(MISTAKEN, 401, SAID).told(&[Who::Disabled], 403, SAID),
    ocs("GET", "/cloud/user", Account, 200),
    ocs("GET", "/cloud/user/fields", Account, 200),
    ocs("GET", "/cloud/user/fields/alice", Account, 200),
    ocs("GET", "/core/getapppassword", Account, 200),
    ocs("POST", "/core/apppassword/rotate", Account, 403),
    ocs("PUT", "/core/apppassword/confirm?password=wrong", Account, 403),
    ocs("DELETE", "/core/apppassword", Account, 403),
    ocs("GET", "/core/navigation/apps", Account, 200),
    ocs("GET", "/core/autocomplete/get?search=bo&itemType=&itemId=&shareTypes[]=0", Account, 200),
    ocs("GET", "/hovercard/v1/alice", Account, 200),
    ocs("GET", "/apps/password_policy/api/v1/generate", Account, 200),
    ocs("POST", "/apps/password_policy/api/v1/validate?password=correct-horse-battery-7", Account, 200),
    ocs("POST", "/apps/provisioning_api/api/v1/config/users/core/lang?configValue=fr", Account, 200),
    ocs("GET", "/apps/groupfolders/folders", Account, 200),
    ocs("GET", "/search/providers", Account, 200),
    ocs("GET", "/search/providers/files/search?term={word}", Account, 200),
    // What members are told.
    ocs("GET", "/apps/notifications/api/v2/notifications", Account, 200),
    ocs("GET", "/apps/notifications/api/v2/notifications/{id}", Account, 404),
    ocs("DELETE", "/apps/notifications/api/v2/notifications/{id}", Account, 404),
    ocs("DELETE", "/apps/notifications/api/v2/notifications", Account, 200),
    ocs("POST", "/apps/notifications/api/v2/notifications/exists", Account, 200),
    ocs("POST", "/apps/notifications/api/v2/push", Account, 404),
    ocs("DELETE", "/apps/notifications/api/v2/push", Account, 200),
    ocs("GET", "/apps/activity/api/v2/activity/filters", Account, 200),
    ocs("GET", "/apps/activity/api/v2/activity", Account, 200),
    ocs("GET", "/apps/activity/api/v2/activity/filter?object_type=files&object_id={id}", Account, 200).told(
        BLIND,
        304,
        "nothing is new",
    ),
    ocs("GET", "/apps/user_status/api/v1/user_status", Account, 404).told(&[Who::Owner], 200, "she has set one"),
    ocs("PUT", "/apps/user_status/api/v1/user_status/status?statusType=away", Account, 200),
    ocs("PUT", "/apps/user_status/api/v1/user_status/message/predefined?messageId=meeting", Account, 200),
    ocs("PUT", "/apps/user_status/api/v1/user_status/message/custom?message={word}", Account, 200),
    ocs("DELETE", "/apps/user_status/api/v1/user_status/message", Account, 200),
    ocs("PUT", "/apps/user_status/api/v1/heartbeat?status=online", Account, 204),
    ocs("GET", "/apps/user_status/api/v1/predefined_statuses", Account, 200),
    ocs("GET", "/apps/user_status/api/v1/statuses", Account, 200),
    ocs("GET", "/apps/user_status/api/v1/statuses/alice", Account, 200),
    // Files by their numbers.
    ocs("PUT", "/apps/files_lock/lock/{id}", Updates, 200),
    ocs("DELETE", "/apps/files_lock/lock/{id}", Updates, 200).told(READING, 412, "there is no lock to end"),
    ocs("POST", "/apps/dav/api/v1/direct", Reads, 200).with_form("fileId={id}"),
    ocs("POST", "/apps/richdocuments/api/v1/document", Reads, 200).with_form("fileId={document}"),
    // Accounts and groups.
    ocs("GET", "/cloud/users", Manages, 200),
    ocs("POST", "/cloud/users?userid=nina&password=a-long-word-7", Manages, 200),
    ocs("GET", "/cloud/users/details", Manages, 200),
    ocs("GET", "/cloud/users/disabled", Manages, 200),
    ocs("GET", "/cloud/users/alice", Owns, 200).told(&[Who::Namesake], 200, HERSELF),
    ocs("PUT", "/cloud/users/alice?key=displayname&value=Taken", Owns, 200).told(&[Who::Namesake], 200, HERSELF),
    ocs("PUT", "/cloud/users/nina/disable", Manages, 200),
    ocs("PUT", "/cloud/users/nina/enable", Manages, 200),
    ocs("POST", "/cloud/users/nina/wipe", Manages, 200),
    ocs("GET", "/cloud/users/alice/groups", Owns, 200).told(&[Who::Namesake], 200, HERSELF),
    ocs("POST", "/cloud/users/nina/groups?groupid=printers", Manages, 200),
    ocs("DELETE", "/cloud/users/nina/groups?groupid=printers", Manages, 200),
    ocs("GET", "/cloud/users/alice/subadmins", Manages, 200),
    ocs("DELETE", "/cloud/users/nina", Manages, 200),
    ocs("GET", "/cloud/groups", Manages, 200),
    ocs("GET", "/cloud/groups/details", Manages, 200),
    ocs("POST", "/cloud/groups?groupid=made", Manages, 200),
    ocs("GET", "/cloud/groups/printers", Manages, 200),
    ocs("GET", "/cloud/groups/printers/users", Manages, 200),
    ocs("GET", "/cloud/groups/printers/users/details", Manages, 200),
    ocs("GET", "/cloud/groups/printers/subadmins", Manages, 200),
    ocs("PUT", "/cloud/groups/printers?key=displayname&value=Taken", Manages, 200),
    ocs("DELETE", "/cloud/groups/made", Manages, 200),
    // Shares and links.
    ocs("GET", "/apps/files_sharing/api/v1/shares?path=/{word}", Reads, 200),
    ocs("GET", "/apps/files_sharing/api/v1/shares?shared_with_me=true", Account, 200),
    ocs("GET", "/apps/files_sharing/api/v1/shares/inherited?path=/{word}/{word}.txt", Reads, 200),
    ocs("GET", "/apps/files_sharing/api/v1/shares/pending", Account, 200),
    ocs("GET", "/apps/files_sharing/api/v1/deletedshares", Account, 200),
    ocs("GET", "/apps/files_sharing/api/v1/shares/{share}", Owns, 200),
    ocs("GET", "/apps/files_sharing/api/v1/shares/{link}", Owns, 200),
    ocs("GET", "/apps/files_sharing/api/v1/sharees?search=bo&itemType=file", Account, 200),
    ocs("GET", "/apps/files_sharing/api/v1/sharees_recommended?itemType=file", Account, 200),
    ocs("GET", "/apps/files_sharing/api/v1/remote_shares", Account, 200),
    ocs("GET", "/apps/files_sharing/api/v1/remote_shares/pending", Account, 200),
    ocs("GET", "/apps/files_downloadlimit/api/v1/{alices}/limit", Owns, 200),
    ocs("PUT", "/apps/files_downloadlimit/api/v1/{alices}/limit", Owns, 200)
        .with_form("limit=5")
        .effect(Effect::Shows("/ocs/v2.php/apps/files_downloadlimit/api/v1/{alices}/limit", "\"limit\":5")),
    ocs("DELETE", "/apps/files_downloadlimit/api/v1/{alices}/limit", Owns, 200),
    ocs(
        "POST",
        "/apps/files_sharing/api/v1/shares?path=/{word}/{word}.odt&shareType=1&shareWith=everyone&permissions=1",
        Shares,
        200,
    )
    .effect(Effect::Shows(SHARES, "\"share_with\":\"everyone\""))
    .told(KEEPING, 404, WORDS),
    ocs("POST", "/apps/files_sharing/api/v1/shares?path=/{word}/{word}.odt&shareType=3", Shares, 200)
        .effect(Effect::Shows(SHARES, "\"share_type\":3"))
        .told(KEEPING, 404, WORDS),
    ocs("POST", "/apps/files_sharing/api/v1/shares/pending/{share}", Account, 404),
    ocs("DELETE", "/apps/files_sharing/api/v1/shares/pending/{share}", Account, 404),
    ocs("POST", "/apps/files_sharing/api/v1/deletedshares/{share}", Account, 404),
    ocs("PUT", "/apps/files_sharing/api/v1/shares/{share}?permissions=1&note=taken", Owns, 200),
    ocs("PUT", "/apps/files_sharing/api/v1/shares/{link}?permissions=1", Owns, 200),
];

/// Rows that take away what the others need.
pub(super) const LAST: &[Row] = &[
    ocs("DELETE", "/apps/files_sharing/api/v1/shares/{link}", Owns, 200),
    ocs("DELETE", "/apps/files_sharing/api/v1/shares/{share}", Owns, 200),
    ocs("DELETE", "/cloud/groups/printers", Manages, 200),
];
