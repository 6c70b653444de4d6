//! Any bytes as the value of every header: If, If-Match, Range, Depth, Timeout, Lock-Token, Destination, Overwrite.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], u64)| nichoir_dav::fuzzing::headers(input.0, input.1));
