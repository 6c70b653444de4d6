//! Which routes there are, read from the source: the variants of the enums that paths are sorted into, the methods of the engine,
//! and the arms of every table over (method, path). What looks like a part of a table and cannot be read fails the test, so that
//! no route is missed for being written in another way.

use std::path::Path;

use regex::{Captures, Regex};

/// The enums: where, and which.
const ENUMS: &[(&str, &str)] =
    &[("src/route.rs", "Route"), ("src/route.rs", "DavRoute"), ("crates/nextcloud/src/image.rs", "Image")];

/// Where the tables hang that no other table leads to: their file, their function, and the path in front of theirs.
const ROOTS: &[(&str, &str, &str)] = &[
    ("ocs/mod.rs", "handle", ""),
    ("ocs/mod.rs", "route", ""),
    ("notes/mod.rs", "route", "apps/notes/api/v1"),
    ("office/mod.rs", "handle", "apps/richdocuments"),
    ("login_flow.rs", "handle", "login"),
    ("link/page.rs", "answer", "s/token"),
];

/// A segment of a path: the words that it may be, none for any word.
type Segment = Vec<String>;

/// One arm of a table.
#[derive(Debug)]
pub(super) struct Arm {
    methods: Vec<String>,
    segments: Vec<Segment>,
}

impl Arm {
    /// Whether a request of this method to this path, without what stands before the tables, ends up here.
    pub(super) fn takes(&self, method: &str, path: &str) -> bool {
        let given: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let is_alike = |(known, given): (&Segment, &&str)| known.is_empty() || known.iter().any(|word| word == given);
        (self.methods.is_empty() || self.methods.iter().any(|known| known == method))
            && self.segments.len() == given.len()
            && self.segments.iter().zip(&given).all(is_alike)
    }

    /// As a person writes it.
    pub(super) fn shown(&self) -> String {
        let word = |segment: &Segment| if segment.is_empty() { "…".to_owned() } else { segment.join("|") };
        let path: Vec<String> = self.segments.iter().map(word).collect();
        format!("{} /{}", self.methods.join("|"), path.join("/"))
    }
}

/// A function with a table in it.
struct Table {
    file: String,
    function: String,
    arms: Vec<RawArm>,
}

