//! Delivery within the space, and the way out of it: messages become writes to the homes of those who get them.
//! RFC 6638 §3.2.1, §4.

use bytes::Bytes;
use nichoir_dav::{BoxError, Call, Error};
use nichoir_store::change::{Delivery, Scheduled, TagChange};
use nichoir_store::{AccountId, MemberIndex, NewOutgoing, StageOptions, Staged, Tree};

use super::document::Document;
use super::incoming::{self, Delivered};
use super::property::Property;
use super::recipient::{Recipient, account_of};
use super::role::Role;
use super::{Message, Method, status};
use crate::object::{CalendarObject, Limits};

/// What one write causes in the homes of the space.
pub(crate) struct Deliveries<'a> {
    limits: &'a Limits,
    call: Call<'a>,
    uid: String,
    recipients: Vec<Recipient>,
    /// Addresses that were looked for, and who of `recipients` has them.
    known: Vec<(String, Option<usize>)>,
    outgoing: Vec<NewOutgoing>,
}

impl<'a> Deliveries<'a> {
    pub(crate) fn of(limits: &'a Limits, call: Call<'a>, uid: &str) -> Deliveries<'a> {
        let (recipients, known, outgoing) = (Vec::new(), Vec::new(), Vec::new());
        Deliveries { limits, call, uid: uid.to_owned(), recipients, known, outgoing }
    }

    /// Who has the address, with their copy; `None` outside of the space.
    ///
    /// # Errors
    /// 503.
    pub(crate) async fn recipient(&mut self, address: &str) -> Result<Option<&mut Recipient>, Error> {
        let place = self.place_of(address).await?;
        Ok(place.map(|place| &mut self.recipients[place]))
    }

    async fn place_of(&mut self, address: &str) -> Result<Option<usize>, Error> {
        if let Some((_, place)) = self.known.iter().find(|(known, _)| known == address) {
            return Ok(*place);
        }
        let space = &self.call.caller.space;
        let place = match account_of(space, self.call.mount, address).await? {
            None => None,
            Some(account) => match self.place_of_account(account.id) {
                Some(place) => Some(place),
                None => {
                    let loaded = Recipient::load(space, self.call.mount, account, &self.uid, self.limits).await?;
                    self.recipients.push(loaded);
                    Some(self.recipients.len() - 1)
                }
            },
        };
        self.known.push((address.to_owned(), place));
        Ok(place)
    }

    fn place_of_account(&self, account: AccountId) -> Option<usize> {
        self.recipients.iter().position(|recipient| recipient.account.id == account)
    }

    /// Delivers the messages, as far as it will be written: the status of each, by address.
    ///
    /// # Errors
    /// 403 for too many recipients, 503.
    pub(crate) async fn send(&mut self, messages: Vec<Message>) -> Result<Vec<(String, &'static str)>, Error> {
        if messages.len() > self.limits.scheduling_recipients_max {
            let limit = self.limits.scheduling_recipients_max;
            return Err(Error::forbidden(format!("More than {limit} scheduling messages."))
                .with_condition(nichoir_xml::caldav::MAX_ATTENDEES_PER_INSTANCE));
        }
        let mut statuses: Vec<(String, &'static str)> = Vec::new();
        for message in messages {
            let address = message.recipient.clone();
            let status = self.send_one(message).await?;
            match statuses.iter_mut().find(|(known, _)| *known == address) {
                Some((_, last)) => *last = status,
                None => statuses.push((address, status)),
            }
        }
        Ok(statuses)
    }

    async fn send_one(&mut self, message: Message) -> Result<&'static str, Error> {
        let own = self.call.caller.account.id;
        let limits = self.limits;
        let Some(recipient) = self.recipient(&message.recipient).await? else { return Ok(self.send_out(message)) };
        if recipient.account.id == own {
            return Ok(status::DELIVERED);
        }
        if message.method == Method::Request {
            recipient.make_room();
        }
        let delivered = incoming::deliver(&message, recipient.document(), &recipient.me, limits);
        let Delivered { document, is_announced, status } = delivered;
        let is_reply = message.method == Method::Reply;
        let refreshed = document.clone().filter(|_| is_reply);
        if let Some(document) = document {
            recipient.change(document, if is_reply { TagChange::Stays } else { TagChange::Moves });
        }
        let sender = message.sender.clone();
        if is_announced {
            recipient.inbox.push(message);
        }
        if let Some(document) = refreshed {
            self.refresh_others(&document, &sender).await?;
        }
        Ok(status)
    }

    /// Shows the other attendees what one of them answered (RFC 6638 §3.2.2.4).
    async fn refresh_others(&mut self, organizers: &Document, sender: &str) -> Result<(), Error> {
        let own = self.call.caller.account.id;
        let now_seconds = self.call.caller.space.ports().clock.now().seconds();
        let organizer = organizers.organizer().unwrap_or_default();
        for address in organizers.attendees() {
            let is_servers = organizers.mains().filter_map(|part| part.attendee(&address)).all(Property::is_servers);
            if address == sender || address == organizer || !is_servers {
                continue;
            }
            let limits = self.limits;
            let Some(recipient) = self.recipient(&address).await? else { continue };
            if recipient.account.id == own {
                continue;
            }
            let Some(copy) = recipient.document() else { continue };
            if Role::of(copy, &recipient.me) != Role::Attendee {
                continue;
            }
            let refreshed = super::answer::refresh(organizers, &address, copy, &recipient.me, now_seconds, limits);
            if let Some(document) = refreshed {
                recipient.change(document, TagChange::Stays);
            }
        }
        Ok(())
    }

    /// Outside of the space: by mail, if that is switched on.
    fn send_out(&mut self, message: Message) -> &'static str {
        if !message.recipient.starts_with("mailto:") {
            return status::UNKNOWN;
        }
        if !self.limits.sends_mail {
            return status::UNDELIVERABLE;
        }
        self.outgoing.push(NewOutgoing {
            account: self.call.caller.account.id,
            recipient: message.recipient.clone(),
            method: message.method.name().to_owned(),
            body: message.to_bytes(),
        });
        status::SENT
    }

    /// The highest sequence of copies that the recipients have of an object that ended.
    ///
    /// # Errors
    /// 503.
    pub(crate) async fn least_sequence(&mut self, messages: &[Message]) -> Result<Option<i64>, Error> {
        let mut highest = None;
        for message in messages {
            let Some(recipient) = self.recipient(&message.recipient).await? else { continue };
            let Some(copy) = recipient.document() else { continue };
            if copy.organizer().as_ref() == Some(&message.sender) && copy.mains().any(super::part::Part::is_cancelled) {
                highest = highest.max(Some(copy.max_sequence()));
            }
        }
        Ok(highest)
    }

    /// Whether the organizer of an attendee's copy is outside of the space, and there is no mail.
    ///
    /// # Errors
    /// 503.
    pub(crate) async fn is_out_of_reach(&mut self, copy: Option<&Document>) -> Result<bool, Error> {
        let organizer = copy.and_then(Document::organizer).unwrap_or_default();
        Ok(!self.limits.sends_mail && self.recipient(&organizer).await?.is_none())
    }

    /// TRANSP of the organizer's own object.
    ///
    /// # Errors
    /// 503.
    pub(crate) async fn organizers_transparency(&mut self, copy: &Document) -> Result<Option<String>, Error> {
        let organizer = copy.organizer().unwrap_or_default();
        let Some(recipient) = self.recipient(&organizer).await? else { return Ok(None) };
        let master = recipient.document().and_then(Document::master);
        Ok(master.and_then(|part| part.value("TRANSP")).map(str::to_owned))
    }

    /// Puts all of it into the change.
    ///
    /// # Errors
    /// 507, 503.
    pub(crate) async fn add_to<C>(self, change: &mut Scheduled<C>) -> Result<(), Error> {
        let own = self.call.caller.account.id;
        for recipient in self.recipients {
            if recipient.account.id == own {
                continue;
            }
            change.seen.push(recipient.seen.clone());
            if let Some((member, document)) = &recipient.displaced {
                let bytes = document.to_bytes();
                change.deliveries.push(Delivery::Replace {
                    account: recipient.account.id,
                    member: *member,
                    index: index_of(&bytes, self.limits)?,
                    content: stage(&recipient.tree, bytes).await?,
                    tag: TagChange::Ends,
                });
            }
            if let Some((document, tag)) = &recipient.changed {
                change.deliveries.push(write_copy(&recipient, document, *tag, self.limits).await?);
            }
            if recipient.inbox.is_empty() {
                continue;
            }
            let collection = recipient.inbox_id().await?;
            for message in &recipient.inbox {
                let bytes = message.to_bytes();
                let index = index_of(&bytes, self.limits)?;
                change.deliveries.push(Delivery::Add {
                    account: recipient.account.id,
                    collection,
                    name: fresh_name(&recipient.tree),
                    content: stage(&recipient.tree, bytes).await?,
                    media_type: "text/calendar;charset=utf-8".to_owned(),
                    index,
                    has_tag: false,
                });
            }
        }
        change.outgoing.extend(self.outgoing);
        Ok(())
    }
}

