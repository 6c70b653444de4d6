//! The verifiers: each judges an answer by the arguments that a script gives it.

mod acl_items;
mod address_data_match;
mod calendar_data_match;
mod data_match;
mod data_string;
mod free_busy;
mod header;
mod json_pointer_match;
mod multistatus_items;
mod post_free_busy;
mod prepostcondition;
mod propfind_items;
mod propfind_values;
mod response;
mod status_code;
mod xml_data_match;
mod xml_element_match;

use std::collections::BTreeMap;
use std::path::Path;

use nichoir_xml::Element;

use crate::http::Answer;
use crate::markup;
use crate::serverinfo::ServerInfo;
use crate::substitution::Tables;

/// Nothing, or what is wrong in words.
pub(crate) type Verdict = Result<(), String>;

/// An answer and what it is judged by.
pub(crate) struct Judged<'a> {
    /// The request's URI, as the script has it.
    pub(crate) uri: &'a str,
    pub(crate) answer: &'a Answer,
    pub(crate) arguments: &'a BTreeMap<String, Vec<String>>,
    pub(crate) tables: &'a Tables,
    /// The folder that file names are relative to.
    pub(crate) data: &'a Path,
    pub(crate) info: &'a ServerInfo,
}

/// Lets the verifier of that name judge.
///
/// # Errors
/// What is wrong with the answer, in words that begin with the verifier's name.
pub(crate) fn verify(callback: &str, judged: &Judged<'_>) -> Verdict {
    let verdict = match callback {
        "statusCode" => status_code::check(judged),
        "header" => header::check(judged),
        "dataString" => data_string::check(judged),
        "dataMatch" => data_match::check(judged),
        "xmlDataMatch" => xml_data_match::check(judged),
        "xmlElementMatch" => xml_element_match::check(judged),
        "multistatusItems" => multistatus_items::check(judged),
        "propfindItems" => propfind_items::check(judged),
        "propfindValues" => propfind_values::check(judged),
        "aclItems" => acl_items::check(judged),
        "prepostcondition" => prepostcondition::check(judged),
        "calendarDataMatch" => calendar_data_match::check(judged, calendar_data_match::Form::Lines),
        "jcalDataMatch" => calendar_data_match::check(judged, calendar_data_match::Form::Json),
        "addressDataMatch" => address_data_match::check(judged),
        "freeBusy" => free_busy::check(judged),
        "postFreeBusy" => post_free_busy::check(judged),
        "jsonPointerMatch" => json_pointer_match::check(judged),
        _ => Err("there is no such verifier".to_owned()),
    };
    verdict.map_err(|wrong| format!("{callback}: {wrong}"))
}

impl Judged<'_> {
    /// The values of an argument; none if it is not given.
    fn values(&self, name: &str) -> &[String] {
        self.arguments.get(name).map_or(&[], Vec::as_slice)
    }

    fn has(&self, name: &str) -> bool {
        self.arguments.contains_key(name)
    }

    /// Fails unless the status is one of the argument `status`, or of `default`.
    fn expect_status(&self, default: &[u16]) -> Verdict {
        let given: Vec<String> = match self.values("status") {
            [] => default.iter().map(u16::to_string).collect(),
            values => values.to_vec(),
        };
        let status = self.answer.status.to_string();
        match given
            .iter()
            .any(|wanted| *wanted == status || wanted.ends_with("xx") && wanted.get(..1) == status.get(..1))
        {
            true => Ok(()),
            false => Err(format!("status {}, expected {}", shown_status(self.answer), given.join(" or "))),
        }
    }

    /// The body as XML.
    fn xml(&self) -> Result<Element, String> {
        markup::read(&self.answer.body).map_err(|error| format!("the body is no XML: {error}"))
    }

    /// The one file that the arguments name, as it is.
    fn file(&self) -> Result<(String, Vec<u8>), String> {
        let [path] = self.values("filepath") else { return Err("exactly one filepath is needed".to_owned()) };
        let bytes = std::fs::read(self.data.join(path)).map_err(|error| format!("{path}: {error}"))?;
        Ok((path.clone(), bytes))
    }

    /// The text of the argument `data` or of the file, both passes of substitution done.
    fn expected_text(&self) -> Result<String, String> {
        let text = match self.values("data") {
            [] => String::from_utf8_lossy(&self.file()?.1).into_owned(),
            [data, ..] => data.clone(),
        };
        Ok(self.tables.both_passes(&text))
    }
}

fn shown_status(answer: &Answer) -> String {
    if answer.status == 0 { "none".to_owned() } else { answer.status.to_string() }
}

/// Says which of two sets lacks what, in few words; empty if they are equal.
fn differences<'t>(
    expected: impl IntoIterator<Item = &'t String>,
    found: impl IntoIterator<Item = &'t String>,
) -> Vec<String> {
    let expected: std::collections::BTreeSet<&String> = expected.into_iter().collect();
    let found: std::collections::BTreeSet<&String> = found.into_iter().collect();
    let missing = expected.difference(&found).map(|it| format!("missing {it}"));
    missing.chain(found.difference(&expected).map(|it| format!("unexpected {it}"))).collect()
}

/// An error that lists what is wrong, unless nothing is.
fn none_of(wrong: Vec<String>) -> Verdict {
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
}

/// What tests of verifiers need.
#[cfg(test)]
mod testing {
    use super::*;

    /// Lets a verifier judge; the arguments are pairs of a name and a value, a name may come several times.
    pub(super) fn judge(callback: &str, answer: &Answer, arguments: &[(&str, &str)]) -> Verdict {
        judge_in(callback, answer, arguments, Path::new("/nonexistent"))
    }

    pub(super) fn judge_in(callback: &str, answer: &Answer, arguments: &[(&str, &str)], data: &Path) -> Verdict {
        let mut map: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in arguments {
            map.entry((*name).to_owned()).or_default().push((*value).to_owned());
        }
        let info = ServerInfo {
            host: String::new(),
            port: 0,
            unix: None,
            features: [].into(),
            substitutions: [].into(),
            calendar_filters: vec!["PRODID".to_owned(), "DTSTAMP".to_owned(), "TRANSP=OPAQUE".to_owned()],
            address_filters: vec!["REV".to_owned()],
            wait_count: 1,
            wait_delay: std::time::Duration::ZERO,
            wait_success: std::time::Duration::ZERO,
        };
        let tables = Tables::new(chrono::NaiveDate::MIN, [].into());
        let judged = Judged { uri: "/cal/", answer, arguments: &map, tables: &tables, data, info: &info };
        verify(callback, &judged)
    }

    pub(super) fn answer(status: u16, body: &str) -> Answer {
        Answer { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
    }

    #[test]
    fn an_unknown_verifier_is_a_failure() {
        assert!(judge("noSuch", &answer(200, ""), &[]).is_err());
    }
}
