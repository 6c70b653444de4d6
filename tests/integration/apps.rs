//! The apps for Android and iOS and the desktop client from the address that was typed to the first folder, and their
//! uploads: requests in their order, with their headers and bodies, and what they read. Sheets `mobile-clients` 3 and 4,
//! `desktop-client` 2 and 6.

use serde_json::Value;

use crate::support::{Answer, Client, Server, on_every_engine};

const ANDROID: &str = "Mozilla/5.0 (Android) Nextcloud-android/35.0.0";
const IOS: &str = "Mozilla/5.0 (iOS) Nextcloud-iOS/6.6.0";
const PASSWORD: &str = "correct-horse-battery";
const FORM: &str = "application/x-www-form-urlencoded";

/// What Android asks of a file, each with a prefix of its own making.
const ANDROID_PROPERTIES: &str = "<D:displayname/><D:getcontenttype/><D:resourcetype/><D:getcontentlength/><D:getlastmodified/>\
    <D:creationdate/><D:getetag/><D:quota-used-bytes/><D:quota-available-bytes/>\
    <a:permissions xmlns:a='http://owncloud.org/ns'/><b:id xmlns:b='http://owncloud.org/ns'/><c:fileid xmlns:c='http://owncloud.org/ns'/>\
    <c:size xmlns:c='http://owncloud.org/ns'/><c:favorite xmlns:c='http://owncloud.org/ns'/><c:owner-id xmlns:c='http://owncloud.org/ns'/>\
    <c:owner-display-name xmlns:c='http://owncloud.org/ns'/><c:comments-unread xmlns:c='http://owncloud.org/ns'/>\
    <n:creation_time xmlns:n='http://nextcloud.org/ns'/><n:upload_time xmlns:n='http://nextcloud.org/ns'/>\
    <n:has-preview xmlns:n='http://nextcloud.org/ns'/><n:is-encrypted xmlns:n='http://nextcloud.org/ns'/>\
    <n:mount-type xmlns:n='http://nextcloud.org/ns'/><n:note xmlns:n='http://nextcloud.org/ns'/><n:sharees xmlns:n='http://nextcloud.org/ns'/>\
    <n:rich-workspace xmlns:n='http://nextcloud.org/ns'/><n:lock xmlns:n='http://nextcloud.org/ns'/><n:lock-time xmlns:n='http://nextcloud.org/ns'/>\
    <n:lock-timeout xmlns:n='http://nextcloud.org/ns'/><n:system-tags xmlns:n='http://nextcloud.org/ns'/>\
    <n:metadata-photos-size xmlns:n='http://nextcloud.org/ns'/><n:hidden xmlns:n='http://nextcloud.org/ns'/>\
    <n:share-download-limits xmlns:n='http://nextcloud.org/ns'/>";

async fn android_propfind(client: &Client, path: &str, depth: &str) -> String {
    let body = format!(
        "<?xml version='1.0' encoding='UTF-8'?><D:propfind xmlns:D='DAV:'><D:prop>{ANDROID_PROPERTIES}</D:prop></D:propfind>"
    );
    let call =
        client.request("PROPFIND", path).header("depth", depth).header("content-type", "text/xml; charset=UTF-8");
    call.body(body).await.expect(207).text()
}

/// Logs in by the browser as the page asks: the form is shown, filled in and sent.
async fn grant(browser: &Client, login_url: &str, host: &str) {
    let path = login_url.split_once(host).expect("an address of this host").1;
    let form = browser.request("GET", &format!("{path}?user=someone")).await.expect(200);
    assert!(form.text().contains("Nextcloud-"), "it says which client asks");
    let wrong = browser.request("POST", path).header("content-type", FORM).body("user=alice&password=guess").await;
    assert!(wrong.status.is_client_error());
    let sent =
        browser.request("POST", path).header("content-type", FORM).body(format!("user=alice&password={PASSWORD}"));
    sent.await.expect(200);
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no text at {pointer}: {value}"))
}

