//! The members that a client names. RFC 4791 §7.9, RFC 6352 §8.7.
//!
//! Every href is answered, and once: a client that misses an answer gives the whole collection up, and one that finds
//! two takes them for two members. What is there answers under its canonical href, however the client spelt it.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::vec::IntoIter;

use bytes::Bytes;
use nichoir_store::{FileId, Needs, Node, NodePath};
use nichoir_xml::dav;

use super::ReportCall;
use super::member_report::{MEMBERS_IN_ONE_GO, MemberReport, Verdict};
use crate::error::Error;
use crate::href;
use crate::multistatus::Multistatus;
use crate::paged::Paged;

/// Members that are looked up at once.
const CHUNK: usize = 32;

/// A multiget under way.
#[derive(Debug)]
pub(super) struct MemberMultiget {
    report: MemberReport,
    asked: IntoIter<Asked>,
    /// What was looked up and is still to be told.
    found: VecDeque<(Asked, Option<Found>)>,
    /// The collections of the members in `found`.
    collections: HashMap<NodePath, Node>,
    /// The collection looked into last, and whether its members are of interest.
    entered: Option<(FileId, bool)>,
}

/// A member that the client asks for.
#[derive(Debug)]
struct Asked {
    /// As the client spelt it.
    href: String,
    /// Where that is; `None` for what cannot be a member below the resource that was asked.
    path: Option<NodePath>,
}

/// A member that is there.
#[derive(Debug)]
struct Found {
    collection: NodePath,
    member: Node,
}

impl MemberMultiget {
    pub(super) async fn open(report: MemberReport, hrefs_max: usize) -> Result<MemberMultiget, Error> {
        let asked = asked(&report.call, hrefs_max)?.into_iter();
        report.call.caller.tree.node(&report.call.path, Needs::NONE).await?;
        Ok(MemberMultiget { report, asked, found: VecDeque::new(), collections: HashMap::new(), entered: None })
    }

    /// Looks the next members up, collection by collection.
    async fn look_up(&mut self) -> Result<(), Error> {
        let chunk: Vec<Asked> = self.asked.by_ref().take(CHUNK).collect();
        let mut names: BTreeMap<NodePath, Vec<String>> = BTreeMap::new();
        for path in chunk.iter().filter_map(|asked| asked.path.as_ref()) {
            if let (Some(collection), Some(name)) = (path.parent(), path.name()) {
                names.entry(collection).or_default().push(name.to_owned());
            }
        }
        let tree = self.report.call.caller.tree.clone();
        let mut members: HashMap<NodePath, Found> = HashMap::new();
        self.collections.clear();
        for (path, names) in names {
            let collection = match tree.node(&path, Needs::DEAD_PROPERTIES).await {
                Ok(node) if node.is_folder() => node,
                Ok(_) | Err(nichoir_store::Error::NotFound) => continue,
                Err(error) => return Err(error.into()),
            };
            for member in tree.members_named(&path, &collection, &names, self.report.needs()).await? {
                members.insert(path.child(&member.name), Found { collection: path.clone(), member });
            }
            self.collections.insert(path, collection);
        }
        self.found.extend(chunk.into_iter().map(|asked| {
            let found = asked.path.as_ref().and_then(|path| members.remove(path));
            (asked, found)
        }));
        Ok(())
    }

    async fn tell(&mut self, asked: &Asked, found: Option<Found>) -> Result<(), Error> {
        let Some(Found { collection, mut member }) = found else {
            self.report.tell_missing(&asked.href);
            return Ok(());
        };
        // Content that was too much to be held together comes one by one.
        let tree = self.report.call.caller.tree.clone();
        let is_there = member.body.is_some() || tree.load_body(&mut member).await?;
        let href = self.report.href(&collection, &member);
        if !is_there || !self.enter(&collection) {
            self.report.tell_missing(&href);
            return Ok(());
        }
        match self.report.judge(&member) {
            Verdict::Skip => self.report.tell_missing(&href),
            Verdict::Tell(rendered) => self.report.tell(&href, &member, rendered.as_deref()),
            Verdict::Fail(error) => self.report.tell_failure(&href, &error),
        }
        Ok(())
    }

    /// Whether members of the collection are of interest.
    fn enter(&mut self, path: &NodePath) -> bool {
        let Some(collection) = self.collections.get(path) else { return false };
        match self.entered {
            Some((id, is_of_interest)) if id == collection.id => is_of_interest,
            _ => {
                let is_of_interest = self.report.enter(collection);
                self.entered = Some((collection.id, is_of_interest));
                is_of_interest
            }
        }
    }
}

impl Paged for MemberMultiget {
    fn body(&mut self) -> &mut Multistatus {
        &mut self.report.body
    }

    /// Tells of one member; another one's content may be large.
    async fn advance(&mut self) -> Result<bool, Error> {
        // Rendering is computation, of any number of recurrences: others go on between.
        if self.found.len().is_multiple_of(MEMBERS_IN_ONE_GO) {
            tokio::task::yield_now().await;
        }
        if self.found.is_empty() {
            self.look_up().await?;
        }
        let Some((asked, found)) = self.found.pop_front() else { return Ok(false) };
        self.tell(&asked, found).await?;
        Ok(true)
    }

    fn finish(self) -> Bytes {
        self.report.body.finish()
    }
}

/// What the request names, each resource once.
fn asked(call: &ReportCall, hrefs_max: usize) -> Result<Vec<Asked>, Error> {
    let mut asked: Vec<Asked> = Vec::new();
    let (mut paths, mut unknown) = (HashSet::new(), HashSet::new());
    for element in call.root.children(&dav::HREF) {
        let href = element.text();
        let path = path_of(call, &href);
        let is_new = match &path {
            Some(path) => paths.insert(path.clone()),
            None => unknown.insert(href.clone()),
        };
        if is_new {
            asked.push(Asked { href, path });
        }
        if asked.len() > hrefs_max {
            return Err(Error::forbidden(format!("More than {hrefs_max} resources are asked for."))
                .with_condition(dav::NUMBER_OF_MATCHES_WITHIN_LIMITS));
        }
    }
    Ok(asked)
}

/// Where an href leads, if that is the resource that was asked or lies below it.
fn path_of(call: &ReportCall, text: &str) -> Option<NodePath> {
    let is_relative = !text.starts_with('/') && !text.contains("://");
    let absolute = is_relative.then(|| format!("{}{text}", href::of(&call.mount.prefix, &call.path, true)));
    let path = href::path_of_url(&call.mount.prefix, absolute.as_deref().unwrap_or(text)).ok().flatten()?;
    call.path.contains(&path).then_some(path)
}
