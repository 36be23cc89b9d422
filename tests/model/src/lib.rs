//! A model of the refresh protocol (`refresh.md`), checked state by state with `stateright`.
//!
//! # Why
//! Tests try the schedules that somebody thought of. What loses a connection is two workers, a lost
//! reply and a frozen process in an order that nobody thought of. The model is small enough that every
//! order is tried, and each rule of the protocol can be left out to see what breaks ([`bug`]).
//!
//! # How it works
//! A [`state::State`] is one instance: its item, its provider, its secret in Secrets Manager, and two
//! or three workers. An [`action::Action`] is one thing that happens to it: a worker's next await, or a
//! fault before, during or after it. [`property`] says what must hold in every state that can be
//! reached; one of them lets everybody go on without faults and looks at the end ([`heal`]).
//!
//! | here | `refresh.md` | code |
//! |---|---|---|
//! | [`item::Item::incarnation`] | `inc` | `Instance::incarnation` |
//! | [`item::Item::epoch`] | `ep` | `Instance::epoch` |
//! | [`item::Item::committed`] | `ce` | `StoredGrant::epoch` |
//! | [`item::Item::parent`] | | `StoredGrant::parent` |
//! | [`item::Item::origin`], [`item::Spare::origin`] | | `StoredGrant::answer_epoch` |
//! | [`item::Item::token`] | `ct` | `StoredGrant::tokens` |
//! | [`item::Item::spares`] | `sp` | `Instance::spares` |
//! | [`item::Spare::is_suspect`], [`item::Spare::is_in_doubt`] | | `Spare::is_refused`, `Spare::in_doubt` |
//! | [`item::Item::lease`] | `lu`, `lo` | `Instance::lease` |
//! | [`item::Item::attempts`] | `ia` | `Instance::attempts` |
//! | [`item::Item::status`] | `st` | `Instance::state` |
//! | [`item::Item::journal`], [`item::Item::version`] | `jr`, `ver` | `StoredGrant::refresh_tokens` |
//! | `step::begin` | *Read* | `Sweep::attend`, `Refresh::vend`, `Refresh::prepared` |
//! | `step::lease` | *Lease* | `Leases::lease` |
//! | `step::send`, `step::answer` | *Call* | `Refresh::call` |
//! | `keep::keep` | *Commit* | `Leases::commit`, `commit_late`, `keep_spare` |
//! | `refuse::refused` | *Dead?* | `Refresh::refused`, `Leases::promote`, `condemn` |
//! | `step::free` | *Otherwise* | `Leases::fail`, `free` |
//! | `step::renew` | *In doubt in a live worker* | `Refresh::asked_again`, `Leases::renew` |
//! | `step::follow` | *Commit*, then the steps after it | `Refresh::follow`, `Commit::next` |
//! | `journal::write_vault` | *Secrets Manager* | `flow::journal`, `Secrets::keep`, `PointInstances::point` |
//! | [`action::Action::Reconnect`] | *Reconnect* | `Consents::connect` |
//! | [`action::Action::Delete`], [`action::Action::Purge`] | *Delete* | `Deletions` |
//!
//! # What is left out
//! Time: what must wait (`nb`, `is`, the suspicion's quarter of an hour) may wait for ever or not at all,
//! and a lease lapses only over somebody dead or asleep, which is what rule 1 promises. The quarantine
//! only ever keeps a status from changing. Answers that can't be read, the queue (a worker that keeps
//! its answer and commits late is the same; that it does so before another asks is the promise of
//! `Leases::hold_off`), and the revocation of what nobody uses are not modelled. A request that could not
//! be sent and is tried again under the same lease changes nothing that is modelled. A consent takes
//! effect at once. The provider's window for a used token stays open while the item has
//! nothing newer that works: that the next attempt comes in time is the insurance message's promise.
//!
//! # Where it says more than the page
//! Each is a [`bug::Bug`] that loses a connection, or can't be healed, if it is left out:
//! - A lease asks for `ce` as it was seen, not for `ep` alone: a late commit does not change `ep`. The
//!   nonce of an earlier try counts only if `ce` has not moved since ([`bug::Bug::LeaseByEpoch`]).
//! - What is refused once and gives way to a spare stays as a spare until it is refused again
//!   ([`bug::Bug::RefusedDropped`]).
//! - A spare that takes its place has the lease's epoch from then on: `ce` never goes back
//!   ([`bug::Bug::PromotedAsOld`]).
//! - The item remembers which epoch its tokens were made from, so that an answer that was committed and
//!   used is not taken for a sibling ([`bug::Bug::UsedKept`]).
//! - Where a used token may still work, it stays as a spare if the commit comes while another attempt is
//!   in doubt ([`bug::Bug::ParentDropped`]).
//! - A spare that was kept because a request with it may still be on its way is still in doubt when it
//!   takes the place of what is refused ([`bug::Bug::DoubtForgotten`]).
//! - A spare that takes another's place remembers which answer it came by, so that this answer, committed once more,
//!   does not push out other spares ([`bug::Bug::PromotedKeptAgain`]).
//! - What the steps after a refresh brought has the refresh's own token: if anything has moved since, it
//!   is dropped, and no spare ([`bug::Bug::FollowerKept`]).
//! - The version that `AWSCURRENT` is removed from is the one that was seen before the lease
//!   ([`bug::Bug::LabelSeenLate`]). Where the code looks later, it asks the item afterwards whether the
//!   journal is still its own: whoever overtook it wrote the item before the label.

pub mod action;
pub mod bug;
pub mod check;
pub mod configuration;
pub mod heal;
pub mod item;
mod journal;
mod keep;
pub mod property;
pub mod provider;
mod refuse;
pub mod state;
pub mod step;
pub mod vault;
pub mod worker;

/// The protocol in one configuration.
#[derive(Debug, Clone, Copy)]
pub struct Refreshing(pub configuration::Configuration);
