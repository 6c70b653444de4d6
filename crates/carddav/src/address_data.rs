//! `CARDDAV:address-data` in a request: which properties of a card, in which form (RFC 6352 §10.4).
//!
//! Lines that are not touched go out as they came in.

use nichoir_contentline::{Line, fold};
use nichoir_dav::Error;
use nichoir_xml::{Element, Name, carddav};

use crate::object::{AddressObject, unsupported};
use crate::property_name::PropertyName;

/// Without these it is no vCard: they go out whether asked for or not (RFC 2426 §5, RFC 6350 §6.7.9).
const MANDATORY: [&str; 4] = ["VERSION", "UID", "FN", "N"];

/// What is wanted of each card.
#[derive(Clone, Debug, Default)]
pub struct AddressData {
    /// `None`: all.
    props: Option<Vec<Wanted>>,
}

#[derive(Clone, Debug)]
struct Wanted {
    name: PropertyName,
    is_without_value: bool,
}

impl AddressData {
    /// Reads the element.
    ///
    /// # Errors
    /// 403 with `CARDDAV:supported-address-data` for another media type or version than what is advertised, 400 for a
    /// property without a name.
    pub fn of(element: &Element) -> Result<AddressData, Error> {
        // vdirsyncer spells it `Content-Type`.
        let attribute = |name: &str| {
            let named = |it: &&nichoir_xml::Attribute| it.name.is_in("") && it.name.local.eq_ignore_ascii_case(name);
            element.attributes.iter().find(named).map(|attribute| attribute.value.trim())
        };
        let is_known = attribute("content-type").is_none_or(|told| told.eq_ignore_ascii_case("text/vcard"))
            && attribute("version").is_none_or(|told| told == "3.0");
        if !is_known {
            return Err(unsupported("Only text/vcard 3.0 can be asked for."));
        }
        let mut wanted = Vec::new();
        let has_all = element.child(&carddav::ALLPROP).is_some();
        for prop in element.children(&carddav::PROP) {
            wanted.push(Wanted::of(prop)?);
        }
        Ok(AddressData { props: if has_all || wanted.is_empty() { None } else { Some(wanted) } })
    }

    /// Whether the card goes out as it is.
    pub fn is_whole(&self) -> bool {
        self.props.is_none()
    }

    /// The text of a card, as bytes of the card and line ends.
    pub fn render(&self, object: &AddressObject<'_>) -> Vec<u8> {
        let Some(wanted) = &self.props else { return object.bytes.to_vec() };
        let mut out = Vec::with_capacity(object.bytes.len().min(4_096));
        out.extend_from_slice(b"BEGIN:VCARD\r\n");
        for line in &object.card.lines {
            match wanted.iter().find(|wanted| wanted.name.names(line)) {
                Some(wanted) if wanted.is_without_value => fold(&format!("{}:", line.head()), &mut out),
                Some(_) => add_untouched(line, object, &mut out),
                None if is_mandatory(line) => add_untouched(line, object, &mut out),
                None => {}
            }
        }
        out.extend_from_slice(b"END:VCARD\r\n");
        out
    }
}

impl Wanted {
    fn of(element: &Element) -> Result<Wanted, Error> {
        let attribute = |name: &'static str| element.attribute(&Name::new("", name)).map(str::trim);
        let name = attribute("name").filter(|name| !name.is_empty());
        let name = PropertyName::of(name.ok_or_else(|| Error::bad_request("A prop element has no name."))?);
        let is_without_value = attribute("novalue").is_some_and(|told| told.eq_ignore_ascii_case("yes"));
        // A card without a version cannot be read at all.
        Ok(Wanted { is_without_value: is_without_value && !name.is("VERSION"), name })
    }
}

fn is_mandatory(line: &Line<'_>) -> bool {
    MANDATORY.iter().any(|name| line.is(name))
}

