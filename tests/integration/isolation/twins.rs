//! The two spaces, and what they gave.

use nichoir::config::Config;
use nichoir_auth::{device_hash, new_app_password};
use nichoir_xml::{cs, dav};

use crate::matrix::{Things, furnish, seen_by, settle};
use crate::office::office_server;
use crate::support::{Answer, Client, Server, document, event, on_every_engine_with};

pub(crate) const OUR_PASSWORD: &str = "correct-horse-battery";
pub(crate) const THEIR_PASSWORD: &str = "their-own-password";
/// In every text of the first space, and in none of the second.
pub(crate) const OURS: &str = "alphasecret";
const THEIRS: &str = "betassecret";
const LINK_PASSWORD: &str = "Tres-secret-7";
const FORM: &str = "application/x-www-form-urlencoded";
const SHARES: &str = "/apps/files_sharing/api/v1/shares";

/// Two spaces of one server with the same names and numbers.
pub(crate) struct Twins<'s> {
    /// The first, whose things are tried in the other.
    pub(crate) here: &'s Server,
    pub(crate) there: Server,
    pub(crate) ours: Things,
    pub(crate) theirs: Things,
    /// Numbers that there are in the first space only, by the names of the rows.
    pub(crate) beyond: Vec<(&'static str, String)>,
}

/// Runs `test` on both spaces, on every engine.
pub(crate) async fn on_twins(test: impl AsyncFn(&Twins)) {
    let office = office_server(false).await;
    let configured = |config: &mut Config| {
        config.office.url.clone_from(&office);
        config.outbound.allows_http = true;
        config.outbound.allows_private_addresses = true;
        config.dialect.has_bulk_upload = true;
        config.auth.failures_per_login_and_address = usize::MAX;
        config.auth.failures_per_address = usize::MAX;
        config.auth.failures_per_login = usize::MAX;
    };
    on_every_engine_with(configured, async |here: &Server| {
        let there = here.twin(THEIR_PASSWORD).await;
        let began = here.now();
        let (ours, own) = furnish_more(here, OURS).await;
        // The same instants too: versions and what is in the trash are named by them.
        here.clock.advance_seconds(began - here.now());
        let (theirs, other) = furnish_more(&there, THEIRS).await;
        assert_eq!(own, other, "what was made in the same order has the same numbers");
        let (beyond, ours) = make_beyond(here, ours).await;
        let twins = Twins { here, there, ours, theirs, beyond };
        twins.wait_for_notes().await;
        test(&twins).await;
    })
    .await;
}

/// The same length and kind of letters, and not what was given.
pub(crate) fn forged(given: &str) -> String {
    let turned = |letter: char| match letter {
        '0'..='8' | 'a'..='e' | 'g'..='y' | 'A'..='Y' => char::from(letter as u8 + 1),
        '9' => '0',
        'f' => 'a',
        'z' => 'g',
        'Z' => 'A',
        other => other,
    };
    let start = given.len().saturating_sub(8);
    let text: String = given.char_indices().map(|(at, it)| if at < start { it } else { turned(it) }).collect();
    assert_ne!(text, given);
    text
}

/// All that the matrix furnishes and what it has no rows for; and the numbers, to be compared.
async fn furnish_more(server: &Server, secret: &str) -> (Things, Vec<String>) {
    let alice = server.account("alice");
    let things = furnish(server, &alice, false).await;
    settle(&alice, &things).await;
    write(&alice, &things, secret).await;
    let names = ["id", "document", "gone", "share", "link", "comment", "tag", "trashed", "version", "older"];
    let numbers = names.map(|name| format!("{name} {}", things.get(name))).to_vec();
    let things = with_tokens(server, &alice, things).await;
    (things, numbers)
}

