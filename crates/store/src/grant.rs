//! What the shares of one owner come to: which account holds which node, with which rights and until when.
//!
//! Rights are handed on from the owner outwards, and what somebody hands on is never more than what she holds herself:
//! a share that lost its ground shrinks or ends here, and the mounts are made what the shares say. The ground of every
//! share leads back to the owner, so that two who share with each other do not keep each other's rights alive.

use std::collections::hash_map::Entry::Vacant;
use std::collections::{BTreeMap, HashMap, HashSet};

use crate::collection::Area;
use crate::error::Error;
use crate::look_up;
use crate::mount::{self, Wanted};
use crate::node::{AccountId, FileId, ShareId};
use crate::permissions::Permissions;
use crate::ports::Timestamp;
use crate::share::{ACCOUNT, EVERYONE, GROUP, allows_download, looked_at_only, permissions_of};
use crate::sql::{Row, Sql};
use crate::tx::Tx;
use crate::writer::Running;

/// A share as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) id: ShareId,
    pub(crate) node: FileId,
    pub(crate) share_type: i64,
    pub(crate) sharee: i64,
    pub(crate) owner: AccountId,
    pub(crate) initiator: AccountId,
    pub(crate) area: Area,
    pub(crate) permissions: Permissions,
    pub(crate) expires: Option<Timestamp>,
    pub(crate) note: String,
    pub(crate) attributes: Option<String>,
    awaits_answer: bool,
}

/// Who is in the space, and who has answered what.
struct People {
    accounts: Vec<AccountId>,
    groups: HashMap<i64, Vec<AccountId>>,
    answers: HashMap<(ShareId, AccountId), bool>,
}

impl People {
    async fn load(tx: &mut Tx, owner: AccountId) -> Result<People, Error> {
        let accounts = tx.all(ACCOUNTS, &[]).await?;
        let accounts = accounts.iter().map(|row| row.int(0).map(AccountId)).collect::<Result<_, _>>()?;
        let mut groups: HashMap<i64, Vec<AccountId>> = HashMap::new();
        for row in tx.all(MEMBERSHIPS, &[]).await? {
            groups.entry(row.int(0)?).or_default().push(AccountId(row.int(1)?));
        }
        let mut answers = HashMap::new();
        for row in tx.all(ANSWERS, &[owner.into()]).await? {
            answers.insert((ShareId(row.int(0)?), AccountId(row.int(1)?)), row.truth(2)?);
        }
        Ok(People { accounts, groups, answers })
    }

    fn in_group(&self, group: i64) -> &[AccountId] {
        match group {
            EVERYONE => &self.accounts,
            group => self.groups.get(&group).map_or(&[], Vec::as_slice),
        }
    }

    /// Who holds the node by this share: not the one who gave it, nor who has declined or not yet said.
    fn holders(&self, share: &Stored) -> Vec<AccountId> {
        let one = [AccountId(share.sharee)];
        let named = match share.share_type {
            ACCOUNT => &one[..],
            GROUP => self.in_group(share.sharee),
            _ => &[],
        };
        let has_accepted =
            |account: &AccountId| self.answers.get(&(share.id, *account)).copied().unwrap_or(!share.awaits_answer);
        let is_giver = |account: &AccountId| *account == share.initiator || *account == share.owner;
        named.iter().copied().filter(|account| !is_giver(account) && has_accepted(account)).collect()
    }
}

/// Makes shares and mounts of what the owner has what they ought to be. On the heap: it is rare, and large.
pub(crate) fn settle(tx: &mut Tx, owner: AccountId) -> Running<'_, Result<(), Error>> {
    Box::pin(settle_now(tx, owner))
}

