//! What every port promises, asked of its adapter: in one binary, each case against a store of its own.
//!
//! The store is dynoxide, in this process, and then MiniStack for a second opinion.
//! `LATCHKEY_TEST_DYNAMODB` names the endpoint of another.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a case that can't go on has failed"
)]

mod api_keys;
mod authorisations;
mod connectors;
mod consents;
mod deletions;
mod due;
mod events;
mod hosts;
mod instances;
mod journals;
mod keys;
mod leases;
mod lossy_proxy;
mod lost_replies;
mod methods;
mod outbox;
mod overview;
mod queue;
mod rehousing;
mod renewals;
mod second_opinion;
mod secrets;
mod sessions;
mod settings;
mod spares;
mod tables;
mod upkeep;
mod vault;
mod world;
