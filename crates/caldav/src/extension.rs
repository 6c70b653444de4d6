//! CalDAV as an extension of the DAV engine: what calendars add to it. RFC 4791, 6638, 7809.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use nichoir_dav::virtual_resource::VirtualValue;
use nichoir_dav::{
    Answered, Answering, Body, Call, CheckedMember, Checking, Error, Extension, Hint, MemberWrite, Property, Report,
    Writing, principal,
};
use nichoir_store::{Account, Area, CollectionKind, Components, Node};
use nichoir_xml::{Element, Name, caldav, cs};

use crate::object::{CalendarObject, Limits};
use crate::schedule::{default_calendar, post, writing};
use crate::{confidential, export, import, mkcalendar, property, report};

/// Calendars: properties, reports, MKCALENDAR, checks of what is stored.
#[derive(Clone, Debug, Default)]
pub struct Caldav {
    /// The limits in force.
    pub limits: Limits,
}

impl Extension for Caldav {
    fn features(&self) -> &'static [&'static str] {
        &["calendar-access", "calendar-no-timezone", "calendar-query-extended", "calendar-auto-schedule"]
    }

    fn methods(&self) -> &'static [&'static str] {
        &["MKCALENDAR", "POST"]
    }

    fn properties(&self) -> &'static [Property] {
        property::PROPERTIES
    }

    fn reports(&self) -> &'static [Report] {
        report::REPORTS
    }

    fn name_condition(&self, hint: Hint) -> Option<Name> {
        match hint {
            Hint::UidTaken => Some(caldav::NO_UID_CONFLICT),
            Hint::WrongComponent => Some(caldav::SUPPORTED_CALENDAR_COMPONENT),
            Hint::WrongPlace => Some(caldav::CALENDAR_COLLECTION_LOCATION_OK),
            Hint::TooLargeMember => Some(caldav::MAX_RESOURCE_SIZE),
            _ => None,
        }
    }

    fn collection_kind(&self, types: &[&Name], properties: &[&Element]) -> Result<Option<CollectionKind>, Error> {
        let told = properties.iter().find(|element| element.name == caldav::SUPPORTED_CALENDAR_COMPONENT_SET);
        if types.contains(&&cs::SUBSCRIBED) {
            return Ok(Some(CollectionKind::Subscription));
        }
        if !types.contains(&&caldav::CALENDAR) {
            return Ok(None);
        }
        components_of(told.copied()).map(|components| Some(CollectionKind::Calendar(components)))
    }

    fn says_kind(&self, name: &Name) -> bool {
        *name == caldav::SUPPORTED_CALENDAR_COMPONENT_SET
    }

    fn member_bytes_max(&self) -> Option<usize> {
        Some(self.limits.object_bytes_max)
    }

    fn check_member(&self, headers: &HeaderMap, bytes: &Bytes) -> Result<CheckedMember, Error> {
        check_media_type(headers)?;
        let object = CalendarObject::check(bytes, &self.limits)?;
        let component = object.component.to_ascii_lowercase();
        Ok(CheckedMember {
            index: object.index(&self.limits),
            media_type: format!("text/calendar; charset=utf-8; component={component}"),
        })
    }

    fn write_member<'a>(&'a self, call: Call<'a>, write: Box<MemberWrite>) -> Result<Writing<'a>, Box<MemberWrite>> {
        match call.caller.tree.area() {
            Area::Calendars => Ok(Box::pin(writing::write(&self.limits, call, *write))),
            _ => Err(write),
        }
    }

    fn check_property<'a>(&'a self, call: Call<'a>, element: &'a Element) -> Option<Checking<'a>> {
        let is_it = element.name == caldav::SCHEDULE_DEFAULT_CALENDAR_URL;
        is_it.then(|| -> Checking<'a> { Box::pin(default_calendar::check(call, element)) })
    }

    fn decorate(&self, answered: &Answered<'_>, headers: &mut HeaderMap) {
        let tag = answered.node.schedule_tag.and_then(|tag| HeaderValue::try_from(tag.quoted()).ok());
        if let Some(tag) = tag {
            headers.insert("schedule-tag", tag);
        }
    }

    fn principal_properties(&self, account: &Account, root: &str) -> Vec<(Name, VirtualValue)> {
        let home = principal::href_of(&format!("{root}/calendars/"), &account.login);
        let own = principal::href_of(&format!("{root}/principals/users/"), &account.login);
        let addresses: Vec<String> = account.email.iter().map(|email| format!("mailto:{email}")).chain([own]).collect();
        let emails: Vec<(Name, String)> =
            account.email.iter().map(|email| (cs::EMAIL_ADDRESS, email.clone())).collect();
        vec![
            (caldav::CALENDAR_HOME_SET, VirtualValue::Hrefs(vec![home.clone()])),
            (caldav::CALENDAR_USER_ADDRESS_SET, VirtualValue::Hrefs(addresses)),
            (caldav::CALENDAR_USER_TYPE, VirtualValue::Text("INDIVIDUAL".to_owned())),
            (caldav::SCHEDULE_INBOX_URL, VirtualValue::Hrefs(vec![format!("{home}inbox/")])),
            (caldav::SCHEDULE_OUTBOX_URL, VirtualValue::Hrefs(vec![format!("{home}outbox/")])),
            (cs::EMAIL_ADDRESS_SET, VirtualValue::TextElements(emails)),
            // Nobody acts for anybody else here. Empty rather than 404: macOS and DAVx⁵ ask for them at each refresh.
            (cs::CALENDAR_PROXY_READ_FOR, VirtualValue::Hrefs(Vec::new())),
            (cs::CALENDAR_PROXY_WRITE_FOR, VirtualValue::Hrefs(Vec::new())),
        ]
    }

    fn get_collection(&self, call: &Call<'_>, folder: &Node) -> Option<Answering> {
        let kind = folder.collection.as_deref()?;
        let is_calendar = matches!(kind, CollectionKind::Calendar(_) | CollectionKind::Subscription);
        is_calendar.then(|| export::answer(call, folder, &self.limits))
    }

    fn get_member(&self, call: &Call<'_>, member: &Node) -> Option<Answering> {
        member.is_confidential.then(|| confidential::get(call, member, &self.limits))
    }

    fn method(&self, call: &Call<'_>, body: Body) -> Result<Answering, Body> {
        let is_sent = ["POST", "PUT"].contains(&call.parts.method.as_str());
        if is_sent && nichoir_dav::import::is_asked_for(call.parts) {
            return Ok(import::answer(call, body, &self.limits));
        }
        match call.parts.method.as_str() {
            "MKCALENDAR" => Ok(mkcalendar::answer(call, body)),
            "POST" if post::is_meant(call) => Ok(post::answer(&self.limits, call, body)),
            _ => Err(body),
        }
    }
}

/// RFC 4791 §5.2.3: any of the types that are served; all of them if nothing is said.
pub(crate) fn components_of(told: Option<&Element>) -> Result<Components, Error> {
    let Some(told) = told else { return Ok(Components::default()) };
    let name = Name::new("", "name");
    let comps = told.elements().filter(|element| element.name == caldav::COMP);
    let components = Components::of(comps.filter_map(|comp| comp.attribute(&name)));
    components.ok_or_else(|| Error::bad_request("A calendar takes at least one type of component, each with a name."))
}

/// RFC 4791 §5.3.2.1: iCalendar, said so or not said at all.
fn check_media_type(headers: &HeaderMap) -> Result<(), Error> {
    let Some(told) = headers.get(CONTENT_TYPE) else { return Ok(()) };
    let told = told.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    // Plain text and bytes are what tools say that do not know better.
    let is_known = ["", "text/calendar", "text/plain", "application/octet-stream", "application/x-www-form-urlencoded"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(told));
    if is_known {
        return Ok(());
    }
    Err(Error::new(StatusCode::FORBIDDEN, "A calendar holds text/calendar.")
        .with_condition(caldav::SUPPORTED_CALENDAR_DATA))
}
