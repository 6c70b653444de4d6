//! What the client is told when something does not work: status, precondition element, message.
//! RFC 4918 §16, RFC 3744 §7.1.1, RFC 9110 §15. The only bridge from what happened in the store to HTTP.

use std::borrow::Cow;

use http::StatusCode;
use nichoir_store::NodePath;
use nichoir_xml::{Name, dav};

use crate::request::BoxError;

/// A refusal on its way to the client.
#[derive(Debug)]
pub struct Error {
    status: StatusCode,
    message: Cow<'static, str>,
    condition: Option<Box<Condition>>,
    hint: Hint,
    retry_after_seconds: Option<u32>,
    allow: Option<&'static str>,
    source: Option<BoxError>,
}

/// A cause and what caused it, outermost first: "storage unavailable" alone tells an administrator nothing.
#[derive(Clone, Copy, Debug)]
pub struct Causes<'e>(&'e BoxError);

impl std::fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut next = self.0.source();
        while let Some(cause) = next {
            write!(f, ": {cause}")?;
            next = cause.source();
        }
        Ok(())
    }
}

/// The precondition or postcondition element that an RFC defines for the case.
#[derive(Clone, Debug)]
pub struct Condition {
    /// Its name, such as `DAV:lock-token-submitted`.
    pub name: Name,
    /// The resources in the way: their hrefs are its children.
    pub roots: Vec<NodePath>,
}

