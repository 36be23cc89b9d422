//! What is simulated of a fleet, each with its figures. The tests ask for a size that CI has time for;
//! `cargo xtask simulate` for the one that `refresh.md` names.

pub mod hanging;
pub mod herd;
pub mod idle;
mod least;
pub mod mistake;
pub mod outage;
pub mod year;

use latchkey_core::model::instance::State;

use crate::fleet::Fleet;

/// How many instances need a new consent.
fn ended(fleet: &Fleet) -> usize {
    let mut ended = 0;
    fleet.world.store.look_at_all(|instance| {
        ended += usize::from(matches!(instance.state, State::ReconnectRequired { .. }));
    });
    ended
}

/// A count as a number to calculate with.
#[expect(
    clippy::cast_precision_loss,
    reason = "no count here has so many digits"
)]
fn number(count: u64) -> f64 {
    count as f64
}
