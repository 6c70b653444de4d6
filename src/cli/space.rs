//! `nichoir space`.

use clap::Subcommand;
use nichoir_store::{NewSpace, SpaceInfo, SpaceState, SpaceUpdate};
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
                let text: String = spaces.iter().map(|space| format!("{}\n", line(space))).collect();
                session.say(&text, &Value::Array(spaces.iter().map(shown).collect()));
                Ok(())
            }
            SpaceCommand::Show { name } => {
                let space = store.space_named(&name).await.map_err(|error| about(&format!("space {name}"), &error))?;
                session.say(&line(space.info()), &shown(space.info()));
                Ok(())
            }
            SpaceCommand::Set { name, hosts, quota, max_accounts } => {
                let hosts = (!hosts.is_empty()).then_some(hosts);
                let changed =
                    update(name, SpaceUpdate { hosts, quota_bytes: quota, max_accounts, state: None }).await?;
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
                store.delete_space(&name).await.map_err(|error| about(&format!("space {name}"), &error))?;
                session.say(&format!("space {name} is gone"), &json!({ "deleted": name }));
                Ok(())
            }
        };
        store.close().await;
        result
    }
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
    })
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
