//! Single files and listings: poll, PROPFIND, PUT, GET. RFC 4918, RFC 9110.

use crate::ask::Ask;
use crate::bench::{Bench, Trouble};
use crate::bodies::{DESKTOP, POLL};
use crate::load::Worker;
use crate::payload::Payload;
use crate::place::Place;

/// Connections that prepare.
const PREPARERS: usize = 8;

pub(super) fn poll(bench: &mut Bench, folder: &Place) -> Result<(), Trouble> {
    let ask = Ask::new("PROPFIND", &folder.path).depth(0).xml(POLL).expect_responses(1);
    let told = bench.once(&ask.clone().keep()).map_err(Trouble::Skipped)?;
    if crate::scan::texts(&told.text(), "getetag").is_empty() {
        return Err(Trouble::Skipped("its folders have no etag: nothing to poll for".to_owned()));
    }
    for connections in bench.settings.connections.clone() {
        bench.measure("poll", 1, &bench.limits(connections), async |worker: &mut Worker, _| {
            worker.ask("PROPFIND 0", &ask).await;
        })?;
    }
    Ok(())
}

pub(super) fn listing(bench: &mut Bench, folder: &Place) -> Result<(), Trouble> {
    let size = bench.settings.size;
    fill(bench, folder, size)?;
    let ask = Ask::new("PROPFIND", &folder.path).depth(1).xml(DESKTOP).expect_responses(size + 1);
    bench.measure("listing", size, &bench.limits(bench.connections().min(2)), async |worker: &mut Worker, _| {
        worker.ask("PROPFIND 1", &ask).await;
    })
}

pub(super) fn put_small(bench: &mut Bench, folder: &Place) -> Result<(), Trouble> {
    let bytes = bench.settings.small_bytes;
    for connections in bench.settings.connections.clone() {
        let path = format!("{}/", folder.below(&connections.to_string()));
        bench.once(&Ask::new("MKCOL", &path).expect(&[201]))?;
        let place = folder.at(path);
        bench.measure("put-small", bytes, &bench.limits(connections), async |worker: &mut Worker, number| {
            let ask = Ask::new("PUT", place.below(&format!("{number}.bin"))).body(Payload::noise(number, bytes));
            worker.ask("PUT", &ask.expect(&[201])).await;
        })?;
        bench.once(&Ask::new("GET", place.below("0.bin")).expect_bytes(bytes))?;
    }
    Ok(())
}

pub(super) fn get_small(bench: &mut Bench, folder: &Place) -> Result<(), Trouble> {
    let bytes = bench.settings.small_bytes;
    let path = folder.below("small.bin");
    bench.once(&Ask::new("PUT", &path).body(Payload::noise(0, bytes)))?;
    let ask = Ask::new("GET", path).expect_bytes(bytes);
    for connections in bench.settings.connections.clone() {
        bench.measure("get-small", bytes, &bench.limits(connections), async |worker: &mut Worker, _| {
            worker.ask("GET", &ask).await;
        })?;
    }
    Ok(())
}

/// Of an upload that comes before those that are measured.
pub(super) const WARM_BYTES: u64 = 20_000_000;

pub(super) fn put_large(bench: &mut Bench, folder: &Place) -> Result<(), Trouble> {
    let bytes = bench.settings.large_bytes;
    // What a server makes once, with its first large upload, is not what each of them takes.
    bench.once(
        &Ask::new("PUT", folder.below("warm.bin")).body(Payload::noise(0, WARM_BYTES.min(bytes))).expect(&[201]),
    )?;
    bench.measure("put-large", bytes, &bench.few(), async |worker: &mut Worker, number| {
        let path = folder.below(&format!("{number}.bin"));
        worker.ask("PUT", &Ask::new("PUT", path).body(Payload::noise(number, bytes)).expect(&[201])).await;
    })?;
    let last = bench.few().requests - 1;
    has_length(bench, &folder.below(&format!("{last}.bin")), bytes)
}

pub(super) fn get_large(bench: &mut Bench, folder: &Place) -> Result<(), Trouble> {
    let bytes = bench.settings.large_bytes;
    let path = folder.below("large.bin");
    bench.once(&Ask::new("PUT", &path).body(Payload::noise(0, bytes)))?;
    let ask = Ask::new("GET", path).expect_bytes(bytes);
    // What was just written is warm on some servers and not on others: one GET beforehand makes it so on all.
    bench.once(&ask)?;
    bench.measure("get-large", bytes, &bench.few(), async |worker: &mut Worker, _| {
        worker.ask("GET", &ask).await;
    })
}

/// That a file has so many bytes, without loading them.
pub(super) fn has_length(bench: &Bench, path: &str, bytes: u64) -> Result<(), Trouble> {
    let told = bench.once(&Ask::new("HEAD", path).expect(&[200]))?;
    match told.header("content-length") {
        length if length == bytes.to_string() => Ok(()),
        length => Err(Trouble::Failed(format!("{path} has {length} bytes instead of {bytes}"))),
    }
}

/// Puts so many files of 1 000 bytes into a folder.
pub(super) fn fill(bench: &Bench, folder: &Place, count: u64) -> Result<(), Trouble> {
    bench.each(count, PREPARERS, |number| {
        let path = folder.below(&format!("file number {number}.txt"));
        Ask::new("PUT", path).body(Payload::noise(number, 1000)).expect(&[201])
    })
}
