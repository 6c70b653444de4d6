//! Writes to the calendar home: each is planned from what is stored, and carried out with all that it causes in one
//! transaction; if something moved meanwhile, it is planned anew. RFC 6638 §3.2.

use bytes::Bytes;
use http::HeaderMap;
use nichoir_dav::{
    Call, CheckedMember, Error, MemberPut, MemberWrite, MemberWritten, member_change, put_refused, transfer_refused,
};
use nichoir_store::change::{Change, Scheduled, Seen, TagChange};
use nichoir_store::conditions::Conditions;
use nichoir_store::{Error as StoreError, Needs, NodePath, SchedulingCopy};
use nichoir_xml::caldav;

use super::delivery::Deliveries;
use super::document::Document;
use super::recipient::{addresses_of, path_of};
use super::role::Role;
use super::{Addresses, Options, Plan, Refused};
use crate::object::{CalendarObject, Limits};

/// Carries out a write to the caller's calendar home.
///
/// # Errors
/// What the store or RFC 6638 refuses.
pub(crate) async fn write(limits: &Limits, call: Call<'_>, write: MemberWrite) -> Result<MemberWritten, Error> {
    let mut writing = Writing::of(limits, call)?;
    // What somebody else shares is theirs to schedule; nobody sends messages on their behalf.
    writing.is_mounted = is_mounted(&call).await?;
    writing.is_private |= writing.is_mounted;
    for _ in 0..=limits.scheduling_retries_max {
        let done = match &write {
            MemberWrite::Put(put) => writing.put(put).await,
            MemberWrite::Delete(change) => writing.delete(change).await,
            MemberWrite::Copy(change) => {
                writing.transfer(change.clone(), &change.source, &change.destination, true).await
            }
            MemberWrite::Relocate(change) => {
                writing.transfer(change.clone(), &change.source, &change.destination, false).await
            }
        };
        match done {
            Err(Failed::Moved) => tokio::task::yield_now().await,
            Err(Failed::Refused(error)) => return Err(error),
            Ok(done) => return Ok(done),
        }
    }
    Err(Error::unavailable("Others keep writing to the same object.", 1))
}

