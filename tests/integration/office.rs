//! This server as a WOPI host: an office server of ours opens, locks, writes, copies and renames documents as Collabora Online
//! does, and what it may not. Sheet `nextcloud-ocs`, section 14.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nichoir::config::Config;
use nichoir_store::AccountUpdate;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::support::{Answer, Call, Client, Server, on_every_engine, on_every_engine_with};

const ODT: &str = "application/vnd.oasis.opendocument.text";
/// A key that signs nothing but the requests of these tests.
const KEY: &str = include_str!("office_key.txt");

/// An office server that says what it can do, and nothing else. It stays up for as long as the test runs.
pub(crate) async fn office_server(has_keys: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("it is bound"));
    let proof = if has_keys { proof_key() } else { String::new() };
    let text = format!(
        "<wopi-discovery><net-zone name=\"external-http\"><app name=\"{ODT}\"><action ext=\"odt\" name=\"edit\" \
         urlsrc=\"https://office.test/browser/abc/cool.html?\"/></app></net-zone>{proof}</wopi-discovery>"
    );
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = vec![0; 4096];
            let length = stream.read(&mut buffer).await.unwrap_or(0);
            let is_asked = buffer[..length].starts_with(b"GET /hosting/discovery ");
            let status = if is_asked { "200 OK" } else { "404 Not Found" };
            let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", text.len());
            let _ = stream.write_all(format!("{head}{text}").as_bytes()).await;
        }
    });
    address
}

fn key() -> RsaKeyPair {
    let der: String = KEY.split_whitespace().collect();
    RsaKeyPair::from_pkcs8(&STANDARD.decode(der).expect("Base64")).expect("a key")
}

fn proof_key() -> String {
    let modulus = include_str!("office_modulus.txt").trim();
    format!("<proof-key value=\"\" modulus=\"{modulus}\" exponent=\"AQAB\" oldmodulus=\"\" oldexponent=\"\"/>")
}

/// What the office server signs its request with.
fn sign(token: &str, url: &str, ticks: i64) -> String {
    let mut signed = Vec::new();
    let ticks = ticks.to_be_bytes();
    for part in [token.as_bytes(), url.to_uppercase().as_bytes(), ticks.as_slice()] {
        signed.extend_from_slice(&(part.len() as u32).to_be_bytes());
        signed.extend_from_slice(part);
    }
    let key = key();
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), &signed, &mut signature).expect("a signature");
    STANDARD.encode(signature)
}

fn configured(address: String) -> impl Fn(&mut Config) {
    move |config| config.office.url.clone_from(&address)
}

async fn ocs(client: &Client, method: &str, path: &str, body: &str) -> Answer {
    let call = client.request(method, &format!("/ocs/v2.php{path}")).header("ocs-apirequest", "true");
    let call = call.header("accept", "application/json").header("content-type", "application/x-www-form-urlencoded");
    call.body(body.to_owned()).await
}

fn file_id(written: &Answer) -> i64 {
    written.header("oc-fileid")[..8].parse().expect("a number")
}

/// A document that is open in the office server.
struct Opened {
    office: Client,
    path: String,
    token: String,
}

impl Opened {
    /// As an app opens it: an address by OCS, the page, and what the page sends into its frame.
    async fn of(server: &Server, client: &Client, id: i64) -> Opened {
        let told =
            ocs(client, "POST", "/apps/richdocuments/api/v1/document", &format!("fileId={id}")).await.expect(200);
        let url = told.json()["ocs"]["data"]["url"].as_str().expect("an address").to_owned();
        let page_path = url.split_once(&server.host()).expect("at the space's host").1.to_owned();
        let page = server.anonymous().request("GET", &page_path).await.expect(200);
        let policy = page.header("content-security-policy").to_owned();
        assert!(
            policy.contains("frame-src https://office.test;") && policy.contains("form-action https://office.test;"),
            "{policy}"
        );
        let html = page.text();
        let field = |before: &str| {
            let rest = html.split_once(before).unwrap_or_else(|| panic!("{before} in {html}")).1;
            rest.split_once('"').expect("an end").0.to_owned()
        };
        let action = field("action=\"");
        assert!(action.starts_with("https://office.test/browser/abc/cool.html?WOPISrc=http"), "{action}");
        assert!(!action.contains("access_token"), "the token stays out of addresses");
        let token = field("name=\"access_token\" value=\"");
        let path = format!("/index.php/apps/richdocuments/wopi/files/{id}_{}", server.space.info().instance_id);
        Opened { office: server.anonymous(), path, token }
    }

