//! What identifies a collection and a push service's message: opaque to everybody but this server.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nichoir_store::{Node, Space};

/// Bytes of a topic.
const TOPIC_BYTES: usize = 16;
/// Bytes of a `Topic` header, which has 32 characters at most (RFC 8030 §5.4).
const REPLACEMENT_BYTES: usize = 24;

/// What the collection is called towards push clients: the same wherever it is mounted, and nothing can be read from it.
pub(crate) fn topic_of(space: &Space, node: &Node) -> String {
    let hash = blake3::keyed_hash(&space.key("webdav-push topic"), &node.id.0.to_be_bytes());
    URL_SAFE_NO_PAD.encode(&hash.as_bytes()[..TOPIC_BYTES])
}

/// The `Topic` header: a message takes the place of one that waits at the push service if it says at least as much.
pub(crate) fn replacement_topic(topic: &str, has_content: bool, has_properties: bool) -> String {
    let text = format!("{topic} {has_content} {has_properties}");
    URL_SAFE_NO_PAD.encode(&blake3::hash(text.as_bytes()).as_bytes()[..REPLACEMENT_BYTES])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_takes_the_place_of_its_like_only() {
        let both = replacement_topic("a", true, true);
        assert_eq!(both, replacement_topic("a", true, true));
        for other in [replacement_topic("a", true, false), replacement_topic("a", false, true)] {
            assert_ne!(both, other);
        }
        assert_ne!(both, replacement_topic("b", true, true));
        assert_eq!(both.len(), 32, "RFC 8030 §5.4");
    }
}
