//! Cards as members: what may be put, what comes back, UIDs, copies and moves. RFC 6352 §5.1, §6.3.2.

use crate::{CARD_BYTES_MAX, card, properties, put, with_books};

#[tokio::test]
async fn a_card_comes_back_byte_for_byte() {
    with_books(async |server| {
        let odd = "\u{feff}BEGIN:VCARD\nversion:4.0\r\nUID:a\r\nFN:A\r\n n\tn a\r\nitem1.TEL;TYPE=\"a,b\":1\r\n\
                   PHOTO;BASE64:\r\n  AAAA\r\n\r\nEND:vcard";
        let stored = put(server, "/contacts/a.vcf", odd).await.expect(201);
        let got = server.get("/contacts/a.vcf").await.expect(200);
        assert_eq!(got.text(), odd);
        assert_eq!(got.header("content-type"), "text/vcard; charset=utf-8");
        assert_eq!(got.header("etag"), stored.header("etag"));
        let answer = properties(server, "/contacts/a.vcf", "0", "<card:address-data/><d:getcontenttype/>").await;
        answer.assert_contains(">text/vcard; charset=utf-8</d:getcontenttype>");
        assert_eq!(crate::data(&answer), [odd]);
    })
    .await;
}

#[tokio::test]
async fn a_fold_that_cuts_a_character_is_kept_and_told_without_the_cut() {
    with_books(async |server| {
        let cut = b"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:a\r\nFN:\xc3\r\n \xa9\r\nEND:VCARD\r\n";
        server.send("PUT", "/contacts/a.vcf", "Content-Type: text/vcard", cut.as_slice()).await.expect(201);
        assert_eq!(server.get("/contacts/a.vcf").await.body, cut);
        let answer = properties(server, "/contacts/a.vcf", "0", "<card:address-data/>").await;
        assert_eq!(crate::data(&answer), ["BEGIN:VCARD\r\nVERSION:3.0\r\nUID:a\r\nFN:\u{e9}\r\nEND:VCARD\r\n"]);
    })
    .await;
}

