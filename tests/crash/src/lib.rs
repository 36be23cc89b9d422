//! The real code, killed before and after everything that it waits for (`refresh.md`).
//!
//! # Why
//! The model tries every order of steps, and the steps are what somebody took the code to do. Here it
//! is the code itself, over the real adapters, as a process that is killed: nothing returns an error,
//! nothing is unwound, nothing is flushed.
//!
//! # How it works
//! A [`job`] is one flow: a refresh by a worker or for somebody who asks, a callback, the platform's
//! completion, a deletion. A [`process`] does one, with every port wrapped ([`crashing`]) so that each
//! call is two points: asked, and done. The provider and the Secrets Manager tell of points in between.
//! What outlives the process is the [`world`]: a store, a Secrets Manager, a queue, and the
//! [`provider`], whose rules are those of the model, so that both are held to the same five.
//! The world is put back to what it was before each process, so that nothing leaks between runs.
//!
//! For each flow a process runs that nobody kills, which tells the points. Then one is killed at each
//! ([`run`]); a lease later everybody goes on without faults, and the end is judged ([`judge`]) by what
//! the provider knows. Then the process that comes after the first is killed at each of *its* points,
//! and it is judged again what comes of that. Time is virtual: a process is told what time it is, and
//! whoever waits waits for nothing.
//!
//! | killed | afterwards |
//! |---|---|
//! | anywhere in a refresh | a sweep refreshes, and a credential can be had that works |
//! | with an answer that is not committed, where the provider is single-use without grace | `reconnect_required`, with "an answer was lost at …" and that very time |
//! | in a callback | the instance is connected, or the page says that it isn't known and the person begins again |
//! | in a deletion | a sweep sees it through: revoked, its secret deleted, told, purged |
//!
//! Everything is tried by `cargo xtask crashes`; the tests try every point alone, and a fixed part of
//! the pairs.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::indexing_slicing,
    reason = "a test that can't go on fails where it stands"
)]

pub mod clock;
pub mod crashing;
pub mod job;
pub mod judge;
pub mod outside;
pub mod ports;
pub mod process;
pub mod provider;
pub mod run;
pub mod shop;
pub mod story;
pub mod watch;
pub mod world;
