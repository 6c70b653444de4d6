//! What browsers fetch: a whole book, and the picture of a card.

use crate::{card, put, with_books};

#[tokio::test]
async fn a_book_is_exported_whole() {
    with_books(async |server| {
        let mut expected = String::new();
        for number in 0..7 {
            let card = card(&format!("u{number}"), &format!("N{number}"), "");
            // The last line of some has no end.
            let stored = if number % 2 == 0 { card.trim_end().to_owned() } else { card.clone() };
            put(server, &format!("/contacts/{number}.vcf"), stored).await.expect(201);
            expected.push_str(&card);
        }
        let answer = server.get("/contacts/?export").await.expect(200);
        assert_eq!(answer.text(), expected);
        assert_eq!(answer.header("content-type"), "text/vcard; charset=utf-8");
        assert_eq!(answer.header("content-disposition"), "attachment; filename=\"contacts.vcf\"");
        assert!(server.send("HEAD", "/contacts/?export=1", "", "").await.expect(200).body.is_empty());
        assert!(server.get("/contacts/").await.expect(200).body.is_empty());
        assert!(server.get("/?export").await.expect(200).body.is_empty());
    })
    .await;
}

#[tokio::test]
async fn an_empty_book_is_exported_as_nothing() {
    with_books(async |server| assert!(server.get("/contacts/?export").await.expect(200).body.is_empty())).await;
}

#[tokio::test]
async fn the_picture_of_a_card_is_served_and_nothing_else() {
    with_books(async |server| {
        put(server, "/contacts/a.vcf", card("a", "Anna", "PHOTO;ENCODING=b:/9j/4A==")).await.expect(201);
        put(server, "/contacts/b.vcf", card("b", "Berta", "PHOTO:data:image/svg+xml;base64,PHN2Zz4="))
            .await
            .expect(201);
        let etag = server.get("/contacts/a.vcf").await.header("etag").to_owned();
        let answer = server.get("/contacts/a.vcf?photo&size=32").await.expect(200);
        assert_eq!(answer.body, [0xff, 0xd8, 0xff, 0xe0]);
        assert_eq!(answer.header("content-type"), "image/jpeg");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("etag"), etag);
        server.send("GET", "/contacts/a.vcf?photo", &format!("If-None-Match: {etag}"), "").await.expect(304);
        server.get("/contacts/b.vcf?photo").await.expect(404);
        server.get("/contacts/c.vcf?photo").await.expect(404);
        assert_eq!(server.get("/contacts/a.vcf?photos").await.header("content-type"), "text/vcard; charset=utf-8");
    })
    .await;
}
