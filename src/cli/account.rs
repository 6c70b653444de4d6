//! `nichoir account`.

use clap::{Args, Subcommand};
use nichoir_auth::{generate_password, hash_password};
use nichoir_store::{Account, AccountUpdate, Departure, Error as StoreError, NewAccount, Ports, Role, Space};
use serde_json::{Value, json};

use super::{Failure, Session, about, parse_size, storage};

/// Whose account.
#[derive(Debug, Args)]
pub(super) struct Whose {
    /// The space.
    #[arg(long)]
    pub(super) space: String,
    /// The login.
    pub(super) login: String,
}

/// Where a password comes from.
#[derive(Debug, Args)]
pub(super) struct PasswordSource {
    /// Read the password from standard input, up to the end of the line.
    #[arg(long, conflicts_with = "generate_password")]
    password_stdin: bool,
    /// Make a password and show it once.
    #[arg(long)]
    generate_password: bool,
}

/// What can be done with accounts.
#[derive(Debug, Subcommand)]
pub(super) enum AccountCommand {
    /// Make an account.
    Create {
        #[command(flatten)]
        whose: Whose,
        /// The name to show.
        #[arg(long, default_value = "")]
        display_name: String,
        /// The mail address.
        #[arg(long)]
        email: Option<String>,
        /// Let it manage the space.
        #[arg(long)]
        admin: bool,
        #[command(flatten)]
        password: PasswordSource,
    },
    /// List a space's accounts and what they hold.
    List {
        /// The space.
        #[arg(long)]
        space: String,
        /// Those that were deleted and are still kept.
        #[arg(long)]
        departed: bool,
    },
    /// Change an account.
    Set {
        #[command(flatten)]
        whose: Whose,
        #[command(flatten)]
        change: AccountChange,
    },
    /// Set a password.
    SetPassword {
        #[command(flatten)]
        whose: Whose,
        #[command(flatten)]
        password: PasswordSource,
    },
    /// Refuse an account's requests; its devices keep what they have.
    Disable {
        #[command(flatten)]
        whose: Whose,
    },
    /// Serve a disabled account again.
    Enable {
        #[command(flatten)]
        whose: Whose,
    },
    /// Delete an account. What it held is kept for a while and comes back with `restore`, unless said otherwise.
    Delete {
        #[command(flatten)]
        whose: Whose,
        /// Give files, calendars, contacts and shares to this account at once.
        #[arg(long, value_name = "LOGIN", conflicts_with = "now")]
        hand_over_to: Option<String>,
        /// Keep nothing.
        #[arg(long)]
        now: bool,
        /// Say that this is meant.
        #[arg(long)]
        yes: bool,
    },
    /// Take a deletion back.
    Restore {
        #[command(flatten)]
        whose: Whose,
    },
}

/// What to change of an account.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(super) struct AccountChange {
    /// The name to show.
    #[arg(long)]
    display_name: Option<String>,
    /// The mail address; empty for none.
    #[arg(long)]
    email: Option<String>,
    /// The account's own share of the pool, such as 5GB; `none` for as much as there is.
    #[arg(long, value_parser = parse_share)]
    quota: Option<Share>,
    /// Whether it manages the space.
    #[arg(long)]
    admin: Option<bool>,
}

/// A share of the pool; `None`: as much as there is.
#[derive(Clone, Copy, Debug)]
struct Share(Option<u64>);

fn parse_share(text: &str) -> Result<Share, String> {
    if text == "none" { Ok(Share(None)) } else { parse_size(text).map(|bytes| Share(Some(bytes))) }
}

impl AccountChange {
    fn update(self) -> AccountUpdate {
        let role = |is_admin| if is_admin { Role::Admin } else { Role::Member };
        AccountUpdate {
            display_name: self.display_name,
            email: self.email.map(|email| Some(email).filter(|email| !email.is_empty())),
            quota_bytes: self.quota.map(|share| share.0),
            role: self.admin.map(role),
            ..AccountUpdate::default()
        }
    }
}

impl AccountCommand {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let name = match &self {
            AccountCommand::List { space, .. } => space.clone(),
            AccountCommand::Create { whose, .. }
            | AccountCommand::SetPassword { whose, .. }
            | AccountCommand::Disable { whose }
            | AccountCommand::Enable { whose }
            | AccountCommand::Set { whose, .. }
            | AccountCommand::Restore { whose }
            | AccountCommand::Delete { whose, .. } => whose.space.clone(),
        };
        session.in_space(&name, async |space| self.run_in(session, space).await).await
    }

    async fn run_in(self, session: &Session, space: &Space) -> Result<(), Failure> {
        let update = async |login: &str, update: AccountUpdate| {
            let account =
                space.account_by_login(login).await.map_err(|error| about(&format!("account {login}"), &error))?;
            space.update_account(account.id, update).await.map_err(|error| storage(&error))
        };
        match self {
            AccountCommand::Create { whose, display_name, email, admin, password } => {
                let (hash, shown_once) = password.read(session, &whose.login)?;
                let role = if admin { Role::Admin } else { Role::Member };
                let new = NewAccount { login: whose.login.clone(), display_name, email, role, password_hash: hash };
                let made = space.create_account(new).await;
                let made = made.map_err(|error| about(&format!("account {}", whose.login), &error))?;
                say_with_password(session, &made, "is there", shown_once);
            }
            AccountCommand::List { departed, .. } => list(session, space, departed).await?,
            AccountCommand::Set { whose, change } => {
                let account = update(&whose.login, change.update()).await?;
                session.say(&line(&account), &shown(&account));
            }
            AccountCommand::Restore { whose } => {
                let account = find_departed(space, &whose.login).await?;
                let restored = space.restore_account(account.id).await;
                let account = restored.map_err(|error| about(&format!("account {}", whose.login), &error))?;
                session.say(&line(&account), &shown(&account));
            }
            AccountCommand::SetPassword { whose, password } => {
                let (hash, shown_once) = password.read(session, &whose.login)?;
                if hash.is_none() {
                    return Err("say --password-stdin or --generate-password".to_owned());
                }
                let change = AccountUpdate { password_hash: Some(hash), ..AccountUpdate::default() };
                say_with_password(session, &update(&whose.login, change).await?, "has a new password", shown_once);
            }
            AccountCommand::Disable { whose } => {
                let change = AccountUpdate { is_enabled: Some(false), ..AccountUpdate::default() };
                let account = update(&whose.login, change).await?;
                session.say(&line(&account), &shown(&account));
            }
            AccountCommand::Enable { whose } => {
                let change = AccountUpdate { is_enabled: Some(true), ..AccountUpdate::default() };
                let account = update(&whose.login, change).await?;
                session.say(&line(&account), &shown(&account));
            }
            AccountCommand::Delete { whose, yes: false, .. } => {
                return Err(format!("account {} would be gone; say --yes if that is meant", whose.login));
            }
            AccountCommand::Delete { whose, hand_over_to, now, yes: true } => {
                delete(session, space, whose.login, hand_over_to, now).await?;
            }
        }
        Ok(())
    }
}

