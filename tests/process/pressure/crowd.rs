//! Ten thousand connections: that say nothing, that begin a request, that ask in one space.

use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Scene;

const CROWD: usize = 10_000;
/// So many come at once.
const BATCH: usize = 250;

/// Lets this process open as many files as the test needs; how many it may.
fn raise_open_files() -> usize {
    let wanted = CROWD + 2_000;
    let pid = std::process::id().to_string();
    let _ = Command::new("prlimit").args(["--pid", &pid, &format!("--nofile={wanted}:")]).status();
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    line.split_whitespace().next().and_then(|soft| soft.parse().ok()).unwrap_or(wanted)
}

/// The number of connections that could be made, each with its beginning sent.
async fn gather(address: SocketAddr, count: usize) -> Vec<TcpStream> {
    let beginnings: [&[u8]; 4] = [
        b"",
        b"GET /sta",
        b"GET /status.php HTTP/1.1\r\nHost: demo.example.org\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ];
    let mut crowd = Vec::new();
    for batch in 0..count / BATCH {
        let coming: Vec<_> = (0..BATCH)
            .map(|number| {
                tokio::spawn(async move {
                    let connect = tokio::time::timeout(Duration::from_secs(10), TcpStream::connect(address));
                    let mut stream = connect.await.ok()?.ok()?;
                    let _ = stream.write_all(beginnings[(batch + number) % 4]).await;
                    Some(stream)
                })
            })
            .collect();
        for coming in coming {
            crowd.extend(coming.await.unwrap());
        }
    }
    crowd
}

#[test]
fn ten_thousand_connections_keep_nobody_out() {
    let allowed = raise_open_files();
    let count = CROWD.min(allowed.saturating_sub(200)) / BATCH * BATCH;
    if count < CROWD {
        eprintln!("pressure: this process may open {allowed} files: {count} connections instead of {CROWD}");
    }
    let scene = Scene::start(&[("NICHOIR_SERVER__CONNECTIONS_MAX", "4000")]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let began = Instant::now();
    let mut crowd = runtime.block_on(gather(scene.binary.address, count));
    let gathered = began.elapsed();
    // The neighbour goes on, also on new connections.
    std::thread::sleep(Duration::from_secs(2));
    let held = scene.connections();
    eprintln!("pressure: {} of {count} connected in {gathered:?}, {held} are held", crowd.len());
    assert!(crowd.len() >= count * 99 / 100, "{} of {count} connected", crowd.len());
    assert!(held <= 4_000, "{held} are held");
    if count == CROWD {
        assert!(held > 500, "{held} are no crowd");
    }
    // Those of one space beyond its share were told so.
    let refused = runtime.block_on(async {
        let mut refused = 0;
        for stream in crowd.iter_mut().step_by(7) {
            let mut said = [0; 12];
            let read = tokio::time::timeout(Duration::from_millis(1), stream.read_exact(&mut said)).await;
            refused += usize::from(matches!(read, Ok(Ok(_))) && said.ends_with(b"503"));
        }
        refused
    });
    eprintln!("pressure: of each seventh, {refused} were answered 503");
    assert!(refused > 0 || count < CROWD);
    drop(crowd);
    scene.wait_until_alone(Duration::from_secs(30));
    scene.end_within(300_000);
}
