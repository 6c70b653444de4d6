//! addressbook-multiget. RFC 6352 §8.7.

use nichoir_store::change::PutFile;
use nichoir_store::conditions::Conditions;
use nichoir_store::{CARD, MemberIndex, NodePath, StageOptions, Visibility};

use crate::support::Server;
use crate::{DATA, card, data, names, put, report, with_books};

fn hrefs(paths: &[&str]) -> String {
    paths.iter().map(|path| format!("<d:href>{path}</d:href>")).collect()
}

/// Puts bytes into the book that no client could have put there.
async fn put_broken(server: &Server, name: &str, bytes: &'static [u8]) {
    let tree = &server.alice.tree;
    let body = futures_util::stream::iter([Ok::<_, nichoir_dav::BoxError>(bytes::Bytes::from_static(bytes))]);
    let index = MemberIndex {
        uid: name.to_owned(),
        component: CARD.to_owned(),
        first_seconds: i64::MIN,
        last_seconds: i64::MAX,
        visibility: Visibility::Public,
    };
    let change = PutFile {
        path: NodePath::parse(&format!("/contacts/{name}")).expect("a path"),
        content: tree.stage(body, StageOptions::default()).await.expect("staged"),
        modified: None,
        created: None,
        checksums: None,
        makes_parents: false,
        media_type: Some("text/vcard".to_owned()),
        member: Some(index),
        conditions: Conditions::default(),
    };
    tree.apply(change).await.expect("stored");
}

#[tokio::test]
async fn every_href_is_answered_once_in_its_canonical_form() {
    with_books(async |server| {
        put(server, "/contacts/a%20b@c.vcf", card("a", "Anna", "")).await.expect(201);
        let asked = hrefs(&[
            "/dav/addressbooks/users/alice/contacts/a%20b%40c.vcf",
            "/dav/addressbooks/users/%61lice/contacts/a%20b@c.vcf",
            "https://other.example/dav/addressbooks/users/alice/contacts/missing.vcf",
        ]);
        let answer = report(server, "addressbook-multiget", "/contacts/", DATA, &asked).await.expect(207);
        assert_eq!(
            answer.all("d:href"),
            [
                "/dav/addressbooks/users/alice/contacts/a%20b@c.vcf",
                "https://other.example/dav/addressbooks/users/alice/contacts/missing.vcf",
            ]
        );
        assert_eq!(data(&answer), [card("a", "Anna", "")]);
        answer.assert_contains("missing.vcf</d:href><d:status>HTTP/1.1 404 Not Found</d:status>");
    })
    .await;
}

#[tokio::test]
async fn any_depth_does() {
    with_books(async |server| {
        put(server, "/contacts/a.vcf", card("a", "Anna", "")).await.expect(201);
        let body = "<c:addressbook-multiget xmlns='DAV:' xmlns:c='urn:ietf:params:xml:ns:carddav'><prop><getetag/>\
                    <c:address-data><c:allprop/></c:address-data></prop>\
                    <href>/dav/addressbooks/users/alice/contacts/a.vcf</href></c:addressbook-multiget>";
        for headers in ["", "Depth: 0", "Depth: 1", "Depth: infinity"] {
            let answer = server.send("REPORT", "/contacts/", headers, body).await.expect(207);
            assert_eq!(data(&answer), [card("a", "Anna", "")], "{headers}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_broken_card_gets_a_status_and_the_others_their_data() {
    with_books(async |server| {
        put(server, "/contacts/a.vcf", card("a", "Anna", "")).await.expect(201);
        put_broken(server, "b.vcf", b"BEGIN:VCARD\r\nFN:never ends").await;
        let asked =
            hrefs(&["/dav/addressbooks/users/alice/contacts/b.vcf", "/dav/addressbooks/users/alice/contacts/a.vcf"]);
        let part = "<card:address-data><card:prop name='FN'/></card:address-data>";
        let answer = report(server, "addressbook-multiget", "/contacts/", part, &asked).await.expect(207);
        assert_eq!(names(&answer), ["b.vcf", "a.vcf"]);
        answer.assert_contains("b.vcf</d:href><d:status>HTTP/1.1 500 Internal Server Error</d:status>");
        assert_eq!(data(&answer), [card("a", "Anna", "")]);
        let filter = "<card:filter><card:prop-filter name='FN'/></card:filter>";
        let found = report(server, "addressbook-query", "/contacts/", part, filter).await.expect(207);
        assert_eq!(names(&found), ["a.vcf"]);
        let all = report(server, "addressbook-query", "/contacts/", "", "").await.expect(207);
        assert_eq!(names(&all), ["a.vcf", "b.vcf"]);
    })
    .await;
}

#[tokio::test]
async fn more_than_the_limit_is_refused_and_so_is_another_version() {
    with_books(async |server| {
        let many = |count: usize| {
            let paths: Vec<String> = (0..count).map(|number| format!("{number}.vcf")).collect();
            hrefs(&paths.iter().map(String::as_str).collect::<Vec<_>>())
        };
        let answer = report(server, "addressbook-multiget", "/contacts/", DATA, &many(5)).await.expect(207);
        assert_eq!(names(&answer).len(), 5);
        let refused = report(server, "addressbook-multiget", "/contacts/", DATA, &many(6)).await.expect(403);
        refused.assert_contains("<d:number-of-matches-within-limits/>");
        let four = "<card:address-data content-type='text/vcard' version='4.0'/>";
        let refused = report(server, "addressbook-multiget", "/contacts/", four, &many(1)).await.expect(403);
        refused.assert_contains("<card:supported-address-data ");
    })
    .await;
}

#[tokio::test]
async fn cards_that_are_too_much_to_be_held_together_are_all_told() {
    with_books(async |server| {
        let note = format!("NOTE:{}", "x".repeat(3_000));
        let mut cards = Vec::new();
        for number in 0..5 {
            let card = card(&format!("u{number}"), &format!("N{number}"), &note);
            put(server, &format!("/contacts/{number}.vcf"), card.clone()).await.expect(201);
            cards.push(card);
        }
        let asked = hrefs(&["4.vcf", "3.vcf", "2.vcf", "1.vcf", "0.vcf"]);
        let answer = report(server, "addressbook-multiget", "/contacts/", DATA, &asked).await.expect(207);
        assert!(data(&answer).iter().eq(cards.iter().rev()));
        let listed = crate::properties(server, "/contacts/", "1", DATA).await;
        assert_eq!(data(&listed)[1..], cards);
        let sync = "<d:sync-token>urn:nichoir:sync:0:0</d:sync-token>";
        let body = format!(
            "<d:sync-collection xmlns:d='DAV:' xmlns:card='urn:ietf:params:xml:ns:carddav'>{}<d:sync-level>1</d:sync-level>\
             <d:prop><card:address-data/></d:prop></d:sync-collection>",
            sync.replace("0:0", &first_token(server).await)
        );
        let synced = server.send("REPORT", "/contacts/", "", body).await.expect(207);
        assert_eq!(data(&synced), cards);
    })
    .await;
}

/// The part of a sync token that names the book, and the sequence before anything was put into it.
async fn first_token(server: &Server) -> String {
    let answer = crate::properties(server, "/contacts/", "0", "<d:sync-token/>").await;
    let token = answer.all("d:sync-token").pop().expect("a token");
    let (book, _) = token.trim_start_matches("urn:nichoir:sync:").split_once(':').expect("a book").to_owned();
    format!("{book}:1")
}
