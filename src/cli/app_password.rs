//! `nichoir app-password`.

use clap::Subcommand;
use nichoir_auth::{device_hash, new_app_password};
use nichoir_store::{Account, Device, DeviceId, Space};
use serde_json::{Value, json};

use super::account::Whose;
use super::{Failure, Session, about, storage};

/// What can be done with app passwords.
#[derive(Debug, Subcommand)]
pub(super) enum AppPasswordCommand {
    /// Make an app password and show it once.
    Create {
        #[command(flatten)]
        whose: Whose,
        /// The name of the device.
        #[arg(long, default_value = "command line")]
        name: String,
    },
    /// List an account's devices.
    List {
        #[command(flatten)]
        whose: Whose,
    },
    /// Have a device erase what it holds when it next asks (Nextcloud's apps and desktop client do).
    Wipe {
        #[command(flatten)]
        whose: Whose,
        /// The device's number, as listed.
        id: i64,
    },
    /// Make an app password unknown.
    Revoke {
        #[command(flatten)]
        whose: Whose,
        /// The device's number, as listed.
        id: i64,
    },
}

impl AppPasswordCommand {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let store = session.store().await?;
        let (AppPasswordCommand::Create { whose, .. }
        | AppPasswordCommand::List { whose }
        | AppPasswordCommand::Wipe { whose, .. }
        | AppPasswordCommand::Revoke { whose, .. }) = &self;
        let space = store.space_named(&whose.space).await.map(|space| space.by(super::actor()));
        let space = space.map_err(|error| about(&format!("space {}", whose.space), &error))?;
        let account = space.account_by_login(&whose.login).await;
        let account = account.map_err(|error| about(&format!("account {}", whose.login), &error))?;
        let result = self.run_for(session, &space, &account).await;
        store.close().await;
        result
    }

    async fn run_for(self, session: &Session, space: &Space, account: &Account) -> Result<(), Failure> {
        match self {
            AppPasswordCommand::Create { name, .. } => {
                let password = new_app_password(space);
                let made = space.create_device(account.id, &name, device_hash(space, &password)).await;
                let made = made.map_err(|error| about("app passwords", &error))?;
                let mut value = shown(&made);
                value["password"] = password.as_str().into();
                session.say(&format!("app password {}: {password}", made.id), &value);
            }
            AppPasswordCommand::List { .. } => {
                let devices = space.devices(account.id).await.map_err(|error| storage(&error))?;
                let text: String = devices.iter().map(|device| format!("{}\t{}\n", device.id, device.name)).collect();
                session.say(&text, &Value::Array(devices.iter().map(shown).collect()));
            }
            AppPasswordCommand::Wipe { id, .. } => {
                let marked = space.wipe_device(account.id, DeviceId(id)).await;
                marked.map_err(|error| about(&format!("app password {id}"), &error))?;
                session.say(&format!("device {id} erases what it holds when it next asks"), &json!({ "wiped": id }));
            }
            AppPasswordCommand::Revoke { id, .. } => {
                let revoked = space.revoke_device(account.id, DeviceId(id)).await;
                revoked.map_err(|error| about(&format!("app password {id}"), &error))?;
                session.say(&format!("app password {id} is unknown from now on"), &json!({ "revoked": id }));
            }
        }
        Ok(())
    }
}

fn shown(device: &Device) -> Value {
    json!({
        "id": device.id.0,
        "name": device.name,
        "created": device.created.seconds(),
        "is_wiped": device.is_wiped,
        "last_used": device.last_used.map(nichoir_store::Timestamp::seconds),
    })
}
