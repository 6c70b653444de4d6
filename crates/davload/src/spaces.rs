//! `davload spaces`: polls spread over many spaces, each under its host name and with its credentials, as one machine sees them.

use std::path::PathBuf;

use http::header::{AUTHORIZATION, HOST, HeaderValue};

use crate::ask::Ask;
use crate::bench::{Bench, Settings, Trouble};
use crate::bodies::POLL;
use crate::load::Worker;
use crate::measure::write;
use crate::place::Place;
use crate::processes::Processes;
use crate::request::{Reach, basic};
use crate::row::Results;
use crate::table;

/// Which spaces, and how hard.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The server: http://HOST:PORT
    server: Place,
    /// A file with a line for each account to poll: HOST LOGIN PASSWORD
    #[arg(long)]
    accounts: PathBuf,
    /// What is polled; `{login}` is the account's.
    #[arg(long, default_value = "/remote.php/dav/files/{login}/")]
    path: String,
    /// What the server is called in results.
    #[arg(long, default_value = "server")]
    name: String,
    /// A process of the server; may be repeated.
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

/// One account of one space.
struct Account {
    host: HeaderValue,
    authorization: HeaderValue,
    path: String,
}

/// Runs the command; whether everything was as expected.
pub(crate) fn run(arguments: Arguments) -> Result<bool, String> {
    let text = std::fs::read_to_string(&arguments.accounts)
        .map_err(|error| format!("{}: {error}", arguments.accounts.display()))?;
    let accounts = accounts_of(&text, &arguments.path)?;
    let mut bench = Bench {
        server: arguments.name.clone(),
        client: arguments.reach.client(&arguments.server.address)?,
        processes: Processes::new(&arguments.pids),
        uploads: None,
        settings: arguments.settings.clone(),
        rows: Vec::new(),
    };
    let count = accounts.len() as u64;
    let stride = stride_of(count);
    let limits = bench.limits(bench.connections());
    let poll = Ask::new("PROPFIND", "/").depth(0).xml(POLL).expect_responses(1);
    let told = bench.measure("spaces", count, &limits, async |worker: &mut Worker, number| {
        // Each account once before any comes again, neighbours in the file not one after the other.
        let account = &accounts[(u128::from(number) * u128::from(stride) % u128::from(count)) as usize];
        let mut ask = poll.clone();
        ask.path.clone_from(&account.path);
        ask.headers.push((HOST, account.host.clone()));
        ask.headers.push((AUTHORIZATION, account.authorization.clone()));
        worker.ask("PROPFIND 0", &ask).await;
    });
    match told {
        Ok(()) => {}
        Err(Trouble::Skipped(reason) | Trouble::Failed(reason)) => return Err(reason),
    }
    println!("{}", table::HEAD);
    bench.rows.iter().for_each(|row| print!("{}", table::line(row)));
    let is_clean = bench.rows.iter().all(|row| row.unexpected == 0);
    write(arguments.json.as_ref(), &Results { rows: bench.rows, ..Results::default() })?;
    Ok(is_clean)
}

fn accounts_of(text: &str, path: &str) -> Result<Vec<Account>, String> {
    let account = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let (Some(host), Some(login), Some(password)) = (words.next(), words.next(), words.next()) else {
            return Err(format!("not HOST LOGIN PASSWORD: {line}"));
        };
        let place = Place { address: String::new(), path: String::new() };
        let login_path = place.below(login);
        Ok(Account {
            host: host.parse().map_err(|_| format!("{host}: no host name"))?,
            authorization: basic(&format!("{login}:{password}"))?,
            path: path.replace("{login}", login_path.trim_start_matches('/')),
        })
    };
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let accounts: Vec<Account> = lines.map(account).collect::<Result<_, _>>()?;
    if accounts.is_empty() { Err("no account to poll".to_owned()) } else { Ok(accounts) }
}

/// A step that has no divisor in common with the count, so that every account is reached.
fn stride_of(count: u64) -> u64 {
    let divides = |mut left: u64, mut right: u64| {
        while right != 0 {
            (left, right) = (right, left % right);
        }
        left
    };
    (count * 5 / 8..).find(|stride| *stride > 0 && divides(*stride, count) == 1).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_lines() {
        let accounts =
            accounts_of("# spaces\na.example.org anna geheim\n\nb.example.org é x:y\n", "/f/{login}/").unwrap();
        assert_eq!(accounts.len(), 2);
        assert_eq!((accounts[0].host.to_str().unwrap(), accounts[0].path.as_str()), ("a.example.org", "/f/anna/"));
        assert_eq!(accounts[1].path, "/f/%C3%A9/");
        assert!(accounts_of("a.example.org anna", "/").is_err());
        assert!(accounts_of("\n", "/").is_err());
    }

    #[test]
    fn every_account_is_reached_before_any_comes_again() {
        for count in [1, 2, 3, 10, 97, 10_000] {
            let stride = stride_of(count);
            let reached: std::collections::BTreeSet<u64> = (0..count).map(|number| number * stride % count).collect();
            assert_eq!(reached.len() as u64, count);
        }
    }
}
