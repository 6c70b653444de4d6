//! What calendar clients send, from a bare host name to the first synchronised changes, one table for each client; and
//! whether they find in the answers what they look for.

use crate::support::sequence::{comp_filter, play, propfind, put, report, step, sync};
use crate::support::{Client, Server, on_every_engine};

const PRINCIPAL: &str = "/remote.php/dav/principals/users/alice/";
const HOME: &str = "/remote.php/dav/calendars/alice/";
const CALENDAR: &str = "/remote.php/dav/calendars/alice/work/";
const EVENT: &str = "/remote.php/dav/calendars/alice/work/one.ics";

const ONE: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VEVENT\r\nUID:one\r\nDTSTAMP:20270101T000000Z\r\n\
    DTSTART:20270110T100000Z\r\nDURATION:PT1H\r\nSUMMARY:One\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
const TASK: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VTODO\r\nUID:task\r\nDTSTAMP:20270101T000000Z\r\n\
    SUMMARY:Task\r\nEND:VTODO\r\nEND:VCALENDAR\r\n";

fn alice(server: &Server, agent: &str) -> Client {
    server.account("alice").with("user-agent", agent)
}

#[tokio::test]
async fn davx5() {
    on_every_engine(async |server: &Server| {
        let generic = "d:resourcetype d:displayname d:current-user-principal d:current-user-privilege-set \
            cal:calendar-home-set cal:supported-calendar-component-set ical:calendar-color cal:calendar-description \
            cal:calendar-timezone";
        let home = "d:current-user-privilege-set d:displayname d:owner d:resourcetype p:transports p:topic ical:calendar-color \
            cal:calendar-description cal:calendar-timezone cal:calendar-timezone-id cal:supported-calendar-component-set cs:source";
        let made = "<d:set><d:prop><d:resourcetype><d:collection/><cal:calendar/></d:resourcetype>\
            <d:displayname>Work</d:displayname><ical:calendar-color>#ff0000ff</ical:calendar-color>\
            <cal:supported-calendar-component-set><cal:comp name='VEVENT'/><cal:comp name='VTODO'/>\
            </cal:supported-calendar-component-set></d:prop></d:set>";
        let state = "d:supported-report-set d:sync-token cs:getctag cal:max-resource-size";
        let fetched = "d:getcontenttype d:getetag cal:schedule-tag cal:calendar-data";
        let range = comp_filter("VEVENT", "<cal:time-range start='20261012T000000Z'/>");
        play(&alice(server, "DAVx5/4.5 (2026/08/01; dav4jvm; okhttp/5.1.0) Android/16"), [
            propfind("/", "0", generic).has("<d:current-user-principal><d:href>/remote.php/dav/principals/users/alice/</d:href>"),
            step("OPTIONS", PRINCIPAL, 200).with("accept-encoding", "identity").tells("dav", "calendar-access"),
            step("PROPFIND", "/.well-known/caldav", 301).with("depth", "0").tells("location", "/remote.php/dav/"),
            propfind("/remote.php/dav/", "0", "d:current-user-principal").has("principals/users/alice/</d:href>"),
            propfind(PRINCIPAL, "0", "cal:calendar-user-address-set").has("<cal:calendar-user-address-set><d:href>"),
            propfind(PRINCIPAL, "0", "d:displayname d:group-membership d:resourcetype cal:calendar-home-set \
                cs:calendar-proxy-read-for cs:calendar-proxy-write-for")
                .has("<cal:calendar-home-set><d:href>/remote.php/dav/calendars/alice/</d:href></cal:calendar-home-set>"),
            step("MKCALENDAR", CALENDAR, 201).xml("cal:mkcalendar", made),
            propfind(HOME, "1", home)
                .has("<d:href>/remote.php/dav/calendars/alice/work/</d:href><d:propstat>")
                .has("<d:displayname>Work</d:displayname>")
                .has("<d:privilege><d:write-content/></d:privilege>")
                .has("<d:privilege><d:bind/></d:privilege><d:privilege><d:unbind/></d:privilege>")
                .has("<cal:comp name=\"VEVENT\"/><cal:comp name=\"VTODO\"/></cal:supported-calendar-component-set>"),
            propfind(CALENDAR, "0", state).has("<d:sync-collection/>").has("<d:sync-token>").has("<cal:max-resource-size>"),
            put(EVENT, ONE, 201).with("if-none-match", "*").with("push-dont-notify", "\"https://nest/reg/1\"").tells("etag", "\""),
            put(EVENT, ONE, 412).with("if-none-match", "*"),
            report(CALENDAR, "cal:calendar-query", "d:getetag", &range).with("depth", "1").has("work/one.ics</d:href>"),
            report(CALENDAR, "cal:calendar-multiget", fetched, &format!("<d:href>{EVENT}</d:href><d:href>{CALENDAR}gone.ics</d:href>"))
                .has("SUMMARY:One").has("<d:getetag>").has("gone.ics</d:href><d:status>HTTP/1.1 404 Not Found</d:status>"),
            sync(CALENDAR, "", "d:getetag").with("depth", "0").has("work/one.ics</d:href><d:propstat>").has("<d:sync-token>"),
            put(EVENT, &ONE.replace("One", "Changed"), 204).with("if-match", "{etag}"),
            put(EVENT, ONE, 412).with("if-match", "\"0\""),
            sync(CALENDAR, "{token}", "d:getetag").with("depth", "0").has("work/one.ics</d:href><d:propstat>"),
            step("DELETE", EVENT, 204).with("if-match", "{etag}"),
            sync(CALENDAR, "{token}", "d:getetag").with("depth", "0").has("work/one.ics</d:href><d:status>HTTP/1.1 404 Not Found</d:status>"),
            // What makes it begin anew.
            sync(CALENDAR, "http://elsewhere/1", "d:getetag").with("depth", "0").answered(403).has("<d:valid-sync-token/>"),
            report(CALENDAR, "cal:calendar-query", "d:getetag", &comp_filter("VTODO", "")).with("depth", "1").lacks("one.ics"),
        ])
        .await;
    })
    .await;
}

