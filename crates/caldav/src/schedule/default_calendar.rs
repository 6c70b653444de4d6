//! The calendar that invitations come to: `CALDAV:schedule-default-calendar-URL`. RFC 6638 §4.3, §9.2.

use nichoir_dav::{Call, Error, href};
use nichoir_store::change::{DeadPropertyPatch, MakeFolder, PatchProperties};
use nichoir_store::conditions::Conditions;
use nichoir_store::{
    CollectionKind, Components, DeadProperty, Error as StoreError, FileId, Needs, Node, NodePath, Tree,
};
use nichoir_xml::{Writer, caldav};

/// Its name, where nobody chose another.
pub(crate) const NAME: &str = "personal";

/// The collections of a home, with what clients keep on them.
///
/// # Errors
/// 503.
pub(crate) async fn collections(tree: &Tree) -> Result<Vec<Node>, Error> {
    let root = NodePath::root();
    let home = tree.node(&root, Needs::NONE).await?;
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = tree.children(&root, &home, after, Needs::DEAD_PROPERTIES).await?;
        found.extend(page.nodes.into_iter().filter(Node::is_folder));
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(found),
        }
    }
}

/// The calendar among `collections` that takes `component`: the one that was chosen, the usual one, the first.
pub(crate) fn choose<'c>(collections: &'c [Node], component: &str) -> Option<&'c Node> {
    let takes = |node: &&Node| match node.collection.as_deref() {
        Some(CollectionKind::Calendar(components)) if node.mount.is_none() => components.includes(component),
        _ => false,
    };
    let chosen = collections.iter().find_map(chosen_name);
    let named = |name: &str| collections.iter().find(|node| node.name == name).filter(takes);
    // Whoever keeps a list for nothing else expects such objects there.
    let is_for_it = |node: &&Node| match node.collection.as_deref() {
        Some(CollectionKind::Calendar(components)) if node.mount.is_none() => components.names() == [component],
        _ => false,
    };
    let special = || collections.iter().find(|node| component != "VEVENT" && is_for_it(node));
    let chosen = chosen.and_then(|name| named(&name));
    chosen.or_else(special).or_else(|| named(NAME)).or_else(|| collections.iter().find(takes))
}

/// The name of the calendar that the property on the inbox names.
pub(crate) fn chosen_name(inbox: &Node) -> Option<String> {
    let name = caldav::SCHEDULE_DEFAULT_CALENDAR_URL;
    let property = inbox.dead_property(&name.namespace, &name.local)?;
    let element = nichoir_xml::read(property.xml.as_bytes(), &nichoir_xml::Limits::default()).ok()?;
    name_in(&element)
}

/// The last name of the href that the property holds.
pub(crate) fn name_in(element: &nichoir_xml::Element) -> Option<String> {
    let href = element.child(&nichoir_xml::dav::HREF)?.text();
    let last = href.trim().trim_end_matches('/').rsplit('/').next()?.to_owned();
    href::decode(&last).ok().filter(|name| !name.is_empty())
}

/// Whether the property may name what `element` names: one of the caller's own calendars.
///
/// # Errors
/// 403 with `CALDAV:valid-schedule-default-calendar-URL` (RFC 6638 §9.2).
pub(crate) async fn check(call: Call<'_>, element: &nichoir_xml::Element) -> Result<(), Error> {
    let is_calendar =
        |node: &Node| node.mount.is_none() && matches!(node.collection.as_deref(), Some(CollectionKind::Calendar(_)));
    let name = name_in(element).unwrap_or_default();
    let found = collections(&call.caller.tree).await?;
    match found.iter().any(|node| node.name == name && is_calendar(node)) {
        true => Ok(()),
        false => Err(Error::forbidden("This is no calendar of yours.")
            .with_condition(caldav::VALID_SCHEDULE_DEFAULT_CALENDAR_URL)),
    }
}

/// Keeps the property pointing at the calendar `from` that was chosen when it gets another name; forgets it when it goes.
///
/// # Errors
/// 503.
pub(crate) async fn follow(call: &Call<'_>, from: &str, to: Option<&str>) -> Result<(), Error> {
    let tree = &call.caller.tree;
    let path = NodePath::root().child("inbox");
    let inbox = tree.node(&path, Needs::DEAD_PROPERTIES).await?;
    if chosen_name(&inbox).as_deref() != Some(from) {
        return Ok(());
    }
    let name = caldav::SCHEDULE_DEFAULT_CALENDAR_URL;
    let (namespace, local) = (name.namespace.to_string(), name.local.to_string());
    let step = match to {
        None => DeadPropertyPatch::Remove { namespace, local },
        Some(to) => {
            let href = href::of(&call.mount.prefix, &NodePath::root().child(to), true);
            let mut writer = Writer::new();
            writer.open_root(&name);
            writer.text_element(&nichoir_xml::dav::HREF, &href);
            writer.close();
            let xml = String::from_utf8_lossy(&writer.take()).into_owned();
            DeadPropertyPatch::Set(DeadProperty { namespace, local, xml })
        }
    };
    let change = PatchProperties { path, dead: vec![step], ..PatchProperties::default() };
    tree.apply(change).await?;
    Ok(())
}

/// Makes the usual calendar anew, for an account that has none left.
///
/// # Errors
/// 503.
pub(crate) async fn make(tree: &Tree) -> Result<FileId, Error> {
    let path = NodePath::root().child(NAME);
    let change = MakeFolder {
        path: path.clone(),
        dead_properties: Vec::new(),
        kind: Some(CollectionKind::Calendar(Components::default())),
        conditions: Conditions::default(),
    };
    match tree.apply(change).await {
        Ok(written) => Ok(written.node.id),
        Err(StoreError::Exists) => Ok(tree.node(&path, Needs::NONE).await?.id),
        Err(error) => Err(error.into()),
    }
}
