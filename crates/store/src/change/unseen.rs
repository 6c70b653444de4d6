//! Handing in without seeing: whoever may only add never learns which names are taken, and never replaces anything. What
//! comes gets a name of its own where its own is taken.

use crate::error::Error;
use crate::look_up::{self, Located};
use crate::node::Node;
use crate::path::{NAME_BYTES_MAX, NodePath};
use crate::tx::{Asker, Tx};

/// How many numbers are tried before a name is drawn: a folder of many namesakes must not make each the next one slower.
const NUMBERS_MAX: u32 = 50;
/// Characters of a drawn name's suffix.
const DRAWN_CHARS: usize = 10;

/// Where what the asker wants at `path` goes: there, or beside what is there already.
pub(super) async fn place(tx: &mut Tx, asker: &Asker, path: NodePath) -> Result<NodePath, Error> {
    if !asker.only_adds() || path.is_root() {
        return Ok(path);
    }
    let Located { chain, missing } = look_up::locate(&mut tx.connection, &asker.root(), &path).await?;
    // The last thing on the way that stays: a folder that is not the last name. What is in the way instead is passed by.
    let is_taken_over = missing.is_empty() || !chain.last().is_some_and(Node::is_folder);
    let kept = chain.len().checked_sub(if is_taken_over { 2 } else { 1 }).ok_or(Error::ParentMissing)?;
    let folder = chain.get(kept).ok_or(Error::ParentMissing)?;
    let mut names = path.names().to_vec();
    if let Some(name) = names.get_mut(kept) {
        *name = free_name(tx, folder, name).await?;
    }
    NodePath::of(&names)
}

/// The name, or one like it that nothing in the folder has.
async fn free_name(tx: &mut Tx, folder: &Node, name: &str) -> Result<String, Error> {
    if look_up::is_taken(&mut tx.connection, folder.id, name).await?.is_none() {
        return Ok(name.to_owned());
    }
    for number in 2..=NUMBERS_MAX {
        let numbered = with_suffix(name, &format!(" ({number})"));
        if look_up::is_taken(&mut tx.connection, folder.id, &numbered).await?.is_none() {
            return Ok(numbered);
        }
    }
    let drawn = tx.core.ports.lower_alphanumeric(DRAWN_CHARS);
    Ok(with_suffix(name, &format!(" ({drawn})")))
}

/// `a.txt` as `a (2).txt`, no longer than names may be.
fn with_suffix(name: &str, suffix: &str) -> String {
    let dot = name.rfind('.').filter(|dot| *dot > 0 && name.len() - dot <= NAME_BYTES_MAX / 2);
    let (stem, extension) = name.split_at(dot.unwrap_or(name.len()));
    let mut stem = stem.to_owned();
    while stem.len() + suffix.len() + extension.len() > NAME_BYTES_MAX {
        stem.pop();
    }
    format!("{stem}{suffix}{extension}")
}

#[cfg(test)]
mod tests {
    use super::with_suffix;

    #[test]
    fn numbers_stand_before_the_extension() {
        for (name, expected) in [
            ("a.txt", "a (2).txt"),
            ("a", "a (2)"),
            (".hidden", ".hidden (2)"),
            ("a.tar.gz", "a.tar (2).gz"),
            ("é.", "é (2)."),
        ] {
            assert_eq!(with_suffix(name, " (2)"), expected);
        }
        let long = format!("{}.txt", "é".repeat(125));
        let suffixed = with_suffix(&long, " (2)");
        assert!(suffixed.len() <= 255 && suffixed.ends_with("é (2).txt"), "{suffixed}");
        assert!(with_suffix(&format!("a.{}", "x".repeat(253)), " (2)").len() <= 255);
    }
}
