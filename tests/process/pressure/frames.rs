//! A writer of raw HTTP/2 frames (RFC 9113 §4), which no client library would send like this.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use base64::Engine as _;

use crate::binary::PASSWORD;

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const PRIORITY: u8 = 2;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;

pub(super) const END_STREAM: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;
pub(super) const ACK: u8 = 1;

/// One frame.
pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A header field as a literal that is not indexed (RFC 7541 §6.2.2), without Huffman.
pub(super) fn field(name: &str, value: &str) -> Vec<u8> {
    [&[0][..], &text(name), &text(value)].concat()
}

/// The same, and kept in the dynamic table, where it is then number 62 (§6.2.1).
pub(super) fn indexed_field(name: &str, value: &str) -> Vec<u8> {
    [&[0x40][..], &text(name), &text(value)].concat()
}

fn text(text: &str) -> Vec<u8> {
    // An integer with a prefix of seven bits (§5.1).
    let mut coded = Vec::new();
    if text.len() < 127 {
        coded.push(text.len() as u8);
    } else {
        coded.push(127);
        let mut rest = text.len() - 127;
        while rest >= 128 {
            coded.push((rest % 128) as u8 | 128);
            rest /= 128;
        }
        coded.push(rest as u8);
    }
    coded.extend(text.as_bytes());
    coded
}

/// The fields of a request by alice in "demo".
pub(super) fn request(method: &str, path: &str) -> Vec<u8> {
    let credentials = base64::engine::general_purpose::STANDARD.encode(format!("alice:{PASSWORD}"));
    [
        (":method", method),
        (":scheme", "http"),
        (":path", path),
        (":authority", "demo.example.org"),
        ("authorization", &format!("Basic {credentials}")),
        ("depth", "1"),
    ]
    .iter()
    .flat_map(|(name, value)| field(name, value))
    .collect()
}

/// A frame that has come.
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
    pub(super) payload: Vec<u8>,
}

impl Frame {
    /// The status at the beginning of an answer's head, where it is one of those with a number (RFC 7541 appendix A).
    pub(super) fn status(&self) -> u16 {
        match self.payload.first() {
            Some(0x88) => 200,
            Some(0x89) => 204,
            Some(0x8c) => 400,
            Some(0x8d) => 404,
            _ => 0,
        }
    }
}

/// A connection that sends what it is told.
pub(super) struct Raw(TcpStream);

impl Raw {
    /// With the preface and these settings, by number (RFC 9113 §6.5.2).
    pub(super) fn open(address: SocketAddr, settings: &[(u16, u32)]) -> Raw {
        let stream = TcpStream::connect(address).expect("it listens");
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.set_write_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut raw = Raw(stream);
        let settings: Vec<u8> =
            settings.iter().flat_map(|(id, value)| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat()).collect();
        raw.send(&[&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(SETTINGS, 0, 0, &settings)].concat()).unwrap();
        raw
    }

    pub(super) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    /// A second handle, to read while this one writes.
    pub(super) fn other(&self) -> Raw {
        Raw(self.0.try_clone().unwrap())
    }

    pub(super) fn read(&mut self) -> io::Result<Frame> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head)?;
        let [l1, l2, l3, kind, flags, s1, s2, s3, s4] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, l1, l2, l3]) as usize];
        self.0.read_exact(&mut payload)?;
        Ok(Frame { kind, flags, stream: u32::from_be_bytes([s1, s2, s3, s4]), payload })
    }

    /// Reads and answers pings until the connection is closed or nothing has come for so long; whether it was closed, after which code
    /// of GOAWAY.
    pub(super) fn drain(&mut self, longest: Duration) -> (bool, Option<u32>) {
        self.0.set_read_timeout(Some(longest)).unwrap();
        let mut code = None;
        loop {
            match self.read() {
                Ok(Frame { kind: GOAWAY, payload, .. }) => {
                    code = payload.get(4..8).and_then(|code| code.try_into().ok()).map(u32::from_be_bytes);
                }
                Ok(Frame { kind: PING, flags: 0, payload, .. }) => drop(self.send(&frame(PING, ACK, 0, &payload))),
                Ok(_) => {}
                Err(error) => {
                    let is_waiting = matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut);
                    return (!is_waiting, code);
                }
            }
        }
    }

    pub(super) fn close(&self) {
        let _ = self.0.shutdown(Shutdown::Both);
    }
}
