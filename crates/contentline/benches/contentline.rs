//! What reading content lines costs: an event as clients write it, a contact. RFC 5545 §3.1, RFC 6350 §3.2.
#![allow(clippy::unwrap_used, reason = "a measurement, of input that is right")]

use divan::{Bencher, black_box, counter::BytesCount};
use nichoir_contentline::{Limits, fold, parse};

const EVENT: &str = concat!(
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Example//Calendar 4.2//EN\r\nBEGIN:VEVENT\r\nUID:0b5e6f9e-2f4f-4b57-9d8c\r\n",
    "DTSTAMP:20270101T000000Z\r\nDTSTART;TZID=Europe/Paris:20270115T180000\r\nDTEND;TZID=Europe/Paris:20270115T200000\r\n",
    "SUMMARY:Assemblée générale de l'association\r\nLOCATION:Salle des fêtes\\, place de la Mairie\r\n",
    "DESCRIPTION:Ordre du jour :\\n1. Rapport moral\\n2. Rapport financier\\n3. Élection du bureau. Merci d'arriv\r\n er à l'heure.\r\n",
    "ORGANIZER;CN=Anna:mailto:anna@example.org\r\n",
    "ATTENDEE;CN=\"Bob; the other\";ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:bob@example.org\r\n",
    "RRULE:FREQ=YEARLY;BYMONTH=1;BYDAY=3FR\r\nBEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT1H\r\nDESCRIPTION:x\r\nEND:VALARM\r\n",
    "END:VEVENT\r\nEND:VCALENDAR\r\n"
);
const CARD: &str = concat!(
    "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:7d1c5c9a\r\nN:Dupont;Anna;;Dr.;\r\nFN:Dr. Anna Dupont\r\nORG:Association;Bureau\r\n",
    "item1.EMAIL;TYPE=INTERNET,WORK:anna@example.org\r\nitem1.X-ABLabel:association\r\nTEL;TYPE=CELL:+33 6 12 34 56 78\r\n",
    "ADR;TYPE=HOME:;;1 rue de la Paix;Paris;;75002;France\r\nBDAY:1980-02-29\r\nNOTE:Présidente\\, depuis 2021\r\nEND:VCARD\r\n"
);

fn main() {
    divan::main();
}

#[divan::bench(args = [("event", EVENT), ("card", CARD)])]
fn read(bencher: Bencher<'_, '_>, document: (&str, &str)) {
    let bytes = document.1.as_bytes();
    bencher.counter(BytesCount::of_slice(bytes)).bench(|| parse(black_box(bytes), &Limits::default()).unwrap().len());
}

#[divan::bench]
fn fold_a_long_line(bencher: Bencher<'_, '_>) {
    let line = format!("DESCRIPTION:{}", "voilà une longue histoire ".repeat(100));
    bencher.counter(BytesCount::of_str(&line)).bench(|| {
        let mut out = Vec::new();
        fold(black_box(&line), &mut out);
        out
    });
}
