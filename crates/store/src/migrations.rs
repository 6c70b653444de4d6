//! The schema, as steps that are applied in order, each in one transaction, per database: a space's own SQLite
//! file when it is opened, the PostgreSQL database when the server starts. A step that was released never changes.

use crate::error::Error;
use crate::sql::{Connection, Sql};

/// The catalogue: spaces and their hosts.
pub(crate) const CONTROL: &[&str] = &[
    include_str!("migrations/control_1.sql"),
    include_str!("migrations/control_theme.sql"),
    include_str!("migrations/control_outside.sql"),
    include_str!("migrations/control_upkeep.sql"),
    include_str!("migrations/control_outgoing.sql"),
    include_str!("migrations/control_scrub.sql"),
    include_str!("migrations/control_audit.sql"),
];

/// A space: accounts, tree, contents, uploads, trash, versions, log; then calendars and address books; then
/// messages to be sent; then sharing; then push registrations; then one step a topic.
pub(crate) const SPACE: &[&str] = &[
    include_str!("migrations/space_1.sql"),
    include_str!("migrations/space_2.sql"),
    include_str!("migrations/space_3.sql"),
    include_str!("migrations/space_4.sql"),
    include_str!("migrations/space_5.sql"),
    include_str!("migrations/space_groups.sql"),
    include_str!("migrations/space_permissions.sql"),
    include_str!("migrations/space_pre_auth.sql"),
    include_str!("migrations/space_members.sql"),
    include_str!("migrations/space_trash.sql"),
    include_str!("migrations/space_client_locks.sql"),
    include_str!("migrations/space_account_values.sql"),
    include_str!("migrations/space_news.sql"),
    include_str!("migrations/space_links.sql"),
    include_str!("migrations/space_picture.sql"),
    include_str!("migrations/space_search.sql"),
    include_str!("migrations/space_shares.sql"),
    include_str!("migrations/space_comment_news.sql"),
    include_str!("migrations/space_team_quota.sql"),
    include_str!("migrations/space_upkeep.sql"),
    include_str!("migrations/space_backup.sql"),
    include_str!("migrations/space_blob_keys.sql"),
    include_str!("migrations/space_audit.sql"),
];

/// Brings the database to the newest step of `steps`. `family` keeps the two lists apart in one PostgreSQL database.
///
/// # Errors
/// [`Error::Unavailable`], also for a database that a newer release has written.
pub(crate) async fn migrate(connection: &mut Connection, family: &str, steps: &[&str]) -> Result<(), Error> {
    let found = version(connection, family).await?;
    let newest = i64::try_from(steps.len()).unwrap_or(i64::MAX);
    if found > newest {
        return Err(Error::unavailable(format!(
            "the {family} schema is at version {found}, this release knows {newest}: use the newer release"
        )));
    }
    for (number, step) in (1..).zip(steps).skip(usize::try_from(found).unwrap_or(0)) {
        connection.begin().await?;
        let done = async {
            // Another process may have been faster while this one waited for its turn.
            if version(connection, family).await? >= number {
                return Ok(());
            }
            connection.script(step).await?;
            connection.run(SET_VERSION, &[family.into(), number.into()]).await.map(drop)
        }
        .await;
        match done {
            Ok(()) => connection.script("COMMIT").await?,
            Err(error) => {
                connection.script("ROLLBACK").await?;
                return Err(error);
            }
        }
    }
    Ok(())
}

async fn version(connection: &mut Connection, family: &str) -> Result<i64, Error> {
    connection
        .script("CREATE TABLE IF NOT EXISTS schema_version (family TEXT PRIMARY KEY, version BIGINT NOT NULL)")
        .await?;
    connection.maybe(VERSION, &[family.into()]).await?.map_or(Ok(0), |row| row.int(0))
}

const VERSION: Sql = Sql("SELECT version FROM schema_version WHERE family = $1");

const SET_VERSION: Sql = Sql("INSERT INTO schema_version (family, version)
     VALUES ($1, $2)
     ON CONFLICT (family) DO UPDATE SET version = excluded.version");
