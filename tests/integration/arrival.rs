//! Which space a request is for, what everybody may ask, and what every answer carries.

use nichoir_store::{SpaceState, SpaceUpdate};

use crate::support::{Client, Server, on_every_engine, on_every_engine_with};

#[tokio::test]
async fn each_host_has_its_own_space_and_an_unknown_one_has_none() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        alice.put("/note.txt", "hers").await.expect(201);

        // The other space has the same login and password, and nothing of hers.
        let there = alice.with("host", &server.other_host());
        there.get("/note.txt").await.expect(404);
        there.propfind("/", 0).await.expect(207);
        for host in ["nowhere.test", "", "[::1]:80"] {
            let lost = alice.with("host", host);
            lost.get("/note.txt").await.expect(404);
            lost.request("GET", "/status.php").await.expect(404);
        }
        let shouting = alice.with("host", &format!("{}:8443", server.host().to_uppercase()));
        assert_eq!(shouting.get("/note.txt").await.expect(200).text(), "hers");
    })
    .await;
}

#[tokio::test]
async fn an_app_password_opens_its_own_space_only() {
    on_every_engine(async |server: &Server| {
        let (device, _) = server.device("alice").await;
        device.propfind("/", 0).await.expect(207);
        device.with("host", &server.other_host()).propfind("/", 0).await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn a_host_that_cannot_be_one_is_refused() {
    on_every_engine(async |server: &Server| {
        for host in ["a\"><b", "user@host", "a b", "a/b", "a\u{e9}"] {
            server.anonymous().with("host", host).request("GET", "/").await.expect(400);
            server.account("alice").with("host", host).propfind("/", 0).await.expect(400);
        }
    })
    .await;
}

#[tokio::test]
async fn forwarded_headers_count_from_trusted_proxies_only() {
    let trust = |config: &mut nichoir::config::Config| config.server.trusted_proxies = vec!["10.0.0.0/8".to_owned()];
    on_every_engine_with(trust, async |server: &Server| {
        let proxied = Client::anonymous(&server.app, "inner:8080")
            .with("x-forwarded-host", &server.host())
            .with("x-forwarded-proto", "https")
            .with("x-forwarded-for", "203.0.113.9");
        for address in [Some("10.1.2.3"), None] {
            let answer = proxied.at(address).request("GET", "/.well-known/caldav").await.expect(301);
            assert_eq!(answer.header("location"), format!("https://{}/remote.php/dav/", server.host()));
        }
        proxied.at(Some("192.0.2.9")).request("GET", "/.well-known/caldav").await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn anybody_may_ask_what_this_is() {
    on_every_engine(async |server: &Server| {
        let anybody = server.anonymous();
        let status = anybody.request("GET", "/status.php").await.expect(200).json();
        assert_eq!((&status["installed"], &status["maintenance"]), (&true.into(), &false.into()));
        assert!(anybody.request("GET", "/index.php/204").await.expect(204).body.is_empty());
        assert!(anybody.request("GET", "/robots.txt").await.expect(200).text().contains("Disallow: /"));
        let landing = anybody.request("GET", "/").await.expect(200);
        assert_eq!(landing.header("www-authenticate"), "");
        for method in ["GET", "PROPFIND", "OPTIONS"] {
            let answer = anybody.request(method, "/.well-known/carddav").await.expect(301);
            assert_eq!(answer.header("location"), format!("http://{}/remote.php/dav/", server.host()));
        }
        anybody.request("GET", "/nope").await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_keep_browsers_in_check_and_its_number() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        alice.put("/page.html", "<script>alert(1)</script>").await.expect(201);
        for (method, path) in
            [("GET", "/remote.php/dav/files/alice/page.html"), ("GET", "/nope"), ("GET", "/status.php"), ("BREW", "/")]
        {
            let answer = alice.request(method, path).header("x-request-id", "mine-1.2_3").await;
            assert_eq!(answer.header("x-request-id"), "mine-1.2_3");
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
            assert_eq!(answer.header("x-frame-options"), "SAMEORIGIN");
            assert_eq!(answer.header("x-robots-tag"), "noindex, nofollow");
            assert_eq!(answer.header("x-permitted-cross-domain-policies"), "none");
            assert_eq!(answer.header("referrer-policy"), "no-referrer");
            assert!(answer.header("content-security-policy").contains("default-src 'none'"), "{path}");
        }
        let first = alice.request("GET", "/status.php").await;
        let forged = alice.request("GET", "/status.php").header("x-request-id", &"x".repeat(65)).await;
        assert_ne!(first.header("x-request-id"), "");
        assert_ne!(forged.header("x-request-id"), "x".repeat(65));
        assert_ne!(first.header("x-request-id"), forged.header("x-request-id"));
    })
    .await;
}

#[tokio::test]
async fn a_suspended_space_is_under_maintenance_and_loses_nothing() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        alice.put("/kept.txt", "kept").await.expect(201);
        let state = |state| SpaceUpdate { state: Some(state), ..SpaceUpdate::default() };
        let (store, name) = (server.app.store(), &server.space.info().name);

        store.update_space(name, state(SpaceState::Suspended)).await.expect("it can be suspended");
        let status = alice.request("GET", "/status.php").await.expect(200).json();
        assert_eq!(status["maintenance"], true);
        let refused = alice.get("/kept.txt").await.expect(503);
        assert!(refused.text().contains("<s:exception>OCA\\DAV\\Exception\\ServerMaintenanceMode</s:exception>"));
        assert_eq!(refused.header("x-nextcloud-maintenance-mode"), "1");
        assert_eq!(refused.header("retry-after"), "120");
        alice.put("/kept.txt", "changed").await.expect(503);
        alice.request("GET", "/ocs/v1.php/cloud/user?format=json").await.expect(503);
        server.account("alice").as_login("alice", "wrong").propfind("/", 0).await.expect(503);

        store.update_space(name, state(SpaceState::Active)).await.expect("it can be resumed");
        assert_eq!(alice.get("/kept.txt").await.expect(200).text(), "kept");
    })
    .await;
}

#[tokio::test]
async fn without_the_dialect_there_is_plain_webdav_and_nothing_of_nextcloud() {
    let plain = |config: &mut nichoir::config::Config| config.dialect.nextcloud = false;
    on_every_engine_with(plain, async |server: &Server| {
        let alice = server.account("alice");
        let put = alice.put("/a.txt", "a").await.expect(201);
        assert_eq!(put.header("oc-etag"), "");
        assert_eq!(alice.get("/a.txt").await.expect(200).text(), "a");
        for path in
            ["/status.php", "/ocs/v1.php/cloud/user", "/index.php/204", "/login/v2", "/remote.php/dav/uploads/alice/1"]
        {
            alice.request("GET", path).await.expect(404);
        }
        alice.files("PROPFIND", "/").await.expect(403);
    })
    .await;
}

#[tokio::test]
async fn the_bare_host_name_leads_to_the_principal() {
    on_every_engine(async |server: &Server| {
        let body = "<propfind xmlns='DAV:'><prop><current-user-principal/></prop></propfind>";
        for path in ["/", "/principals/", "/calendar/dav/alice/user/"] {
            // No credentials are sent before they are asked for.
            let challenge = server.anonymous().request("PROPFIND", path).body(body).await.expect(401);
            assert!(challenge.header("www-authenticate").starts_with("Basic "), "{path}");
        }
        let options = server.anonymous().request("OPTIONS", "/").await.expect(401);
        assert!(options.header("dav").contains("calendar-access"));
        let alice = server.account("alice");
        let front = alice.request("PROPFIND", "/").header("depth", "0").body(body).await.expect(207);
        assert!(front.text().contains("<d:href>/remote.php/dav/principals/users/alice/</d:href>"));
        assert!(alice.request("OPTIONS", "/").await.expect(200).header("dav").contains("calendar-access"));
        alice.request("PROPFIND", "/principals/").body(body).await.expect(404);
        assert!(alice.request("GET", "/").await.expect(200).text().contains("<html"));
    })
    .await;
}

#[tokio::test]
async fn another_sites_page_does_nothing_with_a_password_that_the_browser_remembers() {
    on_every_engine(async |server: &Server| {
        let (alice, bob) = (server.account("alice"), server.account("bob"));
        alice.put("/a.txt", "hers").await.expect(201);
        let shares = "/ocs/v2.php/apps/files_sharing/api/v1/shares";
        let form = |client: &Client| {
            let call = client.request("POST", shares).header("content-type", "application/x-www-form-urlencoded");
            call.body("path=/a.txt&shareType=0&shareWith=bob")
        };
        let led = alice.with("sec-fetch-site", "cross-site");
        form(&led).await.expect(412);
        form(&alice.with("origin", "https://evil.example")).await.expect(412);
        led.request("GET", "/ocs/v2.php/core/getapppassword").await.expect(412);
        assert!(bob.propfind("/", 1).await.expect(207).hrefs().iter().all(|href| !href.ends_with("a.txt")));
        // A program that says what it is, and a browser on the space's own pages.
        form(&led.with("ocs-apirequest", "true")).await.expect(200);
        form(&alice.with("sec-fetch-site", "same-origin")).await.expect(200);
    })
    .await;
}
