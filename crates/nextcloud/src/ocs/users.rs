//! `cloud/users`: accounts, managed by whoever manages the space, and each by herself as far as it goes. Sheet
//! `nextcloud-ocs`, section 3.3, for parameters and codes. Whoever manages nothing learns nothing of others, not even
//! whether they exist.

use std::collections::BTreeMap;

use http::StatusCode;
use nichoir_store::{Account, AccountUpdate, Departure, Error as StoreError, NewAccount, Quota, Role, Space};
use serde_json::{Value, json};

use super::account_edit::{self, Edit};
use super::envelope::Outcome;
use super::groups::{self, Named};
use super::user::{self, is_admin};
use super::{Answer, Call};

/// A refusal with one of the codes from 101 on.
pub(super) fn failed(code: i64, message: &str) -> Outcome {
    Outcome::new(StatusCode::BAD_REQUEST, code, message)
}

/// Whoever does not manage the space is told so.
pub(super) fn check_admin(call: &Call<'_>) -> Result<(), Outcome> {
    match is_admin(&call.caller.account) {
        true => Ok(()),
        false => Err(Outcome::forbidden("Logged in account must be at least a sub admin")),
    }
}

/// Which part of a list is wanted.
pub(super) struct Listing {
    search: String,
    limit: usize,
    offset: usize,
}

impl Listing {
    pub(super) fn of(call: &Call<'_>) -> Listing {
        let number = |name: &str| call.params.number(name).and_then(|number| usize::try_from(number).ok());
        let search = call.params.text("search").unwrap_or_default().to_lowercase();
        Listing { search, limit: number("limit").unwrap_or(usize::MAX), offset: number("offset").unwrap_or(0) }
    }

    /// The members with the search in one of their texts, as far as they are on this page.
    pub(super) fn page<T>(&self, all: Vec<T>, texts: impl Fn(&T) -> Vec<&String>) -> Vec<T> {
        let is_found = |one: &T| texts(one).iter().any(|text| text.to_lowercase().contains(&self.search));
        all.into_iter().filter(is_found).skip(self.offset).take(self.limit).collect()
    }
}

/// `GET cloud/users`.
pub(super) async fn list(call: &Call<'_>) -> Answer {
    let accounts = page(call, |_| true).await?;
    Ok(json!({ "users": accounts.iter().map(|account| &account.login).collect::<Vec<_>>() }).into())
}

/// `GET cloud/users/details`, and `…/disabled`.
pub(super) async fn details(call: &Call<'_>, is_wanted: fn(&Account) -> bool) -> Answer {
    let accounts = page(call, is_wanted).await?;
    Ok(json!({ "users": objects(call, &accounts).await? }).into())
}

/// `GET cloud/groups/{id}/users/details`.
pub(super) async fn details_of_group(call: &Call<'_>, name: &str) -> Answer {
    let members = groups::members_of(call, name).await?;
    let members = Listing::of(call).page(members, searched);
    Ok(json!({ "users": objects(call, &members).await? }).into())
}

fn searched(account: &Account) -> Vec<&String> {
    [Some(&account.login), Some(&account.display_name), account.email.as_ref()].into_iter().flatten().collect()
}

async fn page(call: &Call<'_>, is_wanted: fn(&Account) -> bool) -> Result<Vec<Account>, Outcome> {
    check_admin(call)?;
    let mut accounts = call.visit.space.accounts().await?;
    accounts.retain(is_wanted);
    accounts.sort_by_key(|account| account.login.to_lowercase());
    Ok(Listing::of(call).page(accounts, searched))
}

