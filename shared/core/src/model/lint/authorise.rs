//! The authorise request: PKCE, state, scopes, and what asks for a refresh token.

use super::Subject;
use crate::model::{
    definition::{
        ClientAuthentication, ExpiryKind, Origin, Parameter, Parameters, Pkce, RefreshMode,
        StateCarrier,
    },
    method::AuthMethod,
    template::{Namespace, Reference, Template},
};

pub(super) fn check(subject: &mut Subject<'_>) {
    pkce(subject);
    state(subject);
    scopes(subject);
    offline(subject);
    unopened(subject);
    if subject.written.documentation_url.is_none() {
        let why = "nothing says where the provider describes this";
        subject.say("no_documentation", "/documentation_url", why);
    }
}

fn pkce(subject: &mut Subject<'_>) {
    let authorise = &subject.written.authorise;
    let public = subject.requests().iter().any(|asked| {
        asked.pointer == "/token" && asked.parsed.authentication == ClientAuthentication::None
    });
    match authorise.pkce {
        Pkce::None if public => {
            let why = "the client has no secret, so that a stolen code is all it takes";
            subject.say("unproven_code", "/authorise/pkce", why);
        }
        Pkce::None => {
            let why = "only the client secret stands between a stolen code and its tokens";
            subject.say("pkce_off", "/authorise/pkce", why);
        }
        Pkce::Plain => {
            let why = "whoever reads the authorise URL can prove to have begun";
            subject.say("pkce_plain", "/authorise/pkce", why);
        }
        Pkce::S256 | Pkce::S256Hex => {}
    }
    if authorise.pkce == Pkce::None {
        return;
    }
    let challenge = is_removed(&authorise.query, "code_challenge")
        && !subject.names_below("/authorise", Namespace::Flow, "code_challenge");
    let verifier = is_removed(&subject.written.token.body, "code_verifier")
        || is_removed(&subject.written.token.query, "code_verifier");
    if challenge != verifier {
        let pointer = match challenge {
            true => "/authorise/query/code_challenge",
            false => "/token/body/code_verifier",
        };
        let why = "the challenge and the verifier prove something only together";
        subject.say("half_pkce", pointer, why);
    }
}

fn state(subject: &mut Subject<'_>) {
    let authorise = &subject.written.authorise;
    let lost = authorise.state.carrier == StateCarrier::Query
        && is_removed(&authorise.query, "state")
        && !subject.names_below("/authorise", Namespace::Flow, "state");
    if lost {
        let why = "no callback can be told from a forged one, so all are refused";
        subject.say("no_state", "/authorise/query/state", why);
    }
    if authorise.state.carrier == StateCarrier::Cookie && authorise.pkce == Pkce::None {
        let why = "while a browser waits, somebody else's code would do";
        subject.say("unbound_code", "/authorise/state/carrier", why);
    }
}

/// Whoever sends people to the provider can't open what is sealed.
fn unopened(subject: &mut Subject<'_>) {
    let is_sealed = |reference: &Reference| match reference.namespace {
        Namespace::Client => &*reference.key == "secret",
        Namespace::Variable => subject
            .method
            .variable(&reference.key)
            .is_some_and(|variable| variable.is_secret() && variable.from == Origin::Builder),
        Namespace::Flow
        | Namespace::Callback
        | Namespace::Token
        | Namespace::Step
        | Namespace::Request
        | Namespace::Moment => false,
    };
    let found: Vec<_> = subject
        .references()
        .filter(|(pointer, reference)| pointer.starts_with("/authorise/") && is_sealed(reference))
        .map(|(pointer, reference)| (pointer.to_owned(), reference.to_string()))
        .collect();
    for (pointer, reference) in found {
        let why = format!("'{reference}' has no value when people are sent to the provider");
        subject.say("unopened_secret", pointer, why);
    }
}

