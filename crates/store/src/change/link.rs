//! Public links: made, changed and taken back. Who may hand something on says how far, and never further than that.

use super::site::Site;
use super::{DropLink, LinkUpdate, MakeLink, Run, UpdateLink};
use crate::audit;
use crate::error::{Error, Sharing};
use crate::link::{self, Link, LinkId};
use crate::lock;
use crate::look_up;
use crate::node::{FileId, Node};
use crate::permissions::Permissions;
use crate::sql::{Sql, Value};
use crate::tx::{Asker, Tx};

/// Characters of a token: 89 random bits, as many as clients know.
const TOKEN_CHARS: usize = 15;
/// Characters of a label, as clients let people write.
const LABEL_CHARS_MAX: usize = 255;

impl Run for MakeLink {
    type Outcome = Link;

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<Link, Error> {
        let site = Site::find(tx, asker, &self.path).await?;
        let node = site.located.found()?;
        if self.path.is_root() && asker.link.is_none() {
            return Err(Sharing::Root.into());
        }
        if asker.link.is_some() || asker.is_bin {
            return Err(Error::Forbidden("this cannot be linked to"));
        }
        let permissions = allowed(node, self.permissions)?;
        let limit = tx.core.limits.links_max;
        if tx.row(COUNT, &[asker.account.id.into()]).await?.count(0)? >= limit {
            return Err(Error::TooLarge { limit });
        }
        let link = Link {
            id: LinkId(tx.fresh_id()),
            token: tx.core.ports.alphanumeric(TOKEN_CHARS),
            node: node.id,
            maker: asker.account.id,
            permissions,
            password_hash: None,
            expires: None,
            label: String::new(),
            note: String::new(),
            hides_download: false,
            attributes: None,
            download_limit: None,
            download_count: 0,
            created: tx.now(),
        };
        let link = changed(tx, link, LinkUpdate { permissions: None, ..self.update })?;
        tx.one(INSERT, &values(&link)).await?;
        audit::write_of(tx, asker, "made a link", &named(&link), &what_it_allows(&link)).await?;
        Ok(link)
    }
}

impl Run for UpdateLink {
    type Outcome = Link;

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<Link, Error> {
        let mut link = managed(tx, asker, self.id).await?;
        if let Some(permissions) = self.update.permissions {
            let path = look_up::path_of(&mut tx.connection, asker.root, link.node).await?.ok_or(Error::NotFound)?;
            let site = Site::find(tx, asker, &path).await?;
            link.permissions = allowed(site.located.found()?, permissions)?;
        }
        let link = changed(tx, link, self.update)?;
        tx.one(UPDATE, &values(&link)).await?;
        audit::write_of(tx, asker, "changed a link", &named(&link), &what_it_allows(&link)).await?;
        lock::forget_groundless(tx).await?;
        Ok(link)
    }
}

impl Run for DropLink {
    type Outcome = ();

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<(), Error> {
        let link = managed(tx, asker, self.id).await?;
        tx.one(REMOVE, &[link.id.0.into()]).await?;
        audit::write_of(tx, asker, "removed a link", &named(&link), "").await?;
        lock::forget_groundless(tx).await
    }
}

/// As the trail names a link: its token is a credential.
fn named(link: &Link) -> String {
    format!("link {} to file {}", link.id.0, link.node.0)
}

/// What the trail says of a link.
fn what_it_allows(link: &Link) -> String {
    let password = if link.password_hash.is_some() { "with a password" } else { "without a password" };
    let days = link.expires.map(|end| format!(", until {}", end.seconds())).unwrap_or_default();
    format!("permissions {}, {password}{days}", link.permissions.bits())
}