/// The objects by login; what each needs is read once for all.
async fn objects(call: &Call<'_>, accounts: &[Account]) -> Result<Value, Outcome> {
    let space = call.visit.space;
    let pool_bytes = call.caller.tree.quota().await?.pool_bytes;
    let held: BTreeMap<_, _> = space.held_bytes_of_all().await?.into_iter().collect();
    let (all_groups, memberships) = (space.groups().await?, space.memberships().await?);
    let mut objects = serde_json::Map::new();
    for account in accounts {
        let numbers = memberships.get(&account.id).map(Vec::as_slice).unwrap_or_default();
        let named = all_groups.iter().filter(|group| numbers.contains(&group.id)).map(|group| group.name.clone());
        let admin = is_admin(account).then(|| "admin".to_owned());
        let names: Vec<String> = admin.into_iter().chain(named).collect();
        let used_bytes = held.get(&account.id).copied().unwrap_or(0);
        objects
            .insert(account.login.clone(), user::render(account, &names, &quota_of(account, used_bytes, pool_bytes)));
    }
    // Where there is none, a list: so clients have it from Nextcloud.
    Ok(if objects.is_empty() { json!([]) } else { Value::Object(objects) })
}

/// What an account holds, and may still write.
fn quota_of(account: &Account, used_bytes: u64, pool_bytes: u64) -> Quota {
    let own = account.quota_bytes.map_or(pool_bytes, |quota| quota.saturating_sub(used_bytes));
    Quota { used_bytes, available_bytes: own.min(pool_bytes), pool_bytes }
}

/// The account of that login: one's own, or anybody's for whoever manages the space.
async fn target(call: &Call<'_>, login: &str, missing: Outcome) -> Result<Account, Outcome> {
    let caller = &call.caller.account;
    if login.eq_ignore_ascii_case(&caller.login) {
        return Ok(Account::clone(caller));
    }
    if !is_admin(caller) {
        return Err(Outcome::unknown_route());
    }
    find(call.visit.space, login).await?.ok_or(missing)
}

