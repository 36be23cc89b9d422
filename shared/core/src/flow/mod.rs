//! The verbs, one file each. A flow borrows its ports and reads top to bottom as the specification.

pub mod announce;
pub mod authenticate;
pub mod authorise;
pub mod complete;
pub mod define;
pub mod delete;
mod discover;
mod exchange;
mod journal;
mod keeping;
mod method_secrets;
mod open;
pub mod preview;
pub mod refresh;
pub mod rehouse;
pub mod reject;
mod retry;
mod seal;
mod stateless;
pub mod sweep;
pub mod unasked;
pub mod vend;
mod warn;

use std::time::Duration;

use url::Url;

pub use crate::model::terms::WARNING_DAYS;

/// Where the service runs, which decides who authenticates callers and whether loopback is a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// In AWS: the gateway's authorizer says who is asking, and providers have public addresses.
    Cloud,
    /// In an emulator of AWS on this machine, by an explicit setting: as in AWS, but providers may be here too.
    Emulated,
    /// On a laptop, by an explicit setting: there is no gateway, and providers may be on this machine.
    Local,
}

fn days(number: u16) -> Duration {
    Duration::from_hours(24 * u64::from(number))
}

/// What a flow must know of where it runs.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// Where people and callers reach us, without a trailing slash.
    base_url: String,
    /// Where providers send people back to.
    callback_url: String,
    /// Whether every refresh is told.
    tells_refreshes: bool,
    /// How long before its end a connection's user is warned, where the definition does not say.
    warning: Duration,
}

impl Deployment {
    /// A deployment that is reached at `base_url`.
    #[must_use]
    pub fn new(base_url: &Url) -> Self {
        let base_url = base_url.as_str().trim_end_matches('/').to_owned();
        let callback_url = format!("{base_url}/oauth/authenticate");
        Self {
            base_url,
            callback_url,
            tells_refreshes: false,
            warning: days(WARNING_DAYS),
        }
    }

    /// The same with users warned so many days before their connection ends, unless the definition says
    /// otherwise; by default it is [`WARNING_DAYS`].
    #[must_use]
    pub fn warning_days_before(self, before: u16) -> Self {
        Self {
            warning: days(before),
            ..self
        }
    }

    /// How long before its end a connection's user is warned, where the definition does not say.
    #[must_use]
    pub fn warning(&self) -> Duration {
        self.warning
    }

    /// The same with `instance.refreshed` told or not; by default it is not.
    #[must_use]
    pub fn telling_refreshes(self, tells_refreshes: bool) -> Self {
        Self {
            tells_refreshes,
            ..self
        }
    }

    /// Whether `instance.refreshed` is told.
    #[must_use]
    pub fn tells_refreshes(&self) -> bool {
        self.tells_refreshes
    }

    /// Where people and callers reach us, without a trailing slash.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The callback URL that is ours for all connectors.
    #[must_use]
    pub fn callback_url(&self) -> &str {
        &self.callback_url
    }

    /// Whether people reach us over TLS, so that cookies can insist on it.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.base_url.starts_with("https://")
    }
}