struct RawArm {
    methods: Vec<String>,
    segments: Vec<Segment>,
    /// The function that the rest of the path is handed to.
    hands_to: Option<String>,
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// `Route::Landing` and so on.
pub(super) fn variants() -> Vec<String> {
    let variant = Regex::new(r"(?m)^    ([A-Z]\w+)(?:\(.*\))?,$").expect("a pattern");
    let of_enum = |(file, name): &(&str, &str)| {
        let code = read(&root().join(file));
        let start = code.find(&format!("enum {name} {{")).expect("the enum");
        let body = &code[start..start + code[start..].find("\n}").expect("its end")];
        let names: Vec<String> = variant.captures_iter(body).map(|it| format!("{name}::{}", &it[1])).collect();
        assert!(names.len() > 5, "{name} is read");
        names
    };
    ENUMS.iter().flat_map(of_enum).collect()
}

/// The methods that the engine answers on files.
pub(super) fn engine_methods() -> Vec<String> {
    let code = read(&root().join("crates/dav/src/method/mod.rs"));
    let start = code.find("match parts.method.as_str() {").expect("the table of methods");
    let table = &code[start..start + code[start..].find("\n    }").expect("its end")];
    let head = Regex::new(r#"(?m)^        ("[A-Z" |]+)(?: if [^=]*)? =>"#).expect("a pattern");
    let word = Regex::new("[A-Z]+").expect("a pattern");
    let mut found: Vec<String> = head
        .captures_iter(table)
        .flat_map(|it| {
            word.find_iter(it.get(1).map_or("", |it| it.as_str())).map(|it| it.as_str().to_owned()).collect::<Vec<_>>()
        })
        .filter(|method| method != "POST")
        .collect();
    found.dedup();
    assert!(found.len() > 10, "{found:?}");
    found
}

/// The arms of all tables, each with its whole path, in the order in which they are tried.
pub(super) fn arms() -> Vec<Arm> {
    let tables = tables();
    let mut found = Vec::new();
    let mut reached = Vec::new();
    let mut waiting: Vec<(String, String, Vec<Segment>)> = ROOTS
        .iter()
        .rev()
        .map(|(file, function, path)| {
            let segments = path.split('/').filter(|part| !part.is_empty());
            let segment = |part: &str| if part == "token" { Vec::new() } else { vec![part.to_owned()] };
            ((*file).to_owned(), (*function).to_owned(), segments.map(segment).collect())
        })
        .collect();
    while let Some((file, function, before)) = waiting.pop() {
        let own: Vec<&Table> = tables.iter().filter(|it| it.file == file && it.function == function).collect();
        assert!(!own.is_empty(), "there is no table in {function} of {file}");
        reached.push((file.clone(), function));
        for raw in own.iter().flat_map(|table| &table.arms) {
            let segments: Vec<Segment> = before.iter().chain(&raw.segments).cloned().collect();
            match &raw.hands_to {
                Some(target) => waiting.push((file_of(&file, target, &tables), last(target).to_owned(), segments)),
                None => found.push(Arm { methods: raw.methods.clone(), segments }),
            }
        }
    }
    let lost = tables.iter().filter(|it| !reached.contains(&(it.file.clone(), it.function.clone())));
    let lost: Vec<String> = lost.map(|it| format!("{} of {}", it.function, it.file)).collect();
    assert!(lost.is_empty(), "tables that hang nowhere: {lost:?}");
    found
}

fn last(target: &str) -> &str {
    target.rsplit("::").next().unwrap_or(target)
}

/// The file of `module::function` as `file` names it.
fn file_of(file: &str, target: &str, tables: &[Table]) -> String {
    let Some((module, function)) = target.split_once("::") else { return file.to_owned() };
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let candidates = [format!("{folder}/{module}.rs"), format!("{folder}/{module}/mod.rs")];
    let found = tables.iter().find(|it| candidates.contains(&it.file) && it.function == function);
    found.unwrap_or_else(|| panic!("{target}, which {file} hands to, has no table")).file.clone()
}

/// The tables of the dialect: each `match` over a method and the parts of a path.
fn tables() -> Vec<Table> {
    let folder = root().join("crates/nextcloud/src");
    let head = Regex::new(
        r"(?m)^ +(?:match \((?:&?(?:\w+\.)*method(?:\(\)|\.clone\(\))?), &?(?:parts|below|rest)(?:\[\.\.\])?\)|if let \(\[[^\n]*) \{$",
    )
    .expect("a pattern");
    let function = Regex::new(r"(?m)^ *(?:pub(?:\([^)]*\))? )?(?:async )?fn (\w+)").expect("a pattern");
    let mut found = Vec::new();
    for path in files_below(&folder) {
        let code = read(&path);
        let code = code.split("#[cfg(test)]").next().unwrap_or_default();
        let file = path.strip_prefix(&folder).expect("below").display().to_string();
        for it in head.find_iter(code) {
            let name = function.captures_iter(&code[..it.start()]).last().expect("a function")[1].to_owned();
            let indent = it.as_str().len() - it.as_str().trim_start().len();
            let end = format!("\n{}}}", " ".repeat(indent));
            let body = &code[it.start()..it.start() + code[it.start()..].find(&end).expect("the end of a table")];
            let arms = match body.trim_start().starts_with("if let") {
                true => alone(body),
                false => arms_of(body, indent + 4, &format!("{name} of {file}")),
            };
            found.push(Table { file: file.clone(), function: name, arms });
        }
        let takers = code.matches("parts: &[&str]) -> Answer").count();
        let own = found.iter().filter(|table| table.file == file && !table.arms.is_empty()).count();
        assert!(takers <= own, "{file} takes paths apart in a way that is not read");
    }
    found
}

fn files_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for file in std::fs::read_dir(folder).expect("a readable folder") {
        let path = file.expect("a readable folder").path();
        match path.is_dir() {
            true => found.extend(files_below(&path)),
            false if path.extension().is_some_and(|extension| extension == "rs") => found.push(path),
            false => {}
        }
    }
    found.sort();
    found
}

/// `if let (["cloud", "capabilities"], &Method::GET) = …`: one arm, tried before a table.
fn alone(body: &str) -> Vec<RawArm> {
    let one = Regex::new(r"if let \((\[[^\]]*\]), &Method::([A-Z]+)\)").expect("a pattern");
    let it = one.captures(body).unwrap_or_else(|| panic!("cannot be read: {body}"));
    vec![RawArm { methods: vec![it[2].to_owned()], segments: segments_of(&it[1]), hands_to: None }]
}

/// The arms of a table, whose heads stand that far to the right.
fn arms_of(body: &str, indent: usize, place: &str) -> Vec<RawArm> {
    let left = " ".repeat(indent);
    let whole =
        Regex::new(&format!(r"(?ms)^{left}\(([^\[]*?),\s*(\[.*?\]),?\s*\)(?: if [^\n]*?)? =>\s*(?:\{{\s*)?([\w:]+)"));
    let whole = whole.expect("a pattern");
    let heads = body
        .lines()
        .filter(|line| line.strip_prefix(&left).is_some_and(|rest| rest.starts_with('(') && !rest.contains(", _) =>")))
        .count();
    let read: Vec<Captures<'_>> = whole.captures_iter(body).collect();
    assert_eq!(read.len(), heads, "arms of {place} that cannot be read");
    let method = Regex::new(r"Method::([A-Z]+)").expect("a pattern");
    let mut found = Vec::new();
    for it in read {
        let mut methods: Vec<String> = method.captures_iter(&it[1]).map(|it| it[1].to_owned()).collect();
        methods.retain(|method| method != "HEAD");
        for pattern in it[2].split("] | [") {
            let goes_on = pattern.contains("@ ..");
            let hands_to = (goes_on && methods.is_empty()).then(|| it[3].to_owned());
            found.push(RawArm { methods: methods.clone(), segments: segments_of(pattern), hands_to });
        }
    }
    found
}

/// `["apps", "a" | "b", id, rest @ ..]`; what goes on may as well end there.
fn segments_of(pattern: &str) -> Vec<Segment> {
    let parts = pattern.trim_matches(['[', ']', ' ', '\n']).split(',').map(str::trim);
    let parts = parts.filter(|part| !part.is_empty() && !part.contains("@ .."));
    parts
        .map(|part| match part.contains('"') {
            true => part.split('|').map(|word| word.trim().trim_matches('"').to_owned()).collect(),
            false => Vec::new(),
        })
        .collect()
}
