//! Any bytes as an address object: refused, or read with the days that it tells of.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nichoir_carddav::{AddressObject, Limits, birthdays};

fuzz_target!(|bytes: &[u8]| {
    let Ok(object) = AddressObject::check(bytes, &Limits::default()) else { return };
    assert!(!object.index().uid.is_empty());
    for day in birthdays(&object.card) {
        assert!((1..=12).contains(&day.month) && (1..=31).contains(&day.day));
    }
});
