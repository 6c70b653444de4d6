//! The properties that tell clients how to be pushed to. They are absent where nothing is pushed.

use nichoir_dav::{Property, Resource, Value};
use nichoir_store::Node;
use nichoir_xml::{Name, Writer, dav, push};

use crate::extension::Push;
use crate::names::topic_of;

/// The table.
pub(crate) static PROPERTIES: &[Property] = &[
    Property::live(push::TRANSPORTS).read(|it| is_pushed(it.node).then_some(Value::Elements(write_transports))),
    Property::live(push::TOPIC).read(|it| is_pushed(it.node).then(|| Value::text(topic_of(&it.caller.space, it.node)))),
    Property::live(push::SUPPORTED_TRIGGERS).read(|it| is_pushed(it.node).then_some(Value::Elements(write_triggers))),
];

/// Homes, and whatever holds calendar or address objects or scheduling messages.
pub(crate) fn is_pushed(node: &Node) -> bool {
    node.is_root() || node.collection.is_some()
}

/// DAVx⁵ does not register where there is no VAPID key.
fn write_transports(it: &Resource<'_>, writer: &mut Writer) {
    let Some(push) = it.dav.extension::<Push>() else { return };
    writer.open(&push::WEB_PUSH);
    writer.open_with(&push::VAPID_PUBLIC_KEY, &[(&Name::new("", "type"), "p256ecdsa")]);
    writer.text(&push.key_pairs().of(&it.caller.space).public_text);
    writer.close();
    writer.close();
}

fn write_triggers(_: &Resource<'_>, writer: &mut Writer) {
    for (trigger, depth) in [(push::CONTENT_UPDATE, "1"), (push::PROPERTY_UPDATE, "0")] {
        writer.open(&trigger);
        writer.text_element(&dav::DEPTH, depth);
        writer.close();
    }
}
