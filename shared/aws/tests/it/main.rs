//! What every port promises, asked of its adapter: in one binary, each case against a store of its own.
//!
//! By default that is dynoxide, in this process. `LATCHKEY_TEST_DYNAMODB` names the endpoint of
//! another, for a second opinion.
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
mod instances;
mod leases;
mod lossy_proxy;
mod lost_replies;
mod methods;
mod sessions;
mod settings;
mod spares;
mod tables;
mod vault;
mod world;
