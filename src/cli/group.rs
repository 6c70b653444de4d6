//! `nichoir group`.

use clap::{Args, Subcommand};
use nichoir_store::{Account, Group, Space};
use serde_json::{Value, json};

use super::{Failure, Session, about, storage};

/// Which group.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// The space.
    #[arg(long)]
    space: String,
    /// The group's name.
    group: String,
}

/// What can be done with groups.
#[derive(Debug, Subcommand)]
pub(super) enum GroupCommand {
    /// Make a group.
    Create {
        #[command(flatten)]
        which: Which,
        /// The name to show.
        #[arg(long, default_value = "")]
        display_name: String,
    },
    /// List a space's groups and who is in them.
    List {
        /// The space.
        #[arg(long)]
        space: String,
    },
    /// Give a group another name to show.
    Rename {
        #[command(flatten)]
        which: Which,
        /// The name to show.
        #[arg(long)]
        display_name: String,
    },
    /// Put accounts in a group.
    Add {
        #[command(flatten)]
        which: Which,
        /// Their logins.
        #[arg(required = true)]
        logins: Vec<String>,
    },
    /// Take accounts out of a group.
    Remove {
        #[command(flatten)]
        which: Which,
        /// Their logins.
        #[arg(required = true)]
        logins: Vec<String>,
    },
    /// Delete a group; what was shared with it is no longer.
    Delete {
        #[command(flatten)]
        which: Which,
        /// Say that this is meant.
        #[arg(long)]
        yes: bool,
    },
}

impl GroupCommand {
    fn space(&self) -> &str {
        match self {
            GroupCommand::List { space } => space,
            GroupCommand::Create { which, .. }
            | GroupCommand::Rename { which, .. }
            | GroupCommand::Add { which, .. }
            | GroupCommand::Remove { which, .. }
            | GroupCommand::Delete { which, .. } => &which.space,
        }
    }

    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let name = self.space().to_owned();
        session.in_space(&name, async |space| self.run_in(space, session).await).await
    }

    async fn run_in(self, space: &Space, session: &Session) -> Result<(), Failure> {
        match self {
            GroupCommand::Create { which, display_name } => {
                let made = space.create_group(&which.group, &display_name).await;
                say(session, space, &made.map_err(|error| about(&named(&which), &error))?).await
            }
            GroupCommand::List { .. } => list(session, space).await,
            GroupCommand::Rename { which, display_name } => {
                let group = find(space, &which).await?;
                let renamed = space.rename_group(group.id, &display_name).await;
                say(session, space, &renamed.map_err(|error| about(&named(&which), &error))?).await
            }
            GroupCommand::Add { which, logins } => {
                let group = find(space, &which).await?;
                for account in accounts(space, &logins).await? {
                    let added = space.add_to_group(group.id, account.id).await;
                    added.map_err(|error| about(&named(&which), &error))?;
                }
                say(session, space, &group).await
            }
            GroupCommand::Remove { which, logins } => {
                let group = find(space, &which).await?;
                for account in accounts(space, &logins).await? {
                    let removed = space.remove_from_group(group.id, account.id).await;
                    removed.map_err(|error| about(&named(&which), &error))?;
                }
                say(session, space, &group).await
            }
            GroupCommand::Delete { which, yes: false } => {
                Err(format!("{} would be gone; say --yes if that is meant", named(&which)))
            }
            GroupCommand::Delete { which, yes: true } => {
                let group = find(space, &which).await?;
                space.delete_group(group.id).await.map_err(|error| about(&named(&which), &error))?;
                session.say(&format!("group {} is gone", group.name), &json!({ "deleted": group.name }));
                Ok(())
            }
        }
    }
}

fn named(which: &Which) -> String {
    format!("group {}", which.group)
}

async fn find(space: &Space, which: &Which) -> Result<Group, Failure> {
    space.group_by_name(&which.group).await.map_err(|error| about(&named(which), &error))
}

/// The accounts of those logins, all of which must be there before the first is changed.
async fn accounts(space: &Space, logins: &[String]) -> Result<Vec<Account>, Failure> {
    let mut accounts = Vec::new();
    for login in logins {
        let account = space.account_by_login(login).await;
        accounts.push(account.map_err(|error| about(&format!("account {login}"), &error))?);
    }
    Ok(accounts)
}

async fn say(session: &Session, space: &Space, group: &Group) -> Result<(), Failure> {
    let members = space.members_of(group.id).await.map_err(|error| storage(&error))?;
    session.say(&line(group, &members), &shown(group, &members));
    Ok(())
}

async fn list(session: &Session, space: &Space) -> Result<(), Failure> {
    let (mut text, mut values) = (String::new(), Vec::new());
    for group in space.groups().await.map_err(|error| storage(&error))? {
        let members = space.members_of(group.id).await.map_err(|error| storage(&error))?;
        text.push_str(&format!("{}\n", line(&group, &members)));
        values.push(shown(&group, &members));
    }
    session.say(&text, &Value::Array(values));
    Ok(())
}

fn logins(members: &[Account]) -> Vec<&str> {
    members.iter().map(|account| account.login.as_str()).collect()
}

fn shown(group: &Group, members: &[Account]) -> Value {
    json!({ "name": group.name, "display_name": group.display_name, "members": logins(members) })
}

fn line(group: &Group, members: &[Account]) -> String {
    format!("{}\t{}\t{}", group.name, group.display_name, logins(members).join(","))
}