/// The members that an app does without only if the whole section is missing, and their types.
fn assert_capabilities(answer: &Answer, version: i64) {
    let told = answer.json();
    assert_eq!(told.pointer("/ocs/meta/statuscode"), Some(&version.into()));
    assert_eq!(text(&told, "/ocs/meta/status"), "ok");
    let at = |pointer: &str| told.pointer(&format!("/ocs/data{pointer}"));
    for number in [
        "/version/major",
        "/version/minor",
        "/version/micro",
        "/capabilities/core/pollinterval",
        "/capabilities/files_sharing/default_permissions",
    ] {
        assert!(at(number).is_some_and(Value::is_i64), "{number}");
    }
    for truth in [
        "/version/extendedSupport",
        "/capabilities/files/bigfilechunking",
        "/capabilities/files/undelete",
        "/capabilities/files/versioning",
        "/capabilities/files_sharing/api_enabled",
        "/capabilities/files_sharing/resharing",
        "/capabilities/files_sharing/public/enabled",
        "/capabilities/files_sharing/public/password/enforced",
        "/capabilities/files_sharing/public/password/askForOptionalPassword",
        "/capabilities/files_sharing/public/expire_date/enabled",
        "/capabilities/files_sharing/user/send_mail",
        "/capabilities/files_sharing/federation/outgoing",
        "/capabilities/files_sharing/federation/incoming",
        "/capabilities/user_status/enabled",
        "/capabilities/user_status/supports_emoji",
        "/capabilities/downloadlimit/enabled",
        "/capabilities/groupfolders/hasGroupFolders",
    ] {
        assert!(at(truth).is_some_and(Value::is_boolean), "{truth}");
    }
    for word in [
        "/version/string",
        "/version/edition",
        "/capabilities/files/locking",
        "/capabilities/theming/name",
        "/capabilities/theming/slogan",
        "/capabilities/theming/color",
        "/capabilities/dav/chunking",
    ] {
        assert!(at(word).is_some_and(Value::is_string), "{word}");
    }
    for list in [
        "/capabilities/notifications/ocs-endpoints",
        "/capabilities/activity/apiv2",
        "/capabilities/notes/api_version",
        "/capabilities/files/forbidden_filename_characters",
    ] {
        assert!(
            at(list).and_then(Value::as_array).is_some_and(|all| !all.is_empty() && all.iter().all(Value::is_string)),
            "{list}"
        );
    }
    // Half of these would break an app, or show what does not work.
    for absent in [
        "end-to-end-encryption",
        "external",
        "assistant",
        "recommendations",
        "governance",
        "terms_of_service",
        "client_integration",
        "richdocuments",
    ] {
        assert!(at(&format!("/capabilities/{absent}")).is_none(), "{absent}");
    }
    assert!(at("/capabilities/files/directEditing").is_none());
}

