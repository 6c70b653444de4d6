//! Paths through an XML answer, with tests: `/{DAV:}multistatus/{DAV:}response[^{DAV:}href=/a/]`.

use nichoir_xml::Element;

use crate::calendar;
use crate::markup::{attribute, leading_text, name, path_steps};

/// A node and those above it, outermost first; never empty.
pub(crate) type Node<'e> = Vec<&'e Element>;

/// The nodes that a path without `..` and tests leads to, beginning at `root`, which its first step must name.
pub(crate) fn select<'e>(root: &'e Element, path: &str) -> Vec<Node<'e>> {
    let steps = path_steps(path.strip_prefix('/').unwrap_or(path));
    if steps.first() != Some(&name(root).as_str()) {
        return Vec::new();
    }
    walk(vec![root], &steps[1..])
}

fn walk<'e>(from: Node<'e>, steps: &[&str]) -> Vec<Node<'e>> {
    let mut nodes = vec![from];
    for step in steps.iter().filter(|step| !step.is_empty()) {
        nodes = nodes.iter().flat_map(|node| step_from(node, step)).collect();
    }
    nodes
}

fn step_from<'e>(node: &Node<'e>, step: &str) -> Vec<Node<'e>> {
    if step == ".." {
        let above = &node[..node.len() - 1];
        return if above.is_empty() { Vec::new() } else { vec![above.to_vec()] };
    }
    let Some(last) = node.last() else { return Vec::new() };
    let deeper = |child: &'e Element| [node.as_slice(), &[child]].concat();
    last.elements().filter(|child| name(child) == step).map(deeper).collect()
}

/// The nodes that pass all of a path's tests; the quirk that each of several tests may be passed by another node is
/// kept: the path then leads to those that pass the last.
///
/// # Errors
/// What is not there, in words.
pub(crate) fn find<'e>(root: &'e Element, path: &str) -> Result<Vec<Node<'e>>, String> {
    let (plain, rest) = split_at_test(path);
    let mut nodes = select(root, plain);
    if nodes.is_empty() {
        return Err(format!("nothing at {plain}"));
    }
    let mut rest = rest;
    loop {
        let mut passed = nodes.clone();
        while let Some((test, after)) = first_test(rest) {
            passed = nodes.iter().filter(|node| passes(node, test)).cloned().collect();
            if passed.is_empty() {
                return Err(format!("no node at {} passes [{test}]; {}", shown(path, rest), texts(&nodes)));
            }
            rest = after;
        }
        nodes = passed;
        let Some(further) = rest.strip_prefix('/') else { return Ok(nodes) };
        let (plain, after) = split_at_test(further);
        let steps = path_steps(plain);
        nodes = nodes.iter().flat_map(|node| walk(node.clone(), &steps)).collect();
        if nodes.is_empty() {
            return Err(format!("nothing at {}", shown(path, after)));
        }
        rest = after;
    }
}

/// The part of `path` that stands before `rest`.
fn shown<'p>(path: &'p str, rest: &str) -> &'p str {
    &path[..path.len() - rest.len()]
}

