//! The re-authenticate request.

use std::time::Duration;

use super::Subject;
use crate::model::{
    definition::{ExpiryKind, RefreshDefinition, RefreshMode, RefreshPolicy, ResponseDefinition},
    limits::Limits,
    rotation::Rotation,
};

pub(super) fn check(subject: &mut Subject<'_>) {
    let refresh = &subject.written.refresh;
    let never = subject.expiry() == Some(ExpiryKind::Never);
    match refresh.mode {
        RefreshMode::None if says_more(refresh) => {
            let why = "nothing is refreshed, so that nothing of this is used";
            subject.say("unused_refresh", "/refresh", why);
        }
        RefreshMode::None if !never => {
            let why = "when the access token ends, the user must connect again";
            subject.say("no_refresh", "/refresh/mode", why);
        }
        RefreshMode::None => {}
        RefreshMode::RefreshToken
        | RefreshMode::AccessToken
        | RefreshMode::ClientCredentials
        | RefreshMode::Resign => {
            if never && says_more(refresh) {
                let why = "an access token that never ends is never refreshed";
                subject.say("unused_refresh", "/refresh", why);
            }
            if refresh.mode == RefreshMode::RefreshToken
                && refresh.rotation == Rotation::Unknown
                && !never
            {
                let why = "a refresh whose answer is lost can't be repeated with confidence";
                subject.say("unknown_rotation", "/refresh/rotation", why);
            }
            another_host(subject);
            window(subject);
            limits(subject);
        }
    }
}

/// A window in which nobody can come after a worker that has died.
fn window(subject: &mut Subject<'_>) {
    let written = &subject.written.refresh;
    let Rotation::Grace { seconds } = written.rotation else {
        return;
    };
    let steps = subject.method.refresh.request.before.len();
    let limits = Limits::of(written.rotation, steps);
    if !limits.fit(Duration::from_secs(seconds.into())) {
        let why =
            "if a worker dies over a refresh, the next comes when the used token works no more";
        subject.say("short_window", "/refresh/rotation", why);
    }
}

/// Limits of refresh tokens, and what is done about them, that are never used.
fn limits(subject: &mut Subject<'_>) {
    let written = &subject.written.refresh;
    let (mode, policy) = (written.mode, written.policy);
    let (idle, absolute) = (written.idle_seconds, written.absolute_seconds);
    let warns = written.warning_days.is_some();
    let expiry = |response: &Option<ResponseDefinition>| {
        response
            .as_ref()
            .is_some_and(|response| response.refresh_expiry.is_some())
    };
    let ends = absolute.is_some()
        || expiry(&subject.written.token.response)
        || expiry(&subject.written.refresh.response);
    if idle.is_some() && mode != RefreshMode::RefreshToken {
        let why = "there is no refresh token that could end of disuse";
        subject.say("unused_limit", "/refresh/idle_seconds", why);
    } else if idle.is_some() && absolute.is_some_and(|absolute| idle >= Some(absolute)) {
        let why = "the connection ends before a refresh token could end of disuse";
        subject.say("unused_limit", "/refresh/idle_seconds", why);
    }
    if mode == RefreshMode::AccessToken && policy == RefreshPolicy::KeepAlive {
        let why =
            "an access token that is exchanged for the next is always refreshed before it ends";
        subject.say("unused_limit", "/refresh/policy", why);
    }
    if warns && !ends {
        let why = "nothing says that a connection ends: there is nothing to warn of";
        subject.say("unused_limit", "/refresh/warning_days", why);
    }
}

/// Whether a refresh is described beyond its mode.
fn says_more(written: &RefreshDefinition) -> bool {
    let blank = RefreshDefinition {
        mode: written.mode,
        ..RefreshDefinition::default()
    };
    *written != blank
}

fn another_host(subject: &mut Subject<'_>) {
    let hosts = |urls: &[crate::model::url_template::UrlTemplate]| -> Vec<String> {
        urls.iter()
            .filter_map(|url| url.literal_host())
            .map(site)
            .collect()
    };
    let token = hosts(&subject.method.token.urls);
    let refresh = hosts(&subject.method.refresh.request.urls);
    if !token.is_empty() && refresh.iter().any(|host| !token.contains(host)) {
        let why = "refresh tokens and the client secret go to another site than the code does";
        subject.say("refresh_elsewhere", "/refresh/url", why);
    }
}

/// The last two labels of a host: near enough to what one owner has.
fn site(host: &str) -> String {
    let mut labels: Vec<_> = host.rsplit('.').take(2).collect();
    labels.reverse();
    labels.join(".").to_ascii_lowercase()
}
