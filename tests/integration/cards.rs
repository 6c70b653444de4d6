//! What contact clients send, from a bare host name to the first synchronised changes, one table for each client; and
//! whether they find in the answers what they look for.

use crate::support::sequence::{play, propfind, put, report, step, sync};
use crate::support::{Client, Server, on_every_engine};

const PRINCIPAL: &str = "/remote.php/dav/principals/users/alice/";
const HOME: &str = "/remote.php/dav/addressbooks/users/alice/";
const BOOK: &str = "/remote.php/dav/addressbooks/users/alice/contacts/";
const CARD: &str = "/remote.php/dav/addressbooks/users/alice/contacts/eve.vcf";

const EVE: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:eve\r\nFN:Eve\r\nN:Eve;;;;\r\nitem1.TEL:123\r\nitem1.X-ABLabel:_$!<Home>!$_\r\n\
    END:VCARD\r\n";

fn alice(server: &Server, agent: &str) -> Client {
    server.account("alice").with("user-agent", agent)
}

#[tokio::test]
async fn davx5() {
    on_every_engine(async |server: &Server| {
        let first = "d:resourcetype d:displayname d:current-user-principal card:addressbook-home-set card:addressbook-description";
        let home = "d:current-user-privilege-set d:displayname d:owner d:resourcetype p:transports p:topic card:addressbook-description";
        let state = "d:supported-report-set d:sync-token cs:getctag card:max-resource-size card:supported-address-data";
        let data = "d:getcontenttype d:getetag card:address-data";
        let made = "<d:set><d:prop><d:resourcetype><d:collection/><card:addressbook/></d:resourcetype><d:displayname>Friends</d:displayname>\
            <card:addressbook-description>Mine</card:addressbook-description></d:prop></d:set>";
        let friends = format!("{HOME}friends/");
        play(&alice(server, "DAVx5/4.5 (2026/08/01; dav4jvm; okhttp/5.1.0) Android/16"), [
            propfind("/", "0", first).has("<d:current-user-principal><d:href>/remote.php/dav/principals/users/alice/</d:href>"),
            step("OPTIONS", PRINCIPAL, 200).with("accept-encoding", "identity").tells("dav", "addressbook"),
            step("PROPFIND", "/.well-known/carddav", 301).with("depth", "0").tells("location", "/remote.php/dav/"),
            propfind(PRINCIPAL, "0", "d:displayname d:group-membership d:resourcetype card:addressbook-home-set")
                .has("<card:addressbook-home-set><d:href>/remote.php/dav/addressbooks/users/alice/</d:href>"),
            step("MKCOL", &friends, 201).xml("d:mkcol", made),
            propfind(HOME, "1", home).has("<d:resourcetype><d:collection/><card:addressbook/></d:resourcetype>").has("<d:displayname>Friends</d:displayname>"),
            propfind(BOOK, "0", state).has("<d:sync-collection/>").has("<card:address-data-type").has("<card:max-resource-size>"),
            put(CARD, EVE, 201).with("if-none-match", "*").tells("etag", "\""),
            sync(BOOK, "", "d:getetag").with("depth", "0").has("eve.vcf</d:href><d:propstat>"),
            report(BOOK, "card:addressbook-multiget", data, &format!("<d:href>{CARD}</d:href><d:href>{BOOK}gone.vcf</d:href>"))
                .with("depth", "0").has("FN:Eve").has("gone.vcf</d:href><d:status>HTTP/1.1 404 Not Found</d:status>"),
            put(CARD, &EVE.replace("FN:Eve", "FN:Eva"), 204).with("if-match", "{etag}"),
            sync(BOOK, "{token}", "d:getetag").with("depth", "0").has("eve.vcf</d:href><d:propstat>"),
            step("DELETE", CARD, 204).with("if-match", "{etag}"),
            sync(BOOK, "{token}", "d:getetag").with("depth", "0").has("eve.vcf</d:href><d:status>HTTP/1.1 404 Not Found</d:status>"),
            sync(BOOK, "http://elsewhere/1", "d:getetag").with("depth", "0").answered(403).has("<d:valid-sync-token/>"),
        ])
        .await;
    })
    .await;
}

