//! What is kept of an answer for later requests.

use crate::calendar::{Component, Property, lines_of_json, parse};
use crate::element_path::{find, select};
use crate::http::Answer;
use crate::json_pointer;
use crate::markup::{children, inner, leading_text, name, read};
use crate::script::Grab;
use crate::substitution::Tables;

/// What a grab may look at.
pub(crate) struct Grabbed<'a> {
    pub(crate) answer: &'a Answer,
    /// The href that the last search found.
    pub(crate) found_uri: &'a str,
    /// Whether the verifiers passed.
    pub(crate) has_passed: bool,
}

impl Grabbed<'_> {
    /// Keeps what `grab` asks for.
    ///
    /// # Errors
    /// It is not there; in words.
    pub(crate) fn keep(&self, grab: &Grab, tables: &mut Tables) -> Result<(), String> {
        match grab {
            Grab::Uri(variable) => tables.grab(variable, self.found_uri),
            Grab::Count(variable) => {
                let count = self.count().ok_or_else(|| format!("grabcount {variable}: no multistatus that passed"))?;
                tables.grab(variable, &count.to_string());
            }
            Grab::Header { name, variable } => {
                let value = self.answer.header(name).next().ok_or_else(|| format!("grabheader: no header {name}"))?;
                tables.grab(variable, value);
            }
            Grab::Property { name, variable } if self.answer.status == 207 => {
                let name = tables.run_pass(name);
                let value = self.property(&name).ok_or_else(|| format!("grabproperty: no property {name}"))?;
                tables.grab(variable, &value);
            }
            Grab::Property { .. } => {}
            Grab::Element { path, parent, variables } => {
                let (path, parent) = (tables.run_pass(path), parent.as_ref().map(|parent| tables.run_pass(parent)));
                let texts = self.elements(&path, parent.as_deref()).map_err(|error| format!("grabelement: {error}"))?;
                keep_all(&format!("grabelement {path}"), &texts, variables, tables)?;
            }
            Grab::Json { pointer, variables } => {
                let document = serde_json::from_slice(&self.answer.body);
                let document = document.map_err(|error| format!("grabjson: the body is no JSON: {error}"))?;
                let texts: Vec<String> =
                    json_pointer::select(&document, pointer).into_iter().map(json_pointer::shown).collect();
                keep_all(&format!("grabjson {pointer}"), &texts, variables, tables)?;
            }
            Grab::CalendarProperty { path, variable } => {
                let path = tables.run_pass(path);
                let value = self.calendar_value(&path, false).ok_or_else(|| format!("grabcalproperty: no {path}"))?;
                tables.grab(variable, &value);
            }
            Grab::CalendarParameter { path, variable } => {
                let path = tables.run_pass(path);
                let value = self.calendar_value(&path, true).ok_or_else(|| format!("grabcalparameter: no {path}"))?;
                tables.grab(variable, &value);
            }
        }
        Ok(())
    }

    /// The responses of a multistatus, less the one of the collection itself.
    fn count(&self) -> Option<usize> {
        if !self.has_passed || self.answer.status != 207 {
            return None;
        }
        let root = read(&self.answer.body).ok()?;
        children(&root, "{DAV:}response").count().checked_sub(1)
    }

    fn property(&self, wanted: &str) -> Option<String> {
        let root = read(&self.answer.body).ok()?;
        let propstats = children(&root, "{DAV:}response").flat_map(|response| children(response, "{DAV:}propstat"));
        let is_ok = |propstat: &&nichoir_xml::Element| {
            let status = children(propstat, "{DAV:}status").next().and_then(leading_text);
            status.is_some_and(|status| status.split_whitespace().nth(1).is_some_and(|code| code.starts_with('2')))
        };
        let mut properties = propstats
            .filter(is_ok)
            .flat_map(|propstat| children(propstat, "{DAV:}prop"))
            .flat_map(nichoir_xml::Element::elements);
        let property = properties.find(|property| name(property) == wanted)?;
        Some(match property.elements().next() {
            None => inner(property),
            Some(_) => property.elements().map(nichoir_xml::Element::to_fragment).collect(),
        })
    }

    fn elements(&self, path: &str, parent: Option<&str>) -> Result<Vec<String>, String> {
        let document = read(&self.answer.body)?;
        let mut root = &document;
        if let Some(parent) = parent {
            let nodes = find(&document, parent)?;
            root = nodes.first().and_then(|node| node.last().copied()).unwrap_or(root);
        }
        let text =
            |node: &Vec<&nichoir_xml::Element>| node.last().and_then(|last| leading_text(last)).map(str::to_owned);
        Ok(select(root, path).iter().map(|node| text(node).unwrap_or_default()).collect())
    }

    /// `VEVENT/ATTACH$value`, or with a parameter as the last step.
    fn calendar_value(&self, path: &str, is_parameter: bool) -> Option<String> {
        let (path, wanted) = path.split_once('$').map_or((path, None), |(path, wanted)| (path, Some(wanted)));
        let mut steps: Vec<&str> = path.split('/').collect();
        let parameter = if is_parameter { steps.pop() } else { None };
        let property = steps.pop()?;
        let calendars = parse(&self.answer.body).or_else(|error| match lines_of_json(&self.answer.body) {
            Ok(lines) => parse(lines.as_bytes()),
            Err(_) => Err(error),
        });
        let calendars = calendars.ok()?;
        let mut components: Vec<&Component> = calendars.iter().collect();
        for step in steps {
            components = components.into_iter().flat_map(|component| component.inner(step)).collect();
        }
        let is_it = |it: &&Property| it.is(property) && wanted.is_none_or(|wanted| it.text == wanted);
        let mut found = components.into_iter().flat_map(|component| component.properties.iter()).filter(is_it);
        match parameter {
            None => found.next().map(|property| property.text.clone()),
            Some(name) => found.find_map(|property| property.parameter(name).map(str::to_owned)),
        }
    }
}

