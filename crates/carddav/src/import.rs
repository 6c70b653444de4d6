//! Import of a file with many cards (RFC 6350 §10.1): one address object each, in place of the one with its UID.

use bytes::Bytes;
use nichoir_contentline::{Component, parse};
use nichoir_dav::{Answering, Body, Call, Error, import, request::read_whole};
use nichoir_store::Ports;
use nichoir_xml::carddav;

use crate::extension::Carddav;
use crate::object::Limits;

pub(crate) fn answer(call: &Call<'_>, body: Body, limits: &Limits) -> Answering {
    let (dav, caller, mount) = (call.dav.clone(), call.caller.clone(), call.mount.clone());
    let (path, parts, limits) = (call.path.clone(), call.parts.clone(), limits.clone());
    Box::pin(async move {
        let call = Call { dav: &dav, caller: &caller, mount: &mount, path: &path, parts: &parts };
        let bytes = read_whole(body, limits.import_bytes_max).await?;
        let cards = split(&bytes, &limits, caller.space.ports())?;
        import::import(&call, &Carddav { limits }, cards, ".vcf").await
    })
}

/// The cards in a file, in its order; those without a UID get one.
///
/// # Errors
/// 403 for what is no vCard, or too many of them.
fn split(bytes: &[u8], limits: &Limits, ports: &Ports) -> Result<Vec<Bytes>, Error> {
    let reading = nichoir_contentline::Limits {
        lines_max: bytes.len(),
        components_max: limits.import_objects_max.saturating_mul(2),
        ..limits.content
    };
    let invalid = |reason: String| {
        Error::forbidden(format!("The file is no vCard: {reason}.")).with_condition(carddav::VALID_ADDRESS_DATA)
    };
    let cards = parse(bytes, &reading).map_err(|broken| invalid(broken.to_string()))?;
    if cards.is_empty() || cards.iter().any(|it| it.name != "VCARD") {
        return Err(invalid("not a VCARD".to_owned()));
    }
    if cards.len() > limits.import_objects_max {
        return Err(Error::forbidden(format!("More than {} cards.", limits.import_objects_max)));
    }
    Ok(cards.iter().map(|card| to_object(card, bytes, ports)).collect())
}

fn to_object(card: &Component<'_>, bytes: &[u8], ports: &Ports) -> Bytes {
    let whole = &bytes[card.range.clone()];
    if card.value("UID").is_some_and(|uid| !uid.trim().is_empty()) {
        return Bytes::copy_from_slice(whole);
    }
    let mut out = b"BEGIN:VCARD\r\n".to_vec();
    for line in card.lines.iter().filter(|line| !line.is("UID")) {
        out.extend_from_slice(&bytes[line.range.clone()]);
        // VERSION comes first (RFC 6350 §6.7.9).
        if line.is("VERSION") {
            out.extend_from_slice(format!("UID:{}\r\n", ports.lower_alphanumeric(32)).as_bytes());
        }
    }
    out.extend_from_slice(b"END:VCARD\r\n");
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_card_is_one_object_and_has_a_uid() {
        let text = b"BEGIN:VCARD\nVERSION:3.0\nUID:1\nFN:A\nN:A;;;;\nEND:VCARD\nBEGIN:VCARD\nVERSION:3.0\nFN:B\nN:B;;;;\nEND:VCARD\n";
        let cards = split(text, &Limits::default(), &Ports::system()).expect("it can be read");
        assert_eq!(&cards[0][..], b"BEGIN:VCARD\nVERSION:3.0\nUID:1\nFN:A\nN:A;;;;\nEND:VCARD\n");
        let second = String::from_utf8_lossy(&cards[1]).into_owned();
        assert!(second.starts_with("BEGIN:VCARD\r\nVERSION:3.0\nUID:") && second.contains("FN:B\n"), "{second}");
        assert!(split(b"hello", &Limits::default(), &Ports::system()).is_err());
        let limits = Limits { import_objects_max: 1, ..Limits::default() };
        assert!(split(text, &limits, &Ports::system()).is_err());
    }
}