/// The link, if the asker may change it.
async fn managed(tx: &mut Tx, asker: &Asker, id: LinkId) -> Result<Link, Error> {
    if asker.link.is_some() {
        return Err(Error::NotFound);
    }
    let row = tx.maybe(link::BY_ID, &[id.0.into()]).await?.ok_or(Error::NotFound)?;
    let found = link::link_of(&row)?;
    match link::may_manage(&mut tx.connection, &asker.root(), asker.account.id, &found).await? {
        true => Ok(found),
        false => Err(Error::NotFound),
    }
}

/// What a link to `node` may be made for, of what is wished.
fn allowed(node: &Node, wished: Permissions) -> Result<Permissions, Error> {
    let held = node.permissions();
    if !held.includes(Permissions::SHARE) {
        return Err(Sharing::NotYours.into());
    }
    let wished = if node.is_folder() { wished } else { wished & Permissions::OF_FILE };
    if !held.includes(wished) {
        return Err(Sharing::BeyondOwn.into());
    }
    let reads = wished.includes(Permissions::READ);
    if !reads && !wished.includes(Permissions::CREATE) {
        return Err(Error::Invalid("A link lets people read or hand in.".to_owned()));
    }
    if !reads && !(wished & (Permissions::UPDATE | Permissions::DELETE)).is_empty() {
        return Err(Error::Invalid("Nobody changes or deletes what they cannot read.".to_owned()));
    }
    Ok(wished)
}

/// The link with what `update` says.
fn changed(tx: &Tx, link: Link, update: LinkUpdate) -> Result<Link, Error> {
    let limit = tx.core.limits.link_text_bytes_max;
    let texts = [update.note.as_deref(), update.attributes.as_ref().and_then(|it| it.as_deref())];
    if texts.into_iter().flatten().any(|text| text.len() as u64 > limit) {
        return Err(Error::TooLarge { limit });
    }
    if update.label.as_ref().is_some_and(|label| label.chars().count() > LABEL_CHARS_MAX) {
        return Err(Error::TooLarge { limit: LABEL_CHARS_MAX as u64 });
    }
    let download_count = if update.download_limit.is_some() { 0 } else { link.download_count };
    Ok(Link {
        password_hash: update.password_hash.unwrap_or(link.password_hash),
        expires: update.expires.unwrap_or(link.expires),
        label: update.label.unwrap_or(link.label),
        note: update.note.unwrap_or(link.note),
        hides_download: update.hides_download.unwrap_or(link.hides_download),
        attributes: update.attributes.unwrap_or(link.attributes),
        download_limit: update.download_limit.unwrap_or(link.download_limit),
        download_count,
        ..link
    })
}

fn values(link: &Link) -> [Value; 14] {
    let FileId(node) = link.node;
    [
        link.id.0.into(),
        link.token.as_str().into(),
        node.into(),
        link.maker.into(),
        link.permissions.into(),
        link.password_hash.as_deref().into(),
        link.expires.map(|end| end.0).into(),
        link.label.as_str().into(),
        link.note.as_str().into(),
        link.hides_download.into(),
        link.attributes.as_deref().into(),
        link.download_limit.map(crate::tx::signed).into(),
        link.download_count.into(),
        link.created.into(),
    ]
}

const COUNT: Sql = Sql("SELECT COUNT(*) FROM link WHERE space_id = $1 AND account_id = $2");

const INSERT: Sql =
    Sql("INSERT INTO link (space_id, id, token, node_id, account_id, permissions, password_hash, expires_us,
                       label, note, hides_download, attributes, download_limit, download_count, created_us)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)");

const UPDATE: Sql = Sql("UPDATE link
        SET token = $3, node_id = $4, account_id = $5, permissions = $6, password_hash = $7, expires_us = $8,
            label = $9, note = $10, hides_download = $11, attributes = $12, download_limit = $13,
            download_count = $14, created_us = $15
      WHERE space_id = $1 AND id = $2");

const REMOVE: Sql = Sql("DELETE FROM link WHERE space_id = $1 AND id = $2");

pub(super) const STATEMENTS: &[Sql] = &[COUNT, INSERT, UPDATE, REMOVE];
