//! A script as data: set-up, suites of tests made of requests, clean-up.

use std::collections::{BTreeMap, BTreeSet};

use nichoir_xml::Element;

use crate::markup::{attribute, child, child_text, children, leading_text, name, read};
use crate::substitution::Tables;

/// Features that must, or must not, be claimed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Needs {
    required: Vec<String>,
    excluded: Vec<String>,
}

impl Needs {
    fn of(element: &Element) -> Needs {
        let list = |name: &str| {
            let inside = child(element, name).into_iter().flat_map(|list| children(list, "feature"));
            inside.map(Element::text).collect()
        };
        Needs { required: list("require-feature"), excluded: list("exclude-feature") }
    }

    /// Whether a server with these features meets them.
    pub(crate) fn are_met_by(&self, features: &BTreeSet<String>) -> bool {
        self.required.iter().all(|feature| features.contains(feature))
            && !self.excluded.iter().any(|feature| features.contains(feature))
    }
}

/// A script.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    /// Whether it runs only when it is named.
    pub(crate) is_special: bool,
    pub(crate) needs: Needs,
    pub(crate) start: Vec<Request>,
    pub(crate) suites: Vec<Suite>,
    pub(crate) end: Vec<Request>,
}

/// A test suite.
#[derive(Clone, Debug)]
pub(crate) struct Suite {
    pub(crate) name: String,
    pub(crate) needs: Needs,
    pub(crate) is_ignored: bool,
    pub(crate) renews_uids: bool,
    pub(crate) tests: Vec<Test>,
}

/// A test.
#[derive(Clone, Debug)]
pub(crate) struct Test {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) needs: Needs,
    pub(crate) is_ignored: bool,
    pub(crate) count: usize,
    pub(crate) requests: Vec<Request>,
}

/// A request with what is checked and kept of its answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) needs: Needs,
    pub(crate) authenticates: bool,
    /// Login and password.
    pub(crate) account: (String, String),
    pub(crate) uses_second_server: bool,
    pub(crate) is_deleted_at_end: bool,
    pub(crate) iterates_data: bool,
    pub(crate) waits_for_success: bool,
    pub(crate) method: String,
    pub(crate) uris: Vec<String>,
    pub(crate) quotes_uri: bool,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) data: Option<Data>,
    pub(crate) verifiers: Vec<Verifier>,
    pub(crate) grabs: Vec<Grab>,
}

/// Where a body comes from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Data {
    pub(crate) content_type: String,
    pub(crate) path: String,
    pub(crate) is_generated: bool,
    pub(crate) substitutes: Vec<(String, String)>,
}

/// One check of an answer.
#[derive(Clone, Debug)]
pub(crate) struct Verifier {
    pub(crate) needs: Needs,
    pub(crate) callback: String,
    pub(crate) arguments: BTreeMap<String, Vec<String>>,
}

/// Something kept of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Grab {
    Uri(String),
    Count(String),
    Header { name: String, variable: String },
    Property { name: String, variable: String },
    Element { path: String, parent: Option<String>, variables: Vec<String> },
    Json { pointer: String, variables: Vec<String> },
    CalendarProperty { path: String, variable: String },
    CalendarParameter { path: String, variable: String },
}

impl Script {
    /// Reads a script; `None` if the file is something else.
    ///
    /// # Errors
    /// What is wrong with the file, in words.
    pub(crate) fn parse(bytes: &[u8], tables: &Tables) -> Result<Option<Script>, String> {
        let root = read(bytes)?;
        if name(&root) != "caldavtest" {
            return Ok(None);
        }
        let requests = |part: &str| match child(&root, part) {
            Some(part) => children(part, "request").map(|element| Request::of(element, tables)).collect(),
            None => Ok(Vec::new()),
        };
        let suites: Result<Vec<Suite>, String> =
            children(&root, "test-suite").map(|element| Suite::of(element, tables)).collect();
        let mut suites = suites?;
        let only: Vec<bool> = children(&root, "test-suite").map(|element| is_yes(element, "only")).collect();
        if only.contains(&true) {
            suites.iter_mut().zip(only).for_each(|(suite, is_only)| suite.is_ignored |= !is_only);
        }
        Ok(Some(Script {
            is_special: is_yes(&root, "ignore-all"),
            needs: Needs::of(&root),
            start: requests("start")?,
            suites,
            end: requests("end")?,
        }))
    }
}

