//! Whole folders: MOVE, COPY, DELETE. RFC 4918 §9.6, §9.8, §9.9.

use super::files::fill;
use crate::ask::Ask;
use crate::bench::{Bench, Trouble};
use crate::load::Worker;
use crate::place::Place;

/// Files that are sent; a larger folder is made of copies of a folder of so many.
const SENT_MAX: u64 = 1000;

pub(super) fn rename(bench: &mut Bench, ground: &Place) -> Result<(), Trouble> {
    let size = bench.settings.size;
    make(bench, ground, "at 0", size)?;
    bench.measure("move-folder", size, &bench.few(), async |worker: &mut Worker, number| {
        let (source, target) = (format!("at {number}"), format!("at {}", number + 1));
        worker.ask("MOVE", &relocation("MOVE", ground, &source, &target)).await;
    })?;
    counts(bench, ground, &format!("at {}", bench.few().requests), size)
}

pub(super) fn copy(bench: &mut Bench, ground: &Place) -> Result<(), Trouble> {
    let size = bench.settings.size;
    make(bench, ground, "source", size)?;
    bench.measure("copy-folder", size, &bench.few(), async |worker: &mut Worker, number| {
        worker.ask("COPY", &relocation("COPY", ground, "source", &format!("copy {number}"))).await;
    })?;
    counts(bench, ground, "copy 0", size)
}

pub(super) fn delete(bench: &mut Bench, ground: &Place) -> Result<(), Trouble> {
    let size = bench.settings.size;
    make(bench, ground, "victim 0", size)?;
    for number in 1..bench.few().requests {
        let copy = relocation("COPY", ground, "victim 0", &format!("victim {number}"));
        bench.once(&copy).map_err(Trouble::Skipped)?;
    }
    bench.measure("delete-folder", size, &bench.few(), async |worker: &mut Worker, number| {
        let path = format!("{}/", ground.below(&format!("victim {number}")));
        worker.ask("DELETE", &Ask::new("DELETE", path).expect(&[204])).await;
    })?;
    bench.once(&Ask::new("HEAD", ground.below("victim 0/file number 0.txt")).expect(&[404])).map(drop)?;
    Ok(())
}

/// Makes a folder with so many descendants; above `SENT_MAX` they lie in subfolders, each a copy of the first.
fn make(bench: &Bench, ground: &Place, name: &str, size: u64) -> Result<(), Trouble> {
    let folder = ground.at(format!("{}/", ground.below(name)));
    bench.once(&Ask::new("MKCOL", &folder.path).expect(&[201]))?;
    if size <= SENT_MAX {
        return fill(bench, &folder, size);
    }
    let first = folder.at(format!("{}/", folder.below("part 0")));
    bench.once(&Ask::new("MKCOL", &first.path).expect(&[201]))?;
    fill(bench, &first, SENT_MAX)?;
    for number in 1..size.div_ceil(SENT_MAX) {
        let copy = relocation("COPY", &folder, "part 0", &format!("part {number}"));
        bench.once(&copy).map_err(Trouble::Skipped)?;
    }
    Ok(())
}

/// That a folder's first level is complete.
fn counts(bench: &Bench, ground: &Place, name: &str, size: u64) -> Result<(), Trouble> {
    let members = if size <= SENT_MAX { size } else { size.div_ceil(SENT_MAX) };
    let path = format!("{}/", ground.below(name));
    let ask = Ask::new("PROPFIND", path).depth(1).xml(crate::bodies::DESKTOP).expect_responses(members + 1);
    bench.once(&ask).map(drop).map_err(Trouble::Failed)
}

/// MOVE or COPY between two folders side by side.
fn relocation(method: &str, ground: &Place, source: &str, target: &str) -> Ask {
    let target = ground.url_of(&format!("{}/", ground.below(target)));
    let source = format!("{}/", ground.below(source));
    Ask::new(method, source).header("destination", &target).header("overwrite", "F").expect(&[201, 204])
}