async fn find(space: &Space, login: &str) -> Result<Option<Account>, Outcome> {
    match space.account_by_login(login).await {
        // A mail address is a login where one logs in, not here.
        Ok(account) => Ok(Some(account).filter(|account| account.login.eq_ignore_ascii_case(login))),
        Err(StoreError::NotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The account of that login, not one's own, for whoever manages the space.
async fn another(call: &Call<'_>, login: &str) -> Result<Account, Outcome> {
    check_admin(call)?;
    let account = find(call.visit.space, login).await?.ok_or_else(Outcome::unknown_route)?;
    match account.id == call.caller.account.id {
        true => Err(failed(101, "This cannot be done to one's own account")),
        false => Ok(account),
    }
}

/// `GET cloud/users/{id}`.
pub(super) async fn get(call: &Call<'_>, login: &str) -> Answer {
    let account = target(call, login, Outcome::not_found("User does not exist")).await?;
    if account.id == call.caller.account.id {
        return user::object(call.caller).await;
    }
    let space = call.visit.space;
    let held_bytes = space.held_bytes(&account).await?;
    let quota = quota_of(&account, held_bytes, call.caller.tree.quota().await?.pool_bytes);
    Ok(user::render(&account, &groups::names_of(space, &account).await?, &quota).into())
}

/// `POST cloud/users`. All is looked at before anything is made.
pub(super) async fn create(call: &Call<'_>) -> Answer {
    check_admin(call)?;
    let space = call.visit.space;
    let text = |name: &str| call.params.text(name).unwrap_or_default();
    let login = text("userid").trim().to_owned();
    if find(space, &login).await?.is_some() {
        return Err(failed(102, "User already exists"));
    }
    if !call.params.list("subadmin").iter().all(String::is_empty) {
        return Err(failed(103, "Nobody manages a group alone here"));
    }
    let mut groups = Vec::new();
    for name in call.params.list("groups").iter().filter(|name| !name.is_empty()) {
        let group = Named::find(space, name).await?;
        groups.push(group.ok_or_else(|| failed(104, &format!("Group {name} does not exist")))?);
    }
    let email = account_edit::email_of(&text("email"))?;
    let password = text("password");
    if password.is_empty() && email.is_none() {
        return Err(failed(108, "An email address is required, to send a password link to the user."));
    }
    let mut update = AccountUpdate::default();
    for (key, name) in [("quota", "quota"), ("language", "language")] {
        if !text(name).is_empty() {
            account_edit::read(key, &text(name), &mut update)?;
        }
    }
    let password_hash = match password.is_empty() {
        true => None,
        false => Some(account_edit::hash(call, &password, &login).await?),
    };
    let new = NewAccount { login, display_name: text("displayName"), email, role: Role::Member, password_hash };
    let account = space.create_account(new).await.map_err(|error| match error {
        StoreError::BadName(reason) => failed(101, &reason),
        StoreError::Exists => failed(101, "The mail address is in use"),
        StoreError::TooLarge { limit } => failed(101, &format!("The space has all of its {limit} accounts")),
        error => error.into(),
    })?;
    space.update_account(account.id, update).await?;
    for group in groups {
        group.add(space, &account).await?;
    }
    Ok(json!({ "id": account.login }).into())
}

/// `PUT cloud/users/{id}`: one field.
pub(super) async fn edit(call: &Call<'_>, login: &str) -> Answer {
    let account = target(call, login, Outcome::unknown_route()).await?;
    let text = |name: &str| call.params.text(name).unwrap_or_default();
    account_edit::apply(call, &account, Edit { key: &text("key"), value: &text("value") }).await
}

/// `PUT cloud/users/{id}/enable` and `…/disable`.
pub(super) async fn set_enabled(call: &Call<'_>, login: &str, is_enabled: bool) -> Answer {
    let account = another(call, login).await?;
    let update = AccountUpdate { is_enabled: Some(is_enabled), ..AccountUpdate::default() };
    call.visit.space.update_account(account.id, update).await?;
    Ok(json!([]).into())
}

/// `DELETE cloud/users/{id}`: kept for a while, or with `handOverTo=LOGIN` another's at once.
pub(super) async fn delete(call: &Call<'_>, login: &str) -> Answer {
    let account = another(call, login).await?;
    let departure = match call.params.text("handOverTo").filter(|login| !login.is_empty()) {
        None => Departure::Kept,
        Some(heir) => {
            let heir = find(call.visit.space, &heir).await?.filter(|heir| heir.id != account.id);
            Departure::HandedOver(heir.ok_or_else(|| failed(101, "There is nobody to hand over to"))?.id)
        }
    };
    call.visit.space.end_account(account.id, departure).await?;
    Ok(json!([]).into())
}

/// `POST cloud/users/{id}/wipe`: every device of the account is to erase what it holds.
pub(super) async fn wipe(call: &Call<'_>, login: &str) -> Answer {
    check_admin(call)?;
    let space = call.visit.space;
    let account = find(space, login).await?.ok_or_else(Outcome::unknown_route)?;
    for device in space.devices(account.id).await? {
        match space.wipe_device(account.id, device.id).await {
            Ok(()) | Err(StoreError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(json!([]).into())
}

/// `GET cloud/users/{id}/groups`.
pub(super) async fn groups_of(call: &Call<'_>, login: &str) -> Answer {
    let account = target(call, login, Outcome::unknown_route()).await?;
    Ok(json!({ "groups": groups::names_of(call.visit.space, &account).await? }).into())
}

/// `POST` and `DELETE cloud/users/{id}/groups`.
pub(super) async fn set_membership(call: &Call<'_>, login: &str, is_in: bool) -> Answer {
    check_admin(call)?;
    let space = call.visit.space;
    let name = call.params.text("groupid").unwrap_or_default();
    if name.is_empty() {
        return Err(failed(101, "No group was named"));
    }
    let group = Named::find(space, &name).await?.ok_or_else(|| failed(102, "The group does not exist"))?;
    let account = find(space, login).await?.ok_or_else(|| failed(103, "The account does not exist"))?;
    match is_in {
        true => group.add(space, &account).await?,
        // Somebody is always left to manage the space.
        false if matches!(group, Named::Admins) && account.id == call.caller.account.id => {
            return Err(failed(105, "Cannot remove yourself from the admin group"));
        }
        false => group.remove(space, &account).await?,
    }
    Ok(json!([]).into())
}

/// `GET cloud/users/{id}/subadmins`: nobody manages a group alone.
pub(super) async fn subadmins(call: &Call<'_>, login: &str) -> Answer {
    check_admin(call)?;
    find(call.visit.space, login).await?.ok_or_else(|| Outcome::not_found("User does not exist"))?;
    Ok(json!([]).into())
}