#[tokio::test]
async fn apple_calendar_and_reminders() {
    on_every_engine(async |server: &Server| {
        let agent = "iOS/19.1 (23B85) accountsd/1.0";
        let first = "d:current-user-principal d:principal-URL d:resourcetype";
        play(&server.anonymous().with("user-agent", agent), [
            propfind("/.well-known/caldav", "0", first).answered(301).tells("location", "/remote.php/dav/"),
            propfind("/remote.php/dav/", "0", first).answered(401).tells("www-authenticate", "Basic realm="),
            propfind("/", "0", first).answered(401).tells("www-authenticate", "Basic realm="),
            propfind("/principals/users/alice/", "0", first).answered(401).tells("www-authenticate", "Basic realm="),
        ])
        .await;
        let principal = "cal:calendar-home-set cal:calendar-user-address-set cs:email-address-set cal:schedule-inbox-URL \
            cal:schedule-outbox-URL cs:dropbox-home-URL cs:notification-URL d:principal-collection-set d:principal-URL \
            d:resource-id d:supported-report-set d:displayname";
        let home = "cs:getctag d:displayname cal:calendar-description cal:supported-calendar-component-set d:resourcetype \
            ical:calendar-color ical:calendar-order d:current-user-privilege-set cal:schedule-calendar-transp d:owner \
            cs:source cs:subscribed-strip-alarms d:supported-report-set d:sync-token d:quota-available-bytes d:add-member";
        let proxies = "<d:property name='calendar-proxy-write-for' namespace='http://calendarserver.org/ns/'>\
            <d:property name='displayname'/></d:property>";
        let reminders = "<d:set><d:prop><d:displayname>Reminders</d:displayname><ical:calendar-order>2</ical:calendar-order>\
            <cal:supported-calendar-component-set><cal:comp name='VTODO'/></cal:supported-calendar-component-set>\
            <cal:calendar-free-busy-set><d:YES/></cal:calendar-free-busy-set></d:prop></d:set>";
        let looks = "<d:set><d:prop><ical:calendar-order>1</ical:calendar-order><ical:calendar-color>#1BADF8FF</ical:calendar-color>\
            </d:prop></d:set>";
        let begins = comp_filter("VEVENT", "<cal:time-range start='20261201T000000Z'/>");
        let list = format!("{HOME}0E6FA25C/");
        let fetched = "d:getetag cal:calendar-data cal:schedule-tag cs:created-by cs:updated-by";
        play(&alice(server, agent), [
            propfind("/remote.php/dav/", "0", first).has("<d:current-user-principal><d:href>/remote.php/dav/principals/users/alice/</d:href>"),
            step("OPTIONS", PRINCIPAL, 200).tells("dav", "calendar-auto-schedule"),
            propfind(PRINCIPAL, "0", principal)
                .has("<cal:schedule-inbox-URL><d:href>/remote.php/dav/calendars/alice/inbox/</d:href>")
                .has("<d:principal-collection-set><d:href>/remote.php/dav/principals/users/</d:href>"),
            step("REPORT", "/remote.php/dav/principals/users/", 200).with("depth", "0").xml("d:principal-search-property-set", "")
                .has("<d:principal-search-property>"),
            step("REPORT", PRINCIPAL, 207).with("depth", "0").xml("d:expand-property", proxies).has("<cs:calendar-proxy-write-for"),
            propfind(HOME, "1", home).with("prefer", "return=minimal").with("brief", "t")
                .has("<d:sync-collection/>").has("<cal:calendar/>").lacks("404 Not Found"),
            step("MKCALENDAR", &list, 201).xml("cal:mkcalendar", reminders),
            propfind(&list, "0", home).has("<cal:supported-calendar-component-set><cal:comp name=\"VTODO\"/></cal:supported-calendar-component-set>"),
            step("PROPPATCH", &format!("{HOME}personal/"), 207).xml("d:propertyupdate", looks).has("HTTP/1.1 200 OK").lacks("403"),
            put(&format!("{HOME}personal/A1.ics"), ONE, 201).with("if-none-match", "*").tells("etag", "\""),
            put(&format!("{list}A2.ics"), TASK, 201).with("if-none-match", "*"),
            propfind(&format!("{HOME}personal/"), "1", "d:getcontenttype d:getetag").has("<d:getcontenttype>text/calendar;"),
            report(&format!("{HOME}personal/"), "cal:calendar-query", "d:getetag d:getcontenttype", &begins).with("depth", "1").has("A1.ics"),
            report(&list, "cal:calendar-query", "d:getetag", &comp_filter("VTODO", "")).with("depth", "1").has("A2.ics"),
            report(&format!("{HOME}personal/"), "cal:calendar-multiget", fetched, &format!("<d:href>{HOME}personal/A1.ics</d:href>"))
                .with("depth", "1").has("SUMMARY:One"),
            sync(&format!("{HOME}personal/"), "", "d:getetag d:getcontenttype").with("depth", "1").has("A1.ics"),
            sync(HOME, "", "d:getetag d:resourcetype").with("depth", "1").has("<d:href>/remote.php/dav/calendars/alice/personal/</d:href>"),
        ])
        .await;
    })
    .await;
}

