//! What a process decides about its egress.

use std::time::Duration;

use latchkey_core::flow::Mode;

/// What a process decides about its egress; everything else is fixed.
#[derive(Debug, Clone, Copy)]
pub struct EgressSettings {
    /// Whether requests may go to this machine.
    pub loopback: Loopback,
    /// The limit of a look-up, a TCP connection and a TLS handshake together.
    ///
    /// Keep it below the limits of requests: what is left is the provider's time to answer, and a
    /// request without a body whose own limit passes first counts as in doubt.
    pub connect_limit: Duration,
    /// How long a connection that nobody uses is kept.
    ///
    /// Servers close idle connections without a word, some after five seconds (Node's default). A
    /// request that crosses such a close on the wire is in doubt although nobody acted on it, so
    /// the default stays below. Under load a connection is used again at once and the limit doesn't
    /// matter.
    pub idle_limit: Duration,
}

impl EgressSettings {
    /// The settings of a process that runs in `mode`: loopback on this machine only.
    #[must_use]
    pub fn of(mode: Mode) -> Self {
        let loopback = match mode {
            Mode::Cloud => Loopback::Refused,
            Mode::Emulated | Mode::Local => Loopback::Allowed,
        };
        Self {
            loopback,
            ..Self::default()
        }
    }
}

/// Refuses loopback, connects within 5 s, keeps idle connections for 4 s.
impl Default for EgressSettings {
    fn default() -> Self {
        Self {
            loopback: Loopback::Refused,
            connect_limit: Duration::from_secs(5),
            idle_limit: Duration::from_secs(4),
        }
    }
}

/// Whether requests may go to this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loopback {
    /// Never: the setting for AWS.
    Refused,
    /// `http` and `https` to `127.0.0.0/8`, `::1` and the name `localhost`: the setting for local
    /// mode. No other name may lead there.
    Allowed,
}