fn scopes(subject: &mut Subject<'_>) {
    let authorise = &subject.written.authorise;
    for (index, scope) in authorise.scopes.iter().enumerate() {
        let mut earlier = authorise.scopes.iter().take(index);
        if earlier.any(|earlier| earlier == scope) {
            let why = format!("'{scope}' is asked for twice");
            subject.say("repeated_scope", format!("/authorise/scopes/{index}"), why);
        }
    }
    if authorise.scopes.is_empty() && authorise.scope_separator != " " {
        let why = "there are no scopes to stand between";
        subject.say("unused_separator", "/authorise/scope_separator", why);
    }
    let removed = is_removed(&authorise.query, "scope") && !subject.names(Namespace::Flow, "scope");
    if removed && authorise.scopes.iter().any(|scope| scope != "{{scope}}") {
        let why = "the scopes are said, and not sent";
        subject.say("unsent_scopes", "/authorise/query/scope", why);
    }
}

/// What a provider wants to see before it gives a refresh token.
enum Wish {
    /// A parameter of the authorise URL with this value.
    Parameter(&'static str, &'static str),
    /// A scope.
    Scope(&'static str),
}

/// Providers that give a refresh token only to those who ask, by the host of their authorise URL; each as its
/// documentation says.
const OFFLINE: &[(&str, Wish)] = &[
    (
        "accounts.google.com",
        Wish::Parameter("access_type", "offline"),
    ),
    (
        "accounts.zoho.com",
        Wish::Parameter("access_type", "offline"),
    ),
    (
        "www.dropbox.com",
        Wish::Parameter("token_access_type", "offline"),
    ),
    ("login.microsoftonline.com", Wish::Scope("offline_access")),
    ("auth.atlassian.com", Wish::Scope("offline_access")),
];

fn offline(subject: &mut Subject<'_>) {
    let refreshes = subject.method.refresh.mode == RefreshMode::RefreshToken;
    let hosts: Vec<_> = subject
        .method
        .authorise
        .urls
        .iter()
        .filter_map(|url| url.literal_host())
        .collect();
    let wish = OFFLINE.iter().find(|(host, _)| hosts.contains(host));
    if let Some((host, wish)) = wish.filter(|_| refreshes)
        && !is_granted(subject, wish)
    {
        let (pointer, what) = match wish {
            Wish::Parameter(name, value) => ("/authorise/query", format!("{name}={value}")),
            Wish::Scope(scope) => ("/authorise/scopes", format!("the scope '{scope}'")),
        };
        let why = format!("'{host}' gives a refresh token only with {what}");
        subject.say("no_offline_access", pointer, why);
    }
    // Some providers have their access tokens never end for this scope.
    let ends = subject.expiry() != Some(ExpiryKind::Never);
    let asks = literal_scopes(subject.method).any(|scope| scope == "offline_access");
    if subject.method.refresh.mode == RefreshMode::None && ends && asks {
        let why = "a refresh token is asked for and never used";
        subject.say("unused_refresh_token", "/refresh/mode", why);
    }
}

fn is_granted(subject: &Subject<'_>, wish: &Wish) -> bool {
    let authorise = &subject.method.authorise;
    match wish {
        Wish::Parameter(name, _) => subject.written.authorise.query.contains_key(*name),
        // What a variable brings can't be known.
        Wish::Scope(wanted) => {
            authorise
                .scopes
                .iter()
                .any(|scope| scope.literal().is_none())
                || literal_scopes(subject.method).any(|scope| scope == *wanted)
        }
    }
}

fn literal_scopes(method: &AuthMethod) -> impl Iterator<Item = String> {
    let texts = method.authorise.scopes.iter().filter_map(Template::literal);
    texts.flat_map(|text| text.split(' ').map(str::to_owned).collect::<Vec<_>>())
}

/// Whether a built-in parameter is taken out.
pub(super) fn is_removed(parameters: &Parameters, name: &str) -> bool {
    parameters
        .get(name)
        .is_some_and(Option::<Parameter>::is_none)
}