/// Puts the secret into all kinds of texts.
async fn write(alice: &Client, things: &Things, secret: &str) {
    alice.put("/xylograph/xylograph.txt", secret.to_owned()).await.expect(204);
    alice.put("/xylograph/xylograph.odt", secret.to_owned()).await.expect(204);
    let path = "/remote.php/dav/calendars/alice/xylograph/xylograph.ics";
    alice.put_event(path, event("xylograph", secret, "")).await.expect(204);
    let card = format!("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:xylograph\r\nFN:{secret}\r\nN:{secret};;;;\r\nEND:VCARD\r\n");
    let book = "/remote.php/dav/addressbooks/users/alice/xylograph/xylograph.vcf";
    alice.request("PUT", book).header("content-type", "text/vcard").body(card).await.expect(204);
    let name = format!("<d:set><d:prop><d:displayname>{secret}</d:displayname></d:prop></d:set>");
    let calendar = "/remote.php/dav/calendars/alice/xylograph/";
    alice.xml("PROPPATCH", calendar, 0, document("d:propertyupdate", &name)).await.expect(207);
    let said = alice.request("POST", &things.put_into("/remote.php/dav/comments/files/{id}/"));
    let said = said.header("content-type", "application/json");
    let message = format!("{{\"actorType\":\"users\",\"verb\":\"comment\",\"message\":\"{secret}\"}}");
    said.body(message).await.expect(201);
    alice.ocs("PUT", "/cloud/users/alice", &format!("key=displayname&value={secret}")).await.expect(200);
    alice.ocs("PUT", &things.put_into(&format!("{SHARES}/{{link}}")), &format!("note={secret}")).await.expect(200);
    let status = "/apps/user_status/api/v1/user_status/message/custom";
    alice.ocs("PUT", status, &format!("message={secret}")).await.expect(200);
    let note = alice.request("POST", "/index.php/apps/notes/api/v1/notes").header("content-type", FORM);
    note.body(format!("title={secret}&content={secret}")).await.expect(200);
}

/// Tokens of every kind that the rows of the matrix do not need.
async fn with_tokens(server: &Server, alice: &Client, things: Things) -> Things {
    let lock = "<d:lockinfo xmlns:d='DAV:'><d:lockscope><d:exclusive/></d:lockscope><d:locktype><d:write/></d:locktype></d:lockinfo>";
    let locked = alice.files("LOCK", "/xylograph/xylograph-old.txt").header("content-type", "application/xml");
    let lock = locked.body(lock).await.expect(200).header("lock-token").trim_matches(['<', '>']).to_owned();

    let form = format!("path=/xylograph&shareType=3&permissions=15&password={LINK_PASSWORD}");
    let made = alice.ocs("POST", SHARES, &form).await.expect(200).json();
    let shut = made["ocs"]["data"]["token"].as_str().expect("a token").to_owned();
    let form = server.anonymous().request("POST", &format!("/s/{shut}/authenticate/showshare"));
    let form = form.header("content-type", FORM).body(format!("password={LINK_PASSWORD}")).await.expect(303);
    let cookie = form.header("set-cookie").split(';').next().expect("a cookie");
    let (cookie, ticket) = cookie.split_once('=').expect("a value");
    let (cookie, ticket) = (cookie.to_owned(), ticket.to_owned());

    let calendar = "/remote.php/dav/calendars/alice/xylograph/";
    alice.xml("POST", calendar, 0, document("cs:publish-calendar", "")).await.expect(202);
    let told = alice.properties(calendar, 0, &["cs:publish-url"]).await;
    let url = told.property(calendar, &cs::PUBLISH_URL_LOWER).and_then(|it| it.child(&dav::HREF).map(|it| it.text()));
    let published = url.expect("an address").rsplit('/').next().expect("a token").to_owned();

    // The keys are those of RFC 8291's example.
    let register = "<push-register xmlns='https://bitfire.at/webdav-push'><subscription><web-push-subscription>\
         <push-resource>http://127.0.0.1:9/x</push-resource><subscription-public-key type='p256dh'>\
         BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4</subscription-public-key>\
         <auth-secret>BTBZMqHH6r4Tts7J_aSIgg</auth-secret></web-push-subscription></subscription></push-register>";
    let registered = alice.xml("POST", calendar, 0, register.to_owned()).await.expect(201);
    let push = registered.header("location").rsplit('/').next().expect("a name").to_owned();

    let flow = server.anonymous().request("POST", "/index.php/login/v2").await.expect(200).json();
    let flow_poll = flow["poll"]["token"].as_str().expect("a token").to_owned();
    let flow_page = flow["login"].as_str().expect("an address").rsplit('/').next().expect("a token").to_owned();

    let account = server.space.account_by_login("alice").await.expect("there").id;
    let mut passwords = Vec::new();
    for is_wiped in [false, true] {
        let password = new_app_password(&server.space);
        let hash = device_hash(&server.space, &password);
        let device = server.space.create_device(account, "test", hash).await.expect("a device").id;
        if is_wiped {
            server.space.wipe_device(account, device).await.expect("it is to be erased");
        }
        passwords.push(password);
    }
    let wiped = passwords.pop().expect("two");
    let device = passwords.pop().expect("two");
    let client = server.anonymous().as_login("alice", &device);
    use_first(server, &client).await;
    // What a device was given hangs on no password.
    let addresses = things.clone().with_addresses(server, &client).await;
    let by_device = |name: &str| addresses.get(name);

    let given = [
        ("lock", lock),
        ("shut", shut),
        ("cookie", cookie),
        ("ticket", ticket),
        ("published", published),
        ("push", push),
        ("flow_poll", flow_poll),
        ("flow_page", flow_page),
        ("device", device),
        ("wiped", wiped),
        ("device_direct", by_device("direct")),
        ("device_page", by_device("page")),
        ("device_wopi", by_device("wopi")),
    ];
    given.into_iter().fold(things, |things, (name, value)| things.with(name, value))
}

