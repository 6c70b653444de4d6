//! Whole requests through the engine, one file per method or subject, over a store in a temporary directory.

mod copy_move;
mod extensions;
mod get;
mod listing;
mod litmus;
mod locks;
mod member_report;
mod properties;
mod put;
#[allow(dead_code, reason = "the protocols' tests use the rest of it")]
mod support;
mod sync_collection;
mod virtual_resource;
