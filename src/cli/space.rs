//! `nichoir space`.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use clap::Subcommand;
use nichoir_preview::{Drawing, MediaType};
use nichoir_store::{NewSpace, Sitter, SpaceHealth, SpaceInfo, SpaceState, SpaceUpdate, Store, ThemeUpdate, Timestamp};
use serde_json::{Value, json};

use super::{Failure, Session, about, parse_size, storage};

/// What can be done with spaces.
#[derive(Debug, Subcommand)]
pub(super) enum SpaceCommand {
    /// Make a space.
    Create {
        /// Its name, of a-z 0-9 -.
        name: String,
        /// A host name of its own; may be given several times.
        #[arg(long = "host")]
        hosts: Vec<String>,
        /// The pool.
        #[arg(long, default_value = "40GB", value_parser = parse_size)]
        quota: u64,
        /// How many accounts it may have.
        #[arg(long, default_value_t = 50)]
        max_accounts: u32,
    },
    /// List all spaces.
    List,
    /// Show one space.
    Show {
        /// Its name.
        name: String,
    },
    /// Change a space.
    Set {
        /// Its name.
        name: String,
        /// The host names of its own, all of them.
        #[arg(long = "host")]
        hosts: Vec<String>,
        /// The pool.
        #[arg(long, value_parser = parse_size)]
        quota: Option<u64>,
        /// How many accounts it may have.
        #[arg(long)]
        max_accounts: Option<u32>,
        /// What clients call it; empty: its name.
        #[arg(long)]
        title: Option<String>,
        /// A line that clients show below; empty: none.
        #[arg(long)]
        slogan: Option<String>,
        /// Its colour, #rrggbb; empty: the usual one.
        #[arg(long, alias = "color")]
        colour: Option<String>,
        /// A PNG or JPEG file with its logo.
        #[arg(long, conflicts_with = "no_logo")]
        logo: Option<PathBuf>,
        /// It has no logo any more.
        #[arg(long)]
        no_logo: bool,
    },
    /// Stop serving a space; its clients wait.
    Suspend {
        /// Its name.
        name: String,
    },
    /// Serve a suspended space again.
    Resume {
        /// Its name.
        name: String,
    },
    /// Delete a space with everything in it.
    Delete {
        /// Its name.
        name: String,
        /// Say that this is meant.
        #[arg(long)]
        yes: bool,
    },
}

impl SpaceCommand {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let store = session.store().await?;
        let update = |name: String, update: SpaceUpdate| {
            let store = store.clone();
            async move { store.update_space(&name, update).await.map_err(|error| about(&format!("space {name}"), &error)) }
        };
        let result = match self {
            SpaceCommand::Create { name, hosts, quota, max_accounts } => {
                let new = NewSpace { name: name.clone(), hosts, quota_bytes: quota, max_accounts };
                let made = store.create_space(new).await.map_err(|error| about(&format!("space {name}"), &error))?;
                session.say(&format!("space {name} is there"), &shown(made.info()));
                Ok(())
            }
            SpaceCommand::List => {
                let spaces = store.spaces().await.map_err(|error| storage(&error))?;
                let mut health = store.health().await.map_err(|error| storage(&error))?;
                let (mut text, mut values) = (String::new(), Vec::new());
                for space in &spaces {
                    let health = health.remove(&space.id).unwrap_or_default();
                    text.push_str(&format!("{}{}\n", line(space), problem_count(&health)));
                    values.push(shown_with(space, &health));
                }
                session.say(&text, &Value::Array(values));
                Ok(())
            }
            SpaceCommand::Show { name } => {
                let space = store.space_named(&name).await.map_err(|error| about(&format!("space {name}"), &error))?;
                let health = store.health().await.map_err(|error| storage(&error))?;
                let health = health.get(&space.info().id).cloned().unwrap_or_default();
                let problems: String = health.problems.iter().map(|problem| format!("\n{problem}")).collect();
                let text = format!("{}{}{problems}", line(space.info()), problem_count(&health));
                session.say(&text, &shown_with(space.info(), &health));
                Ok(())
            }
            SpaceCommand::Set { name, hosts, quota, max_accounts, title, slogan, colour, logo, no_logo } => {
                let hosts = (!hosts.is_empty()).then_some(hosts);
                let logo = match (logo, no_logo) {
                    (Some(file), _) => Some(Some(logo_of(session, &file).await?)),
                    (None, true) => Some(None),
                    (None, false) => None,
                };
                let logo = match logo {
                    None => None,
                    Some(logo) => Some(set_logo(&store, &name, logo).await?),
                };
                let theme = ThemeUpdate { title, slogan, colour, logo };
                let changed =
                    update(name, SpaceUpdate { hosts, quota_bytes: quota, max_accounts, state: None, theme }).await?;
                session.say(&line(&changed), &shown(&changed));
                Ok(())
            }
            SpaceCommand::Suspend { name } => {
                let state = Some(SpaceState::Suspended);
                let changed = update(name, SpaceUpdate { state, ..SpaceUpdate::default() }).await?;
                session.say(&line(&changed), &shown(&changed));
                Ok(())
            }
            SpaceCommand::Resume { name } => {
                let state = Some(SpaceState::Active);
                let changed = update(name, SpaceUpdate { state, ..SpaceUpdate::default() }).await?;
                session.say(&line(&changed), &shown(&changed));
                Ok(())
            }
            SpaceCommand::Delete { name, yes: false } => {
                Err(format!("space {name} would be gone with everything in it; say --yes if that is meant"))
            }
            SpaceCommand::Delete { name, yes: true } => {
                let named = store.space_named(&name).await.map_err(|error| about(&format!("space {name}"), &error))?;
                store.delete_space(&name).await.map_err(|error| about(&format!("space {name}"), &error))?;
                let gone = named.info().uuid.to_string();
                session.config.previews().keep_only(move |space| space != gone).await;
                session.say(&format!("space {name} is gone"), &json!({ "deleted": name }));
                Ok(())
            }
        };
        store.close().await;
        result
    }
}

