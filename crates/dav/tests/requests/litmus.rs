//! litmus, the reference suite for RFC 4918, against the engine without any dialect, over a real connection.
//! Every test of it has to pass, without a warning and without a skip.

use std::convert::Infallible;
use std::process::Command;
use std::sync::Arc;

use http_body_util::BodyExt as _;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use nichoir_dav::request_target::Watched;
use nichoir_dav::{BoxError, Error};

use crate::support::{PREFIX, Server};

#[tokio::test(flavor = "multi_thread")]
async fn litmus_passes_whole() {
    let is_installed = Command::new("litmus").arg("--version").output().is_ok();
    if !is_installed {
        // The suite of the whole server runs it again; here it is a convenience.
        eprintln!("skipped: litmus is not installed");
        return;
    }
    let server = Arc::new(Server::start().await);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}{PREFIX}/", listener.local_addr().expect("a bound socket"));
    let serving = tokio::spawn(serve(listener, server.clone()));

    let directory = tempfile::tempdir().expect("a temporary directory");
    let place = directory.path().to_owned();
    let run = move || Command::new("litmus").args(["-k", &url, "alice", "password"]).current_dir(place).output();
    let output = tokio::task::spawn_blocking(run).await.expect("the task ends").expect("litmus runs");
    serving.abort();

    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let count = |needle: &str| text.matches(needle).count();
    let passed: usize = text.lines().filter_map(passed_in_summary).sum();
    assert!(passed >= 104 && count("FAIL") == 0 && count("WARNING") == 0 && count("SKIPPED") == 0, "{text}");
    server.assert_other_space_untouched().await;
}

/// `<- summary for `basic': of 16 tests run: 16 passed, 0 failed. 100.0%`
fn passed_in_summary(line: &str) -> Option<usize> {
    let rest = line.split_once("tests run: ")?.1;
    rest.split_once(" passed")?.0.parse().ok()
}

async fn serve(listener: tokio::net::TcpListener, server: Arc<Server>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { return };
        let server = server.clone();
        tokio::spawn(async move {
            let (stream, line) = Watched::new(stream);
            let service = service_fn(|request: http::Request<hyper::body::Incoming>| {
                let (server, line) = (server.clone(), line.clone());
                async move {
                    let request = request.map(|body| body.map_err(BoxError::from).boxed_unsync());
                    Ok::<_, Infallible>(if line.has_fragment(request.method(), request.uri()) {
                        server.dav.refuse(Error::bad_request("A request target has no fragment."))
                    } else {
                        server.dav.handle(&server.alice, &server.mount, request).await
                    })
                }
            });
            let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
            // A client that hangs up is no failure of the test.
            let _ = builder.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
