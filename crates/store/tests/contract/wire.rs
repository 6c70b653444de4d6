//! A wire to the database or to the blob store, which can be cut while something is on it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What is lost with a cut.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Loss {
    /// The message: it does not arrive.
    Message,
    /// Its answer: it arrives, and nobody is told what came of it.
    Answer,
}

#[derive(Debug, Default)]
struct Plan {
    /// So many messages from now.
    next: Option<(u64, Loss)>,
    was_cut: bool,
}

/// See the module. Each connection is one of its own; a cut ends one of them.
#[derive(Debug, Default)]
pub(crate) struct Wire(Mutex<Plan>);

impl Wire {
    /// A wire to what listens at `service`; and where it begins.
    pub(crate) async fn to(service: String) -> (Arc<Wire>, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let own = listener.local_addr().expect("an address");
        let wire = Arc::new(Wire::default());
        let passing = Arc::clone(&wire);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&service).await.expect("the service listens");
                tokio::spawn(pass(client, server, Arc::clone(&passing)));
            }
        });
        (wire, own)
    }

    /// Cuts the connection that the `number`-th message from now goes over.
    pub(crate) fn cut_at(&self, number: u64, loss: Loss) {
        *self.plan() = Plan { next: Some((number, loss)), was_cut: false };
    }

    /// Cuts nothing any more; whether it did.
    pub(crate) fn mend(&self) -> bool {
        std::mem::take(&mut *self.plan()).was_cut
    }

    fn plan(&self) -> std::sync::MutexGuard<'_, Plan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the message at hand is the one.
    fn due(&self) -> Option<Loss> {
        let mut plan = self.plan();
        let (left, loss) = plan.next?;
        plan.next = (left > 1).then_some((left - 1, loss));
        plan.was_cut = left == 1;
        plan.was_cut.then_some(loss)
    }
}

/// Hands on what both sides say, until one of them ends it or it is cut.
async fn pass(client: TcpStream, server: TcpStream, wire: Arc<Wire>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let answers = tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
    let mut message = vec![0; 64 * 1024];
    loop {
        let length = match from_client.read(&mut message).await {
            Ok(0) | Err(_) => break,
            Ok(length) => length,
        };
        let loss = wire.due();
        if matches!(loss, Some(Loss::Message)) {
            break;
        }
        if loss.is_some() {
            answers.abort();
        }
        if to_server.write_all(&message[..length]).await.is_err() {
            break;
        }
        if loss.is_some() {
            // Time for the service to do what it was asked for.
            tokio::time::sleep(Duration::from_millis(20)).await;
            break;
        }
    }
    answers.abort();
}
