//! What XML costs: reading a PROPFIND's body, writing a multistatus of a thousand responses. RFC 4918 §9.1, §13.
#![allow(clippy::unwrap_used, reason = "a measurement, of input that is right")]

use divan::{Bencher, black_box, counter::ItemsCount};
use nichoir_xml::{Limits, Writer, dav, oc, read};

const PROPFIND: &str = concat!(
    r#"<?xml version="1.0"?><d:propfind xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"><d:prop>"#,
    "<d:resourcetype/><d:getlastmodified/><d:getcontentlength/><d:getetag/><oc:size/><oc:id/><oc:fileid/>",
    "<oc:downloadURL/><oc:dDC/><oc:permissions/><oc:checksums/><oc:share-types/></d:prop></d:propfind>"
);
const RESPONSES: u64 = 1000;

fn main() {
    divan::main();
}

#[divan::bench]
fn read_propfind() {
    black_box(read(black_box(PROPFIND.as_bytes()), &Limits::default()).unwrap());
}

#[divan::bench]
fn write_1000_responses(bencher: Bencher<'_, '_>) {
    bencher.counter(ItemsCount::new(RESPONSES)).bench(|| {
        let mut writer = Writer::new();
        writer.declaration();
        writer.open_root(&dav::MULTISTATUS);
        for number in 0..RESPONSES {
            writer.open(&dav::RESPONSE);
            writer.text_element(&dav::HREF, &format!("/remote.php/dav/files/alice/file%20number%20{number}.txt"));
            writer.open(&dav::PROPSTAT);
            writer.open(&dav::PROP);
            writer.empty(&dav::RESOURCETYPE);
            writer.text_element(&dav::GETLASTMODIFIED, "Fri, 15 Jan 2027 08:00:00 GMT");
            writer.text_element(&dav::GETCONTENTLENGTH, "1000");
            writer.text_element(&dav::GETETAG, "\"0123456789abcdef\"");
            writer.text_element(&oc::FILEID, "1234567");
            writer.text_element(&oc::PERMISSIONS, "RGDNVW");
            writer.close();
            writer.text_element(&dav::STATUS, "HTTP/1.1 200 OK");
            writer.close();
            writer.close();
        }
        writer.close();
        black_box(writer.take())
    });
}
