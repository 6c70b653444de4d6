//! nichoir-caldavtester: runs the scripts of Apple's CalDAVTester against any server.
//!
//! The scripts and their data are read from a folder; what they expect of the server's URLs and features is in a server
//! description. Exit status 0 if all tests that ran passed, 1 if some failed, 2 if nothing could be run.
#![allow(clippy::disallowed_methods, reason = "dates and waits of the scripts are those of the real clock")]
#![allow(clippy::print_stdout, reason = "its result is what it prints")]

mod calendar;
mod element_path;
mod grab;
mod http;
mod json_pointer;
mod listing;
mod markup;
mod message;
mod owner;
mod report;
mod run;
mod script;
mod serverinfo;
mod substitution;
mod verify;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

use crate::http::Server;
use crate::owner::Owners;
use crate::report::{Failure, ScriptResult};
use crate::run::Bench;
use crate::script::Script;
use crate::serverinfo::ServerInfo;
use crate::substitution::{Tables, replace};

/// Runs the scripts of Apple's CalDAVTester against a CalDAV and CardDAV server.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The folder with `scripts` and `Resource`.
    #[arg(long)]
    data: PathBuf,
    /// The description of the server.
    #[arg(long)]
    serverinfo: PathBuf,
    /// Run this script, such as CalDAV/get; may be given several times. Without it, all that need nothing special.
    #[arg(long)]
    only: Vec<String>,
    /// Connect to this host instead of the description's.
    #[arg(long)]
    host: Option<String>,
    /// Connect to this port instead of the description's.
    #[arg(long)]
    port: Option<u16>,
    /// Send this in the Host header, and use it in absolute URLs.
    #[arg(long)]
    host_header: Option<String>,
    /// A further substitution, `$key:=value`; wins over the description's.
    #[arg(long, value_parser = definition)]
    define: Vec<(String, String)>,
    /// A shell command to run before each script, which $CALDAVTESTER_SCRIPT names.
    #[arg(long)]
    before_script: Option<String>,
    /// Run a script's tests also after its set-up has failed.
    #[arg(long)]
    keep_going: bool,
    /// Send the administrator's requests to someone's home as its owner, for servers where nobody sees into all homes.
    #[arg(long)]
    admin_acts_as_owner: bool,
    /// Stop after the first script with a failure.
    #[arg(long)]
    stop: bool,
    /// Print each failure: request, status, what was expected and found.
    #[arg(long)]
    details: bool,
    /// Write all results to this file, as JSON.
    #[arg(long)]
    report: Option<PathBuf>,
}

fn definition(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once(":=").ok_or("a definition has the form $key:=value")?;
    Ok((format!("{key}:"), value.to_owned()))
}

fn main() -> ExitCode {
    match run_all(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("nichoir-caldavtester: {error}");
            ExitCode::from(2)
        }
    }
}

fn run_all(arguments: &Arguments) -> Result<bool, String> {
    let mut info = ServerInfo::open(&arguments.serverinfo)?;
    info.substitutions.extend(arguments.define.iter().cloned());
    let (host, port) = (arguments.host.clone().unwrap_or(info.host.clone()), arguments.port.unwrap_or(info.port));
    let named = if port == 80 { host.clone() } else { format!("{host}:{port}") };
    let host_header = arguments.host_header.clone().unwrap_or(named);
    for key in ["$host:", "$hostssl:", "$host2:", "$hostssl2:"] {
        info.substitutions.entry(key.to_owned()).or_insert_with(|| format!("http://{host_header}"));
    }
    let known = info.substitutions.clone();
    for value in info.substitutions.values_mut() {
        *value = replace(value, |key| known.get(key).map(String::as_str));
    }
    let tables = Tables::new(
        chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now()).date_naive(),
        info.substitutions.clone(),
    );
    let server = Server { host, port, unix: info.unix.clone(), host_header };
    let owners = if arguments.admin_acts_as_owner { Owners::of(&info.substitutions) } else { Owners::default() };
    let bench = Bench { info, server, owners, data: arguments.data.clone(), goes_on: arguments.keep_going };
    let mut results = Vec::new();
    for (name, path) in scripts(arguments)? {
        let Some(result) = run_script(arguments, &bench, &name, &path, &tables)? else { continue };
        println!("{}", result.summary());
        if arguments.details {
            print!("{}", result.details());
        }
        let has_failed = result.counts().1 > 0 || result.set_up.is_some();
        results.push(result);
        if has_failed && arguments.stop {
            break;
        }
    }
    finish(arguments, &results)
}

/// Prints the sums and writes the report; whether all passed.
fn finish(arguments: &Arguments, results: &[ScriptResult]) -> Result<bool, String> {
    let sums = results.iter().map(ScriptResult::counts);
    let (passed, failed, ignored) = sums.fold((0, 0, 0), |a, b| (a.0 + b.0, a.1 + b.1, a.2 + b.2));
    println!("{passed} passed, {failed} failed, {ignored} ignored");
    if let Some(path) = &arguments.report {
        let report = serde_json::json!({
            "passed": passed, "failed": failed, "ignored": ignored,
            "scripts": results.iter().map(ScriptResult::to_json).collect::<Vec<_>>(),
        });
        std::fs::write(path, format!("{report:#}\n")).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(failed == 0 && results.iter().all(|result| result.set_up.is_none()))
}

/// The scripts that were asked for, by name.
fn scripts(arguments: &Arguments) -> Result<Vec<(String, PathBuf)>, String> {
    let tests = arguments.data.join("scripts/tests");
    if !arguments.only.is_empty() {
        let named = |name: &String| {
            let name = format!("{}.xml", name.strip_suffix(".xml").unwrap_or(name));
            (name.clone(), tests.join(name))
        };
        return Ok(arguments.only.iter().map(named).collect());
    }
    let mut found = Vec::new();
    for folder in ["CalDAV", "CardDAV"] {
        let path = tests.join(folder);
        let files = std::fs::read_dir(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let names = files.filter_map(|file| file.ok()?.file_name().into_string().ok());
        let names = names.filter(|name| name.ends_with(".xml"));
        found.extend(names.map(|name| (format!("{folder}/{name}"), path.join(&name))));
    }
    found.sort();
    Ok(found)
}

/// Runs one script; `None` if the file is no script, or a special one that nobody named.
fn run_script(
    arguments: &Arguments,
    bench: &Bench,
    name: &str,
    path: &Path,
    tables: &Tables,
) -> Result<Option<ScriptResult>, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let script = match Script::parse(&bytes, tables) {
        Ok(Some(script)) => script,
        Ok(None) => return Ok(None),
        Err(error) => {
            let set_up = Some(Failure::without_answer("reading the script", error));
            return Ok(Some(ScriptResult { script: name.to_owned(), set_up, tests: Vec::new() }));
        }
    };
    if script.is_special && arguments.only.is_empty() {
        return Ok(None);
    }
    if let Some(command) = &arguments.before_script {
        let mut shell = std::process::Command::new("sh");
        let status = shell.args(["-c", command]).env("CALDAVTESTER_SCRIPT", name).status();
        let status = status.map_err(|error| format!("{command}: {error}"))?;
        if !status.success() {
            return Err(format!("{command}: {status}"));
        }
    }
    Ok(Some(run::run(bench, name, script, tables.clone())))
}