/// What a dialect may want to know beyond the status, to name the case in its own words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hint {
    /// The status says it all.
    #[default]
    None,
    /// The name of the resource cannot be stored.
    BadName,
    /// The precondition in this request header does not hold.
    Header(&'static str),
    /// A lock is in the way.
    Locked,
    /// The report is not known here.
    UnknownReport,
    /// Another member of the collection has the UID.
    UidTaken,
    /// The collection does not take this type of component.
    WrongComponent,
    /// Nothing of this kind can be here.
    WrongPlace,
    /// A member is larger than they may be.
    TooLargeMember,
    /// The checksum of the bytes is not the announced one.
    ChecksumMismatch,
    /// What the dialect itself calls the case.
    Named(&'static str),
}

impl Error {
    /// A refusal with this status and message; prefer the constructors named after their case.
    pub fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Error {
        Error {
            status,
            message: message.into(),
            condition: None,
            hint: Hint::None,
            retry_after_seconds: None,
            allow: None,
            source: None,
        }
    }

    /// 400: the request makes no sense.
    pub fn bad_request(message: impl Into<Cow<'static, str>>) -> Error {
        Error::new(StatusCode::BAD_REQUEST, message)
    }

    /// 400: the name cannot be stored.
    pub fn bad_name(message: impl Into<Cow<'static, str>>) -> Error {
        Error::bad_request(message).hinting(Hint::BadName)
    }

    /// 403: the caller may see it but not do this.
    pub fn forbidden(message: impl Into<Cow<'static, str>>) -> Error {
        Error::new(StatusCode::FORBIDDEN, message)
    }

    /// 403 with `DAV:need-privileges` (RFC 3744 §7.1.1).
    pub fn need_privileges(message: impl Into<Cow<'static, str>>) -> Error {
        Error::forbidden(message).with_condition(dav::NEED_PRIVILEGES)
    }

    /// 404: nothing there that the caller may know of.
    pub fn not_found() -> Error {
        Error::new(StatusCode::NOT_FOUND, "There is no such resource.")
    }

    /// 405: not with this kind of resource. `allow` are the methods that work.
    pub fn method_not_allowed(message: impl Into<Cow<'static, str>>, allow: &'static str) -> Error {
        let mut error = Error::new(StatusCode::METHOD_NOT_ALLOWED, message);
        error.allow = Some(allow);
        error
    }

    /// 409: something else has to be done first.
    pub fn conflict(message: impl Into<Cow<'static, str>>) -> Error {
        Error::new(StatusCode::CONFLICT, message)
    }

    /// 412: the precondition in `header` does not hold.
    pub fn precondition_failed(header: &'static str) -> Error {
        Error::new(StatusCode::PRECONDITION_FAILED, format!("The precondition in the {header} header does not hold."))
            .hinting(Hint::Header(header))
    }

    /// 413: larger than `limit`.
    pub fn too_large(limit: u64) -> Error {
        Error::new(StatusCode::PAYLOAD_TOO_LARGE, format!("Too large: the limit is {limit}."))
    }

    /// 403: a member of a calendar or address book that is larger than `limit`.
    pub fn too_large_member(limit: u64) -> Error {
        Error::forbidden(format!("Too large: the limit is {limit} bytes."))
            .hinting(Hint::TooLargeMember)
            .with_condition(dav::MAX_RESOURCE_SIZE)
    }

    /// 415: a body that this method does not understand.
    pub fn unsupported_media_type(message: impl Into<Cow<'static, str>>) -> Error {
        Error::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message)
    }

    /// 416: none of the ranges lies in the content.
    pub fn range_not_satisfiable() -> Error {
        Error::new(StatusCode::RANGE_NOT_SATISFIABLE, "The range lies outside of the content.")
    }

    /// 423 with `DAV:lock-token-submitted` (RFC 4918 §16): the lock at `root` is in the way.
    pub fn locked(root: NodePath) -> Error {
        let mut error = Error::new(StatusCode::LOCKED, "The resource is locked.")
            .hinting(Hint::Locked)
            .with_condition(dav::LOCK_TOKEN_SUBMITTED);
        error.name_root(root);
        error
    }

    /// 423 with `DAV:no-conflicting-lock` (RFC 4918 §16): the lock at `root` cannot be shared.
    pub fn lock_conflict(root: NodePath) -> Error {
        let mut error = Error::new(StatusCode::LOCKED, "The resource is locked already.")
            .hinting(Hint::Locked)
            .with_condition(dav::NO_CONFLICTING_LOCK);
        error.name_root(root);
        error
    }

    /// 424: another part of the request failed.
    pub fn failed_dependency() -> Error {
        Error::new(StatusCode::FAILED_DEPENDENCY, "Another part of the request failed.")
    }

    /// 403 with `DAV:cannot-modify-protected-property` (RFC 4918 §16).
    pub fn protected_property() -> Error {
        Error::forbidden("The property is protected.").with_condition(dav::CANNOT_MODIFY_PROTECTED_PROPERTY)
    }

    /// 403 with `DAV:supported-report` (RFC 3253 §3.6).
    pub fn unknown_report() -> Error {
        Error::forbidden("This report is not supported here.")
            .hinting(Hint::UnknownReport)
            .with_condition(dav::SUPPORTED_REPORT)
    }

    /// 403 with `DAV:propfind-finite-depth` (RFC 4918 §9.1).
    pub fn finite_depth_only() -> Error {
        Error::forbidden("Depth: infinity is not served.").with_condition(dav::PROPFIND_FINITE_DEPTH)
    }

    /// 403 with `DAV:valid-sync-token` (RFC 6578 §3.2): begin anew without a token.
    pub fn stale_sync_token() -> Error {
        Error::forbidden("The sync token is unknown or expired.").with_condition(dav::VALID_SYNC_TOKEN)
    }

    /// 501: a method that nobody here knows.
    pub fn not_implemented() -> Error {
        Error::new(StatusCode::NOT_IMPLEMENTED, "The method is not implemented.")
    }

    /// 503 with `Retry-After`: storage is busy, read-only or gone.
    pub fn unavailable(message: impl Into<Cow<'static, str>>, retry_after_seconds: u32) -> Error {
        let mut error = Error::new(StatusCode::SERVICE_UNAVAILABLE, message);
        error.retry_after_seconds = Some(retry_after_seconds);
        error
    }

    /// 507 with `DAV:quota-not-exceeded` (RFC 4331 §6).
    pub fn over_quota(available_bytes: u64) -> Error {
        Error::new(
            StatusCode::INSUFFICIENT_STORAGE,
            format!("There is not enough room: {available_bytes} bytes are available."),
        )
        .with_condition(dav::QUOTA_NOT_EXCEEDED)
    }

    /// 507 without a condition: no pool is full, but the disk of all (RFC 4918 §11.5).
    pub fn disk_full() -> Error {
        Error::new(StatusCode::INSUFFICIENT_STORAGE, "The server's disk is full.").retry_after(120)
    }

    /// 500: a defect of ours.
    pub fn internal(message: impl Into<Cow<'static, str>>) -> Error {
        Error::new(StatusCode::INTERNAL_SERVER_ERROR, message)
    }

    /// The same with another status: for clients that understand no other.
    #[must_use]
    pub(crate) fn into_bad_request(mut self) -> Error {
        self.status = StatusCode::BAD_REQUEST;
        self
    }

    /// Whether it says that the sync token is not one to go on from.
    pub(crate) fn is_stale_sync_token(&self) -> bool {
        self.condition.as_ref().is_some_and(|condition| condition.name == dav::VALID_SYNC_TOKEN)
    }

    /// With this precondition element.
    #[must_use]
    pub fn with_condition(mut self, name: Name) -> Error {
        self.condition = Some(Box::new(Condition { name, roots: Vec::new() }));
        self
    }

    /// With the resource that the precondition element names.
    #[must_use]
    pub fn about(mut self, resource: NodePath) -> Error {
        self.name_root(resource);
        self
    }

    /// With this word for the dialect.
    #[must_use]
    pub fn hinting(mut self, hint: Hint) -> Error {
        self.hint = hint;
        self
    }

    /// With `Retry-After`.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Error {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// With the cause, for the log alone.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<BoxError>) -> Error {
        self.source = Some(cause.into());
        self
    }

    /// The same refusal under another status, where a method knows better than the table.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Error {
        self.status = status;
        self
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// What is said to the person who asked.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The precondition element, if an RFC defines one.
    pub fn condition(&self) -> Option<&Condition> {
        self.condition.as_deref()
    }

    /// The word for the dialect.
    pub fn hint(&self) -> Hint {
        self.hint
    }

    /// The seconds of `Retry-After`.
    pub fn retry_after_seconds(&self) -> Option<u32> {
        self.retry_after_seconds
    }

    /// The value of `Allow`.
    pub(crate) fn allow(&self) -> Option<&'static str> {
        self.allow
    }

    /// What caused it, and what caused that, for the log.
    pub fn causes(&self) -> Option<Causes<'_>> {
        self.source.as_ref().map(Causes)
    }

    fn name_root(&mut self, root: NodePath) {
        if let Some(condition) = &mut self.condition {
            condition.roots.push(root);
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.status, self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| &**source as &(dyn std::error::Error + 'static))
    }
}

/// The table. Where one fact means different statuses, the method that knows says so itself.
impl From<nichoir_store::Error> for Error {
    fn from(error: nichoir_store::Error) -> Error {
        use nichoir_store::Error as Store;
        match error {
            Store::NotFound => Error::not_found(),
            Store::Exists => Error::precondition_failed("Overwrite"),
            Store::ParentMissing => Error::conflict("The parent collection does not exist."),
            Store::NotACollection => Error::conflict("This is not a collection."),
            Store::IsACollection => Error::conflict("This is a collection."),
            Store::Forbidden(reason) => Error::need_privileges(reason),
            Store::Sharing(why) => Error::need_privileges(why.to_string()),
            Store::Locked { root } => Error::locked(root),
            Store::LockConflict { root } => Error::lock_conflict(root),
            Store::LockTokenMismatch => Error::conflict("The lock token does not match the request URI.")
                .with_condition(dav::LOCK_TOKEN_MATCHES_REQUEST_URI),
            Store::ConditionFailed(header) => Error::precondition_failed(header),
            Store::OverQuota { available_bytes } => Error::over_quota(available_bytes),
            Store::TooLarge { limit } => Error::too_large(limit),
            Store::BadName(reason) => Error::bad_name(reason),
            Store::Invalid(reason) => Error::bad_request(reason),
            Store::IntoItself => Error::forbidden("A resource cannot be moved or copied into itself."),
            Store::UidTaken { path } => {
                let mut error = Error::conflict("Another object of this collection has that UID.")
                    .hinting(Hint::UidTaken)
                    .with_condition(dav::NO_UID_CONFLICT);
                error.name_root(path);
                error
            }
            Store::WrongComponent => Error::forbidden("The collection does not take this type of component.")
                .hinting(Hint::WrongComponent)
                .with_condition(dav::SUPPORTED_COMPONENT),
            Store::WrongPlace => Error::forbidden("Nothing of this kind can be here.")
                .hinting(Hint::WrongPlace)
                .with_condition(dav::COLLECTION_LOCATION_OK),
            Store::BodyInterrupted => Error::bad_request("The request body is shorter or longer than announced."),
            Store::ChecksumMismatch { .. } => Error::bad_request(error.to_string()).hinting(Hint::ChecksumMismatch),
            Store::WrongTotal { .. } => Error::bad_request(error.to_string()),
            Store::StaleToken => Error::stale_sync_token(),
            Store::ReadOnly => Error::unavailable("The space takes no changes at the moment.", 120).caused_by(error),
            Store::Busy | Store::Moved => Error::unavailable("The server is busy.", 5).caused_by(error),
            Store::Unavailable(_) if error.is_disk_full() => Error::disk_full().caused_by(error),
            Store::Unavailable(_) => Error::unavailable("Storage is unavailable.", 30).caused_by(error),
            Store::Corrupt { .. } => Error::internal("Something is wrong with this resource.").caused_by(error),
            Store::Panicked => Error::internal("Internal error.").caused_by(error),
        }
    }
}

impl From<nichoir_xml::Error> for Error {
    fn from(error: nichoir_xml::Error) -> Error {
        Error::bad_request(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(happened: nichoir_store::Error, expected: &str) {
        let error = Error::from(happened);
        let condition = error.condition().map_or("-".to_owned(), |condition| condition.name.local.to_string());
        let retry = error.retry_after_seconds().map_or(String::new(), |seconds| format!(" retry {seconds}"));
        assert_eq!(format!("{} {condition}{retry}", error.status().as_u16()), expected);
    }

    #[test]
    fn what_happened_becomes_what_the_client_is_told() {
        use nichoir_store::Error as Store;
        check(Store::NotFound, "404 -");
        check(Store::Exists, "412 -");
        check(Store::ParentMissing, "409 -");
        check(Store::Forbidden("not yours"), "403 need-privileges");
        check(Store::Locked { root: NodePath::root() }, "423 lock-token-submitted");
        check(Store::LockConflict { root: NodePath::root() }, "423 no-conflicting-lock");
        check(Store::LockTokenMismatch, "409 lock-token-matches-request-uri");
        check(Store::ConditionFailed("If-Match"), "412 -");
        check(Store::OverQuota { available_bytes: 3 }, "507 quota-not-exceeded");
        check(Store::TooLarge { limit: 3 }, "413 -");
        check(Store::BadName("no".to_owned()), "400 -");
        check(Store::IntoItself, "403 -");
        check(Store::UidTaken { path: NodePath::root() }, "409 no-uid-conflict");
        check(Store::WrongComponent, "403 supported-component");
        check(Store::WrongPlace, "403 collection-location-ok");
        check(Store::StaleToken, "403 valid-sync-token");
        check(Store::Busy, "503 - retry 5");
        check(Store::ReadOnly, "503 - retry 120");
        check(Store::unavailable("the disk is gone"), "503 - retry 30");
        check(std::io::Error::from(std::io::ErrorKind::StorageFull).into(), "507 - retry 120");
        check(Store::Corrupt { table: "node", column: "kind", id: 7 }, "500 -");
    }

    #[test]
    fn the_client_never_sees_the_cause() {
        let error = Error::from(nichoir_store::Error::unavailable("/var/lib/secret is gone"));
        assert!(!error.message().contains("secret"));
        assert_eq!(
            error.causes().map(|causes| causes.to_string()).as_deref(),
            Some("storage unavailable: /var/lib/secret is gone")
        );
    }
}
