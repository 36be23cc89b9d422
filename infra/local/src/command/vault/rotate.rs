//! `latchkey vault rotate`, and the end of `latchkey vault retire`.

use std::process::ExitCode;

use latchkey_aws::{Keyring, OsEntropy};

use super::keyring::{KeyringPlace, Seen};
use crate::{command::CommandError, print};

/// Makes a new key, and has it seal.
pub(super) async fn rotate(place: &KeyringPlace) -> Result<ExitCode, CommandError> {
    let seen = place.read().await?;
    let next = seen.keyring.clone().rotated(&OsEntropy);
    change(place, &seen, &next, "seals from now on; these still open").await
}

/// Removes all keys but the one that seals.
pub(super) async fn retire(place: &KeyringPlace, seen: Seen) -> Result<ExitCode, CommandError> {
    let next = seen.keyring.clone().current_alone();
    change(place, &seen, &next, "is the only key now; gone").await
}

async fn change(
    place: &KeyringPlace,
    seen: &Seen,
    next: &Keyring,
    what: &str,
) -> Result<ExitCode, CommandError> {
    if !place.replace(seen, next).await? {
        print::warn("latchkey: somebody else has just changed the keyring; nothing was done");
        return Ok(ExitCode::FAILURE);
    }
    let current = next.ids().next().unwrap_or_default();
    let others: Vec<_> = seen.keyring.ids().filter(|id| *id != current).collect();
    let others = match others.is_empty() {
        true => "none".to_owned(),
        false => others.join(", "),
    };
    print::out(&format!("{current} {what}: {others}"))?;
    Ok(ExitCode::SUCCESS)
}
