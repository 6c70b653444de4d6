//! External tools, as far as the machine has them.

use super::*;

fn limits(tool_seconds: u64) -> ToolLimits {
    ToolLimits { tool_seconds, ..ToolLimits::default() }
}

fn is_there(program: &str) -> bool {
    let found = Path::new(program).exists() && Path::new("/usr/bin/prlimit").exists();
    if !found {
        eprintln!("skipped: {program} is not there");
    }
    found
}

fn is_empty(directory: &Path) -> bool {
    std::fs::read_dir(directory).unwrap().next().is_none()
}

const PDF: &[u8] =
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj \
3 0 obj<</Type/Page/MediaBox[0 0 200 100]/Parent 2 0 R/Contents 4 0 R>>endobj \
4 0 obj<</Length 29>>stream\n1 0 0 rg 0 0 200 100 re f    \nendstream endobj\ntrailer<</Root 1 0 R>>";

#[tokio::test]
async fn the_first_page_of_a_pdf_becomes_a_picture() {
    if !is_there("/usr/bin/pdftoppm") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let tool = Tool::pdftoppm("/usr/bin/pdftoppm".into(), directory.path().to_owned(), limits(20));
    let picture = tool.run(&Bytes::from_static(PDF)).await.unwrap();
    let picture = image::load_from_memory(&picture).unwrap().into_rgb8();
    assert_eq!(picture.dimensions(), (1024, 512));
    assert_eq!(picture.get_pixel(500, 250).0, [255, 0, 0]);
    assert!(tool.run(&Bytes::from_static(b"no PDF")).await.unwrap_err().is_final());
    assert!(is_empty(directory.path()));
}

#[tokio::test]
async fn a_tool_that_hangs_is_ended() {
    if !is_there("/bin/sleep") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let tool = Tool {
        program: "/bin/sleep".into(),
        arguments: &["60"],
        trailing: &[],
        directory: directory.path().to_owned(),
        limits: limits(1),
    };
    // sleep takes the name of the file for a time and complains; tail follows it for ever.
    let tail = Tool { program: "/usr/bin/tail".into(), arguments: &["-f"], ..tool.clone() };
    assert!(tool.run(&Bytes::from_static(b"x")).await.is_err());
    assert!(tail.run(&Bytes::from_static(b"x")).await.unwrap_err().to_string().contains("too long"));
    assert!(is_empty(directory.path()));
}

#[tokio::test]
async fn a_tool_that_writes_or_takes_too_much_is_ended() {
    if !is_there("/bin/cat") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let small = ToolLimits { tool_output_bytes_max: 10, ..limits(20) };
    let cat = |limits| Tool {
        program: "/bin/cat".into(),
        arguments: &[],
        trailing: &[],
        directory: directory.path().into(),
        limits,
    };
    assert_eq!(cat(small.clone()).run(&Bytes::from_static(b"0123456789")).await.unwrap(), "0123456789");
    assert!(matches!(cat(small).run(&Bytes::from_static(b"01234567890")).await, Err(Failure::TooLarge)));
    let starved = ToolLimits { tool_memory_bytes_max: 100_000, ..limits(20) };
    assert!(cat(starved).run(&Bytes::from_static(b"x")).await.is_err());
    let absent = Tool { program: "/nowhere/tool".into(), ..cat(limits(20)) };
    assert!(absent.run(&Bytes::from_static(b"x")).await.is_err());
    assert!(is_empty(directory.path()));
}