fn keep_all(what: &str, texts: &[String], variables: &[String], tables: &mut Tables) -> Result<(), String> {
    if texts.len() != variables.len() {
        return Err(format!("{what}: {} found, expected {}", texts.len(), variables.len()));
    }
    texts.iter().zip(variables).for_each(|(text, variable)| tables.grab(variable, text));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grabbed(body: &str, grab: &Grab) -> Result<String, String> {
        let headers = vec![("ETag".to_owned(), "\"1\"".to_owned())];
        let answer = Answer { status: 207, headers, body: body.as_bytes().to_vec() };
        let mut tables = Tables::new(chrono::NaiveDate::MIN, [].into());
        Grabbed { answer: &answer, found_uri: "/cal/new.ics", has_passed: true }.keep(grab, &mut tables)?;
        Ok(tables.run_pass("$a: $b:"))
    }

    const BODY: &str = "<multistatus xmlns='DAV:'><response><href>/1</href><propstat><prop><getetag>x</getetag></prop>\
        <status>HTTP/1.1 200 OK</status></propstat></response><response><href>/2</href></response></multistatus>";

    #[test]
    fn values_are_kept() {
        let a = || "$a:".to_owned();
        assert_eq!(grabbed(BODY, &Grab::Uri(a())).unwrap(), "/cal/new.ics $b:");
        assert_eq!(grabbed(BODY, &Grab::Count(a())).unwrap(), "1 $b:");
        assert_eq!(grabbed(BODY, &Grab::Header { name: "etag".to_owned(), variable: a() }).unwrap(), "\"1\" $b:");
        assert_eq!(
            grabbed(BODY, &Grab::Property { name: "{DAV:}getetag".to_owned(), variable: a() }).unwrap(),
            "x $b:"
        );
        let path = "/{DAV:}multistatus/{DAV:}response/{DAV:}href".to_owned();
        let two = Grab::Element { path: path.clone(), parent: None, variables: vec![a(), "$b:".to_owned()] };
        assert_eq!(grabbed(BODY, &two).unwrap(), "/1 /2");
        assert!(grabbed(BODY, &Grab::Element { path, parent: None, variables: vec![a()] }).is_err());
        assert!(grabbed(BODY, &Grab::Header { name: "X".to_owned(), variable: a() }).is_err());
        assert!(grabbed(BODY, &Grab::Property { name: "{DAV:}owner".to_owned(), variable: a() }).is_err());
    }

    #[test]
    fn calendar_values_are_found_by_path() {
        let body = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:7\nATTACH;SIZE=1:http://a\nATTACH;SIZE=2:http://b\nEND:VEVENT\nEND:VCALENDAR\n";
        let property = |path: &str| Grab::CalendarProperty { path: path.to_owned(), variable: "$a:".to_owned() };
        let parameter = |path: &str| Grab::CalendarParameter { path: path.to_owned(), variable: "$a:".to_owned() };
        assert_eq!(grabbed(body, &property("VEVENT/UID")).unwrap(), "7 $b:");
        assert_eq!(grabbed(body, &parameter("VEVENT/ATTACH/SIZE")).unwrap(), "1 $b:");
        assert_eq!(grabbed(body, &parameter("VEVENT/ATTACH/SIZE$http://b")).unwrap(), "2 $b:");
        assert!(grabbed(body, &property("VTODO/UID")).is_err());
    }
}
