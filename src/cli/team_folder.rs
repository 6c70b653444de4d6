//! `nichoir team-folder`.

use clap::{Args, Subcommand, ValueEnum};
use nichoir_store::{Group, Permissions, Space, TeamFolder};
use serde_json::{Value, json};

use super::{Failure, Session, about, parse_size, storage};

/// Which team folder.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// The space.
    #[arg(long)]
    space: String,
    /// The folder's name.
    folder: String,
}

/// What a group may do with a team folder.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Right {
    /// Look at it.
    Read,
    /// Also change everything in it.
    Write,
    /// Also share what is in it with others.
    Share,
    /// Nothing: the group does not see it.
    None,
}

impl Right {
    fn permissions(self) -> Permissions {
        match self {
            Right::Read => Permissions::READ,
            Right::Write => Permissions::READ_WRITE,
            Right::Share => Permissions::ALL,
            Right::None => Permissions::NONE,
        }
    }
}

/// What can be done with team folders.
#[derive(Debug, Subcommand)]
pub(super) enum TeamFolderCommand {
    /// Make a team folder, which nobody sees before a group is given rights over it.
    Create {
        #[command(flatten)]
        which: Which,
        /// What it may hold, such as 5GB; the whole pool if not said.
        #[arg(long, value_parser = parse_size)]
        quota: Option<u64>,
    },
    /// List a space's team folders.
    List {
        /// The space.
        #[arg(long)]
        space: String,
    },
    /// Give a group rights over a team folder.
    Grant {
        #[command(flatten)]
        which: Which,
        /// The group's name; `everyone` is the whole space.
        group: String,
        /// What it may do.
        right: Right,
    },
    /// Set what a team folder may hold.
    Quota {
        #[command(flatten)]
        which: Which,
        /// Such as 5GB; the whole pool if not said.
        #[arg(value_parser = parse_size)]
        quota: Option<u64>,
    },
    /// Delete a team folder with everything in it.
    Delete {
        #[command(flatten)]
        which: Which,
        /// Say that this is meant.
        #[arg(long)]
        yes: bool,
    },
}

impl TeamFolderCommand {
    fn space(&self) -> &str {
        match self {
            TeamFolderCommand::List { space } => space,
            TeamFolderCommand::Create { which, .. }
            | TeamFolderCommand::Grant { which, .. }
            | TeamFolderCommand::Quota { which, .. }
            | TeamFolderCommand::Delete { which, .. } => &which.space,
        }
    }

    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let name = self.space().to_owned();
        session.in_space(&name, async |space| self.run_in(space, session).await).await
    }

    async fn run_in(self, space: &Space, session: &Session) -> Result<(), Failure> {
        match self {
            TeamFolderCommand::Create { which, quota } => {
                let made = space.create_team_folder(&which.folder, quota).await;
                made.map_err(|error| about(&named(&which), &error))?;
                say(session, space, &which).await
            }
            TeamFolderCommand::List { .. } => list(session, space).await,
            TeamFolderCommand::Grant { which, group, right } => {
                let folder = find(space, &which).await?;
                let group = space.group_by_name(&group).await;
                let group = group.map_err(|error| about(&format!("group for {}", named(&which)), &error))?;
                let granted = space.grant_team_folder(folder.id, group.id, right.permissions()).await;
                granted.map_err(|error| about(&named(&which), &error))?;
                say(session, space, &which).await
            }
            TeamFolderCommand::Quota { which, quota } => {
                let folder = find(space, &which).await?;
                let set = space.set_team_folder_quota(folder.id, quota).await;
                set.map_err(|error| about(&named(&which), &error))?;
                say(session, space, &which).await
            }
            TeamFolderCommand::Delete { which, yes: false } => {
                Err(format!("{} with everything in it would be gone; say --yes if that is meant", named(&which)))
            }
            TeamFolderCommand::Delete { which, yes: true } => {
                let folder = find(space, &which).await?;
                space.delete_team_folder(folder.id).await.map_err(|error| about(&named(&which), &error))?;
                session.say(&format!("team folder {} is gone", folder.name), &json!({ "deleted": folder.name }));
                Ok(())
            }
        }
    }
}

fn named(which: &Which) -> String {
    format!("team folder {}", which.folder)
}

async fn find(space: &Space, which: &Which) -> Result<TeamFolder, Failure> {
    space.team_folder_named(&which.folder).await.map_err(|error| about(&named(which), &error))
}

async fn say(session: &Session, space: &Space, which: &Which) -> Result<(), Failure> {
    let folder = find(space, which).await?;
    let groups = space.groups().await.map_err(|error| storage(&error))?;
    session.say(&line(&folder, &groups), &shown(&folder, &groups));
    Ok(())
}

async fn list(session: &Session, space: &Space) -> Result<(), Failure> {
    let groups = space.groups().await.map_err(|error| storage(&error))?;
    let folders = space.team_folders().await.map_err(|error| storage(&error))?;
    let text: String = folders.iter().map(|folder| format!("{}\n", line(folder, &groups))).collect();
    session.say(&text, &Value::Array(folders.iter().map(|folder| shown(folder, &groups)).collect()));
    Ok(())
}

/// The groups that see it, by name, with their rights.
fn rights<'a>(folder: &'a TeamFolder, groups: &'a [Group]) -> impl Iterator<Item = (&'a str, Permissions)> {
    folder.rights.iter().filter_map(|(id, rights)| {
        groups.iter().find(|group| group.id == *id).map(|group| (group.name.as_str(), *rights))
    })
}

fn shown(folder: &TeamFolder, groups: &[Group]) -> Value {
    let rights: serde_json::Map<String, Value> =
        rights(folder, groups).map(|(name, rights)| (name.to_owned(), json!(rights.bits()))).collect();
    json!({
        "name": folder.name,
        "size_bytes": folder.size_bytes,
        "quota_bytes": folder.quota_bytes,
        "groups": rights,
    })
}

fn line(folder: &TeamFolder, groups: &[Group]) -> String {
    let rights: Vec<String> = rights(folder, groups)
        .map(|(name, rights)| {
            let word = match rights {
                Permissions::ALL => "share",
                _ if rights.is_writable() => "write",
                _ => "read",
            };
            format!("{name}={word}")
        })
        .collect();
    format!("{}\t{}\t{}", folder.name, folder.size_bytes, rights.join(","))
}
