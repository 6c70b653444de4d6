//! Any bytes as a request body: read within limits, and what was understood is written and read back the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nichoir_xml::{Limits, read};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(element) = read(bytes, &Limits::default()) {
        let fragment = element.to_fragment();
        // Writing declares the namespaces again at each level, so only the meaning stays the same, not the limits.
        let wide = Limits { request_xml_bytes: usize::MAX, request_xml_attributes: usize::MAX, ..Limits::default() };
        let again = read(fragment.as_bytes(), &wide).expect("what was written can be read");
        assert_eq!(again.to_fragment(), fragment);
    }
});
