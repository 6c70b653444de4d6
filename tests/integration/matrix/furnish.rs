//! What there is: one thing of each kind, all of the same name, and the names by which the rows speak of them.

use nichoir_store::{AccountUpdate, GroupId, Role};

use super::column::team_folder;
use crate::support::{Answer, Client, Server, document, event};

/// A word that is in every name and content of Alice's, and nowhere else.
pub(super) const WORD: &str = "xylograph";

/// What every text of hers begins with.
pub(super) const CONTENT: &str = "xylograph, ";

/// What stands where an address would, for those who were given none.
const NO_TOKEN: &str = "nothingofthekind";

/// The names of what there is, as a column says them.
#[derive(Clone, Debug)]
pub(crate) struct Things(Vec<(&'static str, String)>);

impl Things {
    pub(crate) fn put_into(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    }

    pub(crate) fn get(&self, name: &str) -> String {
        self.put_into(&format!("{{{name}}}"))
    }

    /// With another meaning of a name.
    pub(crate) fn with(mut self, name: &'static str, value: String) -> Things {
        self.0.retain(|(known, _)| *known != name);
        self.0.push((name, value));
        self
    }

    /// Without tokens and addresses that lead somewhere.
    pub(super) fn by_no_token(&self) -> Things {
        ["token", "direct", "page", "wopi"]
            .into_iter()
            .fold(self.clone(), |it, name| it.with(name, NO_TOKEN.to_owned()))
    }

    /// As they stand at the home of somebody who sees the folder there.
    pub(super) fn at_home_of(&self, login: &str) -> Things {
        let it = self.by_no_token().with("me", login.to_owned());
        it.with("folder", format!("/remote.php/dav/files/{login}/xylograph"))
            .with("uploads", format!("/remote.php/dav/uploads/{login}"))
    }

    /// With addresses that are given to the client: of the file for a player, of the document for an office server.
    pub(crate) async fn with_addresses(self, server: &Server, client: &Client) -> Things {
        let url = |answer: Answer| answer.json()["ocs"]["data"]["url"].as_str().expect("an address").to_owned();
        let last = |url: &str| url.rsplit('/').next().expect("a token").to_owned();
        let direct = client.ocs("POST", "/apps/dav/api/v1/direct", &self.put_into("fileId={id}")).await.expect(200);
        let document = self.put_into("fileId={document}");
        let page = || client.ocs("POST", "/apps/richdocuments/api/v1/document", &document);
        let opened = last(&url(page().await.expect(200)));
        let path = format!("/index.php/apps/richdocuments/direct/{opened}");
        let html = server.anonymous().request("GET", &path).await.expect(200).text();
        let wopi =
            html.split_once("name=\"access_token\" value=\"").expect("a token").1.split('"').next().expect("its end");
        let page = last(&url(page().await.expect(200)));
        self.with("direct", last(&url(direct))).with("wopi", wopi.to_owned()).with("page", page)
    }
}

/// The group that Alice is in.
pub(super) async fn printers(server: &Server) -> GroupId {
    server.space.group_by_name("printers").await.expect("the group").id
}

/// Gives Alice one thing of each kind; the folder is hers or, with `is_of_team`, a team's whose group she is in.
pub(crate) async fn furnish(server: &Server, alice: &Client, is_of_team: bool) -> Things {
    let id = server.space.account_by_login("alice").await.expect("there").id;
    let role = AccountUpdate { role: Some(Role::Admin), ..AccountUpdate::default() };
    server.space.update_account(id, role).await.expect("she manages the space");
    alice.ocs("POST", "/cloud/groups", "groupid=printers").await.expect(200);
    alice.ocs("POST", "/cloud/users/alice/groups", "groupid=printers").await.expect(200);
    match is_of_team {
        true => team_folder(server).await,
        false => drop(alice.mkcol("/xylograph").await.expect(201)),
    }
    let things = files(server, alice).await;
    collections(alice).await;
    alice.ocs("PUT", "/apps/user_status/api/v1/user_status/status", "statusType=away").await.expect(200);
    let things = handed_on(alice, things, is_of_team).await;
    things.with_addresses(server, alice).await
}

/// The folder: a file with a version, a document, something in the trash, a comment, a tag, an upload.
async fn files(server: &Server, alice: &Client) -> Things {
    let name = "/xylograph/xylograph.txt";
    alice.put(name, "xylograph, the first").await.expect(201);
    server.clock.advance_seconds(60);
    alice.put(name, "xylograph, the second").await.expect(204);
    server.clock.advance_seconds(60);
    let id = number(&alice.put(name, "xylograph, the third").await.expect(204));
    for name in ["out", "ends", "old"] {
        alice.put(&format!("/xylograph/xylograph-{name}.txt"), "xylograph").await.expect(201);
    }
    let document = number(&alice.put("/xylograph/xylograph.odt", "xylograph, a document").await.expect(201));
    let gone = number(&alice.put("/xylograph/xylograph-gone.txt", "xylograph").await.expect(201));
    alice.delete("/xylograph/xylograph-gone.txt").await.expect(204);
    let trash = alice.properties("/remote.php/dav/trashbin/alice/trash/", 1, &["d:getetag"]).await;
    let versions = alice.properties(&format!("/remote.php/dav/versions/alice/versions/{id}/"), 1, &["d:getetag"]).await;
    let mut versions: Vec<String> = versions.hrefs()[1..].iter().map(|href| last_of(href)).collect();
    versions.sort();
    let said = alice.request("POST", &format!("/remote.php/dav/comments/files/{id}/"));
    let said = said.header("content-type", "application/json");
    let said = said.body("{\"actorType\":\"users\",\"verb\":\"comment\",\"message\":\"xylograph\"}").await.expect(201);
    let tag = alice.request("POST", "/remote.php/dav/systemtags/").header("content-type", "application/json");
    let tag = tag.body("{\"name\":\"tagged\",\"userVisible\":true,\"userAssignable\":true}").await.expect(201);
    let (comment, tag) = (last_of(said.header("content-location")), last_of(tag.header("content-location")));
    alice.request("MKCOL", "/remote.php/dav/uploads/alice/xylograph").await.expect(201);
    let chunk = alice.request("PUT", "/remote.php/dav/uploads/alice/xylograph/00001");
    chunk.header("destination", "/remote.php/dav/files/alice/xylograph/up.txt").body("xylograph").await.expect(201);
    Things(vec![
        ("word", WORD.to_owned()),
        ("me", "alice".to_owned()),
        ("folder", "/remote.php/dav/files/alice/xylograph".to_owned()),
        ("uploads", "/remote.php/dav/uploads/alice".to_owned()),
        ("instance", server.space.info().instance_id.clone()),
        ("id", id),
        ("document", document),
        ("gone", gone),
        ("trashed", last_of(&trash.hrefs().pop().expect("a member"))),
        ("version", versions[0].clone()),
        ("older", versions[1].clone()),
        ("comment", comment),
        ("tag", tag),
    ])
}

/// A calendar with an event, an address book with a card.
async fn collections(alice: &Client) {
    alice.request("MKCALENDAR", "/remote.php/dav/calendars/alice/xylograph/").await.expect(201);
    let path = "/remote.php/dav/calendars/alice/xylograph/xylograph.ics";
    alice.put_event(path, event("xylograph", "xylograph", "")).await.expect(201);
    let book = "/remote.php/dav/addressbooks/users/alice/xylograph/";
    let kind = "<d:set><d:prop><d:resourcetype><d:collection/><card:addressbook/></d:resourcetype></d:prop></d:set>";
    alice.xml("MKCOL", book, 0, document("d:mkcol", kind)).await.expect(201);
    let card = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:xylograph\r\nFN:xylograph\r\nN:xylograph;;;;\r\nEND:VCARD\r\n";
    let card = alice.request("PUT", &format!("{book}xylograph.vcf")).header("content-type", "text/vcard").body(card);
    card.await.expect(201);
}

/// A share with a group that she alone is in, and a link, both of her own making.
async fn handed_on(alice: &Client, things: Things, is_of_team: bool) -> Things {
    let shares = "/apps/files_sharing/api/v1/shares";
    // The team's group holds the team's folder already.
    let path = if is_of_team { "/xylograph/xylograph.txt" } else { "/xylograph" };
    let id = |made: &Answer| made.json()["ocs"]["data"]["id"].as_str().expect("an id").to_owned();
    let share = alice.ocs("POST", shares, &format!("path={path}&shareType=1&shareWith=printers")).await.expect(200);
    let link = alice.ocs("POST", shares, "path=/xylograph&shareType=3&permissions=15").await.expect(200);
    let token = link.json()["ocs"]["data"]["token"].as_str().expect("a token").to_owned();
    let things = things.with("share", id(&share)).with("link", id(&link));
    things.with("token", token.clone()).with("alices", token)
}

fn number(written: &Answer) -> String {
    let id = written.header("oc-fileid").trim_start_matches('0');
    id.chars().take_while(char::is_ascii_digit).collect()
}

fn last_of(href: &str) -> String {
    href.trim_end_matches('/').rsplit('/').next().expect("a name").to_owned()
}

/// All that Alice sees of hers.
pub(crate) async fn seen_by(alice: &Client, things: &Things) -> String {
    let mut seen = String::new();
    for path in [
        "files/alice/",
        "files/alice/xylograph/",
        "trashbin/alice/trash/",
        "versions/alice/versions/{id}/",
        "calendars/alice/xylograph/",
        "addressbooks/users/alice/xylograph/",
        "uploads/alice/xylograph/",
        "systemtags-relations/files/{id}/",
        "comments/files/{id}/",
    ] {
        let path = things.put_into(&format!("/remote.php/dav/{path}"));
        let names = [
            "d:getetag",
            "d:displayname",
            "d:resourcetype",
            "oc:fileid",
            "oc:size",
            "oc:favorite",
            "oc:message",
            "n:lock",
            "n:version-label",
        ];
        seen.push_str(&alice.properties(&path, 1, &names).await.text());
    }
    for path in ["cloud/groups/printers", "cloud/users/alice/groups", "cloud/users", "apps/files_sharing/api/v1/shares"]
    {
        seen.push_str(&alice.ocs("GET", &format!("/{path}"), "").await.expect(200).text());
    }
    seen
}
