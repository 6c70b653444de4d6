//! `nichoir account`.

use clap::{Args, Subcommand};
use nichoir_auth::{generate_password, hash_password};
use nichoir_store::{Account, AccountUpdate, NewAccount, Ports, Role};
use serde_json::{Value, json};

use super::{Failure, Session, about, storage};

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
    /// List a space's accounts.
    List {
        /// The space.
        #[arg(long)]
        space: String,
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
    /// Delete an account with its files.
    Delete {
        #[command(flatten)]
        whose: Whose,
        /// Say that this is meant.
        #[arg(long)]
        yes: bool,
    },
}

/// The shortest password that is taken, in characters.
const PASSWORD_CHARS_MIN: usize = 8;

impl AccountCommand {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let store = session.store().await?;
        let name = match &self {
            AccountCommand::List { space } => space.clone(),
            AccountCommand::Create { whose, .. }
            | AccountCommand::SetPassword { whose, .. }
            | AccountCommand::Disable { whose }
            | AccountCommand::Enable { whose }
            | AccountCommand::Delete { whose, .. } => whose.space.clone(),
        };
        let space = store.space_named(&name).await.map_err(|error| about(&format!("space {name}"), &error))?;
        let result = self.run_in(session, &space).await;
        store.close().await;
        result
    }

    async fn run_in(self, session: &Session, space: &nichoir_store::Space) -> Result<(), Failure> {
        let update = async |login: &str, update: AccountUpdate| {
            let account =
                space.account_by_login(login).await.map_err(|error| about(&format!("account {login}"), &error))?;
            space.update_account(account.id, update).await.map_err(|error| storage(&error))
        };
        match self {
            AccountCommand::Create { whose, display_name, email, admin, password } => {
                let (hash, shown_once) = password.read(session)?;
                let role = if admin { Role::Admin } else { Role::Member };
                let new = NewAccount { login: whose.login.clone(), display_name, email, role, password_hash: hash };
                let made = space.create_account(new).await;
                let made = made.map_err(|error| about(&format!("account {}", whose.login), &error))?;
                say_with_password(session, &made, "is there", shown_once);
            }
            AccountCommand::List { .. } => {
                let accounts = space.accounts().await.map_err(|error| storage(&error))?;
                let text: String = accounts.iter().map(|account| format!("{}\n", line(account))).collect();
                session.say(&text, &Value::Array(accounts.iter().map(shown).collect()));
            }
            AccountCommand::SetPassword { whose, password } => {
                let (hash, shown_once) = password.read(session)?;
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
            AccountCommand::Delete { whose, yes: false } => {
                return Err(format!(
                    "account {} would be gone with its files; say --yes if that is meant",
                    whose.login
                ));
            }
            AccountCommand::Delete { whose, yes: true } => {
                let login = whose.login;
                let account = space.account_by_login(&login).await;
                let account = account.map_err(|error| about(&format!("account {login}"), &error))?;
                space.delete_account(account.id).await.map_err(|error| storage(&error))?;
                session.say(&format!("account {login} is gone"), &json!({ "deleted": login }));
            }
        }
        Ok(())
    }
}

impl PasswordSource {
    /// The hash, and the password if it was made here.
    fn read(&self, session: &Session) -> Result<(Option<String>, Option<String>), Failure> {
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
        if password.chars().count() < PASSWORD_CHARS_MIN {
            return Err(format!("a password has at least {PASSWORD_CHARS_MIN} characters"));
        }
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
