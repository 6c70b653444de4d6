//! What every request costs before it reaches the store: paths in and out, If, entity tags. RFC 3986, RFC 4918 §10.4, RFC 9110 §13.1.
#![allow(clippy::unwrap_used, reason = "a measurement, of input that is right")]

use divan::{Bencher, black_box, counter::ItemsCount};
use http::{HeaderMap, HeaderValue};
use nichoir_dav::header::{condition, if_header};
use nichoir_dav::href;
use nichoir_store::NodePath;

const PREFIX: &str = "/remote.php/dav/files/alice";
const NAMES: u64 = 1000;

fn main() {
    divan::main();
}

#[divan::bench]
fn path_in() {
    let path = "/remote.php/dav/files/alice/Comptes%20rendus/R%C3%A9union%20du%2012%20mars/proc%C3%A8s-verbal.odt";
    black_box(href::path_below(PREFIX, black_box(path)).ok().unwrap());
}

#[divan::bench]
fn a_thousand_hrefs_out(bencher: Bencher<'_, '_>) {
    let path = NodePath::parse("Comptes rendus/Réunion du 12 mars").unwrap();
    let names: Vec<String> = (0..NAMES).map(|number| format!("procès-verbal {number}.odt")).collect();
    let folder = href::of(PREFIX, &path, true);
    bencher.counter(ItemsCount::new(NAMES)).bench(|| {
        let mut all = 0;
        for name in &names {
            let mut href = folder.clone();
            href::append_name(&mut href, name);
            all += black_box(href).len();
        }
        all
    });
}

#[divan::bench]
fn if_header_of_two_lists(bencher: Bencher<'_, '_>) {
    let value = "</remote.php/dav/files/alice/a.odt> (<urn:uuid:181d4fae-7d8c-11d0-a765-00a0c91e6bf2> [\"0123456789abcdef\"]) \
        (Not <urn:uuid:58f202ac-22cf-11d1-b12d-002035b29092>)";
    let headers =
        HeaderMap::from_iter([(http::header::HeaderName::from_static("if"), HeaderValue::from_static(value))]);
    bencher.bench(|| if_header::of(black_box(&headers)).ok().unwrap().unwrap().lock_tokens());
}

#[divan::bench]
fn if_match_of_ten_etags(bencher: Bencher<'_, '_>) {
    let tags: Vec<String> = (0..10).map(|number| format!("\"{number:016x}\"")).collect();
    let headers = HeaderMap::from_iter([(http::header::IF_MATCH, tags.join(", ").parse::<HeaderValue>().unwrap())]);
    bencher.bench(|| condition::if_match(black_box(&headers)).ok().unwrap());
}
