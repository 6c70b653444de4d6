//! Who may do what, on every route: one table of requests about what is Alice's or a team's, sent by everybody. Promises 8 and 9 of
//! the design.
//!
//! A row ([`row::Row`]) is a request, what it asks for and what is answered to whoever may. A column ([`column::Who`]) is who
//! asks, and by which path they reach the thing. What is answered where they meet follows from both ([`verdict::status`]), or
//! is said in the row with the reason. Each cell looks at the state afterwards:
//!
//! * Who is refused learns nothing, so no answer has a word of hers in it, and changes nothing: the space's change sequence, which
//!   counts every commit, stands where it was, and what the row would have left behind is not there.
//! * Who may, is answered as the row says, and what the row leaves behind is there.
//! * Who may nothing at all leaves all that Alice sees as it was.
//!
//! A route that is added without a row here fails the test: the routes are read from the source. A row that is added has
//! an expectation in every column.

mod collections;
mod column;
mod files;
mod furnish;
mod links;
mod ocs;
mod pages;
pub(crate) mod row;
mod source;
pub(crate) mod verdict;

use std::fmt::Write as _;

use nichoir::config::Config;

use crate::office::office_server;
use crate::support::{Answer, Call, Client, Server, on_every_engine_with};
use column::Who;
use furnish::{CONTENT, WORD};
pub(crate) use furnish::{Things, furnish, seen_by};
use row::{BY_PATH, Effect, Row};
use verdict::{Asks, Standing};

/// All rows, in an order in which Alice can send them all.
pub(crate) fn rows() -> Vec<&'static Row> {
    let tables = [pages::ROWS, links::ROWS, files::ROWS, ocs::ROWS, collections::ROWS, ocs::LAST];
    tables.into_iter().flatten().collect()
}

/// Where a row is sent to, as the tables over paths see it.
fn place_of(row: &Row) -> String {
    let path = row.path.split(['?', '#']).next().unwrap_or_default();
    path.trim_start_matches("/index.php").to_owned()
}

#[test]
fn every_route_has_a_row() {
    let rows = rows();
    let listed: Vec<&str> = rows.iter().map(|row| row.route).chain(pages::WITHOUT.iter().map(|(it, _)| *it)).collect();
    let known = source::variants();
    let missing: Vec<&String> = known.iter().filter(|it| !listed.contains(&it.as_str())).collect();
    assert!(missing.is_empty(), "without a row: {missing:#?}");
    let gone: Vec<&&str> =
        listed.iter().filter(|it| **it != BY_PATH && !known.iter().any(|known| known == *it)).collect();
    assert!(gone.is_empty(), "not there any more: {gone:#?}");

    let arms = source::arms();
    assert!(arms.len() > 80, "the source is read: {}", arms.len());
    let mut taken = Vec::new();
    for row in &rows {
        let place = place_of(row);
        // Arms for who has shown a password and who has not are of the same path.
        match arms.iter().find(|arm| arm.takes(row.method, &place)) {
            Some(arm) => taken.push(arm.shown()),
            None => assert!(row.route != BY_PATH, "no table takes {} {place}", row.method),
        }
    }
    let missing: Vec<String> = arms.iter().map(source::Arm::shown).filter(|arm| !taken.contains(arm)).collect();
    assert!(missing.is_empty(), "arms without a row: {missing:#?}");

    let on_files = |method: &&String| rows.iter().any(|row| row.route == "DavRoute::Files" && row.method == **method);
    let missing: Vec<String> = source::engine_methods().into_iter().filter(|method| !on_files(&method)).collect();
    assert!(missing.is_empty(), "methods without a row: {missing:#?}");
}

/// One test for each column.
macro_rules! columns {
    ($($name:ident: $who:ident,)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                play(Who::$who).await;
            }
        )*

        /// The column in words. One without a test does not compile.
        fn name_of(who: Who) -> &'static str {
            match who {
                $(Who::$who => stringify!($name),)*
            }
        }
    };
}

