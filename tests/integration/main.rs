//! Whole requests through the composed application, without a socket: on SQLite always, on PostgreSQL when `TEST_POSTGRES`
//! holds its URL. Every test has two spaces with the same logins and names, and ends by asserting that the one it did not
//! speak to has not moved.

mod access;
mod apps;
mod arrival;
mod audit;
mod avatars;
mod bulk;
mod calendar_trash;
mod calendars;
mod cards;
mod comments;
mod direct_links;
mod fairness;
mod file_locks;
mod file_sharing;
mod foreign_tokens;
mod generated;
mod groups;
mod isolation;
mod links;
mod mail;
mod matrix;
mod news;
mod notes;
mod notify_push;
mod office;
mod origin;
mod previews;
mod provisioning;
mod publishing;
mod push;
mod round_trips;
mod scheduling;
mod search;
mod secrets;
mod sharing;
mod subscriptions;
mod support;
mod tags;
mod team_folders;
mod theming;
mod trashbin;
mod unified_search;
mod versions;
mod view_only;
