//! What the provider has granted: tokens, their ends, and what becomes of those that were used.

use std::collections::BTreeMap;

use serde_json::Value;

/// A visit to the authorise URL that ended with consent.
#[derive(Debug, Clone)]
pub(super) struct Visit {
    pub(super) flow: BTreeMap<String, String>,
    pub(super) captured: BTreeMap<String, String>,
    pub(super) scope: Vec<String>,
    pub(super) code: Option<String>,
    pub(super) at: u64,
    pub(super) grant: Option<usize>,
}

/// An access token.
#[derive(Debug, Clone)]
pub(super) struct Issue {
    /// The further token set that it belongs to; empty for the first.
    pub(super) set: String,
    pub(super) access: String,
    pub(super) id_token: Option<String>,
    pub(super) expires: Option<u64>,
    /// Which refresh token came or stayed with it.
    pub(super) refresh: Option<usize>,
    /// Whether it was to be exchanged for another at once.
    pub(super) exchanged: bool,
}

/// A refresh token.
#[derive(Debug, Clone)]
pub(super) struct Refresh {
    pub(super) set: String,
    pub(super) token: String,
    pub(super) expires: Option<u64>,
    pub(super) used_at: Option<u64>,
    pub(super) ended: bool,
}

/// Requests that must follow another one.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    /// The request that they follow.
    pub(super) of: &'static str,
    pub(super) done: usize,
    pub(super) steps: BTreeMap<String, Value>,
}

/// A grant.
#[derive(Debug, Clone)]
pub(super) struct Grant {
    pub(super) visit: usize,
    pub(super) captured: BTreeMap<String, String>,
    pub(super) revoked: Option<String>,
    pub(super) issues: Vec<Issue>,
    pub(super) refreshes: Vec<Refresh>,
    pub(super) pending: Option<Pending>,
    /// The answers of lookups so far.
    pub(super) looked_up: BTreeMap<String, Value>,
}

/// What becomes of a refresh token that was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rotation {
    Stays,
    UntilUsed,
    Grace(u64),
    SingleUse,
}

impl Rotation {
    /// As a definition says it.
    pub(super) fn declared(refresh: &Value) -> Self {
        let rotation = refresh.get("rotation").unwrap_or(&Value::Null);
        let grace = rotation.get("grace").and_then(|grace| grace.get("seconds"));
        let always = refresh.get("keep_refresh_token").and_then(Value::as_str) == Some("always");
        match (rotation.as_str(), grace.and_then(Value::as_u64)) {
            (Some("none"), _) => Self::Stays,
            (Some("until_used"), _) => Self::UntilUsed,
            (_, Some(seconds)) => Self::Grace(seconds),
            (None | Some("unknown"), None) if always => Self::Stays,
            (_, None) => Self::SingleUse,
        }
    }
}

impl Grant {
    /// The newest access token of a set.
    pub(super) fn newest(&self, set: &str) -> Option<usize> {
        self.issues.iter().rposition(|issue| issue.set == set)
    }

    /// The sets that have tokens.
    pub(super) fn sets(&self) -> Vec<&str> {
        let mut sets: Vec<_> = self.issues.iter().map(|issue| issue.set.as_str()).collect();
        sets.sort_unstable();
        sets.dedup();
        sets
    }

    /// Why a refresh token is refused; whether that ends the whole grant.
    pub(super) fn refuses(
        &self,
        refresh: usize,
        rotation: Rotation,
        now: u64,
    ) -> Option<(String, bool)> {
        let refresh = &self.refreshes[refresh];
        let token = &refresh.token;
        if let Some(why) = &self.revoked {
            return Some((format!("the grant has ended: {why}"), false));
        }
        if refresh.expires.is_some_and(|expires| now >= expires) {
            return Some((format!("the refresh token {token} has expired"), false));
        }
        if refresh.ended {
            return Some((format!("the refresh token {token} has ended"), false));
        }
        let used = refresh.used_at?;
        let again = format!("the refresh token {token} was used before");
        match rotation {
            Rotation::Stays | Rotation::UntilUsed => None,
            Rotation::Grace(seconds) if now <= used + seconds => None,
            Rotation::Grace(_) | Rotation::SingleUse => Some((again, true)),
        }
    }

    /// Notes that a refresh token was used.
    pub(super) fn used(&mut self, refresh: usize, rotation: Rotation, now: u64) {
        let set = self.refreshes[refresh].set.clone();
        for other in self.refreshes.iter_mut().take(refresh) {
            // Those before it worked until it was used.
            other.ended |= rotation == Rotation::UntilUsed && other.set == set;
        }
        let used = &mut self.refreshes[refresh];
        used.used_at = used.used_at.or(Some(now));
    }
}
