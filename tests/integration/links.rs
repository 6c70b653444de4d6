//! Public links: what programs and browsers meet at `/public.php` and `/s`, as the clients' sheets say.

use bytes::Bytes;
use nichoir_auth::{PasswordCost, hash_password};
use nichoir_store::change::{LinkUpdate, MakeLink};
use nichoir_store::{Link, NodePath, Permissions, Ports};

use crate::support::{Answer, Client, Server, on_every_engine, on_every_engine_with};

const PASSWORD: &str = "Très-secret-7";
/// One pixel.
const PNG: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00, 0x00, 0x00,
    0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x02, 0x00, 0x00, 0x00, 0x90, 0x77, 0x53, 0xde, 0x00, 0x00, 0x00, 0x0c, 0x49,
    0x44, 0x41, 0x54, 0x78, 0xda, 0x63, 0xd0, 0xcf, 0xf7, 0x07, 0x00, 0x01, 0xbe, 0x00, 0xee, 0x84, 0x49, 0x45, 0x04,
    0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];
const HTML: &str = "text/html; charset=utf-8";

async fn link(server: &Server, path: &str, permissions: Permissions, update: LinkUpdate) -> Link {
    let account = server.space.account_by_login("alice").await.expect("alice is there");
    let path = NodePath::parse(path).expect("a path");
    server.space.tree_as(&account).apply(MakeLink { path, permissions, update }).await.expect("the link is made")
}

fn with_password() -> LinkUpdate {
    let hash = hash_password(PASSWORD, PasswordCost { memory_kib: 8, passes: 1 }, &Ports::system());
    LinkUpdate { password_hash: Some(Some(hash)), ..LinkUpdate::default() }
}

fn with_attributes(attributes: &str) -> LinkUpdate {
    LinkUpdate { attributes: Some(Some(attributes.to_owned())), ..LinkUpdate::default() }
}

/// `/docs` of alice's with a file, a folder, and a file with a hostile name.
async fn docs(server: &Server) -> Client {
    let alice = server.account("alice");
    alice.mkcol("/docs").await.expect(201);
    alice.mkcol("/docs/sub").await.expect(201);
    alice.put("/docs/a.txt", "hello").await.expect(201);
    alice.put("/docs/sub/b.txt", "below").await.expect(201);
    alice.put("/docs/%3Cscript%3Ealert(1)%3C%27%22%26.txt", "<img src=x onerror=alert(1)>").await.expect(201);
    alice.put("/secret.txt", "secret").await.expect(201);
    alice
}

fn files(link: &Link) -> String {
    format!("/public.php/dav/files/{}", link.token)
}

const NAMES: &str = "<d:resourcetype/><d:getetag/><oc:id/><oc:permissions/><oc:size/><oc:owner-id/><oc:share-types/>\
                     <oc:favorite/><nc:note/><nc:hide-download/><nc:share-attributes/><nc:sharees/>";

fn propfind(names: &str) -> String {
    format!(
        "<d:propfind xmlns:d=\"DAV:\" xmlns:oc=\"http://owncloud.org/ns\" xmlns:nc=\"http://nextcloud.org/ns\"><d:prop>\
         {names}</d:prop></d:propfind>"
    )
}

#[track_caller]
fn assert_has(answer: &Answer, wanted: &[&str]) {
    let text = answer.text();
    for wanted in wanted {
        assert!(text.contains(wanted), "no {wanted} in {text}");
    }
}

#[tokio::test]
async fn a_link_to_read_over_dav_in_both_forms() {
    on_every_engine(async |server: &Server| {
        docs(server).await;
        let update = LinkUpdate { note: Some("please read".to_owned()), ..LinkUpdate::default() };
        let link = link(server, "docs", Permissions::READ, update).await;
        let nobody = server.anonymous();
        let root = files(&link);

        let listed = nobody.request("PROPFIND", &format!("{root}/")).header("depth", "1").body(propfind(NAMES)).await;
        let listed = listed.expect(207);
        assert_has(
            &listed,
            &[
                &format!("<d:href>{root}/</d:href>"),
                &format!("<d:href>{root}/a.txt</d:href>"),
                "<oc:permissions>RG</oc:permissions>",
                "<oc:owner-id>alice</oc:owner-id>",
                "<nc:note>please read</nc:note>",
                "<nc:hide-download>false</nc:hide-download>",
                "<nc:share-attributes>[]</nc:share-attributes>",
            ],
        );
        let missing = listed.text();
        let missing = &missing[missing.find("404").map_or(0, |at| missing[..at].rfind("<d:propstat>").unwrap())..];
        for name in ["oc:share-types", "oc:favorite", "nc:sharees"] {
            assert!(missing.contains(name), "{name} is nobody's business");
        }
        let bare = nobody.request("PROPFIND", &root).header("depth", "0").await.expect(207);
        assert_has(&bare, &[&format!("<d:href>{root}/</d:href>")]);

        let file = nobody.request("GET", &format!("{root}/a.txt")).await.expect(200);
        assert_eq!(file.text(), "hello");
        assert_eq!(file.header("oc-etag"), file.etag());
        let part = nobody.request("GET", &format!("{root}/a.txt")).header("range", "bytes=1-3").await.expect(206);
        assert_eq!((part.text().as_str(), part.header("content-range")), ("ell", "bytes 1-3/5"));
        nobody.request("GET", &format!("{root}/none.txt")).await.expect(404);
        nobody.request("GET", &format!("{root}/../secret.txt")).await.expect(400);
        for (method, path) in [
            ("PUT", "/new.txt"),
            ("PUT", "/a.txt"),
            ("MKCOL", "/new"),
            ("DELETE", "/a.txt"),
            ("DELETE", "/"),
            ("DELETE", ""),
            ("PROPPATCH", "/a.txt"),
            ("LOCK", "/a.txt"),
            ("MOVE", "/a.txt"),
            ("COPY", "/a.txt"),
        ] {
            let body = match method {
                "PROPPATCH" => {
                    "<d:propertyupdate xmlns:d=\"DAV:\"><d:set><d:prop><x xmlns=\"urn:x\">1</x></d:prop></d:set></d:propertyupdate>"
                }
                "LOCK" => {
                    "<d:lockinfo xmlns:d=\"DAV:\"><d:lockscope><d:exclusive/></d:lockscope><d:locktype><d:write/></d:locktype></d:lockinfo>"
                }
                _ => "",
            };
            let call = nobody.request(method, &format!("{root}{path}")).header("destination", &format!("{root}/z.txt"));
            call.body(body).await.expect(403);
        }
        let uploads = root.replace("/files/", "/uploads/");
        nobody.request("MKCOL", &format!("{uploads}/u")).await.expect(403);

        // The older form: the token is the login.
        let older = nobody.as_login(&link.token, "");
        assert_has(
            &older.request("PROPFIND", "/public.php/webdav/").header("depth", "1").await.expect(207),
            &["<d:href>/public.php/webdav/a.txt</d:href>"],
        );
        assert_eq!(older.request("GET", "/public.php/webdav/sub/b.txt").await.expect(200).text(), "below");
        let refused = nobody.request("PROPFIND", "/public.php/webdav/").await.expect(401);
        assert!(refused.header("www-authenticate").starts_with("Basic "));
        nobody.as_login("nosuchtoken1234", "").request("PROPFIND", "/public.php/webdav/").await.expect(401);
        nobody.request("PROPFIND", "/public.php/dav/files/nosuchtoken1234/").await.expect(404);

        // The accounts' own addresses know nothing of it, and another space has no such link.
        older.request("PROPFIND", "/remote.php/dav/files/alice/").await.expect(401);
        let elsewhere = Client::anonymous(&server.app, &server.other_host());
        elsewhere.request("GET", &format!("{root}/a.txt")).await.expect(404);
        elsewhere.request("GET", &format!("/s/{}", link.token)).await.expect(404);
        assert_eq!(server.account("alice").get("/docs/a.txt").await.expect(200).text(), "hello");
    })
    .await;
}

