//! The home page: what this is, and what its tokens are up to.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};
use http::StatusCode;

use crate::{
    Provider,
    ledger::{Activity, Deed, Event},
    page::{self, STYLE},
};

/// `GET /`
pub(crate) async fn home(State(provider): State<Arc<Provider>>) -> Response {
    let settings = &provider.settings;
    let page = HomePage {
        style: STYLE,
        script: SCRIPT,
        lifetime: settings.access_token_lifetime.as_secs(),
        seen: Seen::of(&provider),
    };
    page::render_with_script(&page, SCRIPT)
}

/// `GET /activity`: the part of the home page that changes, for its script.
pub(crate) async fn activity(State(provider): State<Arc<Provider>>) -> Response {
    page::render(
        StatusCode::OK,
        &ActivityPart {
            seen: Seen::of(&provider),
        },
    )
}

/// What there is to see, without a token.
struct Seen {
    connections: usize,
    access_tokens_issued: u64,
    refreshes: u64,
    events: Vec<SeenEvent>,
}

struct SeenEvent {
    /// For machines, RFC 3339; the script shows it in local time.
    at: String,
    /// For people whose browser runs no script.
    time: String,
    title: &'static str,
    /// Which of the styles it is shown in.
    mark: &'static str,
}

impl Seen {
    fn of(provider: &Provider) -> Self {
        let ledger = provider.store.snapshot();
        let (connections, activity) = ledger.activity(provider.store.now());
        let Activity {
            access_tokens_issued,
            refreshes,
            events,
        } = activity;
        Self {
            connections,
            access_tokens_issued: *access_tokens_issued,
            refreshes: *refreshes,
            events: events.iter().map(SeenEvent::of).collect(),
        }
    }
}

impl SeenEvent {
    fn of(event: &Event) -> Self {
        Self {
            at: event.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            time: event.at.strftime("%H:%M:%S UTC").to_string(),
            title: event.deed.title(),
            mark: mark(event.deed),
        }
    }
}

const fn mark(deed: Deed) -> &'static str {
    match deed {
        Deed::Connected | Deed::Refreshed => "good",
        Deed::Denied | Deed::Revoked | Deed::AccessTokenRevoked => "plain",
        Deed::CodeReplayed | Deed::RefreshTokenReused => "bad",
    }
}

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage<'a> {
    style: &'a str,
    script: &'a str,
    /// Of an access token, in seconds.
    lifetime: u64,
    seen: Seen,
}

#[derive(Template)]
#[template(path = "activity.html")]
struct ActivityPart {
    seen: Seen,
}

const SCRIPT: &str = include_str!("../templates/home.js");
