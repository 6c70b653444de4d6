//! The live properties that only Nextcloud's clients know: `oc:`, `nc:` and `DAV:lastmodified`; those of sharing are in
//! `share_property.rs`.

use nichoir_dav::{Error, Property, Resource, Value};
use nichoir_store::change::PatchProperties;
use nichoir_store::{Needs, Node, Timestamp};
use nichoir_xml::{Element, Writer, dav, nc, oc};

use crate::{Nextcloud, comments, file_lock, preview, tags};

/// Times before this are what broken clients send for "unknown": never stored (desktop client 3.4).
pub(crate) const EARLIEST_SECOND: i64 = 86_400;

/// An `oc:id`: the file id with at least eight digits, then the space's instance id, which begins with a letter.
pub(crate) fn oc_id(node: &Node, instance_id: &str) -> String {
    format!("{:08}{instance_id}", node.id.0)
}

/// The table.
pub(crate) static PROPERTIES: &[Property] = &[
    Property::live(oc::ID).read(|_| Some(Value::Appended(append_id))),
    Property::live(oc::FILEID).read(|it| Some(Value::Signed(it.node.id.0))),
    Property::live(oc::SIZE).read(|it| Some(it.node.size_bytes.into())),
    Property::live(oc::CHECKSUMS).read(|it| it.node.checksums.as_ref().map(|_| Value::Elements(write_checksums))),
    Property::live(oc::FAVORITE)
        .needs(Needs::FAVOURITE)
        .read(|it| Some(Value::Number(u64::from(it.node.is_favourite))))
        .write(write_favourite),
    // Present and empty: clients remember that the feature is there (desktop client, restored backups).
    Property::live(oc::DATA_FINGERPRINT).read(|it| Some(Value::text(&*it.caller.space.info().data_fingerprint))),
    Property::live(oc::DOWNLOAD_URL).read(|it| file(it.node).map(|_| Value::Empty)),
    Property::live(oc::TAGS).read(|_| Some(Value::Empty)),
    Property::live(nc::HAS_PREVIEW).read(|it| Some(Value::Truth(has_preview(it)))),
    Property::live(nc::SYSTEM_TAGS).needs(Needs::TAGS).read(tags::value),
    Property::live(oc::COMMENTS_COUNT)
        .needs(Needs::COMMENTS)
        .read(|it| it.node.comments.map(|counts| counts.all.into())),
    Property::live(oc::COMMENTS_UNREAD)
        .needs(Needs::COMMENTS)
        .read(|it| it.node.comments.map(|counts| counts.unread.into())),
    Property::live(oc::COMMENTS_HREF).read(|_| Some(Value::Appended(comments::append_href))),
    Property::live(nc::CREATION_TIME).read(|it| Some(Value::Signed(it.node.created.seconds()))).write(write_created),
    Property::live(nc::UPLOAD_TIME).read(|it| file(it.node).map(|node| Value::Signed(node.uploaded.seconds()))),
    Property::live(nc::CONTAINED_FOLDER_COUNT)
        .needs(Needs::MEMBER_COUNTS)
        .read(|it| it.node.member_counts.map(|(folders, _)| folders.into())),
    Property::live(nc::CONTAINED_FILE_COUNT)
        .needs(Needs::MEMBER_COUNTS)
        .read(|it| it.node.member_counts.map(|(_, files)| files.into())),
    Property::live(nc::LOCK).needs(Needs::LOCKS).read(file_lock::is_locked),
    Property::live(nc::LOCK_OWNER_TYPE).needs(Needs::LOCKS).read(file_lock::owner_type),
    Property::live(nc::LOCK_OWNER).needs(Needs::LOCKS).read(file_lock::owner),
    Property::live(nc::LOCK_OWNER_DISPLAYNAME).needs(Needs::LOCKS).read(file_lock::owner_display_name),
    Property::live(nc::LOCK_OWNER_EDITOR).needs(Needs::LOCKS).read(file_lock::editor),
    Property::live(nc::LOCK_TIME).needs(Needs::LOCKS).read(file_lock::time),
    Property::live(nc::LOCK_TIMEOUT).needs(Needs::LOCKS).read(file_lock::timeout),
    Property::live(nc::LOCK_TOKEN).needs(Needs::LOCKS).read(file_lock::token),
    Property::live(dav::LASTMODIFIED).write(write_modified),
    // RFC 5323 §3.4.
    Property::live(dav::SUPPORTED_QUERY_GRAMMAR_SET).read(|_| Some(Value::Elements(write_grammars))),
];

fn file(node: &Node) -> Option<&Node> {
    (!node.is_folder()).then_some(node)
}

fn has_preview(it: &Resource<'_>) -> bool {
    it.dav.extension::<Nextcloud>().is_some_and(|dialect| preview::has_preview(dialect.previews, it.node))
}

pub(crate) fn append_id(it: &Resource<'_>, text: &mut String) {
    let mut buffer = itoa::Buffer::new();
    let number = buffer.format(it.node.id.0);
    text.push_str("00000000".get(number.len()..).unwrap_or_default());
    text.push_str(number);
    text.push_str(&it.caller.space.info().instance_id);
}

pub(crate) fn write_checksums(it: &Resource<'_>, writer: &mut Writer) {
    if let Some(checksums) = &it.node.checksums {
        writer.text_element(&oc::CHECKSUM, checksums);
    }
}

fn write_grammars(_: &Resource<'_>, writer: &mut Writer) {
    writer.fragment(&grammars());
}

/// What stands in `DAV:supported-query-grammar-set`.
pub fn grammars() -> String {
    let mut writer = Writer::new();
    writer.open(&dav::SUPPORTED_QUERY_GRAMMAR);
    writer.open(&dav::GRAMMAR);
    writer.empty(&dav::BASICSEARCH);
    writer.close();
    writer.close();
    String::from_utf8_lossy(&writer.take()).into_owned()
}

fn write_favourite(element: Option<&Element>, patch: &mut PatchProperties) -> Result<(), Error> {
    patch.favourite = Some(element.is_some_and(|element| matches!(element.text().as_str(), "1" | "true")));
    Ok(())
}

pub(crate) fn write_created(element: Option<&Element>, patch: &mut PatchProperties) -> Result<(), Error> {
    patch.created = Some(instant_of(element)?);
    Ok(())
}

pub(crate) fn write_modified(element: Option<&Element>, patch: &mut PatchProperties) -> Result<(), Error> {
    patch.modified = Some(instant_of(element)?);
    Ok(())
}

fn instant_of(element: Option<&Element>) -> Result<Timestamp, Error> {
    let seconds = element.and_then(|element| element.text().parse::<i64>().ok());
    let seconds = seconds.filter(|seconds| *seconds > EARLIEST_SECOND);
    seconds.map(Timestamp::from_seconds).ok_or_else(|| Error::bad_request("The time must be in seconds since 1970."))
}
