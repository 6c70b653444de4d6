//! Nextcloud's chunked upload, version 2: MKCOL, PUT of each chunk, MOVE of `.file`.

use super::files::{WARM_BYTES, has_length};
use crate::ask::Ask;
use crate::bench::{Bench, Trouble};
use crate::load::Worker;
use crate::payload::Payload;
use crate::place::Place;

pub(super) fn chunked(bench: &mut Bench, folder: &Place) -> Result<(), Trouble> {
    let none = "no place for chunked uploads (--uploads)".to_owned();
    let uploads = bench.uploads.clone().ok_or(Trouble::Skipped(none))?;
    let (bytes, chunk) = (bench.settings.large_bytes, bench.settings.chunk_bytes.max(1));
    let run = std::process::id();
    warm(bench, folder, &uploads.below(&format!("davload-{run}-warm")))?;
    bench.measure("chunked", bytes, &bench.few(), async |worker: &mut Worker, number| {
        let upload = uploads.below(&format!("davload-{run}-{number}"));
        let target = folder.url_of(&folder.below(&format!("{number}.bin")));
        let with = |ask: Ask| ask.header("destination", &target).header("oc-total-length", &bytes.to_string());
        let started = worker.start();
        if worker.ask("MKCOL", &with(Ask::new("MKCOL", &upload)).expect(&[201])).await.is_none() {
            return;
        }
        for (place, length) in chunks_of(bytes, chunk).enumerate() {
            let put = Ask::new("PUT", format!("{upload}/{}", place + 1)).body(Payload::noise(number, length));
            worker.ask("PUT of a chunk", &with(put).expect(&[201])).await;
        }
        let assemble = Ask::new("MOVE", format!("{upload}/.file")).expect(&[201, 204]);
        worker.ask("MOVE", &with(assemble)).await;
        worker.done("whole upload", started, bytes, 0);
    })?;
    has_length(bench, &folder.below("0.bin"), bytes)
}

/// An upload of two chunks, for what a server makes once.
fn warm(bench: &Bench, folder: &Place, upload: &str) -> Result<(), Trouble> {
    let target = folder.url_of(&folder.below("warm.bin"));
    let mut asks = vec![Ask::new("MKCOL", upload)];
    let chunk = |place: u64| Ask::new("PUT", format!("{upload}/{place}")).body(Payload::noise(place, WARM_BYTES / 2));
    asks.extend([chunk(1), chunk(2), Ask::new("MOVE", format!("{upload}/.file"))]);
    for ask in asks {
        bench.once(&ask.header("destination", &target).expect(&[201]))?;
    }
    Ok(())
}

/// The lengths of the chunks of so many bytes.
fn chunks_of(bytes: u64, chunk: u64) -> impl Iterator<Item = u64> {
    (0..bytes.div_ceil(chunk)).map(move |place| chunk.min(bytes - place * chunk))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_the_whole_file() {
        let check = |bytes, chunk, expected: &[u64]| {
            assert_eq!(chunks_of(bytes, chunk).collect::<Vec<_>>(), expected);
        };
        check(10, 4, &[4, 4, 2]);
        check(8, 4, &[4, 4]);
        check(3, 4, &[3]);
        check(0, 4, &[]);
    }
}
