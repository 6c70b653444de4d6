//! The live properties of DAV itself. RFC 4918 §15, 4331 §3, 5397 §3, 3744 §5, 3253 §3.1.5, 6578 §4.

use std::borrow::Cow;

use nichoir_store::{Lock, LockKind, Needs, Node, Quota, Scope};
use nichoir_xml::{Writer, dav};

use crate::href;
use crate::principal;
use crate::privilege;
use crate::property::{Property, Resource, Value};
use crate::report::{self, sync_collection};
use crate::target::Mount;

/// The table. Quota and access properties are not in allprop, as their RFCs ask.
pub(crate) static PROPERTIES: &[Property] = &[
    Property::live(dav::CREATIONDATE).in_allprop().read(|it| Some(Value::InternetDate(it.node.created))),
    Property::live(dav::DISPLAYNAME).in_allprop().read(|it| Some(Value::text(display_name(it)))),
    Property::live(dav::GETCONTENTLENGTH).in_allprop().read(content_length),
    Property::live(dav::GETCONTENTTYPE).in_allprop().read(|it| file(it).map(|node| Value::text(media_type(node)))),
    Property::live(dav::GETETAG).in_allprop().read(|it| Some(Value::Etag(it.node.etag))),
    Property::live(dav::GETLASTMODIFIED).in_allprop().read(|it| Some(Value::HttpDate(it.node.modified))),
    Property::live(dav::LOCKDISCOVERY).in_allprop().needs(Needs::LOCKS).read(|_| Some(Value::Elements(write_locks))),
    Property::live(dav::RESOURCETYPE).in_allprop().read(resource_type),
    Property::live(dav::SUPPORTEDLOCK).in_allprop().read(|_| Some(Value::Elements(write_supported_locks))),
    Property::live(dav::QUOTA_AVAILABLE_BYTES)
        .needs(Needs::QUOTA)
        .read(|it| quota(it).map(|quota| Value::Number(quota.available_bytes))),
    Property::live(dav::QUOTA_USED_BYTES)
        .needs(Needs::QUOTA)
        .read(|it| quota(it).map(|quota| Value::Number(quota.used_bytes))),
    Property::live(dav::CURRENT_USER_PRINCIPAL).read(current_user_principal),
    Property::live(dav::OWNER).read(|it| Some(Value::Href(owner(it)))),
    Property::live(dav::PRINCIPAL_COLLECTION_SET).read(|it| Some(Value::Href((&*it.mount.principals).into()))),
    Property::live(dav::CURRENT_USER_PRIVILEGE_SET)
        .read(|_| Some(Value::Elements(|it, writer| privilege::write(privilege::of(it.node), writer)))),
    Property::live(dav::SUPPORTED_PRIVILEGE_SET)
        .read(|_| Some(Value::Elements(|_, writer| privilege::write_supported(&[], &[], writer)))),
    Property::live(dav::ACL).read(|_| {
        Some(Value::Elements(|it, writer| privilege::write_acl(&it.mount.principal, privilege::of(it.node), writer)))
    }),
    Property::live(dav::ACL_RESTRICTIONS).read(|_| Some(Value::Elements(privilege::write_restrictions))),
    Property::live(dav::INHERITED_ACL_SET).read(|_| Some(Value::Empty)),
    Property::live(dav::RESOURCE_ID).read(|_| Some(Value::Elements(write_resource_id))),
    Property::live(dav::SUPPORTED_REPORT_SET).read(|_| Some(Value::Elements(write_reports))),
    Property::live(dav::SYNC_TOKEN).read(|it| {
        folder(it).and(it.log_floor)?;
        Some(Value::Appended(|it, text| {
            sync_collection::append_token(text, it.node, it.log_floor.unwrap_or_default());
        }))
    }),
];

/// Of what the caller sees; where that is not what is stored, nobody has counted it.
fn content_length<'a>(it: &Resource<'a>) -> Option<Value<'a>> {
    file(it).filter(|node| !node.is_confidential).map(|node| Value::Number(node.size_bytes))
}

/// RFC 5397 §3: nobody in particular has no principal.
fn current_user_principal<'a>(it: &Resource<'a>) -> Option<Value<'a>> {
    Some(match &*it.mount.principal {
        "" => Value::Elements(|_, writer| writer.empty(&dav::UNAUTHENTICATED)),
        principal => Value::Href(principal.into()),
    })
}

/// The principal of whoever owns it.
fn owner<'a>(it: &Resource<'a>) -> Cow<'a, str> {
    match &it.node.access {
        None => Cow::Borrowed(&*it.mount.principal),
        Some(access) => Cow::Owned(principal::href_of(&it.mount.principals, &access.owner_login)),
    }
}

