//! What is damaged in a place for backups is found, said, and never restored.

use std::path::{Path, PathBuf};

use nichoir_store::backup::{BackupError, Destination};

use super::{delete, fill, image, place, tree_of};
use crate::support::{World, make_folder, node, on_every_engine, put, read};

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![directory.to_owned()];
    while let Some(folder) = waiting.pop() {
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            if path.is_dir() { waiting.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

/// The ways in which a file goes bad.
fn damages(whole: &[u8]) -> Vec<(&'static str, Option<Vec<u8>>)> {
    let mut flipped = whole.to_vec();
    flipped[whole.len() / 2] ^= 1;
    vec![
        ("flipped", Some(flipped)),
        ("cut off", Some(whole[..whole.len() / 2].to_vec())),
        ("empty", Some(Vec::new())),
        ("missing", None),
    ]
}

#[tokio::test]
async fn whatever_byte_of_a_backup_is_wrong_it_is_found_and_nothing_is_restored() {
    on_every_engine(async |world| {
        let place = place();
        fill(&world).await;
        world.back_up(&place.depository).await.unwrap();
        let spaces = world.spaces().await;
        for file in files(place.directory.path()) {
            let whole = std::fs::read(&file).unwrap();
            let is_generation = file.extension().is_some();
            let is_list_of_blobs = whole.starts_with(br#"{"table":"blob""#);
            for (how, bytes) in damages(&whole) {
                match bytes {
                    Some(bytes) => std::fs::write(&file, bytes).unwrap(),
                    None => std::fs::remove_file(&file).unwrap(),
                }
                let restored = world.restore_as(&place.depository, &world.beside("damaged")).await;
                let verified = place.depository.verify(None).await.unwrap();
                match (&restored, is_generation && how == "missing") {
                    // The rows name the blobs as well; the list is for who prunes.
                    (Ok(_), _) if is_list_of_blobs => {
                        assert!(!verified.problems.is_empty(), "{how} {file:?}");
                        world.store.delete_space(&world.beside("damaged")).await.unwrap();
                    }
                    // A generation that is gone is none.
                    (Err(BackupError::Refused(_)), true) => {}
                    (Err(BackupError::Damaged(why)), false) => {
                        assert!(!verified.problems.is_empty(), "{how} {file:?}");
                        assert!(why.contains("restore another") || why.contains("remove it"), "{why}");
                    }
                    other => panic!("{how} {file:?}: {other:?}"),
                }
                assert_eq!(world.spaces().await, spaces, "{how} {file:?}");
            }
            std::fs::write(&file, whole).unwrap();
        }
        assert!(place.depository.verify(None).await.unwrap().problems.is_empty());
        world.restore_as(&place.depository, &world.beside("whole")).await.unwrap();
        world.finish().await;
    })
    .await;
}

/// The next backup does not take a torn object for the whole one.
#[tokio::test]
async fn what_is_removed_because_it_is_damaged_is_copied_again() {
    on_every_engine(async |world| {
        let place = place();
        fill(&world).await;
        world.back_up(&place.depository).await.unwrap();
        for file in files(place.directory.path()).into_iter().filter(|file| file.extension().is_none()) {
            let whole = std::fs::read(&file).unwrap();
            for bytes in [None, Some(&whole[..whole.len() - 1])] {
                match bytes {
                    Some(bytes) => std::fs::write(&file, bytes).unwrap(),
                    None => std::fs::remove_file(&file).unwrap(),
                }
                world.back_up(&place.depository).await.unwrap();
            }
        }
        let newest = place.depository.names().await.unwrap().pop();
        assert!(place.depository.verify(newest.as_deref()).await.unwrap().problems.is_empty());
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn nothing_is_pruned_while_a_generation_that_is_kept_cannot_be_read() {
    on_every_engine(async |world| {
        let place = place();
        put(&world.alice, "file", &[1; 40_000]).await.unwrap();
        world.back_up(&place.depository).await.unwrap();
        world.back_up(&place.depository).await.unwrap();
        let newest = place.depository.names().await.unwrap().pop().unwrap();
        let generations = place.directory.path().join("generations");
        std::fs::write(generations.join(format!("{newest}.json")), b"{}\n").unwrap();
        let before = files(place.directory.path()).len();
        let pruned = world.store.back_up(&world.name(), &place.depository, Some(2), &world.working()).await;
        assert!(matches!(pruned, Err(BackupError::Damaged(_))), "{pruned:?}");
        assert!(files(place.directory.path()).len() >= before);
        world.finish().await;
    })
    .await;
}

/// The blobs of the world's space.
pub(crate) fn blobs_of(world: &World) -> Vec<PathBuf> {
    let nichoir_store::BlobConfig::Local { directory } = &world.config.blobs else { panic!("blobs are local here") };
    files(&directory.join("spaces").join(world.space.info().uuid.to_string()))
}

/// One rotten blob must not keep all others from being backed up.
#[tokio::test]
async fn a_blob_that_is_damaged_in_the_space_is_told_and_the_rest_is_backed_up() {
    on_every_engine(async |world| {
        let place = place();
        make_folder(&world.alice, "folder").await.unwrap();
        put(&world.alice, "folder/lost", &[1; 40_000]).await.unwrap();
        put(&world.alice, "folder/rotten", &[2; 40_000]).await.unwrap();
        let bad = blobs_of(&world);
        put(&world.alice, "folder/good", &[3; 40_000]).await.unwrap();
        let mut kept = Vec::new();
        for blob in &bad {
            let bytes = std::fs::read(blob).unwrap();
            match bytes[0] {
                1 => std::fs::remove_file(blob).unwrap(),
                _ => std::fs::write(blob, [vec![9], bytes[1..].to_vec()].concat()).unwrap(),
            }
            kept.push((blob.clone(), bytes));
        }

        let made = world.back_up(&place.depository).await.unwrap();

        assert_eq!(made.lacking.len(), 2, "{made:?}");
        assert_eq!(place.depository.verify(None).await.unwrap().problems.len(), 2);
        let refused = world.restore_as(&place.depository, &world.beside("refused")).await;
        assert!(matches!(refused, Err(BackupError::Refused(_))), "{refused:?}");
        let (name, directory) = (world.beside("partial"), world.working());
        let to = Destination::Beside { name: name.clone() };
        let report = world.store.restore(&place.depository, None, &to, true, &directory).await.unwrap();
        assert_eq!(report.problems.len(), 2, "{report:?}");
        let alice = tree_of(&world.store.space_named(&name).await.unwrap(), "alice").await;
        assert!(read(&alice, "folder/good").await.unwrap() == [3; 40_000]);
        assert!(read(&alice, "folder/lost").await.is_err());

        // When they are back, the next backup has them.
        for (blob, bytes) in kept {
            std::fs::write(blob, bytes).unwrap();
        }
        let made = world.back_up(&place.depository).await.unwrap();
        assert!(made.lacking.is_empty());
        world.restore_as(&place.depository, &world.beside("all")).await.unwrap();
        world.finish().await;
    })
    .await;
}

/// A backup that was written before the newest step of the schema: its rows lack a column, which the step adds.
#[tokio::test]
async fn a_backup_of_an_earlier_schema_is_brought_up_to_date() {
    on_every_engine(async |world| {
        let place = place();
        fill(&world).await;
        delete(&world.alice, "folder/empty").await;
        let expected = image(&world.alice).await;
        world.back_up(&place.depository).await.unwrap();
        let generation = files(place.directory.path()).into_iter().find(|file| file.extension().is_some()).unwrap();
        let text = std::fs::read_to_string(&generation).unwrap();
        let mut told: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        // The step that added it, and those after it, are still to come.
        told["schema"] = 20.into();
        let segments = told["segments"].as_array_mut().unwrap();
        // A table that came later has no rows yet.
        segments.retain(|segment| segment["table"] != "audit");
        for segment in segments {
            if segment["table"] != "space_state" {
                continue;
            }
            let hex = segment["blake3"].as_str().unwrap();
            let object = place.directory.path().join("objects").join(&hex[..2]).join(&hex[2..]);
            let rows = std::fs::read_to_string(object).unwrap();
            let (head, row) = rows.trim_end().split_once('\n').unwrap();
            let mut head: serde_json::Value = serde_json::from_str(head).unwrap();
            let mut row: serde_json::Value = serde_json::from_str(row).unwrap();
            assert_eq!(head["columns"].as_array_mut().unwrap().pop().unwrap(), "blobs_held_until_us");
            row.as_array_mut().unwrap().pop();
            let rows = format!("{head}\n{row}\n");
            let hex = blake3::hash(rows.as_bytes()).to_hex();
            segment["blake3"] = hex.as_str().into();
            segment["size_bytes"] = rows.len().into();
            let object = place.directory.path().join("objects").join(&hex[..2]);
            std::fs::create_dir_all(&object).unwrap();
            std::fs::write(object.join(&hex[2..]), rows).unwrap();
        }
        let line = told.to_string();
        std::fs::write(&generation, format!("{line}\n{}\n", blake3::hash(line.as_bytes()))).unwrap();

        let name = world.beside("older");
        world.restore_as(&place.depository, &name).await.unwrap();

        let alice = tree_of(&world.store.space_named(&name).await.unwrap(), "alice").await;
        assert!(image(&alice).await == expected);
        node(&alice, "folder/large").await.unwrap();
        world.finish().await;
    })
    .await;
}

/// Bytes that the space has twice are lost only if both are.
#[tokio::test]
async fn a_blob_that_is_missing_is_copied_from_another_of_the_same_bytes() {
    on_every_engine(async |world| {
        put(&world.alice, "one", &[1; 40_000]).await.unwrap();
        put(&world.alice, "two", &[1; 40_000]).await.unwrap();
        let blobs = blobs_of(&world);
        assert_eq!(blobs.len(), 2);
        for blob in blobs {
            let place = place();
            let bytes = std::fs::read(&blob).unwrap();
            std::fs::remove_file(&blob).unwrap();
            let made = world.back_up(&place.depository).await.unwrap();
            assert!(made.lacking.is_empty(), "{made:?}");
            assert_eq!(place.depository.verify(None).await.unwrap().problems, Vec::<String>::new());
            std::fs::write(&blob, bytes).unwrap();
        }
        world.finish().await;
    })
    .await;
}
