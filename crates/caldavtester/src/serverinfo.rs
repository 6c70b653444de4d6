//! The description of the server under test: where it is, what it claims to do, what its URLs are made of.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nichoir_xml::Element;

use crate::markup::{child, child_text, children, name, read};

/// A server description, read.
#[derive(Clone, Debug)]
pub(crate) struct ServerInfo {
    /// The host's name or address.
    pub(crate) host: String,
    /// Its plain port.
    pub(crate) port: u16,
    /// Its Unix socket, which then wins.
    pub(crate) unix: Option<PathBuf>,
    /// What the server claims to do.
    pub(crate) features: BTreeSet<String>,
    /// Variables with their sigils.
    pub(crate) substitutions: BTreeMap<String, String>,
    /// Filters of every calendar comparison.
    pub(crate) calendar_filters: Vec<String>,
    /// Filters of every address card comparison.
    pub(crate) address_filters: Vec<String>,
    /// How often `WAITCOUNT` asks.
    pub(crate) wait_count: usize,
    /// How long it waits between.
    pub(crate) wait_delay: Duration,
    /// How long a request marked `wait-for-success` is repeated.
    pub(crate) wait_success: Duration,
}

impl ServerInfo {
    /// Reads a description.
    ///
    /// # Errors
    /// What is wrong with the file, in words.
    pub(crate) fn open(path: &Path) -> Result<ServerInfo, String> {
        let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        ServerInfo::parse(&bytes).map_err(|error| format!("{}: {error}", path.display()))
    }

    fn parse(bytes: &[u8]) -> Result<ServerInfo, String> {
        let root = read(bytes)?;
        if name(&root) != "serverinfo" {
            return Err("the root is not serverinfo".to_owned());
        }
        if child_text(&root, "authtype").is_some_and(|kind| kind.trim() != "basic") {
            return Err("only basic authentication is known".to_owned());
        }
        let texts = |name: &str| -> Vec<String> {
            let text = |element: &Element| element.text();
            root.elements().filter(|element| element.name.local == name).map(text).collect()
        };
        let features = child(&root, "features").into_iter().flat_map(|list| children(list, "feature"));
        Ok(ServerInfo {
            host: child_text(&root, "host").unwrap_or_default().trim().to_owned(),
            port: number(&root, "nonsslport", 80)?,
            unix: child(&root, "unix").map(|element| PathBuf::from(element.text())),
            features: features.map(Element::text).collect(),
            substitutions: substitutions(&root),
            calendar_filters: texts("calendardatafilter"),
            address_filters: texts("addressdatafilter"),
            wait_count: number(&root, "waitcount", 120)?,
            wait_delay: Duration::from_secs_f64(number(&root, "waitdelay", 0.25)?),
            wait_success: Duration::from_secs_f64(number(&root, "waitsuccess", 10.0)?),
        })
    }
}

fn number<T: std::str::FromStr>(root: &Element, name: &str, default: T) -> Result<T, String> {
    match child(root, name).map(Element::text) {
        None => Ok(default),
        Some(text) => text.parse().map_err(|_| format!("{name} is no number: {text}")),
    }
}

fn substitutions(root: &Element) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for element in child(root, "substitutions").into_iter().flat_map(Element::elements) {
        match name(element).as_str() {
            "substitution" => found.extend(pair(element)),
            "repeat" => {
                let count = element.attributes.iter().find(|attribute| attribute.name.local == "count");
                let count = count.and_then(|attribute| attribute.value.parse().ok()).unwrap_or(1);
                for number in 1..=count {
                    let pairs = children(element, "substitution").filter_map(pair);
                    found
                        .extend(pairs.map(|(key, value)| (format_number(&key, number), format_number(&value, number))));
                }
            }
            _ => {}
        }
    }
    found
}

fn pair(element: &Element) -> Option<(String, String)> {
    let key = child_text(element, "key")?.trim().to_owned();
    Some((key, child_text(element, "value").unwrap_or_default().to_owned()))
}

/// `%d`, `%02d` and the like become `number`, `%%` a per cent sign.
fn format_number(text: &str, number: u32) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(place) = rest.find('%') {
        out.push_str(&rest[..place]);
        rest = &rest[place + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        match rest[digits..].strip_prefix('d') {
            Some(after) => {
                let width = rest[..digits].parse().unwrap_or(0);
                out.push_str(&if rest.starts_with('0') {
                    format!("{number:0width$}")
                } else {
                    format!("{number:width$}")
                });
                rest = after;
            }
            None => out.push('%'),
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_printf_does() {
        assert_eq!(format_number("$userid%d:", 7), "$userid7:");
        assert_eq!(format_number("user%02d", 7), "user07");
        assert_eq!(format_number("User%%20%03d", 12), "User%20012");
        assert_eq!(format_number("$a%d:/$b%d:", 3), "$a3:/$b3:");
        assert_eq!(format_number("50% off", 3), "50% off");
    }

    #[test]
    fn later_definitions_win_and_repeats_are_counted() {
        let text = b"<serverinfo><host>h</host><nonsslport>8008</nonsslport><waitdelay>0.5</waitdelay>\
            <features><feature>caldav</feature></features><substitutions>\
            <repeat count='2'><substitution><key>$u%d:</key><value>user%02d</value></substitution></repeat>\
            <substitution><key>$u2:</key><value>other</value></substitution></substitutions>\
            <calendardatafilter>PRODID</calendardatafilter></serverinfo>";
        let info = ServerInfo::parse(text).unwrap();
        assert_eq!((info.host.as_str(), info.port, info.wait_count), ("h", 8008, 120));
        assert_eq!(info.wait_delay, Duration::from_millis(500));
        assert_eq!(info.substitutions["$u1:"], "user01");
        assert_eq!(info.substitutions["$u2:"], "other");
        assert!(info.features.contains("caldav"));
        assert_eq!(info.calendar_filters, ["PRODID"]);
    }
}
