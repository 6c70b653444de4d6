//! What a space that is put back keeps of today: who may come in. Whatever was revoked since the backup stays revoked.

use std::collections::HashMap;
use std::sync::Arc;

use super::segment::values_of;
use crate::error::Error;
use crate::space::SpaceCore;
use crate::sql::{Connection, Sql, Value};
use crate::tables::{TABLES, Table};

/// Today's log-ins and counters of a space.
pub(super) struct Today {
    accounts: HashMap<i64, LogIn>,
    /// The account of a device, and its row.
    devices: Vec<(i64, Vec<Value>)>,
    pub(super) change_seq: i64,
    pub(super) next_id: i64,
}

/// How an account logs in.
struct LogIn {
    password_hash: Option<String>,
    is_enabled: bool,
    role: String,
}

impl Today {
    pub(super) async fn of(core: &Arc<SpaceCore>) -> Result<Today, Error> {
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
        let counters = reader.row(COUNTERS, &[]).await?;
        Ok(Today { accounts, devices, change_seq: counters.int(0)?, next_id: counters.int(1)? })
    }

    /// Brings the log-ins of a rebuilt space to those of today. An account that does not exist any more comes back disabled.
    pub(super) async fn impose(&self, rebuilt: &mut Connection) -> Result<(), Error> {
        let table = device_table()?;
        rebuilt.run(table.delete, &[]).await?;
        for row in rebuilt.all(LOG_INS, &[]).await? {
            let id = row.int(0)?;
            match self.accounts.get(&id) {
                None => rebuilt.one(DISABLE, &[id.into()]).await?,
                Some(LogIn { password_hash, is_enabled, role }) => {
                    let args = [id.into(), password_hash.clone().into(), (*is_enabled).into(), role.as_str().into()];
                    rebuilt.one(SET_LOG_IN, &args).await?;
                    for (_, device) in self.devices.iter().filter(|(account, _)| *account == id) {
                        rebuilt.one(table.insert, device).await?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// No device of anybody: for a copy beside the space that they belong to.
pub(super) async fn forget_devices(rebuilt: &mut Connection) -> Result<(), Error> {
    rebuilt.run(device_table()?.delete, &[]).await.map(drop)
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
