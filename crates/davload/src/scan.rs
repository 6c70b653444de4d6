//! Answers in XML are scanned, not parsed: a load program must cost less than the server it measures.
//! Prefixes decide nothing; what a multistatus looks like is RFC 4918 §13.

/// Counts `response` elements in a body that comes in parts. RFC 4918 §14.24.
#[derive(Debug, Default)]
pub(crate) struct ResponseCounter {
    /// The name of the tag that is being read, as far as it came; `None` outside of a name.
    name: Option<Vec<u8>>,
    count: u64,
}

impl ResponseCounter {
    /// Reads the next part.
    pub(crate) fn feed(&mut self, part: &[u8]) {
        let mut rest = part;
        loop {
            if let Some(name) = &mut self.name {
                let Some(end) = rest.iter().position(|byte| matches!(byte, b'>' | b' ' | b'/' | b'\n' | b'\t' | b'\r'))
                else {
                    // A name longer than any of ours is none of ours.
                    name.extend_from_slice(&rest[..rest.len().min(64)]);
                    return;
                };
                name.extend_from_slice(&rest[..end.min(64)]);
                let local = name.iter().rposition(|byte| *byte == b':').map_or(0, |place| place + 1);
                self.count += u64::from(&name[local..] == b"response");
                self.name = None;
                rest = &rest[end..];
            }
            let Some(start) = rest.iter().position(|byte| *byte == b'<') else { return };
            self.name = Some(Vec::new());
            rest = &rest[start + 1..];
            if rest.first() == Some(&b'/') {
                self.name = None;
            }
        }
    }

    /// How many there were.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }
}

/// The texts of all elements with this local name, in order; predefined references are resolved.
pub(crate) fn texts(xml: &str, local: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = xml;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        let Some(end) = rest.find('>') else { break };
        let (tag, after) = (&rest[..end], &rest[end + 1..]);
        let name = tag.split([' ', '/', '\n', '\t', '\r']).next().unwrap_or_default();
        if name.rsplit(':').next() == Some(local) && !tag.ends_with('/') {
            let text = after.find('<').map_or(after, |end| &after[..end]);
            found.push(resolved(text));
        }
        rest = after;
    }
    found
}

/// The pieces of a multistatus between one `response` and the next, as text.
pub(crate) fn responses(xml: &str) -> Vec<&str> {
    let mut starts: Vec<usize> = Vec::new();
    for (place, _) in xml.match_indices('<') {
        let name = xml[place + 1..].split(['>', ' ', '/', '\n', '\t', '\r']).next().unwrap_or_default();
        if name.rsplit(':').next() == Some("response") {
            starts.push(place);
        }
    }
    let ends = starts.iter().skip(1).copied().chain([xml.len()]);
    starts.iter().zip(ends).map(|(start, end)| &xml[*start..end]).collect()
}

fn resolved(text: &str) -> String {
    if !text.contains('&') {
        return text.trim().to_owned();
    }
    let plain = text.replace("&quot;", "\"").replace("&#34;", "\"").replace("&lt;", "<").replace("&gt;", ">");
    plain.replace("&apos;", "'").replace("&amp;", "&").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "<?xml version=\"1.0\"?>\n<d:multistatus xmlns:d=\"DAV:\"><d:response><d:href>/a&amp;b/</d:href>\
        <d:responsedescription>x</d:responsedescription></d:response>\n<response xmlns=\"DAV:\"><href>/c</href>\
        <getetag>&quot;7&quot;</getetag><empty/></response></d:multistatus>";

    #[test]
    fn responses_are_counted_wherever_the_parts_are_cut() {
        for size in 1..ANSWER.len() {
            let mut counter = ResponseCounter::default();
            ANSWER.as_bytes().chunks(size).for_each(|part| counter.feed(part));
            assert_eq!(counter.count(), 2, "in parts of {size}");
        }
    }

    #[test]
    fn texts_are_found_by_local_name() {
        assert_eq!(texts(ANSWER, "href"), ["/a&b/", "/c"]);
        assert_eq!(texts(ANSWER, "getetag"), ["\"7\""]);
        assert_eq!(texts(ANSWER, "empty"), Vec::<String>::new());
    }

    #[test]
    fn a_multistatus_is_cut_into_its_responses() {
        let parts = responses(ANSWER);
        assert_eq!(parts.len(), 2);
        assert!(parts[0].contains("/a&amp;b/") && !parts[0].contains("/c"));
        assert!(parts[1].contains("/c"));
        assert!(responses("<multistatus/>").is_empty());
    }
}
