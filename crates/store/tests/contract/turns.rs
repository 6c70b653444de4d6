//! Who waits for something computes nothing, and has no turn of its space meanwhile.

use std::pin::pin;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use nichoir_store::{Error, Everything, Limits, NodePath, Search, Space, StageOptions, without_turn};
use tokio::sync::oneshot;

use crate::support::{make_folder, on_every_engine_with, put, stage};

/// One turn, and nobody may wait for it.
fn one_turn() -> Limits {
    Limits { space_turns: 1, space_waiting_max: 0, upload_parts_at_once_max: 1, ..Limits::default() }
}

/// Whether somebody else has a turn before `request`, which has the only one, comes to its end.
async fn lets_others_go_first<T>(space: &Space, request: impl Future<Output = T>) -> bool {
    let mut request = pin!(space.in_turn(request));
    let other = async {
        while space.in_turn(std::future::ready(())).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        _ = &mut request => false,
        () = other => request.await.is_ok(),
    }
}

/// The same of any of some requests of a kind: on a busy machine, what is waited for may be there before one looks.
async fn any_lets_others_go_first<T>(space: &Space, request: impl AsyncFn(usize) -> T) -> bool {
    for number in 0..20 {
        if lets_others_go_first(space, request(number)).await {
            return true;
        }
    }
    false
}

#[tokio::test]
async fn a_commit_and_a_search_are_waited_for_without_a_turn() {
    on_every_engine_with(one_turn(), 1_000_000_000, async |world| {
        let (space, alice) = (&world.space, &world.alice);
        let folder = async |number| make_folder(alice, &format!("folder-{number}")).await;
        assert!(any_lets_others_go_first(space, folder).await);
        let inline = async |number| put(alice, &format!("inline-{number}"), b"small").await;
        assert!(any_lets_others_go_first(space, inline).await);
        let blob = async |number| put(alice, &format!("blob-{number}"), &vec![7; 3_000_000]).await;
        assert!(any_lets_others_go_first(space, blob).await);
        let everything = Search::below(NodePath::root());
        assert!(any_lets_others_go_first(space, async |_| alice.search(&everything, Everything).await).await);
        assert!(!any_lets_others_go_first(space, async |_| ()).await, "who does not wait has the turn");
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_body_that_does_not_come_keeps_nobody_waiting() {
    on_every_engine_with(one_turn(), 1_000_000_000, async |world| {
        let (space, alice) = (&world.space.clone(), &world.alice.clone());
        let (come, came) = oneshot::channel::<Bytes>();
        // As the listener's bodies are: without a turn until the bytes are there.
        let late = stream::once(async { without_turn(came).await.map_err(|_| Error::BodyInterrupted) });
        let body = stream::once(async { Ok(Bytes::from_static(b"first, ")) }).chain(late).boxed();
        let mut upload = pin!(space.in_turn(alice.stage(body, StageOptions::default())));
        let another = async {
            loop {
                match space.in_turn(stage(alice, b"another")).await {
                    Ok(staged) => return staged,
                    // The first has not come to where it waits.
                    Err(_) => tokio::task::yield_now().await,
                }
            }
        };
        tokio::select! {
            biased;
            _ = &mut upload => panic!("there is more to come"),
            staged = another => assert!(staged.is_ok()),
        }
        // Its own turn comes again, whoever waits, and it is not refused.
        come.send(Bytes::from_static(b"then the rest")).unwrap();
        assert_eq!(upload.await.unwrap().unwrap().size_bytes(), 20);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn requests_that_write_and_read_all_at_once_come_to_an_end_in_one_turn() {
    let limits = Limits { space_waiting_max: 1_000, ..one_turn() };
    on_every_engine_with(limits, 1_000_000_000, async |world| {
        let requests = (0..40).map(|number| {
            let (space, alice) = (world.space.clone(), world.alice.clone());
            tokio::spawn(async move {
                let body = vec![number; [10, 100_000][usize::from(number % 2)]];
                let request = async {
                    put(&alice, &format!("{number}"), &body).await?;
                    alice.search(&Search::below(NodePath::root()), Everything).await
                };
                space.in_turn(request).await
            })
        });
        let requests: Vec<_> = requests.collect();
        for request in requests {
            request.await.unwrap().unwrap().unwrap();
        }
        world.finish().await;
    })
    .await;
}