/// The first use of a device is noted beside the request: it is waited for, so that nothing is written later.
async fn use_first(server: &Server, device: &Client) {
    device.propfind("/", 0).await.expect(207);
    let account = server.space.account_by_login("alice").await.expect("there").id;
    for _ in 0..400 {
        let devices = server.space.devices(account).await.expect("devices");
        if devices.iter().any(|device| device.last_used.is_some()) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("the use of a device is not noted");
}

/// What there is in the first space only: numbers by the names of the rows; and tokens and names.
async fn make_beyond(server: &Server, ours: Things) -> (Vec<(&'static str, String)>, Things) {
    let alice = server.account("alice");
    let number = |written: &Answer| written.file_id().to_string();
    let last = |href: &str| href.trim_end_matches('/').rsplit('/').next().expect("a name").to_owned();
    // Far enough that no number is one of the other space's.
    for name in 0..20 {
        alice.mkcol(&format!("/beyond{name}")).await.expect(201);
    }
    let id = number(&alice.put("/beyond.txt", OURS).await.expect(201));
    let document = number(&alice.put("/beyond.odt", OURS).await.expect(201));
    let gone = number(&alice.put("/beyond-gone.txt", OURS).await.expect(201));
    alice.delete("/beyond-gone.txt").await.expect(204);
    let trash = alice.properties("/remote.php/dav/trashbin/alice/trash/", 1, &["d:getetag"]).await;
    let only =
        trash.hrefs().iter().map(|href| last(href)).find(|name| name.starts_with("beyond")).expect("in the trash");
    let json = |path: &str| alice.request("POST", path).header("content-type", "application/json");
    let said = json(&format!("/remote.php/dav/comments/files/{id}/"))
        .body("{\"actorType\":\"users\",\"verb\":\"comment\",\"message\":\"alphasecret\"}");
    let comment = last(said.await.expect(201).header("content-location"));
    let tag = json("/remote.php/dav/systemtags/")
        .body("{\"name\":\"alphasecret\",\"userVisible\":true,\"userAssignable\":true}");
    let tag = last(tag.await.expect(201).header("content-location"));
    let share = alice.share("/beyond.txt", "bob", 1).await;
    let made = alice.ocs("POST", SHARES, "path=/beyond.txt&shareType=3").await.expect(200).json();
    let link = made["ocs"]["data"]["id"].as_str().expect("an id").to_owned();
    alice.request("MKCOL", "/remote.php/dav/uploads/alice/beyond-upload").await.expect(201);
    let chunk = alice.request("PUT", "/remote.php/dav/uploads/alice/beyond-upload/00001");
    chunk.header("destination", "/remote.php/dav/files/alice/beyond-up.txt").body(OURS).await.expect(201);
    server.new_member("beyondmember").await;
    server.space.create_group("beyondgroup", OURS).await.expect("a group");
    let numbers = [
        ("id", id),
        ("document", document),
        ("gone", gone),
        ("comment", comment),
        ("tag", tag),
        ("share", share),
        ("link", link),
    ];
    let names =
        [("upload", "beyond-upload"), ("only", only.as_str()), ("login", "beyondmember"), ("group", "beyondgroup")];
    let ours = names.into_iter().fold(ours, |things, (name, value)| things.with(name, value.to_owned()));
    (numbers.to_vec(), ours)
}

impl Twins<'_> {
    /// Has both owners known again after the last change of accounts, and waits until what is noted beside their requests is: it
    /// would be counted with others.
    async fn wait_for_notes(&self) {
        for server in [self.here, &self.there] {
            server.account("alice").propfind("/", 0).await.expect(207);
        }
        let mut seen = -1;
        while seen != self.here.statements.seen() {
            seen = self.here.statements.seen();
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }

    /// How often each space was changed.
    pub(crate) async fn sequences(&self) -> [i64; 2] {
        let here = self.here.space.change_sequence().await.expect("it answers");
        [here, self.there.space.change_sequence().await.expect("it answers")]
    }

    /// A device of the second space.
    pub(crate) async fn their_device(&self) -> Client {
        self.there.anonymous().as_login("alice", &self.theirs.get("device"))
    }

    /// All that there is to see in the first space.
    pub(crate) async fn seen_here(&self) -> String {
        seen_by(&self.here.account("alice"), &self.ours).await
    }

    /// What the first space gave opens there what it is for: nothing was used up elsewhere, and all of it was real.
    pub(crate) async fn still_good(&self) {
        let (server, things) = (self.here, &self.ours);
        let (alice, nobody) = (server.account("alice"), server.anonymous());
        let get = async |path: &str| nobody.request("GET", &things.put_into(path)).await;
        alice.files("PUT", "/xylograph/xylograph-old.txt").body("x").await.expect(423);
        let held = format!("(<{}>)", things.get("lock"));
        alice.files("PUT", "/xylograph/xylograph-old.txt").header("if", &held).body("x").await.expect(204);
        get("/s/{shut}").await.expect(303);
        let cookie = things.put_into("{cookie}={ticket}");
        nobody.request("GET", &things.put_into("/s/{shut}")).header("cookie", &cookie).await.expect(200);
        get("/s/{token}").await.expect(200);
        for [direct, page, wopi] in [["direct", "page", "wopi"], ["device_direct", "device_page", "device_wopi"]] {
            get(&format!("/remote.php/direct/{{{direct}}}")).await.expect(200);
            get(&format!("/index.php/apps/richdocuments/direct/{{{page}}}")).await.expect(200);
            let office = "/index.php/apps/richdocuments/wopi/files/{document}_{instance}";
            get(&format!("{office}?access_token={{{wopi}}}")).await.expect(200);
        }
        get("/remote.php/dav/public-calendars/{published}?export").await.expect(200);
        alice.request("DELETE", &things.put_into("/remote.php/dav/push/{push}")).await.expect(204);
        alice.request("PROPFIND", &things.put_into("{uploads}/{upload}/")).header("depth", "1").await.expect(207);
        let form = async |path: &str, body: &str| {
            let call = nobody.request("POST", &things.put_into(path)).header("content-type", FORM);
            call.body(things.put_into(body)).await
        };
        form("/index.php/core/wipe/check", "token={wiped}").await.expect(200);
        let consent = format!("user=alice&password={OUR_PASSWORD}");
        form("/index.php/login/v2/flow/{flow_page}", &consent).await.expect(200);
        let told = form("/index.php/login/v2/poll", "token={flow_poll}").await.expect(200).json();
        let new = told["appPassword"].as_str().expect("an app password");
        nobody.as_login("alice", new).propfind("/", 0).await.expect(207);
        nobody.as_login("alice", &things.get("device")).propfind("/", 0).await.expect(207);
    }
}
