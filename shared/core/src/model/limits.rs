//! How long a call to a provider lasts at most, and the lease around it.
//!
//! The lease outlives the call: hard limit of the call, commit and clocks' differences together are
//! shorter than it. That is a safety rule (`refresh.md`, rule 1), so that nothing here can be set.

use std::time::Duration;

use super::rotation::Rotation;

/// How long a lease holds at most.
pub const LEASE: Duration = Duration::from_secs(30);
/// The hard limit of a call. Once the bytes are out it is never given up before.
pub const CALL: Duration = Duration::from_secs(20);
/// How long a commit may take, repetitions included.
const COMMIT: Duration = Duration::from_secs(5);
/// How much clocks may differ.
pub const SKEW: Duration = Duration::from_secs(2);
/// How old a lease may be when the request is sent: what is left then holds for call, commit and skew.
pub const SLACK: Duration =
    Duration::from_secs(LEASE.as_secs() - CALL.as_secs() - COMMIT.as_secs() - SKEW.as_secs());

// The lease outlives the call, so it does not compile otherwise.
const _: () = assert!(CALL.as_secs() + COMMIT.as_secs() + SKEW.as_secs() < LEASE.as_secs());

/// A call is not cut shorter than this for the sake of a window, or than this for each step before it.
const SHORTEST_CALL: Duration = Duration::from_secs(5);
const FOR_A_STEP: Duration = Duration::from_secs(2);
/// From when a reminder comes to when its request is at the provider.
const COMING: Duration = Duration::from_secs(3);
/// Clocks that differ are not the only ones: a lease has lapsed when whole seconds say so.
const MOMENT: Duration = Duration::from_secs(1);

/// The limits of one definition's refreshes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    call: Duration,
}

impl Limits {
    /// The limits of a definition whose refresh has so many steps before it.
    ///
    /// Where a used token works for a short while yet, whoever comes after a worker that has died must
    /// come within it: the lease has to lapse so long before. Where that can't be had, the limits are
    /// those of all others.
    #[must_use]
    pub fn of(rotation: Rotation, steps_before: usize) -> Self {
        let for_steps = FOR_A_STEP.saturating_mul(u32::try_from(steps_before).unwrap_or(u32::MAX));
        let shortest = SHORTEST_CALL.max(for_steps);
        let around = Self {
            call: Duration::ZERO,
        };
        let call = rotation
            .window()
            .and_then(|window| window.checked_sub(around.lapses_after() + COMING))
            .filter(|call| *call >= shortest)
            .unwrap_or(CALL);
        Self {
            call: call.min(CALL),
        }
    }

    /// The hard limit of all requests under a lease: the steps before the token request, and itself.
    #[must_use]
    pub fn call(self) -> Duration {
        self.call
    }

    /// How much of that the steps before the token request may take together.
    #[must_use]
    pub fn steps(self) -> Duration {
        self.call / 2
    }

    /// How long the lease holds.
    #[must_use]
    pub fn lease(self) -> Duration {
        self.call + COMMIT + SKEW + SLACK
    }

    /// When somebody else can take a lease that its holder did not give back.
    #[must_use]
    pub fn lapses_after(self) -> Duration {
        self.lease() + SKEW + MOMENT
    }

    /// Whether whoever comes after a worker that has died comes within a window.
    #[must_use]
    pub fn fit(self, window: Duration) -> bool {
        self.lapses_after() + COMING <= window
    }
}

impl Default for Limits {
    /// Those where nothing is known of the provider.
    fn default() -> Self {
        Self { call: CALL }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grace(seconds: u32) -> Rotation {
        Rotation::Grace { seconds }
    }

    #[test]
    fn a_lease_outlives_its_call_and_lapses_within_a_short_window() {
        for (rotation, steps, call, fits) in [
            (grace(10), 0, 20, false),
            (grace(20), 0, 20, false),
            (grace(21), 0, 5, true),
            (grace(30), 0, 14, true),
            (grace(30), 5, 14, true),
            (grace(25), 5, 20, false),
            (grace(36), 0, 20, true),
            (grace(3600), 5, 20, true),
        ] {
            let limits = Limits::of(rotation, steps);
            assert_eq!(limits.call().as_secs(), call, "{rotation:?}");
            let Rotation::Grace { seconds } = rotation else {
                unreachable!()
            };
            assert_eq!(limits.fit(Duration::from_secs(seconds.into())), fits);
        }
        for rotation in [Rotation::None, Rotation::SingleUse, Rotation::Unknown] {
            assert_eq!(Limits::of(rotation, 5), Limits::default());
        }
        assert_eq!(Limits::default().lease(), LEASE);
    }

    #[test]
    fn no_limits_are_too_long_for_their_lease() {
        for seconds in 0..100 {
            let limits = Limits::of(grace(seconds), 5);
            assert!(limits.call() + COMMIT + SKEW < limits.lease());
            assert!(limits.lease() <= LEASE && limits.call() >= SHORTEST_CALL);
            assert!(limits.steps() >= Duration::from_secs(5));
        }
    }
}
