//! A tiny S3 server over a directory, for tests of the whole binary:
//! `cargo run -p nichoir-store --example s3_server -- --listen 127.0.0.1:0 --root DIR --bucket files` prints its address
//! and serves until it is ended. Access key `nichoir`, secret key `nichoir-secret`.

use std::io::Write as _;
use std::path::PathBuf;

#[path = "../tests/support/s3.rs"]
mod s3;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mut listen, mut root, mut bucket) = ("127.0.0.1:0".to_owned(), None, "files".to_owned());
    let mut arguments = std::env::args().skip(1);
    while let Some(flag) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{flag} needs a value"))?;
        match flag.as_str() {
            "--listen" => listen = value,
            "--root" => root = Some(PathBuf::from(value)),
            "--bucket" => bucket = value,
            _ => return Err(format!("unknown flag {flag}; there are --listen, --root, --bucket").into()),
        }
    }
    let root = root.ok_or("--root DIR is needed")?;
    let address = s3::start(&listen, &root, &bucket).await?;
    writeln!(std::io::stdout(), "http://{address}")?;
    std::io::stdout().flush()?;
    std::future::pending::<()>().await;
    Ok(())
}
