//! SEARCH as the apps send it: Android's gallery, favourites, recents and names, the media tab of iOS, a file by its number.
//! Sheets `nextcloud-files-dav` §9, `mobile-clients` 3.11 and 4.5; the bodies have the apps' own oddities.

use crate::support::{Answer, Client, Server, on_every_engine, on_every_engine_with};

const ALL: &str = "<d:like><d:prop><d:displayname/></d:prop><d:literal>%</d:literal></d:like>";
const NEWEST: &str = "<d:orderby><d:order><d:prop><d:getlastmodified/></d:prop><d:descending/></d:order></d:orderby>";

/// A query below `scope`, Android's way: a prefix that is bound to nonsense, and bound again where it is needed.
fn query(scope: &str, condition: &str, rest: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<d:searchrequest xmlns:d=\"DAV:\" xmlns:oc=\"nonsense\"><d:basicsearch>\
         <d:select><d:prop><d:displayname/><d:getcontenttype/><d:resourcetype/><d:getlastmodified/><d:getetag/>\
         <oc:fileid xmlns:oc=\"http://owncloud.org/ns\"/><oc:permissions xmlns:oc=\"http://owncloud.org/ns\"/>\
         <oc:favorite xmlns:oc=\"http://owncloud.org/ns\"/></d:prop></d:select>\
         <d:from><d:scope><d:href>{scope}</d:href><d:depth>infinity</d:depth></d:scope></d:from>\
         <d:where>{condition}</d:where>{rest}</d:basicsearch></d:searchrequest>"
    )
}

async fn search(client: &Client, body: &str) -> Answer {
    client.request("SEARCH", "/remote.php/dav").header("content-type", "text/xml").body(body.to_owned()).await
}

/// The hrefs of what is found, without what all have in front.
async fn found(client: &Client, condition: &str, rest: &str) -> Vec<String> {
    hrefs(&search(client, &query("/files/alice", condition, rest)).await.expect(207))
}

fn hrefs(answer: &Answer) -> Vec<String> {
    let responses = answer.xml();
    let responses =
        responses.elements().map(|response| response.child(&nichoir_xml::dav::HREF).expect("a href").text());
    responses.map(|href| href.trim_start_matches("/remote.php/dav/files/alice").to_owned()).collect()
}

fn compare(operator: &str, property: &str, literal: &str) -> String {
    format!(
        "<d:{operator} xmlns:oc=\"http://owncloud.org/ns\" xmlns:nc=\"http://nextcloud.org/ns\"><d:prop><{property}/></d:prop>\
         <d:literal>{literal}</d:literal></d:{operator}>"
    )
}

/// Pictures and others, in two folders, a day between each and the next from 2020-09-13T12:26:40Z on.
async fn fill(alice: &Client) {
    alice.mkcol("/Photos").await.expect(201);
    alice.mkcol("/Photos/Été").await.expect(201);
    let names = ["/a.jpg", "/Photos/b.PNG", "/Photos/Été/c.mp4", "/Photos/notes.txt", "/Photos/Été/d.jpeg"];
    for (number, name) in names.iter().enumerate() {
        let seconds = 1_600_000_000 + number * 86_400;
        alice
            .put(&name.replace('É', "%C3%89").replace('é', "%c3%a9"), "x")
            .header("x-oc-mtime", &seconds.to_string())
            .await
            .expect(201);
    }
}

#[tokio::test]
async fn the_gallery_of_android_and_the_media_tab_of_ios_find_pictures_in_their_window() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        fill(&alice).await;
        let options = alice.request("OPTIONS", "/remote.php/dav").await.expect(200);
        assert!(options.header("allow").contains("SEARCH"), "Android looks before every search");
        assert_eq!(options.header("dasl"), "<DAV:basicsearch>");
        let media = format!(
            "<d:or>{}{}</d:or>",
            compare("like", "d:getcontenttype", "image/%"),
            compare("like", "d:getcontenttype", "video/%")
        );
        // Android: seconds, from 0 on.
        let window = |from: &str, to: &str| {
            format!(
                "<d:and>{}{}{media}</d:and>",
                compare("lt", "d:getlastmodified", to),
                compare("gt", "d:getlastmodified", from)
            )
        };
        let all = ["/Photos/%c3%89t%c3%a9/d.jpeg", "/Photos/%c3%89t%c3%a9/c.mp4", "/Photos/b.PNG", "/a.jpg"];
        assert_eq!(found(&alice, &window("0", "1900000000"), NEWEST).await, all);
        assert_eq!(found(&alice, &window("1600000000", "1600259200"), NEWEST).await, all[1..3]);
        let two = format!("{NEWEST}<d:limit><d:nresults>2</d:nresults></d:limit>");
        assert_eq!(found(&alice, &window("0", "1900000000"), &two).await, all[..2]);
        // iOS: the order before the condition, comments and blank lines in between, dates from the year 1 to 4001.
        let body = format!(
            "<?xml version=\"1.0\"?>\n<d:searchrequest xmlns:d=\"DAV:\"><d:basicsearch><d:select><d:prop><d:displayname/>\
             </d:prop></d:select>\n\n<d:from><d:scope><d:href>/files/alice/Photos</d:href><d:depth>infinity</d:depth></d:scope>\
             </d:from><!-- order --><d:orderby><d:order><d:prop><d:getlastmodified/></d:prop><d:descending/></d:order>\
             <d:order><d:prop><d:displayname/></d:prop><d:descending/></d:order></d:orderby>\n<d:where><d:and>{media}\
             <d:or><d:and>{}{}</d:and></d:or></d:and></d:where><d:limit><d:nresults>200</d:nresults></d:limit>\
             </d:basicsearch></d:searchrequest>",
            compare("lte", "d:getlastmodified", "4001-01-01T00:00:00Z"),
            compare("gte", "d:getlastmodified", "0001-01-01T00:00:00+00:00"),
        );
        assert_eq!(hrefs(&search(&alice, &body).await.expect(207)), all[..3]);
    })
    .await;
}

