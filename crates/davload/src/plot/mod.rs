//! `davload plot`: results as SVG. What was measured at several sizes becomes lines of cost against size; the rest, bars by server.

mod bars;
mod lines;
mod svg;

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::row::{Results, Row};

/// What to draw.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Files that `--json` wrote.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The folder for the drawings.
    #[arg(long)]
    out: PathBuf,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<bool, String> {
    let mut rows = Vec::new();
    for file in &arguments.files {
        let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let results: Results = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?;
        rows.extend(results.rows);
    }
    std::fs::create_dir_all(&arguments.out).map_err(|error| format!("{}: {error}", arguments.out.display()))?;
    for (name, drawing) in drawings(&rows) {
        let file = arguments.out.join(format!("{name}.svg"));
        std::fs::write(&file, drawing).map_err(|error| format!("{}: {error}", file.display()))?;
        println!("{}", file.display());
    }
    Ok(true)
}

/// File name → drawing.
fn drawings(rows: &[Row]) -> BTreeMap<String, String> {
    let mut works: BTreeMap<(&str, &str), Vec<&Row>> = BTreeMap::new();
    for row in rows {
        works.entry((&row.scenario, &row.work)).or_default().push(row);
    }
    let mut drawings = BTreeMap::new();
    for ((scenario, work), rows) in works {
        let title = format!("{scenario}: {work}");
        let name = file_name(&title);
        if sizes_of(&rows) > 1 {
            drawings.insert(name, lines::draw(&title, &rows));
        } else {
            drawings.insert(name, bars::draw(&title, &rows));
        }
    }
    drawings
}

/// How many sizes one server was measured at, at most.
fn sizes_of(rows: &[&Row]) -> usize {
    let mut sizes: BTreeMap<&str, std::collections::BTreeSet<u64>> = BTreeMap::new();
    for row in rows {
        sizes.entry(&row.server).or_default().extend(row.size);
    }
    sizes.values().map(std::collections::BTreeSet::len).max().unwrap_or(0)
}

/// A title as a file name that needs no quoting.
fn file_name(title: &str) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' };
    let name: String = title.chars().map(plain).collect();
    name.split('-').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(server: &str, scenario: &str, size: u64) -> Row {
        let (server, scenario) = (server.to_owned(), scenario.to_owned());
        Row {
            server,
            scenario,
            work: "GET".to_owned(),
            size: Some(size),
            per_second: 10.0,
            p50_us: size,
            ..Row::default()
        }
    }

    #[test]
    fn several_sizes_are_lines_and_one_is_bars() {
        let rows = [row("a", "get", 10), row("b", "get", 10), row("a", "listing", 10), row("a", "listing", 100)];
        let drawings = drawings(&rows);
        assert_eq!(drawings.keys().collect::<Vec<_>>(), ["get-get", "listing-get"]);
        assert!(drawings["get-get"].contains("<rect") && drawings["listing-get"].contains("<polyline"));
    }

    #[test]
    fn results_are_read_and_drawings_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("results.json");
        let results = Results { rows: vec![row("a & b", "get", 10)], ..Results::default() };
        std::fs::write(&file, serde_json::to_string(&results).unwrap()).unwrap();
        let out = folder.path().join("plots");
        run(&Arguments { files: vec![file], out: out.clone() }).unwrap();
        assert_eq!(std::fs::read_dir(&out).unwrap().count(), 1);
        let text = std::fs::read_to_string(out.join("get-get.svg")).unwrap();
        assert!(text.contains("a &amp; b") && !text.contains("<script"));
    }
}