impl Suite {
    fn of(element: &Element, tables: &Tables) -> Result<Suite, String> {
        let tests: Result<Vec<Test>, String> = children(element, "test").map(|test| Test::of(test, tables)).collect();
        let mut tests = tests?;
        let only: Vec<bool> = children(element, "test").map(|test| is_yes(test, "only")).collect();
        if only.contains(&true) {
            tests.iter_mut().zip(only).for_each(|(test, is_only)| test.is_ignored |= !is_only);
        }
        Ok(Suite {
            name: attribute(element, "name").unwrap_or_default().to_owned(),
            needs: Needs::of(element),
            is_ignored: is_yes(element, "ignore"),
            renews_uids: is_yes(element, "change-uid"),
            tests,
        })
    }
}

impl Test {
    fn of(element: &Element, tables: &Tables) -> Result<Test, String> {
        let requests: Result<Vec<Request>, String> =
            children(element, "request").map(|request| Request::of(request, tables)).collect();
        Ok(Test {
            name: attribute(element, "name").unwrap_or_default().to_owned(),
            description: child(element, "description").map(Element::text).unwrap_or_default(),
            needs: Needs::of(element),
            is_ignored: is_yes(element, "ignore"),
            count: attribute(element, "count").and_then(|count| count.parse().ok()).unwrap_or(1),
            requests: requests?,
        })
    }
}

impl Request {
    fn of(element: &Element, tables: &Tables) -> Result<Request, String> {
        let text = |element: &Element| tables.fixed_pass(leading_text(element).unwrap_or_default());
        let account = |key: &str, default: &str| {
            let given = attribute(element, key).filter(|value| !value.is_empty()).unwrap_or(default);
            tables.fixed_pass(given)
        };
        let mut request = Request {
            needs: Needs::of(element),
            authenticates: attribute(element, "auth") != Some("no"),
            account: (account("user", "$userid1:"), account("pswd", "$pswd1:")),
            uses_second_server: is_yes(element, "host2"),
            is_deleted_at_end: is_yes(element, "end-delete"),
            iterates_data: is_yes(element, "iterate-data"),
            waits_for_success: is_yes(element, "wait-for-success"),
            quotes_uri: true,
            ..Request::default()
        };
        for part in element.elements() {
            match name(part).as_str() {
                "method" => request.method = leading_text(part).unwrap_or_default().trim().to_owned(),
                "ruri" => {
                    request.uris.push(text(part).trim().to_owned());
                    request.quotes_uri &= attribute(part, "quote") != Some("no");
                }
                "header" => request.set_header(part, tables),
                "data" => request.data = Some(Data::of(part, tables)),
                "verify" => request.verifiers.push(Verifier::of(part, tables)),
                "require-feature" | "exclude-feature" | "description" => {}
                grab => request.grabs.push(Grab::of(grab, part, tables)?),
            }
        }
        Ok(request)
    }

    /// A second header of the same name replaces the first.
    fn set_header(&mut self, element: &Element, tables: &Tables) {
        let name = child_text(element, "name").unwrap_or_default().trim().to_owned();
        let value = tables.fixed_pass(child_text(element, "value").unwrap_or_default());
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value));
    }
}

impl Data {
    fn of(element: &Element, tables: &Tables) -> Data {
        let pair = |element: &Element| {
            let text = |name| tables.fixed_pass(child_text(element, name).unwrap_or_default());
            (text("name"), text("value"))
        };
        Data {
            content_type: child(element, "content-type").map(Element::text).unwrap_or_default(),
            path: child(element, "filepath").map(Element::text).unwrap_or_default(),
            is_generated: is_yes(element, "generate"),
            substitutes: children(element, "substitute").map(pair).collect(),
        }
    }
}

impl Verifier {
    fn of(element: &Element, tables: &Tables) -> Verifier {
        let mut arguments: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for argument in children(element, "arg") {
            let name = child(argument, "name").map(Element::text).unwrap_or_default();
            let values =
                children(argument, "value").map(|value| tables.fixed_pass(leading_text(value).unwrap_or_default()));
            arguments.entry(name).or_default().extend(values);
        }
        let callback = child(element, "callback").map(Element::text).unwrap_or_default();
        Verifier { needs: Needs::of(element), callback, arguments }
    }
}

