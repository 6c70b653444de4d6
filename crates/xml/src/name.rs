//! Names of elements and properties, as constants with their namespace.

use std::borrow::Cow;
use std::fmt;

/// An expanded name: a namespace, which may be empty, and a local part.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    /// The namespace name, such as `DAV:`; empty for none.
    pub namespace: Cow<'static, str>,
    /// The local part.
    pub local: Cow<'static, str>,
}

impl Name {
    /// A name known at compile time.
    pub const fn new(namespace: &'static str, local: &'static str) -> Name {
        Name { namespace: Cow::Borrowed(namespace), local: Cow::Borrowed(local) }
    }

    /// A name that came from outside.
    pub fn owned(namespace: impl Into<String>, local: impl Into<String>) -> Name {
        Name { namespace: Cow::Owned(namespace.into()), local: Cow::Owned(local.into()) }
    }

    /// Whether the name is in that namespace.
    pub fn is_in(&self, namespace: &str) -> bool {
        self.namespace == namespace
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{}}}{}", self.namespace, self.local)
    }
}

/// The namespaces whose prefix is always the same on the way out, with that prefix.
pub(crate) const PREFIXES: &[(&str, &str)] = &[
    (dav::NAMESPACE, "d"),
    (oc::NAMESPACE, "oc"),
    (nc::NAMESPACE, "nc"),
    (sabre::NAMESPACE, "s"),
    (caldav::NAMESPACE, "cal"),
    (carddav::NAMESPACE, "card"),
    (cs::NAMESPACE, "cs"),
    (apple::NAMESPACE, "ical"),
    (push::NAMESPACE, "push"),
];

/// The namespaces that the root of every answer declares.
pub(crate) const ROOT_NAMESPACES: &[&str] = &[dav::NAMESPACE, sabre::NAMESPACE, oc::NAMESPACE, nc::NAMESPACE];