async fn write_copy(
    recipient: &Recipient,
    document: &Document,
    tag: TagChange,
    limits: &Limits,
) -> Result<Delivery, Error> {
    let bytes = document.to_bytes();
    let index = index_of(&bytes, limits)?;
    let account = recipient.account.id;
    if let Some((member, _)) = &recipient.copy {
        let content = stage(&recipient.tree, bytes).await?;
        return Ok(Delivery::Replace { account, member: *member, content, index, tag });
    }
    Ok(Delivery::Add {
        account,
        collection: recipient.default_calendar(&index.component).await?,
        name: fresh_name(&recipient.tree),
        content: stage(&recipient.tree, bytes).await?,
        media_type: media_type(&index),
        index,
        has_tag: true,
    })
}

fn index_of(bytes: &[u8], limits: &Limits) -> Result<MemberIndex, Error> {
    Ok(CalendarObject::read(bytes, limits)?.index(limits))
}

fn media_type(index: &MemberIndex) -> String {
    format!("text/calendar; charset=utf-8; component={}", index.component.to_ascii_lowercase())
}

fn fresh_name(tree: &Tree) -> String {
    let random: [u8; 16] = tree.space().ports().bytes();
    let name: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{name}.ics")
}

async fn stage(tree: &Tree, bytes: Vec<u8>) -> Result<Staged, Error> {
    let options = StageOptions { announced_bytes: Some(bytes.len() as u64), ..StageOptions::default() };
    let body = futures_util::stream::iter([Ok::<_, BoxError>(Bytes::from(bytes))]);
    Ok(tree.stage(body, options).await?)
}
