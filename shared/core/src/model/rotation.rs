//! What becomes of a refresh token once it is used.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the provider does with a refresh token that has been used.
///
/// It decides whether a refresh whose answer was lost may be asked for again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// It stays as it is.
    None,
    /// A new one comes, and the old one works until the new one is used.
    UntilUsed,
    /// It works once more for a while.
    Grace {
        /// How long, in seconds.
        seconds: u32,
    },
    /// It works once; using it again may end the connection (RFC 9700 §4.14.2).
    SingleUse,
    /// Nobody knows; taken for single use.
    #[default]
    Unknown,
}

impl Rotation {
    /// For how long a used token works once more, where that is for a while.
    #[must_use]
    pub fn window(self) -> Option<Duration> {
        match self {
            Self::Grace { seconds } => Some(Duration::from_secs(seconds.into())),
            Self::None | Self::UntilUsed | Self::SingleUse | Self::Unknown => None,
        }
    }
}
