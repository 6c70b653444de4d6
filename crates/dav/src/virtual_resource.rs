//! Fixed collections and principals: what stands above and beside the file trees, so that a client can find its way
//! down from the DAV root. PROPFIND and OPTIONS over a list of resources that are made for the request.

use http::header::VARY;
use http::{HeaderValue, StatusCode};
use nichoir_auth::Caller;
use nichoir_store::{Etag, Timestamp};
use nichoir_xml::{Name, Writer, dav};

use crate::Dav;
use crate::answer;
use crate::error::Error;
use crate::header::depth::Depth;
use crate::header::prefer;
use crate::method::read_xml;
use crate::multistatus::{Multistatus, status_line, write_missing};
use crate::principal;
use crate::privilege;
use crate::property::append_http_date;
use crate::report::{self, expand_property, principal_match, principal_search};
use crate::request::{Request, Response};
use crate::selection::PropertyRequest;
use crate::target::Mount;

/// A resource that is no node: its href as the client spelt it, and what it answers to PROPFIND.
#[derive(Clone, Debug)]
pub struct VirtualResource {
    href: String,
    properties: Vec<(Name, VirtualValue)>,
}

/// The value of a virtual resource's property.
#[derive(Clone, Debug)]
pub enum VirtualValue {
    /// Text, which may be empty.
    Text(String),
    /// A number.
    Number(u64),
    /// An entity tag with its quotes.
    Etag(Etag),
    /// A date as in HTTP.
    HttpDate(Timestamp),
    /// `DAV:href` elements.
    Hrefs(Vec<String>),
    /// Empty elements of these names.
    Elements(Vec<Name>),
    /// Elements of these names with a text each.
    TextElements(Vec<(Name, String)>),
    /// XML that stands for itself.
    Fragment(String),
    /// `DAV:privilege` elements.
    Privileges(&'static [Name]),
    /// `DAV:supported-report` elements.
    Reports(&'static [Name]),
}

impl VirtualResource {
    /// A collection that can be read and no more.
    pub fn collection(href: impl Into<String>, display_name: impl Into<String>) -> VirtualResource {
        VirtualResource::file(href)
            .with(dav::RESOURCETYPE, VirtualValue::Elements(vec![dav::COLLECTION]))
            .with(dav::DISPLAYNAME, VirtualValue::Text(display_name.into()))
            .with(dav::CURRENT_USER_PRIVILEGE_SET, VirtualValue::Privileges(privilege::READING))
            .with(dav::SUPPORTED_REPORT_SET, VirtualValue::Reports(principal::PRINCIPAL_REPORTS))
    }

    /// A principal (RFC 3744 §4); what it is called, and where it is.
    pub fn principal(href: impl Into<String>, display_name: impl Into<String>) -> VirtualResource {
        let href = href.into();
        VirtualResource::collection(href.clone(), display_name)
            .with(dav::RESOURCETYPE, VirtualValue::Elements(vec![dav::COLLECTION, dav::PRINCIPAL]))
            .with(dav::PRINCIPAL_URL, VirtualValue::Hrefs(vec![href]))
            .with(dav::ALTERNATE_URI_SET, VirtualValue::Hrefs(Vec::new()))
            .with(dav::GROUP_MEMBER_SET, VirtualValue::Hrefs(Vec::new()))
            .with(dav::GROUP_MEMBERSHIP, VirtualValue::Hrefs(Vec::new()))
    }

    /// A resource that is no collection; its properties are to be added.
    pub fn file(href: impl Into<String>) -> VirtualResource {
        let plain = (dav::RESOURCETYPE, VirtualValue::Elements(Vec::new()));
        VirtualResource { href: href.into(), properties: vec![plain] }
    }

    /// With this property, in place of one of the same name.
    #[must_use]
    pub fn with(mut self, name: Name, value: VirtualValue) -> VirtualResource {
        match self.properties.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => self.properties.push((name, value)),
        }
        self
    }

    /// With the properties that lead to the caller's principal (RFC 5397, RFC 3744 §5.8) and say who owns it.
    #[must_use]
    pub fn with_principal(self, principal: &str, principals: &str) -> VirtualResource {
        self.with(dav::CURRENT_USER_PRINCIPAL, VirtualValue::Hrefs(vec![principal.to_owned()]))
            .with(dav::PRINCIPAL_COLLECTION_SET, VirtualValue::Hrefs(vec![principals.to_owned()]))
            .with(dav::OWNER, VirtualValue::Hrefs(vec![principal.to_owned()]))
    }

    /// Where it is.
    pub fn href(&self) -> &str {
        &self.href
    }

    /// A property of it.
    pub fn value(&self, name: &Name) -> Option<&VirtualValue> {
        self.properties.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// A property of it as XML that stands for itself.
    pub(crate) fn fragment(&self, name: &Name) -> Option<String> {
        let mut writer = Writer::new();
        self.value(name)?.write(name, &mut writer);
        Some(String::from_utf8_lossy(&writer.take()).into_owned())
    }
}

impl Dav {
    /// Answers a request to a virtual resource: itself first in `resources`, then its members, of which there is
    /// only one level. Methods that write are 403, and what makes no sense here is 405.
    pub async fn answer_virtual(
        &self,
        caller: &Caller,
        mount: &Mount,
        resources: &[VirtualResource],
        request: Request,
    ) -> Response {
        let (parts, body) = request.into_parts();
        let answer = match parts.method.as_str() {
            "OPTIONS" => Ok(self.options()),
            "PROPFIND" => self.propfind_virtual(resources, &parts.headers, body).await,
            "PUT" | "DELETE" | "COPY" | "MOVE" | "PROPPATCH" | "LOCK" | "UNLOCK" => {
                Err(Error::forbidden("This collection cannot be changed."))
            }
            "REPORT" => self.report_virtual(caller, mount, resources, &parts.headers, body).await,
            "GET" | "HEAD" | "POST" | "MKCOL" => {
                Err(Error::method_not_allowed("There is nothing to get here but properties.", "OPTIONS, PROPFIND"))
            }
            _ => Err(Error::not_implemented()),
        };
        self.finish(&parts.method, answer, None)
    }

    async fn report_virtual(
        &self,
        caller: &Caller,
        mount: &Mount,
        resources: &[VirtualResource],
        headers: &http::HeaderMap,
        body: crate::request::Body,
    ) -> Result<Response, Error> {
        // RFC 3744 §9.2 to §9.5; expand-property would be the same at any other.
        if Depth::of(headers)?.is_some_and(|depth| depth != Depth::Zero) {
            return Err(Error::bad_request("Reports on principals are Depth: 0."));
        }
        let root = read_xml(self, body).await?;
        let root = root.ok_or_else(|| Error::bad_request("A REPORT has a body that names the report."))?;
        let own = resources.first().ok_or_else(Error::not_found)?;
        if root.name == dav::EXPAND_PROPERTY {
            expand_property::of_virtual(self, caller, mount, own, &root).await
        } else if root.name == dav::PRINCIPAL_PROPERTY_SEARCH {
            principal_search::search(self, caller, mount, own.href(), &root).await
        } else if root.name == dav::PRINCIPAL_SEARCH_PROPERTY_SET {
            Ok(principal_search::search_property_set())
        } else if root.name == dav::PRINCIPAL_MATCH || root.name == dav::ACL_PRINCIPAL_PROP_SET {
            principal_match::match_principals(self, caller, mount, &root)
        } else {
            Err(Error::unknown_report())
        }
    }

    async fn propfind_virtual(
        &self,
        resources: &[VirtualResource],
        headers: &http::HeaderMap,
        body: crate::request::Body,
    ) -> Result<Response, Error> {
        let depth = Depth::of(headers)?.unwrap_or(self.limits().absent_depth);
        let root = read_xml(self, body).await?;
        let request = PropertyRequest::of_propfind(root.as_ref())?;
        if depth == Depth::Infinity && !self.limits().has_infinite_propfind {
            return Err(Error::finite_depth_only());
        }
        let shown = if depth == Depth::Zero { &resources[..resources.len().min(1)] } else { resources };
        let is_minimal = prefer::is_minimal(headers);
        let mut body = Multistatus::new();
        for resource in shown {
            self.write_virtual(resource, &request, is_minimal, body.writer());
        }
        let mut response = answer::xml(StatusCode::MULTI_STATUS, body.finish());
        response.headers_mut().insert(VARY, HeaderValue::from_static("Brief,Prefer"));
        response.headers_mut().insert(answer::DAV, self.0.dav_header.clone());
        Ok(response)
    }

    /// Writes the response of a virtual resource into a multistatus.
    pub fn write_virtual(
        &self,
        resource: &VirtualResource,
        request: &PropertyRequest,
        is_minimal: bool,
        writer: &mut Writer,
    ) {
        writer.open(&dav::RESPONSE);
        writer.text_element(&dav::HREF, &resource.href);
        let mut missing: Vec<&Name> = Vec::new();
        writer.open(&dav::PROPSTAT);
        writer.open(&dav::PROP);
        match request {
            PropertyRequest::PropName => resource.properties.iter().for_each(|(name, _)| writer.empty(name)),
            PropertyRequest::Prop(names) => {
                for name in names {
                    match resource.value(name) {
                        Some(value) => value.write(name, writer),
                        None => missing.push(name),
                    }
                }
            }
            PropertyRequest::AllProp { include } => {
                let is_listed = |name: &Name| self.0.allprop.iter().any(|row| row.name() == name);
                for (name, value) in &resource.properties {
                    if is_listed(name) || include.contains(name) {
                        value.write(name, writer);
                    }
                }
                missing.extend(include.iter().filter(|name| resource.value(name).is_none()));
            }
        }
        writer.close();
        writer.text_element(&dav::STATUS, status_line(StatusCode::OK));
        writer.close();
        if !is_minimal {
            write_missing(missing, writer);
        }
        writer.close();
    }
}

impl VirtualValue {
    /// What can be searched in it.
    pub(crate) fn texts(&self) -> Vec<&str> {
        match self {
            VirtualValue::Text(text) => vec![text],
            VirtualValue::Hrefs(hrefs) => hrefs.iter().map(String::as_str).collect(),
            _ => Vec::new(),
        }
    }

    fn write(&self, name: &Name, writer: &mut Writer) {
        match self {
            VirtualValue::Text(text) => return writer.text_element(name, text),
            VirtualValue::Number(number) => return writer.text_element(name, &number.to_string()),
            VirtualValue::Etag(etag) => return writer.text_element(name, &etag.quoted()),
            VirtualValue::HttpDate(instant) => {
                let mut text = String::new();
                append_http_date(&mut text, *instant);
                return writer.text_element(name, &text);
            }
            _ => {}
        }
        writer.open(name);
        match self {
            VirtualValue::Hrefs(hrefs) => hrefs.iter().for_each(|href| writer.text_element(&dav::HREF, href)),
            VirtualValue::Elements(names) => names.iter().for_each(|name| writer.empty(name)),
            VirtualValue::TextElements(texts) => texts.iter().for_each(|(name, text)| writer.text_element(name, text)),
            VirtualValue::Fragment(fragment) => writer.fragment(fragment),
            VirtualValue::Privileges(privileges) => privilege::write(privileges, writer),
            VirtualValue::Reports(names) => names.iter().for_each(|name| report::write_supported(name, writer)),
            _ => {}
        }
        writer.close();
    }
}
