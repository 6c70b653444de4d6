//! Avatars as the apps ask for them, and what they may not tell.

use std::io::Cursor;

use crate::support::{Answer, on_every_engine, on_every_engine_with};

fn size_of(answer: &Answer) -> (u32, u32) {
    let shown = image::load_from_memory_with_format(&answer.body, image::ImageFormat::Png).expect("a PNG");
    (shown.width(), shown.height())
}

/// A form with a red picture of 40 to 20 in it, as browsers send it.
fn form() -> Vec<u8> {
    let mut picture = Cursor::new(Vec::new());
    let red = image::RgbImage::from_pixel(40, 20, image::Rgb([250, 0, 0]));
    red.write_to(&mut picture, image::ImageFormat::Jpeg).expect("a picture");
    let head = b"--B\r\nContent-Disposition: form-data; name=\"files[]\"; filename=\"me.jpg\"\r\n\r\n";
    [head, &picture.into_inner()[..], b"\r\n--B--\r\n"].concat()
}

#[tokio::test]
async fn members_have_initials_and_strangers_learn_nothing() {
    on_every_engine(async |server| {
        let (alice, stranger) = (server.account("alice"), server.anonymous());
        let own = alice.request("GET", "/index.php/avatar/alice/64").await.expect(200);
        assert_eq!((own.header("content-type"), own.header("x-nc-iscustomavatar")), ("image/png", "0"));
        assert_eq!(size_of(&own), (64, 64));
        alice.request("GET", "/index.php/avatar/alice/64").header("if-none-match", own.etag()).await.expect(304);
        let large = alice.request("GET", "/avatar/bob/384").await.expect(200);
        assert_eq!(size_of(&large), (512, 512));
        let dark = alice.request("GET", "/index.php/avatar/bob/512/dark").await.expect(200);
        assert_ne!(dark.body, large.body);
        let missing = alice.request("GET", "/index.php/avatar/nobody/64").await.expect(404);
        assert_eq!(missing.text(), "[]");
        let mail = format!("/index.php/avatar/alice@{}/64", server.host());
        alice.request("GET", &mail).await.expect(404);
        alice.request("GET", "/index.php/avatar/guest/Some%20Body/64").await.expect(200);

        let member = stranger.request("GET", "/index.php/avatar/bob/64").await.expect(200);
        let nobody = stranger.request("GET", "/index.php/avatar/bab/64").await.expect(200);
        assert_eq!(member.header("x-nc-iscustomavatar"), nobody.header("x-nc-iscustomavatar"));
        stranger.as_login("alice", "wrong").request("GET", "/index.php/avatar/alice/64").await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn the_desktop_client_gets_its_avatar_by_dav() {
    on_every_engine(async |server| {
        let alice = server.account("alice");
        let shown = alice.request("GET", "/remote.php/dav/avatars/alice/128.png").await.expect(200);
        assert_eq!((size_of(&shown), shown.header("content-type")), ((128, 128), "image/png"));
        alice.request("GET", "/remote.php/dav/avatars/bob/1024.png").await.expect(200);
        for (path, status) in [
            ("nobody/128.png", 404),
            ("alice/0.png", 404),
            ("alice/1025.png", 404),
            ("alice/x.png", 404),
            ("alice/128", 404),
            ("alice/128.svg", 405),
        ] {
            alice.request("GET", &format!("/remote.php/dav/avatars/{path}")).await.expect(status);
        }
        server.anonymous().request("GET", "/remote.php/dav/avatars/alice/128.png").await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn a_member_sets_her_picture_and_takes_it_away() {
    on_every_engine(async |server| {
        let (alice, bob) = (server.account("alice"), server.account("bob"));
        let before = bob.request("GET", "/index.php/avatar/alice/64").await.expect(200);
        let post = alice.request("POST", "/index.php/avatar/").body(form());
        let set = post.header("content-type", "multipart/form-data; boundary=B").await.expect(200);
        assert_eq!(set.json()["status"], "success");
        let after = bob.request("GET", "/index.php/avatar/alice/64").await.expect(200);
        assert_eq!(after.header("x-nc-iscustomavatar"), "1");
        assert_ne!(after.etag(), before.etag());
        assert_eq!(size_of(&after), (64, 64));
        let red = image::load_from_memory(&after.body).expect("a picture").into_rgb8().get_pixel(32, 32).0;
        assert!(red[0] > 200 && red[2] < 50, "{red:?}");
        assert_eq!(size_of(&bob.request("GET", "/remote.php/dav/avatars/alice/96.png").await.expect(200)), (96, 96));
        let stranger = server.anonymous().request("GET", "/index.php/avatar/alice/64").await.expect(200);
        assert_eq!(stranger.header("x-nc-iscustomavatar"), "0");
        alice.request("DELETE", "/index.php/avatar/").await.expect(200);
        let gone = bob.request("GET", "/index.php/avatar/alice/64").await.expect(200);
        assert_eq!(gone.etag(), before.etag());
    })
    .await;
}

#[tokio::test]
async fn what_is_no_picture_changes_nothing() {
    on_every_engine_with(
        |config| config.previews.avatar_bytes_max = 2_000,
        async |server| {
            let alice = server.account("alice");
            let post = |body: Vec<u8>| {
                let call = alice.request("POST", "/index.php/avatar/").body(body);
                call.header("content-type", "multipart/form-data; boundary=B")
            };
            post(b"--B\r\nname=x; filename=y\r\n\r\ntext\r\n--B--".to_vec()).await.expect(400);
            post(b"--B--".to_vec()).await.expect(400);
            post(vec![0; 2_001]).await.expect(413);
            server.anonymous().request("POST", "/index.php/avatar/").body(form()).await.expect(401);
            server.anonymous().request("DELETE", "/index.php/avatar/").await.expect(401);
            alice.request("PUT", "/index.php/avatar/").await.expect(405);
            alice.request("POST", "/index.php/avatar/bob/64").body(form()).await.expect(405);
            let kept = alice.request("GET", "/index.php/avatar/alice/64").await.expect(200);
            assert_eq!(kept.header("x-nc-iscustomavatar"), "0");
        },
    )
    .await;
}
