//! What is written reads back the same, and the reader takes any bytes without panicking.

use nichoir_xml::{Attribute, Child, Element, Limits, Name, Tag, Writer, dav, oc, ocs, read};
use proptest::prelude::*;

fn parse(text: &str) -> Result<Element, nichoir_xml::Error> {
    read(text.as_bytes(), &Limits::default())
}

#[track_caller]
fn check(input: &str, expected: &str) {
    let found = match parse(input) {
        Ok(element) => element.to_fragment(),
        Err(error) => format!("error: {error}"),
    };
    assert_eq!(found, expected, "{input}");
}

#[test]
fn fragments_stand_for_themselves() {
    check("<a/>", "<a xmlns=\"\"/>");
    check("<p:a xmlns:p=\"urn:x\">t</p:a>", "<p:a xmlns:p=\"urn:x\">t</p:a>");
    check("<a xmlns=\"urn:x\"><b xmlns=\"\"/></a>", "<a xmlns=\"urn:x\"><b xmlns=\"\"/></a>");
    check("<a xmlns=\"urn:x\" xml:lang=\"fr\"/>", "<a xmlns=\"urn:x\" xml:lang=\"fr\"/>");
    check(
        "<D:x xmlns:D=\"DAV:\" xmlns:q=\"urn:q\" q:r=\"&lt;&#10;\">a&amp;b<![CDATA[<c>]]>&#233;</D:x>",
        "<D:x xmlns:D=\"DAV:\" xmlns:q=\"urn:q\" q:r=\"&lt;&#10;\">a&amp;b&lt;c&gt;é</D:x>",
    );
    // the same prefix bound twice on the way down
    check(
        "<p:a xmlns:p=\"urn:1\"><p:b xmlns:p=\"urn:2\"/><p:c/></p:a>",
        "<p:a xmlns:p=\"urn:1\"><p:b xmlns:p=\"urn:2\"/><p:c/></p:a>",
    );
}

#[test]
fn references_in_a_namespace_are_resolved_once() {
    check("<p:a xmlns:p=\"urn:x?a&amp;b&gt;\"/>", "<p:a xmlns:p=\"urn:x?a&amp;b&gt;\"/>");
    assert_eq!(parse("<a xmlns=\"D&#65;V:\"/>").unwrap().name, Name::owned("DAV:", "a"));
    check(
        "<a xmlns:p=\"urn:&#120;\" xmlns:q=\"urn:x\" p:b=\"1\" q:b=\"2\"/>",
        "error: the XML is not well-formed: an attribute is given twice",
    );
}