columns! {
    the_owner: Owner,
    another_member: Stranger,
    the_one_of_the_same_name_in_another_space: Namesake,
    nobody: Nobody,
    a_member_who_was_removed: Removed,
    a_member_who_is_disabled: Disabled,
    a_sharee_who_reads: Reader,
    a_sharee_who_writes: Writer,
    a_sharee_with_all_rights: Resharer,
    a_sharee_no_more: Unshared,
    a_member_no_more_in_the_group: OutOfGroup,
    a_member_of_a_team_who_reads: TeamReader,
    a_member_of_a_team_who_writes: TeamWriter,
    a_member_of_no_group_of_the_team: TeamOutsider,
    a_member_no_more_in_the_team: OutOfTeam,
    a_guest_who_reads: Guest,
    a_guest_by_the_older_address: OldGuest,
    a_guest_who_edits: EditingGuest,
    a_guest_who_hands_in: HandingInGuest,
    a_guest_who_has_not_given_the_password: GuestWithoutPassword,
    a_guest_who_gave_a_wrong_password: GuestWithWrongPassword,
    a_guest_by_the_older_address_who_gave_a_wrong_password: OldGuestWithWrongPassword,
    a_guest_who_gave_the_password: GuestWithPassword,
    a_guest_of_a_link_that_is_no_more: GuestOfEndedLink,
}

/// Sends all rows as one column.
async fn play(who: Who) {
    let office = office_server(false).await;
    let configured = |config: &mut Config| {
        config.office.url.clone_from(&office);
        config.dialect.has_bulk_upload = true;
        config.auth.failures_per_login_and_address = usize::MAX;
        config.auth.failures_per_address = usize::MAX;
        config.auth.failures_per_login = usize::MAX;
    };
    on_every_engine_with(configured, async |server: &Server| {
        let alice = server.account("alice");
        let things = furnish(server, &alice, who.is_of_team()).await;
        let (client, names) = who.enter(server, &alice, &things).await;
        settle(&client, &names).await;
        let before = seen_by(&alice, &things).await;
        assert!(before.matches(WORD).count() > 10, "{before}");
        let mut wrong = String::new();
        for row in rows() {
            if let Err(what) = ask(server, (&alice, &things), (&client, &names), who, row).await {
                let what: String = what.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(1000).collect();
                let _ = writeln!(wrong, "{} {} {}: {what}", row.method, names.put_into(row.path), row.body);
            }
        }
        if who.may_nothing() {
            assert_eq!(seen_by(&alice, &things).await, before, "{who:?} has changed something");
        }
        assert!(wrong.is_empty(), "{}\n{wrong}", name_of(who));
    })
    .await;
}

/// What an account gets when it first looks at it is made before anything is counted.
pub(crate) async fn settle(client: &Client, names: &Things) {
    for (method, path) in [
        ("PROPFIND", "/remote.php/dav/calendars/{me}/"),
        ("PROPFIND", "/remote.php/dav/addressbooks/users/{me}/"),
        ("GET", "/index.php/apps/notes/api/v1/notes"),
    ] {
        client.request(method, &names.put_into(path)).header("depth", "1").await;
    }
}

