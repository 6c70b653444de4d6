//! The parsers of headers and paths over generated input: they never panic and agree with the obvious reference.

use std::cell::RefCell;

use nichoir_store::NodePath;
use nichoir_store::conditions::{IfCondition, IfResource, IfState};
use proptest::prelude::*;

use crate::header::range::{self, Wanted};
use crate::header::{if_header, tests::headers};
use crate::{fuzzing, href};

fn condition() -> impl Strategy<Value = (String, IfCondition)> {
    let token = "[a-z:/-]{0,12}".prop_map(|text| (format!("<{text}>"), IfState::Token(text)));
    let strong = "[a-z0-9()]{0,8}".prop_map(|text| (format!("[\"{text}\"]"), IfState::Etag(text)));
    let weak = "[a-z0-9]{0,8}".prop_map(|text| (format!("[W/\"{text}\"]"), IfState::WeakEtag));
    (any::<bool>(), prop_oneof![token, strong, weak]).prop_map(|(is_negated, (text, state))| {
        let text = if is_negated { format!("Not {text}") } else { text };
        (text, IfCondition { is_negated, state })
    })
}

fn lists() -> impl Strategy<Value = Vec<(String, Vec<(String, IfCondition)>)>> {
    prop::collection::vec(("/[a-z]{0,6}", prop::collection::vec(condition(), 1..4)), 1..5)
}

/// What a single range asks for of a content of `size` bytes, byte by byte. RFC 9110 §14.1.2.
fn asked_for(first: Option<u64>, last: Option<u64>, size: u64) -> Vec<u64> {
    let is_in = |byte: &u64| match (first, last) {
        (Some(first), Some(last)) => (first..=last).contains(byte),
        (Some(first), None) => *byte >= first,
        (None, Some(suffix)) => byte + suffix >= size,
        (None, None) => false,
    };
    (0..size).filter(is_in).collect()
}

proptest! {
    #[test]
    fn no_header_makes_a_parser_panic(value in prop::collection::vec(any::<u8>(), 0..80), size in 0u64..100) {
        fuzzing::headers(&value, size);
    }

    #[test]
    fn headers_made_of_their_own_signs_do_not_either(text in "[()<>\\[\\]\"W/Not ,=0-9a:é-]{0,60}", size in any::<u64>()) {
        fuzzing::headers(text.as_bytes(), size);
        fuzzing::headers(format!("bytes={text}").as_bytes(), size);
        fuzzing::headers(format!("({text})").as_bytes(), size);
    }

    #[test]
    fn if_says_what_was_written(lists in lists(), is_tagged in any::<bool>()) {
        let text: String = lists.iter().map(|(tag, conditions)| {
            let conditions: Vec<&str> = conditions.iter().map(|(text, _)| text.as_str()).collect();
            let tag = if is_tagged { format!("<{tag}> ") } else { String::new() };
            format!("{tag}({})", conditions.join(" "))
        }).collect();
        let parsed = if_header::of(&headers(&format!("If: {text}"))).expect("well-formed").expect("a header");
        let seen = RefCell::new(Vec::new());
        let found = parsed.into_lists(|tag| {
            seen.borrow_mut().push(tag.to_owned());
            IfResource::Request
        });
        let written: Vec<Vec<IfCondition>> =
            lists.iter().map(|(_, conditions)| conditions.iter().map(|(_, it)| it.clone()).collect()).collect();
        let found: Vec<Vec<IfCondition>> = found.into_iter().map(|list| list.conditions).collect();
        prop_assert_eq!(found, written);
        let tags: Vec<String> = lists.iter().filter(|_| is_tagged).map(|(tag, _)| tag.clone()).collect();
        prop_assert_eq!(seen.into_inner(), tags);
    }

    #[test]
    fn a_range_is_the_bytes_it_names(first in prop::option::of(0u64..12), last in prop::option::of(0u64..12), size in 0u64..10) {
        let shown = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
        let found = range::of(&headers(&format!("Range: bytes={}-{}", shown(first), shown(last))), size, 4);
        let expected = asked_for(first, last, size);
        match found {
            Wanted::Whole => prop_assert!(first.is_none() && last.is_none() || first > last && last.is_some()),
            Wanted::Nothing => prop_assert!(expected.is_empty()),
            Wanted::Parts(parts) => prop_assert_eq!(parts.into_iter().flatten().collect::<Vec<_>>(), expected),
        }
    }

    #[test]
    fn if_means_what_the_grammar_says(text in "([(<\\[][<>\\[\\]()\"W/Notn ,:a-cé]{0,12}[)>\\]]){1,6}") {
        fuzzing::if_header(&text);
    }

    #[test]
    fn if_made_of_its_own_words_means_what_the_grammar_says(
        words in prop::collection::vec(prop::sample::select(vec!["(", ")", "<a>", "</x>", "[\"e\"]", "[e]", "[W/\"e\"]", "Not ", "not", " ", "["]), 0..12),
    ) {
        fuzzing::if_header(&words.concat());
    }

    #[test]
    fn no_path_makes_a_parser_panic(path in "[/%a-f0-9.~ é\u{301}\u{0}-\u{1f}]{0,40}") {
        fuzzing::paths(&path);
    }

    #[test]
    fn every_name_survives_the_way_out_and_in(names in prop::collection::vec("\\PC{1,12}", 1..4), is_folder in any::<bool>()) {
        if let Ok(path) = NodePath::of(&names) {
            let out = href::of("/remote.php/dav/files/a%40b", &path, is_folder);
            prop_assert_eq!(href::path_below("/remote.php/dav/files/a%40b", &out).ok(), Some(path.clone()));
            let absolute = format!("https://nest.example{out}");
            prop_assert_eq!(href::path_of_url("/remote.php/dav/files/a@b", &absolute).ok(), Some(Some(path)));
        }
    }
}
