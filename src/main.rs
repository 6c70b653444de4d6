//! nichoir
fn main() {}
