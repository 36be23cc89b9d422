//! The end of the read phase: whether a call may be made at all, before anything is written for it.

use std::time::Duration;

use jiff::Timestamp;

use super::{Found, Refresh, RefreshError, later};
use crate::{
    model::{host::Host, instance::Instance, pause::Pause, rotation::Rotation},
    port::{Due, HoldOff, Postpone, StoreError},
};

/// Within this time of the store's coming back the answers that it did not take are out of the queue.
/// Callers have the patience for it.
const ADOPTION: Duration = Duration::from_secs(10);

impl Refresh<'_> {
    /// Whether the instance has to be left alone for a while first, and is from now on. Whoever held its
    /// lease never said what came of it: their answer may be in the queue, since the store was down, and
    /// asking once more would spend a token that it has replaced.
    pub(super) async fn held_off(
        &self,
        instance: &Instance,
        rotation: Rotation,
    ) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let lapsed = instance.lease.as_ref().filter(|lease| lease.until <= now);
        let Some(lease) = lapsed else {
            return Ok(false);
        };
        let was_held_off = instance.not_before.is_some_and(|at| at > lease.until);
        if instance.attempts == 0 || was_held_off || works_again(rotation, instance.last_send, now)
        {
            return Ok(false);
        }
        let not_before = later(now, ADOPTION, 1);
        let hold = HoldOff {
            key: &instance.key,
            epoch: instance.epoch,
            nonce: &lease.nonce,
            not_before,
            due: Due::of(&instance.key, not_before),
        };
        self.instances.hold_off(hold).await?;
        Ok(true)
    }

    /// Why the instance's host or auth method is not to be asked now, if so. Where it is asked once
    /// in a while, and that is due, this is the call: it is claimed, for all processes.
    pub(super) async fn paused(
        &self,
        found: &Found,
        host: Option<&Host>,
    ) -> Result<Option<Pause>, RefreshError> {
        let now = self.clock.now();
        // What the method forbids is no reason to claim the host's call.
        let quarantine = found.health().quarantined(now);
        if let Some(quarantine) = quarantine.filter(|quarantine| now < quarantine.probe_at) {
            return Ok(Some(quarantine.pause()));
        }
        if let Some(host) = host
            && let Some(pause) = self
                .breakers
                .admit(host, now, self.entropy, self.metrics)
                .await?
        {
            return Ok(Some(pause));
        }
        self.quarantined(found, now).await
    }

    /// Why an instance is not refreshed although it could be, if so; it is not touched.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    pub async fn pause(&self, instance: &Instance) -> Result<Option<Pause>, StoreError> {
        let Some(grant) = instance.usable_grant().filter(|grant| grant.refreshable) else {
            return Ok(None);
        };
        let found = match self.found(instance).await {
            Ok(Some(found)) => found,
            // What keeps us from asking at all is no pause.
            Ok(None) | Err(RefreshError::Vault(_)) => return Ok(None),
            Err(RefreshError::Store(error)) => return Err(error),
        };
        let now = self.clock.now();
        if let Some(quarantine) = found.health().quarantined(now) {
            return Ok(Some(quarantine.pause()));
        }
        let host = match self.named_host(&found, instance) {
            Some(host) => Some(host),
            // What names it has to be opened.
            None => match self.opened(instance, grant, found).await {
                Ok(prepared) => prepared.host,
                Err(RefreshError::Vault(_)) => None,
                Err(RefreshError::Store(error)) => return Err(error),
            },
        };
        match host {
            Some(host) => self.breakers.pause(&host, now).await,
            None => Ok(None),
        }
    }

    /// Leaves an instance alone for a while that is due and may not be refreshed. It may be refreshed
    /// at once all the same when somebody asks for it and the pause is over.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    pub async fn postpone(&self, instance: &Instance, pause: &Pause) -> Result<(), StoreError> {
        let Some(grant) = instance.usable_grant() else {
            return Ok(());
        };
        let now = self.clock.now();
        let rest = pause.rest(
            now,
            instance.schedule_with(grant).lifetime(),
            self.entropy.share(),
        );
        let postpone = Postpone {
            key: &instance.key,
            epoch: instance.epoch,
            due: Due::of(&instance.key, later(now, rest, 1)),
        };
        self.instances.postpone(postpone).await
    }
}

/// Whether a token that was sent at a time still works if it was used then.
fn works_again(rotation: Rotation, sent: Option<Timestamp>, now: Timestamp) -> bool {
    match rotation {
        Rotation::None | Rotation::UntilUsed => true,
        Rotation::Grace { .. } | Rotation::SingleUse | Rotation::Unknown => {
            let window = sent.zip(rotation.window());
            window.is_some_and(|(sent, window)| now < later(sent, window, 1))
        }
    }
}
