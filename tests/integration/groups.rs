//! Groups of accounts, as principals and as Nextcloud's clients see them.

use nichoir_xml::dav;

use crate::support::{Server, on_every_engine};

#[tokio::test]
async fn groups_are_principals_with_their_members() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        let group = server.space.create_group("Bureau d'été", "").await.unwrap();
        let account = server.space.account_by_login("alice").await.unwrap();
        server.space.add_to_group(group.id, account.id).await.unwrap();
        let href = "/remote.php/dav/principals/groups/Bureau%20d%27%c3%a9t%c3%a9/";
        let found = alice.properties(href, 0, &["d:displayname", "d:group-member-set"]).await;
        assert_eq!(found.elements(href, &dav::GROUP_MEMBER_SET).len(), 1);
        let all = alice.properties("/remote.php/dav/principals/groups/", 1, &["d:displayname"]).await;
        let above = "/remote.php/dav/principals/groups/";
        assert_eq!(all.hrefs(), [above, "/remote.php/dav/principals/groups/everyone/", href]);
        let own = "/remote.php/dav/principals/users/alice/";
        let found = alice.properties(own, 0, &["d:group-membership"]).await;
        assert_eq!(found.elements(own, &dav::GROUP_MEMBERSHIP).len(), 2);
        server.space.remove_from_group(group.id, account.id).await.unwrap();
        let found = alice.properties(href, 0, &["d:displayname", "d:group-member-set"]).await;
        assert!(found.elements(href, &dav::GROUP_MEMBER_SET).is_empty());
    })
    .await;
}