/// Whether the request is about a calendar of another account that is mounted in the caller's home, or what is in it.
async fn is_mounted(call: &Call<'_>) -> Result<bool, Error> {
    let Some(name) = call.path.names().first() else { return Ok(false) };
    match call.caller.tree.node(&NodePath::root().child(name), Needs::NONE).await {
        Ok(node) => Ok(node.mount.is_some()),
        Err(StoreError::NotFound) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Why an attempt came to nothing.
pub(super) enum Failed {
    Moved,
    Refused(Error),
}

impl<E: Into<Error>> From<E> for Failed {
    fn from(error: E) -> Failed {
        Failed::Refused(error.into())
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Error {
        Error::forbidden(refused.reason).with_condition(refused.condition)
    }
}

/// A request on its way.
pub(super) struct Writing<'a> {
    pub(super) limits: &'a Limits,
    pub(super) call: Call<'a>,
    pub(super) me: Addresses,
    pub(super) options: Options,
    /// `If-Schedule-Tag-Match`, without quotes.
    pub(super) if_tag_match: Option<String>,
    /// In a calendar of another account.
    is_mounted: bool,
    /// `X-NC-Scheduling: false`: Nextcloud's clients ask for a write that tells nobody.
    pub(super) is_private: bool,
}

impl<'a> Writing<'a> {
    fn of(limits: &'a Limits, call: Call<'a>) -> Result<Writing<'a>, Error> {
        let headers = &call.parts.headers;
        let if_tag_match = text_of(headers, "if-schedule-tag-match").map(|tag| tag.trim_matches('"').to_owned());
        let options = Options {
            merges: if_tag_match.is_some(),
            is_silent: text_of(headers, "schedule-reply").is_some_and(|value| value.eq_ignore_ascii_case("F")),
            now_seconds: call.caller.space.ports().clock.now().seconds(),
        };
        let is_private = text_of(headers, "x-nc-scheduling").is_some_and(|value| value.eq_ignore_ascii_case("false"));
        let me = addresses_of(&call.caller.account, call.mount);
        Ok(Writing { limits, call, me, options, if_tag_match, is_mounted: false, is_private })
    }

    pub(super) async fn copies(&self, uid: &str) -> Result<Vec<SchedulingCopy>, Error> {
        Ok(self.call.caller.space.scheduling_copies(&self.call.caller.account, uid).await?)
    }

    pub(super) fn seen(&self, uid: &str, copies: &[SchedulingCopy]) -> Seen {
        let account = self.call.caller.account.id;
        let copies = copies.iter().map(|copy| (copy.node.id, copy.node.etag)).collect();
        Seen { account, uid: uid.to_owned(), copies }
    }

    /// The client is told about its headers before it is told about scheduling; the transaction looks again.
    pub(super) async fn check_conditions(&self, path: &NodePath, conditions: &Conditions) -> Result<(), Error> {
        if *conditions != Conditions::default() {
            self.call.caller.tree.check_conditions(path, conditions).await?;
        }
        Ok(())
    }

    /// Refuses early what the transaction refuses for certain, so that the client is told about its headers first.
    pub(super) async fn check_tag(&self, path: &NodePath) -> Result<(), Error> {
        let Some(expected) = &self.if_tag_match else { return Ok(()) };
        let failed = || Error::precondition_failed("If-Schedule-Tag-Match");
        let node = self.call.caller.tree.node(path, Needs::SCHEDULE_TAG).await.map_err(|_| failed())?;
        let is_it = node.schedule_tag.is_some_and(|tag| tag.to_string() == *expected);
        if is_it { Ok(()) } else { Err(failed()) }
    }

    async fn has_tag(&self, path: &NodePath) -> Result<bool, Error> {
        match self.call.caller.tree.node(path, Needs::SCHEDULE_TAG).await {
            Ok(node) => Ok(node.schedule_tag.is_some()),
            Err(StoreError::NotFound) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn put(&self, put: &MemberPut) -> Result<MemberWritten, Failed> {
        self.check_conditions(&put.path, &put.conditions).await?;
        self.check_tag(&put.path).await?;
        let object = CalendarObject::read(&put.bytes, self.limits)?;
        let new = Document::of(&object);
        let uid = new.uid.clone();
        let copies = self.copies(&uid).await?;
        let own = copies.iter().find(|copy| path_of(copy) == put.path);
        let old = own.and_then(|copy| Document::read(copy.node.body.as_deref()?, self.limits));
        let mut deliveries = Deliveries::of(self.limits, self.call, &uid);
        let role = Role::of(&new, &self.me);
        if role != Role::None && !self.is_private {
            self.check_unique(&copies, &put.path)?;
        }
        let plan = match self.is_private {
            true => kept(new, role),
            false => self.plan_put(old.as_ref(), new, &mut deliveries).await?,
        };
        let Plan { mut document, mut is_changed, is_scheduled, messages } = plan;
        if !messages.is_empty() {
            let statuses = deliveries.send(messages).await?;
            if let Some(document) = &mut document {
                // Whose lines say what became of it: an organizer's those of the attendees, an attendee's the other.
                let name = if role == Role::Attendee { "ORGANIZER" } else { "ATTENDEE" };
                is_changed |= tell_statuses(document, name, &self.me, &statuses);
            }
        }
        // Whether it is scheduled is for its owner to say; whoever else writes to it changes it, no more.
        let is_scheduled = match self.is_mounted {
            true => self.has_tag(&put.path).await?,
            false => is_scheduled,
        };
        let mut put = put.clone();
        let stored = document.filter(|_| is_changed).map(|document| Bytes::from(document.to_bytes()));
        if let Some(bytes) = &stored {
            put.checked = checked(bytes, &put.checked, self.limits)?;
            put.bytes = bytes.clone();
        }
        let path = put.path.clone();
        let mut change = Scheduled::of(member_change(&self.call, put).await?);
        change.seen.push(self.seen(&uid, &copies));
        change.if_tag_match = self.if_tag_match.clone().map(|tag| (path.clone(), tag));
        change.tag = Some((path, if is_scheduled { TagChange::Moves } else { TagChange::Ends }));
        deliveries.add_to(&mut change).await?;
        let mut written = self.apply(change, put_refused).await?;
        written.node.schedule_tag = is_scheduled.then_some(written.node.etag);
        Ok(MemberWritten { written: Some(written), stored })
    }

    /// RFC 6638 §3.2.4.1: one object of a UID in all calendars of an account.
    fn check_unique(&self, copies: &[SchedulingCopy], path: &NodePath) -> Result<(), Error> {
        let others = copies.iter().filter(|copy| path_of(copy) != *path);
        for other in others {
            let document = other.node.body.as_deref().and_then(|body| Document::read(body, self.limits));
            if document.is_some_and(|document| Role::of(&document, &self.me) != Role::None) {
                return Err(Error::forbidden("Another calendar object of yours has that UID.")
                    .with_condition(caldav::UNIQUE_SCHEDULING_OBJECT_RESOURCE)
                    .about(path_of(other)));
            }
        }
        Ok(())
    }

    /// COPY and MOVE within the home. A move tells nobody; a second copy of a scheduled object cannot be.
    async fn transfer<C: Change<Outcome = nichoir_store::change::Written>>(
        &self,
        change: C,
        source: &NodePath,
        destination: &NodePath,
        is_copy: bool,
    ) -> Result<MemberWritten, Failed> {
        self.check_tag(source).await?;
        let node = self.call.caller.tree.node(source, Needs::SCHEDULE_TAG | Needs::BODY).await?;
        let mut scheduled = Scheduled::of(change);
        scheduled.if_tag_match = self.if_tag_match.clone().map(|tag| (source.clone(), tag));
        if is_copy && node.schedule_tag.is_some() && !node.is_folder() {
            return Err(Error::forbidden("Another calendar object of yours has that UID.")
                .with_condition(caldav::UNIQUE_SCHEDULING_OBJECT_RESOURCE)
                .about(source.clone())
                .into());
        }
        if !self.is_private
            && !node.is_folder()
            && let Ok(occupant) = self.call.caller.tree.node(destination, Needs::BODY).await
            && occupant.id != node.id
            && !occupant.is_folder()
        {
            self.delete_object(destination, &occupant, &mut scheduled).await?;
        }
        let mut written = self.apply(scheduled, transfer_refused).await?;
        written.node.schedule_tag = node.schedule_tag.filter(|_| !is_copy);
        if node.is_folder() && !is_copy {
            self.default_has_moved(&node.name, destination.name()).await?;
        }
        Ok(MemberWritten { written: Some(written), stored: None })
    }

    /// Keeps `schedule-default-calendar-URL` pointing at the calendar that was chosen, or at none that is gone.
    pub(super) async fn default_has_moved(&self, from: &str, to: Option<&str>) -> Result<(), Error> {
        super::default_calendar::follow(&self.call, from, to).await
    }

    pub(super) async fn apply<C: Change>(
        &self,
        change: Scheduled<C>,
        refuse: impl Fn(StoreError) -> Error,
    ) -> Result<C::Outcome, Failed> {
        match self.call.caller.tree.apply(change).await {
            Ok(outcome) => Ok(outcome),
            Err(StoreError::Moved) => Err(Failed::Moved),
            Err(error) => Err(Failed::Refused(refuse(error))),
        }
    }
}

fn text_of<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
}

/// Stored as it came, nobody told.
pub(super) fn kept(document: Document, role: Role) -> Plan {
    Plan { document: Some(document), is_changed: false, is_scheduled: role != Role::None, messages: Vec::new() }
}

/// What the store has to know of what is stored instead.
fn checked(bytes: &[u8], sent: &CheckedMember, limits: &Limits) -> Result<CheckedMember, Error> {
    let object = CalendarObject::read(bytes, limits)?;
    Ok(CheckedMember { index: object.index(limits), media_type: sent.media_type.clone() })
}

/// Notes in the sender's object what became of each message (RFC 6638 §3.2.9); whether that changed it.
fn tell_statuses(document: &mut Document, name: &str, me: &Addresses, statuses: &[(String, &'static str)]) -> bool {
    let mut is_changed = false;
    for line in document.mains_mut().flat_map(super::part::Part::lines_mut) {
        if !line.is(name) {
            continue;
        }
        let address = line.address();
        let Some((_, status)) = statuses.iter().find(|(known, _)| *known == address) else { continue };
        if !me.has(&address) && line.parameter("SCHEDULE-STATUS").as_deref() != Some(status) {
            line.set_parameter("SCHEDULE-STATUS", Some(status));
            is_changed = true;
        }
    }
    is_changed
}
