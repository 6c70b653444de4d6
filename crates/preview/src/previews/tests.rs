//! The workshop: once each, a few at a time, remembered.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Semaphore;

use super::*;
use crate::made::Colour;

fn workshop(directory: &std::path::Path, parallel: usize, waiting_max: usize) -> Previews {
    let limits = Limits { directory: directory.to_owned(), parallel, waiting_max, ..Limits::default() };
    Previews::new(limits, Kinds::default(), None, None)
}

fn drawing() -> Drawing {
    Drawing::Initials { letters: "A".to_owned(), ground: Colour([1, 2, 3]), side: 64 }
}

#[tokio::test]
async fn a_preview_is_drawn_once_however_many_ask() {
    let directory = tempfile::tempdir().unwrap();
    let previews = workshop(directory.path(), 2, 100);
    let drawn = Arc::new(AtomicUsize::new(0));
    let ask = || {
        let (previews, drawn) = (previews.clone(), Arc::clone(&drawn));
        tokio::spawn(async move {
            let prepare = async {
                drawn.fetch_add(1, Ordering::SeqCst);
                Ok(drawing())
            };
            previews.make("s", Key::of(&[b"k"]), prepare).await.unwrap()
        })
    };
    let asked: Vec<_> = (0..20).map(|_| ask()).collect();
    for each in asked {
        assert!(each.await.unwrap().bytes.starts_with(b"\x89PNG"));
    }
    assert_eq!(drawn.load(Ordering::SeqCst), 1);
    assert!(previews.0.under_way.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_cannot_be_drawn_is_not_tried_again() {
    let directory = tempfile::tempdir().unwrap();
    let previews = workshop(directory.path(), 1, 10);
    let key = Key::of(&[b"k"]);
    let broken = async { Ok(Drawing::Square { source: "no picture".into(), side: 64 }) };
    assert!(previews.make("s", key, broken).await.unwrap_err().is_final());
    let good = async { Ok(drawing()) };
    assert!(previews.make("s", key, good).await.is_err(), "remembered");
    let other = previews.make("s", Key::of(&[b"other"]), async { Err(Failure::Unavailable("away".into())) }).await;
    assert!(!other.unwrap_err().is_final());
    assert!(previews.make("s", Key::of(&[b"other"]), async { Ok(drawing()) }).await.is_ok());
}

#[tokio::test]
async fn beyond_the_queue_nobody_waits() {
    let directory = tempfile::tempdir().unwrap();
    let previews = workshop(directory.path(), 1, 1);
    let gate = Arc::new(Semaphore::new(0));
    let ask = |space: &'static str, name: &'static [u8]| {
        let (previews, gate) = (previews.clone(), Arc::clone(&gate));
        tokio::spawn(async move {
            let prepare = async {
                let _open = gate.acquire().await;
                Ok(drawing())
            };
            previews.make(space, Key::of(&[name]), prepare).await
        })
    };
    let waits = async |space: &str| {
        while previews.0.places.waiting(&space.to_owned()) < 1 {
            tokio::task::yield_now().await;
        }
    };
    let (first, second) = (ask("s", b"1"), ask("s", b"2"));
    waits("s").await;
    let third = previews.make("s", Key::of(&[b"3"]), async { Ok(drawing()) }).await;
    assert!(matches!(third, Err(Failure::Busy)));
    // The queue of one space is none of another's business.
    let neighbour = ask("t", b"4");
    waits("t").await;
    gate.add_permits(10);
    assert!(first.await.unwrap().is_ok() && second.await.unwrap().is_ok() && neighbour.await.unwrap().is_ok());
    assert!(previews.make("s", Key::of(&[b"3"]), async { Ok(drawing()) }).await.is_ok());
}

#[tokio::test]
async fn who_goes_away_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let previews = workshop(directory.path(), 1, 1);
    for _ in 0..5 {
        let never = previews.make("s", Key::of(&[b"k"]), std::future::pending());
        assert!(tokio::time::timeout(std::time::Duration::from_millis(20), never).await.is_err());
    }
    assert!(previews.make("s", Key::of(&[b"k"]), async { Ok(drawing()) }).await.is_ok());
}