    fn call(&self, method: &str, below: &str) -> Call {
        self.office.request(method, &format!("{}{below}?access_token={}", self.path, self.token))
    }

    fn overridden(&self, what: &str) -> Call {
        self.call("POST", "").header("x-wopi-override", what)
    }

    async fn info(&self) -> Value {
        self.call("GET", "").await.expect(200).json()
    }
}

#[tokio::test]
async fn without_an_office_server_nothing_is_offered_or_served() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        let id = file_id(&alice.put("/a.odt", "x").await.expect(201));
        let told = ocs(&alice, "GET", "/cloud/capabilities", "").await.expect(200).json();
        assert!(told["ocs"]["data"]["capabilities"].get("richdocuments").is_none());
        ocs(&alice, "POST", "/apps/richdocuments/api/v1/document", &format!("fileId={id}")).await.expect(404);
        alice.request("GET", "/index.php/apps/richdocuments/direct/abc").await.expect(404);
        alice.request("GET", "/index.php/apps/richdocuments/wopi/files/1_x?access_token=y").await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn a_document_is_opened_locked_written_and_closed() {
    let address = office_server(false).await;
    on_every_engine_with(configured(address), async |server: &Server| {
        let alice = server.account("alice");
        let id = file_id(&alice.put("/a.odt", "one").await.expect(201));
        let told = ocs(&alice, "GET", "/cloud/capabilities", "").await.expect(200).json();
        let office = &told["ocs"]["data"]["capabilities"]["richdocuments"];
        assert_eq!((&office["mimetypes"], &office["direct_editing"]), (&json!([ODT]), &json!(true)));

        let opened = Opened::of(server, &alice, id).await;
        let info = opened.info().await;
        assert_eq!((&info["BaseFileName"], &info["Size"], &info["UserId"]), (&json!("a.odt"), &json!(3), &json!("alice")));
        assert_eq!((&info["OwnerId"], &info["UserFriendlyName"]), (&json!("alice"), &json!("ALICE")));
        assert_eq!((&info["UserCanWrite"], &info["SupportsLocks"]), (&json!(true), &json!(true)));
        let stamp = info["LastModifiedTime"].as_str().expect("an instant").to_owned();
        assert_eq!(stamp, "2027-01-15T08:00:00.000000Z");
        assert_eq!(opened.call("GET", "/contents").await.expect(200).text(), "one");
        assert_eq!(opened.call("GET", "/contents").header("range", "bytes=1-").await.expect(206).text(), "ne");

        // The lock is the office server's: nobody else writes meanwhile, and everybody sees why.
        opened.overridden("LOCK").header("x-wopi-lock", "cool-lock-1").await.expect(200);
        alice.put("/a.odt", "by the desktop").await.expect(423);
        let listed = alice.files("PROPFIND", "/a.odt").header("depth", "0").body(
            "<d:propfind xmlns:d='DAV:' xmlns:nc='http://nextcloud.org/ns'><d:prop><nc:lock/><nc:lock-owner-type/><nc:lock-owner-editor/>\
             <nc:lock-token/></d:prop></d:propfind>",
        );
        let listed = listed.await.expect(207).text();
        assert!(listed.contains("<nc:lock-owner-type>1</nc:lock-owner-type>"), "{listed}");
        assert!(listed.contains("<nc:lock-owner-editor>Collabora Online</nc:lock-owner-editor>"), "{listed}");
        assert!(!listed.contains("<nc:lock-token>"), "the editor's token is the editor's");
        assert_eq!(opened.overridden("GET_LOCK").await.expect(200).header("x-wopi-lock"), "cool-lock-1");
        let other = opened.overridden("LOCK").header("x-wopi-lock", "other").await.expect(409);
        assert_eq!(other.header("x-wopi-lock"), "cool-lock-1");
        let relock = opened.overridden("LOCK").header("x-wopi-lock", "new").header("x-wopi-oldlock", "wrong").await.expect(409);
        assert_eq!(relock.header("x-wopi-lock"), "cool-lock-1");
        opened.overridden("LOCK").header("x-wopi-lock", "new").header("x-wopi-oldlock", "cool-lock-1").await.expect(200);
        opened.overridden("REFRESH_LOCK").header("x-wopi-lock", "cool-lock-1").await.expect(409);
        opened.overridden("REFRESH_LOCK").header("x-wopi-lock", "new").await.expect(200);

        server.clock.advance_seconds(5);
        let save = |lock: &'static str, stamp: String, body: &'static str| {
            let call = opened.call("POST", "/contents").header("x-wopi-override", "PUT").header("x-wopi-lock", lock);
            call.header("x-cool-wopi-timestamp", &stamp).body(body)
        };
        save("cool-lock-1", stamp.clone(), "two").await.expect(409);
        let saved = save("new", stamp.clone(), "two").await.expect(200).json();
        assert_eq!(saved["LastModifiedTime"], "2027-01-15T08:00:05.000000Z");
        assert_eq!(alice.get("/a.odt").await.text(), "two");
        let stale = save("new", stamp, "three").await.expect(409).json();
        assert_eq!((&stale["COOLStatusCode"], &stale["LOOLStatusCode"]), (&json!(1010), &json!(1010)));
        assert_eq!(alice.get("/a.odt").await.text(), "two");

        opened.overridden("UNLOCK").header("x-wopi-lock", "cool-lock-1").await.expect(409);
        opened.overridden("UNLOCK").header("x-wopi-lock", "new").await.expect(200);
        opened.overridden("UNLOCK").header("x-wopi-lock", "new").await.expect(409);
        let unlocked = save("new", String::new(), "four").await.expect(409);
        assert_eq!(unlocked.header("x-wopi-lock"), "");
        alice.put("/a.odt", "by the desktop").await.expect(204);
        opened.overridden("LOCK").await.expect(400);
        opened.overridden("NONSENSE").await.expect(501);
    })
    .await;
}

