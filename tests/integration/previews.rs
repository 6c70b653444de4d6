//! Previews as the apps ask for them, and what they may not tell.

use std::io::Cursor;

use crate::support::{Answer, Client, on_every_engine, on_every_engine_with};

/// A picture of that size, red above and blue below.
fn picture(format: image::ImageFormat, width: u32, height: u32) -> Vec<u8> {
    let paint = |_, y| if y < height / 2 { image::Rgb([250, 0, 0]) } else { image::Rgb([0, 0, 250]) };
    let mut bytes = Cursor::new(Vec::new());
    image::RgbImage::from_fn(width, height, paint).write_to(&mut bytes, format).expect("a picture");
    bytes.into_inner()
}

fn jpeg() -> Vec<u8> {
    picture(image::ImageFormat::Jpeg, 800, 600)
}

fn size_of(answer: &Answer) -> (u32, u32) {
    let shown = image::load_from_memory(&answer.body).expect("a picture");
    (shown.width(), shown.height())
}

/// The number in an `OC-FileId`.
fn number(put: &Answer) -> String {
    put.header("oc-fileid")[..8].to_owned()
}

async fn has_preview(client: &Client, path: &str) -> String {
    let body = "<d:propfind xmlns:d=\"DAV:\"><d:prop><nc:has-preview xmlns:nc=\"http://nextcloud.org/ns\"/></d:prop></d:propfind>";
    let found = client.propfind(path, 0).body(body).await.expect(207).text();
    let (_, rest) = found.split_once("<nc:has-preview>").expect("the property");
    rest.split('<').next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn lists_grids_and_full_screens_get_their_pictures() {
    on_every_engine(async |server| {
        let alice = server.account("alice");
        let put = alice.put("/p.jpg", jpeg()).await.expect(201);
        let id = number(&put);
        // Android, iOS, the Explorer of Windows, macOS, and the recorded one.
        for (query, expected) in [
            (format!("fileId={id}&x=240&y=240&a=1&mode=cover&forceIcon=0"), (341, 256)),
            (format!("fileId={id}&x=512&y=512&a=1&mode=cover&forceIcon=0&mimeFallback=0&etag=abc"), (683, 512)),
            (format!("fileId={}&x=96&y=96&a=true", put.header("oc-fileid")), (128, 96)),
            (format!("fileId={id}&x=64&y=64&a=0&mode=cover&forceIcon=0"), (64, 64)),
            (format!("fileId={id}&x=4000&y=4000&a=1"), (800, 600)),
        ] {
            let shown = alice.request("GET", &format!("/index.php/core/preview?{query}")).await.expect(200);
            assert_eq!(size_of(&shown), expected, "{query}");
            assert_eq!(shown.header("content-type"), "image/jpeg");
            assert_eq!(shown.header("cache-control"), "private, max-age=86400, immutable");
            assert_eq!(shown.header("x-content-type-options"), "nosniff");
        }
        let by_path = alice.request("GET", "/core/preview.png?file=/p.jpg&x=32&y=32&a=1").await.expect(200);
        assert_eq!(size_of(&by_path), (64, 48));
        let older = alice.request("GET", "/index.php/apps/files/api/v1/thumbnail/256/256/p.jpg").await.expect(200);
        assert_eq!(size_of(&older), (256, 192));
        let head = alice.request("HEAD", &format!("/core/preview?fileId={id}&x=64&y=64")).await.expect(200);
        assert!(head.header("content-length").parse::<usize>().expect("a length") > 100);
    })
    .await;
}

#[tokio::test]
async fn a_preview_is_known_by_its_tag_until_the_file_changes() {
    on_every_engine(async |server| {
        let alice = server.account("alice");
        let id = number(&alice.put("/p.jpg", jpeg()).await.expect(201));
        let path = format!("/index.php/core/preview?fileId={id}&x=64&y=64&a=1");
        let first = alice.request("GET", &path).await.expect(200);
        let again = alice.request("GET", &path).header("if-none-match", first.etag()).await.expect(304);
        assert!(again.body.is_empty());
        assert_eq!(again.etag(), first.etag());
        let other_size = alice.request("GET", &path.replace("=64", "=256")).await.expect(200);
        assert_ne!(other_size.etag(), first.etag());

        alice.put("/p.jpg", picture(image::ImageFormat::Png, 300, 600)).await.expect(204);
        let changed = alice.request("GET", &path).header("if-none-match", first.etag()).await.expect(200);
        assert_eq!(size_of(&changed), (32, 64));
        alice.move_to("/p.jpg", "/q.jpg").await.expect(201);
        let moved = alice.request("GET", &path).header("if-none-match", changed.etag()).await.expect(304);
        assert_eq!(moved.etag(), changed.etag());
    })
    .await;
}

#[tokio::test]
async fn has_preview_is_true_where_there_can_be_one() {
    on_every_engine_with(
        |config| config.previews.source_bytes_max = 20_000,
        async |server| {
            let alice = server.account("alice");
            alice.mkcol("/folder.jpg").await.expect(201);
            alice.put("/large.png", vec![0; 20_001]).await.expect(201);
            for (name, body, expected) in [
                ("/p.jpg", jpeg(), "true"),
                ("/p.gif", picture(image::ImageFormat::Gif, 20, 20), "true"),
                ("/p.webp", picture(image::ImageFormat::WebP, 20, 20), "true"),
                ("/p.PNG", picture(image::ImageFormat::Png, 20, 20), "true"),
                ("/t.txt", b"Some text".to_vec(), "true"),
                ("/t.md", b"# A heading".to_vec(), "true"),
                ("/p.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec(), "false"),
                ("/p.pdf", b"%PDF-1.4".to_vec(), "false"),
                ("/v.mp4", b"video".to_vec(), "false"),
                ("/p.docx", b"text".to_vec(), "false"),
                ("/none", b"text".to_vec(), "false"),
                ("/empty.jpg", Vec::new(), "false"),
            ] {
                let id = number(&alice.put(name, body).await.expect(201));
                assert_eq!(has_preview(&alice, name).await, expected, "{name}");
                let status = if expected == "true" { 200 } else { 404 };
                let shown = alice.request("GET", &format!("/core/preview?fileId={id}&x=64&y=64&a=1&forceIcon=1"));
                let shown = shown.await.expect(status);
                if status == 404 {
                    assert_eq!(shown.text(), "[]");
                }
            }
            assert_eq!(has_preview(&alice, "/folder.jpg").await, "false");
            assert_eq!(has_preview(&alice, "/large.png").await, "false");
        },
    )
    .await;
}

#[tokio::test]
async fn where_previews_are_switched_off_there_are_none() {
    on_every_engine_with(
        |config| config.previews.is_offered = false,
        async |server| {
            let alice = server.account("alice");
            let id = number(&alice.put("/p.jpg", jpeg()).await.expect(201));
            assert_eq!(has_preview(&alice, "/p.jpg").await, "false");
            alice.request("GET", &format!("/core/preview?fileId={id}&x=64&y=64")).await.expect(404);
        },
    )
    .await;
}

#[tokio::test]
async fn what_is_no_picture_has_none_whatever_its_name() {
    on_every_engine(async |server| {
        let alice = server.account("alice");
        let bomb = b"GIF89a\x60\xea\x60\xea\0\0\0,\0\0\0\0\x60\xea\x60\xea\0\x02\x02\x44\x01\0;".to_vec();
        for (name, body) in [("/text.jpg", b"text".to_vec()), ("/cut.jpg", jpeg()[..300].to_vec()), ("/bomb.gif", bomb)]
        {
            let id = number(&alice.put(name, body).await.expect(201));
            for _ in 0..2 {
                let shown = alice.request("GET", &format!("/core/preview?fileId={id}&x=64&y=64")).await.expect(404);
                assert_eq!(shown.text(), "[]");
            }
        }
        for (query, status) in [
            ("", 400),
            ("fileId=1&x=0&y=64", 400),
            ("fileId=1&x=64&y=nothing", 400),
            ("fileId=99999999&x=64&y=64", 404),
            ("fileId=-1&x=64&y=64", 404),
            ("fileId=many&x=64&y=64", 404),
            ("file=/../etc/passwd&x=64&y=64", 404),
            ("file=%00&x=64&y=64", 404),
        ] {
            alice.request("GET", &format!("/index.php/core/preview?{query}")).await.expect(status);
        }
        alice.request("GET", "/apps/files/api/v1/thumbnail/0/64/x.jpg").await.expect(400);
        alice.request("GET", "/apps/files/api/v1/thumbnail/64").await.expect(404);
        alice.request("POST", "/core/preview?fileId=1&x=64&y=64").await.expect(405);
    })
    .await;
}

#[tokio::test]
async fn pictures_of_others_are_not_there() {
    on_every_engine(async |server| {
        let (alice, bob) = (server.account("alice"), server.account("bob"));
        let id = number(&alice.put("/p.jpg", jpeg()).await.expect(201));
        let path = format!("/index.php/core/preview?fileId={id}&x=64&y=64");
        alice.request("GET", &path).await.expect(200);
        // Neither by its number nor where it is kept by now.
        bob.request("GET", &path).await.expect(404);
        server.anonymous().request("GET", &path).await.expect(401);
        alice.with("host", &server.other_host()).request("GET", &path).await.expect(404);
        bob.request("GET", "/core/preview.png?file=/p.jpg&x=64&y=64").await.expect(404);
        bob.request("GET", "/apps/files/api/v1/thumbnail/64/64/p.jpg").await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn what_is_in_the_trash_is_shown_there_only() {
    on_every_engine(async |server| {
        let (alice, bob) = (server.account("alice"), server.account("bob"));
        let id = number(&alice.put("/p.jpg", jpeg()).await.expect(201));
        alice.delete("/p.jpg").await.expect(204);
        let trash = format!("/index.php/apps/files_trashbin/preview?fileId={id}&x=128&y=128");
        assert_eq!(size_of(&alice.request("GET", &trash).await.expect(200)), (128, 128));
        alice.request("GET", &format!("/core/preview?fileId={id}&x=64&y=64")).await.expect(404);
        bob.request("GET", &trash).await.expect(404);
        server.anonymous().request("GET", &trash).await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn earlier_states_have_previews_of_their_own() {
    on_every_engine(async |server| {
        let (alice, bob) = (server.account("alice"), server.account("bob"));
        let put = |body, second: &'static str| alice.put("/a%20b.jpg", body).header("x-oc-mtime", second);
        put(jpeg(), "1700000000").await.expect(201);
        server.clock.advance_seconds(1000);
        put(picture(image::ImageFormat::Jpeg, 300, 600), "1700001000").await.expect(204);
        let path = |second: &str| {
            format!("/index.php/apps/files_versions/preview?file=/a%20b.jpg&version={second}&x=64&y=64&a=1")
        };
        assert_eq!(size_of(&alice.request("GET", &path("1700000000")).await.expect(200)), (64, 48));
        assert_eq!(size_of(&alice.request("GET", &path("1700001000")).await.expect(200)), (32, 64));
        alice.request("GET", &path("1700000001")).await.expect(404);
        alice.request("GET", &path("now")).await.expect(404);
        bob.request("GET", &path("1700000000")).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn what_lies_in_a_deleted_folder_is_shown_too() {
    on_every_engine(async |server| {
        let alice = server.account("alice");
        alice.mkcol("/folder").await.expect(201);
        let id = number(&alice.put("/folder/p.jpg", jpeg()).await.expect(201));
        alice.delete("/folder").await.expect(204);
        let shown = alice.request("GET", &format!("/apps/files_trashbin/preview?fileId={id}&x=64&y=64&a=1"));
        assert_eq!(size_of(&shown.await.expect(200)), (64, 48));
    })
    .await;
}