#[tokio::test]
async fn thunderbird_calendars() {
    on_every_engine(async |server: &Server| {
        let found = "d:resourcetype d:owner d:displayname d:current-user-principal d:current-user-privilege-set \
            ical:calendar-color cal:calendar-home-set";
        let begun = "d:resourcetype d:owner d:current-user-principal d:current-user-privilege-set d:supported-report-set \
            cal:supported-calendar-component-set cs:getctag";
        let calendar = format!("{HOME}personal/");
        let (one, fetched) = (format!("{calendar}one.ics"), "d:getetag cal:calendar-data");
        play(&alice(server, "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Thunderbird/140.2.0"), [
            propfind("/", "0", found).has("<d:current-user-principal><d:href>/remote.php/dav/principals/users/alice/</d:href>"),
            propfind(PRINCIPAL, "0", "cal:calendar-home-set").has("<d:href>/remote.php/dav/calendars/alice/</d:href>"),
            // Its detection throws at a response that has no resourcetype.
            propfind(HOME, "1", "d:resourcetype d:displayname d:current-user-privilege-set ical:calendar-color")
                .has("<d:resourcetype><d:collection/><cal:calendar/></d:resourcetype>").lacks("</d:href><d:status>"),
            propfind(&calendar, "0", begun).has("<cs:getctag>").has("<d:write/>"),
            step("OPTIONS", HOME, 200).tells("dav", "calendar-auto-schedule"),
            propfind(PRINCIPAL, "0", "cal:calendar-home-set cal:calendar-user-address-set cal:schedule-inbox-URL cal:schedule-outbox-URL")
                .lacks("404 Not Found"),
            sync(&calendar, "", "d:getcontenttype d:getetag").with("depth", "1").has("<d:sync-token>"),
            put(&one, ONE, 201).with("if-none-match", "*"),
            sync(&calendar, "{token}", "d:getcontenttype d:getetag").with("depth", "1").has("<d:getcontenttype>text/calendar").has("one.ics"),
            report(&calendar, "cal:calendar-multiget", fetched, &format!("<d:href>{one}</d:href>")).with("depth", "1").has("SUMMARY:One"),
            put(&one, &ONE.replace("One", "Two"), 204).with("if-match", "{etag}"),
            // Its address books recover from 400 only.
            sync(&calendar, "urn:nichoir:sync:0:0", "d:getetag").with("depth", "1").answered(400).has("<d:valid-sync-token/>"),
            step("DELETE", &one, 204).with("if-match", "{etag}"),
            sync(&calendar, "{token}", "d:getcontenttype d:getetag").with("depth", "1").has("<d:status>HTTP/1.1 404 Not Found</d:status>"),
            report(&format!("{HOME}inbox/"), "cal:calendar-query", "d:getetag", &comp_filter("VEVENT", "")).with("depth", "1"),
        ])
        .await;
    })
    .await;
}

