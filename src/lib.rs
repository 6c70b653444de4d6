//! nichoir: many small Nextcloud-compatible spaces on one machine. Composition only: which parts there are, and how they are
//! put together; no protocol, no SQL.

pub mod app;
pub mod cli;
pub mod config;
mod forged;
mod gate;
mod generated;
mod http2;
mod notify;
pub mod observe;
mod pace;
mod push;
mod route;
mod seat;
pub mod server;
mod stack;
mod subscription;
mod turn;

pub use gate::Peer;
