//! What a link leads to, shown: a folder with its members, a file with a look into it, or a form for handing in.

use std::fmt::Write as _;

use futures_util::StreamExt as _;
use http::StatusCode;
use nichoir_dav::{Error, Response, media_type};
use nichoir_store::{FileId, Needs, Node, NodePath, Permissions};

use super::asks_nickname;
use super::html::{Language, escape, page, query_escape, size_text, time_element};
use super::page::{Look, after, sorry};
use crate::preview::has_preview;

/// The larger side of a picture on a page.
const SIDE_PIXELS: u32 = 1024;

/// The page at the address.
pub(super) async fn show(look: &Look<'_>) -> Response {
    match shown(look).await {
        Ok(response) => response,
        Err(error) => sorry(look.language, &error),
    }
}

async fn shown(look: &Look<'_>) -> Result<Response, Error> {
    let tree = &look.open.tree;
    let root = tree.node(&NodePath::root(), Needs::NONE).await?;
    if tree.only_adds() {
        let words = received(look) + &look.note() + &hand_in_form(look, &NodePath::root());
        return Ok(page(StatusCode::OK, look.language, &root.name, &words));
    }
    let path = look.path()?;
    let node = tree.node(&path, Needs::NONE).await?;
    let title = path.name().unwrap_or(&root.name).to_owned();
    let mut body = received(look);
    if path.is_root() {
        body += &look.note();
    } else {
        body += &way_to(look, &root, &path);
    }
    body += &match node.is_folder() {
        true => folder(look, &path, &node).await?,
        false => file(look, &path, &node).await?,
    };
    if path.is_root()
        && let Some(held) = &root.access
    {
        let by = look.language.say("Shared by", "Partagé par");
        let _ = writeln!(body, "<p>{by} {}</p>", escape(&held.owner_display_name));
    }
    Ok(page(StatusCode::OK, look.language, &title, &body))
}

/// What came in by the form that led here.
fn received(look: &Look<'_>) -> String {
    let Some(count) = look.parameter("received").and_then(|text| text.parse::<u32>().ok()) else {
        return String::new();
    };
    let words = match (look.language, count) {
        (Language::English, 0) => "No file was chosen.".to_owned(),
        (Language::English, 1) => "One file was received. Thank you.".to_owned(),
        (Language::English, count) => format!("{count} files were received. Thank you."),
        (Language::French, 0) => "Aucun fichier n'a été choisi.".to_owned(),
        (Language::French, 1) => "Un fichier a été reçu. Merci.".to_owned(),
        (Language::French, count) => format!("{count} fichiers ont été reçus. Merci."),
    };
    format!("<p class=\"done\" role=\"status\">{words}</p>\n")
}

/// The folders above, each a link.
fn way_to(look: &Look<'_>, root: &Node, path: &NodePath) -> String {
    let label = look.language.say("Folders above", "Dossiers parents");
    let mut html = format!("<nav aria-label=\"{label}\"><ol>");
    let mut at = NodePath::root();
    let mut name = root.name.as_str();
    for next in path.names() {
        let _ = write!(html, "<li><a href=\"{}\">{}</a></li>", escape(&look.page_of(&at)), escape(name));
        at = at.child(next);
        name = next;
    }
    let _ = writeln!(html, "<li aria-current=\"page\">{}</li></ol></nav>", escape(name));
    html
}

