//! Any bytes as content lines (RFC 5545 §3.1, RFC 6350 §3.2): refused, or read, folded and read again as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nichoir_contentline::{Component, Limits, escape, fold, parse, unescape};

fn written(component: &Component<'_>, out: &mut Vec<u8>) {
    fold(&format!("BEGIN:{}", component.name), out);
    component.lines.iter().for_each(|line| fold(line.text(), out));
    component.components.iter().for_each(|inner| written(inner, out));
    fold(&format!("END:{}", component.name), out);
}

fn told(component: &Component<'_>) -> Vec<String> {
    let mut texts = vec![component.name.to_string()];
    for line in &component.lines {
        assert_eq!(format!("{}:{}", line.head(), line.value()), line.text());
        assert_eq!(unescape(&escape(line.value())), line.value().replace("\r\n", "\n"));
        let _ = (line.parameters(), line.group());
        texts.push(line.text().to_owned());
    }
    texts.extend(component.components.iter().flat_map(told));
    texts
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(components) = parse(bytes, &Limits::default()) else { return };
    let mut out = Vec::new();
    components.iter().for_each(|component| written(component, &mut out));
    let again = parse(&out, &Limits::default()).expect("what was written can be read");
    let texts = |components: &[Component<'_>]| components.iter().flat_map(told).collect::<Vec<_>>();
    assert_eq!(texts(&again), texts(&components));
});