async fn list(session: &Session, space: &Space, are_departed: bool) -> Result<(), Failure> {
    let accounts = match are_departed {
        true => space.departed_accounts().await,
        false => space.accounts().await,
    };
    let accounts = accounts.map_err(|error| storage(&error))?;
    let held = space.held_bytes_of_all().await.map_err(|error| storage(&error))?;
    let (mut text, mut values) = (String::new(), Vec::new());
    for account in &accounts {
        let held_bytes = held.iter().find(|(id, _)| *id == account.id).map_or(0, |(_, bytes)| *bytes);
        text.push_str(&format!("{}\t{held_bytes} bytes\n", line(account)));
        let mut value = shown(account);
        value["held_bytes"] = held_bytes.into();
        values.push(value);
    }
    session.say(&text, &Value::Array(values));
    Ok(())
}

/// The account of that login, or the last one of that login that was deleted and is kept.
async fn find_any(space: &Space, login: &str) -> Result<Account, Failure> {
    match space.account_by_login(login).await {
        Ok(account) => Ok(account),
        Err(StoreError::NotFound) => find_departed(space, login).await,
        Err(error) => Err(storage(&error)),
    }
}

async fn find_departed(space: &Space, login: &str) -> Result<Account, Failure> {
    let departed = space.departed_accounts().await.map_err(|error| storage(&error))?;
    let of_login = departed.into_iter().filter(|account| account.login.eq_ignore_ascii_case(login));
    of_login.max_by_key(|account| account.departed).ok_or_else(|| format!("account {login}: there is none"))
}

async fn delete(
    session: &Session,
    space: &Space,
    login: String,
    heir: Option<String>,
    now: bool,
) -> Result<(), Failure> {
    let account = find_any(space, &login).await?;
    let departure = match &heir {
        Some(heir) => {
            let found = space.account_by_login(heir).await;
            Departure::HandedOver(found.map_err(|error| about(&format!("account {heir}"), &error))?.id)
        }
        None if now => Departure::Gone,
        None => Departure::Kept,
    };
    let ended = space.end_account(account.id, departure).await;
    ended.map_err(|error| about(&format!("account {login}"), &error))?;
    let rest = match (&heir, now) {
        (Some(heir), _) => format!("what it held is {heir}'s"),
        (None, true) => "and all that it held".to_owned(),
        (None, false) => format!("what it held is kept for {} days", space.limits().departed_days),
    };
    session.say(&format!("account {login} is gone, {rest}"), &json!({ "deleted": login, "handed_over_to": heir }));
    Ok(())
}

impl PasswordSource {
    /// The hash, and the password if it was made here.
    fn read(&self, session: &Session, login: &str) -> Result<(Option<String>, Option<String>), Failure> {
        let cost = session.config.auth_limits().password_cost();
        let hash = |password: &str| hash_password(password, cost, &Ports::system());
        if self.generate_password {
            let password = generate_password(&Ports::system());
            return Ok((Some(hash(&password)), Some(password)));
        }
        if !self.password_stdin {
            return Ok((None, None));
        }
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map_err(|error| format!("cannot read the password: {error}"))?;
        let password = line.trim_end_matches(['\r', '\n']);
        let policy = session.config.auth_limits().password_policy();
        policy.check(password, login).map_err(|weakness| weakness.to_string())?;
        Ok((Some(hash(password)), None))
    }
}

fn say_with_password(session: &Session, account: &Account, what: &str, password: Option<String>) {
    let mut value = shown(account);
    let mut text = format!("account {} {what}", account.login);
    if let Some(password) = password {
        text.push_str(&format!("\npassword: {password}"));
        value["password"] = password.into();
    }
    session.say(&text, &value);
}

fn shown(account: &Account) -> Value {
    json!({
        "login": account.login,
        "display_name": account.display_name,
        "email": account.email,
        "role": role(account),
        "enabled": account.is_enabled,
        "quota_bytes": account.quota_bytes,
        "departed": account.departed.map(nichoir_store::Timestamp::seconds),
    })
}

fn line(account: &Account) -> String {
    let state = if account.is_enabled { "enabled" } else { "disabled" };
    format!(
        "{}\t{}\t{}\t{}\t{}",
        account.login,
        account.display_name,
        role(account),
        state,
        account.email.as_deref().unwrap_or("")
    )
}

fn role(account: &Account) -> &'static str {
    match account.role {
        Role::Member => "member",
        Role::Admin => "admin",
    }
}