/// What the nodes say, for a message.
fn texts(nodes: &[Node<'_>]) -> String {
    let text = |node: &Node<'_>| node.last().and_then(|last| leading_text(last)).unwrap_or_default().trim().to_owned();
    let texts: Vec<String> = nodes.iter().map(text).filter(|text| !text.is_empty()).take(5).collect();
    format!("found {texts:?}")
}

fn split_at_test(path: &str) -> (&str, &str) {
    path.split_at(path.find('[').unwrap_or(path.len()))
}

/// The test that `text` begins with; a test ends at the bracket before another test, a further step or the end.
fn first_test(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix('[')?;
    let ends = |place: &usize| matches!(inside.as_bytes().get(place + 1), None | Some(b'[' | b'/'));
    let end = inside.match_indices(']').map(|(place, _)| place).find(ends)?;
    Some((&inside[..end], &inside[end + 1..]))
}

fn passes(node: &Node<'_>, test: &str) -> bool {
    let Some(element) = node.last() else { return false };
    let text = leading_text(element);
    let has_children = element.elements().next().is_some();
    if let Some(wanted) = test.strip_prefix('@') {
        return match wanted.split_once('=') {
            None => attribute(element, wanted).is_some(),
            Some((key, value)) => attribute(element, key) == Some(unquoted(value)),
        };
    }
    match test {
        "|" => text.is_none() && !has_children,
        "||" => text.is_some() || has_children,
        "icalendar" => text.is_some_and(|text| calendar::parse(text.as_bytes()).is_ok()),
        "json" => text.is_some_and(|text| serde_json::from_str::<serde_json::Value>(text).is_ok()),
        _ => match test.split_at_checked(1) {
            Some(("=", wanted)) => text.unwrap_or_default() == wanted,
            Some(("!", unwanted)) => text.unwrap_or_default() != unwanted,
            Some(("*", part)) => text.is_some_and(|text| text.contains(part)),
            Some(("$", part)) => text.is_some_and(|text| !text.contains(part)),
            Some(("+", start)) => text.is_some_and(|text| text.starts_with(start)),
            Some(("^", child)) => has_child(element, child),
            _ => false,
        },
    }
}

fn has_child(element: &Element, wanted: &str) -> bool {
    let place = wanted.rfind('}').unwrap_or(0);
    let equals = wanted[place..].find('=').map(|equals| place + equals);
    let (wanted, value) = equals.map_or((wanted, None), |at| (&wanted[..at], Some(&wanted[at + 1..])));
    let mut children = element.elements().filter(|child| name(child) == wanted);
    children.any(|child| value.is_none_or(|value| leading_text(child).unwrap_or_default() == value))
}

/// The value without one character at each end.
fn unquoted(value: &str) -> &str {
    let mut characters = value.chars();
    characters.next();
    characters.next_back();
    characters.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "<m xmlns='DAV:'>\
        <r a='1'><h>/one/</h><p><x>text [1] here</x></p></r>\
        <r><h>/two/</h><p><y/><z>[1]</z></p></r></m>";

    #[track_caller]
    fn check(path: &str, expected: usize) {
        let root = crate::markup::read(ANSWER.as_bytes()).unwrap();
        assert_eq!(find(&root, path).map_or(0, |nodes| nodes.len()), expected, "{path}");
    }

    #[test]
    fn steps_name_every_node() {
        check("/{DAV:}m", 1);
        check("/{DAV:}m/{DAV:}r/{DAV:}h", 2);
        check("/{DAV:}r", 0);
        check("/{DAV:}m/{DAV:}h", 0);
    }

    #[test]
    fn tests_choose_among_nodes() {
        check("/{DAV:}m/{DAV:}r/{DAV:}h[=/one/]", 1);
        check("/{DAV:}m/{DAV:}r/{DAV:}h[!/one/]", 1);
        check("/{DAV:}m/{DAV:}r/{DAV:}h[+/]", 2);
        check("/{DAV:}m/{DAV:}r/{DAV:}p/{DAV:}x[*[1] here]", 1);
        check("/{DAV:}m/{DAV:}r/{DAV:}p/{DAV:}x[$here]", 0);
        check("/{DAV:}m/{DAV:}r[@a]", 1);
        check("/{DAV:}m/{DAV:}r[@a=\"1\"]", 1);
        check("/{DAV:}m/{DAV:}r[@a=\"2\"]", 0);
        check("/{DAV:}m/{DAV:}r[^{DAV:}h=/two/]", 1);
        check("/{DAV:}m/{DAV:}r[^{DAV:}n]", 0);
        check("/{DAV:}m/{DAV:}r/{DAV:}p/{DAV:}y[|]", 1);
        check("/{DAV:}m/{DAV:}r/{DAV:}p/{DAV:}y[||]", 0);
        check("/{DAV:}m/{DAV:}r/{DAV:}p/{DAV:}z[json]", 1);
        check("/{DAV:}m/{DAV:}r/{DAV:}p/{DAV:}z[icalendar]", 0);
    }

    #[test]
    fn a_path_goes_on_from_the_nodes_that_passed() {
        check("/{DAV:}m/{DAV:}r/{DAV:}h[=/one/]/../{DAV:}p/{DAV:}x", 1);
        check("/{DAV:}m/{DAV:}r/{DAV:}h[=/two/]/../{DAV:}p/{DAV:}x", 0);
        check("/{DAV:}m/{DAV:}r/{DAV:}h[=/two/]/../{DAV:}p/{DAV:}z[=[1]]", 1);
    }

    #[test]
    fn several_tests_may_be_passed_by_different_nodes() {
        check("/{DAV:}m/{DAV:}r/{DAV:}h[=/one/][=/two/]", 1);
        check("/{DAV:}m/{DAV:}r/{DAV:}h[=/one/][=/three/]", 0);
    }
}
