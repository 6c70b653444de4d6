//! Address books as collections: what they say of themselves, how they are made, named and removed.

use nichoir_carddav::Carddav;
use nichoir_dav::virtual_resource::VirtualValue;
use nichoir_dav::{Extension, Limits};
use nichoir_xml::carddav;

use crate::support::Server;
use crate::{card, properties, put, with_books};

async fn make(server: &Server, path: &str, types: &str, more: &str) -> crate::Answer {
    let body = format!(
        "<d:mkcol xmlns:d='DAV:' xmlns:card='urn:ietf:params:xml:ns:carddav' xmlns:cal='urn:ietf:params:xml:ns:caldav'>\
         <d:set><d:prop><d:resourcetype><d:collection/>{types}</d:resourcetype>{more}</d:prop></d:set></d:mkcol>"
    );
    server.send("MKCOL", path, "Content-Type: application/xml", body).await
}

#[tokio::test]
async fn a_home_has_a_book_that_tells_what_it_takes() {
    with_books(async |server| {
        let names = "<d:resourcetype/><d:displayname/><card:supported-address-data/><card:max-resource-size/>\
                     <card:supported-collation-set/><card:addressbook-description/><d:add-member/>";
        let answer = properties(server, "/", "1", names).await;
        let home = answer.text().split("</d:response>").next().expect("the home").to_owned();
        assert!(home.contains("<d:resourcetype><d:collection/></d:resourcetype>"), "{home}");
        assert!(!home.contains("<card:max-resource-size>"), "{home}");
        assert_eq!(answer.all("d:href").len(), 3);
        answer.assert_contains("<d:href>/dav/addressbooks/users/alice/contacts/</d:href>");
        answer.assert_contains("<d:collection/><card:addressbook");
        answer.assert_contains("<d:displayname>Contacts</d:displayname>");
        answer.assert_contains("content-type=\"text/vcard\" version=\"3.0\"/>");
        answer.assert_lacks("version=\"4.0\"");
        answer.assert_contains(">4000</card:max-resource-size>");
        for collation in ["i;ascii-casemap", "i;octet", "i;unicode-casemap"] {
            answer.assert_contains(&format!(">{collation}</card:supported-collation>"));
        }
        answer.assert_contains("<d:add-member><d:href>/dav/addressbooks/users/alice/contacts/</d:href></d:add-member>");
    })
    .await;
}

#[tokio::test]
async fn reports_and_the_feature_are_advertised() {
    with_books(async |server| {
        let options = server.send("OPTIONS", "/contacts/", "", "").await.expect(200);
        assert!(options.header("dav").split(", ").any(|feature| feature == "addressbook"));
        let answer = properties(server, "/contacts/", "0", "<d:supported-report-set/>").await;
        for name in ["addressbook-query", "addressbook-multiget"] {
            answer.assert_contains(&format!("<card:{name} "));
        }
        answer.assert_contains("<d:sync-collection/>");
    })
    .await;
}

#[tokio::test]
async fn the_ctag_moves_with_members_and_properties_and_with_nothing_else() {
    with_books(async |server| {
        let ctag = async || properties(server, "/contacts/", "0", "<cs:getctag/>").await.text();
        let first = ctag().await;
        assert!(first.contains("<cs:getctag"));
        assert_eq!(ctag().await, first);
        put(server, "/contacts/a.vcf", card("a", "Anna", "")).await.expect(201);
        let second = ctag().await;
        assert_ne!(second, first);
        make(server, "/more", "<card:addressbook/>", "").await.expect(201);
        assert_eq!(ctag().await, second);
    })
    .await;
}