async fn settle_now(tx: &mut Tx, owner: AccountId) -> Result<(), Error> {
    let people = People::load(tx, owner).await?;
    let team = crate::team_folder::ground(tx, owner).await?;
    let now = tx.now();
    let (mut shares, mut ended) = (Vec::new(), Vec::new());
    for row in tx.all(OF_OWNER, &[owner.into()]).await? {
        let share = stored(&row)?;
        match share.expires {
            Some(expires) if expires <= now => ended.push(share),
            _ => shares.push(share),
        }
    }
    let given = shares.clone();
    let team_rights = |account: AccountId| {
        team.iter()
            .flat_map(|team| &team.rights)
            .filter(|(group, _)| people.in_group(*group).contains(&account))
            .fold(Permissions::NONE, |rights, (_, permissions)| rights | *permissions)
    };
    if shares.iter().any(|share| share.initiator != owner) {
        let above = above(tx, &shares).await?;
        ground(&mut shares, owner, &people, &above, team_rights);
    }
    for (before, after) in given.iter().zip(&shares) {
        let is_alive = match after.share_type {
            ACCOUNT | GROUP => after.permissions.includes(Permissions::READ),
            _ => !after.permissions.is_empty(),
        };
        if !is_alive {
            ended.push(before.clone());
        } else if (before.permissions, before.expires, &before.attributes)
            != (after.permissions, after.expires, &after.attributes)
        {
            let expires = after.expires.map(|at| at.0);
            let args = [after.id.into(), after.permissions.into(), expires.into(), after.attributes.clone().into()];
            tx.one(SHRINK, &args).await?;
            announce(tx, after.node).await?;
        }
    }
    let gone: HashSet<ShareId> = ended.iter().map(|share| share.id).collect();
    shares.retain(|share| !gone.contains(&share.id));
    for share in &ended {
        remove(tx, share.id).await?;
        announce(tx, share.node).await?;
    }
    let mut wanted: BTreeMap<(FileId, AccountId), Wanted> = BTreeMap::new();
    if let Some(team) = &team {
        for account in &people.accounts {
            let permissions = team_rights(*account);
            if permissions.includes(Permissions::READ) {
                wanted.insert((team.root, *account), Wanted::of_team(permissions));
            }
        }
    }
    for share in &shares {
        for account in people.holders(share) {
            let held = Wanted::of_share(share);
            let key = (share.node, account);
            let joined = wanted.remove(&key).map_or(held.clone(), |other| other.joined(held));
            wanted.insert(key, joined);
        }
    }
    mount::make(tx, owner, team.map(|team| (team.root, team.name)), wanted).await
}

/// The nodes above each node that is shared, itself first.
async fn above(tx: &mut Tx, shares: &[Stored]) -> Result<HashMap<FileId, Vec<FileId>>, Error> {
    let mut above = HashMap::new();
    for share in shares {
        if let Vacant(place) = above.entry(share.node) {
            place.insert(look_up::upwards(&mut tx.connection, share.node).await?);
        }
    }
    Ok(above)
}

/// Cuts every share down to what its giver holds, beginning with nothing but what the owner gave.
fn ground(
    shares: &mut [Stored],
    owner: AccountId,
    people: &People,
    above: &HashMap<FileId, Vec<FileId>>,
    team_rights: impl Fn(AccountId) -> Permissions,
) {
    let holders: Vec<Vec<AccountId>> = shares.iter().map(|share| people.holders(share)).collect();
    let asked = shares.to_vec();
    for share in shares.iter_mut().filter(|share| share.initiator != owner) {
        share.permissions = Permissions::NONE;
        share.attributes = looked_at_only(share.attributes.take());
    }
    loop {
        let mut is_settled = true;
        for place in 0..shares.len() {
            if shares[place].initiator == owner {
                continue;
            }
            let initiator = shares[place].initiator;
            let (mut rights, mut until) = (team_rights(initiator), None);
            let (mut is_endless, mut takes_away) = (!rights.is_empty(), !rights.is_empty());
            let chain = above.get(&shares[place].node).map_or(&[][..], Vec::as_slice);
            for (upper, holders) in shares.iter().zip(&holders) {
                if !upper.permissions.is_empty() && chain.contains(&upper.node) && holders.contains(&initiator) {
                    rights = rights | upper.permissions;
                    is_endless |= upper.expires.is_none();
                    takes_away |= allows_download(upper.attributes.as_deref());
                    until = until.max(upper.expires);
                }
            }
            let Stored { permissions, expires, ref attributes, .. } = asked[place];
            let attributes = if takes_away { attributes.clone() } else { looked_at_only(attributes.clone()) };
            let rights = if rights.includes(Permissions::SHARE) { rights & permissions } else { Permissions::NONE };
            let expires = match (expires, until.filter(|_| !is_endless)) {
                (Some(own), Some(upper)) => Some(own.min(upper)),
                (own, upper) => own.or(upper),
            };
            let held = &mut shares[place];
            if (rights, expires, &attributes) != (held.permissions, held.expires, &held.attributes) {
                (held.permissions, held.expires, held.attributes) = (rights, expires, attributes);
                is_settled = false;
            }
        }
        if is_settled {
            return;
        }
    }
}

