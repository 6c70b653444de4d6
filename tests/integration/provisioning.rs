//! Accounts and groups through OCS, request by request as Nextcloud's clients and admin tools send them.

use nichoir_store::{AccountUpdate, Role};
use serde_json::{Value, json};

use crate::support::{Answer, Client, Server, on_every_engine, on_every_engine_with};

const GOOD: &str = "cheval-pile-agrafe";

/// bob manages the space; his client.
async fn admin(server: &Server) -> Client {
    let bob = server.space.account_by_login("bob").await.expect("bob");
    let update = AccountUpdate { role: Some(Role::Admin), ..AccountUpdate::default() };
    server.space.update_account(bob.id, update).await.expect("changed");
    server.account("bob").with("ocs-apirequest", "true").with("accept", "application/json")
}

fn member(server: &Server, login: &str) -> Client {
    server.account(login).with("ocs-apirequest", "true").with("accept", "application/json")
}

async fn call(client: &Client, method: &str, path: &str, form: &str) -> Answer {
    let request = client.request(method, &format!("/ocs/v1.php/{path}"));
    request.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned()).await
}

/// The status code of the envelope and the data.
async fn ocs(client: &Client, method: &str, path: &str, form: &str) -> (i64, Value) {
    let answer = call(client, method, path, form).await.expect(200).json();
    (answer["ocs"]["meta"]["statuscode"].as_i64().expect("a number"), answer["ocs"]["data"].clone())
}

async fn code(client: &Client, method: &str, path: &str, form: &str) -> i64 {
    ocs(client, method, path, form).await.0
}

#[tokio::test]
async fn an_account_is_made_looked_at_and_edited() {
    on_every_engine(async |server: &Server| {
        let admin = admin(server).await;
        assert_eq!(code(&admin, "POST", "cloud/groups", "groupid=team").await, 100);
        assert_eq!(code(&admin, "POST", "cloud/groups", "groupid=Team").await, 102);
        let form = format!(
            "userid=carol&password={GOOD}&displayName=Carol+C.&email=carol%40x.org&groups[]=team&quota=2+MB&language=fr"
        );
        assert_eq!(ocs(&admin, "POST", "cloud/users", &form).await, (100, json!({ "id": "carol" })));
        assert_eq!(code(&admin, "POST", "cloud/users", &form).await, 102);
        for (form, expected) in [
            (format!("userid=&password={GOOD}"), 101),
            (format!("userid=a/b&password={GOOD}"), 101),
            ("userid=dave&password=short".to_owned(), 107),
            ("userid=dave&password=motdepasse2026".to_owned(), 107),
            (format!("userid=dave&password={GOOD}&groups[]=nobody"), 104),
            (format!("userid=dave&password={GOOD}&subadmin[]=team"), 103),
            ("userid=dave".to_owned(), 108),
            (format!("userid=dave&password={GOOD}&quota=lots"), 101),
            (format!("userid=dave&password={GOOD}&email=carol@x.org"), 101),
        ] {
            assert_eq!(code(&admin, "POST", "cloud/users", &form).await, expected, "{form}");
        }
        let (_, found) = ocs(&admin, "GET", "cloud/users?search=CAROL", "").await;
        assert_eq!(found, json!({ "users": ["carol"] }), "nothing was made by half");

        let (_, carol) = ocs(&admin, "GET", "cloud/users/carol", "").await;
        assert_eq!((&carol["displayname"], &carol["display-name"]), (&json!("Carol C."), &json!("Carol C.")));
        assert_eq!(
            (&carol["groups"], &carol["language"], &carol["email"]),
            (&json!(["team"]), &json!("fr"), &json!("carol@x.org"))
        );
        assert_eq!(
            carol["quota"],
            json!({"free": 2_097_152, "used": 0, "total": 2_097_152, "relative": 0.0, "quota": 2_097_152})
        );
        assert!(carol.get("storageLocation").is_none());
        assert_eq!(carol["backendCapabilities"], json!({ "setDisplayName": true, "setPassword": true }));

        let own = server
            .anonymous()
            .as_login("carol", GOOD)
            .with("ocs-apirequest", "true")
            .with("accept", "application/json");
        for (key, value, expected) in [
            ("displayname", "Carole", 100),
            ("language", "de_DE", 100),
            ("locale", "fr_FR", 100),
            ("email", "carole@x.org", 100),
            ("email", "no address", 101),
            ("displayname", "", 101),
            ("quota", "100 GB", 113),
            ("phone", "1", 113),
            ("nosuch", "x", 113),
            ("password", "123", 107),
            ("password", "agrafe-pile-cheval", 100),
        ] {
            let form = format!("key={key}&value={}", value.replace(' ', "+"));
            assert_eq!(code(&own, "PUT", "cloud/users/carol", &form).await, expected, "{key}={value}");
        }
        call(&own, "GET", "cloud/user", "").await.expect(401);
        let own = server.anonymous().as_login("carol", "agrafe-pile-cheval").with("accept", "application/json");
        let (_, shown) = ocs(&own, "GET", "cloud/user", "").await;
        assert_eq!((&shown["displayname"], &shown["locale"]), (&json!("Carole"), &json!("fr_FR")));
        own.put("/big.bin", vec![7; 2_097_153]).await.expect(507);
        own.put("/fits.bin", vec![7; 2_097_152]).await.expect(201);
        let (_, shown) = ocs(&own, "GET", "cloud/user", "").await;
        assert_eq!(
            shown["quota"],
            json!({"free": 0, "used": 2_097_152, "total": 2_097_152, "relative": 100.0, "quota": 2_097_152})
        );
        assert_eq!(code(&admin, "PUT", "cloud/users/carol", "key=quota&value=none").await, 100);
        own.put("/more.bin", vec![7; 100]).await.expect(201);
        let (_, fields) = ocs(&own, "GET", "cloud/user/fields", "").await;
        assert_eq!(fields, json!(["displayname", "email"]));
    })
    .await;
}

