//! Any bytes as the body of a SEARCH: refused or understood, in bounded time.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| drop(nichoir_nextcloud::fuzzing::search(body)));
