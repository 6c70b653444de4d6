//! `cloud/groups`: groups of accounts, for whoever manages the space. Sheet `nextcloud-ocs`, section 3.3.
//!
//! `admin` is a group to Nextcloud's clients: here it is the accounts that manage the space, and being put in it is being
//! made one of them.

use nichoir_store::{Account, AccountUpdate, Error as StoreError, Group, Role, Space};
use serde_json::{Value, json};

use super::envelope::Outcome;
use super::user::is_admin;
use super::users::{Listing, check_admin, failed};
use super::{Answer, Call};

/// What the accounts that manage the space are called together.
const ADMIN: &str = "admin";

/// A group as clients name it.
pub(super) enum Named {
    /// Those who manage the space.
    Admins,
    /// Any other.
    Group(Group),
}

impl Named {
    /// The group of that name.
    pub(super) async fn find(space: &Space, name: &str) -> Result<Option<Named>, Outcome> {
        if name.eq_ignore_ascii_case(ADMIN) {
            return Ok(Some(Named::Admins));
        }
        match space.group_by_name(name).await {
            Ok(group) => Ok(Some(Named::Group(group))),
            Err(StoreError::NotFound) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn members(&self, space: &Space) -> Result<Vec<Account>, Outcome> {
        match self {
            Named::Admins => Ok(space.accounts().await?.into_iter().filter(is_admin).collect()),
            Named::Group(group) => Ok(space.members_of(group.id).await?),
        }
    }

    /// Puts the account in it.
    pub(super) async fn add(&self, space: &Space, account: &Account) -> Result<(), Outcome> {
        match self {
            Named::Admins => set_role(space, account, Role::Admin).await,
            Named::Group(group) if group.is_everyone() => Ok(()),
            Named::Group(group) => space.add_to_group(group.id, account.id).await.map(drop).map_err(Outcome::from),
        }
    }

    /// Takes the account out of it.
    pub(super) async fn remove(&self, space: &Space, account: &Account) -> Result<(), Outcome> {
        match self {
            Named::Admins => set_role(space, account, Role::Member).await,
            Named::Group(group) if group.is_everyone() => Err(failed(104, "Everybody is in this group")),
            Named::Group(group) => space.remove_from_group(group.id, account.id).await.map(drop).map_err(Outcome::from),
        }
    }
}

async fn set_role(space: &Space, account: &Account, role: Role) -> Result<(), Outcome> {
    space.update_account(account.id, AccountUpdate { role: Some(role), ..AccountUpdate::default() }).await?;
    Ok(())
}

/// The names of the groups that the account is in; that of everyone goes without saying.
pub(super) async fn names_of(space: &Space, account: &Account) -> Result<Vec<String>, Outcome> {
    let groups = space.groups_of(account.id).await?;
    let own = groups.into_iter().filter(|group| !group.is_everyone()).map(|group| group.name);
    Ok(is_admin(account).then(|| ADMIN.to_owned()).into_iter().chain(own).collect())
}

/// `GET cloud/groups`, and with `details`.
pub(super) async fn list(call: &Call<'_>, has_details: bool) -> Answer {
    check_admin(call)?;
    let space = call.visit.space;
    let admins = Group { id: Group::EVERYONE, name: ADMIN.to_owned(), display_name: ADMIN.to_owned() };
    let groups: Vec<Group> = std::iter::once(admins).chain(space.groups().await?).collect();
    let listing = Listing::of(call);
    let groups = listing.page(groups, |group| vec![&group.name, &group.display_name]);
    if !has_details {
        return Ok(json!({ "groups": groups.iter().map(|group| &group.name).collect::<Vec<_>>() }).into());
    }
    let (accounts, memberships) = (space.accounts().await?, space.memberships().await?);
    let is_in = |account: &&Account, group: &Group| match group.name.as_str() {
        ADMIN => is_admin(account),
        _ if group.is_everyone() => true,
        _ => memberships.get(&account.id).is_some_and(|numbers| numbers.contains(&group.id)),
    };
    let shown: Vec<Value> = groups
        .iter()
        .map(|group| {
            let members: Vec<&Account> = accounts.iter().filter(|account| is_in(account, group)).collect();
            let can_change = group.name == ADMIN || !group.is_everyone();
            json!({
                "id": group.name,
                "displayname": group.display_name,
                "usercount": members.len(),
                "disabled": members.iter().filter(|account| !account.is_enabled).count(),
                "canAdd": can_change,
                "canRemove": can_change,
            })
        })
        .collect();
    Ok(json!({ "groups": shown }).into())
}

/// `GET cloud/groups/{id}` and `…/users`: who is in it.
pub(super) async fn members(call: &Call<'_>, name: &str) -> Answer {
    let members = members_of(call, name).await?;
    Ok(json!({ "users": members.iter().map(|account| &account.login).collect::<Vec<_>>() }).into())
}

/// The accounts in the group of that name, for whoever may ask.
pub(super) async fn members_of(call: &Call<'_>, name: &str) -> Result<Vec<Account>, Outcome> {
    check_admin(call)?;
    match Named::find(call.visit.space, name).await? {
        Some(group) => group.members(call.visit.space).await,
        None => Err(Outcome::not_found("The requested group could not be found")),
    }
}

/// `GET cloud/groups/{id}/subadmins`: nobody manages a group alone.
pub(super) async fn subadmins(call: &Call<'_>, name: &str) -> Answer {
    check_admin(call)?;
    match Named::find(call.visit.space, name).await? {
        Some(_) => Ok(json!([]).into()),
        None => Err(failed(101, "Group does not exist")),
    }
}

/// `POST cloud/groups`.
pub(super) async fn create(call: &Call<'_>) -> Answer {
    check_admin(call)?;
    let name = call.params.text("groupid").unwrap_or_default();
    let display_name = call.params.text("displayname").unwrap_or_default();
    match call.visit.space.create_group(&name, &display_name).await {
        Ok(_) => Ok(json!([]).into()),
        Err(StoreError::Exists) => Err(failed(102, "group exists")),
        Err(StoreError::BadName(reason)) => Err(failed(101, &reason)),
        Err(StoreError::TooLarge { limit }) => Err(failed(103, &format!("No more than {limit} groups"))),
        Err(error) => Err(error.into()),
    }
}

/// `PUT cloud/groups/{id}`: another name to show.
pub(super) async fn edit(call: &Call<'_>, name: &str) -> Answer {
    check_admin(call)?;
    if call.params.text("key").as_deref() != Some("displayname") {
        return Err(failed(101, "Only the displayname of a group can be edited"));
    }
    let Some(Named::Group(group)) = Named::find(call.visit.space, name).await? else {
        return Err(failed(101, "This group cannot be edited"));
    };
    match call.visit.space.rename_group(group.id, &call.params.text("value").unwrap_or_default()).await {
        Ok(_) => Ok(json!([]).into()),
        Err(StoreError::BadName(reason)) => Err(failed(101, &reason)),
        Err(StoreError::Forbidden(_)) => Err(failed(101, "This group cannot be edited")),
        Err(error) => Err(error.into()),
    }
}

/// `DELETE cloud/groups/{id}`.
pub(super) async fn delete(call: &Call<'_>, name: &str) -> Answer {
    check_admin(call)?;
    let space = call.visit.space;
    match Named::find(space, name).await? {
        None => Err(failed(101, "Group does not exist")),
        Some(Named::Group(group)) if !group.is_everyone() => {
            space.delete_group(group.id).await?;
            Ok(json!([]).into())
        }
        Some(_) => Err(failed(102, "This group is always there")),
    }
}