#[tokio::test]
async fn who_manages_nothing_learns_nothing_of_others_and_changes_nothing() {
    on_every_engine(async |server: &Server| {
        let _ = admin(server).await;
        let alice = member(server, "alice");
        for (method, path, form) in [
            ("GET", "cloud/users", ""),
            ("GET", "cloud/users/details", ""),
            ("POST", "cloud/users", "userid=eve&password=cheval-pile-agrafe"),
            ("PUT", "cloud/users/bob/disable", ""),
            ("DELETE", "cloud/users/bob", ""),
            ("POST", "cloud/users/bob/wipe", ""),
            ("POST", "cloud/users/alice/groups", "groupid=admin"),
            ("GET", "cloud/users/bob/subadmins", ""),
            ("GET", "cloud/groups", ""),
            ("GET", "cloud/groups/everyone", ""),
            ("POST", "cloud/groups", "groupid=x"),
            ("DELETE", "cloud/groups/everyone", ""),
        ] {
            assert_eq!(code(&alice, method, path, form).await, 403, "{method} {path}");
        }
        // Somebody else, and nobody, look the same.
        for login in ["bob", "nobody", "bob@x"] {
            for (method, path) in [("GET", ""), ("GET", "/groups"), ("PUT", "")] {
                let path = format!("cloud/users/{login}{path}");
                assert_eq!(code(&alice, method, &path, "key=displayname&value=x").await, 998, "{method} {path}");
            }
        }
        assert_eq!(code(&alice, "GET", "cloud/users/ALICE", "").await, 100);
        server.anonymous().request("GET", "/ocs/v2.php/cloud/users").await.expect(401);
        assert_eq!(server.space.accounts().await.unwrap().len(), 2);
        assert_eq!(server.space.account_by_login("alice").await.unwrap().role, Role::Member);
        assert_eq!(server.space.account_by_login("bob").await.unwrap().display_name, "BOB");
    })
    .await;
}

