//! One space that keeps the server busy, and its neighbours.

use std::time::Duration;

use nichoir::config::Config;
use nichoir_store::Space;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::support::{Answer, Server, on_every_engine_with};

const TURNS: usize = 2;

/// Long enough for an answer on a busy machine.
const SOON: Duration = Duration::from_secs(30);
/// Long enough to see that there is none.
const NOW: Duration = Duration::from_millis(200);

fn few_turns(config: &mut Config) {
    config.limits.space_turns = TURNS;
    config.limits.space_waiting_max = 3;
}

/// Requests that have all turns of the space and never come to an end; until dropped.
struct Stuck(Vec<JoinHandle<()>>);

impl Stuck {
    async fn in_all_turns(space: &Space) -> Stuck {
        let (say, mut said) = tokio::sync::mpsc::channel(TURNS);
        let stuck = (0..TURNS).map(|_| {
            let (space, say) = (space.clone(), say.clone());
            tokio::spawn(async move {
                let request = async {
                    say.send(()).await.expect("the test listens");
                    std::future::pending::<()>().await;
                };
                let _ = space.in_turn(request).await;
            })
        });
        let stuck = Stuck(stuck.collect());
        for _ in 0..TURNS {
            said.recv().await.expect("each begins");
        }
        stuck
    }
}

impl Drop for Stuck {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

#[tokio::test]
async fn a_space_with_all_its_turns_taken_keeps_its_neighbours_out_of_nothing() {
    on_every_engine_with(few_turns, async |server: &Server| {
        let alice = server.account("alice");
        let neighbour = alice.with("host", &server.other_host());
        alice.propfind("/", 0).await.expect(207);
        neighbour.propfind("/", 0).await.expect(207);
        let stuck = Stuck::in_all_turns(&server.space).await;

        for _ in 0..20 {
            timeout(SOON, neighbour.propfind("/", 0).into_future()).await.expect("at once").expect(207);
        }
        let waiting: Vec<_> = (0..3).map(|_| tokio::spawn(alice.propfind("/", 0).into_future())).collect();
        tokio::time::sleep(NOW).await;
        assert!(waiting.iter().all(|request| !request.is_finished()));
        // One more than may wait, whatever it asks for.
        for path in ["/remote.php/dav/files/alice/", "/ocs/v2.php/cloud/user?format=json", "/login/v2"] {
            let refused =
                timeout(SOON, alice.request("PROPFIND", path).into_future()).await.expect("at once").expect(503);
            assert_eq!(refused.header("retry-after"), "5", "{path}");
        }
        // What every client asks first takes no turn.
        alice.request("GET", "/status.php").await.expect(200);
        neighbour.propfind("/", 0).await.expect(207);

        drop(stuck);
        for request in waiting {
            request.await.expect("no panic").expect(207);
        }
        alice.propfind("/", 0).await.expect(207);
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_is_not_read_has_no_turn_and_each_piece_of_it_waits_for_one() {
    on_every_engine_with(few_turns, async |server: &Server| {
        let alice = server.account("alice");
        // Long names: the answer is too large to go out whole.
        let name = |number: usize| format!("/{number}-{}", "x".repeat(240));
        for number in 0..150 {
            alice.put(&name(number), "").await.expect(201);
        }
        let unread: Vec<_> = {
            let mut unread = Vec::new();
            for _ in 0..4 * TURNS {
                let begun = timeout(SOON, alice.propfind("/", 1).begun()).await.expect("nobody holds a turn");
                assert!(http_body::Body::size_hint(begun.body()).exact().is_none(), "it is streamed");
                unread.push(begun);
            }
            unread
        };
        alice.propfind("/", 0).await.expect(207);

        let stuck = Stuck::in_all_turns(&server.space).await;
        let mut read: Vec<_> = unread.into_iter().map(|begun| tokio::spawn(Answer::read(begun))).collect();
        tokio::time::sleep(NOW).await;
        assert!(read.iter().all(|read| !read.is_finished()));
        drop(stuck);
        for read in read.drain(..) {
            let answer = timeout(SOON, read).await.expect("it goes on").expect("no panic").expect(207);
            assert_eq!(answer.hrefs().len(), 151);
        }
    })
    .await;
}

#[tokio::test]
async fn guessing_at_passwords_takes_no_turn_and_keeps_no_neighbour_from_logging_in() {
    let slow = |config: &mut Config| {
        config.limits.space_turns = TURNS;
        // As slow as it takes to be seen.
        config.auth.argon2_memory_kib = 16 * 1024;
        config.auth.argon2_parallel = 1;
        config.auth.argon2_waiting_max = 20;
    };
    on_every_engine_with(slow, async |server: &Server| {
        let alice = server.account("alice");
        alice.propfind("/", 0).await.expect(207);
        let guess = |number: usize| {
            let guess = alice.as_login(&format!("nobody-{number}"), "wrong").at(Some(&format!("192.0.2.{number}")));
            tokio::spawn(guess.propfind("/", 0).into_future())
        };
        let guesses: Vec<_> = (0..20).map(guess).collect();
        tokio::task::yield_now().await;
        let neighbour = alice.with("host", &server.other_host());
        neighbour.propfind("/", 0).await.expect(207);
        let known = guesses.iter().filter(|guess| guess.is_finished()).count();
        assert!(known < 10, "the neighbour waited for {known} guesses of 20");
        // Whoever is known already goes on as well.
        alice.propfind("/", 0).await.expect(207);
        for guess in guesses {
            guess.await.expect("no panic").expect(401);
        }
    })
    .await;
}