#[tokio::test]
async fn favourites_recents_names_and_numbers_are_found() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        fill(&alice).await;
        let mark = "<d:propertyupdate xmlns:d='DAV:' xmlns:oc='http://owncloud.org/ns'><d:set><d:prop><oc:favorite>1\
                    </oc:favorite></d:prop></d:set></d:propertyupdate>";
        alice.files("PROPPATCH", "/Photos/notes.txt").body(mark).await.expect(207);
        let favourites = compare("eq", "oc:favorite", "yes");
        assert_eq!(found(&alice, &favourites, "<d:orderby/>").await, ["/Photos/notes.txt"]);
        let not_marked =
            format!("<d:and><d:not>{favourites}</d:not>{}</d:and>", compare("like", "d:displayname", "%.txt"));
        assert!(found(&alice, &not_marked, "").await.is_empty());

        let recent = format!(
            "<d:and>{}{}</d:and>",
            compare("lt", "d:getlastmodified", "1600400000"),
            compare("gt", "d:getlastmodified", "2020-09-15T00:00:00Z")
        );
        assert_eq!(
            found(&alice, &recent, NEWEST).await,
            ["/Photos/%c3%89t%c3%a9/d.jpeg", "/Photos/notes.txt", "/Photos/%c3%89t%c3%a9/c.mp4"]
        );
        assert_eq!(found(&alice, &compare("like", "d:displayname", "%OTE%"), "").await, ["/Photos/notes.txt"]);
        assert_eq!(
            found(&alice, &compare("like", "d:displayname", "%e\u{301}t%"), "").await,
            ["/Photos/%c3%89t%c3%a9/"]
        );
        let folders = format!("<d:and><d:is-collection/>{ALL}</d:and>");
        assert_eq!(found(&alice, &folders, "").await.len(), 2, "the root itself is not among them");

        let answer =
            search(&alice, &query("/files/alice", &compare("eq", "d:displayname", "a.jpg"), "")).await.expect(207);
        let text = answer.text();
        let id = text.split("<oc:fileid>").nth(1).and_then(|rest| rest.split('<').next()).expect("a file id");
        assert!(text.contains("<d:getcontenttype>image/jpeg</d:getcontenttype>"), "{text}");
        assert!(text.contains("<oc:permissions>RGDNVW</oc:permissions>"), "{text}");
        assert_eq!(found(&alice, &compare("eq", "oc:fileid", id), "").await, ["/a.jpg"]);
        assert!(found(&alice, &compare("eq", "oc:fileid", "999999"), "").await.is_empty());
        assert!(found(&alice, &compare("eq", "oc:fileid", "-1"), "").await.is_empty());
        // What is deleted is not found any more, what is renamed is under its new name.
        alice.delete("/a.jpg").await.expect(204);
        assert!(found(&alice, &compare("eq", "oc:fileid", id), "").await.is_empty());
        alice.move_to("/Photos", "/Pictures").await.expect(201);
        assert_eq!(found(&alice, &favourites, "").await, ["/Pictures/notes.txt"]);
    })
    .await;
}

#[tokio::test]
async fn pages_of_a_search_overlap_nowhere_and_leave_nothing_out() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        for number in 0..7 {
            alice.put(&format!("/{number}.txt"), "x").header("x-oc-mtime", "1600000000").await.expect(201);
        }
        let order = "<d:orderby><d:order><d:prop><d:displayname/></d:prop><d:descending/></d:order></d:orderby>";
        let page = async |order: &str, first: usize| {
            let limit = format!(
                "{order}<d:limit><d:nresults>3</d:nresults><s:firstresult \
                 xmlns:s='https://github.com/icewind1991/SearchDAV/ns'>{first}</s:firstresult></d:limit>"
            );
            found(&alice, ALL, &limit).await
        };
        assert_eq!(page(order, 0).await, ["/6.txt", "/5.txt", "/4.txt"]);
        assert_eq!(page(order, 3).await, ["/3.txt", "/2.txt", "/1.txt"]);
        assert_eq!(page(order, 6).await, ["/0.txt"]);
        assert!(page(order, 9).await.is_empty());
        let mut all: Vec<String> = Vec::new();
        for first in [0, 3, 6] {
            all.extend(page(NEWEST, first).await);
        }
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 7);
    })
    .await;
}