#[tokio::test]
async fn evolution_and_gnome_online_accounts() {
    on_every_engine(async |server: &Server| {
        let found = "d:resourcetype d:current-user-principal d:principal-URL cal:calendar-home-set cal:calendar-user-address-set \
            card:addressbook-home-set";
        let calendar = format!("{HOME}personal/");
        let one = format!("{calendar}one.ics");
        let uids = format!(
            "<d:prop><d:getetag/><cal:calendar-data><cal:comp name='VCALENDAR'><cal:comp name='VEVENT'><cal:prop name='UID'/>\
             </cal:comp></cal:comp></cal:calendar-data></d:prop>{}",
            comp_filter("VEVENT", "")
        );
        play(&server.anonymous(), [step("OPTIONS", "/remote.php/dav/", 401).tells("www-authenticate", "Basic")]).await;
        play(&alice(server, "Evolution/3.58.0"), [
            step("OPTIONS", "/", 200).tells("dav", "1"),
            step("OPTIONS", "/remote.php/dav/", 200).tells("dav", "calendar-access"),
            propfind("/remote.php/dav/", "0", found).has("principals/users/alice/</d:href>"),
            propfind(PRINCIPAL, "0", found).has("<cal:calendar-home-set>").has("<card:addressbook-home-set>"),
            propfind(HOME, "1", "d:resourcetype d:displayname cal:supported-calendar-component-set ical:calendar-color").has("<cal:calendar/>"),
            step("OPTIONS", &calendar, 200).tells("allow", "PUT"),
            propfind(&calendar, "0", "d:current-user-privilege-set").has("<d:write/>"),
            propfind(&calendar, "0", "cs:getctag d:supported-report-set").has("<d:sync-collection/>"),
            put(&one, ONE, 201).with("if-none-match", "*").with("prefer", "return=minimal").tells("etag", "\""),
            sync(&calendar, "", "d:getetag").with("depth", "0").has("one.ics"),
            report(&calendar, "cal:calendar-query", "d:getetag", &comp_filter("VEVENT", "")).with("depth", "1").has("one.ics"),
            report(&calendar, "cal:calendar-multiget", "d:getetag cal:calendar-data", &format!("<d:href>{one}</d:href>")).has("SUMMARY:One"),
            step("REPORT", &calendar, 207).with("depth", "0").xml("cal:calendar-query", &uids).has("UID:one").has("END:VEVENT").lacks("SUMMARY"),
            put(&one, &ONE.replace("One", "Two"), 204).with("if-match", "{etag}").with("prefer", "return=minimal").tells("etag", "\""),
            sync(&calendar, "urn:nichoir:sync:0:0", "d:getetag").with("depth", "0").answered(403).has("<d:valid-sync-token/>"),
            step("DELETE", &one, 204).with("if-match", "{etag}"),
        ])
        .await;
    })
    .await;
}

