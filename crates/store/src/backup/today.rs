//! What a space that is put back keeps of today: who may come in. Whatever was revoked since the backup stays revoked.

use std::collections::HashMap;
use std::sync::Arc;

use super::segment::values_of;
use crate::error::Error;
use crate::space::SpaceCore;
use crate::sql::{Connection, Row, Sql, Value};
use crate::tables::{TABLES, Table};

/// The numbers that a space has given out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counters {
    pub(super) change_seq: i64,
    pub(super) next_id: i64,
}

impl Counters {
    pub(super) async fn of(core: &Arc<SpaceCore>) -> Result<Counters, Error> {
        Counters::from(&core.reader().await?.row(COUNTERS, &[]).await?)
    }

    pub(super) fn from(row: &Row) -> Result<Counters, Error> {
        Ok(Counters { change_seq: row.int(0)?, next_id: row.int(1)? })
    }

    pub(super) fn max(self, other: Counters) -> Counters {
        Counters { change_seq: self.change_seq.max(other.change_seq), next_id: self.next_id.max(other.next_id) }
    }
}

/// Today's log-ins of a space.
pub(super) struct LogIns {
    accounts: HashMap<i64, LogIn>,
    /// The account of a device, and its row.
    devices: Vec<(i64, Vec<Value>)>,
}

/// How an account logs in.
struct LogIn {
    password_hash: Option<String>,
    is_enabled: bool,
    role: String,
}

impl LogIns {
    pub(super) async fn of(core: &Arc<SpaceCore>) -> Result<LogIns, Error> {
        let mut reader = core.reader().await?;
        let mut accounts = HashMap::new();
        for row in reader.all(LOG_INS, &[]).await? {
            // An account that was deleted and is kept for some days is out.
            let is_enabled = row.truth(2)? && row.maybe_int(4)?.is_none();
            let log_in = LogIn { password_hash: row.maybe_text(1)?, is_enabled, role: row.text(3)? };
            accounts.insert(row.int(0)?, log_in);
        }
        let table = device_table()?;
        let account = table.place_of("account_id").unwrap_or_default();
        let mut devices = Vec::new();
        for row in reader.all(table.select, &[]).await? {
            devices.push((row.int(account)?, values_of(table, &row)?));
        }
        Ok(LogIns { accounts, devices })
    }

    /// Makes them those of a space that nobody uses yet, with the devices or with none. An account that does not exist any more comes
    /// back disabled.
    pub(super) async fn impose(self, core: &Arc<SpaceCore>, has_devices: bool) -> Result<(), Error> {
        let connecting = Arc::clone(core);
        core.aside(async move {
            let mut connection = connecting.connect_aside().await?;
            connection.begin().await?;
            self.write(&mut connection, has_devices).await?;
            connection.script("COMMIT").await?;
            connection.close().await;
            Ok(())
        })
        .await
    }

    async fn write(&self, connection: &mut Connection, has_devices: bool) -> Result<(), Error> {
        let table = device_table()?;
        connection.run(table.delete, &[]).await?;
        for row in connection.all(LOG_INS, &[]).await? {
            let id = row.int(0)?;
            match self.accounts.get(&id) {
                None => connection.one(DISABLE, &[id.into()]).await?,
                Some(LogIn { password_hash, is_enabled, role }) => {
                    let args = [id.into(), password_hash.clone().into(), (*is_enabled).into(), role.as_str().into()];
                    connection.one(SET_LOG_IN, &args).await?;
                    for (_, device) in self.devices.iter().filter(|(account, _)| has_devices && *account == id) {
                        connection.one(table.insert, device).await?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn device_table() -> Result<&'static Table, Error> {
    let table = TABLES.iter().find(|table| table.name == "device");
    table.ok_or_else(|| Error::unavailable("there is no table of devices"))
}

const LOG_INS: Sql = Sql("SELECT id, password_hash, is_enabled, role, departed_us FROM account WHERE space_id = $1");

pub(super) const COUNTERS: Sql = Sql("SELECT change_seq, next_id FROM space_state WHERE space_id = $1");

const SET_LOG_IN: Sql =
    Sql("UPDATE account SET password_hash = $3, is_enabled = $4, role = $5 WHERE space_id = $1 AND id = $2");

const DISABLE: Sql = Sql("UPDATE account SET is_enabled = 0 WHERE space_id = $1 AND id = $2");

pub(super) const STATEMENTS: &[Sql] = &[LOG_INS, COUNTERS, SET_LOG_IN, DISABLE];