#[tokio::test]
async fn apple_contacts() {
    on_every_engine(async |server: &Server| {
        let agent = "macOS/26.1 (25B78) AddressBookCore/2710.5";
        let first = "d:current-user-principal d:principal-URL d:resourcetype";
        let challenged = propfind("/remote.php/dav/", "0", first).answered(401).tells("www-authenticate", "Basic realm=");
        play(&server.anonymous().with("user-agent", agent), [challenged]).await;
        let home = "cs:getctag cs:me-card card:max-image-size card:max-resource-size d:sync-token d:supported-report-set d:displayname \
            d:resourcetype d:current-user-privilege-set d:owner d:quota-used-bytes";
        play(&alice(server, agent), [
            propfind("/remote.php/dav/", "0", first).has("principals/users/alice/</d:href>"),
            step("OPTIONS", PRINCIPAL, 200).tells("dav", "addressbook"),
            propfind(PRINCIPAL, "0", "card:addressbook-home-set card:directory-gateway d:displayname cs:email-address-set d:principal-URL")
                .has("<d:href>/remote.php/dav/addressbooks/users/alice/</d:href>"),
            // macOS takes one book: the first.
            propfind(HOME, "1", home).with("prefer", "return=minimal").has("<card:addressbook/>").lacks("404 Not Found"),
            put(CARD, EVE, 201).with("if-none-match", "*").tells("etag", "\""),
            propfind(BOOK, "1", "d:getetag").has("eve.vcf"),
            report(BOOK, "card:addressbook-multiget", "d:getetag card:address-data", &format!("<d:href>{CARD}</d:href>")).with("depth", "1").has("item1.X-ABLabel:_$!&lt;Home&gt;!$_"),
            sync(BOOK, "", "d:getetag").with("depth", "1").has("eve.vcf"),
            step("DELETE", CARD, 204).with("if-match", "{etag}"),
        ])
        .await;
        let listed = alice(server, agent).request("PROPFIND", HOME).header("depth", "1").await.expect(207).text();
        let books: Vec<&str> = listed.split("<d:href>").skip(2).filter_map(|rest| rest.split('<').next()).collect();
        assert_eq!(books.first(), Some(&BOOK), "the book of her own comes first");
    })
    .await;
}

#[tokio::test]
async fn thunderbird_address_books() {
    on_every_engine(async |server: &Server| {
        let found = "d:resourcetype d:displayname d:current-user-principal d:current-user-privilege-set card:addressbook-home-set";
        let data = "d:getetag card:address-data";
        play(&alice(server, "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Thunderbird/140.2.0"), [
            propfind("/", "0", found).has("<d:status>HTTP/1.1 200 OK</d:status>").has("principals/users/alice/</d:href>"),
            propfind(PRINCIPAL, "0", "card:addressbook-home-set").has("<d:href>/remote.php/dav/addressbooks/users/alice/</d:href>"),
            propfind(HOME, "1", found).has("<card:addressbook/>").lacks("</d:href><d:status>"),
            put(CARD, EVE, 201),
            propfind(BOOK, "1", "d:getetag").has("eve.vcf"),
            report(BOOK, "card:addressbook-multiget", data, &format!("<d:href>{CARD}</d:href>")).has("FN:Eve"),
            propfind(BOOK, "0", "d:sync-token").has("<d:sync-token>"),
            put(CARD, &EVE.replace("FN:Eve", "FN:Eva"), 204),
            sync(BOOK, "{token}", data).with("depth", "1").has("FN:Eva"),
            // Only 400 makes it begin anew; 403 would be for good.
            sync(BOOK, "urn:nichoir:sync:0:0", data).with("depth", "1").answered(400).has("<d:valid-sync-token/>"),
            step("DELETE", CARD, 204),
            sync(BOOK, "{token}", data).with("depth", "1").has("<d:status>HTTP/1.1 404 Not Found</d:status>"),
        ])
        .await;
    })
    .await;
}

#[tokio::test]
async fn evolution_kde_and_nextcloud_contacts() {
    on_every_engine(async |server: &Server| {
        let wanted = "<d:prop><d:getetag/><card:address-data><card:allprop/></card:address-data></d:prop>";
        let partial = "<d:prop><d:getetag/><card:address-data><card:prop name='FN'/><card:prop name='UID'/></card:address-data></d:prop>";
        play(&alice(server, "Evolution/3.58.0"), [
            propfind(BOOK, "0", "d:supported-report-set cs:getctag card:supported-address-data").has("content-type=\"text/vcard\" version=\"3.0\""),
            put(CARD, EVE, 201).with("if-none-match", "*").with("prefer", "return=minimal").tells("etag", "\""),
            sync(BOOK, "", "d:getetag").with("depth", "0").has("eve.vcf"),
            report(BOOK, "card:addressbook-multiget", "d:getetag card:address-data", &format!("<d:href>{CARD}</d:href>")).has("FN:Eve"),
        ])
        .await;
        play(&alice(server, "Mozilla/5.0 (X11; Linux x86_64) KIO/6.17"), [
            propfind(BOOK, "1", "d:getetag d:resourcetype").has("eve.vcf"),
            step("REPORT", BOOK, 207).with("depth", "1").xml("card:addressbook-multiget", &format!("{wanted}<d:href>{CARD}</d:href>")).has("FN:Eve"),
        ])
        .await;
        play(&alice(server, "Mozilla/5.0 Nextcloud Contacts"), [
            step("REPORT", BOOK, 207).with("depth", "1").xml("card:addressbook-query", partial).has("FN:Eve").has("UID:eve").lacks("TEL"),
            propfind(CARD, "0", "card:address-data d:getetag").has("item1.TEL:123"),
        ])
        .await;
    })
    .await;
}
