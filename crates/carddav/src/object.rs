//! Address object resources: what may be stored (RFC 6352 §5.1, §6.3.2.1) and what the index has to know.
//!
//! What mainstream clients write is taken as it is; refused is only what would break other clients or the index. The
//! bytes are never rewritten.

use nichoir_contentline::{Component, parse};
use nichoir_dav::Error;
use nichoir_store::{CARD, MemberIndex, Visibility};
use nichoir_xml::carddav;

/// The limits of address objects and of what is asked of them, each a setting.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of one card, pictures included.
    pub object_bytes_max: usize,
    /// Content lines and components of one card.
    pub content: nichoir_contentline::Limits,
    /// Bytes of a file that is imported.
    pub import_bytes_max: usize,
    /// Cards in a file that is imported.
    pub import_objects_max: usize,
    /// Members that one multiget may ask for.
    pub multiget_hrefs_max: usize,
    /// Conditions in one filter.
    pub filter_conditions_max: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            object_bytes_max: 5 * 1024 * 1024,
            content: nichoir_contentline::Limits::default(),
            import_bytes_max: 32 * 1024 * 1024,
            import_objects_max: 5_000,
            multiget_hrefs_max: 5_000,
            filter_conditions_max: 64,
        }
    }
}

/// An address object, read.
#[derive(Debug)]
pub struct AddressObject<'a> {
    /// The bytes that it was read from.
    pub bytes: &'a [u8],
    /// The VCARD.
    pub card: Component<'a>,
    /// Its UID.
    pub uid: String,
}

