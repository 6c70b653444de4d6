//! What a space looks like, told where clients look.

use nichoir_store::{Sitter, SpaceUpdate, ThemeUpdate};

use crate::support::{Server, on_every_engine};

const PNG: &[u8] = b"\x89PNG\x0d\x0a\x1a\x0a\0\0\0\x0dIHDR\0\0\0\x02\0\0\0\x02\x08\x02\0\0\0\xfd\xd4\x9as\0\0\0\x16IDATx\x9cc<!'\xc7\xc0\xc0\xc0\xc4\xc0\xc0\xc0\xc0\xc0\0\0\x0d\x04\x01\x08}q\xcaf\0\0\0\0IEND\xaeB`\x82";

async fn set(server: &Server, theme: ThemeUpdate) {
    let name = &server.space.info().name;
    let update = SpaceUpdate { theme, ..SpaceUpdate::default() };
    server.app.store().update_space(name, update).await.expect("a space to be seen");
}

#[tokio::test]
async fn a_space_without_looks_has_those_of_the_server() {
    on_every_engine(async |server| {
        let anonymous = server.anonymous();
        let path = "/ocs/v2.php/cloud/capabilities?format=json";
        let told = anonymous.request("GET", path).await.expect(200).json();
        let theming = &told["ocs"]["data"]["capabilities"]["theming"];
        assert_eq!(theming["name"], server.space.info().name.as_str());
        assert_eq!((&theming["color"], &theming["color-text"]), (&"#2f6f4f".into(), &"#ffffff".into()));
        assert_eq!((&theming["background-default"], &theming["background-plain"]), (&true.into(), &true.into()));
        let logo = theming["logo"].as_str().expect("an address");
        let logo = logo.strip_prefix(&format!("http://{}", server.host())).expect("the space's own address");
        let shown = anonymous.request("GET", logo).await.expect(200);
        assert_eq!(shown.header("content-type"), "image/png");
        anonymous.request("GET", logo).header("if-none-match", shown.etag()).await.expect(304);
        anonymous.request("GET", "/index.php/apps/theming/image/logo").await.expect(404);
        anonymous.request("GET", "/index.php/apps/theming/image/background").await.expect(404);
        anonymous.request("GET", "/index.php/apps/theming/theme/../x.css").await.expect(404);
        let product = anonymous.request("GET", "/status.php").await.expect(200).json();
        assert_eq!(product["productname"], "Nichoir");
    })
    .await;
}

#[tokio::test]
async fn title_slogan_colour_and_logo_are_told_everywhere() {
    on_every_engine(async |server| {
        let logo = server.space.set_picture(Sitter::Space, Some(PNG.into())).await.expect("a logo");
        let theme = ThemeUpdate {
            title: Some("Les Amis du Bois".to_owned()),
            slogan: Some("Ensemble".to_owned()),
            colour: Some("#ffee88".to_owned()),
            logo: Some(logo),
        };
        set(server, theme).await;
        let anonymous = server.anonymous();
        let told = anonymous.request("GET", "/ocs/v1.php/cloud/capabilities?format=json").await.expect(200).json();
        let theming = &told["ocs"]["data"]["capabilities"]["theming"];
        assert_eq!((&theming["name"], &theming["slogan"]), (&"Les Amis du Bois".into(), &"Ensemble".into()));
        // Dark letters on a bright ground, and a darker tone where it is to be seen on white.
        assert_eq!((&theming["color"], &theming["color-text"]), (&"#ffee88".into(), &"#000000".into()));
        assert_ne!(theming["color-element"], "#ffee88");
        assert_eq!(theming["background-default"], false);
        let shown = anonymous.request("GET", "/index.php/apps/theming/image/logo").await.expect(200);
        assert_eq!((shown.header("content-type"), shown.body.as_slice()), ("image/png", PNG));
        for path in ["/index.php/apps/theming/favicon", "/apps/theming/icon/files", "/favicon.ico"] {
            let icon = anonymous.request("GET", path).await.expect(200);
            assert!(icon.body.starts_with(b"\x89PNG"), "{path}");
        }
        let manifest = anonymous.request("GET", "/index.php/apps/theming/manifest/files").await.expect(200).json();
        assert_eq!((&manifest["name"], &manifest["theme_color"]), (&"Les Amis du Bois".into(), &"#ffee88".into()));
        let style = anonymous.request("GET", "/apps/theming/theme/light.css").await.expect(200).text();
        assert!(style.contains("--color-primary:#ffee88"), "{style}");
        let product = anonymous.request("GET", "/status.php").await.expect(200).json();
        assert_eq!(product["productname"], "Les Amis du Bois");
        anonymous.with("host", &server.other_host()).request("GET", "/apps/theming/image/logo").await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn the_desktop_client_finds_no_shortcuts_and_asks_by_tag() {
    on_every_engine(async |server| {
        let alice = server.account("alice");
        let path = "/ocs/v2.php/core/navigation/apps?absolute=true&format=json";
        let told = alice.request("GET", path).await.expect(200);
        assert_eq!(told.json()["ocs"]["data"], serde_json::json!([]));
        let again = alice.request("GET", path).header("if-none-match", told.etag()).await.expect(304);
        assert!(again.body.is_empty());
    })
    .await;
}