fn file<'a>(it: &Resource<'a>) -> Option<&'a Node> {
    (!it.node.is_folder()).then_some(it.node)
}

/// What a folder of somebody else's takes is told of that folder.
fn quota(it: &Resource<'_>) -> Option<Quota> {
    folder(it).and_then(|node| node.quota.or(it.quota))
}

fn folder<'a>(it: &Resource<'a>) -> Option<&'a Node> {
    it.node.is_folder().then_some(it.node)
}

/// The name; of the root the login, as clients show it in their side bar.
fn display_name<'a>(it: &Resource<'a>) -> &'a str {
    if it.node.is_root() { &it.caller.account.login } else { &it.node.name }
}

/// The media type of a file: as set by a client, else by the ending of the name.
pub fn media_type(node: &Node) -> &str {
    match &node.media_type {
        Some(told) => told,
        // In the trash, a file has another name than the one that says what it is.
        None => media_type_of(node.trashed.as_ref().map_or(&node.name, |it| &it.name)),
    }
}

/// The media type that the ending of a file's name tells.
pub fn media_type_of(name: &str) -> &'static str {
    mime_guess::from_path(name).first_raw().unwrap_or("application/octet-stream")
}

fn resource_type<'a>(it: &Resource<'a>) -> Option<Value<'a>> {
    Some(if it.node.is_folder() { Value::Elements(|_, writer| writer.empty(&dav::COLLECTION)) } else { Value::Empty })
}

fn write_resource_id(it: &Resource<'_>, writer: &mut Writer) {
    writer.text_element(&dav::HREF, &it.caller.space.urn_of(it.node.id));
}

fn write_locks(it: &Resource<'_>, writer: &mut Writer) {
    let now_seconds = it.caller.space.ports().clock.now().seconds();
    // An editor's lease is no lock of RFC 4918: nobody but the editor may submit its token.
    for lock in it.node.locks.iter().filter(|lock| !matches!(lock.kind, LockKind::Editor { .. })) {
        write_active_lock(lock, it.node, it.mount, now_seconds, writer);
    }
}

/// `DAV:activelock` (RFC 4918 §14.1).
fn write_active_lock(lock: &Lock, node: &Node, mount: &Mount, now_seconds: i64, writer: &mut Writer) {
    writer.open(&dav::ACTIVELOCK);
    write_scope(lock.scope, writer);
    writer.text_element(&dav::DEPTH, if lock.is_deep { "infinity" } else { "0" });
    if let Some(owner) = &lock.owner_xml {
        writer.fragment(owner);
    }
    let rest_seconds = lock.expires.seconds().saturating_sub(now_seconds).max(0);
    writer.text_element(&dav::TIMEOUT, &format!("Second-{rest_seconds}"));
    writer.open(&dav::LOCKTOKEN);
    writer.text_element(&dav::HREF, &lock.token);
    writer.close();
    writer.open(&dav::LOCKROOT);
    // A lock that comes from above has a collection as its root.
    let is_folder = lock.root_id != node.id || node.is_folder();
    writer.text_element(&dav::HREF, &href::of(&mount.prefix, &lock.root, is_folder));
    writer.close();
    writer.close();
}

fn write_scope(scope: Scope, writer: &mut Writer) {
    writer.open(&dav::LOCKSCOPE);
    match scope {
        Scope::Exclusive => writer.empty(&dav::EXCLUSIVE),
        Scope::Shared => writer.empty(&dav::SHARED),
    }
    writer.close();
    writer.open(&dav::LOCKTYPE);
    writer.empty(&dav::WRITE);
    writer.close();
}

fn write_supported_locks(_: &Resource<'_>, writer: &mut Writer) {
    for scope in [Scope::Exclusive, Scope::Shared] {
        writer.open(&dav::LOCKENTRY);
        write_scope(scope, writer);
        writer.close();
    }
}

fn write_reports(it: &Resource<'_>, writer: &mut Writer) {
    for report in it.dav.reports() {
        report::write_supported(&report.name, writer);
    }
}

/// The `DAV:prop` body of a LOCK answer (RFC 4918 §9.10.1).
pub(crate) fn lock_answer(lock: &Lock, node: &Node, mount: &Mount, now_seconds: i64) -> bytes::Bytes {
    let mut writer = Writer::new();
    writer.declaration();
    writer.open_root(&dav::PROP);
    writer.open(&dav::LOCKDISCOVERY);
    write_active_lock(lock, node, mount, now_seconds, &mut writer);
    writer.close();
    writer.close();
    writer.take()
}
