//! The store's contract: each promise of the design as a test, on every engine.
//!
//! SQLite over local disk always; PostgreSQL when `TEST_POSTGRES` holds the address of a server.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod account_values;
mod accounts;
mod audit;
mod backup;
mod bin;
mod blob_faults;
mod client_locks;
mod collections;
mod collector;
mod comments;
mod cut_off;
mod departure;
mod events;
mod file_shares;
mod files;
mod garbage;
mod groups;
mod links;
mod locks;
mod marks;
mod member_quota;
mod mishaps;
mod model;
mod news;
mod nth_failure;
mod permissions;
mod pictures;
mod plans;
mod pool;
mod push;
#[path = "../support/s3.rs"]
mod s3;
mod scheduling;
mod scrub;
mod search;
mod share_costs;
mod sharing;
mod spaces;
mod support;
mod sync;
mod team_folders;
mod trash;
mod turns;
mod upgrade;
mod upkeep;
mod uploads;
mod versions;
mod wire;
