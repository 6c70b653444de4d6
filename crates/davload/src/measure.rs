//! `davload measure`: scenarios one after the other against one server, as a table and as JSON.

use std::path::PathBuf;

use crate::bench::{Bench, Settings, Trouble};
use crate::place::Place;
use crate::processes::Processes;
use crate::request::Reach;
use crate::row::Results;
use crate::scenario::{Ground, SCENARIOS, Scenario};
use crate::table;

/// Which server, and what to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The scenarios; all if none is named.
    scenarios: Vec<String>,
    /// Tells the scenarios and ends.
    #[arg(long)]
    list: bool,
    /// Where folders are made: http://HOST:PORT/PATH/
    #[arg(long)]
    files: Option<Place>,
    /// Where calendars are made (a calendar home); scenarios of calendars are skipped without it.
    #[arg(long)]
    calendars: Option<Place>,
    /// Where Nextcloud's chunked uploads are made; without it that scenario is skipped.
    #[arg(long)]
    uploads: Option<Place>,
    /// What the server is called in results.
    #[arg(long, default_value = "server")]
    name: String,
    /// A process of the server, whose processor time and memory are measured with those of its children; may be repeated.
    #[arg(long = "pid")]
    pids: Vec<u32>,
    /// Writes the results to this file too.
    #[arg(long)]
    json: Option<PathBuf>,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    settings: Settings,
}

/// Runs the command; whether everything was as expected.
pub(crate) fn run(arguments: Arguments) -> Result<bool, String> {
    if arguments.list {
        SCENARIOS.iter().for_each(|scenario| println!("{:<16} {}", scenario.name, scenario.about));
        return Ok(true);
    }
    let chosen = chosen(&arguments.scenarios)?;
    let any = arguments.files.as_ref().or(arguments.calendars.as_ref()).ok_or("--files or --calendars is needed")?;
    if arguments.settings.connections.contains(&0) || arguments.settings.repeats == 0 {
        return Err("--connections and --repeats begin at 1".to_owned());
    }
    let mut bench = Bench {
        server: arguments.name.clone(),
        client: arguments.reach.client(&any.address)?,
        processes: Processes::new(&arguments.pids),
        uploads: arguments.uploads.clone(),
        settings: arguments.settings.clone(),
        rows: Vec::new(),
    };
    let mut results = Results::default();
    let mut is_clean = true;
    println!("{}", table::HEAD);
    for scenario in chosen {
        let before = bench.rows.len();
        let ground = match scenario.ground {
            Ground::Files => arguments.files.as_ref(),
            Ground::Calendars => arguments.calendars.as_ref(),
        };
        let told = match ground {
            Some(ground) => scenario.run(&mut bench, ground),
            None => Err(Trouble::Skipped("no URL of that kind was given".to_owned())),
        };
        bench.rows[before..].iter().for_each(|row| print!("{}", table::line(row)));
        if let Err(trouble) = told {
            is_clean &= matches!(trouble, Trouble::Skipped(_));
            let told = match trouble {
                Trouble::Skipped(reason) => format!("skipped: {reason}"),
                Trouble::Failed(reason) => format!("failed: {reason}"),
            };
            println!("{:<16} {told}", scenario.name);
            results.skipped.insert(scenario.name.to_owned(), told);
        }
    }
    is_clean &= bench.rows.iter().all(|row| row.unexpected == 0);
    results.rows = bench.rows;
    write(arguments.json.as_ref(), &results)?;
    Ok(is_clean)
}

/// Writes results as JSON, if that was asked for.
pub(crate) fn write(file: Option<&PathBuf>, results: &Results) -> Result<(), String> {
    let Some(file) = file else { return Ok(()) };
    let text = serde_json::to_string_pretty(results).map_err(|error| error.to_string())?;
    std::fs::write(file, text + "\n").map_err(|error| format!("{}: {error}", file.display()))
}

fn chosen(names: &[String]) -> Result<Vec<&'static Scenario>, String> {
    if names.is_empty() {
        return Ok(SCENARIOS.iter().collect());
    }
    let find = |name: &String| {
        let found = SCENARIOS.iter().find(|scenario| scenario.name == name);
        found.ok_or_else(|| format!("{name}: no such scenario; --list tells them"))
    };
    names.iter().map(find).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenarios_are_found_by_name() {
        assert_eq!(chosen(&[]).unwrap().len(), SCENARIOS.len());
        assert_eq!(chosen(&["listing".to_owned(), "poll".to_owned()]).unwrap()[0].name, "listing");
        assert!(chosen(&["nonsense".to_owned()]).is_err());
    }

    #[test]
    fn names_of_scenarios_are_unique() {
        let names: std::collections::BTreeSet<&str> = SCENARIOS.iter().map(|scenario| scenario.name).collect();
        assert_eq!(names.len(), SCENARIOS.len());
    }
}