#[tokio::test]
async fn android_from_the_address_to_the_first_folder() {
    on_every_engine(async |server: &Server| {
        let nobody = server.anonymous().with("user-agent", ANDROID);
        let status = nobody.request("GET", "/status.php").await.expect(200).json();
        assert_eq!((&status["installed"], &status["maintenance"]), (&true.into(), &false.into()));
        assert!(text(&status, "/version").split('.').all(|part| part.parse::<u32>().is_ok()));
        let challenge = nobody.request("HEAD", "/remote.php/dav").await.expect(401);
        assert!(challenge.header("www-authenticate").starts_with("Basic realm=\""));

        let begun = nobody
            .request("POST", "/index.php/login/v2")
            .header("content-type", FORM)
            .body("")
            .await
            .expect(200)
            .json();
        let poll =
            text(&begun, "/poll/endpoint").split_once(&server.host()).expect("an address of this host").1.to_owned();
        let token = format!("token={}", text(&begun, "/poll/token"));
        let ask = || nobody.request("POST", &poll).header("content-type", FORM).body(token.clone());
        assert_eq!(ask().await.expect(404).text(), "", "a body would end the app's waiting");
        grant(&server.anonymous(), text(&begun, "/login"), &server.host()).await;
        let granted = ask().await.expect(200).json();
        assert_eq!(text(&granted, "/loginName"), "alice");
        assert!(text(&granted, "/server").ends_with(&server.host()));
        assert_eq!(ask().await.expect(404).text(), "", "a token is for once");

        let app = nobody.as_login("alice", text(&granted, "/appPassword")).with("ocs-apirequest", "true");
        let user = app.request("GET", "/ocs/v2.php/cloud/user?format=json").await.expect(200).json();
        assert_eq!(text(&user, "/ocs/data/id"), "alice");
        assert!(user["ocs"]["data"]["groups"].is_array());
        for number in ["free", "used", "total", "quota", "relative"] {
            assert!(user["ocs"]["data"]["quota"][number].is_number(), "{number}");
        }
        assert_eq!(app.request("HEAD", "/remote.php/dav/files/alice/").await.expect(200).text(), "");
        let capabilities = app.request("GET", "/ocs/v2.php/cloud/capabilities?format=json").await.expect(200);
        assert_capabilities(&capabilities, 200);
        let again = app
            .request("GET", "/ocs/v2.php/cloud/capabilities?format=json")
            .header("if-none-match", capabilities.etag());
        assert_eq!(again.await.expect(304).text(), "");

        app.put("/a%20b.txt", "abc").await.expect(201);
        let root = android_propfind(&app, "/remote.php/dav/files/alice/", "0").await;
        assert!(
            root.contains("<oc:permissions>RGDNVCK</oc:permissions>")
                && root.contains("<d:resourcetype><d:collection/></d:resourcetype>")
        );
        let listing = android_propfind(&app, "/remote.php/dav/files/alice/", "1").await;
        let (folder, file) = listing.split_once("</d:response>").expect("two responses");
        assert!(folder.contains("<d:href>/remote.php/dav/files/alice/</d:href>"), "the folder itself comes first");
        let (found, missing) = file.split_once("</d:propstat>").expect("what is there comes first");
        assert!(
            found.contains("<d:href>/remote.php/dav/files/alice/a%20b.txt</d:href>")
                && found.contains("<d:resourcetype/>")
        );
        // An empty element where a number, a date or an owner is expected ends the whole listing.
        for name in [
            "d:getcontentlength",
            "oc:fileid",
            "oc:size",
            "oc:owner-id",
            "oc:owner-display-name",
            "oc:comments-unread",
            "nc:creation_time",
            "nc:upload_time",
            "nc:lock-time",
            "nc:share-download-limits",
        ] {
            assert!(!found.contains(&format!("<{name}/>")), "{name}");
        }
        assert!(missing.contains("<nc:share-download-limits/>") && missing.contains("HTTP/1.1 404"));
        assert!(found.contains("<nc:has-preview>"), "without it the app asks for each picture");
        assert!(!listing.contains(">\n") && !listing.contains("> <"), "nothing stands between elements");
        app.request("GET", "/index.php/204").await.expect(204);
    })
    .await;
}

