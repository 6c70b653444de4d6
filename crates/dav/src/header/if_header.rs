//! If. RFC 4918 §10.4: lists of conditions, each about the request's resource or about one that a tag names.

use http::{HeaderMap, HeaderName};
use nichoir_store::conditions::{IfCondition, IfList, IfResource, IfState};

use super::condition::tag;
use super::single;
use crate::error::Error;

const IF: HeaderName = HeaderName::from_static("if");

/// Bytes of the header, and conditions in it, at most.
const IF_BYTES_MAX: usize = 16 * 1024;
const CONDITIONS_MAX: usize = 200;

/// The header, tags not yet resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedIf {
    lists: Vec<ParsedList>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct ParsedList {
    tag: Option<String>,
    conditions: Vec<IfCondition>,
}

/// The header, if there is one.
///
/// # Errors
/// 400 if malformed or too long.
pub fn of(headers: &HeaderMap) -> Result<Option<ParsedIf>, Error> {
    single(headers, &IF)?.map(parse).transpose()
}

impl ParsedIf {
    /// Every state token that stands outside of a `Not`: what the client submits (§6.5), whichever list holds. An empty one,
    /// as the desktop client sends it for files it does not know the lock of, is none.
    pub fn lock_tokens(&self) -> Vec<String> {
        let mut tokens: Vec<String> = Vec::new();
        for condition in self.lists.iter().flat_map(|list| &list.conditions) {
            if let IfState::Token(token) = &condition.state
                && !condition.is_negated
                && !tokens.contains(token)
            {
                tokens.push(token.clone());
            }
        }
        tokens
    }

    /// The lists with their tags resolved.
    pub fn into_lists(self, resolve: impl Fn(&str) -> IfResource) -> Vec<IfList> {
        let resolved = |list: ParsedList| IfList {
            resource: list.tag.as_deref().map_or(IfResource::Request, &resolve),
            conditions: list.conditions,
        };
        self.lists.into_iter().map(resolved).collect()
    }
}

fn parse(text: &str) -> Result<ParsedIf, Error> {
    if text.len() > IF_BYTES_MAX {
        return Err(Error::bad_request("The If header is too long."));
    }
    let mut rest = text.trim_start();
    let mut lists = Vec::new();
    let mut current_tag: Option<String> = None;
    let mut count = 0;
    let mut has_tag_without_list = false;
    let is_tagged = rest.starts_with('<');
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('<') {
            if !is_tagged || has_tag_without_list {
                return Err(malformed("tagged and untagged lists are mixed"));
            }
            let (tag, after) = inside.split_once('>').ok_or_else(|| malformed("unclosed tag"))?;
            current_tag = Some(tag.to_owned());
            has_tag_without_list = true;
            rest = after.trim_start();
        } else if let Some(inside) = rest.strip_prefix('(') {
            let (conditions, after) = list(inside, &mut count)?;
            lists.push(ParsedList { tag: current_tag.clone(), conditions });
            has_tag_without_list = false;
            rest = after.trim_start();
        } else {
            return Err(malformed("neither a tag nor a list"));
        }
    }
    if lists.is_empty() || has_tag_without_list {
        return Err(malformed("no list"));
    }
    Ok(ParsedIf { lists })
}

/// The conditions up to the closing parenthesis, and what follows it.
fn list<'t>(text: &'t str, count: &mut usize) -> Result<(Vec<IfCondition>, &'t str), Error> {
    let mut rest = text.trim_start();
    let mut conditions = Vec::new();
    loop {
        if let Some(after) = rest.strip_prefix(')') {
            return if conditions.is_empty() { Err(malformed("empty list")) } else { Ok((conditions, after)) };
        }
        *count += 1;
        if *count > CONDITIONS_MAX {
            return Err(malformed("too many conditions"));
        }
        let is_not = rest.get(..3).is_some_and(|word| word.eq_ignore_ascii_case("not"));
        let is_negated = is_not && rest[3..].starts_with(|c: char| c.is_ascii_whitespace() || c == '<' || c == '[');
        if is_negated {
            rest = rest[3..].trim_start();
        }
        let (state, after) = state(rest)?;
        conditions.push(IfCondition { is_negated, state });
        rest = after.trim_start();
    }
}

fn state(text: &str) -> Result<(IfState, &str), Error> {
    if let Some(inside) = text.strip_prefix('<') {
        let (token, after) = inside.split_once('>').ok_or_else(|| malformed("unclosed token"))?;
        return Ok((IfState::Token(token.to_owned()), after));
    }
    if let Some(inside) = text.strip_prefix('[') {
        let (is_weak, tag, after) = tag(inside.trim_start()).ok_or_else(|| malformed("no entity tag"))?;
        let after = after.trim_start().strip_prefix(']').ok_or_else(|| malformed("unclosed entity tag"))?;
        let state = if is_weak { IfState::WeakEtag } else { IfState::Etag(tag.to_owned()) };
        return Ok((state, after));
    }
    Err(malformed(if text.is_empty() { "unclosed list" } else { "neither a token nor an entity tag" }))
}

fn malformed(what: &str) -> Error {
    Error::bad_request(format!("The If header is malformed: {what}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let found = match parse(text) {
            Err(error) => format!("error: {error}"),
            Ok(parsed) => parsed.lists.iter().map(shown).collect::<Vec<_>>().join("; "),
        };
        assert!(
            found == expected || expected == "error" && found.starts_with("error"),
            "{text}\n found {found}\n expected {expected}"
        );
    }

    fn shown(list: &ParsedList) -> String {
        let conditions = list.conditions.iter().map(|condition| {
            let not = if condition.is_negated { "not " } else { "" };
            match &condition.state {
                IfState::Token(token) => format!("{not}token {token}"),
                IfState::Etag(tag) => format!("{not}etag {tag}"),
                IfState::WeakEtag => format!("{not}weak"),
            }
        });
        let tag = list.tag.as_deref().unwrap_or("untagged");
        format!("{tag}: [{}]", conditions.collect::<Vec<_>>().join(", "))
    }

    #[test]
    fn lists_tagged_and_untagged() {
        check("(<urn:a>)", "untagged: [token urn:a]");
        check("(<urn:a> [\"e\"]) (Not <urn:b>)", "untagged: [token urn:a, etag e]; untagged: [not token urn:b]");
        check("</x> (Not <urn:a> [\"e\"])", "/x: [not token urn:a, etag e]");
        check("</x>(<urn:a>)(<urn:b>)</y>([W/\"e\"])", "/x: [token urn:a]; /x: [token urn:b]; /y: [weak]");
        check("(Not<DAV:no-lock>)", "untagged: [not token DAV:no-lock]");
        check("</a b/ü%> (<opaquelocktoken:>)", "/a b/ü%: [token opaquelocktoken:]");
        check("([\"a)b\"])", "untagged: [etag a)b]");
        check("(<>)", "untagged: [token ]");
    }

    #[test]
    fn malformed_headers_are_refused() {
        for bad in [
            "",
            "()",
            "(<urn:a>",
            "<urn:a>",
            "(<urn:a)",
            "</x> </y> (<a>)",
            "(<a>) </x> (<b>)",
            "(\"e\")",
            "([e\"])x",
            "x",
            "(Not)",
            "(Notx)",
            "([\"e)",
            "</x>",
        ] {
            check(bad, "error");
        }
        check(&"(<a>)".repeat(201), "error");
        check(&format!("(<{}>)", "a".repeat(17_000)), "error");
    }
}
