//! DELETE of a scheduling object resource, or of a calendar full of them: the organizer's cancels, an attendee's declines.
//! RFC 6638 §3.2.1.3, §3.2.2.3.

use nichoir_dav::{Error, MemberWritten};
use nichoir_store::change::{Delete, Scheduled};
use nichoir_store::{CollectionKind, MemberFilter, Needs, Node, NodePath};

use super::delivery::Deliveries;
use super::document::Document;
use super::recipient::path_of;
use super::role::Role;
use super::writing::{Failed, Writing};
use super::{attendee, organizer};

impl Writing<'_> {
    /// Carries out a DELETE.
    ///
    /// # Errors
    /// What the store refuses.
    pub(super) async fn delete(&self, change: &Delete) -> Result<MemberWritten, Failed> {
        self.check_conditions(&change.path, &change.conditions).await?;
        let node = self.call.caller.tree.node(&change.path, Needs::SCHEDULE_TAG | Needs::BODY).await?;
        self.check_tag(&change.path).await?;
        let mut scheduled = Scheduled::of(change.clone());
        scheduled.if_tag_match = self.if_tag_match.clone().map(|tag| (change.path.clone(), tag));
        if !self.is_private {
            match node.is_folder() {
                true => self.delete_members(&change.path, &node, &mut scheduled).await?,
                false => self.delete_object(&change.path, &node, &mut scheduled).await?,
            }
        }
        self.apply(scheduled, Error::from).await?;
        if node.is_folder() {
            self.default_has_moved(&node.name, None).await?;
        }
        Ok(MemberWritten { written: None, stored: None })
    }

    pub(super) async fn delete_object<C>(
        &self,
        path: &NodePath,
        node: &Node,
        scheduled: &mut Scheduled<C>,
    ) -> Result<(), Failed> {
        // What lies in the inbox is a message, and goes without another.
        let Some(document) = node.body.as_deref().and_then(|body| Document::read(body, self.limits)) else {
            return Ok(());
        };
        let copies = self.copies(&document.uid).await?;
        if !copies.iter().any(|copy| path_of(copy) == *path) {
            return Ok(());
        }
        let plan = match Role::of(&document, &self.me) {
            Role::None => return Ok(()),
            Role::Organizer => organizer::plan_delete(&document, &self.me, self.options.now_seconds),
            Role::Attendee => attendee::plan_delete(&document, &self.me, self.options),
        };
        if plan.messages.is_empty() {
            return Ok(());
        }
        let mut deliveries = Deliveries::of(self.limits, self.call, &document.uid);
        deliveries.send(plan.messages).await?;
        scheduled.seen.push(self.seen(&document.uid, &copies));
        deliveries.add_to(scheduled).await.map_err(Failed::from)
    }

    /// The end of a calendar is the end of everything in it.
    async fn delete_members<C>(
        &self,
        path: &NodePath,
        calendar: &Node,
        scheduled: &mut Scheduled<C>,
    ) -> Result<(), Failed> {
        if !matches!(calendar.collection.as_deref(), Some(CollectionKind::Calendar(_))) {
            return Ok(());
        }
        let mut after = None;
        loop {
            let tree = &self.call.caller.tree;
            let page = tree.members(path, calendar, &MemberFilter::default(), after, Needs::SCHEDULE_TAG).await?;
            for member in page.nodes.iter().filter(|member| member.schedule_tag.is_some()) {
                self.delete_object(&path.child(&member.name), member, scheduled).await?;
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }
}
