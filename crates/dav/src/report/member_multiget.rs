//! The members that a client names. RFC 4791 §7.9, RFC 6352 §8.7.
//!
//! Every href is answered, and once: a client that misses an answer gives the whole collection up, and one that finds
//! two takes them for two members. What is there answers under its canonical href, however the client spelt it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::vec::IntoIter;

use bytes::Bytes;
use nichoir_store::{FileId, Needs, Node, NodePath};
use nichoir_xml::dav;

use super::ReportCall;
use super::member_report::{MemberReport, Verdict};
use crate::error::Error;
use crate::href;
use crate::multistatus::Multistatus;
use crate::paged::Paged;

/// Members that are read at once.
const CHUNK: usize = 32;

/// A multiget under way.
#[derive(Debug)]
pub(super) struct MemberMultiget {
    report: MemberReport,
    asked: IntoIter<Asked>,
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

impl MemberMultiget {
    pub(super) async fn open(report: MemberReport, hrefs_max: usize) -> Result<MemberMultiget, Error> {
        let asked = asked(&report.call, hrefs_max)?;
        report.call.caller.tree.node(&report.call.path, Needs::NONE).await?;
        Ok(MemberMultiget { report, asked: asked.into_iter(), entered: None })
    }

    /// The members of one collection that are there and of interest, judged, by name.
    async fn look_up(
        &mut self,
        path: &NodePath,
        names: &[String],
        found: &mut HashMap<NodePath, (Node, Verdict)>,
    ) -> Result<(), Error> {
        let tree = self.report.call.caller.tree.clone();
        let collection = match tree.node(path, Needs::DEAD_PROPERTIES).await {
            Ok(node) if node.is_folder() => node,
            Ok(_) | Err(nichoir_store::Error::NotFound) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let is_of_interest = match self.entered {
            Some((id, is_of_interest)) if id == collection.id => is_of_interest,
            _ => self.report.enter(&collection),
        };
        self.entered = Some((collection.id, is_of_interest));
        if !is_of_interest {
            return Ok(());
        }
        for member in tree.members_named(path, &collection, names, self.report.needs()).await? {
            let verdict = self.report.judge(&member);
            found.insert(path.child(&member.name), (member, verdict));
        }
        Ok(())
    }

    fn tell(&mut self, asked: &Asked, found: &HashMap<NodePath, (Node, Verdict)>) {
        let known = asked.path.as_ref().and_then(|path| Some((path.parent()?, found.get(path)?)));
        let Some((collection, (member, verdict))) = known else { return self.report.tell_missing(&asked.href) };
        let href = self.report.href(&collection, member);
        match verdict {
            Verdict::Skip => self.report.tell_missing(&href),
            Verdict::Tell(rendered) => self.report.tell(&href, member, rendered.as_deref()),
            Verdict::Fail(error) => self.report.tell_failure(&href, error),
        }
    }
}

impl Paged for MemberMultiget {
    fn body(&mut self) -> &mut Multistatus {
        &mut self.report.body
    }

    async fn advance(&mut self) -> Result<bool, Error> {
        let chunk: Vec<Asked> = self.asked.by_ref().take(CHUNK).collect();
        if chunk.is_empty() {
            return Ok(false);
        }
        let mut names: BTreeMap<NodePath, Vec<String>> = BTreeMap::new();
        for path in chunk.iter().filter_map(|asked| asked.path.as_ref()) {
            if let (Some(collection), Some(name)) = (path.parent(), path.name()) {
                names.entry(collection).or_default().push(name.to_owned());
            }
        }
        let mut found = HashMap::new();
        for (collection, names) in &names {
            self.look_up(collection, names, &mut found).await?;
        }
        for asked in &chunk {
            self.tell(asked, &found);
        }
        tokio::task::yield_now().await;
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