macro_rules! names {
    ($(#[$doc:meta])* $module:ident, $namespace:literal: $($constant:ident = $local:literal,)*) => {
        $(#[$doc])*
        pub mod $module {
            use super::Name;

            /// The namespace name.
            pub const NAMESPACE: &str = $namespace;
            $(
                #[doc = concat!("`", $local, "`")]
                pub const $constant: Name = Name::new(NAMESPACE, $local);
            )*
        }
    };
}

names! {
    /// RFC 4918, 3253, 3744, 4331, 5323, 5397, 5689, 5995, 6578.
    dav, "DAV:":
    ACTIVELOCK = "activelock",
    ALLPROP = "allprop",
    ASCENDING = "ascending",
    BASICSEARCH = "basicsearch",
    BIND = "bind",
    COLLECTION = "collection",
    CREATIONDATE = "creationdate",
    DEPTH = "depth",
    DESCENDING = "descending",
    DISPLAYNAME = "displayname",
    ERROR = "error",
    EXCLUSIVE = "exclusive",
    GETCONTENTLANGUAGE = "getcontentlanguage",
    GETCONTENTLENGTH = "getcontentlength",
    GETCONTENTTYPE = "getcontenttype",
    GETETAG = "getetag",
    GETLASTMODIFIED = "getlastmodified",
    HREF = "href",
    INCLUDE = "include",
    LOCATION = "location",
    LOCKDISCOVERY = "lockdiscovery",
    LOCKENTRY = "lockentry",
    LOCKINFO = "lockinfo",
    LOCKROOT = "lockroot",
    LOCKSCOPE = "lockscope",
    LOCKTOKEN = "locktoken",
    LOCKTYPE = "locktype",
    MULTISTATUS = "multistatus",
    OWNER = "owner",
    PROP = "prop",
    PROPERTYUPDATE = "propertyupdate",
    PROPFIND = "propfind",
    PROPNAME = "propname",
    PROPSTAT = "propstat",
    REMOVE = "remove",
    RESOURCETYPE = "resourcetype",
    RESPONSE = "response",
    RESPONSEDESCRIPTION = "responsedescription",
    SET = "set",
    SHARED = "shared",
    STATUS = "status",
    SUPPORTEDLOCK = "supportedlock",
    TIMEOUT = "timeout",
    WRITE = "write",
    LOCK_TOKEN_MATCHES_REQUEST_URI = "lock-token-matches-request-uri",
    LOCK_TOKEN_SUBMITTED = "lock-token-submitted",
    NO_CONFLICTING_LOCK = "no-conflicting-lock",
    NO_EXTERNAL_ENTITIES = "no-external-entities",
    PRESERVED_LIVE_PROPERTIES = "preserved-live-properties",
    PROPFIND_FINITE_DEPTH = "propfind-finite-depth",
    CANNOT_MODIFY_PROTECTED_PROPERTY = "cannot-modify-protected-property",
    QUOTA_AVAILABLE_BYTES = "quota-available-bytes",
    QUOTA_USED_BYTES = "quota-used-bytes",
    QUOTA_NOT_EXCEEDED = "quota-not-exceeded",
    SUFFICIENT_DISK_SPACE = "sufficient-disk-space",
    CURRENT_USER_PRINCIPAL = "current-user-principal",
    UNAUTHENTICATED = "unauthenticated",
    AUTHENTICATED = "authenticated",
    MKCOL = "mkcol",
    MKCOL_RESPONSE = "mkcol-response",
    VALID_RESOURCETYPE = "valid-resourcetype",
    SYNC_COLLECTION = "sync-collection",
    SYNC_TOKEN = "sync-token",
    SYNC_LEVEL = "sync-level",
    LIMIT = "limit",
    NRESULTS = "nresults",
    VALID_SYNC_TOKEN = "valid-sync-token",
    NUMBER_OF_MATCHES_WITHIN_LIMITS = "number-of-matches-within-limits",
    SYNC_TRAVERSAL_SUPPORTED = "sync-traversal-supported",
    SUPPORTED_REPORT_SET = "supported-report-set",
    SUPPORTED_REPORT = "supported-report",
    REPORT = "report",
    EXPAND_PROPERTY = "expand-property",
    PROPERTY = "property",
    SUPPORTED_METHOD_SET = "supported-method-set",
    VERSION_TREE = "version-tree",
    PRINCIPAL = "principal",
    PRINCIPAL_URL = "principal-URL",
    PRINCIPAL_COLLECTION_SET = "principal-collection-set",
    PRINCIPAL_PROPERTY_SEARCH = "principal-property-search",
    PRINCIPAL_SEARCH_PROPERTY_SET = "principal-search-property-set",
    PRINCIPAL_SEARCH_PROPERTY = "principal-search-property",
    PROPERTY_SEARCH = "property-search",
    MATCH = "match",
    DESCRIPTION = "description",
    ALTERNATE_URI_SET = "alternate-URI-set",
    GROUP_MEMBER_SET = "group-member-set",
    GROUP_MEMBERSHIP = "group-membership",
    CURRENT_USER_PRIVILEGE_SET = "current-user-privilege-set",
    SUPPORTED_PRIVILEGE_SET = "supported-privilege-set",
    PRIVILEGE = "privilege",
    ALL = "all",
    READ = "read",
    WRITE_PROPERTIES = "write-properties",
    WRITE_CONTENT = "write-content",
    UNLOCK = "unlock",
    READ_ACL = "read-acl",
    READ_CURRENT_USER_PRIVILEGE_SET = "read-current-user-privilege-set",
    WRITE_ACL = "write-acl",
    UNBIND = "unbind",
    NEED_PRIVILEGES = "need-privileges",
    RESOURCE = "resource",
    ACL = "acl",
    ACE = "ace",
    GRANT = "grant",
    DENY = "deny",
    INHERITED = "inherited",
    PROTECTED = "protected",
    ACL_RESTRICTIONS = "acl-restrictions",
    INHERITED_ACL_SET = "inherited-acl-set",
    RESOURCE_ID = "resource-id",
    ADD_MEMBER = "add-member",
    SEARCHREQUEST = "searchrequest",
    SELECT = "select",
    FROM = "from",
    SCOPE = "scope",
    WHERE = "where",
    ORDERBY = "orderby",
    ORDER = "order",
    AND = "and",
    OR = "or",
    NOT = "not",
    EQ = "eq",
    LT = "lt",
    LTE = "lte",
    GT = "gt",
    GTE = "gte",
    LIKE = "like",
    LITERAL = "literal",
    IS_COLLECTION = "is-collection",
    IS_DEFINED = "is-defined",
    CONTAINS = "contains",
    SEARCH_GRAMMAR_SUPPORTED = "search-grammar-supported",
    SUPPORTED_QUERY_GRAMMAR = "supported-query-grammar",
    SUPPORTED_QUERY_GRAMMAR_SET = "supported-query-grammar-set",
    GRAMMAR = "grammar",
    LASTMODIFIED = "lastmodified",
    ISCOLLECTION = "iscollection",
    ISHIDDEN = "ishidden",
    GETCONTENTMD5 = "getcontentmd5",
    LOCK_TOKEN = "lock-token",
    RESOURCE_MUST_BE_NULL = "resource-must-be-null",
    SELF = "self",
    PRINCIPAL_MATCH = "principal-match",
    PRINCIPAL_PROPERTY = "principal-property",
    ACL_PRINCIPAL_PROP_SET = "acl-principal-prop-set",
    INVITE = "invite",
    SHAREE = "sharee",
    SHARE_ACCESS = "share-access",
    SHARED_OWNER = "shared-owner",
    NOT_SHARED = "not-shared",
    READ_WRITE = "read-write",
    INVITE_ACCEPTED = "invite-accepted",
    APPLY_TO_PRINCIPAL_COLLECTION_SET = "apply-to-principal-collection-set",
    SUPPORTED_PRIVILEGE = "supported-privilege",
    ABSTRACT = "abstract",
    GRANT_ONLY = "grant-only",
    NO_INVERT = "no-invert",
    // What the extensions call by names of their own.
    NO_UID_CONFLICT = "no-uid-conflict",
    SUPPORTED_COMPONENT = "supported-component",
    COLLECTION_LOCATION_OK = "collection-location-ok",
    MAX_RESOURCE_SIZE = "max-resource-size",
}

names! {
    /// ownCloud's names, which Nextcloud kept.
    oc, "http://owncloud.org/ns":
    ID = "id",
    FILEID = "fileid",
    PERMISSIONS = "permissions",
    SIZE = "size",
    FAVORITE = "favorite",
    TAGS = "tags",
    TAG = "tag",
    SHARE_TYPES = "share-types",
    SHARE_TYPE = "share-type",
    OWNER_ID = "owner-id",
    OWNER_DISPLAY_NAME = "owner-display-name",
    CHECKSUMS = "checksums",
    CHECKSUM = "checksum",
    DOWNLOAD_URL = "downloadURL",
    D_DC = "dDC",
    DATA_FINGERPRINT = "data-fingerprint",
    COMMENTS_COUNT = "comments-count",
    COMMENTS_UNREAD = "comments-unread",
    COMMENTS_HREF = "comments-href",
    DATETIME = "datetime",
    LIMIT = "limit",
    OFFSET = "offset",
    READ_MARKER = "readMarker",
    PARENT_ID = "parentId",
    TOPMOST_PARENT_ID = "topmostParentId",
    CHILDREN_COUNT = "childrenCount",
    VERB = "verb",
    ACTOR_TYPE = "actorType",
    ACTOR_ID = "actorId",
    ACTOR_DISPLAY_NAME = "actorDisplayName",
    CREATION_DATE_TIME = "creationDateTime",
    LATEST_CHILD_DATE_TIME = "latestChildDateTime",
    OBJECT_TYPE = "objectType",
    OBJECT_ID = "objectId",
    MESSAGE = "message",
    IS_UNREAD = "isUnread",
    MENTIONS = "mentions",
    MENTION = "mention",
    MENTION_TYPE = "mentionType",
    MENTION_ID = "mentionId",
    MENTION_DISPLAY_NAME = "mentionDisplayName",
    PRIVATELINK = "privatelink",
    FILTER_FILES = "filter-files",
    FILTER_RULES = "filter-rules",
    SYSTEMTAG = "systemtag",
    CIRCLE = "circle",
    DISPLAY_NAME = "display-name",
    USER_VISIBLE = "user-visible",
    USER_ASSIGNABLE = "user-assignable",
    CAN_ASSIGN = "can-assign",
    GROUPS = "groups",
    SEARCH_FILES = "search-files",
    FILTER_COMMENTS = "filter-comments",
    CALENDAR_ENABLED = "calendar-enabled",
    ENABLED = "enabled",
    OWNER_PRINCIPAL = "owner-principal",
    READ_ONLY = "read-only",
    INVITE = "invite",
    SHARE = "share",
    USER = "user",
    ACCESS = "access",
    READ = "read",
    READ_WRITE = "read-write",
    COMMON_NAME = "common-name",
    INVITE_ACCEPTED = "invite-accepted",
    SET = "set",
    REMOVE = "remove",
    SUMMARY = "summary",
    PUBLIC = "public",
}

names! {
    /// Nextcloud's names.
    nc, "http://nextcloud.org/ns":
    SHAREES = "sharees",
    SHAREE = "sharee",
    ID = "id",
    DISPLAY_NAME = "display-name",
    TYPE = "type",
    SHARE_ATTRIBUTES = "share-attributes",
    NOTE = "note",
    HIDE_DOWNLOAD = "hide-download",
    HAS_PREVIEW = "has-preview",
    MOUNT_TYPE = "mount-type",
    IS_MOUNT_ROOT = "is-mount-root",
    IS_FEDERATED = "is-federated",
    CREATION_TIME = "creation_time",
    UPLOAD_TIME = "upload_time",
    METADATA_ETAG = "metadata_etag",
    CONTAINED_FOLDER_COUNT = "contained-folder-count",
    CONTAINED_FILE_COUNT = "contained-file-count",
    RICH_WORKSPACE = "rich-workspace",
    RICH_WORKSPACE_FILE = "rich-workspace-file",
    IS_ENCRYPTED = "is-encrypted",
    LOCK = "lock",
    LOCK_OWNER = "lock-owner",
    LOCK_OWNER_DISPLAYNAME = "lock-owner-displayname",
    LOCK_OWNER_TYPE = "lock-owner-type",
    LOCK_OWNER_EDITOR = "lock-owner-editor",
    LOCK_TIME = "lock-time",
    LOCK_TIMEOUT = "lock-timeout",
    LOCK_TOKEN = "lock-token",
    SYSTEM_TAGS = "system-tags",
    SYSTEM_TAG = "system-tag",
    HIDDEN = "hidden",
    REMINDER_DUE_DATE = "reminder-due-date",
    SHARE_DOWNLOAD_LIMITS = "share-download-limits",
    SHARE_DOWNLOAD_LIMIT = "share-download-limit",
    TOKEN = "token",
    LIMIT = "limit",
    COUNT = "count",
    ACL_ENABLED = "acl-enabled",
    ACL_CAN_MANAGE = "acl-can-manage",
    GROUP_FOLDER_ID = "group-folder-id",
    FIRSTRESULT = "firstresult",
    TRASHBIN_FILENAME = "trashbin-filename",
    TRASHBIN_ORIGINAL_LOCATION = "trashbin-original-location",
    TRASHBIN_DELETION_TIME = "trashbin-deletion-time",
    TRASHBIN_TITLE = "trashbin-title",
    TRASHBIN_DELETED_BY_ID = "trashbin-deleted-by-id",
    TRASHBIN_DELETED_BY_DISPLAY_NAME = "trashbin-deleted-by-display-name",
    VERSION_LABEL = "version-label",
    VERSION_AUTHOR = "version-author",
    COLOR = "color",
    METADATA_PHOTOS_SIZE = "metadata-photos-size",
    METADATA_FILES_LIVE_PHOTO = "metadata-files-live-photo",
}

names! {
    /// Open Collaboration Services.
    ocs, "http://open-collaboration-services.org/ns":
    SHARE_PERMISSIONS = "share-permissions",
}

names! {
    /// Open Cloud Mesh.
    ocm, "http://open-cloud-mesh.org/ns":
    SHARE_PERMISSIONS = "share-permissions",
}

names! {
    /// What sabre/dav adds to error bodies, which clients look for.
    sabre, "http://sabredav.org/ns":
    EXCEPTION = "exception",
    MESSAGE = "message",
    HEADER = "header",
    EMAIL_ADDRESS = "email-address",
}

names! {
    /// RFC 4791, 6638, 7809, 7953.
    caldav, "urn:ietf:params:xml:ns:caldav":
    CALENDAR = "calendar",
    CALENDAR_HOME_SET = "calendar-home-set",
    CALENDAR_DESCRIPTION = "calendar-description",
    SUPPORTED_CALENDAR_COMPONENT_SET = "supported-calendar-component-set",
    SUPPORTED_CALENDAR_COMPONENT_SETS = "supported-calendar-component-sets",
    CALENDAR_TIMEZONE = "calendar-timezone",
    CALENDAR_TIMEZONE_ID = "calendar-timezone-id",
    TIMEZONE = "timezone",
    TIMEZONE_ID = "timezone-id",
    TIMEZONE_SERVICE_SET = "timezone-service-set",
    SUPPORTED_CALENDAR_DATA = "supported-calendar-data",
    CALENDAR_DATA = "calendar-data",
    MAX_RESOURCE_SIZE = "max-resource-size",
    MIN_DATE_TIME = "min-date-time",
    MAX_DATE_TIME = "max-date-time",
    MAX_INSTANCES = "max-instances",
    MAX_ATTENDEES_PER_INSTANCE = "max-attendees-per-instance",
    SUPPORTED_COLLATION_SET = "supported-collation-set",
    SUPPORTED_COLLATION = "supported-collation",
    COMP = "comp",
    ALLCOMP = "allcomp",
    ALLPROP = "allprop",
    PROP = "prop",
    EXPAND = "expand",
    LIMIT_RECURRENCE_SET = "limit-recurrence-set",
    LIMIT_FREEBUSY_SET = "limit-freebusy-set",
    FILTER = "filter",
    COMP_FILTER = "comp-filter",
    PROP_FILTER = "prop-filter",
    PARAM_FILTER = "param-filter",
    IS_NOT_DEFINED = "is-not-defined",
    TEXT_MATCH = "text-match",
    TIME_RANGE = "time-range",
    CALENDAR_QUERY = "calendar-query",
    CALENDAR_MULTIGET = "calendar-multiget",
    FREE_BUSY_QUERY = "free-busy-query",
    MKCALENDAR = "mkcalendar",
    MKCALENDAR_RESPONSE = "mkcalendar-response",
    CALENDAR_COLLECTION_LOCATION_OK = "calendar-collection-location-ok",
    VALID_CALENDAR_DATA = "valid-calendar-data",
    VALID_CALENDAR_OBJECT_RESOURCE = "valid-calendar-object-resource",
    SUPPORTED_CALENDAR_COMPONENT = "supported-calendar-component",
    NO_UID_CONFLICT = "no-uid-conflict",
    VALID_FILTER = "valid-filter",
    SUPPORTED_FILTER = "supported-filter",
    VALID_TIMEZONE = "valid-timezone",
    READ_FREE_BUSY = "read-free-busy",
    SCHEDULE_INBOX = "schedule-inbox",
    SCHEDULE_OUTBOX = "schedule-outbox",
    SCHEDULE_INBOX_URL = "schedule-inbox-URL",
    SCHEDULE_OUTBOX_URL = "schedule-outbox-URL",
    CALENDAR_USER_ADDRESS_SET = "calendar-user-address-set",
    CALENDAR_USER_TYPE = "calendar-user-type",
    SCHEDULE_DEFAULT_CALENDAR_URL = "schedule-default-calendar-URL",
    VALID_SCHEDULE_DEFAULT_CALENDAR_URL = "valid-schedule-default-calendar-URL",
    DEFAULT_CALENDAR_NEEDED = "default-calendar-needed",
    SCHEDULE_CALENDAR_TRANSP = "schedule-calendar-transp",
    OPAQUE = "opaque",
    TRANSPARENT = "transparent",
    SCHEDULE_TAG = "schedule-tag",
    SCHEDULE_RESPONSE = "schedule-response",
    RESPONSE = "response",
    RECIPIENT = "recipient",
    REQUEST_STATUS = "request-status",
    CALENDAR_AVAILABILITY = "calendar-availability",
    SCHEDULE_DELIVER = "schedule-deliver",
    SCHEDULE_DELIVER_INVITE = "schedule-deliver-invite",
    SCHEDULE_DELIVER_REPLY = "schedule-deliver-reply",
    SCHEDULE_QUERY_FREEBUSY = "schedule-query-freebusy",
    SCHEDULE_SEND = "schedule-send",
    SCHEDULE_SEND_INVITE = "schedule-send-invite",
    SCHEDULE_SEND_REPLY = "schedule-send-reply",
    SCHEDULE_SEND_FREEBUSY = "schedule-send-freebusy",
    UNIQUE_SCHEDULING_OBJECT_RESOURCE = "unique-scheduling-object-resource",
    SAME_ORGANIZER_IN_ALL_COMPONENTS = "same-organizer-in-all-components",
    ALLOWED_ORGANIZER_SCHEDULING_OBJECT_CHANGE = "allowed-organizer-scheduling-object-change",
    ALLOWED_ATTENDEE_SCHEDULING_OBJECT_CHANGE = "allowed-attendee-scheduling-object-change",
    SUPPORTED_COLLECTION = "supported-collection",
    VALID_SCHEDULING_MESSAGE = "valid-scheduling-message",
    VALID_ORGANIZER = "valid-organizer",
    CALENDAR_FREE_BUSY_SET = "calendar-free-busy-set",
}

names! {
    /// RFC 6352.
    carddav, "urn:ietf:params:xml:ns:carddav":
    ADDRESSBOOK = "addressbook",
    ADDRESSBOOK_HOME_SET = "addressbook-home-set",
    PRINCIPAL_ADDRESS = "principal-address",
    ADDRESSBOOK_DESCRIPTION = "addressbook-description",
    SUPPORTED_ADDRESS_DATA = "supported-address-data",
    ADDRESS_DATA_TYPE = "address-data-type",
    ADDRESS_DATA = "address-data",
    MAX_RESOURCE_SIZE = "max-resource-size",
    MAX_IMAGE_SIZE = "max-image-size",
    SUPPORTED_COLLATION_SET = "supported-collation-set",
    SUPPORTED_COLLATION = "supported-collation",
    ALLPROP = "allprop",
    PROP = "prop",
    FILTER = "filter",
    PROP_FILTER = "prop-filter",
    PARAM_FILTER = "param-filter",
    IS_NOT_DEFINED = "is-not-defined",
    TEXT_MATCH = "text-match",
    LIMIT = "limit",
    NRESULTS = "nresults",
    ADDRESSBOOK_QUERY = "addressbook-query",
    ADDRESSBOOK_MULTIGET = "addressbook-multiget",
    ADDRESSBOOK_COLLECTION_LOCATION_OK = "addressbook-collection-location-ok",
    VALID_ADDRESS_DATA = "valid-address-data",
    NO_UID_CONFLICT = "no-uid-conflict",
    SUPPORTED_FILTER = "supported-filter",
    VALID_FILTER = "valid-filter",
    SUPPORTED_ADDRESS_DATA_CONVERSION = "supported-address-data-conversion",
}

names! {
    /// CalendarServer's extensions.
    cs, "http://calendarserver.org/ns/":
    GETCTAG = "getctag",
    SUBSCRIBED = "subscribed",
    SOURCE = "source",
    CALENDAR_PROXY_READ_FOR = "calendar-proxy-read-for",
    CALENDAR_PROXY_WRITE_FOR = "calendar-proxy-write-for",
    CALENDAR_PROXY_READ = "calendar-proxy-read",
    CALENDAR_PROXY_WRITE = "calendar-proxy-write",
    EMAIL_ADDRESS_SET = "email-address-set",
    EMAIL_ADDRESS = "email-address",
    SHARED = "shared",
    SHARED_OWNER = "shared-owner",
    INVITE = "invite",
    ALLOWED_SHARING_MODES = "allowed-sharing-modes",
    CAN_BE_SHARED = "can-be-shared",
    CAN_BE_PUBLISHED = "can-be-published",
    PUBLISH_URL = "publish-URL",
    PRE_PUBLISH_URL = "pre-publish-URL",
    PUBLISH_URL_LOWER = "publish-url",
    PRE_PUBLISH_URL_LOWER = "pre-publish-url",
    PUBLISH_CALENDAR = "publish-calendar",
    UNPUBLISH_CALENDAR = "unpublish-calendar",
    NOTIFICATION_URL = "notification-URL",
    NOTIFICATION = "notification",
    SUBSCRIBED_STRIP_ALARMS = "subscribed-strip-alarms",
    SUBSCRIBED_STRIP_ATTACHMENTS = "subscribed-strip-attachments",
    SUBSCRIBED_STRIP_TODOS = "subscribed-strip-todos",
}

names! {
    /// WebDAV-Push.
    push, "https://bitfire.at/webdav-push":
    AUTH_SECRET = "auth-secret",
    CONTENT_ENCODING = "content-encoding",
    CONTENT_UPDATE = "content-update",
    EXPIRES = "expires",
    INVALID_SUBSCRIPTION = "invalid-subscription",
    NO_SUPPORTED_TRIGGER = "no-supported-trigger",
    PROPERTY_UPDATE = "property-update",
    PUSH_MESSAGE = "push-message",
    PUSH_NOT_AVAILABLE = "push-not-available",
    PUSH_REGISTER = "push-register",
    PUSH_RESOURCE = "push-resource",
    SUBSCRIPTION = "subscription",
    SUBSCRIPTION_PUBLIC_KEY = "subscription-public-key",
    SUPPORTED_TRIGGERS = "supported-triggers",
    TOPIC = "topic",
    TRANSPORTS = "transports",
    TRIGGER = "trigger",
    VAPID_PUBLIC_KEY = "vapid-public-key",
    WEB_PUSH = "web-push",
    WEB_PUSH_SUBSCRIPTION = "web-push-subscription",
}

names! {
    /// Apple's properties of calendars.
    apple, "http://apple.com/ns/ical/":
    CALENDAR_COLOR = "calendar-color",
    CALENDAR_ORDER = "calendar-order",
    REFRESHRATE = "refreshrate",
}

names! {
    /// Nextcloud's names on calendars and address books: another namespace than on files.
    ncdav, "http://nextcloud.com/ns":
    OWNER_DISPLAYNAME = "owner-displayname",
    TRASH_BIN = "trash-bin",
    TRASH_BIN_RETENTION_DURATION = "trash-bin-retention-duration",
    DELETED_CALENDAR = "deleted-calendar",
    DELETED_AT = "deleted-at",
    CALENDAR_URI = "calendar-uri",
    SOURCE_CALENDAR_URI = "source-calendar-uri",
}
