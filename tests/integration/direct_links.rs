//! Direct links: the apps' players read a file by an address alone. Sheets `mobile-clients`, 3.8 and 4.6, and
//! `nextcloud-files-dav`, section 15.

use nichoir_store::AccountUpdate;

use crate::support::{Answer, Client, Server, on_every_engine};

async fn link(client: &Client, form: &str) -> Answer {
    let call =
        client.request("POST", "/ocs/v2.php/apps/dav/api/v1/direct?format=json").header("ocs-apirequest", "true");
    call.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned()).await
}

/// The path of the address that is told.
fn path_of(answer: &Answer, server: &Server) -> String {
    let url = answer.json()["ocs"]["data"]["url"].as_str().expect("an address").to_owned();
    let path = url.split_once(&server.host()).expect("at the space's host").1;
    path.to_owned()
}

fn file_id(written: &Answer) -> i64 {
    written.header("oc-fileid")[..8].parse().expect("a number")
}

#[tokio::test]
async fn a_player_reads_parts_of_a_film_without_credentials() {
    on_every_engine(async |server: &Server| {
        let (alice, bob, anybody) = (server.account("alice"), server.account("bob"), server.anonymous());
        let id = file_id(&alice.put("/film%20%C3%A4.mp4", "0123456789").await.expect(201));
        let path = path_of(&link(&alice, &format!("fileId={id}")).await.expect(200), server);
        let whole = anybody.request("GET", &path).await.expect(200);
        assert_eq!((whole.text().as_str(), whole.header("content-type")), ("0123456789", "video/mp4"));
        assert_eq!(whole.header("accept-ranges"), "bytes");
        let part = anybody.request("GET", &path).header("range", "bytes=2-4").await.expect(206);
        assert_eq!((part.text().as_str(), part.header("content-range")), ("234", "bytes 2-4/10"));
        assert_eq!(anybody.request("GET", &path).header("range", "bytes=-2").await.expect(206).text(), "89");
        anybody.request("GET", &path).header("range", "bytes=20-").await.expect(416);
        assert_eq!(anybody.request("HEAD", &path).await.expect(200).header("content-length"), "10");
        for method in ["PUT", "DELETE", "PROPFIND", "POST"] {
            anybody.request(method, &path).await.expect(405);
        }
        // It is the file's, wherever it goes, and nobody else's.
        alice.move_to("/film%20%C3%A4.mp4", "/b.mp4").await.expect(201);
        anybody.request("GET", &path).await.expect(200);
        link(&bob, &format!("fileId={id}")).await.expect(404);
        Client::anonymous(&server.app, &server.other_host()).request("GET", &path).await.expect(404);
        alice.delete("/b.mp4").await.expect(204);
        anybody.request("GET", &path).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn a_direct_link_ends_with_its_time_its_device_and_its_account() {
    on_every_engine(async |server: &Server| {
        let (alice, anybody) = (server.account("alice"), server.anonymous());
        let id = file_id(&alice.put("/a.mp3", "x").await.expect(201));
        let form = format!("fileId={id}&expirationTime=60");
        let path = path_of(&link(&alice, &form).await.expect(200), server);
        server.clock.advance_seconds(59);
        anybody.request("GET", &path).await.expect(200);
        server.clock.advance_seconds(1);
        anybody.request("GET", &path).await.expect(404);
        for seconds in ["0", "86401", "-1", "x"] {
            link(&alice, &format!("fileId={id}&expirationTime={seconds}")).await.expect(400);
        }
        link(&alice, &format!("fileId={id}&expirationTime=86400")).await.expect(200);

        let (phone, _) = server.device("alice").await;
        let path = path_of(&link(&phone, &format!("fileId={id}")).await.expect(200), server);
        anybody.request("GET", &path).await.expect(200);
        let account = server.space.account_by_login("alice").await.expect("alice");
        let device = server.space.devices(account.id).await.expect("devices").remove(0);
        server.space.revoke_device(account.id, device.id).await.expect("revoked");
        anybody.request("GET", &path).await.expect(404);

        let path = path_of(&link(&alice, &format!("fileId={id}")).await.expect(200), server);
        // Another right or a later end is another ticket.
        let mut forged = path.clone().into_bytes();
        let last = forged.len() - 40;
        forged[last] = if forged[last] == b'0' { b'1' } else { b'0' };
        anybody.request("GET", &String::from_utf8(forged).expect("text")).await.expect(404);
        let disabled = AccountUpdate { is_enabled: Some(false), ..AccountUpdate::default() };
        server.space.update_account(account.id, disabled).await.expect("disabled");
        anybody.request("GET", &path).await.expect(404);
        anybody.request("GET", "/remote.php/direct/nonsense").await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn folders_and_what_there_is_not_have_no_direct_link() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        let id = file_id(&alice.mkcol("/folder").await.expect(201));
        link(&alice, &format!("fileId={id}")).await.expect(400);
        link(&alice, "fileId=999999").await.expect(404);
        link(&alice, "fileId=x").await.expect(400);
        link(&alice, "").await.expect(400);
        link(&server.anonymous(), &format!("fileId={id}")).await.expect(401);
        // Nothing is said of editors that are not there, and to ask for them does no harm.
        let asked = alice.request("GET", "/ocs/v2.php/apps/files/api/v1/directEditing?format=json");
        assert_eq!(asked.header("ocs-apirequest", "true").await.expect(404).json()["ocs"]["meta"]["statuscode"], 998);
        let told = alice.request("GET", "/ocs/v2.php/cloud/capabilities?format=json").header("ocs-apirequest", "true");
        let told = told.await.expect(200).json();
        assert!(told["ocs"]["data"]["capabilities"]["files"].get("directEditing").is_none());
    })
    .await;
}

#[tokio::test]
async fn a_direct_link_of_a_sharee_ends_with_what_lets_her_see_the_file() {
    on_every_engine(async |server: &Server| {
        let (alice, bob, anybody) = (server.account("alice"), server.account("bob"), server.anonymous());
        alice.mkcol("/Films").await.expect(201);
        let id = file_id(&alice.put("/Films/a.mp4", "film").await.expect(201));
        link(&bob, &format!("fileId={id}")).await.expect(404);
        let share = alice.share("/Films", "bob", 1).await;
        let path = path_of(&link(&bob, &format!("fileId={id}")).await.expect(200), server);
        assert_eq!(anybody.request("GET", &path).await.expect(200).text(), "film");
        bob.move_to("/Films", "/Cinema").await.expect(201);
        anybody.request("GET", &path).await.expect(200);
        alice.move_to("/Films/a.mp4", "/a.mp4").await.expect(201);
        anybody.request("GET", &path).await.expect(404);
        alice.move_to("/a.mp4", "/Films/a.mp4").await.expect(201);
        anybody.request("GET", &path).await.expect(200);
        alice.unshare(&share).await;
        anybody.request("GET", &path).await.expect(404);
        // Shared again, by a group this time, until he is taken out of it.
        let board = server.space.create_group("board", "").await.expect("a group").id;
        let account = server.space.account_by_login("bob").await.expect("there").id;
        server.space.add_to_group(board, account).await.expect("in it");
        let shared = "path=/Films&shareType=1&shareWith=board&permissions=1";
        alice.ocs("POST", "/apps/files_sharing/api/v1/shares", shared).await.expect(200);
        anybody.request("GET", &path).await.expect(200);
        server.space.remove_from_group(board, account).await.expect("out of it");
        anybody.request("GET", &path).await.expect(404);
    })
    .await;
}
