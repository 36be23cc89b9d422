//! What every port promises, asked of its adapter at every backend that serves: in one binary, each
//! case with names of its own. The tests start the backends themselves.
//!
//! | ports | cases | dynoxide | MiniStack | moto | ours |
//! |---|---|---|---|---|---|
//! | instances: leases, consents, deletions, journals, spares | `leases`, `consents`, `deletions`, `journals`, `spares` | yes | yes | yes | memory |
//! | instances: what is due, upkeep, overview, leases that are renewed | `instances`, `due`, `upkeep`, `overview`, `renewals` | yes | yes | no | memory |
//! | outbox, hosts' breakers, authorisations | `outbox`, `hosts`, `authorisations` | yes | yes | no | memory |
//! | connectors, auth methods with their health, settings | `connectors`, `methods`, `settings` | yes | yes | no | no |
//! | connect sessions, API keys, tables | `sessions`, `api_keys`, `tables` | yes | yes | no | no |
//! | all of these, when a reply is lost | `lost_replies` | yes | yes | no | no |
//! | secrets (Secrets Manager as a vault) | `secrets` | none | yes | yes | `Secrets` |
//! | one secret: the vault's keyring, the first API key | `keys` | none | yes | yes | no |
//! | sealing (the vault without AWS) | `vault` | needs none | needs none | needs none | needs none |
//! | queue | `queue` | none | yes | yes | no |
//! | events | `events` | none | yes | yes | no |
//!
//! dynoxide is a DynamoDB and no more: it has none of the rest. It is in this process and serves each
//! case of the store first; `second_opinion` then runs the same cases against MiniStack, some of them against moto, which
//! is slow and lets writes race (it is asked for one thing at a time), and those of instances
//! against the store in memory that simulations use. What is asked of services that only emulators
//! have goes through both within the case. `Secrets` is the emulator that crashes are tried over.
//! `LATCHKEY_TEST_DYNAMODB` names the endpoint of another store.
//!
//! Where they differ from AWS, and from each other, is said where it shows:
//! - MiniStack puts another value over a secret's version, which AWS and moto refuse (`secrets`);
//! - MiniStack serves all from one thread, and races are run with fewer there (`world::racers`).
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