/// Settles for every owner who shares anything with one of these: accounts, groups, everyone.
pub(crate) async fn settle_with(tx: &mut Tx, sharees: &[i64]) -> Result<(), Error> {
    let mut owners = Vec::new();
    for sharee in sharees {
        for row in tx.all(OWNERS_WITH, &[(*sharee).into()]).await? {
            owners.push(AccountId(row.int(0)?));
        }
    }
    owners.sort_unstable();
    owners.dedup();
    for owner in owners {
        tx.advance();
        settle(tx, owner).await?;
    }
    Ok(())
}

/// Settles what was shared by others than the owner, whose ground may have moved with a node.
pub(crate) async fn settle_handed_on(tx: &mut Tx, owner: AccountId) -> Result<(), Error> {
    match tx.maybe(HANDED_ON, &[owner.into()]).await? {
        Some(_) => settle(tx, owner).await,
        None => Ok(()),
    }
}

/// Ends what is due; says how many owners were looked at.
pub(crate) async fn expire(tx: &mut Tx) -> Result<(), Error> {
    let owners = tx.all(EXPIRED, &[tx.now().into()]).await?;
    for row in &owners {
        tx.advance();
        settle(tx, AccountId(row.int(0)?)).await?;
    }
    Ok(())
}

/// Takes away every share of `top` and of what lies below it: it goes to another owner.
pub(crate) async fn end_below(tx: &mut Tx, top: FileId) -> Result<(), Error> {
    for row in tx.all(BELOW, &[top.into()]).await? {
        remove(tx, ShareId(row.int(0)?)).await?;
    }
    Ok(())
}

/// Forgets a share and what was answered to it.
pub(crate) async fn remove(tx: &mut Tx, id: ShareId) -> Result<(), Error> {
    tx.run(FORGET_ANSWERS, &[id.into()]).await?;
    tx.one(REMOVE, &[id.into()]).await
}

/// That a node is shared shows beside it: the etags of the folders above move, and its own if it is one. A file is
/// what it was.
pub(crate) async fn announce(tx: &mut Tx, node: FileId) -> Result<(), Error> {
    let row = tx.row(PLACE, &[node.into()]).await?;
    let (parent, name, is_folder) = (FileId(row.int(0)?), row.text(1)?, row.truth(2)?);
    tx.touch_quietly(if is_folder { node } else { parent }).await?;
    tx.log(parent, &name, node, false).await
}

/// The share of that number.
pub(crate) async fn find(tx: &mut Tx, id: ShareId) -> Result<Stored, Error> {
    stored(&tx.maybe(BY_ID, &[id.into()]).await?.ok_or(Error::NotFound)?)
}

/// Whether the account is one of those with whom it is shared, whatever it answered.
pub(crate) async fn is_sharee(tx: &mut Tx, share: &Stored, account: AccountId) -> Result<bool, Error> {
    if account == share.initiator || account == share.owner {
        return Ok(false);
    }
    Ok(match (share.share_type, share.sharee) {
        (ACCOUNT, sharee) => sharee == account.0,
        (GROUP, EVERYONE) => true,
        (GROUP, group) => tx.maybe(IS_MEMBER, &[group.into(), account.into()]).await?.is_some(),
        _ => false,
    })
}

pub(crate) fn stored(row: &Row) -> Result<Stored, Error> {
    let area = row.text(6)?;
    let corrupt = |column| Error::Corrupt { table: "share", column, id: row.int(0).unwrap_or(0) };
    Ok(Stored {
        id: ShareId(row.int(0)?),
        node: FileId(row.int(1)?),
        share_type: row.int(2)?,
        sharee: row.int(3)?,
        owner: AccountId(row.int(4)?),
        initiator: AccountId(row.int(5)?),
        area: Area::of_name(&area).ok_or_else(|| corrupt("area"))?,
        permissions: permissions_of(row, 7, "share")?,
        expires: row.maybe_int(8)?.map(Timestamp),
        note: row.text(9)?,
        attributes: row.maybe_text(10)?,
        awaits_answer: row.truth(11)?,
    })
}

