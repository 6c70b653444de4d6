//! davload: sends one kind of request over several connections for a while and prints rate and latencies as one line of JSON.
//!
//! `{n}` in the URL becomes a number of its own for each request, so that every PUT makes a new file.
#![allow(clippy::disallowed_methods, reason = "a load program measures by the real clock")]
#![allow(clippy::print_stdout, reason = "its result is what it prints")]

mod connection;

use std::borrow::Cow;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use clap::Parser;
use connection::Connection;

/// Sends one kind of request over several connections and tells rate and latencies.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The method, such as GET or PROPFIND.
    method: String,
    /// http://HOST:PORT/PATH; `{n}` in it becomes a number of its own for each request.
    url: String,
    /// LOGIN:PASSWORD for Basic.
    #[arg(long)]
    user: Option<String>,
    /// A further header, "Name: value"; may be given several times.
    #[arg(long = "header")]
    headers: Vec<String>,
    /// A file whose content is sent as the body.
    #[arg(long, conflicts_with = "body_bytes")]
    body_file: Option<PathBuf>,
    /// `{n}` in the body is the request's number too; the file is text then.
    #[arg(long, requires = "body_file")]
    has_numbered_body: bool,
    /// Send a body of so many bytes.
    #[arg(long)]
    body_bytes: Option<usize>,
    /// Connections at once.
    #[arg(long, default_value_t = 1)]
    connections: usize,
    /// A new connection for each request, for servers that close them.
    #[arg(long)]
    has_short_connections: bool,
    /// How long to go on.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Stop after so many requests, if that is earlier.
    #[arg(long, default_value_t = u64::MAX)]
    requests: u64,
    /// The status that every answer must have.
    #[arg(long, default_value_t = 200)]
    expect: u16,
}

/// What one connection saw.
#[derive(Default)]
struct Seen {
    microseconds: Vec<u64>,
    unexpected: u64,
    body_bytes: u64,
    error: Option<String>,
}

/// The parts of the request that stay the same.
struct Shape {
    address: String,
    path: String,
    headers: String,
    body: Vec<u8>,
    has_numbered_body: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(is_clean) if is_clean => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("davload: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<bool, String> {
    let shape = Shape::of(arguments)?;
    let (number, started) = (AtomicU64::new(0), Instant::now());
    let until = started + Duration::from_secs_f64(arguments.seconds);
    let seen: Vec<Seen> = std::thread::scope(|scope| {
        let load = || scope.spawn(|| load(arguments, &shape, &number, until));
        let threads: Vec<_> = (0..arguments.connections).map(|_| load()).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_default()).collect()
    });
    let seconds = started.elapsed().as_secs_f64();
    let mut microseconds: Vec<u64> = seen.iter().flat_map(|seen| seen.microseconds.iter().copied()).collect();
    microseconds.sort_unstable();
    let unexpected: u64 = seen.iter().map(|seen| seen.unexpected).sum();
    let errors: Vec<&String> = seen.iter().filter_map(|seen| seen.error.as_ref()).collect();
    let result = serde_json::json!({
        "requests": microseconds.len(),
        "seconds": seconds,
        "per_second": microseconds.len() as f64 / seconds,
        "body_bytes": seen.iter().map(|seen| seen.body_bytes).sum::<u64>(),
        "p50_us": percentile(&microseconds, 50),
        "p90_us": percentile(&microseconds, 90),
        "p99_us": percentile(&microseconds, 99),
        "max_us": percentile(&microseconds, 100),
        "unexpected": unexpected,
        "errors": errors,
    });
    println!("{result}");
    Ok(unexpected == 0 && errors.is_empty() && !microseconds.is_empty())
}

impl Shape {
    fn of(arguments: &Arguments) -> Result<Shape, String> {
        let rest = arguments.url.strip_prefix("http://").ok_or("the URL must begin with http://")?;
        let (address, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let body = match (&arguments.body_file, arguments.body_bytes) {
            (Some(file), _) => std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?,
            (None, Some(bytes)) => (0..bytes).map(|place| (place.wrapping_mul(2_654_435_761) >> 7) as u8).collect(),
            (None, None) => Vec::new(),
        };
        let mut headers = format!("Host: {address}\r\n");
        if let Some(user) = &arguments.user {
            let credentials = base64::engine::general_purpose::STANDARD.encode(user);
            headers.push_str(&format!("Authorization: Basic {credentials}\r\n"));
        }
        for header in &arguments.headers {
            headers.push_str(&format!("{header}\r\n"));
        }
        let path = if path.is_empty() { "/" } else { path };
        let has_numbered_body = arguments.has_numbered_body;
        Ok(Shape { address: address.to_owned(), path: path.to_owned(), headers, body, has_numbered_body })
    }

    fn head(&self, method: &str, number: u64, body_bytes: usize) -> String {
        let path = self.path.replace("{n}", &number.to_string());
        let length = if body_bytes > 0 { format!("Content-Length: {body_bytes}\r\n") } else { String::new() };
        format!("{method} {path} HTTP/1.1\r\n{}{length}\r\n", self.headers)
    }

    fn body(&self, number: u64) -> Cow<'_, [u8]> {
        match self.has_numbered_body {
            true => String::from_utf8_lossy(&self.body).replace("{n}", &number.to_string()).into_bytes().into(),
            false => Cow::Borrowed(&self.body),
        }
    }
}

fn load(arguments: &Arguments, shape: &Shape, number: &AtomicU64, until: Instant) -> Seen {
    let mut seen = Seen::default();
    let mut connection = match Connection::open(&shape.address) {
        Ok(connection) => connection,
        Err(error) => return Seen { error: Some(error.to_string()), ..seen },
    };
    while Instant::now() < until {
        let number = number.fetch_add(1, Ordering::Relaxed);
        if number >= arguments.requests {
            break;
        }
        let body = shape.body(number);
        let sent = Instant::now();
        if arguments.has_short_connections {
            connection = match Connection::open(&shape.address) {
                Ok(connection) => connection,
                Err(error) => return Seen { error: Some(error.to_string()), ..seen },
            };
        }
        match connection.exchange(&shape.head(&arguments.method, number, body.len()), &body) {
            Ok(answer) => {
                seen.microseconds.push(u64::try_from(sent.elapsed().as_micros()).unwrap_or(u64::MAX));
                seen.body_bytes += answer.body_bytes;
                seen.unexpected += u64::from(answer.status != arguments.expect);
            }
            Err(error) => return Seen { error: Some(error.to_string()), ..seen },
        }
    }
    seen
}

/// The smallest value that `percent` of the sorted values do not exceed.
fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_seen() {
        let check = |values: &[u64], percent, expected| assert_eq!(percentile(values, percent), expected);
        check(&[], 50, 0);
        check(&[7], 1, 7);
        check(&[1, 2, 3, 4], 50, 2);
        check(&[1, 2, 3, 4], 51, 3);
        check(&[1, 2, 3, 4], 100, 4);
    }

    #[test]
    fn each_request_has_a_path_of_its_own() {
        let arguments =
            Arguments::parse_from(["davload", "PUT", "http://h:1/a/{n}.bin", "--user", "a:b", "--body-bytes", "3"]);
        let shape = Shape::of(&arguments).unwrap();
        assert_eq!(shape.address, "h:1");
        let expected = "PUT /a/7.bin HTTP/1.1\r\nHost: h:1\r\nAuthorization: Basic YTpi\r\nContent-Length: 3\r\n\r\n";
        assert_eq!(shape.head("PUT", 7, shape.body(7).len()), expected);
    }
}
