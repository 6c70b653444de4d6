//! What a protocol adds to DAV: properties, reports, name rules, headers, words for errors.
//! A method exists once, here in `dav`; an extension fills its gaps and never copies it.

use std::any::Any;
use std::fmt::Debug;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Method};
use nichoir_auth::Caller;
use nichoir_store::change::{Copy, Delete, Relocate, Written};
use nichoir_store::checksum::{Algorithm, Checksum};
use nichoir_store::conditions::Conditions;
use nichoir_store::{Account, CollectionKind, MemberIndex, Node, NodePath, Timestamp};
use nichoir_xml::{Element, Name, Writer};

use crate::error::{Error, Hint};
use crate::property::Property;
use crate::report::Report;
use crate::request::{Body, Response};
use crate::target::Call;
use crate::virtual_resource::{VirtualResource, VirtualValue};

/// A write under way.
pub type Writing<'a> = BoxFuture<'a, Result<MemberWritten, Error>>;

/// A look at a value under way.
pub type Checking<'a> = BoxFuture<'a, Result<(), Error>>;

/// What an extension does later, with everything it needs cloned into it.
pub type Answering = BoxFuture<'static, Result<Response, Error>>;

/// A protocol on top of DAV. Every method has a default that adds nothing.
pub trait Extension: Any + Debug + Send + Sync {
    /// Tokens of the `DAV` header, such as `extended-mkcol`.
    fn features(&self) -> &'static [&'static str] {
        &[]
    }

    /// Methods that [`Extension::method`] serves, for `Allow`.
    fn methods(&self) -> &'static [&'static str] {
        &[]
    }

    /// Its live properties. A row here goes before a row of the same name in `dav`.
    fn properties(&self) -> &'static [Property] {
        &[]
    }

    /// Its reports on the file tree.
    fn reports(&self) -> &'static [Report] {
        &[]
    }

    /// Whether no client may store a dead property of that name (answered 403).
    fn reserves_property(&self, name: &Name) -> bool {
        let _ = name;
        false
    }

    /// Whether `allprop` lists this live property, where the dialect differs from its row; `None`: as the row says.
    fn lists_in_allprop(&self, name: &Name) -> Option<bool> {
        let _ = name;
        None
    }

    /// Whether a resource may be created under this name (PUT, MKCOL, COPY, MOVE, LOCK).
    ///
    /// # Errors
    /// [`Error::bad_name`] with what is wrong with it.
    fn check_name(&self, name: &str) -> Result<(), Error> {
        let _ = name;
        Ok(())
    }

    /// What its protocol calls the condition that `hint` tells of, where that is not what `dav` calls it.
    fn name_condition(&self, hint: Hint) -> Option<Name> {
        let _ = hint;
        None
    }

    /// The kind of collection that these types (`DAV:resourcetype` without `DAV:collection`) and properties of an
    /// extended MKCOL ask for; `None` if the extension does not know them.
    ///
    /// # Errors
    /// 403 for a type that it knows and cannot make.
    fn collection_kind(&self, types: &[&Name], properties: &[&Element]) -> Result<Option<CollectionKind>, Error> {
        let _ = (types, properties);
        Ok(None)
    }

    /// Whether the property of an extended MKCOL is part of what [`Extension::collection_kind`] makes.
    fn says_kind(&self, name: &Name) -> bool {
        let _ = name;
        false
    }

    /// The largest member of its collections, in bytes; `None` if it has none.
    fn member_bytes_max(&self) -> Option<usize> {
        None
    }

    /// Looks at what a client wants to put into one of its collections: what the store has to know of it.
    ///
    /// # Errors
    /// The precondition of the RFC that does not hold.
    fn check_member(&self, headers: &HeaderMap, bytes: &Bytes) -> Result<CheckedMember, Error> {
        let _ = (headers, bytes);
        Err(Error::forbidden("This collection takes no members."))
    }

    /// Writes to its collections in its own way, where one write means others; gives it back where it does not.
    ///
    /// # Errors
    /// The write, untouched, for `dav` to carry out.
    fn write_member<'a>(&'a self, call: Call<'a>, write: Box<MemberWrite>) -> Result<Writing<'a>, Box<MemberWrite>> {
        let _ = call;
        Err(write)
    }

    /// What it adds to a principal's properties; `root` is the path of the DAV root, without a trailing slash.
    fn principal_properties(&self, account: &Account, root: &str) -> Vec<(Name, VirtualValue)> {
        let _ = (account, root);
        Vec::new()
    }

    /// Reads the dialect's headers of a PUT, before its body is touched.
    ///
    /// # Errors
    /// 400 for a header that makes no sense.
    fn prepare_put(&self, headers: &HeaderMap, put: &mut PutOptions) -> Result<(), Error> {
        let _ = (headers, put);
        Ok(())
    }

    /// Whether a DELETE with these headers passes the trash by.
    fn skips_trash(&self, headers: &HeaderMap) -> bool {
        let _ = headers;
        false
    }

    /// Whether the client is known to spell the resources of its `If` header wrongly: their tags are not compared.
    fn is_lenient_about_if(&self, headers: &HeaderMap) -> bool {
        let _ = headers;
        false
    }

    /// The media type to serve content of `media_type` under, where its own is dangerous in a browser.
    fn served_media_type(&self, media_type: &str) -> Option<&'static str> {
        let _ = media_type;
        None
    }

    /// Looks at a value that a PROPPATCH sets, where that takes more than the element itself.
    ///
    /// # Errors
    /// Why it cannot be set.
    fn check_property<'a>(&'a self, call: Call<'a>, element: &'a Element) -> Option<Checking<'a>> {
        let _ = (call, element);
        None
    }

    /// Adds headers to a successful GET, HEAD, PUT, MKCOL, COPY, MOVE or LOCK.
    fn decorate(&self, answered: &Answered<'_>, headers: &mut HeaderMap) {
        let _ = (answered, headers);
    }

    /// Adds elements to a `DAV:error` body, after the precondition element.
    fn render_error(&self, error: &Error, writer: &mut Writer) {
        let _ = (error, writer);
    }

    /// What GET of a collection answers, such as an archive; `None`: an empty 200.
    fn get_collection(&self, call: &Call<'_>, folder: &Node) -> Option<Answering> {
        let _ = (call, folder);
        None
    }

    /// What GET of a file answers instead of its content, such as a picture in it.
    fn get_member(&self, call: &Call<'_>, member: &Node) -> Option<Answering> {
        let _ = (call, member);
        None
    }

    /// Answers a POST whose body is an XML document with this root; `None` where it is not the extension's.
    fn post(&self, call: &Call<'_>, root: &Element) -> Option<Answering> {
        let _ = (call, root);
        None
    }

    /// What a listing of a home shows beside its collections.
    fn more_members(&self, call: &Call<'_>) -> Option<BoxFuture<'static, Result<Vec<VirtualResource>, Error>>> {
        let _ = call;
        None
    }

    /// Answers a LOCK or an UNLOCK that is the dialect's own; `None`: it is one of RFC 4918.
    fn lock(&self, call: &Call<'_>) -> Option<Answering> {
        let _ = call;
        None
    }

    /// Serves a method that `dav` does not know; gives the body back where it does not either.
    ///
    /// # Errors
    /// The body, untouched, for the next extension; 501 if there is none.
    fn method(&self, call: &Call<'_>, body: Body) -> Result<Answering, Body> {
        let _ = call;
        Err(body)
    }
}

