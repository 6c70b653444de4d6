//! Unified search as the apps and the desktop client ask. Sheets `nextcloud-ocs` §8.2, `mobile-clients` 3.11 and 4.5.

use crate::support::{Client, Server, on_every_engine};

async fn search(client: &Client, query: &str) -> serde_json::Value {
    let path = format!("/ocs/v2.php/search/providers/files/search?format=json&{query}");
    let answer = client.request("GET", &path).header("ocs-apirequest", "true").await.expect(200);
    answer.json()["ocs"]["data"].clone()
}

#[tokio::test]
async fn files_are_found_by_name_page_by_page() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        alice.mkcol("/Docs").await.expect(201);
        for number in 0..7 {
            alice
                .put(&format!("/Docs/Report%20{number}.odt"), "x")
                .header("x-oc-mtime", &(1_600_000_000 + number).to_string())
                .await
                .expect(201);
        }
        let providers = alice.request("GET", "/ocs/v2.php/search/providers?format=json").await.expect(200).json();
        assert_eq!(providers["ocs"]["data"][0]["id"], "files");
        assert!(providers["ocs"]["data"][0]["order"].is_i64());
        let first = search(&alice, "term=report&limit=5").await;
        assert_eq!((&first["isPaginated"], &first["cursor"]), (&true.into(), &5.into()));
        let hit = &first["entries"][0];
        assert_eq!(hit["title"], "Report 6.odt");
        assert_eq!(hit["subline"], "in Docs");
        assert_eq!(hit["attributes"]["path"], "/Docs/Report 6.odt");
        let id = hit["attributes"]["fileId"].as_str().expect("a text of digits");
        assert!(hit["resourceUrl"].as_str().is_some_and(|url| url.ends_with(&format!("/f/{id}"))), "{hit}");
        for text in ["thumbnailUrl", "icon"] {
            assert!(hit[text].is_string(), "{text}");
        }
        assert_eq!((&hit["rounded"], &hit["thumbnailUrl"]), (&false.into(), &"".into()), "there is no picture of it");
        alice.put("/Docs/report.txt", "shown").await.expect(201);
        let shown = search(&alice, "term=report.txt").await["entries"][0]["thumbnailUrl"].as_str().unwrap().to_owned();
        let path = shown.split_once(&server.host()).expect("an address of this server").1.to_owned();
        assert_eq!(alice.request("GET", &path).await.expect(200).header("content-type"), "image/png");
        alice.delete("/Docs/report.txt").await.expect(204);
        let second = search(&alice, "term=report&limit=5&cursor=5").await;
        assert_eq!(second["entries"].as_array().map(Vec::len), Some(2));
        assert_eq!((&second["isPaginated"], second["cursor"].is_null()), (&false.into(), true));
        assert_eq!(search(&alice, "term=nothing").await["entries"], serde_json::json!([]));
        assert_eq!(search(&server.account("bob"), "term=report").await["entries"], serde_json::json!([]));
        for (path, status) in [
            ("/ocs/v2.php/search/providers/files/search?format=json&term=", 400),
            ("/ocs/v2.php/search/providers/files/search?format=json&term=%20", 400),
            ("/ocs/v2.php/search/providers/nosuch/search?format=json&term=a", 404),
        ] {
            alice.request("GET", path).await.expect(status);
        }
        server.anonymous().request("GET", "/ocs/v2.php/search/providers/files/search?term=a").await.expect(401);
    })
    .await;
}
