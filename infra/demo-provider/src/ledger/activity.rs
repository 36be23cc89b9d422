//! What the home page tells: counts and the latest events, without a token.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Counts since the first start, and the latest events.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Activity {
    pub(crate) access_tokens_issued: u64,
    pub(crate) refreshes: u64,
    /// The newest first.
    pub(crate) events: VecDeque<Event>,
}

/// Something that happened, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) at: Timestamp,
    pub(crate) deed: Deed,
}

/// What can happen to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Deed {
    Denied,
    Connected,
    Refreshed,
    Revoked,
    AccessTokenRevoked,
    CodeReplayed,
    RefreshTokenReused,
}

impl Activity {
    pub(super) fn record(&mut self, deed: Deed, now: Timestamp) {
        self.access_tokens_issued += u64::from(deed.issues_an_access_token());
        self.refreshes += u64::from(deed == Deed::Refreshed);
        self.events.push_front(Event { at: now, deed });
        self.events.truncate(EVENTS);
    }
}

impl Deed {
    const fn issues_an_access_token(self) -> bool {
        match self {
            Self::Connected | Self::Refreshed => true,
            Self::Denied
            | Self::Revoked
            | Self::AccessTokenRevoked
            | Self::CodeReplayed
            | Self::RefreshTokenReused => false,
        }
    }

    /// Says it to a newcomer.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Denied => "Demo user said no",
            Self::Connected => "Connected: a code was exchanged for the first tokens",
            Self::Refreshed => "Refreshed: a new access token, and a new refresh token",
            Self::Revoked => "Disconnected: the refresh token was revoked",
            Self::AccessTokenRevoked => "An access token was revoked; the connection stays",
            Self::CodeReplayed => "A code was used twice, so its connection was ended",
            Self::RefreshTokenReused => {
                "An old refresh token was used, so its connection was ended"
            }
        }
    }
}

/// As many as fit on a screen.
const EVENTS: usize = 8;
