//! The flows of the common crate over ports in memory and a virtual clock.
//!
//! # Why
//! The protocol's model (`tests/model`) tries every order of a small story; it shows that the rules are
//! right, and not that the code follows them. Here the code itself runs: refresh, vend, sweep, callback,
//! rejection and deletion, as they are deployed, on ports that yield, lose calls and come late. And it
//! runs for a day or a year, which no test can wait for.
//!
//! # How it works
//! A [`schedule`] is drawn from a seed: a few processes at one instance or two, each of which may die or
//! be frozen at any await ([`runtime`]), calls to the store that are lost before or after they take effect
//! ([`faults`]), answers that come late or never ([`network`]), messages that come twice or out of order
//! ([`queue`]), users who withdraw and consent anew. Then everybody goes on without faults, and a sweep ticks
//! until each instance has come to an end. The [`watch`] sees each write and each request, and says what
//! may not have happened; these are the properties of the model:
//!
//! | property | what is watched |
//! |---|---|
//! | no avoidable loss | nothing ends whose consent stands, unless a single-use provider's answer was lost; no answer is dropped that could be kept |
//! | no false death | nothing ends while one of its tokens works |
//! | told truly | what ends says why |
//! | one call per token and lease | each request has a lease of its own, which has not lapsed |
//! | tombstone kept | what is deleted is never written again |
//! | no regress | consent and epoch of the tokens never go back |
//! | new consent kept | the instance lives by its newest consent, and by no token of another |
//! | healed | in the end everything is refreshed, ended or gone; whoever asks is told so, and every event is published |
//!
//! A seed that finds something is printed; `LATCHKEY_SEEDS=1437` runs it again, `LATCHKEY_SEEDS=0..1000000`
//! runs others.
//!
//! The [`scenario`]s are fleets over hours, days and a year ([`fleet`], [`sites`]).
//!
//! The store in memory ([`store`]) passes the contract tests of `shared/aws/tests/it`, as the adapter does.
//!
//! # What is left out
//! A write that takes effect after its client has given up; auth methods that are remembered for some
//! seconds; definitions with steps, further token sets or other kinds of expiry; answers that can't be read
//! are in the year, and in no schedule. The vault's keys are no secret here: sealing is tested elsewhere.

pub mod chance;
pub mod events;
pub mod faults;
pub mod fleet;
pub mod line;
pub mod network;
pub mod provider;
pub mod queue;
pub mod runtime;
pub mod scenario;
pub mod schedule;
pub mod sites;
pub mod store;
pub mod timeline;
pub mod told;
pub mod vault;
pub mod watch;
pub mod world;
