//! What a browser keeps after a link's password was right: bound to the link and to that password, and to a time.

use nichoir_store::{Link, Space, Timestamp};

/// A ticket for the link, good until `until`.
pub fn link_ticket(space: &Space, link: &Link, until: Timestamp) -> String {
    let until = until.seconds();
    format!("{until}.{}", seal(space, link, until).to_hex())
}

/// Whether `ticket` was made for the link with the password that it has now, and is still good.
pub fn is_link_ticket(space: &Space, link: &Link, ticket: &str, now: Timestamp) -> bool {
    let Some((until, sealed)) = ticket.split_once('.') else { return false };
    let (Ok(until), Ok(sealed)) = (until.parse::<i64>(), blake3::Hash::from_hex(sealed)) else { return false };
    // Hashes are compared in constant time.
    now.seconds() < until && sealed == seal(space, link, until)
}

fn seal(space: &Space, link: &Link, until: i64) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new_keyed(&space.key("link-ticket"));
    hasher.update(&link.id.0.to_le_bytes());
    hasher.update(&until.to_le_bytes());
    hasher.update(link.password_hash.as_deref().unwrap_or_default().as_bytes());
    hasher.finalize()
}
