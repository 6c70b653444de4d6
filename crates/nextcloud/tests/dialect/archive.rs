//! Folders as archives, read back the way an unpacking program does.

use crate::support::Server;

/// The names and contents that the central directory leads to.
fn unpack(archive: &[u8]) -> Vec<(String, String)> {
    let number = |at: usize, bytes: usize| {
        archive[at..at + bytes].iter().rev().fold(0_usize, |number, byte| number << 8 | usize::from(*byte))
    };
    let end = archive.len() - 22;
    assert_eq!(number(end, 4), 0x0605_4b50, "the end of the central directory");
    assert_eq!(number(end - 20, 4), 0x0706_4b50, "the ZIP64 locator");
    let end64 = number(end - 12, 8);
    assert_eq!(number(end64, 4), 0x0606_4b50, "the ZIP64 end");
    let (count, size, mut at) = (number(end64 + 32, 8), number(end64 + 40, 8), number(end64 + 48, 8));
    assert_eq!(at + size, end64);
    let mut members = Vec::new();
    for _ in 0..count {
        assert_eq!(number(at, 4), 0x0201_4b50, "a central header");
        let (crc, name_length, extra_length) = (number(at + 16, 4), number(at + 28, 2), number(at + 30, 2));
        let name = std::str::from_utf8(&archive[at + 46..at + 46 + name_length]).unwrap().to_owned();
        let extra = at + 46 + name_length;
        assert_eq!((number(extra, 2), number(extra + 2, 2)), (1, 24), "the ZIP64 field");
        let (length, local) = (number(extra + 4, 8), number(extra + 20, 8));
        assert_eq!(number(local, 4), 0x0403_4b50, "a local header");
        let data = local + 30 + number(local + 26, 2) + number(local + 28, 2);
        let content = &archive[data..data + length];
        assert_eq!(number(data + length, 4), 0x0807_4b50, "a data descriptor");
        assert_eq!(crc32fast::hash(content) as usize, crc);
        assert_eq!((number(data + length + 4, 4), number(data + length + 8, 8)), (crc, length));
        members.push((name, String::from_utf8(content.to_vec()).unwrap()));
        at = extra + extra_length;
    }
    members
}

async fn tree() -> Server {
    let server = Server::start().await;
    for folder in ["/dir", "/dir/empty", "/dir/%C3%A9t%C3%A9"] {
        server.files("MKCOL", folder, "", "").await.expect(201);
    }
    // More members than a page holds.
    for name in ["a", "b", "c", "d", "e", "f", "g"] {
        server.put(&format!("/dir/{name}.txt"), name.to_owned().leak()).await.expect(201);
    }
    server.files("PUT", "/dir/%C3%A9t%C3%A9/large", "", "x".repeat(70_000)).await.expect(201);
    server.put("/dir/none", "").await.expect(201);
    server
}

#[tokio::test]
async fn a_folder_comes_as_an_archive_with_all_that_is_below() {
    let server = tree().await;

    let answer = server.files("GET", "/dir/?accept=zip", "", "").await.expect(200);

    assert_eq!(answer.header("content-type"), "application/zip");
    assert_eq!(answer.header("content-disposition"), "attachment; filename*=UTF-8''dir.zip; filename=\"dir.zip\"");
    let mut members = unpack(&answer.body);
    members.sort();
    let names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "dir/",
            "dir/a.txt",
            "dir/b.txt",
            "dir/c.txt",
            "dir/d.txt",
            "dir/e.txt",
            "dir/empty/",
            "dir/f.txt",
            "dir/g.txt",
            "dir/none",
            "dir/été/",
            "dir/été/large",
        ]
    );
    assert_eq!(members[1].1, "a");
    assert_eq!(members[11].1.len(), 70_000);
    if let Some(directory) = std::env::var_os("KEEP_ARCHIVE") {
        std::fs::write(std::path::Path::new(&directory).join("dir.zip"), &answer.body).unwrap();
    }
}

#[tokio::test]
async fn a_selection_stands_at_the_top() {
    let server = tree().await;
    let query = "?accept=zip&files=%5B%22a.txt%22%2C%22empty%22%2C%22a.txt%22%5D";
    let answer = server.files("GET", &format!("/dir{query}"), "", "").await.expect(200);
    let names: Vec<String> = unpack(&answer.body).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["a.txt", "empty/"]);
    let missing = server.files("GET", "/dir?accept=zip&files=nothing", "", "").await.expect(404);
    missing.has("Sabre\\DAV\\Exception\\NotFound");
    server.files("GET", "/dir?accept=zip&files=%5B%22..%2Fdir%22%5D", "", "").await.expect(400);
}

#[tokio::test]
async fn the_root_is_called_download_and_a_plain_get_of_a_folder_is_empty() {
    let server = tree().await;
    let answer = server.files("GET", "/", "Accept: application/zip", "").await.expect(200);
    assert!(answer.header("content-disposition").contains("download.zip"));
    let members = unpack(&answer.body);
    assert_eq!(members[0].0, "dir/");
    assert_eq!(members.len(), 12);
    assert_eq!(server.get("/dir/").await, "");
    assert_eq!(server.files("HEAD", "/dir/?accept=zip", "", "").await.expect(200).body, b"");
}
