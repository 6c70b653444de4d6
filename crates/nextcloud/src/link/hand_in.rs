//! The form for handing in files: each is staged as it arrives and written under its name, or one like it where that is
//! taken. Nothing is ever replaced.

use bytes::Bytes;
use futures_util::Stream;
use http_body_util::BodyExt as _;
use nichoir_dav::{Body, BoxError, Error, Response};
use nichoir_store::change::PutFile;
use nichoir_store::conditions::{Conditions, EtagSet};
use nichoir_store::{Error as StoreError, Needs, NodePath, StageOptions};

use super::form_data::{FormData, Malformed, boundary_of};
use super::html::see_other;
use super::nickname;
use super::page::{Look, sorry};
use crate::names;

/// Numbers that are tried before a namesake is refused.
const NUMBERS_MAX: u32 = 50;

/// Takes in the form; the answer leads back to the page.
pub(super) async fn hand_in(look: &Look<'_>, body: Body) -> Response {
    match received(look, body).await {
        Ok((path, count)) => {
            let page = look.page_of(&path);
            let mark = if page.contains('?') { '&' } else { '?' };
            see_other(&format!("{page}{mark}received={count}"))
        }
        Err(error) => sorry(look.language, &error),
    }
}

impl From<Malformed> for Error {
    fn from(Malformed(what): Malformed) -> Error {
        Error::bad_request(what)
    }
}

async fn received(look: &Look<'_>, body: Body) -> Result<(NodePath, usize), Error> {
    let only_adds = look.open.tree.only_adds();
    let folder = if only_adds { NodePath::root() } else { look.path()? };
    let boundary = boundary_of(&look.parts.headers);
    let boundary = boundary.ok_or_else(|| Error::bad_request("A form has a boundary."))?;
    let mut form = FormData::new(body.into_data_stream(), &boundary);
    let mut nickname = None;
    let mut count = 0;
    while let Some(part) = form.next_part().await? {
        match part.file_name.as_deref() {
            None if part.name == "nickname" => {
                let text = form.text().await?;
                nickname = if text.trim().is_empty() { None } else { Some(nickname::check(&text)?) };
            }
            // No file was chosen, or a field that is not ours.
            None | Some("") => {}
            Some(file_name) => {
                let most = look.visit.links.form_files_max;
                if count >= most {
                    return Err(Error::too_large(most as u64));
                }
                let path = folder.join(base_name(file_name)?)?;
                let path = match only_adds {
                    true => nickname::place(&look.open.link, nickname.as_deref(), &path)?,
                    false => path,
                };
                store(look, path, form.content()).await?;
                count += 1;
            }
        }
    }
    Ok((folder, count))
}

/// The name of a file without the folders that some browsers put before it.
fn base_name(file_name: &str) -> Result<&str, Error> {
    let name = file_name.rsplit(['/', '\\']).next().unwrap_or(file_name);
    names::check(name)?;
    Ok(name)
}

async fn store(
    look: &Look<'_>,
    path: NodePath,
    content: impl Stream<Item = Result<Bytes, BoxError>> + Send,
) -> Result<(), Error> {
    let tree = &look.open.tree;
    let content = tree.stage(content, StageOptions::default()).await?;
    let makes_parents = tree.only_adds();
    let path = if makes_parents { path } else { free(look, path).await? };
    let change = PutFile {
        path,
        content,
        modified: None,
        created: None,
        checksums: None,
        makes_parents,
        media_type: None,
        member: None,
        conditions: Conditions { if_none_match: Some(EtagSet::Any), ..Conditions::default() },
    };
    tree.apply(change).await?;
    Ok(())
}

/// The path, or one beside it where there is something already. Should somebody else be faster, the form is refused.
async fn free(look: &Look<'_>, path: NodePath) -> Result<NodePath, Error> {
    let name = path.name().unwrap_or_default().to_owned();
    let folder = path.parent().unwrap_or_else(NodePath::root);
    let dot = name.rfind('.').filter(|dot| *dot > 0).unwrap_or(name.len());
    let (stem, extension) = name.split_at(dot);
    let mut at = path;
    for number in 2..=NUMBERS_MAX {
        match look.open.tree.node(&at, Needs::NONE).await {
            Err(StoreError::NotFound) => return Ok(at),
            Err(error) => return Err(error.into()),
            Ok(_) => at = folder.join(&format!("{stem} ({number}){extension}"))?,
        }
    }
    Err(Error::conflict("There are too many files of this name."))
}

#[cfg(test)]
mod tests {
    use super::base_name;

    #[test]
    fn folders_before_the_name_are_left_out() {
        for (given, expected) in [
            ("a.txt", Some("a.txt")),
            ("C:\\Users\\joe\\a.txt", Some("a.txt")),
            ("../../etc/passwd", Some("passwd")),
            ("a/", None),
            (".htaccess", None),
            ("x.part", None),
        ] {
            assert_eq!(base_name(given).ok(), expected, "{given}");
        }
    }
}
