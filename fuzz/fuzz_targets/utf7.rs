//! Any text as a name in an office server's header (UTF-7, RFC 2152); what needs no escape stays as it is.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let decoded = nichoir_nextcloud::fuzzing::utf7(text);
    if !text.contains('+') {
        assert_eq!(decoded.as_deref(), Some(text));
    }
});
