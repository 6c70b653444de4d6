//! What a push message says: which collection, what of it changed, and its sync token, so that a client that knows
//! already need not ask.

use bytes::Bytes;
use nichoir_xml::{Writer, dav, push};

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// Which collection.
    pub(crate) topic: String,
    /// Members changed: the sync token after that.
    pub(crate) content: Option<String>,
    /// Properties changed.
    pub(crate) has_properties: bool,
}

impl Message {
    pub(crate) fn to_xml(&self) -> Bytes {
        let mut writer = Writer::new();
        writer.declaration();
        writer.open_root_with(&push::PUSH_MESSAGE, &[push::NAMESPACE]);
        writer.text_element(&push::TOPIC, &self.topic);
        if let Some(token) = &self.content {
            writer.open(&push::CONTENT_UPDATE);
            writer.text_element(&dav::SYNC_TOKEN, token);
            writer.close();
        }
        if self.has_properties {
            writer.empty(&push::PROPERTY_UPDATE);
        }
        writer.close();
        writer.take()
    }
}

#[cfg(test)]
mod tests {
    use nichoir_xml::{Limits, read};

    use super::*;

    #[test]
    fn a_message_names_the_collection_and_what_changed() {
        let message = Message { topic: "t&x".to_owned(), content: Some("urn:x:1".to_owned()), has_properties: false };
        let root = read(&message.to_xml(), &Limits::default()).unwrap();
        assert_eq!(root.name, push::PUSH_MESSAGE);
        assert_eq!(root.child(&push::TOPIC).unwrap().text(), "t&x");
        let content = root.child(&push::CONTENT_UPDATE).unwrap();
        assert_eq!(content.child(&dav::SYNC_TOKEN).unwrap().text(), "urn:x:1");
        assert!(root.child(&push::PROPERTY_UPDATE).is_none());

        let message = Message { content: None, has_properties: true, ..message };
        let root = read(&message.to_xml(), &Limits::default()).unwrap();
        assert!(root.child(&push::CONTENT_UPDATE).is_none() && root.child(&push::PROPERTY_UPDATE).is_some());
    }
}