async fn folder(look: &Look<'_>, path: &NodePath, folder: &Node) -> Result<String, Error> {
    let language = look.language;
    let (mut members, next) = members(look, path, folder).await?;
    members.sort_by_cached_key(|node| (!node.is_folder(), node.name.to_lowercase()));
    let mut html = String::new();
    let offers_download = look.offers_download();
    if offers_download && !members.is_empty() {
        let address = look.address(&format!("/download?path={}", query_escape(&path.to_string())));
        let words = language.say("Download all (zip)", "Tout télécharger (zip)");
        let _ = writeln!(html, "<p><a class=\"button\" href=\"{}\">{words}</a></p>", escape(&address));
    }
    if members.is_empty() {
        let _ = writeln!(html, "<p>{}</p>", language.say("This folder is empty.", "Ce dossier est vide."));
    } else {
        html += &table(look, path, &members, offers_download);
    }
    if let Some(next) = next {
        let address = look.address(&format!("?path={}&after={next}", query_escape(&path.to_string())));
        let words = language.say("More files", "Autres fichiers");
        let _ = writeln!(html, "<p><a href=\"{}\">{words}</a></p>", escape(&address));
    }
    if folder.permissions().includes(Permissions::CREATE) {
        let _ = writeln!(html, "<h2>{}</h2>", language.say("Add files", "Ajouter des fichiers"));
        html += &hand_in_form(look, path);
    }
    Ok(html)
}

/// As many members as one page shows, and where the next begins.
async fn members(look: &Look<'_>, path: &NodePath, folder: &Node) -> Result<(Vec<Node>, Option<FileId>), Error> {
    let most = look.visit.links.page_members_max.max(1);
    let mut members = Vec::new();
    let mut from = after(look);
    loop {
        let found = look.open.tree.children(path, folder, from, Needs::NONE).await?;
        members.extend(found.nodes);
        from = found.next;
        if members.len() > most {
            members.truncate(most);
            from = members.last().map(|node| node.id);
        }
        if from.is_none() || members.len() >= most {
            return Ok((members, from));
        }
    }
}

fn table(look: &Look<'_>, path: &NodePath, members: &[Node], offers_download: bool) -> String {
    let language = look.language;
    let say = |english, french| language.say(english, french);
    let mut html = format!(
        "<table>\n<caption>{}</caption>\n<thead><tr><th scope=\"col\">{}</th><th scope=\"col\" class=\"number\">{}</th>\
         <th scope=\"col\" class=\"date\">{}</th>",
        say("What is in this folder", "Contenu du dossier"),
        say("Name", "Nom"),
        say("Size", "Taille"),
        say("Last change", "Dernière modification"),
    );
    if offers_download {
        let _ = write!(html, "<th scope=\"col\">{}</th>", say("Download", "Téléchargement"));
    }
    html += "</tr></thead>\n<tbody>\n";
    for node in members {
        let at = path.child(&node.name);
        let name = escape(&node.name);
        let kind = if node.is_folder() { say("Folder: ", "Dossier : ") } else { "" };
        let _ = write!(
            html,
            "<tr><th scope=\"row\"><a href=\"{}\"><span class=\"hidden\">{kind}</span>{name}{}</a></th>\
             <td class=\"number\">{}</td><td class=\"date\">{}</td>",
            escape(&look.page_of(&at)),
            if node.is_folder() { "/" } else { "" },
            size_text(language, node.size_bytes),
            time_element(language, node.modified),
        );
        if offers_download {
            let address = match node.is_folder() {
                true => look.address(&format!("/download?path={}", query_escape(&at.to_string()))),
                false => look.content_of(&at),
            };
            let words = say("Download", "Télécharger");
            let address = escape(&address);
            let _ = write!(html, "<td><a href=\"{address}\">{words}<span class=\"hidden\"> {name}</span></a></td>");
        }
        html += "</tr>\n";
    }
    html + "</tbody>\n</table>\n"
}

async fn file(look: &Look<'_>, path: &NodePath, node: &Node) -> Result<String, Error> {
    let language = look.language;
    let mut html =
        format!("<p>{}, {}</p>\n", size_text(language, node.size_bytes), time_element(language, node.modified),);
    if look.offers_download() {
        let words = language.say("Download", "Télécharger");
        let _ = writeln!(html, "<p><a class=\"button\" href=\"{}\">{words}</a></p>", escape(&look.content_of(path)));
    }
    html += &look_into(look, path, node).await?;
    if node.permissions().includes(Permissions::UPDATE) && path.is_root() {
        // A link to one file that may be edited is edited by programs; a form would have to know which file is meant.
        let words = language.say(
            "This file can be edited with a program that opens WebDAV addresses.",
            "Ce fichier peut être modifié avec un programme qui ouvre des adresses WebDAV.",
        );
        let _ = writeln!(html, "<p>{words}</p>");
    }
    Ok(html)
}