#[tokio::test]
async fn what_is_no_card_is_refused_and_changes_nothing() {
    with_books(async |server| {
        put(server, "/contacts/a.vcf", card("a", "Anna", "")).await.expect(201);
        let check = async |body: String, condition: &str| {
            for path in ["/contacts/a.vcf", "/contacts/new.vcf"] {
                put(server, path, body.clone()).await.expect(403).assert_contains(&format!("<card:{condition} "));
            }
        };
        check("hello".to_owned(), "valid-address-data").await;
        check(card("", "Anna", ""), "valid-address-data").await;
        check(card("a", "Anna", "NOTE:\u{1}"), "valid-address-data").await;
        check(card("a", "Anna", "").replace("3.0", "2.1"), "supported-address-data").await;
        check(format!("{}{}", card("a", "A", ""), card("b", "B", "")), "valid-address-data").await;
        check(card("a", &"x".repeat(CARD_BYTES_MAX), ""), "max-resource-size").await;
        assert_eq!(server.get("/contacts/a.vcf").await.text(), card("a", "Anna", ""));
        assert_eq!(server.listed("/contacts/").await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_card_of_the_largest_size_is_taken() {
    with_books(async |server| {
        let empty = card("a", "", "").len();
        put(server, "/contacts/a.vcf", card("a", &"x".repeat(CARD_BYTES_MAX - empty), "")).await.expect(201);
        let larger = put(server, "/contacts/b.vcf", card("b", &"x".repeat(CARD_BYTES_MAX - empty + 1), "")).await;
        larger.expect(403).assert_contains("<card:max-resource-size ");
    })
    .await;
}

#[tokio::test]
async fn media_types_are_believed_where_they_say_something() {
    with_books(async |server| {
        let check = async |headers: &str, status: u16| {
            let answer = server.send("PUT", "/contacts/a.vcf", headers, card("a", "Anna", "")).await.expect(status);
            if status == 403 {
                answer.assert_contains("<card:supported-address-data ");
            }
        };
        check("", 201).await;
        for media_type in ["text/x-vcard", "TEXT/Directory; profile=vCard", "application/octet-stream", "text/plain"] {
            check(&format!("Content-Type: {media_type}"), 204).await;
        }
        check("Content-Type: text/vcard; charset=\"UTF-8\"", 204).await;
        check("Content-Type: text/vcard; charset=iso-8859-1", 204).await;
        check("Content-Type: text/calendar", 403).await;
        check("Content-Type: application/vcard+json", 403).await;
        let latin = "Content-Type: text/vcard; charset=iso-8859-1";
        let answer = server.send("PUT", "/contacts/a.vcf", latin, card("a", "Ann\u{e4}", "")).await.expect(403);
        answer.assert_contains("<card:supported-address-data ");
        assert_eq!(server.get("/contacts/a.vcf").await.text(), card("a", "Anna", ""));
    })
    .await;
}

#[tokio::test]
async fn a_uid_is_there_once_in_a_book() {
    with_books(async |server| {
        put(server, "/contacts/a.vcf", card("a", "Anna", "")).await.expect(201);
        put(server, "/contacts/b.vcf", card("b", "Berta", "")).await.expect(201);
        for path in ["/contacts/c.vcf", "/contacts/b.vcf"] {
            let refused = put(server, path, card("a", "Anna", "")).await.expect(409);
            refused.assert_contains("<card:no-uid-conflict ");
            refused.assert_contains("<d:href>/dav/addressbooks/users/alice/contacts/a.vcf</d:href>");
        }
        put(server, "/contacts/a.vcf", card("A", "Anna", "")).await.expect(409);
        let destination = "Destination: /dav/addressbooks/users/alice/contacts/copy.vcf";
        server.send("COPY", "/contacts/a.vcf", destination, "").await.expect(409);
        server.send("DELETE", "/contacts/a.vcf", "", "").await.expect(204);
        put(server, "/contacts/c.vcf", card("a", "Anna", "")).await.expect(201);
        assert_eq!(server.listed("/contacts/").await.len(), 3);
    })
    .await;
}

#[tokio::test]
async fn cards_move_between_books_and_nowhere_else() {
    with_books(async |server| {
        let body = "<d:mkcol xmlns:d='DAV:' xmlns:c='urn:ietf:params:xml:ns:carddav'><d:set><d:prop><d:resourcetype>\
                    <d:collection/><c:addressbook/></d:resourcetype></d:prop></d:set></d:mkcol>";
        server.send("MKCOL", "/more", "", body).await.expect(201);
        put(server, "/contacts/a.vcf", card("a", "Anna", "")).await.expect(201);
        let to = |path: &str| format!("Destination: /dav/addressbooks/users/alice{path}");
        server.send("COPY", "/contacts/a.vcf", &to("/more/a.vcf"), "").await.expect(201);
        server.send("MOVE", "/contacts/a.vcf", &to("/more/b.vcf"), "").await.expect(409);
        let refused = server.send("MOVE", "/contacts/a.vcf", &to("/a.vcf"), "").await.expect(403);
        refused.assert_contains("<card:addressbook-collection-location-ok ");
        let refused = server.send("COPY", "/more", &to("/contacts/more"), "").await.expect(403);
        refused.assert_contains("<card:addressbook-collection-location-ok ");
        put(server, "/c.vcf", card("c", "Clara", "")).await.expect(403);
        put(server, "/more/b.vcf", card("b", "Berta", "")).await.expect(201);
        let refused = server.send("MOVE", "/more/b.vcf", &to("/contacts/a.vcf"), "").await.expect(409);
        refused.assert_contains("<card:no-uid-conflict ");
        let kept = format!("{}\nOverwrite: F", to("/more/a.vcf"));
        server.send("MOVE", "/contacts/a.vcf", &kept, "").await.expect(412);
        server.send("MOVE", "/contacts/a.vcf", &to("/more/a.vcf"), "").await.expect(204);
        server.get("/contacts/a.vcf").await.expect(404);
        assert_eq!(server.get("/more/a.vcf").await.text(), card("a", "Anna", ""));
    })
    .await;
}

#[tokio::test]
async fn conditions_guard_a_card() {
    with_books(async |server| {
        let first = put(server, "/contacts/a.vcf", card("a", "Anna", "")).await.expect(201);
        let new = server.send("PUT", "/contacts/a.vcf", "If-None-Match: *", card("a", "Other", "")).await;
        new.expect(412);
        put(server, "/contacts/a.vcf", card("a", "Anna 2", "")).await.expect(204);
        let stale = format!("If-Match: {}", first.header("etag"));
        server.send("PUT", "/contacts/a.vcf", &stale, card("a", "Anna 3", "")).await.expect(412);
        assert_eq!(server.get("/contacts/a.vcf").await.text(), card("a", "Anna 2", ""));
    })
    .await;
}

#[tokio::test]
async fn a_posted_card_gets_a_name() {
    with_books(async |server| {
        let made =
            server.send("POST", "/contacts/", "Content-Type: text/vcard", card("a", "Anna", "")).await.expect(201);
        let location = made.header("location").to_owned();
        let path = location.strip_prefix("/dav/addressbooks/users/alice").expect("in the book");
        assert!(path.ends_with(".vcf"));
        assert_eq!(server.get(path).await.expect(200).text(), card("a", "Anna", ""));
        server.send("POST", "/contacts/", "Content-Type: text/vcard", card("a", "Anna", "")).await.expect(409);
    })
    .await;
}

#[tokio::test]
async fn a_synchronisation_tells_of_cards_with_their_data() {
    with_books(async |server| {
        let sync = async |token: &str| {
            let body = format!(
                "<d:sync-collection xmlns:d='DAV:' xmlns:card='urn:ietf:params:xml:ns:carddav'><d:sync-token>{token}\
                 </d:sync-token><d:sync-level>1</d:sync-level><d:prop><d:getetag/><card:address-data/></d:prop>\
                 </d:sync-collection>"
            );
            server.send("REPORT", "/contacts/", "Depth: 1", body).await.expect(207)
        };
        put(server, "/contacts/a.vcf", card("a", "Anna", "")).await.expect(201);
        put(server, "/contacts/b.vcf", card("b", "Berta", "")).await.expect(201);
        let first = sync("").await;
        assert_eq!(crate::data(&first), [card("a", "Anna", ""), card("b", "Berta", "")]);
        let token = first.all("d:sync-token").pop().expect("a token");
        put(server, "/contacts/a.vcf", card("a", "Anna 2", "")).await.expect(204);
        server.send("DELETE", "/contacts/b.vcf", "", "").await.expect(204);
        let second = sync(&token).await;
        assert_eq!(crate::data(&second), [card("a", "Anna 2", "")]);
        let mut names = crate::names(&second);
        names.sort();
        assert_eq!(names, ["a.vcf", "b.vcf"]);
        second.assert_contains("404 Not Found");
    })
    .await;
}
