//! What a PUT is, by who the caller is in the object before and after. RFC 6638 §3.2.1, §3.2.2, §3.2.4.

use nichoir_dav::Error;

use super::delivery::Deliveries;
use super::document::Document;
use super::part::Part;
use super::role::{Role, attendee_refused, check_organizers, organizer_refused};
use super::writing::{Failed, Writing, kept};
use super::{Message, Plan, attendee, message, organizer};

impl<'a> Writing<'a> {
    /// What is stored and who is told, or why not.
    ///
    /// # Errors
    /// The conditions of RFC 6638 §3.2.4; 503.
    pub(super) async fn plan_put(
        &self,
        old: Option<&Document>,
        new: Document,
        deliveries: &mut Deliveries<'a>,
    ) -> Result<Plan, Failed> {
        let role = Role::of(&new, &self.me);
        let old_role = old.map_or(Role::None, |old| Role::of(old, &self.me));
        if role != Role::None {
            check_organizers(&new).map_err(Error::from)?;
        }
        match (old_role, role) {
            (Role::Organizer, Role::Organizer) | (Role::None, Role::Organizer) => {
                if old.is_none() && new.master().is_none() {
                    let reason = "An organizer's object begins with more than single instances.";
                    return Err(Error::from(organizer_refused(reason)).into());
                }
                let old = old.filter(|_| old_role == Role::Organizer);
                let (me, options, limits) = (&self.me, self.options, self.limits);
                let mut plan = organizer::Change { old, new, me, options, limits }.plan();
                if old.is_none()
                    && let Some(document) = &mut plan.document
                {
                    let least = deliveries.least_sequence(&plan.messages).await?;
                    plan.is_changed |= raise(document, &mut plan.messages, least);
                }
                Ok(plan)
            }
            (Role::Organizer, Role::None) if new.organizer().is_none() && new.attendees().is_empty() => {
                let messages = old.map(|old| organizer::plan_delete(old, &self.me, self.options.now_seconds).messages);
                Ok(Plan { messages: messages.unwrap_or_default(), ..kept(new, Role::None) })
            }
            (Role::Organizer, _) => {
                Err(Error::from(organizer_refused("The organizer of an object cannot be changed or removed.")).into())
            }
            (Role::Attendee, Role::Organizer) => {
                Err(Error::from(attendee_refused("An attendee cannot become the organizer.")).into())
            }
            (Role::Attendee, Role::None | Role::Attendee) if deliveries.is_out_of_reach(old).await? => {
                // Nobody here is the organizer, and no mail goes out: the copy is the client's to keep.
                Ok(kept(new, role))
            }
            (Role::Attendee, _) => {
                let old = old.ok_or(Failed::Moved)?;
                let transparency = deliveries.organizers_transparency(old).await?;
                self.plan_attendee(old, new, transparency)
            }
            (Role::None, Role::Attendee) => self.plan_arrival(new, deliveries).await,
            (Role::None, Role::None) => Ok(kept(new, role)),
        }
    }

    fn plan_attendee(&self, old: &Document, new: Document, transparency: Option<String>) -> Result<Plan, Failed> {
        let (me, options, limits) = (&self.me, self.options, self.limits);
        let change = attendee::Change { old, new, me, options, limits, transparency };
        change.plan().map_err(|refused| Error::from(refused).into())
    }

    /// An invitation that the client brings itself: the organizer's object has to know of it.
    async fn plan_arrival(&self, new: Document, deliveries: &mut Deliveries<'a>) -> Result<Plan, Failed> {
        let refused = || Error::from(attendee_refused("The organizer did not invite you to this."));
        let organizer = new.organizer().unwrap_or_default();
        let Some(recipient) = deliveries.recipient(&organizer).await? else {
            // Outside of the space: nobody to ask. What came by mail is the client's to keep, and to answer.
            return Ok(self.answer_by_mail(new, &organizer));
        };
        let theirs = recipient.document().filter(|theirs| Role::of(theirs, &recipient.me) == Role::Organizer);
        let theirs = theirs.ok_or_else(refused)?;
        let own = theirs.attendees().into_iter().find(|address| self.me.has(address)).ok_or_else(refused)?;
        let view = message::request(theirs, &own, None, self.options.now_seconds).ok_or_else(refused)?;
        let transparency = theirs.master().and_then(|part| part.value("TRANSP")).map(str::to_owned);
        self.plan_attendee(&view, new, transparency)
    }

    /// The answers that an invitation holds when it is first stored, for an organizer outside of the space.
    fn answer_by_mail(&self, new: Document, organizer: &str) -> Plan {
        let answers = |part: &&Part| part.own_attendee(&self.me).is_some_and(|own| own.partstat() != "NEEDS-ACTION");
        let parts: Vec<Part> = new.mains().filter(answers).cloned().collect();
        let own = parts.iter().find_map(|part| part.own_attendee(&self.me)).map(super::Property::address);
        let mut plan = kept(new.clone(), Role::Attendee);
        if let Some(own) = own.filter(|_| self.limits.sends_mail && !self.options.is_silent) {
            plan.messages.push(message::reply(&new, &own, organizer, &parts, self.options.now_seconds));
        }
        plan
    }
}

/// Raises the sequence of a new object above that of the one of the same UID which ended before (RFC 5546 §2.1.4).
fn raise(document: &mut Document, messages: &mut [Message], least: Option<i64>) -> bool {
    let own = document.max_sequence();
    let Some(theirs) = least.filter(|theirs| *theirs >= own) else { return false };
    // Far above, so that cancellations that are still on their way do not overtake it.
    let sequence = (own + 1_000).max(theirs + 1).to_string();
    document.mains_mut().for_each(|part| part.set("SEQUENCE", Some(&sequence)));
    for message in messages {
        message.document.mains_mut().for_each(|part| part.set("SEQUENCE", Some(&sequence)));
    }
    true
}