#[test]
fn utf_16_is_read_with_its_byte_order_mark() {
    let document = "<?xml version=\"1.0\" encoding=\"UTF-16\"?><a xmlns=\"urn:x\">é😀</a>";
    let little: Vec<u8> = "\u{feff}".encode_utf16().chain(document.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = "\u{feff}".encode_utf16().chain(document.encode_utf16()).flat_map(u16::to_be_bytes).collect();
    for bytes in [&little, &big] {
        let element = read(bytes, &Limits::default()).unwrap();
        assert_eq!(element.to_fragment(), "<a xmlns=\"urn:x\">é😀</a>");
        assert!(read(&bytes[..bytes.len() - 1], &Limits::default()).is_err(), "half a character");
    }
    // A surrogate without its other half.
    assert!(read(b"\xff\xfe<\0a\0>\0\x00\xd8<\0/\0a\0>\0", &Limits::default()).is_err());
}

#[test]
fn inherited_language_goes_with_a_property() {
    let root = parse("<d:set xmlns:d=\"DAV:\" xml:lang=\"fr\"><d:x>oui</d:x></d:set>").unwrap();
    let inside = root.elements().next().unwrap();
    assert_eq!(inside.to_fragment(), "<d:x xmlns:d=\"DAV:\" xml:lang=\"fr\">oui</d:x>");
}

#[test]
fn what_is_not_namespace_well_formed_is_refused() {
    for bad in [
        "",
        "   ",
        "<a>",
        "<a></b>",
        "<a/><b/>",
        "text",
        "<a/>text",
        "<p:a/>",
        "<a p:b=\"\"/>",
        "<a b=\"1\" b=\"2\"/>",
        "<D:a xmlns:D=\"DAV:\"><D:b xmlns:bar=\"\"/></D:a>",
        "<a>&unknown;</a>",
        "<a>&#1;</a>",
        "<a>\u{1}</a>",
        "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
        "<a:b:c xmlns:a=\"urn:a\"/>",
        "<1a/>",
        "<a b='<'/>",
        "<a xmlns:p=\"urn:x\" xmlns:q=\"urn:x\" p:b=\"1\" q:b=\"2\"/>",
        "<a>]]></a>",
        "</a>",
    ] {
        assert!(parse(bad).is_err(), "{bad:?} was taken as {:?}", parse(bad));
    }
    assert!(read(b"<a>\xff</a>", &Limits::default()).is_err());
    assert!(read(b"\xef\xbb\xbf<a/>", &Limits::default()).is_ok(), "a byte order mark is not content");
}

#[test]
fn every_limit_holds_at_the_limit_and_not_beyond() {
    let limits =
        Limits { request_xml_bytes: 200, request_xml_depth: 3, request_xml_elements: 4, request_xml_attributes: 2 };
    let read = |text: &str| read(text.as_bytes(), &limits);
    assert!(read("<a><b><c/></b></a>").is_ok());
    assert_eq!(read("<a><b><c><d/></c></b></a>"), Err(nichoir_xml::Error::TooLarge("request_xml_depth")));
    assert!(read("<a><b/><b/><b/></a>").is_ok());
    assert_eq!(read("<a><b/><b/><b/><b/></a>"), Err(nichoir_xml::Error::TooLarge("request_xml_elements")));
    assert!(read("<a b='' c=''/>").is_ok());
    assert_eq!(read("<a b='' c='' d=''/>"), Err(nichoir_xml::Error::TooLarge("request_xml_attributes")));
    assert!(read(&format!("<a>{}</a>", "x".repeat(193))).is_ok());
    let beyond = format!("<a>{}</a>", "x".repeat(194));
    assert_eq!(read(&beyond), Err(nichoir_xml::Error::TooLarge("request_xml_bytes")));
}

#[test]
fn prefixes_are_the_ones_that_clients_look_for() {
    let mut writer = Writer::new();
    writer.open_root(&dav::MULTISTATUS);
    writer.empty(&oc::ID);
    writer.text_element(&ocs::SHARE_PERMISSIONS, "31");
    writer.empty(&Name::owned("urn:other", "p"));
    writer.text_element(&ocs::SHARE_PERMISSIONS, "1");
    writer.empty(&Name::owned("", "none"));
    writer.close();
    let text = String::from_utf8(writer.take().to_vec()).unwrap();
    assert_eq!(
        text,
        "<d:multistatus xmlns:d=\"DAV:\" xmlns:s=\"http://sabredav.org/ns\" xmlns:oc=\"http://owncloud.org/ns\" \
         xmlns:nc=\"http://nextcloud.org/ns\"><oc:id/>\
         <x1:share-permissions xmlns:x1=\"http://open-collaboration-services.org/ns\">31</x1:share-permissions>\
         <x2:p xmlns:x2=\"urn:other\"/>\
         <x1:share-permissions xmlns:x1=\"http://open-collaboration-services.org/ns\">1</x1:share-permissions>\
         <none/></d:multistatus>"
    );
}

#[test]
fn text_of_any_kind_is_escaped() {
    let mut writer = Writer::new();
    writer.text_element(&Name::new("", "a"), "<&>\r\u{1}\u{fffe}é\t\n]]>");
    assert_eq!(
        String::from_utf8(writer.take().to_vec()).unwrap(),
        "<a>&lt;&amp;&gt;&#13;\u{fffd}\u{fffd}é\t\n]]&gt;</a>"
    );
}

fn text() -> impl Strategy<Value = String> {
    // Carriage returns and all that XML allows.
    proptest::collection::vec(prop_oneof!["[a-z<>&'\"\\]\\r\\n\\t é]{1,6}", Just("]]>".to_owned())], 0..3)
        .prop_map(|runs| runs.concat())
}

fn name() -> impl Strategy<Value = Name> {
    ("(|urn:a|urn:b|DAV:)", "[a-z_][a-z0-9.-]{0,4}").prop_map(|(namespace, local)| Name::owned(namespace, local))
}

fn element() -> impl Strategy<Value = Element> {
    let leaf = (name(), proptest::option::of("[p-s]"), text()).prop_map(|(name, prefix, text)| Element {
        prefix: prefix.filter(|_| !name.namespace.is_empty()),
        content: if text.is_empty() { Vec::new() } else { vec![Child::Text(text)] },
        ..Element::new(name)
    });
    leaf.prop_recursive(4, 24, 4, |inside| {
        let attribute = (name(), text()).prop_map(|(name, value)| Attribute { name, prefix: None, value });
        (
            name(),
            proptest::option::of("[p-s]"),
            proptest::collection::vec(attribute, 0..3),
            proptest::collection::vec(inside, 0..4),
        )
            .prop_map(|(name, prefix, mut attributes, inside)| {
                attributes.sort_by(|left, right| left.name.cmp(&right.name));
                attributes.dedup_by(|left, right| left.name == right.name);
                Element {
                    prefix: prefix.filter(|_| !name.namespace.is_empty()),
                    attributes,
                    content: inside.into_iter().map(Child::Element).collect(),
                    ..Element::new(name)
                }
            })
    })
}

/// Without prefixes, which are only hints.
fn infoset(element: &Element) -> Element {
    Element {
        prefix: None,
        attributes: element.attributes.iter().map(|it| Attribute { prefix: None, ..it.clone() }).collect(),
        content: element
            .content
            .iter()
            .map(|child| match child {
                Child::Element(inside) => Child::Element(infoset(inside)),
                Child::Text(text) => Child::Text(text.clone()),
            })
            .collect(),
        ..element.clone()
    }
}

proptest! {
    #[test]
    fn what_is_written_reads_back_the_same(element in element()) {
        let text = element.to_fragment();
        let again = parse(&text).map_err(|error| TestCaseError::fail(format!("{error}: {text}")))?;
        prop_assert_eq!(infoset(&again), infoset(&element), "{}", text);
    }

    #[test]
    fn any_bytes_are_taken_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&bytes, &Limits::default());
    }

    #[test]
    fn any_near_xml_is_taken_or_refused(text in "[<>/a:xmlns=\"'&;#!\\[\\]D-]{0,80}") {
        if let Ok(element) = parse(&text) {
            prop_assert_eq!(infoset(&parse(&element.to_fragment()).unwrap()), infoset(&element));
        }
    }
}

