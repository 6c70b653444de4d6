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
    SUPPORTED_QUERY_GRAMMAR_SET = "supported-query-grammar-set",
    GRAMMAR = "grammar",
    LASTMODIFIED = "lastmodified",
    ISCOLLECTION = "iscollection",
    ISHIDDEN = "ishidden",
    GETCONTENTMD5 = "getcontentmd5",
    LOCK_TOKEN = "lock-token",
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
    HIDDEN = "hidden",
    REMINDER_DUE_DATE = "reminder-due-date",
    SHARE_DOWNLOAD_LIMITS = "share-download-limits",
    ACL_ENABLED = "acl-enabled",
    ACL_CAN_MANAGE = "acl-can-manage",
    GROUP_FOLDER_ID = "group-folder-id",
    FIRSTRESULT = "firstresult",
    TRASHBIN_FILENAME = "trashbin-filename",
    TRASHBIN_ORIGINAL_LOCATION = "trashbin-original-location",
    TRASHBIN_DELETION_TIME = "trashbin-deletion-time",
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
}

names! {
    /// RFC 4791.
    caldav, "urn:ietf:params:xml:ns:caldav":
    CALENDAR = "calendar",
    CALENDAR_HOME_SET = "calendar-home-set",
    CALENDAR_DESCRIPTION = "calendar-description",
    SUPPORTED_CALENDAR_COMPONENT_SET = "supported-calendar-component-set",
}

names! {
    /// RFC 6352.
    carddav, "urn:ietf:params:xml:ns:carddav":
    ADDRESSBOOK = "addressbook",
    ADDRESSBOOK_HOME_SET = "addressbook-home-set",
}

names! {
    /// CalendarServer's extensions.
    cs, "http://calendarserver.org/ns/":
    GETCTAG = "getctag",
}
