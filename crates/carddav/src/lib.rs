//! CardDAV (RFC 6352; vCard: RFC 2426, 6350): address objects and what can be asked of them.
//!
//! [`Carddav`] extends the DAV engine on the address book home. Cards are stored and given back as they came, in
//! version 3.0 or 4.0; nothing is converted.

mod account_card;
mod address_data;
mod birthday;
mod export;
mod extension;
mod filter;
mod import;
mod object;
mod photo;
mod property;
mod property_name;
mod report;

pub use account_card::card_of_account;
pub use address_data::AddressData;
pub use birthday::{Birthday, Occasion, birthdays};
pub use export::whole as whole_address_book;
pub use extension::Carddav;
pub use filter::Filter;
pub use object::{AddressObject, Limits};