#[test]
fn a_root_declares_each_namespace_once() {
    let mut writer = Writer::new();
    writer
        .open_root_with(&dav::ERROR, &[dav::NAMESPACE, nichoir_xml::sabre::NAMESPACE, nichoir_xml::caldav::NAMESPACE]);
    writer.close();
    let text = String::from_utf8(writer.take().to_vec()).unwrap();
    assert_eq!(parse(&text).map(|root| root.name), Ok(dav::ERROR), "{text}");
    for prefix in ["xmlns:d=", "xmlns:s=", "xmlns:cal="] {
        assert_eq!(text.matches(prefix).count(), 1, "{prefix} in {text}");
    }
}

/// The same elements by name and by tag.
fn written_by(open_root: bool, is_by_tag: bool) -> String {
    let mut writer = Writer::new();
    if open_root {
        writer.open_root(&dav::MULTISTATUS);
    }
    let names = [dav::HREF, oc::ID, ocs::SHARE_PERMISSIONS, Name::owned("urn:x", "p"), Name::owned("", "q")];
    for (name, text) in names.iter().zip(["a & b", "", "<\r\u{1}\"\u{ffff}\u{fff0}>", "é", "12"]) {
        let tag = Tag::new(name.clone());
        if is_by_tag {
            writer.start(&tag);
            writer.text_in(&tag, text);
            writer.plain_in(&tag, "12");
            writer.end(&tag);
        } else {
            writer.open(name);
            writer.text_element(name, text);
            writer.text_element(name, "12");
            writer.close();
        }
    }
    if open_root {
        writer.close();
    }
    String::from_utf8(writer.take().to_vec()).expect("what is written is UTF-8")
}

#[test]
fn an_element_is_the_same_written_by_its_name_or_by_its_tag() {
    for open_root in [true, false] {
        assert_eq!(written_by(open_root, true), written_by(open_root, false));
    }
    assert!(written_by(true, true).contains("&lt;&#13;\u{fffd}\"\u{fffd}\u{fff0}&gt;"), "{}", written_by(true, true));
}
