//! What the tests speak to and with: [`Server`], [`Client`], [`Answer`]; and what counts round trips: [`Toll`].

mod answer;
mod client;
mod collections;
pub(crate) mod sequence;
mod server;
mod sharing;
mod toll;

pub(crate) use answer::Answer;
pub(crate) use client::{Call, Client};
pub(crate) use collections::{document, event};
pub(crate) use server::{Server, on_every_engine, on_every_engine_with};
pub(crate) use toll::Toll;