impl Grab {
    fn of(kind: &str, element: &Element, tables: &Tables) -> Result<Grab, String> {
        let own = || tables.fixed_pass(leading_text(element).unwrap_or_default().trim());
        let text = |name: &str| child(element, name).map(|element| tables.fixed_pass(&element.text()));
        let named = |other: &str| text(other).or_else(|| text("name")).unwrap_or_default();
        let variables = || children(element, "variable").map(|element| tables.fixed_pass(&element.text())).collect();
        let variable = || text("variable").unwrap_or_default();
        Ok(match kind {
            "graburi" => Grab::Uri(own()),
            "grabcount" => Grab::Count(own()),
            "grabheader" => Grab::Header { name: named("name"), variable: variable() },
            "grabproperty" => Grab::Property { name: named("property"), variable: variable() },
            "grabelement" => Grab::Element { path: named("name"), parent: text("parent"), variables: variables() },
            "grabjson" => Grab::Json { pointer: named("pointer"), variables: variables() },
            "grabcalproperty" => Grab::CalendarProperty { path: named("name"), variable: variable() },
            "grabcalparameter" => Grab::CalendarParameter { path: named("name"), variable: variable() },
            other => return Err(format!("a request has an unknown part {other}")),
        })
    }
}

fn is_yes(element: &Element, name: &str) -> bool {
    attribute(element, name) == Some("yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Script {
        let fixed = [("$userid1:", "u1"), ("$pswd1:", "p1"), ("$home:", "/h")];
        let fixed = fixed.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let tables = Tables::new(chrono::NaiveDate::MIN, fixed.into());
        Script::parse(text.as_bytes(), &tables).unwrap().unwrap()
    }

    #[test]
    fn a_request_has_its_parts() {
        let script = parse(
            "<caldavtest><start><request user='' end-delete='yes'><method>PUT</method><ruri quote='no'>$home:/1</ruri>\
             <header><name>If-Match</name><value>a</value></header><header><name>If-Match</name><value>$etag:</value></header>\
             <verify><callback>statusCode</callback><arg><name>status</name><value>2xx</value><value>403</value></arg></verify>\
             <grabelement><name>/a</name><variable>$x:</variable><variable>$y:</variable></grabelement></request></start></caldavtest>",
        );
        let request = &script.start[0];
        assert_eq!(request.account, ("u1".to_owned(), "p1".to_owned()));
        assert!(request.is_deleted_at_end && request.authenticates && !request.quotes_uri);
        assert_eq!(request.uris, ["/h/1"]);
        assert_eq!(request.headers, [("If-Match".to_owned(), "$etag:".to_owned())]);
        assert_eq!(request.verifiers[0].arguments["status"], ["2xx", "403"]);
        let variables = vec!["$x:".to_owned(), "$y:".to_owned()];
        assert_eq!(request.grabs, [Grab::Element { path: "/a".to_owned(), parent: None, variables }]);
    }

    #[test]
    fn only_ignores_the_others() {
        let script = parse(
            "<caldavtest><test-suite name='a'/><test-suite name='b' only='yes'><test name='1' only='yes'/><test name='2'/></test-suite></caldavtest>",
        );
        assert_eq!(script.suites.iter().map(|suite| suite.is_ignored).collect::<Vec<_>>(), [true, false]);
        assert_eq!(script.suites[1].tests.iter().map(|test| test.is_ignored).collect::<Vec<_>>(), [false, true]);
    }

    #[test]
    fn features_are_required_or_excluded() {
        let script = parse(
            "<caldavtest><require-feature><feature>a</feature></require-feature><exclude-feature><feature>b</feature></exclude-feature></caldavtest>",
        );
        let check = |features: &[&str], expected| {
            let features = features.iter().map(|feature| (*feature).to_owned()).collect();
            assert_eq!(script.needs.are_met_by(&features), expected);
        };
        check(&["a"], true);
        check(&[], false);
        check(&["a", "b"], false);
    }
}