#[tokio::test]
async fn a_book_is_made_with_its_properties() {
    with_books(async |server| {
        let more = "<d:displayname>Choir</d:displayname><card:addressbook-description xml:lang='en'>All \
                    voices</card:addressbook-description>";
        make(server, "/choir/", "<card:addressbook/>", more).await.expect(201);
        put(server, "/choir/a.vcf", card("a", "Anna", "")).await.expect(201);
        let names = "<d:resourcetype/><d:displayname/><card:addressbook-description/>";
        let answer = properties(server, "/choir/", "0", names).await;
        answer.assert_contains("<d:collection/><card:addressbook");
        answer.assert_contains(">Choir</d:displayname>");
        answer.assert_contains("xml:lang=\"en\"");
        answer.assert_contains(">All voices</card:addressbook-description>");
        server.propfind("/choir/", "0", "").await.expect(207).assert_lacks("All voices");
    })
    .await;
}

#[tokio::test]
async fn what_is_no_book_is_not_made() {
    with_books(async |server| {
        for types in ["<cal:calendar/>", "<card:addressbook/><cal:calendar/>", "<card:other/>"] {
            make(server, "/other", types, "").await.expect(403).assert_contains("<d:valid-resourcetype/>");
        }
        let refused =
            make(server, "/other", "<card:addressbook/>", "<card:max-resource-size>1</card:max-resource-size>");
        refused.await.expect(403).assert_contains("<d:cannot-modify-protected-property/>");
        server.get("/other").await.expect(404);
        make(server, "/contacts", "<card:addressbook/>", "").await.expect(405);
        let inside = make(server, "/contacts/inner", "<card:addressbook/>", "").await.expect(403);
        inside.assert_contains("addressbook-collection-location-ok");
        assert_eq!(server.listed("/").await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn names_and_descriptions_change_and_what_the_server_says_does_not() {
    with_books(async |server| {
        let patch = async |inside: &str| {
            let body = format!(
                "<d:propertyupdate xmlns:d='DAV:' xmlns:card='urn:ietf:params:xml:ns:carddav'>{inside}</d:propertyupdate>"
            );
            server.send("PROPPATCH", "/contacts/", "", body).await.expect(207)
        };
        let set = "<d:set><d:prop><d:displayname>Friends</d:displayname><card:addressbook-description>x\
                   </card:addressbook-description></d:prop></d:set>";
        patch(set).await.assert_contains("200 OK");
        let names = "<d:displayname/><card:addressbook-description/>";
        let answer = properties(server, "/contacts/", "0", names).await;
        answer.assert_contains(">Friends</d:displayname>");
        answer.assert_contains(">x</card:addressbook-description>");
        let remove = "<d:remove><d:prop><d:displayname/><card:addressbook-description/></d:prop></d:remove>";
        patch(remove).await.assert_contains("200 OK");
        let answer = properties(server, "/contacts/", "0", names).await;
        answer.assert_contains(">Contacts</d:displayname>");
        answer.assert_contains("404 Not Found");
        for name in ["card:supported-address-data", "card:address-data", "d:resourcetype", "card:max-resource-size"] {
            let answer = patch(&format!("<d:set><d:prop><{name}>x</{name}></d:prop></d:set>")).await;
            answer.assert_contains("403 Forbidden");
        }
    })
    .await;
}

#[tokio::test]
async fn a_book_goes_with_its_cards() {
    with_books(async |server| {
        make(server, "/choir", "<card:addressbook/>", "").await.expect(201);
        put(server, "/choir/a.vcf", card("a", "Anna", "")).await.expect(201);
        server.send("DELETE", "/choir", "", "").await.expect(204);
        server.get("/choir/a.vcf").await.expect(404);
        assert_eq!(server.listed("/").await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_principal_tells_where_its_books_are() {
    let server = Server::start_with(Vec::new(), Limits::default()).await;
    let told = Carddav::default().principal_properties(&server.alice.account, "/remote.php/dav");
    let [(name, VirtualValue::Hrefs(hrefs))] = &told[..] else { panic!("one property: {told:?}") };
    assert_eq!(*name, carddav::ADDRESSBOOK_HOME_SET);
    assert_eq!(hrefs[..], ["/remote.php/dav/addressbooks/users/alice/"]);
}
