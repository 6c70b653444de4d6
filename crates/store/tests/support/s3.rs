//! An S3 server in this process, over a directory: what Garage, Ceph or MinIO are to a real installation.

use std::io;
use std::net::SocketAddr;
use std::path::Path;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tokio::net::TcpListener;

pub(crate) const ACCESS_KEY_ID: &str = "nichoir";
pub(crate) const SECRET_ACCESS_KEY: &str = "nichoir-secret";

/// Serves the bucket `bucket` below `root` on `listen` until the process ends; says where.
pub(crate) async fn start(listen: &str, root: &Path, bucket: &str) -> io::Result<SocketAddr> {
    std::fs::create_dir_all(root.join(bucket))?;
    let files = FileSystem::new(root).map_err(|error| io::Error::other(format!("{error:?}")))?;
    let mut service = S3ServiceBuilder::new(files);
    service.set_auth(SimpleAuth::from_single(ACCESS_KEY_ID, SECRET_ACCESS_KEY));
    let service = service.build();
    let listener = TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        // A failed accept is one lost connection, which the client makes again.
        loop {
            let Ok((socket, _)) = listener.accept().await else { continue };
            let service = service.clone();
            tokio::spawn(async move {
                let connections = Builder::new(TokioExecutor::new());
                let _ = connections.serve_connection(TokioIo::new(socket), service).await;
            });
        }
    });
    Ok(address)
}
