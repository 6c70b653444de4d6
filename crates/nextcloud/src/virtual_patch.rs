//! PROPPATCH on resources that are no nodes, such as tags and comments: each step by itself turned into a change, all told
//! of in one multistatus. RFC 4918 §9.2.

use http::StatusCode;
use nichoir_dav::multistatus::{Multistatus, status_line};
use nichoir_dav::{Body, Dav, Error, Response, read_xml};
use nichoir_xml::{Element, Name, dav};

/// The properties that a PROPPATCH sets (with their elements) and removes.
#[derive(Debug)]
pub(crate) struct Patch(Vec<(Name, Option<Element>)>);

impl Patch {
    /// Reads the body.
    ///
    /// # Errors
    /// 400 for what is no `DAV:propertyupdate` or changes nothing.
    pub(crate) async fn read(dav: &Dav, body: Body) -> Result<Patch, Error> {
        let root = read_xml(dav, body).await?.filter(|root| root.name == dav::PROPERTYUPDATE);
        let root =
            root.ok_or_else(|| Error::bad_request("The body of a PROPPATCH is a DAV:propertyupdate element."))?;
        let mut steps = Vec::new();
        for instruction in root.elements().filter(|it| it.name == dav::SET || it.name == dav::REMOVE) {
            let is_set = instruction.name == dav::SET;
            for property in instruction.children(&dav::PROP).flat_map(Element::elements) {
                steps.push((property.name.clone(), is_set.then(|| property.clone())));
            }
        }
        if steps.is_empty() {
            return Err(Error::bad_request("No property is set or removed."));
        }
        Ok(Patch(steps))
    }

    /// The text that `name` is set to last; empty where it is removed.
    pub(crate) fn text(&self, name: &Name) -> Option<String> {
        let last = self.0.iter().rev().find(|(known, _)| known == name)?;
        Some(last.1.as_ref().map(Element::text).unwrap_or_default())
    }

    /// Whether it is about these properties and no others.
    pub(crate) fn is_about(&self, names: &[Name]) -> bool {
        self.0.iter().all(|(name, _)| names.contains(name))
    }

    /// The answer: `status` for all, or, where there are some that cannot be written, 403 for those and 424 for the rest.
    pub(crate) fn answer(&self, href: &str, writable: &[Name], status: StatusCode) -> Response {
        let (good, bad): (Vec<&Name>, Vec<&Name>) =
            self.0.iter().map(|(name, _)| name).partition(|it| writable.contains(it));
        let good_status = if bad.is_empty() { status } else { StatusCode::FAILED_DEPENDENCY };
        let mut body = Multistatus::new();
        let writer = body.writer();
        writer.open(&dav::RESPONSE);
        writer.text_element(&dav::HREF, href);
        for (names, status) in [(good, good_status), (bad, StatusCode::FORBIDDEN)] {
            if names.is_empty() {
                continue;
            }
            writer.open(&dav::PROPSTAT);
            writer.open(&dav::PROP);
            names.iter().for_each(|name| writer.empty(name));
            writer.close();
            writer.text_element(&dav::STATUS, status_line(status));
            writer.close();
        }
        writer.close();
        crate::xml_response(StatusCode::MULTI_STATUS, body.finish())
    }
}
