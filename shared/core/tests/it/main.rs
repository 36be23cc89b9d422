//! What the common crate promises to strangers and about them, through its public face.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that can't go on fails where it stands, and one says how much it has tried"
)]

mod hostile;
mod properties;