/// A member that may be stored.
#[derive(Clone, Debug)]
pub struct CheckedMember {
    /// What the store has to know of it.
    pub index: MemberIndex,
    /// What it is served as.
    pub media_type: String,
}

/// A client's write to a member or a collection of an extension, for [`Extension::write_member`].
#[derive(Clone, Debug)]
pub enum MemberWrite {
    /// PUT and POST.
    Put(MemberPut),
    /// DELETE.
    Delete(Delete),
    /// COPY.
    Copy(Copy),
    /// MOVE.
    Relocate(Relocate),
}

/// A member to be stored.
#[derive(Clone, Debug)]
pub struct MemberPut {
    /// Where.
    pub path: NodePath,
    /// What the client sent.
    pub bytes: Bytes,
    /// What [`Extension::check_member`] found in it.
    pub checked: CheckedMember,
    /// Preconditions and lock tokens.
    pub conditions: Conditions,
}

/// What a write left.
#[derive(Clone, Debug)]
pub struct MemberWritten {
    /// The node, except after a DELETE.
    pub written: Option<Written>,
    /// Of a PUT: what is stored, where that is not what the client sent.
    pub stored: Option<Bytes>,
}

/// What the headers of a PUT say beyond RFC 9110.
#[derive(Clone, Debug, Default)]
pub struct PutOptions {
    /// The modification time to keep.
    pub modified: Option<Timestamp>,
    /// The creation time to keep.
    pub created: Option<Timestamp>,
    /// Checksums to keep with the file, as the client sent them.
    pub checksums: Option<String>,
    /// A checksum that the body must have.
    pub expected: Option<Checksum>,
    /// Digests to compute on the way, for [`Answered::digests`].
    pub algorithms: Vec<Algorithm>,
    /// Whether missing parents are made.
    pub makes_parents: bool,
    /// A total that the pool must have room for, besides the body's own length.
    pub total_bytes: Option<u64>,
}

/// A request that succeeded, for [`Extension::decorate`].
#[derive(Clone, Copy, Debug)]
pub struct Answered<'a> {
    /// Its method.
    pub method: &'a Method,
    /// Its headers.
    pub request_headers: &'a HeaderMap,
    /// Who asked.
    pub caller: &'a Caller,
    /// The node that was read or written; of COPY and MOVE the destination.
    pub node: &'a Node,
    /// Of a PUT: what [`Extension::prepare_put`] made of the headers.
    pub put: Option<&'a PutOptions>,
    /// Of a PUT: the digests that were asked for.
    pub digests: &'a [Checksum],
}