#[tokio::test]
async fn kde() {
    on_every_engine(async |server: &Server| {
        let home = "d:displayname d:resourcetype ical:calendar-color cal:supported-calendar-component-set \
            d:current-user-privilege-set cs:getctag p:transports p:topic p:supported-triggers";
        let calendar = format!("{HOME}personal/");
        let one = format!("{calendar}one.ics");
        let query = |component| {
            report(&calendar, "cal:calendar-query", "d:getetag d:resourcetype", &comp_filter(component, ""))
                .with("depth", "1")
        };
        play(
            &alice(server, "Mozilla/5.0 (X11; Linux x86_64) KIO/6.17 kioworker/6.17"),
            [
                propfind("/remote.php/dav/", "0", "d:current-user-principal d:principal-URL cal:calendar-home-set")
                    .has("principals/users/alice/"),
                propfind(PRINCIPAL, "0", "cal:calendar-home-set")
                    .has("<d:href>/remote.php/dav/calendars/alice/</d:href>"),
                propfind(HOME, "1", home).has("<cs:getctag>"),
                put(&one, ONE, 201).with("if-none-match", "*"),
                put(&format!("{calendar}task.ics"), TASK, 201).with("if-none-match", "*"),
                query("VEVENT").has("one.ics").lacks("task.ics"),
                query("VTODO").has("task.ics").lacks("one.ics"),
                query("VJOURNAL").lacks(".ics"),
                report(
                    &calendar,
                    "cal:calendar-multiget",
                    "d:getetag cal:calendar-data",
                    &format!("<d:href>{one}</d:href>"),
                )
                .with("depth", "1")
                .has("SUMMARY:One"),
                step("DELETE", &one, 204),
                step("DELETE", &one, 404),
            ],
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn tasks_org() {
    on_every_engine(async |server: &Server| {
        let home = "d:resourcetype d:displayname cal:supported-calendar-component-set cs:getctag ical:calendar-color d:sync-token \
            d:share-access d:invite oc:owner-principal oc:invite d:current-user-privilege-set d:current-user-principal \
            org:x-calendar-icon";
        let made = "<d:set><d:prop><d:resourcetype><d:collection/><cal:calendar/></d:resourcetype>\
            <d:displayname>Tasks</d:displayname><ical:calendar-color>#00FF00</ical:calendar-color>\
            <cal:supported-calendar-component-set><cal:comp name='VTODO'/></cal:supported-calendar-component-set></d:prop></d:set>";
        let icon = "<d:set><d:prop><org:x-calendar-icon>home</org:x-calendar-icon></d:prop></d:set>";
        let list = format!("{HOME}2b4d/");
        let task = format!("{list}task.ics");
        play(&alice(server, "org.tasks/140400 (okhttp3) Android/16"), [
            propfind("/remote.php/dav/", "0", "d:current-user-principal").has("principals/users/alice/").tells("dav", "calendar-access"),
            propfind(PRINCIPAL, "0", "cal:calendar-home-set").has("<d:href>/remote.php/dav/calendars/alice/</d:href>"),
            step("MKCOL", &list, 201).xml("d:mkcol", made),
            propfind(HOME, "1", home).has("<d:displayname>Tasks</d:displayname>").has("<cal:comp name=\"VTODO\"/></cal:supported-calendar-component-set>")
                .lacks("<d:displayname/>").tells("dav", "calendar-access"),
            step("PROPPATCH", &list, 207).xml("d:propertyupdate", icon).has("200 OK"),
            propfind(&list, "0", "org:x-calendar-icon").has(">home</"),
            put(&task, TASK, 201),
            report(&list, "cal:calendar-query", "d:getetag", &comp_filter("VTODO", "")).with("depth", "1").has("task.ics"),
            report(&list, "cal:calendar-multiget", "d:getetag cal:calendar-data", &format!("<d:href>{task}</d:href>")).has("SUMMARY:Task"),
            put(&task, &TASK.replace("Task", "Done"), 204),
            step("DELETE", &task, 204),
        ])
        .await;
        // The probe for dead properties goes to the principal; refused is fine, a failure is not.
        let probe = format!("<d:propertyupdate xmlns:d='DAV:' xmlns:org='http://org.tasks/ns/'>{icon}</d:propertyupdate>");
        let answer = alice(server, "org.tasks").request("PROPPATCH", PRINCIPAL).body(probe).await;
        assert!([207, 403, 405].contains(&answer.status.as_u16()), "{}", answer.status);
    })
    .await;
}

#[tokio::test]
async fn outlook_caldav_synchronizer() {
    on_every_engine(async |server: &Server| {
        let calendar = format!("{HOME}personal/");
        let one = format!("{calendar}one.ics");
        let range = comp_filter("VEVENT", "<cal:time-range start='20270101T000000Z' end='20270201T000000Z'/>");
        let people = "<d:property-search><d:prop><d:displayname/></d:prop><d:match match-type='equals'>nobody</d:match>\
            </d:property-search><d:prop><d:displayname/></d:prop>";
        let looks = "<d:set><d:prop><d:displayname>Made in two steps</d:displayname></d:prop></d:set>";
        let bare = |status| put(&one, &ONE.replace("One", "Two"), status);
        play(
            &alice(server, "CalDavSynchronizer/4.6"),
            [
                step("OPTIONS", &calendar, 200).tells("dav", "calendar-access"),
                propfind(&calendar, "0", "d:supported-report-set d:resource-id").has("<cal:calendar-query/>"),
                propfind(HOME, "1", "d:resourcetype d:displayname").has("<cal:calendar/>"),
                put(&one, ONE, 201).with("if-none-match", "*"),
                report(&calendar, "cal:calendar-query", "d:getetag", &range).with("depth", "1").has("one.ics"),
                report(
                    &calendar,
                    "cal:calendar-multiget",
                    "d:getetag d:displayname cal:calendar-data",
                    &format!("<d:href>{one}</d:href>"),
                )
                .has("SUMMARY:One"),
                bare(204).with("if-match", "{etag}"),
                bare(412).with("if-match", "unquoted"),
                step("REPORT", "/remote.php/dav/principals/users/", 207)
                    .with("depth", "0")
                    .xml("d:principal-property-search", people)
                    .lacks("<d:href>"),
                step("PROPPATCH", &calendar, 207).xml("d:propertyupdate", looks).has("200 OK"),
            ],
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_fold_that_cuts_a_character_is_kept_and_told_without_the_cut() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        alice.request("MKCALENDAR", CALENDAR).await.expect(201);
        let (before, after) = ONE.split_once("One\r\n").expect("a summary");
        let cut = [before.as_bytes(), b"Caf\xc3\r\n \xa9\r\n", after.as_bytes()].concat();
        alice.request("PUT", EVENT).header("content-type", "text/calendar").body(cut.clone()).await.expect(201);
        assert_eq!(alice.request("GET", EVENT).await.body, cut);
        let multiget =
            report(CALENDAR, "cal:calendar-multiget", "cal:calendar-data", &format!("<d:href>{EVENT}</d:href>"));
        let query = report(CALENDAR, "cal:calendar-query", "cal:calendar-data", &comp_filter("VEVENT", ""));
        let told = "SUMMARY:Caf\u{e9}&#13;\nEND:VEVENT";
        play(&alice, [multiget.with("depth", "1").has(told), query.with("depth", "1").has(told)]).await;
    })
    .await;
}
