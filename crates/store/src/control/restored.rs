//! Spaces that come from backups: in the catalogue they are suspended and have a name of their own, until all of it is there.

use super::{BY_NAME, Control, FORGET_HOSTS, INSERT_HOST, SET_STATE, check_chosen_name, check_name, insert_hosts};
use crate::error::Error;
use crate::ports::Timestamp;
use crate::sql::{Connection, Sql, Value};
use crate::upkeep;

/// What the names of spaces begin with whose restore is under way, or was cut off.
const PROVISIONAL: &str = "restoring-";

/// Whether that is the name of a space whose restore is under way, or was cut off: not yet a space to anybody.
pub(crate) fn is_provisional(name: &str) -> bool {
    name.starts_with(PROVISIONAL)
}

/// What a restored space is in the catalogue.
#[derive(Clone)]
pub(crate) struct Restored {
    pub(crate) instance_id: String,
    pub(crate) secret: [u8; 32],
    pub(crate) data_fingerprint: String,
    pub(crate) quota_bytes: u64,
    pub(crate) max_accounts: u32,
    /// Title, slogan, colour and logo.
    pub(crate) theme: [String; 4],
    /// When what is in it is first read to be compared with its digests.
    pub(crate) scrub_due: Timestamp,
}

/// The space in whose place a restored one is put.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) id: i64,
    /// What it is called from then on.
    pub(crate) kept_as: String,
}

impl Control {
    /// Whether a space may have that name.
    pub(crate) async fn check_new_name(&self, name: &str) -> Result<(), Error> {
        check_chosen_name(name)?;
        match self.all_of(BY_NAME, &[name.into()]).await?.is_empty() {
            true => Ok(()),
            false => Err(Error::Exists),
        }
    }

    /// Adds a space that is not there yet, under a name of the moment; nobody but the administrator sees it. Returns number and name.
    pub(crate) async fn announce(&self, restored: &Restored) -> Result<(i64, String), Error> {
        let name = format!("{PROVISIONAL}{}", self.ports.lower_alphanumeric(8));
        let mut connection = self.connection().await?;
        connection.begin().await?;
        let made = self.insert_restored(&mut connection, &name, restored).await;
        let id = made.as_ref().copied().unwrap_or_default();
        self.finish(connection, made.map(drop)).await.map(|()| (id, name))
    }

    async fn insert_restored(
        &self,
        connection: &mut Connection,
        name: &str,
        restored: &Restored,
    ) -> Result<i64, Error> {
        let id = connection.row(super::NEXT_SPACE, &[]).await?.int(0)?;
        let uuid = uuid::Builder::from_random_bytes(self.ports.bytes()).into_uuid();
        let [title, slogan, colour, logo] = restored.theme.clone();
        let args: [Value; 16] = [
            id.into(),
            uuid.to_string().into(),
            name.into(),
            restored.quota_bytes.into(),
            i64::from(restored.max_accounts).into(),
            restored.instance_id.as_str().into(),
            restored.data_fingerprint.as_str().into(),
            restored.secret.as_slice().into(),
            self.ports.clock.now().into(),
            upkeep::NEVER.into(),
            title.into(),
            slogan.into(),
            colour.into(),
            logo.into(),
            upkeep::NEVER.into(),
            restored.scrub_due.into(),
        ];
        connection.one(INSERT_RESTORED, &args).await?;
        Ok(id)
    }

    /// Gives the space its name and hosts, those of the space in whose place it is put, if there is one. That one stays, suspended,
    /// under another name. All of it or nothing.
    pub(crate) async fn install(
        &self,
        id: i64,
        name: &str,
        hosts: &[String],
        outgoing: Option<&Outgoing>,
        upkeep_due: Timestamp,
    ) -> Result<(), Error> {
        check_name(name)?;
        let mut connection = self.connection().await?;
        connection.begin().await?;
        let installed = async {
            match outgoing {
                Some(Outgoing { id: old, kept_as }) => {
                    check_name(kept_as)?;
                    let state = connection.row(STATE, &[(*old).into()]).await?.int(0)?;
                    connection.one(RENAME, &[(*old).into(), kept_as.as_str().into()]).await?;
                    connection.one(SET_STATE, &[(*old).into(), true.into()]).await?;
                    let hosts = connection.all(super::HOSTS_OF, &[(*old).into()]).await?;
                    connection.run(FORGET_HOSTS, &[(*old).into()]).await?;
                    for host in hosts {
                        connection.one(INSERT_HOST, &[host.text(0)?.into(), id.into()]).await?;
                    }
                    connection.one(SET_STATE, &[id.into(), state.into()]).await?;
                }
                None => {
                    insert_hosts(&mut connection, id, hosts).await?;
                    connection.one(SET_STATE, &[id.into(), false.into()]).await?;
                }
            }
            connection.one(RENAME, &[id.into(), name.into()]).await?;
            let detail = outgoing.map(|outgoing| format!("the one before is {}", outgoing.kept_as)).unwrap_or_default();
            self.note_act(&mut connection, id, "restored the space from a backup", &detail).await?;
            connection.one(SET_UPKEEP, &[id.into(), upkeep_due.into()]).await
        }
        .await;
        self.finish(connection, installed).await
    }
}

const INSERT_RESTORED: Sql =
    Sql("INSERT INTO space (id, uuid, name, quota_bytes, max_accounts, is_suspended, instance_id, data_fingerprint,
                        secret, created_us, upkeep_due_us, title, slogan, colour, logo, check_due_us, scrub_due_us,
                        has_outgoing)
     VALUES ($1, $2, $3, $4, $5, 1, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 0)");

const STATE: Sql = Sql("SELECT is_suspended FROM space WHERE id = $1");

const RENAME: Sql = Sql("UPDATE space SET name = $2 WHERE id = $1");

const SET_UPKEEP: Sql = Sql("UPDATE space SET upkeep_due_us = $2 WHERE id = $1");

pub(crate) const STATEMENTS: &[Sql] = &[INSERT_RESTORED, STATE, RENAME, SET_UPKEEP];
