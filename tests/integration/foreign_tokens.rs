//! What others were given is worth nothing: names of uploads, sync tokens, tokens of locks, of removed members and of those from
//! whom a share was taken back.

use crate::support::{Answer, Client, Server, on_every_engine};

async fn sync(client: &Client, path: &str, token: &str) -> Answer {
    let body = format!(
        "<d:sync-collection xmlns:d='DAV:'><d:sync-token>{token}</d:sync-token><d:sync-level>1</d:sync-level><d:prop>\
         <d:getetag/></d:prop></d:sync-collection>"
    );
    client.files("REPORT", path).body(body).await
}

fn token_of(answer: &Answer) -> String {
    let text = answer.text();
    let rest = text.split_once("<d:sync-token>").expect("a token").1;
    rest.split_once("</d:sync-token>").expect("its end").0.to_owned()
}

#[tokio::test]
async fn an_upload_into_a_share_that_was_taken_back_ends_nowhere() {
    on_every_engine(async |server: &Server| {
        let (alice, bob) = (server.account("alice"), server.account("bob"));
        alice.mkcol("/Team").await.expect(201);
        alice.put("/Team/a.txt", "hers").await.expect(201);
        let share = alice.share("/Team", "bob", 15).await;
        for (name, to) in [("u1", "a.txt"), ("u2", "new.txt")] {
            let target = format!("/remote.php/dav/files/bob/Team/{to}");
            let upload = format!("/remote.php/dav/uploads/bob/{name}");
            bob.request("MKCOL", &upload).header("destination", &target).await.expect(201);
            bob.request("PUT", &format!("{upload}/00001")).header("destination", &target).body("his").await.expect(201);
        }
        let assemble = |client: &Client, login: &str, owner: &str, name: &str, to: &str| {
            let call = client.request("MOVE", &format!("/remote.php/dav/uploads/{owner}/{name}/.file"));
            call.header("destination", &format!("/remote.php/dav/files/{login}/{to}"))
        };
        // The name of an upload says nothing to others.
        assemble(&alice, "alice", "alice", "u1", "Team/a.txt").await.expect(404);
        assemble(&alice, "alice", "bob", "u1", "Team/a.txt").await.expect(404);
        alice.set_rights(&share, 1).await;
        assemble(&bob, "bob", "bob", "u1", "Team/a.txt").await.expect(403);
        assemble(&bob, "bob", "bob", "u2", "Team/new.txt").await.expect(403);
        alice.unshare(&share).await;
        assemble(&bob, "bob", "bob", "u1", "Team/a.txt").await.expect(409);
        assemble(&bob, "alice", "bob", "u1", "Team/a.txt").await.expect(403);
        assert_eq!(alice.get("/Team/a.txt").await.text(), "hers");
        alice.get("/Team/new.txt").await.expect(404);
        // What he has uploaded is still his, for a place of his own.
        assemble(&bob, "bob", "bob", "u1", "mine.txt").await.expect(201);
        assert_eq!(bob.get("/mine.txt").await.text(), "his");
    })
    .await;
}

#[tokio::test]
async fn a_sync_token_of_somebody_else_tells_only_of_what_one_sees_oneself() {
    on_every_engine(async |server: &Server| {
        let (alice, bob) = (server.account("alice"), server.account("bob"));
        alice.mkcol("/Team").await.expect(201);
        alice.mkcol("/Private").await.expect(201);
        let hers = token_of(&sync(&alice, "/Private/", "").await.expect(207));
        let share = alice.share("/Team", "bob", 1).await;
        let his = token_of(&sync(&bob, "/Team/", "").await.expect(207));
        let root = token_of(&sync(&bob, "/", "").await.expect(207));
        alice.put("/Private/secret.txt", "x").await.expect(201);
        alice.put("/Team/open.txt", "x").await.expect(201);
        for token in [&hers, &his] {
            let told = sync(&bob, "/Team/", token).await;
            let text = told.text();
            assert!(!text.contains("secret"), "{text}");
            assert!(told.status == 403 && text.contains("valid-sync-token") || text.contains("open.txt"), "{text}");
            let told = sync(&bob, "/", token).await.text();
            assert!(!told.contains("secret") && !told.contains("Private"), "{told}");
        }
        alice.unshare(&share).await;
        alice.put("/Team/later.txt", "x").await.expect(201);
        sync(&bob, "/Team/", &his).await.expect(404);
        sync(&bob, "/Team/", "").await.expect(404);
        let told = sync(&bob, "/", &root).await.expect(207).text();
        assert!(told.contains("/remote.php/dav/files/bob/Team") && told.contains("404"), "{told}");
        assert!(!told.contains("later"), "{told}");
    })
    .await;
}

#[tokio::test]
async fn whatever_a_removed_member_was_given_is_worth_nothing() {
    on_every_engine(async |server: &Server| {
        let (alice, bob) = (server.account("alice"), server.account("bob"));
        alice.mkcol("/Team").await.expect(201);
        let id = alice.put("/Team/a.txt", "hers").await.expect(201).file_id();
        alice.share("/Team", "bob", 31).await;
        let (phone, _) = server.device("bob").await;
        let direct = phone.ocs("POST", "/apps/dav/api/v1/direct", &format!("fileId={id}")).await.expect(200).json();
        let direct = direct["ocs"]["data"]["url"].as_str().expect("an address").to_owned();
        let direct = direct.split_once(&server.host()).expect("of the space").1.to_owned();
        let made =
            bob.ocs("POST", "/apps/files_sharing/api/v1/shares", "path=/Team&shareType=3").await.expect(200).json();
        let link = format!("/public.php/dav/files/{}/a.txt", made["ocs"]["data"]["token"].as_str().expect("a token"));
        let lock = bob.files("LOCK", "/Team/a.txt").header("x-user-lock", "1").header("x-user-lock-type", "2");
        lock.await.expect(200);
        let anybody = server.anonymous();
        for path in [&direct, &link] {
            anybody.request("GET", path).await.expect(200);
        }
        alice.put("/Team/a.txt", "hers").await.expect(423);

        let account = server.space.account_by_login("bob").await.expect("there").id;
        server.space.delete_account(account).await.expect("removed");
        for path in [&direct, &link] {
            anybody.request("GET", path).await.expect(404);
        }
        for client in [&bob, &phone] {
            client.get("/Team/a.txt").await.expect(401);
            client.ocs("GET", "/cloud/user", "").await.expect(401);
        }
        alice.put("/Team/a.txt", "hers alone").await.expect(204);
        // Somebody else who gets the login has nothing of it.
        let other = server.new_member("bob").await;
        other.get("/Team/a.txt").await.expect(404);
        phone.get("/").await.expect(401);
        anybody.request("GET", &direct).await.expect(404);
        anybody.request("GET", &link).await.expect(404);
    })
    .await;
}