#[tokio::test]
async fn a_document_gets_copies_and_another_name() {
    let address = office_server(false).await;
    on_every_engine_with(configured(address), async |server: &Server| {
        let alice = server.account("alice");
        let id = file_id(&alice.put("/a.odt", "one").await.expect(201));
        let opened = Opened::of(server, &alice, id).await;
        let copy =
            opened.overridden("PUT_RELATIVE").header("x-wopi-suggestedtarget", ".docx").body("copy").await.expect(200);
        assert_eq!(copy.json()["Name"], "a.docx");
        let again =
            opened.overridden("PUT_RELATIVE").header("x-wopi-suggestedtarget", ".docx").body("2").await.expect(200);
        assert_eq!(again.json()["Name"], "a (2).docx");
        assert_eq!(alice.get("/a.docx").await.expect(200).text(), "copy");
        // The address that is told opens the copy.
        let url = copy.json()["Url"].as_str().expect("an address").to_owned();
        let path = url.split_once(&server.host()).expect("at the space's host").1.to_owned();
        assert_eq!(server.anonymous().request("GET", &path).await.expect(200).json()["BaseFileName"], "a.docx");

        let exact = |overwrite: &str| {
            let call = opened.overridden("PUT_RELATIVE").header("x-wopi-relativetarget", "+AOk-t+AOk.odt");
            call.header("x-wopi-overwriterelativetarget", overwrite).body("exact")
        };
        assert_eq!(exact("false").await.expect(200).json()["Name"], "été.odt");
        exact("false").await.expect(409);
        exact("true").await.expect(200);
        for name in ["../x.odt", "a/b.odt", "", "+A-"] {
            opened.overridden("PUT_RELATIVE").header("x-wopi-relativetarget", name).body("x").await.expect(400);
        }
        opened.overridden("PUT_RELATIVE").await.expect(501);

        opened.overridden("LOCK").header("x-wopi-lock", "l").await.expect(200);
        let rename = |name: &str, lock: &str| {
            opened.overridden("RENAME_FILE").header("x-wopi-requestedname", name).header("x-wopi-lock", lock)
        };
        rename("b", "other").await.expect(409);
        assert_eq!(rename("b", "l").await.expect(200).json()["Name"], "b");
        assert_eq!(alice.get("/b.odt").await.expect(200).text(), "one");
        assert_eq!(opened.info().await["BaseFileName"], "b.odt");
        assert_eq!(opened.overridden("GET_LOCK").await.expect(200).header("x-wopi-lock"), "l");
        assert!(!rename("x/y", "l").await.expect(400).header("x-wopi-invalidfilenameerror").is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_token_is_for_one_file_one_account_and_some_hours() {
    let address = office_server(false).await;
    on_every_engine_with(configured(address), async |server: &Server| {
        let (alice, bob) = (server.account("alice"), server.account("bob"));
        let id = file_id(&alice.put("/a.odt", "one").await.expect(201));
        let other = file_id(&alice.put("/b.odt", "two").await.expect(201));
        ocs(&bob, "POST", "/apps/richdocuments/api/v1/document", &format!("fileId={id}")).await.expect(404);
        let text = file_id(&alice.put("/a.xyz", "x").await.expect(201));
        ocs(&alice, "POST", "/apps/richdocuments/api/v1/document", &format!("fileId={text}")).await.expect(400);
        ocs(&server.anonymous(), "POST", "/apps/richdocuments/api/v1/document", "fileId=1").await.expect(401);

        let opened = Opened::of(server, &alice, id).await;
        let at = |path: &str, token: &str| server.anonymous().request("GET", &format!("{path}?access_token={token}"));
        let instance = &server.space.info().instance_id;
        at(&format!("/index.php/apps/richdocuments/wopi/files/{other}_{instance}"), &opened.token).await.expect(403);
        at(&format!("/index.php/apps/richdocuments/wopi/files/{id}_other"), &opened.token).await.expect(403);
        at(&opened.path, "nonsense").await.expect(403);
        at(&opened.path, "").await.expect(403);
        let elsewhere = Client::anonymous(&server.app, &server.other_host());
        elsewhere.request("GET", &format!("{}?access_token={}", opened.path, opened.token)).await.expect(403);
        // What opens a page opens no file, and the other way round.
        server.anonymous().request("GET", &format!("/apps/richdocuments/direct/{}", opened.token)).await.expect(404);
        server.anonymous().request("GET", &format!("/remote.php/direct/{}", opened.token)).await.expect(404);

        alice.delete("/a.odt").await.expect(204);
        opened.call("GET", "").await.expect(404);
        let opened = Opened::of(server, &alice, other).await;
        server.clock.advance_seconds(36_000);
        opened.call("GET", "").await.expect(401);
        opened.call("POST", "/contents").body("x").await.expect(401);

        let opened = Opened::of(server, &alice, other).await;
        let account = server.space.account_by_login("alice").await.expect("alice");
        let disabled = AccountUpdate { is_enabled: Some(false), ..AccountUpdate::default() };
        server.space.update_account(account.id, disabled).await.expect("disabled");
        opened.call("GET", "").await.expect(403);
        opened.call("POST", "/contents").body("x").await.expect(403);
    })
    .await;
}

#[tokio::test]
async fn requests_are_signed_where_the_office_server_has_keys() {
    let address = office_server(true).await;
    on_every_engine_with(configured(address), async |server: &Server| {
        let alice = server.account("alice");
        let id = file_id(&alice.put("/a.odt", "one").await.expect(201));
        let opened = Opened::of(server, &alice, id).await;
        opened.call("GET", "").await.expect(500);
        let url = format!("http://{}{}?access_token={}", server.host(), opened.path, opened.token);
        let ticks = |seconds: i64| (seconds + 62_135_596_800) * 10_000_000;
        let signed = |at: i64, url: &str| {
            let call = opened.call("GET", "").header("x-wopi-timestamp", &ticks(at).to_string());
            call.header("x-wopi-proof", &sign(&opened.token, url, ticks(at))).header("x-wopi-proofold", "")
        };
        signed(1_800_000_000, &url).await.expect(200);
        signed(1_800_000_000 - 1200, &url).await.expect(200);
        signed(1_800_000_000 - 1201, &url).await.expect(500);
        signed(1_800_000_000, &format!("{url}&x")).await.expect(500);
        let old = opened.call("GET", "").header("x-wopi-timestamp", &ticks(1_800_000_000).to_string());
        let old = old.header("x-wopi-proofold", &sign(&opened.token, &url, ticks(1_800_000_000)));
        old.header("x-wopi-proof", "AAAA").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn only_the_addresses_of_the_office_server_are_let_in() {
    let address = office_server(false).await;
    let strict = move |config: &mut Config| {
        config.office.url.clone_from(&address);
        config.office.allowed_addresses = vec!["192.0.2.9".to_owned()];
    };
    on_every_engine_with(strict, async |server: &Server| {
        let alice = server.account("alice");
        let id = file_id(&alice.put("/a.odt", "one").await.expect(201));
        let mut opened = Opened::of(server, &alice, id).await;
        opened.call("GET", "").await.expect(403);
        opened.office = opened.office.at(Some("192.0.2.9"));
        opened.call("GET", "").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn an_office_server_that_is_down_is_not_offered_and_harms_nothing() {
    let down = |config: &mut Config| config.office.url = "http://127.0.0.1:9".to_owned();
    on_every_engine_with(down, async |server: &Server| {
        let alice = server.account("alice");
        let id = file_id(&alice.put("/a.odt", "one").await.expect(201));
        let told = ocs(&alice, "GET", "/cloud/capabilities", "").await.expect(200).json();
        assert!(told["ocs"]["data"]["capabilities"].get("richdocuments").is_none());
        ocs(&alice, "POST", "/apps/richdocuments/api/v1/document", &format!("fileId={id}")).await.expect(503);
    })
    .await;
}

#[tokio::test]
async fn the_token_of_a_sharee_is_worth_what_the_share_is_at_that_moment() {
    let address = office_server(false).await;
    on_every_engine_with(configured(address), async |server: &Server| {
        let (alice, bob) = (server.account("alice"), server.account("bob"));
        alice.mkcol("/Team").await.expect(201);
        let id = file_id(&alice.put("/Team/a.odt", "one").await.expect(201));
        let share = alice.share("/Team", "bob", 1).await;
        let reading = Opened::of(server, &bob, id).await;
        let info = reading.info().await;
        assert_eq!((&info["UserId"], &info["OwnerId"]), (&json!("bob"), &json!("alice")));
        for (name, expected) in
            [("UserCanWrite", false), ("ReadOnly", true), ("UserCanRename", false), ("UserCanNotWriteRelative", true)]
        {
            assert_eq!(info[name], expected, "{name}");
        }
        assert_eq!(reading.call("GET", "/contents").await.expect(200).text(), "one");
        let refused = async |opened: &Opened, status: u16| {
            opened.overridden("LOCK").header("x-wopi-lock", "l").await.expect(status);
            opened.overridden("UNLOCK").header("x-wopi-lock", "l").await.expect(status);
            opened.overridden("PUT_RELATIVE").header("x-wopi-suggestedtarget", ".docx").body("x").await.expect(status);
            opened.overridden("RENAME_FILE").header("x-wopi-requestedname", "b").await.expect(status);
            let save = opened.call("POST", "/contents").header("x-wopi-override", "PUT").body("his");
            save.await.expect(status);
        };
        let before = server.space.change_sequence().await.expect("a number");
        refused(&reading, 403).await;
        assert_eq!(server.space.change_sequence().await.expect("a number"), before);
        // A token that was for reading stays so.
        alice.set_rights(&share, 15).await;
        refused(&reading, 403).await;

        let writing = Opened::of(server, &bob, id).await;
        writing.overridden("LOCK").header("x-wopi-lock", "l").await.expect(200);
        let save = |opened: &Opened, body: &'static str| {
            opened.call("POST", "/contents").header("x-wopi-override", "PUT").header("x-wopi-lock", "l").body(body)
        };
        save(&writing, "two").await.expect(200);
        assert_eq!(alice.get("/Team/a.odt").await.text(), "two");
        alice.set_rights(&share, 1).await;
        refused(&writing, 403).await;
        alice.put("/Team/a.odt", "three").await.expect(204);

        // Moved out of the share, and back into it.
        alice.set_rights(&share, 15).await;
        alice.move_to("/Team/a.odt", "/a.odt").await.expect(201);
        writing.call("GET", "").await.expect(404);
        writing.call("GET", "/contents").await.expect(404);
        refused(&writing, 404).await;
        alice.move_to("/a.odt", "/Team/a.odt").await.expect(201);
        writing.call("GET", "").await.expect(200);

        // What keeps others out goes with the share.
        writing.overridden("LOCK").header("x-wopi-lock", "l").await.expect(200);
        alice.put("/Team/a.odt", "four").await.expect(423);
        alice.unshare(&share).await;
        for below in ["", "/contents"] {
            writing.call("GET", below).await.expect(404);
        }
        refused(&writing, 404).await;
        alice.put("/Team/a.odt", "four").await.expect(204);
        assert_eq!(alice.get("/Team/a.odt").await.text(), "four");
    })
    .await;
}

#[tokio::test]
async fn tokens_die_with_the_account_at_once() {
    let address = office_server(false).await;
    on_every_engine_with(configured(address), async |server: &Server| {
        let (alice, bob) = (server.account("alice"), server.account("bob"));
        let id = file_id(&alice.put("/a.odt", "one").await.expect(201));
        alice.share("/a.odt", "bob", 3).await;
        let opened = Opened::of(server, &bob, id).await;
        opened.overridden("LOCK").header("x-wopi-lock", "l").await.expect(200);
        let account = server.space.account_by_login("bob").await.expect("there").id;
        let off = AccountUpdate { is_enabled: Some(false), ..AccountUpdate::default() };
        server.space.update_account(account, off).await.expect("disabled");
        opened.call("GET", "").await.expect(403);
        opened.call("GET", "/contents").await.expect(403);
        let save = opened.call("POST", "/contents").header("x-wopi-override", "PUT").header("x-wopi-lock", "l");
        save.body("his").await.expect(403);
        alice.put("/a.odt", "two").await.expect(204);
        server.space.delete_account(account).await.expect("removed");
        opened.call("GET", "/contents").await.expect(403);
        assert_eq!(alice.get("/a.odt").await.text(), "two");
    })
    .await;
}

#[tokio::test]
async fn what_is_to_be_looked_at_only_is_not_saved_under_another_name() {
    let address = office_server(false).await;
    on_every_engine_with(configured(address), async |server: &Server| {
        let (alice, bob) = (server.account("alice"), server.account("bob"));
        let id = file_id(&alice.put("/a.odt", "one").await.expect(201));
        let attributes =
            "%5B%7B%22scope%22%3A%22permissions%22%2C%22key%22%3A%22download%22%2C%22value%22%3Afalse%7D%5D";
        let share = format!("path=/a.odt&shareType=0&shareWith=bob&permissions=3&attributes={attributes}");
        ocs(&alice, "POST", "/apps/files_sharing/api/v1/shares", &share).await.expect(200);
        let opened = Opened::of(server, &bob, id).await;
        let info = opened.info().await;
        assert_eq!(info["UserCanWrite"], json!(true));
        for flag in ["UserCanNotWriteRelative", "DisableExport", "DisablePrint", "DisableCopy"] {
            assert_eq!(info[flag], json!(true), "{flag}");
        }
        let saved = opened.overridden("PUT_RELATIVE").header("x-wopi-suggestedtarget", "mine.odt").body("one");
        saved.await.expect(403);
        assert!(!bob.propfind("/", 1).await.expect(207).text().contains("mine.odt"));
        let own = Opened::of(server, &alice, id).await.info().await;
        assert_eq!((&own["DisableExport"], &own["UserCanNotWriteRelative"]), (&json!(false), &json!(false)));
    })
    .await;
}

#[tokio::test]
async fn what_is_for_looking_at_only_is_shown_and_not_let_out() {
    let address = office_server(false).await;
    let strict = move |config: &mut Config| {
        config.office.url.clone_from(&address);
        config.limits.has_view_without_download = false;
    };
    on_every_engine_with(strict, async |server: &Server| {
        let (alice, bob) = (server.account("alice"), server.account("bob"));
        let id = file_id(&alice.put("/a.odt", "one").await.expect(201));
        let attributes =
            "%5B%7B%22scope%22%3A%22permissions%22%2C%22key%22%3A%22download%22%2C%22value%22%3Afalse%7D%5D";
        let form = format!("path=/a.odt&shareType=0&shareWith=bob&permissions=3&attributes={attributes}");
        ocs(&alice, "POST", "/apps/files_sharing/api/v1/shares", &form).await.expect(200);
        bob.get("/a.odt").await.expect(403);
        let (opened, own) = (Opened::of(server, &bob, id).await, Opened::of(server, &alice, id).await);
        let (info, own_info) = (opened.info().await, own.info().await);
        let hidden = ["DisablePrint", "DisableExport", "DisableCopy", "HidePrintOption", "HideExportOption"];
        for name in hidden.into_iter().chain(["UserCanNotWriteRelative"]) {
            assert_eq!((&info[name], &own_info[name]), (&json!(true), &json!(false)), "{name}");
        }
        assert_eq!(info["UserCanWrite"], json!(true));
        assert_eq!(opened.call("GET", "/contents").await.expect(200).text(), "one");
        let copy = opened.overridden("PUT_RELATIVE").header("x-wopi-suggestedtarget", "b.odt").body("copy");
        copy.await.expect(403);
        bob.get("/b.odt").await.expect(404);
    })
    .await;
}