impl<'a> AddressObject<'a> {
    /// Reads what a client wants to store.
    ///
    /// # Errors
    /// 403 with the precondition of RFC 6352 §6.3.2.1 that does not hold.
    pub fn check(bytes: &'a [u8], limits: &Limits) -> Result<AddressObject<'a>, Error> {
        if bytes.len() > limits.object_bytes_max {
            return Err(Error::too_large_member(limits.object_bytes_max as u64));
        }
        // XML answers cannot carry them.
        if bytes.iter().any(|byte| *byte < 0x20 && !matches!(byte, b'\t' | b'\r' | b'\n')) {
            return Err(invalid("it has a control character"));
        }
        AddressObject::read(bytes, limits)
    }

    /// Reads what is stored.
    ///
    /// # Errors
    /// As [`AddressObject::check`], for what cannot be understood at all.
    pub fn read(bytes: &'a [u8], limits: &Limits) -> Result<AddressObject<'a>, Error> {
        let mut found = parse(bytes, &limits.content).map_err(|broken| invalid(&broken.to_string()))?;
        let card = match (found.pop(), found.is_empty()) {
            (Some(card), true) if card.name == CARD => card,
            _ => return Err(invalid("it is not exactly one VCARD")),
        };
        match card.value("VERSION").map(str::trim) {
            Some("3.0" | "4.0") => {}
            Some(other) => return Err(unsupported(format!("vCard {other} is not supported, 3.0 and 4.0 are."))),
            None => return Err(invalid("it has no VERSION")),
        }
        let uid = {
            let mut told = card.all("UID").map(|line| line.value().trim());
            match (told.next().filter(|uid| !uid.is_empty()), told.next()) {
                (Some(uid), None) => uid.to_owned(),
                // DAVx⁵ leaves out, without a word, what has not exactly one.
                _ => return Err(invalid("it has not exactly one UID")),
            }
        };
        Ok(AddressObject { bytes, card, uid })
    }

    /// What the store has to know: nothing of it happens at any time.
    pub fn index(&self) -> MemberIndex {
        MemberIndex {
            uid: self.uid.clone(),
            component: CARD.to_owned(),
            first_seconds: i64::MIN,
            last_seconds: i64::MAX,
            // CLASS of a card (RFC 2426 §3.7.1) says nothing about the books of others, and 4.0 has none.
            visibility: Visibility::Public,
        }
    }
}

fn invalid(reason: &str) -> Error {
    Error::forbidden(format!("This is no vCard: {reason}.")).with_condition(carddav::VALID_ADDRESS_DATA)
}

/// 403 with `CARDDAV:supported-address-data`.
pub(crate) fn unsupported(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::forbidden(message).with_condition(carddav::SUPPORTED_ADDRESS_DATA)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        import_bytes_max: 100,
        import_objects_max: 1,
        object_bytes_max: 400,
        content: nichoir_contentline::Limits { lines_max: 12, components_max: 3, depth_max: 2 },
        multiget_hrefs_max: 1,
        filter_conditions_max: 1,
    };

    #[track_caller]
    fn check(bytes: &[u8], expected: &str) {
        let found = match AddressObject::check(bytes, &LIMITS) {
            Ok(object) => format!("uid {}", object.index().uid),
            Err(error) => {
                let condition = error.condition().expect("a condition").name.local.to_string();
                format!("{} {condition}", error.status().as_u16())
            }
        };
        assert_eq!(found, expected, "{}", String::from_utf8_lossy(bytes));
    }

    fn card(lines: &str) -> Vec<u8> {
        format!("BEGIN:VCARD\r\n{lines}\r\nEND:VCARD\r\n").into_bytes()
    }

    #[test]
    fn what_clients_write_is_taken() {
        check(&card("VERSION:3.0\r\nUID:a\r\nFN:A"), "uid a");
        check(&card("VERSION:4.0\r\nUID:urn:uuid:4fbe8971\r\nFN:A"), "uid urn:uuid:4fbe8971");
        check(&card("version:3.0\r\nitem1.uid: a b \r\nPHOTO;BASE64:\r\n  AAAA\r\n  BBBB"), "uid a b");
        check(b"\xef\xbb\xbf\r\n\r\nbegin:vcard\nVERSION:3.0\nUID:a\n\tb\nend:vcard", "uid ab");
        check(b"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:\xc3\r\n \xa9\r\nEND:VCARD\r\n\r\n", "uid \u{e9}");
        check(&card("VERSION:3.0\r\nUID:a\r\nX-ADDRESSBOOKSERVER-KIND:group"), "uid a");
    }

    #[test]
    fn what_is_no_card_is_refused() {
        check(b"", "403 valid-address-data");
        check(b"hello", "403 valid-address-data");
        check(&card("VERSION:3.0\r\nFN:A"), "403 valid-address-data");
        check(&card("VERSION:3.0\r\nUID:\r\nFN:A"), "403 valid-address-data");
        check(&card("VERSION:3.0\r\nUID:a\r\nUID:a"), "403 valid-address-data");
        check(&card("UID:a"), "403 valid-address-data");
        check(&card("VERSION:3.0\r\nUID:a\r\nno colon"), "403 valid-address-data");
        check(&card("VERSION:3.0\r\nUID:a\r\nNOTE:\x00"), "403 valid-address-data");
        check(&card("VERSION:3.0\r\nUID:a\r\n\x0b"), "403 valid-address-data");
        check(b"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:\xe9\r\nEND:VCARD\r\n", "403 valid-address-data");
        check(b"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:a\r\n", "403 valid-address-data");
        check(b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nUID:a\r\nEND:VCALENDAR\r\n", "403 valid-address-data");
        let two = [card("VERSION:3.0\r\nUID:a"), card("VERSION:3.0\r\nUID:b")].concat();
        check(&two, "403 valid-address-data");
    }

    #[test]
    fn versions_that_are_not_served_are_named_as_such() {
        check(&card("VERSION:2.1\r\nUID:a"), "403 supported-address-data");
        check(&card("VERSION:5.0\r\nUID:a"), "403 supported-address-data");
    }

    #[test]
    fn limits_hold_on_both_sides() {
        let of_length = |length: usize| {
            let empty = card("VERSION:3.0\r\nUID:a\r\nNOTE:").len();
            card(&format!("VERSION:3.0\r\nUID:a\r\nNOTE:{}", "x".repeat(length - empty)))
        };
        check(&of_length(400), "uid a");
        check(&of_length(401), "403 max-resource-size");
        check(&card(&format!("VERSION:3.0\r\nUID:a{}", "\r\nX:1".repeat(8))), "uid a");
        check(&card(&format!("VERSION:3.0\r\nUID:a{}", "\r\nX:1".repeat(9))), "403 valid-address-data");
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            let _ = AddressObject::check(&bytes, &LIMITS);
            let _ = AddressObject::check(&[b"BEGIN:VCARD\nVERSION:4.0\nUID:a\n", &*bytes, b"\nEND:VCARD"].concat(), &LIMITS);
        }
    }
}