impl Wanted {
    fn of_share(share: &Stored) -> Wanted {
        Wanted {
            area: share.area,
            permissions: share.permissions,
            expires: share.expires,
            note: share.note.clone(),
            attributes: share.attributes.clone(),
        }
    }

    fn of_team(permissions: Permissions) -> Wanted {
        Wanted { area: Area::Files, permissions, expires: None, note: String::new(), attributes: None }
    }

    /// What two shares of the same node come to: all that either lets one do, until one of them ends.
    fn joined(self, other: Wanted) -> Wanted {
        let expires = match (self.expires, other.expires) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
        let attributes = match allows_download(self.attributes.as_deref()) {
            true => self.attributes,
            false => other.attributes,
        };
        let note = if self.note.is_empty() { other.note } else { self.note };
        Wanted { area: self.area, permissions: self.permissions | other.permissions, expires, note, attributes }
    }
}

/// What [`stored`] reads.
macro_rules! stored_columns {
    () => {
        "share.id, share.node_id, share.share_type, share.sharee_id, share.owner_id, share.initiator_id, share.area, \
         share.permissions, share.expires_us, share.note, share.attributes, share.awaits_answer"
    };
}

const ACCOUNTS: Sql = Sql("SELECT id FROM account WHERE space_id = $1 ORDER BY id");

const MEMBERSHIPS: Sql = Sql("SELECT group_id, account_id FROM membership WHERE space_id = $1");

const IS_MEMBER: Sql = Sql("SELECT 1 FROM membership WHERE space_id = $1 AND group_id = $2 AND account_id = $3");

const ANSWERS: Sql = Sql("SELECT share_answer.share_id, share_answer.account_id, share_answer.is_accepted
       FROM share JOIN share_answer ON share_answer.space_id = $1 AND share_answer.share_id = share.id
      WHERE share.space_id = $1 AND share.owner_id = $2");

const OF_OWNER: Sql =
    Sql(concat!("SELECT ", stored_columns!(), " FROM share WHERE space_id = $1 AND owner_id = $2 ORDER BY +id"));

const BY_ID: Sql = Sql(concat!("SELECT ", stored_columns!(), " FROM share WHERE space_id = $1 AND id = $2"));

const SHRINK: Sql =
    Sql("UPDATE share SET permissions = $3, expires_us = $4, attributes = $5 WHERE space_id = $1 AND id = $2");

const REMOVE: Sql = Sql("DELETE FROM share WHERE space_id = $1 AND id = $2");

const FORGET_ANSWERS: Sql = Sql("DELETE FROM share_answer WHERE space_id = $1 AND share_id = $2");

const OWNERS_WITH: Sql = Sql("SELECT +owner_id FROM share WHERE space_id = $1 AND sharee_id = $2 AND share_type < 2
     UNION
     SELECT +folder_id FROM team_folder_right WHERE space_id = $1 AND group_id = $2");

const HANDED_ON: Sql =
    Sql("SELECT id FROM share WHERE space_id = $1 AND owner_id = $2 AND initiator_id <> owner_id LIMIT 1");

const EXPIRED: Sql = Sql("SELECT DISTINCT owner_id FROM share WHERE space_id = $1 AND expires_us <= $2");

const BELOW: Sql = Sql("WITH RECURSIVE up (share_id, id) AS (
         SELECT id, node_id FROM share WHERE space_id = $1
         UNION
         SELECT up.share_id, node.parent_id FROM up JOIN node ON node.space_id = $1 AND node.id = up.id
     ) SELECT share_id FROM up WHERE id = $2");

const PLACE: Sql = Sql("SELECT parent_id, name, is_folder FROM node WHERE space_id = $1 AND id = $2");

pub(crate) const STATEMENTS: &[Sql] = &[
    ACCOUNTS,
    MEMBERSHIPS,
    IS_MEMBER,
    ANSWERS,
    OF_OWNER,
    BY_ID,
    SHRINK,
    REMOVE,
    FORGET_ANSWERS,
    OWNERS_WITH,
    HANDED_ON,
    EXPIRED,
    BELOW,
    PLACE,
];
