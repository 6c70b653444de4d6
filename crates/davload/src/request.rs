//! `davload request`: one kind of request over several connections, its result one line of JSON.
//!
//! `{n}` in the URL becomes a number of its own for each request, so that every PUT makes a new file.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use http::header::HeaderValue;

use crate::ask::Ask;
use crate::load::{Limits, Worker, run as run_load};
use crate::payload::Payload;
use crate::place::Place;
use crate::row::{Cost, rows_of};
use crate::session::Client;

/// What is sent, and how.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The method, such as GET or PROPFIND.
    method: String,
    /// http://HOST:PORT/PATH; `{n}` in it becomes a number of its own for each request.
    url: Place,
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
    body_bytes: Option<u64>,
    /// Connections at once.
    #[arg(long, default_value_t = 1)]
    connections: usize,
    /// How long to go on.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Stop after so many requests, if that is earlier.
    #[arg(long, default_value_t = u64::MAX)]
    requests: u64,
    /// Requests a second, whether answers come or not (open loop).
    #[arg(long)]
    rate: Option<f64>,
    /// Threads of this program.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// The status that every answer must have.
    #[arg(long, default_value_t = 200)]
    expect: u16,
    #[command(flatten)]
    reach: Reach,
}

/// How the server is reached, and as whom; the same for all commands.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Reach {
    /// LOGIN:PASSWORD for Basic.
    #[arg(long)]
    pub(crate) user: Option<String>,
    /// A new connection for each request, for servers that close them.
    #[arg(long)]
    has_short_connections: bool,
    /// HTTP/2 over plain TCP, without upgrade.
    #[arg(long)]
    http2: bool,
    /// How long one answer may take.
    #[arg(long, default_value_t = 600)]
    answer_seconds_max: u64,
}

impl Reach {
    /// A client of the server at an address.
    pub(crate) fn client(&self, address: &str) -> Result<Arc<Client>, String> {
        let authorization = self.user.as_deref().map(basic).transpose()?;
        Ok(Arc::new(Client {
            address: address.to_owned(),
            authorization,
            is_http2: self.http2,
            has_short_connections: self.has_short_connections,
            answer_timeout: Duration::from_secs(self.answer_seconds_max),
        }))
    }
}

/// `Authorization` for LOGIN:PASSWORD. RFC 7617.
pub(crate) fn basic(user: &str) -> Result<HeaderValue, String> {
    let value = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(user));
    value.parse().map_err(|_| "these credentials do not fit into a header".to_owned())
}

/// The parts of the request that stay the same.
struct Shape {
    ask: Ask,
    body: Option<String>,
    body_bytes: Option<u64>,
}

/// Runs the command; whether all answers were as expected.
pub(crate) fn run(arguments: &Arguments) -> Result<bool, String> {
    let shape = Shape::of(arguments)?;
    let Arguments { connections, threads, seconds, requests, rate, .. } = *arguments;
    let limits = Limits { connections, threads, seconds, requests, rate };
    let client = arguments.reach.client(&arguments.url.address)?;
    let seen = run_load(&client, &limits, async |worker: &mut Worker, number| {
        worker.ask("request", &shape.ask(number)).await;
    })?;
    let row = rows_of(&seen, &Cost::default()).pop().unwrap_or_default();
    let errors: Vec<String> = seen.faults().map(|(fault, count)| format!("{fault} ({count} times)")).collect();
    let result = serde_json::json!({
        "requests": row.requests,
        "seconds": seen.seconds,
        "per_second": row.per_second,
        "body_bytes": seen.received_bytes("request"),
        "p50_us": row.p50_us,
        "p90_us": row.p90_us,
        "p99_us": row.p99_us,
        "p999_us": row.p999_us,
        "max_us": row.max_us,
        "unexpected": seen.unexpected(),
        "errors": errors,
    });
    println!("{result}");
    Ok(seen.unexpected() == 0 && row.requests > 0)
}

impl Shape {
    fn of(arguments: &Arguments) -> Result<Shape, String> {
        let mut ask = Ask::new(&arguments.method, &arguments.url.path).expect(&[arguments.expect]);
        for header in &arguments.headers {
            let (name, value) = header.split_once(':').ok_or_else(|| format!("{header}: no colon"))?;
            ask = ask.header(name.trim(), value.trim());
        }
        let mut body = None;
        if let Some(file) = &arguments.body_file {
            let bytes = std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
            if arguments.has_numbered_body {
                body = Some(String::from_utf8_lossy(&bytes).into_owned());
            } else {
                ask = ask.body(Payload::of(bytes));
            }
        }
        Ok(Shape { ask, body, body_bytes: arguments.body_bytes })
    }

    fn ask(&self, number: u64) -> Ask {
        let mut ask = self.ask.clone();
        let text = number.to_string();
        ask.path = ask.path.replace("{n}", &text);
        if let Some(body) = &self.body {
            ask.body = Payload::of(body.replace("{n}", &text));
        }
        if let Some(bytes) = self.body_bytes {
            ask.body = Payload::noise(number, bytes);
        }
        ask
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    #[test]
    fn each_request_has_a_path_and_a_body_of_its_own() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "UID:{n}").unwrap();
        let line =
            ["davload", "PUT", "http://h:1/a/{n}.bin", "--header", "X-A: b", "--has-numbered-body", "--body-file"];
        let line = line.into_iter().chain([file.path().to_str().unwrap()]);
        let shape = Shape::of(&Line::parse_from(line).arguments).unwrap();
        let ask = shape.ask(7);
        assert_eq!((ask.path.as_str(), ask.body.len()), ("/a/7.bin", 5));
        assert_eq!(ask.headers[0].1, "b");
    }

    #[test]
    fn credentials_are_basic() {
        assert_eq!(basic("a:b").unwrap(), "Basic YTpi");
    }
}