#[tokio::test]
async fn ios_from_the_address_to_its_start() {
    on_every_engine(async |server: &Server| {
        let nobody = server.anonymous().with("user-agent", IOS);
        let status = nobody.request("GET", "/status.php").await.expect(200).json();
        for word in ["version", "versionstring", "productname", "edition"] {
            assert!(status[word].is_string(), "{word}");
        }
        assert!(!text(&status, "/productname").to_lowercase().contains("owncloud"));
        let begun = nobody.request("POST", "/index.php/login/v2").await.expect(200).json();
        let poll = text(&begun, "/poll/endpoint").split_once(&server.host()).expect("an address of this host").1.to_owned();
        // The token is in the query, and the body is empty.
        let asked = format!("{poll}?token={}", text(&begun, "/poll/token"));
        nobody.request("POST", &asked).await.expect(404);
        grant(&server.anonymous(), text(&begun, "/login"), &server.host()).await;
        let granted = nobody.request("POST", &asked).await.expect(200).json();
        nobody.request("POST", &asked).await.expect(404);

        let app = nobody.as_login(text(&granted, "/loginName"), text(&granted, "/appPassword"));
        let app = app.with("ocs-apirequest", "true").with("accept", "application/json").with("x-nc-account", "alice alice https://x");
        let user = app.request("GET", "/ocs/v2.php/cloud/user").await.expect(200).json();
        assert_eq!(user.pointer("/ocs/meta/statuscode"), Some(&200.into()));
        assert!(user["ocs"]["data"]["display-name"].is_string() && user["ocs"]["data"]["backendCapabilities"]["setPassword"].is_boolean());
        let capabilities = app.request("GET", "/ocs/v1.php/cloud/capabilities").await.expect(200);
        assert_capabilities(&capabilities, 100);
        let meta = &capabilities.json()["ocs"]["meta"];
        assert!(meta["totalitems"].is_string() && meta["itemsperpage"].is_string(), "the notes app needs texts");
        let avatar = app.request("GET", "/index.php/avatar/alice/384").await.expect(200);
        let kept = app.request("GET", "/index.php/avatar/alice/384").header("if-none-match", avatar.etag());
        kept.await.expect(304);

        app.put("/star.txt", "x").await.expect(201);
        let xml = app.with("accept", "application/xml").with("content-type", "application/xml");
        let favour = "<?xml version=\"1.0\"?><d:propertyupdate xmlns:d=\"DAV:\" xmlns:oc=\"http://owncloud.org/ns\"><d:set><d:prop><oc:favorite>1</oc:favorite></d:prop></d:set></d:propertyupdate>";
        xml.files("PROPPATCH", "/star.txt").body(favour).await.expect(207);
        let report = "<?xml version=\"1.0\"?><oc:filter-files xmlns:d=\"DAV:\" xmlns:oc=\"http://owncloud.org/ns\"><d:prop><d:getetag/><oc:id/><oc:favorite/></d:prop><oc:filter-rules><oc:favorite>1</oc:favorite></oc:filter-rules></oc:filter-files>";
        let found = xml.request("REPORT", "/remote.php/dav/files/alice").body(report).await.expect(207).text();
        assert!(found.contains("<d:href>/remote.php/dav/files/alice/star.txt</d:href>") && found.contains("<oc:favorite>1</oc:favorite>"));
        app.request("DELETE", "/ocs/v2.php/core/apppassword").await.expect(200);
        app.request("GET", "/ocs/v2.php/cloud/user").await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn the_desktop_client_connects() {
    on_every_engine(async |server: &Server| {
        let (device, _) = server.device("alice").await;
        let desktop = device.with("user-agent", "Mozilla/5.0 (Linux) mirall/3.16.0 (Nextcloud, debian)").with("accept", "*/*");
        desktop.request("GET", "/index.php/204").await.expect(204);
        assert_eq!(desktop.request("GET", "/status.php").await.expect(200).json()["installed"], true);
        let body = "<?xml version=\"1.0\" ?>\n<d:propfind xmlns:d=\"DAV:\">\n<d:prop>\n<d:getlastmodified />\n</d:prop>\n</d:propfind>\n";
        let seen = desktop.request("PROPFIND", "/remote.php/dav/files/alice/").header("depth", "0").body(body).await.expect(207);
        assert!(seen.text().contains("<d:getlastmodified>") && !seen.header("date").is_empty() || seen.text().contains(" GMT</d:getlastmodified>"));
        let ocs = desktop.with("ocs-apirequest", "true");
        assert_capabilities(&ocs.request("GET", "/ocs/v1.php/cloud/capabilities?format=json").await.expect(200), 100);
        // A 2xx without the signature would keep the account out.
        ocs.request("GET", "/ocs/v2.php/apps/terms_of_service/terms?format=json").await.expect(404);
        let user = ocs.request("GET", "/ocs/v1.php/cloud/user?format=json").await.expect(200).json();
        assert_eq!(text(&user, "/ocs/data/id"), "alice");
        let picture = desktop.request("GET", "/remote.php/dav/avatars/alice/128.png").await.expect(200);
        assert!(picture.header("content-type").starts_with("image/"));
        let apps = ocs.request("GET", "/ocs/v2.php/core/navigation/apps?absolute=true&format=json").await.expect(200).json();
        assert!(apps["ocs"]["data"].is_array());
    })
    .await;
}

#[tokio::test]
async fn what_the_apps_ask_for_and_is_not_there_is_said_in_their_way() {
    on_every_engine(async |server: &Server| {
        let app = server.account("alice").with("ocs-apirequest", "true");
        for (method, path) in [
            ("GET", "/ocs/v2.php/apps/files/api/v1/directEditing?format=json"),
            ("POST", "/ocs/v2.php/apps/text/workspace/direct?format=json"),
            ("GET", "/ocs/v2.php/apps/dashboard/api/v1/widgets?format=json"),
            ("GET", "/ocs/v2.php/apps/recommendations/api/v1/recommendations?format=json"),
            ("GET", "/ocs/v2.php/apps/external/api/v1?format=json"),
            ("GET", "/ocs/v2.php/apps/terms_of_service/terms?format=json"),
            ("GET", "/ocs/v2.php/apps/end_to_end_encryption/api/v1/public-key?format=json"),
            ("GET", "/ocs/v2.php/core/getapppassword-onetime?format=json"),
        ] {
            let told = app.request(method, path).await.expect(404).json();
            assert_eq!(text(&told, "/ocs/meta/status"), "failure", "{path}");
        }
        let quietly = app.request("GET", "/ocs/v1.php/apps/external/api/v1?format=json").await.expect(200).json();
        assert_eq!(quietly.pointer("/ocs/meta/statuscode"), Some(&998.into()));
        app.request("PROPFIND", "/remote.php/dav/photos/alice/albums").header("depth", "1").await.expect(404);
        app.request("GET", "/remote.php/dav/provisioning/apple-provisioning.mobileconfig").await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn an_internal_link_is_a_page_that_tells_nothing() {
    on_every_engine(async |server: &Server| {
        server.account("alice").put("/secret.txt", "x").await.expect(201);
        let first = server.anonymous().request("GET", "/f/1").header("accept-language", "fr").await.expect(200).text();
        assert!(first.contains("lang=\"fr\"") && first.contains("Nextcloud"));
        for id in 2..20 {
            let page = server.anonymous().request("GET", &format!("/index.php/f/{id}")).header("accept-language", "fr");
            assert_eq!(page.await.expect(200).text(), first);
        }
        let linked = server.anonymous().request("GET", "/apps/files/?dir=/").header("accept-language", "fr");
        assert_eq!(linked.await.expect(200).text(), first, "activities are linked to it");
        server.anonymous().request("POST", "/f/1").await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn android_uploads_whole_and_in_chunks() {
    on_every_engine(async |server: &Server| {
        let app = server.account("alice").with("user-agent", ANDROID);
        app.files("HEAD", "/Camera").await.expect(404);
        app.mkcol("/Camera/2026").await.expect(409);
        app.mkcol("/Camera").await.expect(201);
        assert!(!app.mkcol("/Camera/2026").await.expect(201).header("oc-fileid").is_empty());
        app.mkcol("/Camera/2026").await.expect(405);
        app.files("HEAD", "/Camera/2026/a.jpg").await.expect(404);
        let put =
            app.put("/Camera/2026/a.jpg", "photo").header("content-type", "image/jpeg").header("oc-total-length", "5");
        let put = put.header("x-oc-mtime", "1700000000").header("x-oc-ctime", "1600000000").await.expect(201);
        assert!(!put.etag().is_empty());
        app.put("/Camera/2026/a.jpg", "stale").if_match("\"0\"").await.expect(412);

        let folder = "/remote.php/dav/uploads/alice/0cc175b9c0f1b6a831c399e269772661";
        let target = format!("http://{}/remote.php/dav/files/alice/Camera/2026/film%20(1).mp4", server.host());
        let send =
            |method: &str, name: &str| app.request(method, &format!("{folder}{name}")).header("destination", &target);
        send("MKCOL", "").await.expect(201);
        send("MKCOL", "").await.expect(405);
        send("PUT", "/000001").body("one ").await.expect(201);
        send("PUT", "/000002").body("two ").await.expect(201);
        let listing = app.request("PROPFIND", folder).header("depth", "1").await.expect(207).text();
        assert!(
            listing.find("/000001<").is_some_and(|place| listing.find("661/<").is_some_and(|own| own < place)),
            "{listing}"
        );
        assert!(listing.contains("<d:getcontentlength>4</d:getcontentlength>"));
        send("PUT", "/000003").body("three").await.expect(201);
        let moved =
            send("MOVE", "/.file").header("overwrite", "T").header("x-oc-mtime", "1700000001").await.expect(201);
        assert!(!moved.header("oc-fileid").is_empty());
        let film = app.get("/Camera/2026/film%20(1).mp4").await.expect(200);
        assert_eq!(film.text(), "one two three");
        assert_eq!(film.header("last-modified"), "Tue, 14 Nov 2023 22:13:21 GMT");
        app.request("PROPFIND", folder).header("depth", "0").await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn ios_uploads_with_fractions_of_seconds_and_plain_numbers() {
    on_every_engine(async |server: &Server| {
        let app = server.account("alice").with("user-agent", IOS);
        let put = app.put("/Photos/2026/live.jpg", "photo").header("content-type", "application/octet-stream");
        let put =
            put.header("x-oc-mtime", "1767225600.482").header("x-oc-ctime", "1767225599.9").header("overwrite", "true");
        let put = put.header("x-nc-webdav-auto-mkcol", "1").await.expect(201);
        for name in ["oc-fileid", "oc-etag", "etag"] {
            assert!(!put.header(name).is_empty(), "{name}");
        }
        assert_eq!(put.header("x-oc-mtime"), "accepted");
        let got = app.get("/Photos/2026/live.jpg").await.expect(200);
        assert_eq!(
            (got.header("content-type"), got.header("last-modified")),
            ("image/jpeg", "Thu, 01 Jan 2026 00:00:00 GMT")
        );

        let folder = "/remote.php/dav/uploads/alice/6E1B2C8A-1B1F-4C5B-9F57-3D0D3A4E6F11";
        let target = format!("http://{}/remote.php/dav/files/alice/Photos/long.mov", server.host());
        let send = |method: &str, name: &str| {
            let call = app.request(method, &format!("{folder}{name}")).header("destination", &target);
            call.header("oc-total-length", "22")
        };
        app.request("PROPFIND", folder).header("depth", "0").await.expect(404);
        send("MKCOL", "").await.expect(201);
        for number in 1..=11 {
            send("PUT", &format!("/{number}")).body(format!("{number:02}")).await.expect(201);
        }
        let moved =
            send("MOVE", "/.file").header("overwrite", "T").header("x-oc-mtime", "1767225600.0").await.expect(201);
        for name in ["oc-fileid", "oc-etag"] {
            assert!(!moved.header(name).is_empty(), "{name}");
        }
        assert_eq!(app.get("/Photos/long.mov").await.expect(200).text(), "0102030405060708091011");
    })
    .await;
}
