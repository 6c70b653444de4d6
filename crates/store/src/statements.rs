//! Every statement of the store in one list: a test, and `nichoir doctor`, have the engine read them all.

use crate::error::Error;
use crate::sql::{Connection, Sql, Value};

pub(crate) fn all() -> impl Iterator<Item = Sql> {
    let files = [
        crate::account::STATEMENTS,
        crate::account_value::STATEMENTS,
        crate::activity::STATEMENTS,
        crate::area::STATEMENTS,
        crate::audit::STATEMENTS,
        crate::bin::STATEMENTS,
        crate::body::STATEMENTS,
        crate::change_log::STATEMENTS,
        crate::comment::STATEMENTS,
        crate::content::STATEMENTS,
        crate::control::STATEMENTS,
        crate::control::restored::STATEMENTS,
        crate::departure::STATEMENTS,
        crate::device::STATEMENTS,
        crate::garbage::STATEMENTS,
        crate::group::STATEMENTS,
        crate::link::STATEMENTS,
        crate::lock::STATEMENTS,
        crate::look_up::STATEMENTS,
        crate::marks::STATEMENTS,
        crate::member_quota::STATEMENTS,
        crate::mount::STATEMENTS,
        crate::notification::STATEMENTS,
        crate::open_space::STATEMENTS,
        crate::outgoing::STATEMENTS,
        crate::outside::STATEMENTS,
        crate::picture::STATEMENTS,
        crate::purge::STATEMENTS,
        crate::push::STATEMENTS,
        crate::retention::STATEMENTS,
        crate::scheduling::STATEMENTS,
        crate::scrub::CONTROL_STATEMENTS,
        crate::scrub::STATEMENTS,
        crate::search::STATEMENTS,
        crate::grant::STATEMENTS,
        crate::share::STATEMENTS,
        crate::share_list::STATEMENTS,
        crate::team_folder::STATEMENTS,
        crate::space::STATEMENTS,
        crate::standing::STATEMENTS,
        crate::tag::STATEMENTS,
        crate::trash::STATEMENTS,
        crate::tree::STATEMENTS,
        crate::tx::STATEMENTS,
        crate::outgoing::CONTROL_STATEMENTS,
        crate::upkeep::CONTROL_STATEMENTS,
        crate::upkeep::STATEMENTS,
        crate::version::STATEMENTS,
        crate::seen_files::STATEMENTS,
        crate::user_status::STATEMENTS,
    ];
    let made = crate::change::statements().chain(crate::reach::statements()).chain(crate::tables::statements());
    let made = made.chain(crate::backup::statements());
    files.into_iter().flatten().copied().chain(made)
}

/// The statements about the catalogue, or those about a space.
fn about(is_control: bool) -> impl Iterator<Item = Sql> {
    let control = [
        crate::control::STATEMENTS,
        crate::outgoing::CONTROL_STATEMENTS,
        crate::control::restored::STATEMENTS,
        crate::outside::STATEMENTS,
        crate::scrub::CONTROL_STATEMENTS,
        crate::upkeep::CONTROL_STATEMENTS,
    ];
    let control: Vec<&str> = control.into_iter().flatten().map(|sql| sql.0).collect();
    all().filter(move |sql| control.contains(&sql.0) == is_control)
}

/// Has the engine prepare each statement about the catalogue, or about a space; names the first that it does not understand.
pub(crate) async fn prepare_all(connection: &mut Connection, is_control: bool) -> Result<usize, Error> {
    let mut prepared = 0;
    for sql in about(is_control) {
        connection.prepare(sql).await.map_err(|error| Error::unavailable(format!("{error:?} in: {}", sql.0)))?;
        prepared += 1;
    }
    Ok(prepared)
}

/// How SQLite would carry out each statement about a space, step by step; nothing on PostgreSQL, which decides by what is in
/// the tables. For the test that no statement goes through whole tables.
pub(crate) async fn plans(connection: &mut Connection) -> Result<Vec<(&'static str, Vec<String>)>, Error> {
    if !connection.is_own() {
        return Ok(Vec::new());
    }
    let mut plans = Vec::new();
    for sql in about(false) {
        // Statements are constants; this one lives as long as the test's process.
        let asked: &'static str = Box::leak(format!("EXPLAIN QUERY PLAN {}", sql.0).into_boxed_str());
        // More values than any statement has placeholders for.
        let rows = connection.all(Sql(asked), &vec![Value::Int(0); 500]).await?;
        plans.push((sql.0, rows.iter().map(|row| row.text(3)).collect::<Result<_, _>>()?));
    }
    Ok(plans)
}