fn add_untouched(line: &Line<'_>, object: &AddressObject<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(&object.bytes[line.range.clone()]);
    if !out.ends_with(b"\n") {
        out.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::Limits;

    const CARD: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Anna\r\nUID:1\r\nitem1.TEL;TYPE=cell:1\r\nTEL:2\r\nNOTE:a\r\n  b\n\
        \titem1\r\nitem1.X-ABLabel:x\r\nEND:VCARD\r\n";

    fn data_of(text: &str) -> Result<AddressData, Error> {
        let text = format!("<c:address-data xmlns:c='urn:ietf:params:xml:ns:carddav' {text}</c:address-data>");
        AddressData::of(&nichoir_xml::read(text.as_bytes(), &nichoir_xml::Limits::default()).expect("well-formed"))
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let object = AddressObject::read(CARD.as_bytes(), &Limits::default()).expect("a card");
        let found = match data_of(text) {
            Ok(data) if data.is_whole() => "whole".to_owned(),
            Ok(data) => {
                let text = String::from_utf8(data.render(&object)).expect("text");
                let inside = text.strip_prefix("BEGIN:VCARD\r\nVERSION:3.0\r\n").expect("a card");
                inside.strip_suffix("END:VCARD\r\n").expect("a card").trim_end().replace("\r\n", "|")
            }
            Err(error) => match error.condition() {
                Some(condition) => condition.name.local.to_string(),
                None => error.status().as_u16().to_string(),
            },
        };
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn everything_unless_properties_are_named() {
        check(">", "whole");
        check("><c:allprop/>", "whole");
        check("><c:allprop/><c:prop name='TEL'/>", "whole");
    }

    #[test]
    fn named_properties_come_with_what_makes_it_a_card() {
        check("><c:prop name='tel'/>", "FN:Anna|UID:1|item1.TEL;TYPE=cell:1|TEL:2");
        check("><c:prop name='item1.TEL'/>", "FN:Anna|UID:1|item1.TEL;TYPE=cell:1");
        check("><c:prop name='item2.TEL'/>", "FN:Anna|UID:1");
        check("><c:prop name='PHOTO'/>", "FN:Anna|UID:1");
        check("><c:prop name='NOTE'/>", "FN:Anna|UID:1|NOTE:a|  b\n\titem1");
    }

    #[test]
    fn values_are_left_out_where_nobody_wants_them() {
        check("><c:prop name='TEL' novalue='yes'/>", "FN:Anna|UID:1|item1.TEL;TYPE=cell:|TEL:");
        check("><c:prop name='FN' novalue='YES'/>", "FN:|UID:1");
        check("><c:prop name='TEL' novalue='no'/>", "FN:Anna|UID:1|item1.TEL;TYPE=cell:1|TEL:2");
        check("><c:prop name='VERSION' novalue='yes'/>", "FN:Anna|UID:1");
    }

    #[test]
    fn other_forms_than_the_advertised_one_are_refused() {
        check("content-type='text/vcard' version='3.0'>", "whole");
        check("Content-Type='TEXT/VCARD'>", "whole");
        check("content-type='text/vcard' version='4.0'>", "supported-address-data");
        check("content-type='application/vcard+json'>", "supported-address-data");
        check("Version='2.1'>", "supported-address-data");
        check("><c:prop/>", "400");
    }

    proptest::proptest! {
        #[test]
        fn what_is_asked_for_is_what_was_stored(names in proptest::collection::vec("(item[12]\\.)?(TEL|NOTE|X-A)", 0..6), value in "[ -~]{0,90}") {
            let mut text = "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:1\r\nFN:\u{e9}\r\n".as_bytes().to_vec();
            for name in &names {
                fold(&format!("{name};X=\"\u{e9}\":{value}"), &mut text);
            }
            text.extend_from_slice(b"END:VCARD\r\n");
            let object = AddressObject::read(&text, &Limits::default()).expect("a card");
            let all = data_of("><c:prop name='TEL'/><c:prop name='NOTE'/><c:prop name='X-A'/>").expect("data");
            proptest::prop_assert_eq!(all.render(&object), &*text);
            let some = data_of("><c:prop name='NOTE'/>").expect("data").render(&object);
            let part = AddressObject::read(&some, &Limits::default()).expect("a part of a card is a card");
            let lines = |object: &AddressObject<'_>| -> Vec<String> {
                object.card.all("NOTE").map(|line| line.text().to_owned()).collect()
            };
            proptest::prop_assert_eq!(lines(&part), lines(&object));
        }
    }
}