#[tokio::test]
async fn scopes_and_their_depths_are_kept_to() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        fill(&alice).await;
        let depth = |scope: &str, depth: &str| query(scope, ALL, NEWEST).replace("infinity", depth);
        let of = async |body: String| hrefs(&search(&alice, &body).await.expect(207));
        assert_eq!(of(depth("/files/alice/Photos", "0")).await, ["/Photos/"]);
        let members = of(depth("/files/alice/Photos/", "1")).await;
        assert_eq!(members.len(), 3);
        assert!(members.contains(&"/Photos/%c3%89t%c3%a9/".to_owned()), "{members:?}");
        assert_eq!(of(query("/remote.php/dav/files/alice/Photos/%C3%89t%C3%A9", ALL, NEWEST)).await.len(), 2);
        assert_eq!(of(query("https://cloud.example/remote.php/dav/files/alice/a.jpg", ALL, "")).await, ["/a.jpg"]);
        assert_eq!(of(query("/", ALL, "")).await.len(), 7);
        let webdav = of(query("/remote.php/webdav/Photos", &compare("eq", "d:displayname", "b.PNG"), "")).await;
        assert_eq!(webdav, ["/remote.php/webdav/Photos/b.PNG"]);
        for (scope, status) in [
            ("/files/bob", 404),
            ("/files/nobody", 404),
            ("/files/alice/nowhere", 404),
            ("/calendars/alice", 404),
            ("/files/alice/%zz", 400),
            ("/files/alice/../bob", 400),
        ] {
            search(&alice, &query(scope, ALL, "")).await.expect(status);
        }
        search(&server.anonymous(), &query("/files/alice", ALL, "")).await.expect(401);
        assert!(hrefs(&search(&server.account("bob"), &query("/files/bob", ALL, "")).await.expect(207)).is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_what_is_too_much_is_told() {
    let adjust = |config: &mut nichoir::config::Config| {
        config.limits.search_candidates_max = 8;
        config.limits.search_results_max = 5;
    };
    on_every_engine_with(adjust, async |server: &Server| {
        let alice = server.account("alice");
        fill(&alice).await;
        let bad = [
            query("/files/alice", &compare("eq", "d:getetag", "x"), ""),
            query("/files/alice", &compare("gt", "d:getlastmodified", "yesterday"), ""),
            query("/files/alice", "<d:contains>x</d:contains>", ""),
            query("/files/alice", &ALL.repeat(101), ""),
            query("/files/alice", &compare("like", "d:displayname", &"a".repeat(5000)), ""),
            query("/files/alice", &format!("<d:or>{}</d:or>", compare("eq", "oc:owner-id", "alice")), ""),
            query("/files/alice", ALL, "<d:limit><d:nresults>many</d:nresults></d:limit>"),
            query("/files/alice", ALL, "").replace("d:select", "d:elect"),
            query("/files/alice", ALL, "").replace("infinity", "deep"),
            "<d:propfind xmlns:d='DAV:'/>".to_owned(),
            "no XML".to_owned(),
            format!("<x>{}</x>", "<d:not>".repeat(100)),
        ];
        for body in bad {
            search(&alice, &body).await.expect(400);
        }
        alice.request("SEARCH", "/remote.php/dav").await.expect(400);
        let other = "<d:searchrequest xmlns:d='DAV:'><x:sql xmlns:x='urn:x'/></d:searchrequest>";
        assert!(search(&alice, other).await.expect(422).text().contains("search-grammar-supported"));
        // 7 files and folders, of which 5 may be told; a client that says how many it wants knows itself.
        let cut = search(&alice, &query("/files/alice", ALL, "")).await.expect(207);
        assert_eq!(hrefs(&cut).len(), 6);
        assert!(cut.text().contains("<d:href>/remote.php/dav</d:href><d:status>HTTP/1.1 507"), "{}", cut.text());
        let five = search(&alice, &query("/files/alice", ALL, "<d:limit><d:nresults>5</d:nresults></d:limit>")).await;
        assert!(!five.expect(207).text().contains(" 507 "));
        let own = format!("<d:and>{ALL}{}</d:and>", compare("eq", "oc:owner-id", "alice"));
        assert_eq!(found(&alice, &own, "<d:limit><d:nresults>2</d:nresults></d:limit>").await.len(), 2);
        // Eight files and folders are looked at, nine are too many; a part of them can still be searched.
        alice.put("/8.txt", "x").await.expect(201);
        let by_name = "<d:orderby><d:order><d:prop><d:displayname/></d:prop></d:order></d:orderby>";
        let of_one_byte = query("/files/alice", &compare("eq", "oc:size", "1"), by_name);
        search(&alice, &of_one_byte).await.expect(207);
        alice.put("/9.txt", "x").await.expect(201);
        let refused = search(&alice, &of_one_byte).await.expect(507);
        assert!(refused.text().contains("number-of-matches-within-limits"), "{}", refused.text());
        search(&alice, &query("/files/alice/Photos", ALL, "")).await.expect(207);
    })
    .await;
}
