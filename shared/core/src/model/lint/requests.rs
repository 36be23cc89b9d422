//! Requests: what they lack, what they show, and steps that nobody needs.

use super::{Subject, authorise::is_removed};
use crate::model::{
    definition::{ClientAuthentication, ExpiryKind, Origin},
    template::Namespace,
    variable::Variable,
};

pub(super) fn check(subject: &mut Subject<'_>) {
    code(subject);
    authentication(subject);
    secrets_in_urls(subject);
    loopback(subject);
    expiry(subject);
    steps(subject);
    blanks(subject);
    if subject.written.revoke.is_none() && subject.written.discovery_url.is_none() {
        let why = "a connection that is deleted here lives on at the provider";
        subject.say("no_revocation", "/revoke", why);
    }
}

/// What saving will fill in can't be looked at yet.
fn blanks(subject: &mut Subject<'_>) {
    if subject.written.discovery_url.is_none() {
        return;
    }
    let (authorise, token) = (&subject.written.authorise.url, &subject.written.token.url);
    for (pointer, url) in [("/authorise/url", authorise), ("/token/url", token)] {
        if url.is_empty() {
            subject.say(
                "filled_when_saved",
                pointer,
                "saving takes it from the metadata",
            );
        }
    }
}

fn code(subject: &mut Subject<'_>) {
    let token = &subject.written.token;
    let removed = is_removed(&token.body, "code") || is_removed(&token.query, "code");
    let named = subject.names(Namespace::Callback, "code")
        || subject.names(Namespace::Variable, "oauth_authorised_code");
    if removed && !named && subject.written.callback.code_required {
        let why = "the code is waited for, and not sent";
        subject.say("unsent_code", "/token/body/code", why);
    }
}

/// RFC 6749 §2.3: a client must not use more than one method in each request.
fn authentication(subject: &mut Subject<'_>) {
    for asked in subject.requests() {
        let in_header = matches!(
            asked.parsed.authentication,
            ClientAuthentication::Basic | ClientAuthentication::Bearer
        );
        let body = format!("{}/body", asked.pointer);
        let in_body = asked
            .parsed
            .body
            .iter()
            .filter_map(|(name, parameter)| Some((name, parameter.as_ref()?)))
            .find(|(_, parameter)| {
                let mut pipes = parameter.value.pipes();
                pipes.any(|pipe| {
                    pipe.plain().is_some_and(|reference| {
                        (reference.namespace == Namespace::Client && &*reference.key == "secret")
                            || reference.is_variable("client_secret")
                    })
                })
            });
        if let Some((name, _)) = in_body.filter(|_| in_header) {
            let why = "the client shows itself in the header and in the body";
            subject.say("double_authentication", format!("{body}/{name}"), why);
        }
    }
}

fn secrets_in_urls(subject: &mut Subject<'_>) {
    let mut found = Vec::new();
    for (pointer, reference) in subject.references() {
        let in_url = pointer.split('/').skip(1).any(|segment| segment == "url");
        let in_query = pointer.contains("/query/") && !pointer.starts_with("/authorise/");
        let secret = match reference.namespace {
            Namespace::Client => &*reference.key == "secret",
            Namespace::Token => reference.key.ends_with("refresh_token"),
            Namespace::Variable => subject
                .method
                .variable(&reference.key)
                .is_some_and(Variable::is_secret),
            Namespace::Flow
            | Namespace::Callback
            | Namespace::Step
            | Namespace::Request
            | Namespace::Moment => false,
        };
        if secret && (in_url || in_query) {
            found.push((
                pointer.to_owned(),
                format!("'{reference}' is sent in the URL"),
            ));
        }
    }
    for (pointer, why) in found {
        subject.say("secret_in_url", pointer, why);
    }
}

/// Plain http is a fault, but for this machine itself.
fn loopback(subject: &mut Subject<'_>) {
    let mut places = vec![("/authorise".to_owned(), &subject.written.authorise.url)];
    let requests = subject.requests().into_iter();
    places.extend(requests.map(|asked| (asked.pointer.to_owned(), asked.written.url)));
    let steps = subject.steps().into_iter();
    places.extend(steps.map(|(pointer, step)| (pointer, &step.url)));
    for (place, urls) in places {
        for (pointer, url) in urls.at(&format!("{place}/url")) {
            if url.starts_with("http://") {
                let why = "it works on this machine only, and only with the local server";
                subject.say("plain_http", pointer, why);
            }
        }
    }
}

fn expiry(subject: &mut Subject<'_>) {
    let kind = subject.expiry();
    if kind == Some(ExpiryKind::Introspect) && subject.written.introspect.is_none() {
        let why = "there is no introspection request to ask";
        subject.say("no_introspection", "/token/response/expiry", why);
    }
    let certain = matches!(kind, Some(ExpiryKind::Fixed | ExpiryKind::Never));
    if certain && subject.written.token.lifetime_seconds.is_some() {
        let why = "the response's own expiry says it always";
        subject.say("unused_lifetime", "/token/lifetime_seconds", why);
    }
}

/// A step before a request, or a lookup, is made for its answer.
fn steps(subject: &mut Subject<'_>) {
    for (pointer, step) in subject.steps() {
        let prefix = format!("{}.", step.id);
        let named = subject.references().any(|(_, reference)| {
            reference.namespace == Namespace::Step && reference.key.starts_with(&prefix)
        });
        let captured = subject.written.variables.iter().any(|variable| {
            variable.from == Origin::Lookup
                && variable
                    .path
                    .as_deref()
                    .unwrap_or(&variable.key)
                    .starts_with(&prefix)
        });
        if !named && !captured && !pointer.contains("/after/") {
            let why = format!("nothing uses the answer of '{}'", step.id);
            subject.say("unused_step", pointer, why);
        }
    }
}
