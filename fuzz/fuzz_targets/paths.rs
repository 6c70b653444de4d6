//! Any text as a request's path and as a destination; what is understood survives the way out and in.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|path: &str| nichoir_dav::fuzzing::paths(path));
