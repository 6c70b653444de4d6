//! A disk without room, or without inodes: a small file system where one can be mounted, and in any case a layer below the server
//! that refuses what takes room (`full.c`).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::Scene;
use crate::backup::Small;
use crate::content;
use crate::http::{Connection, path};
use crate::power_cut::journal::build_library;

/// So many writes are refused before there is room again.
const REFUSALS: usize = 40;

/// What is in the way is taken away.
type Relief = Box<dyn FnOnce()>;

#[test]
fn a_full_disk_refuses_writes_and_takes_them_again_once_there_is_room() {
    let Some(ground) = Small::mount_with("size=48m") else {
        return eprintln!("no tmpfs can be mounted here: only the layer below the server is tried");
    };
    let directory = ground.0.path().to_owned();
    let ballast = directory.join("ballast");
    std::fs::write(&ballast, vec![1; 8_000_000]).unwrap();
    let scene = Scene::start_in(directory, Box::new(ground), "exec", &[]);
    fill(scene, || {}, Box::new(move || std::fs::remove_file(ballast).unwrap()));
}

#[test]
fn a_disk_without_inodes_refuses_writes_and_takes_them_again_once_there_are_some() {
    let Some(ground) = Small::mount_with("size=500m,nr_inodes=300") else {
        return eprintln!("no tmpfs can be mounted here: only the layer below the server is tried");
    };
    let directory = ground.0.path().to_owned();
    let ballast = directory.join("ballast");
    std::fs::create_dir(&ballast).unwrap();
    (0..100).for_each(|number| std::fs::write(ballast.join(number.to_string()), "").unwrap());
    let scene = Scene::start_in(directory, Box::new(ground), "exec", &[]);
    fill(scene, || {}, Box::new(move || std::fs::remove_dir_all(ballast).unwrap()));
}

#[test]
fn a_disk_that_is_full_at_any_moment_refuses_writes_and_takes_them_again() {
    let place = tempfile::tempdir().unwrap();
    let (library, flag) = (build_library(place.path(), "pressure/full.c"), place.path().join("flag"));
    let below = [("LD_PRELOAD", library.to_str().unwrap()), ("FULL_FLAG", flag.to_str().unwrap())];
    let directory = tempfile::tempdir().unwrap();
    let scene = Scene::start_in(directory.path().to_owned(), Box::new((directory, place)), "exec", &below);
    let raise = flag.clone();
    fill(scene, move || std::fs::write(&raise, "").unwrap(), Box::new(move || std::fs::remove_file(flag).unwrap()));
}

fn named(number: usize) -> String {
    path(&format!("f{number}"))
}

/// In a row, in one part, in some.
fn bytes(number: usize) -> Vec<u8> {
    content(number, [3_000, 60_000, 700_000][number % 3])
}

fn fill(scene: Scene, begin: impl FnOnce(), relieve: Relief) {
    let next = AtomicUsize::new(0);
    let refused = AtomicUsize::new(0);
    let write = |until: usize| {
        let mut kept = Vec::new();
        let mut connection = scene.open();
        while refused.load(Ordering::Relaxed) < until {
            let number = next.fetch_add(1, Ordering::Relaxed);
            assert!(number < 3_000, "it is never full");
            let (status, said) = connection.request("PUT", &named(number), &bytes(number)).expect("an answer");
            match status {
                201 => kept.push(number),
                507 => {
                    let said = String::from_utf8_lossy(&said).into_owned();
                    assert!(said.contains("The server's disk is full."), "{said}");
                    refused.fetch_add(1, Ordering::Relaxed);
                    // It may have been refused before its body was read, and the connection ends with that.
                    connection = scene.open();
                }
                _ => panic!("{status}: {}", String::from_utf8_lossy(&said)),
            }
        }
        kept
    };
    let mut alice = scene.open();
    for number in 100_000..100_010 {
        assert_eq!(alice.request("PUT", &named(number), &bytes(number)).unwrap().0, 201);
    }
    let neighbour = scene.neighbour.as_ref().unwrap();
    neighbour.may_be_refused.store(true, Ordering::Relaxed);
    let mut kept: Vec<usize> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..8).map(|_| scope.spawn(|| write(REFUSALS))).collect();
        std::thread::sleep(Duration::from_millis(200));
        begin();
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    });
    kept.extend(100_000..100_010);
    // Everything can be read; other changes are made or refused, never half.
    whole(&mut alice, &kept);
    for (method, name) in [("MKCOL", "folder"), ("DELETE", "f100000"), ("PROPFIND", ""), ("MKCOL", "another")] {
        let (status, _) = alice.request(method, &path(name), b"").unwrap();
        assert!(matches!(status, 201 | 204 | 207 | 507), "{method}: {status}");
        if (method, status) == ("DELETE", 204) {
            kept.retain(|number| *number != 100_000);
        }
    }
    relieve();
    let mut other = scene.open();
    scene.wait_until("the disk to have room again", Duration::from_secs(10), || {
        let mut connection = scene.open();
        connection
            .request("PUT", &path("probe"), &content(1, 100_000))
            .is_ok_and(|(status, _)| matches!(status, 201 | 204))
    });
    neighbour.may_be_refused.store(false, Ordering::Relaxed);
    whole(&mut other, &kept);
    for number in 200_000..200_010 {
        assert_eq!(other.request("PUT", &named(number), &bytes(number)).unwrap().0, 201);
    }
    eprintln!("pressure: {} writes were kept, {} refused", kept.len(), refused.load(Ordering::Relaxed));
    drop((alice, other));
    // SQLite remembers pages, eight writers have 700 kB under way.
    scene.end_within(300_000);
}

fn whole(connection: &mut Connection, kept: &[usize]) {
    for number in kept {
        let (status, found) = connection.request("GET", &named(*number), b"").unwrap();
        assert!(status == 200 && found == bytes(*number), "{status} for {number}");
    }
}