/// The file, if it is a logo.
async fn logo_of(session: &Session, file: &Path) -> Result<Bytes, Failure> {
    let limit = session.config.previews.logo_bytes_max;
    let about = |wrong: &dyn std::fmt::Display| format!("{}: {wrong}", file.display());
    let size_bytes = std::fs::metadata(file).map_err(|error| about(&error))?.len();
    if size_bytes > limit {
        return Err(about(&format!("a logo has at most {limit} bytes")));
    }
    let bytes = Bytes::from(std::fs::read(file).map_err(|error| about(&error))?);
    if MediaType::of(&bytes).is_none() {
        return Err(about(&"a logo is a PNG or JPEG file"));
    }
    let drawing = Drawing::Square { source: bytes.clone(), side: 64 };
    session.config.previews().draw("", drawing).await.map_err(|failure| about(&failure))?;
    Ok(bytes)
}

/// Its digest.
async fn set_logo(store: &Store, name: &str, logo: Option<Bytes>) -> Result<Option<String>, Failure> {
    let wrong = |error: nichoir_store::Error| about(&format!("space {name}"), &error);
    let space = store.space_named(name).await.map_err(wrong)?;
    space.set_picture(Sitter::Space, logo).await.map_err(wrong)
}

fn shown(space: &SpaceInfo) -> Value {
    json!({
        "name": space.name,
        "uuid": space.uuid.to_string(),
        "hosts": space.hosts,
        "quota_bytes": space.quota_bytes,
        "max_accounts": space.max_accounts,
        "state": state(space),
        "instance_id": space.instance_id,
        "title": space.theme.title,
        "slogan": space.theme.slogan,
        "colour": space.theme.colour.map(|[red, green, blue]| format!("#{red:02x}{green:02x}{blue:02x}")),
        "has_logo": space.theme.logo.is_some(),
    })
}

fn shown_with(space: &SpaceInfo, health: &SpaceHealth) -> Value {
    let mut value = shown(space);
    value["checked"] = health.checked.map(Timestamp::seconds).into();
    value["scrubbed"] = health.scrubbed.map(Timestamp::seconds).into();
    value["problems"] = json!(health.problems);
    value
}

fn problem_count(health: &SpaceHealth) -> String {
    match health.problems.len() {
        0 => String::new(),
        problems => format!("\t{problems} PROBLEMS"),
    }
}

fn line(space: &SpaceInfo) -> String {
    format!(
        "{}\t{}\t{} bytes\t{} accounts\t{}",
        space.name,
        state(space),
        space.quota_bytes,
        space.max_accounts,
        space.hosts.join(",")
    )
}

fn state(space: &SpaceInfo) -> &'static str {
    match space.state {
        SpaceState::Active => "active",
        SpaceState::Suspended => "suspended",
    }
}
