//! What other systems write, and what becomes of it.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a case that can't go on has failed"
)]

mod anything;
mod discovery;
mod nango;
mod postman;
mod power_platform;
mod world;