#[tokio::test]
async fn a_disabled_account_is_out_at_once_and_comes_back_whole() {
    on_every_engine(async |server: &Server| {
        let admin = admin(server).await;
        let alice = server.account("alice");
        alice.put("/a.txt", "one").await.expect(201);
        let (device, _) = server.device("alice").await;
        device.get("/a.txt").await.expect(200);
        assert_eq!(code(&admin, "PUT", "cloud/users/alice/disable", "").await, 100);
        for client in [&alice, &device] {
            client.get("/a.txt").await.expect(403);
            client.request("PROPFIND", "/remote.php/dav/files/alice/").header("depth", "0").await.expect(403);
            client.request("PROPFIND", "/remote.php/dav/calendars/alice/").header("depth", "0").await.expect(403);
            client.request("GET", "/ocs/v2.php/cloud/user").await.expect(403);
        }
        let (_, disabled) = ocs(&admin, "GET", "cloud/users/disabled", "").await;
        assert_eq!(disabled["users"]["alice"]["enabled"], false);
        assert_eq!(code(&admin, "PUT", "cloud/users/alice/enable", "").await, 100);
        assert_eq!(device.get("/a.txt").await.expect(200).text(), "one");
        for path in ["cloud/users/bob/disable", "cloud/users/bob/enable"] {
            assert_eq!(code(&admin, "PUT", path, "").await, 101, "not to oneself");
        }
        assert_eq!(code(&admin, "PUT", "cloud/users/nobody/disable", "").await, 998);
    })
    .await;
}

#[tokio::test]
async fn who_is_deleted_is_gone_and_what_she_had_is_kept_or_handed_over() {
    on_every_engine(async |server: &Server| {
        let admin = admin(server).await;
        let alice = server.account("alice");
        alice.put("/a.txt", "one").await.expect(201);
        let id = alice.get("/a.txt").await.expect(200).header("oc-fileid").to_owned();
        assert_eq!(code(&admin, "DELETE", "cloud/users/bob", "").await, 101);
        assert_eq!(code(&admin, "DELETE", "cloud/users/nobody", "").await, 998);
        for heir in ["nobody", "alice"] {
            assert_eq!(
                code(&admin, "DELETE", &format!("cloud/users/alice?handOverTo={heir}"), "").await,
                101,
                "{heir}"
            );
        }
        assert_eq!(code(&admin, "DELETE", "cloud/users/alice?handOverTo=bob", "").await, 100);
        alice.get("/a.txt").await.expect(401);
        assert_eq!(code(&admin, "GET", "cloud/users/alice", "").await, 404);
        let found = server.account("bob").get("/ALICE/a.txt").await.expect(200);
        assert_eq!((found.text().as_str(), found.header("oc-fileid")), ("one", id.as_str()));

        // The same login again is somebody else; without an heir what she had is kept.
        let form = format!("userid=alice&password={GOOD}");
        assert_eq!(code(&admin, "POST", "cloud/users", &form).await, 100);
        let again = server.anonymous().as_login("alice", GOOD);
        again.get("/a.txt").await.expect(404);
        again.put("/b.txt", "two").await.expect(201);
        assert_eq!(code(&admin, "DELETE", "cloud/users/alice", "").await, 100);
        again.get("/b.txt").await.expect(401);
        let kept = server.space.departed_accounts().await.unwrap();
        assert_eq!(kept.len(), 1);
        server.space.restore_account(kept[0].id).await.unwrap();
        assert_eq!(again.get("/b.txt").await.expect(200).text(), "two");
    })
    .await;
}

