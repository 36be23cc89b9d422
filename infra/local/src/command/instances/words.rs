//! Times, methods and blame in words.

use jiff::{SignedDuration, Timestamp};
use latchkey_core::model::{
    failure::{Blame, Failure},
    instance::Instance,
    method::StoredMethod,
    pause::{Pause, Paused},
};

/// A time, and how far it is from now.
pub(super) fn when(at: Timestamp, now: Timestamp) -> String {
    let span = at.duration_since(now);
    let far = match span.is_negative() {
        true => format!("{} ago", long(span.abs())),
        false => format!("in {}", long(span)),
    };
    format!("{at:.0} ({far})")
}

/// A span, in its greatest unit.
fn long(span: SignedDuration) -> String {
    let seconds = span.as_secs();
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// An instance's auth method by name, id and host.
pub(super) fn method(instance: &Instance, method: Option<&StoredMethod>) -> String {
    let (id, tenant) = (&instance.method, &instance.key.tenant);
    match method {
        None => format!("auth method {id} of tenant {tenant}, which is gone"),
        Some(method) => {
            let (name, host) = (&method.definition.name, host(method));
            format!("{name} ({id}) of tenant {tenant} at {host}")
        }
    }
}

/// The URL that a method refreshes at, as its definition spells it.
pub(super) fn token_url(method: &StoredMethod) -> Option<&str> {
    let definition = &method.definition;
    let urls = [&definition.refresh.url, &definition.token.url];
    let url = urls.iter().find_map(|texts| texts.0.first());
    url.map(String::as_str)
}

/// The host of it.
pub(super) fn host(method: &StoredMethod) -> String {
    let text = token_url(method).unwrap_or_default();
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    match host {
        "" => "no host".to_owned(),
        host => host.to_owned(),
    }
}

/// A failure: when, what, and the provider's own words.
pub(super) fn failure(failure: &Failure, now: Timestamp) -> String {
    let at = when(failure.at, now);
    let sentence = failure.code.sentence();
    match &failure.words {
        None => format!("{sentence}, {at}"),
        Some(words) => format!("{sentence}, {at}; in its own words: {words}"),
    }
}

/// What is paused, since when and why.
pub(super) fn pause(pause: &Pause, now: Timestamp) -> String {
    let (what, how) = match pause.whole {
        Paused::Host => (
            "The token host is paused, since it fails again and again",
            "It is asked once a minute",
        ),
        Paused::Method => (
            "The auth method is quarantined, since too many of its instances look dead at once to be believed",
            "One of them is tried every five minutes",
        ),
    };
    let (since, until) = (when(pause.since, now), when(pause.until, now));
    let cause = failure(&pause.cause, now);
    format!("{what}: since {since}; {cause}. {how}, next at {until}.")
}

/// Who has to act, and how.
pub(super) fn needs(needs: Option<Blame>) -> &'static str {
    match needs {
        None => "Nobody has to act.",
        Some(Blame::User) => "The user has to act: only a new consent helps.",
        Some(Blame::Builder) => {
            "The builder has to act: the definition, or the values of the auth method, must be mended."
        }
        Some(Blame::Provider) => {
            "Nobody here can do anything: it is the provider's to get well, and it is asked again."
        }
        Some(Blame::Ourselves) => {
            "The operator has to act: see whether the sweep, its workers, the store and the vault are well."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_with_their_distance() {
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        for (seconds, expected) in [
            (0, "2023-11-14T22:13:20Z (in 0 s)"),
            (-119, "2023-11-14T22:11:21Z (119 s ago)"),
            (600, "2023-11-14T22:23:20Z (in 10 min)"),
            (-7200, "2023-11-14T20:13:20Z (2 h ago)"),
            (172_800, "2023-11-16T22:13:20Z (in 2 days)"),
        ] {
            let at = now + SignedDuration::from_secs(seconds);
            assert_eq!(when(at, now), expected);
        }
    }
}
