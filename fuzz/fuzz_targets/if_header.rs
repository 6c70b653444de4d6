//! Any text as an `If` header: it means what the grammar of RFC 4918 §10.4.2 says, or is refused as that refuses it.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| nichoir_dav::fuzzing::if_header(text));