/// One cell: what is answered, and what it leaves behind.
async fn ask(
    server: &Server,
    (alice, things): (&Client, &Things),
    (client, names): (&Client, &Things),
    who: Who,
    row: &Row,
) -> Result<(), String> {
    let expected = verdict::status(who.standing(), row.asks, row.way(), row.status);
    let expected = row.said_to(who).unwrap_or(expected);
    let is_for_anybody = matches!(row.asks, Asks::Nothing | Asks::Account | Asks::Home);
    let is_refused = expected >= 300 && (expected != row.status || who.may_nothing() && !is_for_anybody);
    let is_done = !is_refused && expected == row.status;
    let sequence = server.space.change_sequence().await.map_err(|error| error.to_string())?;
    let answer = send(client, names, row).await;
    let moved = server.space.change_sequence().await.map_err(|error| error.to_string())? - sequence;
    let shown = format!("{:?} {}", answer.headers, String::from_utf8_lossy(&answer.body));
    let told = status_of(row, &answer);
    if told != expected {
        return Err(format!("{told}, not {expected}: {shown}"));
    }
    if who.standing() == Standing::Shut && told == 303 && !answer.header("location").contains("/authenticate") {
        return Err(format!("does not lead to the password: {shown}"));
    }
    let asked = names.put_into(&format!("{} {} {}", row.path, row.headers, row.body));
    // Who hands in is told the folder's name, and no other.
    let asked = if who == Who::HandingInGuest { asked + WORD } else { asked };
    if who.sees_nothing() && tells_more(&shown, &asked) || is_refused && shown.contains(CONTENT) {
        return Err(format!("tells {shown}"));
    }
    if (is_refused || row.is_safe()) && moved != 0 {
        return Err(format!("answered {told}, and has changed something"));
    }
    let is_there = is_left(row.effect, alice, things).await;
    match row.effect {
        Effect::None => Ok(()),
        _ if is_there == is_done => Ok(()),
        effect if !is_done => Err(format!("answered {told}, and yet it {effect:?}")),
        effect => Err(format!("answered {told}, and it is not so that it {effect:?}")),
    }
}

/// Whether the answer has a name or content of hers that was not asked for by itself.
fn tells_more(shown: &str, asked: &str) -> bool {
    let names = shown.split(|c: char| !c.is_ascii_alphanumeric() && !"-._".contains(c));
    let mut hers = names.map(|name| name.trim_matches('.')).filter(|name| name.contains(WORD));
    shown.contains(CONTENT) || hers.any(|name| !asked.contains(name))
}

pub(crate) async fn send(client: &Client, names: &Things, row: &Row) -> Answer {
    call(client, names, row).await
}

/// The row's request, on its way.
pub(crate) fn call(client: &Client, names: &Things, row: &Row) -> Call {
    let path = if row.is_ocs() { format!("/ocs/v2.php{}", row.path) } else { row.path.to_owned() };
    let mut call = client.request(row.method, &names.put_into(&path));
    for line in row.headers.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ").expect("a header");
        call = call.header(name, &names.put_into(value));
    }
    call.body(names.put_into(row.body))
}

/// The status, or that of the property that was to be set.
fn status_of(row: &Row, answer: &Answer) -> u16 {
    let status = answer.status.as_u16();
    if row.method != "PROPPATCH" || status != 207 {
        return status;
    }
    let text = String::from_utf8_lossy(&answer.body);
    let told = text.split("HTTP/1.1 ").skip(1).filter_map(|rest| rest.get(..3)?.parse().ok());
    told.max().unwrap_or(status)
}

/// Whether Alice sees what the row leaves behind.
async fn is_left(effect: Effect, alice: &Client, things: &Things) -> bool {
    let lists = async |path: &str, text: &str| {
        let listed = alice.properties(&things.put_into(path), 1, &["oc:message", "n:version-label"]).await.text();
        listed.contains(&things.put_into(text))
    };
    let has = async |name: &str| {
        lists("{folder}/", &format!("/{name}<")).await || lists("{folder}/", &format!("/{name}/<")).await
    };
    let shows = async |path: &str, text: &str| {
        let path = if path.starts_with("/ocs") || path.starts_with("/remote.php") {
            path.to_owned()
        } else {
            format!("{{folder}}/{path}")
        };
        let call = alice.request("GET", &things.put_into(&path)).header("accept", "application/json");
        String::from_utf8_lossy(&call.header("ocs-apirequest", "true").await.body).contains(&things.put_into(text))
    };
    match effect {
        Effect::None => true,
        Effect::Writes(text) => shows("{word}.txt", text).await,
        Effect::Makes(name) => has(name).await,
        Effect::Unmakes(name) => !has(name).await,
        Effect::Lists(path, text) => lists(path, text).await,
        Effect::Unlists(path, text) => !lists(path, text).await,
        Effect::Shows(path, text) => shows(path, text).await,
    }
}