#[tokio::test]
async fn a_folder_comes_as_an_archive() {
    on_every_engine(async |server: &Server| {
        docs(server).await;
        let to_read = link(server, "docs", Permissions::READ, LinkUpdate::default()).await;
        let nobody = server.anonymous();
        let page = format!("/s/{}", to_read.token);
        let led = nobody.request("GET", &format!("{page}/download")).await.expect(303);
        assert_eq!(led.header("location"), format!("{}/?accept=zip", files(&to_read)));
        let zip = nobody.request("GET", led.header("location")).await.expect(200);
        assert_eq!(zip.header("content-type"), "application/zip");
        assert!(zip.header("content-disposition").contains("filename=\"docs.zip\""));
        let holds = |name: &str| zip.body.windows(name.len()).any(|window| window == name.as_bytes());
        assert!(holds("docs/a.txt") && holds("docs/sub/b.txt") && !holds("secret"));
        let led = nobody.request("GET", &format!("{page}/download?path=/sub&files=b.txt")).await.expect(303);
        assert_eq!(led.header("location"), format!("{}/sub/b.txt", files(&to_read)));
        let led = nobody.request("GET", &format!("{page}/download?path=/&files=%5B%22a.txt%22%5D")).await.expect(303);
        assert_eq!(led.header("location"), format!("{}/?accept=zip&files=%5B%22a.txt%22%5D", files(&to_read)));

        let attributes = "[{\"scope\":\"permissions\",\"key\":\"download\",\"value\":false}]";
        let to_look = link(server, "docs", Permissions::READ, with_attributes(attributes)).await;
        let root = files(&to_look);
        nobody.request("GET", &format!("{root}/?accept=zip")).await.expect(403);
        nobody.request("GET", &format!("{root}/")).header("accept", "application/zip").await.expect(403);
        nobody.request("GET", &format!("/s/{}/download", to_look.token)).await.expect(403);
        nobody.request("GET", &format!("{root}/a.txt")).await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_password_is_asked_for_on_every_way_in() {
    on_every_engine(async |server: &Server| {
        docs(server).await;
        let link = link(server, "docs", Permissions::READ_WRITE, with_password()).await;
        let nobody = server.anonymous();
        let root = files(&link);
        let page = format!("/s/{}", link.token);
        for (method, path) in
            [("PROPFIND", "/"), ("GET", "/a.txt"), ("PUT", "/a.txt"), ("GET", "/?accept=zip"), ("OPTIONS", "/")]
        {
            let refused = nobody.request(method, &format!("{root}{path}")).await.expect(401);
            assert_eq!(refused.header("www-authenticate"), "Basic realm=\"nichoir\", charset=\"UTF-8\"", "{method}");
        }
        let script = nobody.request("GET", &format!("{root}/a.txt")).header("x-requested-with", "XMLHttpRequest");
        assert!(script.await.expect(401).header("www-authenticate").starts_with("DummyBasic "));
        let guest = nobody.as_login("anonymous", PASSWORD);
        assert_eq!(guest.request("GET", &format!("{root}/a.txt")).await.expect(200).text(), "hello");
        guest.request("PUT", &format!("{root}/new.txt")).body("new").await.expect(201);
        nobody.as_login("anonymous", "wrong").request("GET", &format!("{root}/a.txt")).await.expect(401);
        let older = nobody.as_login(&link.token, PASSWORD);
        older.request("PROPFIND", "/public.php/webdav/").await.expect(207);
        nobody.as_login(&link.token, "").request("PROPFIND", "/public.php/webdav/").await.expect(401);

        let led = nobody.request("GET", &page).await.expect(303);
        assert_eq!(led.header("location"), format!("{page}/authenticate/showshare"));
        let led = nobody.request("GET", &format!("{page}/download?path=/sub")).await.expect(303);
        assert_eq!(led.header("location"), format!("{page}/authenticate/downloadshare?path=/sub"));
        let form = nobody.request("GET", &format!("{page}/authenticate/showshare")).await.expect(200);
        assert_has(&form, &["<html lang=\"en\">", "type=\"password\"", "<label for=\"password\">"]);
        assert!(!form.text().contains("docs"), "nothing is told before the password");
        nobody.request("POST", &format!("{page}/upload")).await.expect(303);

        let enter = |password: &str| {
            let form = form_urlencoded(password);
            nobody
                .request("POST", &format!("{page}/authenticate/downloadshare?path=/sub"))
                .header("content-type", "application/x-www-form-urlencoded")
                .body(form)
        };
        let wrong = enter("wrong").await.expect(403);
        assert_has(&wrong, &["role=\"alert\"", "aria-describedby=\"wrong\""]);
        assert_eq!(wrong.header("set-cookie"), "");
        let entered = enter(PASSWORD).await.expect(303);
        assert_eq!(entered.header("location"), format!("{page}/download?path=/sub"));
        let cookie = entered.header("set-cookie").to_owned();
        assert!(cookie.contains("; HttpOnly; SameSite=Lax") && !cookie.contains("Secure"), "{cookie}");
        let ticket = cookie.split(';').next().unwrap();
        let browser = nobody.with("cookie", &format!("other=1; {ticket}"));
        browser.request("GET", &page).await.expect(200);
        browser.request("GET", &format!("{root}/a.txt")).await.expect(200);
        // Another site's page may make a browser send a cookie: it opens nothing that writes.
        browser.request("DELETE", &format!("{root}/a.txt")).await.expect(401);
        browser.request("PROPFIND", &format!("{root}/")).await.expect(401);
        for forged in [format!("{ticket}0"), ticket.replacen(".", "0.", 1), ticket.replace('.', "")] {
            nobody.with("cookie", &forged).request("GET", &page).await.expect(303);
        }
        let other = self::link(server, "docs/sub", Permissions::READ, with_password()).await;
        let renamed = ticket.replace(&format!("link_{}", link.id.0), &format!("link_{}", other.id.0));
        nobody.with("cookie", &renamed).request("GET", &format!("/s/{}", other.token)).await.expect(303);
        server.clock.advance_seconds(24 * 3600);
        browser.request("GET", &page).await.expect(303);
    })
    .await;
}

fn form_urlencoded(password: &str) -> String {
    let escaped: String = password.bytes().map(|byte| format!("%{byte:02X}")).collect();
    format!("password={escaped}")
}

#[tokio::test]
async fn a_new_password_ends_what_browsers_kept() {
    on_every_engine(async |server: &Server| {
        let alice = docs(server).await;
        drop(alice);
        let link = link(server, "docs", Permissions::READ, with_password()).await;
        let page = format!("/s/{}", link.token);
        let entered = server
            .anonymous()
            .with("host", &server.host())
            .request("POST", &format!("{page}/authenticate"))
            .body(form_urlencoded(PASSWORD))
            .await
            .expect(303);
        let browser = server.anonymous().with("cookie", entered.header("set-cookie").split(';').next().unwrap());
        browser.request("GET", &page).await.expect(200);
        let account = server.space.account_by_login("alice").await.unwrap();
        let update = with_password();
        let change = nichoir_store::change::UpdateLink { id: link.id, update };
        server.space.tree_as(&account).apply(change).await.unwrap();
        browser.request("GET", &page).await.expect(303);
    })
    .await;
}

#[tokio::test]
async fn guessing_a_links_password_is_stopped() {
    on_every_engine_with(
        |config| config.auth.failures_per_login_and_address = 3,
        async |server: &Server| {
            docs(server).await;
            let link = link(server, "docs", Permissions::READ, with_password()).await;
            let nobody = server.anonymous();
            let path = format!("{}/a.txt", files(&link));
            for _ in 0..3 {
                nobody.as_login("x", "guess").request("GET", &path).await.expect(401);
            }
            let stopped = nobody.as_login("x", PASSWORD).request("GET", &path).await.expect(429);
            assert_ne!(stopped.header("retry-after"), "");
            let page = format!("/s/{}/authenticate/showshare", link.token);
            nobody.request("POST", &page).body(form_urlencoded(PASSWORD)).await.expect(429);
            let elsewhere = nobody.at(Some("198.51.100.7"));
            elsewhere.as_login("x", PASSWORD).request("GET", &path).await.expect(200);
        },
    )
    .await;
}

#[tokio::test]
async fn a_link_to_edit_is_written_to_by_programs() {
    on_every_engine(async |server: &Server| {
        let alice = docs(server).await;
        let link = link(server, "docs", Permissions::READ_WRITE, LinkUpdate::default()).await;
        let nobody = server.anonymous();
        let root = files(&link);
        let written = nobody.request("PUT", &format!("{root}/guest.txt")).header("x-oc-mtime", "1700000000").body("hi");
        let written = written.await.expect(201);
        assert_eq!(written.header("x-oc-mtime"), "accepted");
        assert_ne!(written.header("oc-fileid"), "");
        nobody.request("MKCOL", &format!("{root}/new")).await.expect(201);
        let renamed = nobody.request("MOVE", &format!("{root}/guest.txt"));
        renamed.header("destination", &format!("{root}/new/guest.txt")).await.expect(201);
        nobody.request("DELETE", &format!("{root}/a.txt")).await.expect(204);
        nobody.request("DELETE", &format!("{root}/")).await.expect(403);
        assert_has(
            &nobody
                .request("PROPFIND", &format!("{root}/"))
                .header("depth", "1")
                .body(propfind(NAMES))
                .await
                .expect(207),
            &["<oc:permissions>RGDNVCK</oc:permissions>", "<oc:permissions>RGDNVW</oc:permissions>"],
        );

        let uploads = root.replace("/files/", "/uploads/");
        nobody.request("MKCOL", &format!("{uploads}/u1")).await.expect(201);
        nobody.request("PUT", &format!("{uploads}/u1/00001")).body("one").await.expect(201);
        nobody.request("PUT", &format!("{uploads}/u1/00002")).body("two").await.expect(201);
        nobody.request("PROPFIND", &uploads).await.expect(403);
        let assembled = nobody.request("MOVE", &format!("{uploads}/u1/.file"));
        assembled.header("destination", &format!("http://x{root}/big.txt")).await.expect(201);
        assert_eq!(alice.get("/docs/big.txt").await.expect(200).text(), "onetwo");
        assert_eq!(alice.get("/docs/new/guest.txt").await.expect(200).text(), "hi");
    })
    .await;
}

#[tokio::test]
async fn what_is_handed_in_by_programs_replaces_nothing_and_shows_nothing() {
    on_every_engine(async |server: &Server| {
        let alice = docs(server).await;
        let drop = link(server, "docs", Permissions::CREATE, LinkUpdate::default()).await;
        let nobody = server.anonymous();
        let root = files(&drop);
        for (method, path) in [
            ("PROPFIND", "/"),
            ("GET", "/a.txt"),
            ("GET", "/?accept=zip"),
            ("HEAD", "/a.txt"),
            ("DELETE", "/a.txt"),
            ("MKCOL", "/x"),
            ("MOVE", "/a.txt"),
            ("REPORT", "/"),
            ("LOCK", "/a.txt"),
        ] {
            let refused = nobody.request(method, &format!("{root}{path}")).await.expect(405);
            if method == "PROPFIND" {
                assert_has(&refused, &["MethodNotAllowed", "Only PUT is allowed on files drop"]);
            }
        }
        for (nickname, path) in
            [(None, "/a.txt"), (None, "/a.txt"), (Some("Zo%C3%A9"), "/in/a.txt"), (Some("Zo%C3%A9"), "/in/a.txt")]
        {
            let call = nobody.request("PUT", &format!("{root}{path}")).body("theirs");
            let call = match nickname {
                Some(nickname) => call.header("x-nc-nickname", nickname),
                None => call,
            };
            let handed = call.header("if-match", "\"x\"").await.expect(201);
            assert_ne!(handed.header("oc-etag"), "");
            assert_eq!(handed.header("oc-fileid"), "");
        }
        nobody.request("PUT", &format!("{root}/in/a.txt")).body("x").await.expect(400);
        for bad in ["..", ".joe", "a%2Fb", "%20", "%ff"] {
            nobody.request("PUT", &format!("{root}/a.txt")).header("x-nc-nickname", bad).body("x").await.expect(400);
        }
        nobody.request("MKCOL", &format!("{root}/deep/er")).header("x-nc-nickname", "Joe").await.expect(201);
        nobody.request("MKCOL", &format!("{root}/deep/er")).header("x-nc-nickname", "Joe").await.expect(201);
        assert_eq!(alice.get("/docs/a.txt").await.expect(200).text(), "hello");
        assert_eq!(alice.get("/docs/a%20(3).txt").await.expect(200).text(), "theirs");
        assert_eq!(alice.get("/docs/Zo%C3%A9/in/a%20(2).txt").await.expect(200).text(), "theirs");
        alice.propfind("/docs/Joe/deep/er/", 0).await.expect(207);

        let uploads = root.replace("/files/", "/uploads/");
        nobody.request("MKCOL", &format!("{uploads}/u1")).await.expect(201);
        nobody.request("PUT", &format!("{uploads}/u1/1")).body("chunked").await.expect(201);
        for _ in 0..2 {
            let assembled = nobody.request("MOVE", &format!("{uploads}/u1/.file")).header("x-nc-nickname", "Joe");
            let assembled = assembled.header("destination", &format!("{root}/a.txt")).await.expect(201);
            assert_eq!(assembled.header("oc-fileid"), "");
        }
        assert_eq!(alice.get("/docs/Joe/a.txt").await.expect(200).text(), "chunked");

        let attributes = "[{\"scope\":\"fileRequest\",\"key\":\"enabled\",\"value\":true}]";
        let request = link(server, "docs/sub", Permissions::CREATE, with_attributes(attributes)).await;
        let root = files(&request);
        nobody.request("PUT", &format!("{root}/a.txt")).body("x").await.expect(400);
        nobody.request("PUT", &format!("{root}/a.txt")).header("x-nc-nickname", "Joe").body("x").await.expect(201);
        assert_eq!(alice.get("/docs/sub/Joe/a.txt").await.expect(200).text(), "x");
    })
    .await;
}

#[tokio::test]
async fn a_link_to_a_file_is_the_file() {
    on_every_engine(async |server: &Server| {
        let alice = docs(server).await;
        let link = link(server, "docs/a.txt", Permissions::READ | Permissions::UPDATE, LinkUpdate::default()).await;
        let nobody = server.anonymous();
        let root = files(&link);
        for path in [root.clone(), format!("{root}/")] {
            assert_eq!(nobody.request("GET", &path).await.expect(200).text(), "hello");
            let told = nobody.request("PROPFIND", &path).header("depth", "0").body(propfind(NAMES)).await.expect(207);
            assert_has(&told, &[&format!("<d:href>{root}</d:href>"), "<oc:permissions>RGNVW</oc:permissions>"]);
        }
        nobody.request("PUT", &root).body("changed").await.expect(204);
        assert_eq!(alice.get("/docs/a.txt").await.expect(200).text(), "changed");
        nobody.request("DELETE", &root).await.expect(403);
        let led = nobody.request("GET", &format!("/s/{}/download", link.token)).await.expect(303);
        assert_eq!(led.header("location"), root);
        let page = nobody.request("GET", &format!("/s/{}", link.token)).await.expect(200);
        assert_has(&page, &["<h1>a.txt</h1>", "changed</pre>"]);
    })
    .await;
}

#[tokio::test]
async fn downloads_end_with_the_limit() {
    on_every_engine(async |server: &Server| {
        docs(server).await;
        let update = LinkUpdate { download_limit: Some(Some(2)), ..LinkUpdate::default() };
        let link = link(server, "docs", Permissions::READ, update).await;
        let nobody = server.anonymous();
        let root = files(&link);
        for uncounted in ["/none.txt", "/"] {
            nobody.request("GET", &format!("{root}{uncounted}")).await;
        }
        nobody.request("HEAD", &format!("{root}/a.txt")).await.expect(200);
        let page = nobody.request("GET", &format!("/s/{}?path=/a.txt", link.token)).await.expect(200);
        assert!(!page.text().contains("hello"), "what is counted is not shown in passing");
        let etag = nobody.request("GET", &format!("{root}/a.txt")).await.expect(200).etag().to_owned();
        nobody.request("GET", &format!("{root}/a.txt")).header("if-none-match", &etag).await.expect(304);
        nobody.request("GET", &format!("{root}/?accept=zip")).await.expect(200);
        nobody.request("GET", &format!("{root}/a.txt")).await.expect(404);
        nobody.request("GET", &format!("/s/{}", link.token)).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn pages_are_safe_and_speak_two_languages() {
    on_every_engine(async |server: &Server| {
        docs(server).await;
        let note = Some("</p><script>alert(2)</script>".to_owned());
        let update = LinkUpdate { note, ..LinkUpdate::default() };
        let link = link(server, "docs", Permissions::READ, update).await;
        let nobody = server.anonymous();
        let address = format!("/s/{}", link.token);
        let page = nobody.request("GET", &address).await.expect(200);
        assert_eq!(page.header("content-type"), HTML);
        assert_eq!(page.header("x-robots-tag"), "noindex, nofollow");
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        assert_eq!(page.header("cache-control"), "no-store");
        let policy = page.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none';") && !policy.contains("unsafe") && !policy.contains("script-src")
        );
        let text = page.text();
        assert!(!text.contains("<script") && !text.contains("<img src=x"), "{text}");
        assert_has(
            &page,
            &[
                "<html lang=\"en\">",
                "&lt;script&gt;alert(1)&lt;&#39;&quot;&amp;.txt",
                "&lt;/p&gt;&lt;script&gt;alert(2)",
                "Shared by ALICE",
                "<th scope=\"row\">",
                "5\u{a0}bytes",
                "<time datetime=\"",
                "Download all (zip)",
            ],
        );
        assert!(!text.contains("<form"), "nothing can be sent to a link to read");
        let hostile = nobody.request("GET", &format!("{address}?path=/%3Cscript%3Ealert(1)%3C%27%22%26.txt")).await;
        let hostile = hostile.expect(200);
        assert!(!hostile.text().contains("<img src=x") && !hostile.text().contains("<script"));
        assert_has(&hostile, &["&lt;img src=x onerror=alert(1)&gt;</pre>", "aria-label=\"Folders above\""]);
        let french = nobody.request("GET", &address).header("accept-language", "fr-FR,fr;q=0.9,en;q=0.5").await;
        assert_has(
            &french.expect(200),
            &["<html lang=\"fr\">", "Partagé par ALICE", "Tout télécharger", "5\u{a0}octets"],
        );
        nobody.request("GET", &format!("/index.php{address}")).await.expect(200);
        for gone in [
            "/s/nosuchtoken1234",
            &format!("{address}/what"),
            &format!("{address}?path=/none"),
            &format!("{address}?path=/../secret.txt"),
        ] {
            assert_has(&nobody.request("GET", gone).await.expect(404), &["Nothing here"]);
        }
        nobody.request("DELETE", &address).await.expect(405);
        let style = nobody.request("GET", "/core/css/link.css").await.expect(200);
        assert_eq!(style.header("content-type"), "text/css; charset=utf-8");

        let update = LinkUpdate { hides_download: Some(true), ..LinkUpdate::default() };
        let hiding = self::link(server, "docs", Permissions::READ, update).await;
        for at in ["", "?path=/a.txt", "?path=/sub"] {
            let page = nobody.request("GET", &format!("/s/{}{at}", hiding.token)).await.expect(200);
            assert!(!page.text().contains("ownload"), "{at}: {}", page.text());
        }
    })
    .await;
}

#[tokio::test]
async fn pictures_are_previewed_behind_a_link() {
    on_every_engine(async |server: &Server| {
        let alice = docs(server).await;
        alice.put("/docs/p.png", Bytes::from_static(PNG)).await.expect(201);
        alice.put("/p.png", Bytes::from_static(PNG)).await.expect(201);
        let open = link(server, "docs", Permissions::READ, LinkUpdate::default()).await;
        let locked = link(server, "docs", Permissions::READ, with_password()).await;
        let drop = link(server, "docs", Permissions::CREATE, LinkUpdate::default()).await;
        let single = link(server, "docs/p.png", Permissions::READ, LinkUpdate::default()).await;
        let nobody = server.anonymous();
        let address = |link: &Link, file: &str| {
            format!("/index.php/apps/files_sharing/publicpreview/{}?file={file}&x=64&y=64&a=1", link.token)
        };
        let shown = nobody.request("GET", &address(&open, "/p.png")).await.expect(200);
        assert!(shown.header("content-type").starts_with("image/"));
        nobody.request("GET", &address(&open, "/none.png")).await.expect(404);
        nobody.request("GET", &address(&drop, "/p.png")).await.expect(404);
        nobody.request("GET", &address(&locked, "/p.png")).await.expect(401);
        nobody.as_login("x", PASSWORD).request("GET", &address(&locked, "/p.png")).await.expect(200);
        nobody.request("GET", &address(&single, "")).await.expect(200);
        nobody.request("GET", &format!("/s/{}/preview", single.token)).await.expect(200);
        nobody.request("GET", &format!("/s/{}/preview", open.token)).await.expect(400);
        nobody.request("GET", &format!("/s/{}/preview", locked.token)).await.expect(403);
        let page = nobody.request("GET", &format!("/s/{}?path=/p.png", open.token)).await.expect(200);
        assert_has(&page, &["<img src=\"/apps/files_sharing/publicpreview/"]);
    })
    .await;
}

#[tokio::test]
async fn long_folders_come_in_pages() {
    on_every_engine_with(
        |config| config.links.page_members_max = 3,
        async |server: &Server| {
            let alice = server.account("alice");
            alice.mkcol("/many").await.expect(201);
            for number in 0..7 {
                alice.put(&format!("/many/f{number}.txt"), "x").await.expect(201);
            }
            let link = link(server, "many", Permissions::READ, LinkUpdate::default()).await;
            let mut at = format!("/s/{}", link.token);
            let mut seen = Vec::new();
            for expected in [3, 3, 1] {
                let text = server.anonymous().request("GET", &at).await.expect(200).text();
                let rows: Vec<&str> = (0..7)
                    .map(|it| ["f0", "f1", "f2", "f3", "f4", "f5", "f6"][it])
                    .filter(|name| text.contains(&format!("{name}.txt</a></th>")))
                    .collect();
                assert_eq!(rows.len(), expected, "{text}");
                seen.extend(rows.iter().map(|name| (*name).to_owned()));
                let next = text.find("after=").map(|start| {
                    let digits: String = text[start + 6..].chars().take_while(char::is_ascii_digit).collect();
                    format!("/s/{}?path=/&after={digits}", link.token)
                });
                match next {
                    Some(next) => at = next,
                    None => break,
                }
            }
            seen.sort();
            seen.dedup();
            assert_eq!(seen.len(), 7);
        },
    )
    .await;
}

fn form(parts: &[(&str, Option<&str>, &str)]) -> String {
    let mut form = String::new();
    for (name, file_name, value) in parts {
        let file_name = file_name.map(|it| format!("; filename=\"{it}\"")).unwrap_or_default();
        form += &format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"{file_name}\r\n\r\n{value}\r\n");
    }
    form + "--B--\r\n"
}

#[tokio::test]
async fn files_are_handed_in_by_a_form() {
    on_every_engine_with(
        |config| config.links.form_files_max = 3,
        async |server: &Server| {
            let alice = docs(server).await;
            let send = async |link: &Link, at: &str, parts: &[(&str, Option<&str>, &str)]| {
                let call = server.anonymous().request("POST", &format!("/s/{}/upload{at}", link.token));
                call.header("content-type", "multipart/form-data; boundary=B").body(form(parts)).await
            };
            let drop = link(server, "docs", Permissions::CREATE, LinkUpdate::default()).await;
            let page = server.anonymous().request("GET", &format!("/s/{}", drop.token)).await.expect(200);
            assert_has(
                &page,
                &["enctype=\"multipart/form-data\"", "<label for=\"files\">", "<label for=\"nickname\">"],
            );
            assert!(!page.text().contains("a.txt"), "nothing is listed");
            let files =
                [("nickname", None, ""), ("files", Some("a.txt"), "theirs"), ("files", Some("C:\\d\\é%22.txt"), "é")];
            let sent = send(&drop, "", &files).await.expect(303);
            assert_eq!(sent.header("location"), format!("/s/{}?received=2", drop.token));
            let thanks = server.anonymous().request("GET", sent.header("location")).await.expect(200);
            assert_has(&thanks, &["role=\"status\"", "2 files were received"]);
            assert_eq!(alice.get("/docs/a.txt").await.expect(200).text(), "hello");
            assert_eq!(alice.get("/docs/a%20(2).txt").await.expect(200).text(), "theirs");
            assert_eq!(alice.get("/docs/%C3%A9%22.txt").await.expect(200).text(), "é");
            send(&drop, "", &[("nickname", None, " Zoé "), ("files", Some("a.txt"), "z")]).await.expect(303);
            assert_eq!(alice.get("/docs/Zo%C3%A9/a.txt").await.expect(200).text(), "z");
            assert_eq!(
                send(&drop, "", &[("files", Some(""), "")]).await.expect(303).header("location"),
                format!("/s/{}?received=0", drop.token)
            );
            send(&drop, "", &[("nickname", None, "../x"), ("files", Some("a.txt"), "z")]).await.expect(400);
            send(&drop, "", &[("files", Some(".htaccess"), "z")]).await.expect(400);
            let four = [("files", Some("4.txt"), "z"); 4];
            send(&drop, "", &four).await.expect(413);
            let bare = server.anonymous().request("POST", &format!("/s/{}/upload", drop.token)).body("x").await;
            bare.expect(400);

            let edit = link(server, "docs", Permissions::READ_WRITE, LinkUpdate::default()).await;
            let sent = send(&edit, "?path=/sub", &[("files", Some("b.txt"), "other")]).await.expect(303);
            assert_eq!(sent.header("location"), format!("/s/{}?path=%2Fsub&received=1", edit.token));
            assert_eq!(alice.get("/docs/sub/b.txt").await.expect(200).text(), "below");
            assert_eq!(alice.get("/docs/sub/b%20(2).txt").await.expect(200).text(), "other");
            let read = link(server, "docs", Permissions::READ, LinkUpdate::default()).await;
            send(&read, "", &[("files", Some("n.txt"), "x")]).await.expect(403);
            alice.get("/docs/n.txt").await.expect(404);
            // More than the pool has room for is refused, and leaves nothing.
            let huge = "x".repeat(11_000_000);
            send(&edit, "", &[("files", Some("huge.bin"), &huge)]).await.expect(507);
            alice.get("/docs/huge.bin").await.expect(404);
        },
    )
    .await;
}

#[tokio::test]
async fn links_can_be_switched_off() {
    on_every_engine_with(
        |config| config.links.is_offered = false,
        async |server: &Server| {
            docs(server).await;
            let link = link(server, "docs", Permissions::READ, LinkUpdate::default()).await;
            let nobody = server.anonymous();
            nobody.request("GET", &format!("/s/{}", link.token)).await.expect(404);
            nobody.request("PROPFIND", &files(&link)).await.expect(404);
            nobody.as_login(&link.token, "").request("PROPFIND", "/public.php/webdav").await.expect(404);
        },
    )
    .await;
}

const SHARES: &str = "/ocs/v2.php/apps/files_sharing/api/v1/shares";

/// A request of the sharing API with a form; the answer's `ocs` object.
async fn ocs(client: &Client, method: &str, path: &str, form: &str, status: u16) -> serde_json::Value {
    let call = client.request(method, path).header("ocs-apirequest", "true").header("accept", "application/json");
    let call = call.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned());
    call.await.expect(status).json()["ocs"].clone()
}

fn id_of(answer: &serde_json::Value) -> String {
    answer["data"]["id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

#[tokio::test]
async fn members_make_change_and_take_back_links() {
    on_every_engine(async |server: &Server| {
        let alice = docs(server).await;
        // As the desktop client sends it.
        let made = ocs(&alice, "POST", SHARES, "path=%2Fdocs&shareType=3", 200).await;
        let (share, id) = (&made["data"], id_of(&made));
        let token = share["token"].as_str().unwrap();
        assert_eq!(token.len(), 15);
        assert_eq!(share["url"], format!("http://{}/s/{token}", server.host()));
        let expected = serde_json::json!({
            "share_type": 3, "uid_owner": "alice", "displayname_owner": "ALICE", "uid_file_owner": "alice", "permissions": 1,
            "can_edit": true, "can_delete": true, "parent": null, "expiration": null, "note": "", "label": "",
            "path": "/docs", "item_type": "folder", "item_permissions": 31, "mimetype": "httpd/unix-directory",
            "share_with": null, "share_with_displayname": "(Shared link)", "password": null, "send_password_by_talk": false,
            "mail_send": 1, "hide_download": 0, "attributes": null, "file_target": "/docs",
        });
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(&share[name], value, "{name}");
        }
        let nobody = server.anonymous();
        nobody.request("GET", &format!("/public.php/dav/files/{token}/a.txt")).await.expect(200);

        // As iOS and Android do: form or JSON with texts, one field or several.
        let one = format!("{SHARES}/{id}");
        let changed = ocs(&alice, "PUT", &one, "password=Long-Pass-1234&expireDate=2030-01-31&label=for+the+board", 200).await;
        let share = &changed["data"];
        assert_eq!((&share["share_with"], &share["password"]), (&"***".into(), &"***".into()));
        assert_eq!((&share["expiration"], &share["label"]), (&"2030-01-31 00:00:00".into(), &"for the board".into()));
        assert_eq!(share["mail_send"], 0);
        nobody.request("GET", &format!("/public.php/dav/files/{token}/a.txt")).await.expect(401);
        let json = alice.request("PUT", &one).header("ocs-apirequest", "true").header("content-type", "application/json");
        let json = json.body(r#"{"password":"***","permissions":"15","hideDownload":"true","note":"hello"}"#);
        let text = json.header("accept", "application/json").await.expect(200).json();
        let share = &text["ocs"]["data"];
        assert_eq!((&share["permissions"], &share["hide_download"]), (&15.into(), &1.into()));
        assert_eq!((&share["password"], &share["note"]), (&"***".into(), &"hello".into()), "the placeholder keeps it");
        nobody.as_login("x", "Long-Pass-1234").request("PUT", &format!("/public.php/dav/files/{token}/n.txt")).await.expect(201);
        let changed = ocs(&alice, "PUT", &one, "password=&expireDate=", 200).await;
        assert_eq!((&changed["data"]["password"], &changed["data"]["expiration"]), (&serde_json::Value::Null, &serde_json::Value::Null));

        let drop = ocs(&alice, "POST", SHARES, "path=/docs&shareType=3&permissions=4", 200).await;
        assert_eq!(drop["data"]["permissions"], 4);
        let public = ocs(&alice, "POST", SHARES, "path=/docs/sub&shareType=3&publicUpload=true&permissions=31", 200).await;
        assert_eq!(public["data"]["permissions"], 15);
        let count = |answer: &serde_json::Value| answer["data"].as_array().map_or(0, Vec::len);
        for (query, expected) in [
            ("", 3),
            ("?path=/docs&reshares=true&subfiles=false", 2),
            ("?path=/docs&subfiles=true", 1),
            ("?path=/&subfiles=true", 2),
            ("?shared_with_me=true", 0),
            (&format!("/{id}?include_tags=true"), 1),
            ("/inherited?path=/docs/sub/b.txt", 3),
        ] {
            assert_eq!(count(&ocs(&alice, "GET", &format!("{SHARES}{query}"), "", 200).await), expected, "{query}");
        }
        let names = "<oc:share-types/><nc:sharees/>";
        let told = alice.propfind("/docs/", 0).body(propfind(names)).await.expect(207);
        assert_has(&told, &["<oc:share-type>3</oc:share-type>", "<nc:type>3</nc:type>"]);

        let bob = server.account("bob");
        for (method, form) in [("GET", ""), ("PUT", "label=mine"), ("DELETE", "")] {
            ocs(&bob, method, &one, form, 404).await;
        }
        assert_eq!(count(&ocs(&bob, "GET", SHARES, "", 200).await), 0);
        ocs(&alice, "DELETE", &one, "", 200).await;
        ocs(&alice, "DELETE", &one, "", 404).await;
        nobody.request("GET", &format!("/public.php/dav/files/{token}/a.txt")).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn what_a_link_cannot_be_is_said_in_words_that_clients_show() {
    on_every_engine(async |server: &Server| {
        let alice = docs(server).await;
        for (form, status, words) in [
            ("path=/docs&shareType=3&expireDate=not-a-date", 404, "Invalid date. Format must be YYYY-MM-DD"),
            ("path=/docs&shareType=3&expireDate=2001-01-01", 404, "Expiration date is in the past"),
            ("path=/docs&shareType=3&password=x", 400, "Password needs to be at least 10 characters long."),
            ("path=/none&shareType=3", 404, "Wrong path, file/folder does not exist"),
            ("path=/&shareType=3", 403, "You cannot share your root folder"),
            (
                "path=/docs/a.txt&shareType=3&publicUpload=true",
                400,
                "Public upload is only possible for publicly shared folders",
            ),
            ("path=/docs&shareType=3&permissions=2", 400, "Share must at least have READ or CREATE permissions"),
            (
                "path=/docs&shareType=3&permissions=12",
                400,
                "Share must have READ permission if UPDATE or DELETE permission is set",
            ),
        ] {
            let refused = ocs(&alice, "POST", SHARES, form, status).await;
            assert_eq!(refused["meta"]["message"], words, "{form}");
        }
        let id = id_of(&ocs(&alice, "POST", SHARES, "path=/docs&shareType=3", 200).await);
        let one = format!("{SHARES}/{id}");
        ocs(&alice, "PUT", &one, "", 400).await;
        ocs(&alice, "PUT", &one, "token=mine", 403).await;
        ocs(&alice, "PUT", &one, "permissions=2", 400).await;
        ocs(&alice, "PUT", &one, "expireDate=2001-01-01", 404).await;
    })
    .await;
}

#[tokio::test]
async fn the_rules_for_links_are_settings() {
    on_every_engine_with(
        |config| {
            config.links.demands_password = true;
            config.links.expiry_days = 10;
            config.links.demands_expiry = true;
            config.links.takes_uploads = false;
        },
        async |server: &Server| {
            let alice = docs(server).await;
            let told = alice.request("GET", "/ocs/v2.php/cloud/capabilities").header("ocs-apirequest", "true");
            let told = told.header("accept", "application/json").await.expect(200).json();
            let public = &told["ocs"]["data"]["capabilities"]["files_sharing"]["public"];
            assert_eq!(public["password"], serde_json::json!({ "enforced": true, "askForOptionalPassword": false }));
            assert_eq!(public["expire_date"], serde_json::json!({ "enabled": true, "days": 10, "enforced": true }));
            assert_eq!((&public["enabled"], &public["upload"]), (&true.into(), &false.into()));
            ocs(&alice, "POST", SHARES, "path=/docs&shareType=3", 403).await;
            let protected = "path=/docs&shareType=3&password=Long-Pass-1234";
            let made = ocs(&alice, "POST", SHARES, protected, 200).await;
            assert_eq!(made["data"]["expiration"], "2027-01-25 00:00:00", "ten days from the clock of the test");
            ocs(&alice, "POST", SHARES, &format!("{protected}&expireDate=2027-01-26"), 404).await;
            ocs(&alice, "POST", SHARES, &format!("{protected}&expireDate=2027-01-25"), 200).await;
            ocs(&alice, "POST", SHARES, &format!("{protected}&permissions=15"), 403).await;
            let one = format!("{SHARES}/{}", id_of(&made));
            ocs(&alice, "PUT", &one, "password=", 403).await;
            ocs(&alice, "PUT", &one, "expireDate=", 400).await;
        },
    )
    .await;
}

#[tokio::test]
async fn download_limits_are_set_and_read_as_the_apps_do() {
    on_every_engine(async |server: &Server| {
        let alice = docs(server).await;
        let made = ocs(&alice, "POST", SHARES, "path=/docs/a.txt&shareType=3", 200).await;
        let token = made["data"]["token"].as_str().unwrap().to_owned();
        let limit = format!("/ocs/v2.php/apps/files_downloadlimit/api/v1/{token}/limit");
        let told = ocs(&alice, "GET", &limit, "", 200).await;
        assert_eq!(told["data"], serde_json::json!({ "limit": null, "count": null }));
        for (body, status) in [("{\"limit\":\"5\"}", 200), ("{\"limit\":2}", 200), ("{\"limit\":0}", 400), ("{}", 400)]
        {
            let call =
                alice.request("PUT", &limit).header("ocs-apirequest", "true").header("accept", "application/json");
            call.header("content-type", "application/json").body(body).await.expect(status);
        }
        server.anonymous().request("GET", &format!("/public.php/dav/files/{token}")).await.expect(200);
        let told = ocs(&alice, "GET", &limit, "", 200).await;
        assert_eq!(told["data"], serde_json::json!({ "limit": 2, "count": 1 }));
        let told = alice.propfind("/docs/a.txt", 0).body(propfind("<nc:share-download-limits/>")).await.expect(207);
        let expected = format!("<nc:token>{token}</nc:token><nc:limit>2</nc:limit><nc:count>1</nc:count>");
        assert_has(&told, &[&expected]);
        ocs(&server.account("bob"), "GET", &limit, "", 404).await;
        ocs(&alice, "DELETE", &limit, "", 200).await;
        assert_eq!(ocs(&alice, "GET", &limit, "", 200).await["data"]["limit"], serde_json::Value::Null);
    })
    .await;
}
