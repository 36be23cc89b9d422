//! What Latchkey knows: its nouns, OAuth 2 on the wire, its verbs, and the ports that they need.
//!
//! Nothing in here does I/O: no runtime, no HTTP client, no AWS, no environment, no wall clock.
//! `use` goes one way only: [`model`] ← [`protocol`] ← [`port`] ← [`flow`].

pub mod flow;
pub mod model;
pub mod port;
pub mod protocol;

#[cfg(test)]
mod unprintable;
