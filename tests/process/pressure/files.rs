//! A process that may open 256 files, and clients that want more.

use std::net::TcpStream;
use std::time::Duration;

use super::Scene;
use crate::content;
use crate::http::{Connection, path};

#[test]
fn with_256_files_crowds_and_stalled_transfers_keep_nobody_else_out() {
    let scene = Scene::start_under("ulimit -n 256; exec", &[]);
    assert_eq!(scene.open().request("PUT", &path("large.bin"), &content(4, 20_000_000)).unwrap().0, 201);
    let mut held: Vec<Connection> = Vec::new();
    let mut refused = 0;
    // Downloads that nobody reads, uploads that stop, and some that only ask.
    for number in 0..120 {
        let mut connection = scene.open();
        let asked = match number % 3 {
            0 => connection.send_head("GET", &path("large.bin"), ""),
            1 => connection
                .send_head("PUT", &path(&format!("{number}.bin")), "Content-Length: 900000\r\n")
                .and_then(|()| connection.send(&content(number, 300_000))),
            _ => connection.send_head("GET", "/status.php", ""),
        };
        let is_kept = asked.is_ok() && (number % 3 != 2 || connection.read_head().is_ok_and(|head| head.status == 200));
        refused += usize::from(!is_kept);
        held.push(connection);
    }
    // And some that say nothing at all.
    let silent: Vec<_> = (0..300).filter_map(|_| TcpStream::connect(scene.binary.address).ok()).collect();
    std::thread::sleep(Duration::from_secs(2));
    eprintln!("pressure: {refused} of {} were turned away", held.len());
    drop((held, silent));
    scene.wait_until_alone(Duration::from_secs(20));
    scene.end();
}
