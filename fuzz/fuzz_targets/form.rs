//! Any bytes as a form that a browser sends; where the network cuts it makes no difference.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], u8)| {
    let whole = futures_executor::block_on(nichoir_nextcloud::fuzzing::form(input.0, usize::MAX));
    let cut = futures_executor::block_on(nichoir_nextcloud::fuzzing::form(input.0, usize::from(input.1)));
    assert_eq!(whole.0, cut.0, "the number of parts depends on how the bytes arrive");
});