#[tokio::test]
async fn groups_are_managed_and_being_an_admin_is_one_of_them() {
    on_every_engine(async |server: &Server| {
        let admin = admin(server).await;
        assert_eq!(code(&admin, "POST", "cloud/groups", "groupid=choir&displayname=The+choir").await, 100);
        for (form, expected) in [("groupid=", 101), ("groupid=a%2Fb", 101), ("groupid=admin", 102), ("groupid=Everyone", 102)] {
            assert_eq!(code(&admin, "POST", "cloud/groups", form).await, expected, "{form}");
        }
        let (_, groups) = ocs(&admin, "GET", "cloud/groups", "").await;
        assert_eq!(groups, json!({ "groups": ["admin", "everyone", "choir"] }));
        for (form, expected) in [("groupid=choir", 100), ("", 101), ("groupid=nobody", 102)] {
            assert_eq!(code(&admin, "POST", "cloud/users/alice/groups", form).await, expected, "{form}");
        }
        assert_eq!(code(&admin, "POST", "cloud/users/nobody/groups", "groupid=choir").await, 103);
        let (_, members) = ocs(&admin, "GET", "cloud/groups/choir", "").await;
        assert_eq!(members, json!({ "users": ["alice"] }));
        let (_, details) = ocs(&admin, "GET", "cloud/groups/details?search=choir", "").await;
        let shown = json!([{ "id": "choir", "displayname": "The choir", "usercount": 1, "disabled": 0, "canAdd": true, "canRemove": true }]);
        assert_eq!(details["groups"], shown);
        let (_, users) = ocs(&admin, "GET", "cloud/groups/choir/users/details", "").await;
        assert_eq!(users["users"]["alice"]["groups"], json!(["choir"]));
        assert_eq!(ocs(&admin, "GET", "cloud/groups/choir/subadmins", "").await, (100, json!([])));
        assert_eq!(code(&admin, "GET", "cloud/groups/nobody", "").await, 404);
        assert_eq!(code(&admin, "PUT", "cloud/groups/choir", "key=displayname&value=Ch%C5%93ur").await, 100);
        assert_eq!(server.space.group_by_name("choir").await.unwrap().display_name, "Chœur");
        assert_eq!(ocs(&member(server, "alice"), "GET", "cloud/users/alice/groups", "").await, (100, json!({"groups": ["choir"]})));

        assert_eq!(code(&admin, "POST", "cloud/users/alice/groups", "groupid=admin").await, 100);
        let alice = member(server, "alice");
        assert_eq!(code(&alice, "GET", "cloud/users", "").await, 100);
        assert_eq!(code(&admin, "DELETE", "cloud/users/bob/groups", "groupid=admin").await, 105);
        assert_eq!(code(&admin, "DELETE", "cloud/users/alice/groups", "groupid=admin").await, 100);
        assert_eq!(code(&alice, "GET", "cloud/users", "").await, 403);

        assert_eq!(code(&admin, "DELETE", "cloud/groups/admin", "").await, 102);
        assert_eq!(code(&admin, "DELETE", "cloud/groups/choir", "").await, 100);
        assert_eq!(code(&admin, "DELETE", "cloud/groups/choir", "").await, 101);
    })
    .await;
}

#[tokio::test]
async fn a_space_takes_no_more_accounts_than_it_may() {
    on_every_engine(async |server: &Server| {
        let admin = admin(server).await;
        for number in 3..=5 {
            let form = format!("userid=member{number}&password={GOOD}");
            assert_eq!(code(&admin, "POST", "cloud/users", &form).await, 100);
        }
        let answer = call(&admin, "POST", "cloud/users", &format!("userid=member6&password={GOOD}")).await.json();
        assert_eq!(answer["ocs"]["meta"]["statuscode"], 101);
        assert!(answer["ocs"]["meta"]["message"].as_str().unwrap().contains('5'));
        let (_, page) = ocs(&admin, "GET", "cloud/users?limit=2&offset=1", "").await;
        assert_eq!(page, json!({ "users": ["bob", "member3"] }));
    })
    .await;
}

#[tokio::test]
async fn app_passwords_rotate_are_given_back_and_do_not_set_the_password() {
    on_every_engine(async |server: &Server| {
        let (device, old) = server.device("alice").await;
        let device = device.with("ocs-apirequest", "true").with("accept", "application/json");
        assert_eq!(code(&device, "PUT", "cloud/users/alice", &format!("key=password&value={GOOD}")).await, 403);
        let (status, rotated) = ocs(&device, "POST", "core/apppassword/rotate", "").await;
        assert_eq!(status, 100);
        let new = rotated["apppassword"].as_str().unwrap();
        assert_ne!(new, old);
        call(&device, "GET", "cloud/user", "").await.expect(401);
        let device = server.anonymous().as_login("alice", new).with("accept", "application/json");
        assert_eq!(code(&device, "GET", "cloud/user", "").await, 100);
        assert_eq!(code(&device, "PUT", "core/apppassword/confirm", "password=wrong").await, 403);
        assert_eq!(code(&device, "PUT", "core/apppassword/confirm", &format!("password={new}")).await, 403);
        assert_eq!(code(&device, "PUT", "core/apppassword/confirm", "password=correct-horse-battery").await, 100);
        assert_eq!(code(&device, "DELETE", "core/apppassword", "").await, 100);
        call(&device, "GET", "cloud/user", "").await.expect(401);
        assert_eq!(code(&member(server, "alice"), "POST", "core/apppassword/rotate", "").await, 403);
    })
    .await;
}

