//! davload: measures any WebDAV or CalDAV server by URL and credentials; RFC 4918, RFC 4791, RFC 6578. `davload measure --help`.
#![allow(clippy::disallowed_methods, reason = "a load program measures by the real clock")]
#![allow(clippy::print_stdout, reason = "its result is what it prints")]

mod ask;
mod bench;
mod bodies;
mod histogram;
mod load;
mod measure;
mod payload;
mod place;
mod plot;
mod processes;
mod request;
mod row;
mod scan;
mod scenario;
mod seen;
#[cfg(test)]
mod served;
mod session;
mod spaces;
mod table;

use std::process::ExitCode;

use clap::Parser;

/// Measures WebDAV and CalDAV servers.
#[derive(Debug, Parser)]
#[command(version)]
enum Command {
    /// Sends one kind of request and tells rate and latencies as one line of JSON.
    Request(request::Arguments),
    /// Measures scenarios, each in a folder or a calendar of its own.
    Measure(measure::Arguments),
    /// Polls many spaces, each under its host name and with its credentials.
    Spaces(spaces::Arguments),
    /// Draws results as SVG.
    Plot(plot::Arguments),
}

fn main() -> ExitCode {
    let told = match Command::parse() {
        Command::Request(arguments) => request::run(&arguments),
        Command::Measure(arguments) => measure::run(arguments),
        Command::Spaces(arguments) => spaces::run(arguments),
        Command::Plot(arguments) => plot::run(&arguments),
    };
    match told {
        Ok(is_clean) if is_clean => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("davload: {error}");
            ExitCode::FAILURE
        }
    }
}