/// The picture or the text, where there is one to show.
async fn look_into(look: &Look<'_>, path: &NodePath, node: &Node) -> Result<String, Error> {
    // What is counted is not shown in passing.
    if look.open.link.download_limit.is_some() {
        return Ok(String::new());
    }
    let media_type = media_type(node);
    if media_type.starts_with("text/") {
        return text(look, node).await;
    }
    if has_preview(look.visit.previews.kinds(), node) {
        let (token, file) = (&look.open.link.token, query_escape(&path.to_string()));
        let address =
            format!("/apps/files_sharing/publicpreview/{token}?file={file}&x={SIDE_PIXELS}&y={SIDE_PIXELS}&a=1");
        let name = escape(&node.name);
        return Ok(format!("<figure><img src=\"{}\" alt=\"{name}\"></figure>\n", escape(&address)));
    }
    let is_picture = ["image/jpeg", "image/png", "image/gif", "image/webp"].contains(&media_type);
    if is_picture && node.size_bytes <= look.visit.links.shown_picture_bytes_max {
        let name = escape(&node.name);
        return Ok(format!("<figure><img src=\"{}\" alt=\"{name}\"></figure>\n", escape(&look.content_of(path))));
    }
    Ok(String::new())
}

/// The beginning of a text.
async fn text(look: &Look<'_>, node: &Node) -> Result<String, Error> {
    let most = look.visit.links.shown_text_bytes_max;
    let content = look.open.tree.open(node).await?;
    let mut bytes = Vec::new();
    let mut runs = Box::pin(content.stream(0..node.size_bytes.min(most)));
    while let Some(run) = runs.next().await {
        bytes.extend_from_slice(&run?);
    }
    let is_cut = node.size_bytes > most;
    let text = match std::str::from_utf8(&bytes) {
        Ok(text) => text,
        // A character that the end cuts in two is left out; what is no UTF-8 at all is not shown.
        Err(error) if is_cut && error.error_len().is_none() => {
            std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return Ok(String::new()),
    };
    if text.contains('\0') || text.is_empty() {
        return Ok(String::new());
    }
    let label = look.language.say("Content", "Contenu");
    let rest = match is_cut {
        true => look.language.say("The rest is not shown.", "La suite n'est pas affichée."),
        false => "",
    };
    let text = escape(text.trim_start_matches('\u{feff}'));
    Ok(format!(
        "<h2 id=\"text\">{label}</h2>\n<pre tabindex=\"0\" role=\"region\" aria-labelledby=\"text\">\n{text}</pre>\n<p>{rest}</p>\n"
    ))
}

/// The form for handing in files.
fn hand_in_form(look: &Look<'_>, path: &NodePath) -> String {
    let language = look.language;
    let say = |english, french| language.say(english, french);
    let action = match path.is_root() {
        true => look.address("/upload"),
        false => look.address(&format!("/upload?path={}", query_escape(&path.to_string()))),
    };
    let mut html = format!(
        "<form method=\"post\" enctype=\"multipart/form-data\" action=\"{}\" class=\"narrow\">\n",
        escape(&action)
    );
    if look.open.tree.only_adds() {
        let is_needed = asks_nickname(&look.open.link);
        let _ = writeln!(
            html,
            "<label for=\"nickname\">{}</label>\n<input type=\"text\" id=\"nickname\" name=\"nickname\" maxlength=\"100\" \
             autocomplete=\"name\"{}>",
            if is_needed {
                say("Your name", "Votre nom")
            } else {
                say("Your name (if you like)", "Votre nom (facultatif)")
            },
            if is_needed { " required" } else { "" },
        );
    }
    let _ = writeln!(
        html,
        "<label for=\"files\">{}</label>\n<input type=\"file\" id=\"files\" name=\"files\" multiple required>\n\
         <button type=\"submit\">{}</button>\n</form>",
        say("Files", "Fichiers"),
        say("Send", "Envoyer"),
    );
    html
}