#[tokio::test]
async fn a_lost_device_is_told_to_erase_what_it_holds() {
    on_every_engine(async |server: &Server| {
        let admin = admin(server).await;
        let (device, password) = server.device("alice").await;
        let check = async |path: &str, body: String, kind: &str| {
            let request = server.anonymous().request("POST", &format!("/index.php/core/wipe/{path}"));
            request.header("content-type", kind).body(body).await
        };
        let form = "application/x-www-form-urlencoded";
        check("check", format!("token={password}"), form).await.expect(404);
        assert_eq!(code(&admin, "POST", "cloud/users/nobody/wipe", "").await, 998);
        assert_eq!(code(&admin, "POST", "cloud/users/alice/wipe", "").await, 100);
        device.request("GET", "/ocs/v2.php/cloud/user").await.expect(401);
        device.get("/").await.expect(401);
        // The account may be gone meanwhile: the device still learns.
        assert_eq!(code(&admin, "DELETE", "cloud/users/alice", "").await, 100);
        // iOS says JSON and sends a form.
        let told = check("check", format!("token={password}"), "application/json").await.expect(200);
        assert_eq!(told.json(), json!({ "wipe": true }));
        check("success", format!("token={password}"), form).await.expect(200);
        check("check", format!("token={password}"), form).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn passwords_are_judged_and_made() {
    on_every_engine_with(
        |config| config.auth.password_chars_min = 24,
        async |server: &Server| {
            let alice = member(server, "alice");
            let (_, made) = ocs(&alice, "GET", "apps/password_policy/api/v1/generate", "").await;
            let made = made["password"].as_str().unwrap().to_owned();
            let validate = async |password: &str| {
                ocs(&alice, "POST", "apps/password_policy/api/v1/validate", &format!("password={password}")).await.1
            };
            assert_eq!(validate(&made).await, json!({ "passed": true }));
            let short = validate("cheval-pile-agrafe").await;
            assert_eq!((&short["passed"], short["reason"].as_str().unwrap().contains("24")), (&json!(false), true));
            let (_, capabilities) = ocs(&alice, "GET", "cloud/capabilities", "").await;
            let policy = &capabilities["capabilities"]["password_policy"];
            assert_eq!((&policy["minLength"], &policy["policies"]["account"]["minLength"]), (&json!(24), &json!(24)));
            assert!(
                policy["api"]["generate"]
                    .as_str()
                    .unwrap()
                    .ends_with("/ocs/v2.php/apps/password_policy/api/v1/generate")
            );
        },
    )
    .await;
}

#[tokio::test]
async fn members_find_each_other_and_set_their_language() {
    on_every_engine(async |server: &Server| {
        let alice = member(server, "alice");
        server.space.create_group("bobsleigh", "").await.unwrap();
        let path = "core/autocomplete/get?search=bo&itemType=%20&itemId=%20&shareTypes[]=0&limit=10";
        let (_, found) = ocs(&alice, "GET", path, "").await;
        let email = format!("bob@{}.test", server.space.info().name);
        let bob = json!({"id": "bob", "label": "BOB", "icon": "icon-user", "source": "users", "status": "", "subline": "", "shareWithDisplayNameUnique": email});
        assert_eq!(found, json!([bob]));
        let (_, found) = ocs(&alice, "GET", "core/autocomplete/get?search=bo", "").await;
        assert_eq!(found.as_array().unwrap().len(), 2);
        let (_, found) = ocs(&alice, "GET", "core/autocomplete/get?search=alice", "").await;
        assert_eq!(found, json!([]), "not oneself");
        let (_, card) = ocs(&alice, "GET", "hovercard/v1/bob", "").await;
        assert_eq!(card, json!({ "userId": "bob", "displayName": "BOB", "actions": [] }));
        assert_eq!(code(&alice, "GET", "hovercard/v1/nobody", "").await, 404);

        let setting = "apps/provisioning_api/api/v1/config/users";
        assert_eq!(code(&alice, "POST", &format!("{setting}/core/lang"), "configValue=fr").await, 100);
        assert_eq!(code(&alice, "POST", &format!("{setting}/core/lang"), "configValue=..%2Fx").await, 101);
        assert_eq!(code(&alice, "POST", &format!("{setting}/core/nosuch"), "configValue=1").await, 400);
        assert_eq!(ocs(&alice, "GET", "cloud/user", "").await.1["language"], "fr");
        assert_eq!(code(&alice, "DELETE", &format!("{setting}/core/lang"), "").await, 100);
        assert_eq!(ocs(&alice, "GET", "cloud/user", "").await.1["language"], "en");
    })
    .await;
}
