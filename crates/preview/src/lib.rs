//! Previews: small pictures of files, made in bounded memory and time off the request's threads, and kept in a directory
//! that forgets the oldest ones. Knows neither HTTP nor the store: bytes in, a picture out.
//!
//! [`Previews::make`] is the one way in. What is drawn is a value, [`Drawing`]: a picture made smaller, the first page of a
//! text, initials, an icon.

mod cache;
mod easel;
mod failure;
mod geometry;
mod initials;
mod kind;
mod letter;
mod made;
mod picture;
mod previews;
mod text;
mod tool;

pub use cache::WORK;
pub use failure::Failure;
pub use geometry::{Fit, Wish};
pub use initials::initials_of;
pub use kind::{Kind, Kinds};
pub use made::{Colour, Drawing, Made, MediaType};
pub use previews::{Key, Limits, Previews};
pub use tool::{Tool, ToolLimits};
