//! The re-authenticate request.

use super::Subject;
use crate::model::{
    definition::{ExpiryKind, RefreshDefinition, RefreshMode},
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
        }
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
