//! How it went, in words that a person understands; nothing of the query is ever repeated.

use askama::Template;
use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use latchkey_core::{
    flow::complete::Completion,
    model::{
        Secret,
        authorisation::{Authorisation, Miss},
    },
};
use latchkey_web::page::Page;

use crate::Ports;

#[derive(Template)]
#[template(path = "result.html")]
struct ResultTemplate<'a> {
    good: bool,
    title: &'a str,
    text: &'a str,
    again: Option<String>,
}

/// How an authorisation went, as pages and return URLs say it.
struct Told {
    status: &'static str,
    http: StatusCode,
    title: &'static str,
    text: &'static str,
}

const CONNECTED: Told = Told {
    status: "connected",
    http: StatusCode::OK,
    title: "Connected",
    text: "You can close this page.",
};

const PARKED: Told = Told {
    status: "parked",
    http: StatusCode::OK,
    title: "Almost done",
    text: "Please go back to where you began.",
};

const UNFINISHED: Told = Told {
    status: "unfinished",
    http: StatusCode::CONFLICT,
    title: "We can't say how it went",
    text: "Your answer was taken before, and what became of it is not known. If it does not show as connected \
           in a moment, please start again.",
};

const EXPIRED: Told = Told {
    status: "expired",
    http: StatusCode::BAD_REQUEST,
    title: "That took too long",
    text: "For your safety we wait ten minutes only. Please go back to where you began, and start again.",
};

const UNKNOWN: Told = Told {
    status: "unknown",
    http: StatusCode::BAD_REQUEST,
    title: "We don't know this request",
    text: "It may have been used already, or have begun in another browser. Please go back to where you began, \
           and start again.",
};

/// Sends the person on, or says how it went.
pub(crate) async fn result(ports: &Ports, completion: Completion) -> Response {
    let (authorisation, told) = match completion {
        Completion::Connected(authorisation) => (authorisation, CONNECTED),
        Completion::Parked(authorisation) => (authorisation, PARKED),
        Completion::Unfinished(authorisation) => (authorisation, UNFINISHED),
        // Whose browser it is, is not known: it learns nothing of the authorisation.
        Completion::Missed(_, Miss::OtherBrowser) | Completion::Unknown => {
            return unknown().into_response();
        }
        Completion::Missed(authorisation, miss) => (authorisation, missed(miss)),
        Completion::Expired => return page(&EXPIRED, None).into_response(),
    };
    if let Some(location) = return_url(&authorisation, told.status) {
        let mut response = Redirect::to(&location).into_response();
        response.headers_mut().insert(
            header::CACHE_CONTROL,
            header::HeaderValue::from_static("no-store"),
        );
        response.headers_mut().insert(
            header::REFERRER_POLICY,
            header::HeaderValue::from_static("no-referrer"),
        );
        return response;
    }
    let again = if told.status == CONNECTED.status {
        None
    } else {
        again(ports, &authorisation).await
    };
    page(&told, again).into_response()
}

/// A page for an answer that we know nothing of.
pub(crate) fn unknown() -> Page {
    page(&UNKNOWN, None)
}

/// A page for when we ourselves could not see it through.
pub(crate) fn failed() -> Page {
    let told = Told {
        status: "failed",
        http: StatusCode::SERVICE_UNAVAILABLE,
        title: "That did not work",
        text: "It is our fault, not yours. Please go back to where you began, and start again in a moment.",
    };
    page(&told, None)
}

fn page(told: &Told, again: Option<String>) -> Page {
    let content = ResultTemplate {
        good: told.http == StatusCode::OK,
        title: told.title,
        text: told.text,
        again,
    };
    Page::new(told.http, told.title, &content)
}

/// The return URL with status and instance id, and for the platform what it completes; nothing else.
fn return_url(authorisation: &Authorisation, status: &str) -> Option<String> {
    let mut url = authorisation.return_url.clone()?;
    let mut pairs = url.query_pairs_mut();
    pairs
        .append_pair("status", status)
        .append_pair("instance", authorisation.instance.id.as_str());
    if status == PARKED.status {
        pairs.append_pair("authorisation", authorisation.state.as_str());
    }
    drop(pairs);
    Some(url.into())
}

/// The link to start again in one click, for the browser that began.
async fn again(ports: &Ports, authorisation: &Authorisation) -> Option<String> {
    let place = Authorisation::place(&authorisation.instance, &authorisation.state, "session");
    let opened = ports
        .vault
        .open(&place, authorisation.session.as_ref()?)
        .await
        .ok()?;
    let token = Secret::new(String::from_utf8(opened.expose().clone()).ok()?);
    Some(format!(
        "{}/connect/{}",
        ports.deployment.base_url(),
        token.expose()
    ))
}

fn missed(miss: Miss) -> Told {
    let (status, http, title, text) = match miss {
        Miss::Denied => (
            "denied",
            StatusCode::OK,
            "You said no",
            "Nothing was connected. If that was not what you wanted, you can start again.",
        ),
        Miss::ProviderRefused => (
            "refused",
            StatusCode::BAD_GATEWAY,
            "The application refused",
            "It did not say why. Please start again; if it happens again, tell whoever sent you here.",
        ),
        Miss::Mismatch | Miss::OtherBrowser => (
            "mismatch",
            StatusCode::BAD_REQUEST,
            "That was not the answer to our question",
            "Nothing was connected. Please start again.",
        ),
        Miss::Ambiguous => (
            "ambiguous",
            StatusCode::CONFLICT,
            "More than one connection was under way",
            "The application does not say which one it answers, so nothing was connected. Please start again, and \
             finish one before you begin another.",
        ),
        Miss::Misconfigured => (
            "misconfigured",
            StatusCode::BAD_GATEWAY,
            "This connection is not set up rightly",
            "The application refuses us, not you. Please tell whoever sent you here.",
        ),
        Miss::CodeRefused => (
            "expired",
            StatusCode::BAD_GATEWAY,
            "The application no longer accepts your consent",
            "It may have taken too long. Please start again.",
        ),
        Miss::ProviderUnwell => (
            "unavailable",
            StatusCode::BAD_GATEWAY,
            "The application does not answer",
            "Nothing was connected. Please start again in a moment.",
        ),
        Miss::AnswerLost => (
            "unavailable",
            StatusCode::BAD_GATEWAY,
            "The application's answer was lost",
            "Nothing was connected. Please start again.",
        ),
        Miss::InstanceGone => (
            "gone",
            StatusCode::CONFLICT,
            "This connection was deleted meanwhile",
            "There is nothing left to connect.",
        ),
    };
    Told {
        status,
        http,
        title,
        text,
    }
}
