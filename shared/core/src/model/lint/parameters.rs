//! Parameters: sent twice, sent nowhere, misspelt.

use super::{Subject, authorise::is_removed, subject::Asked};
use crate::model::{
    definition::{
        BodyFormat, JsonKind, Parameter, ParameterPlace, Parameters, RequestMethod, Texts,
    },
    fault::pointer_segment,
    nearest::nearest,
};

const CLIENT: [&str; 4] = [
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
];
const AUTHORISE: [&str; 7] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
];

/// The standard parameters of a request, beside the client's.
fn standard(pointer: &str) -> &'static [&'static str] {
    match pointer {
        "/token" => &["grant_type", "code", "redirect_uri", "code_verifier"],
        "/refresh" => &["grant_type", "refresh_token", "scope"],
        _ => &["token", "token_type_hint"],
    }
}

pub(super) fn check(subject: &mut Subject<'_>) {
    authorise(subject);
    for asked in subject.requests() {
        let known: Vec<_> = standard(asked.pointer)
            .iter()
            .copied()
            .chain(CLIENT)
            .collect();
        twice(subject, &asked);
        for (part, parameters) in [("query", asked.written.query), ("body", asked.written.body)] {
            let pointer = format!("{}/{part}", asked.pointer);
            misspelt(subject, &pointer, parameters, &known);
        }
        let sent = asked.parsed.format != BodyFormat::None
            || asked.parsed.parameters_in == ParameterPlace::Headers;
        body(
            subject,
            asked.pointer,
            asked.written.body,
            asked.parsed.format,
            sent,
        );
    }
    for (pointer, step) in subject.steps() {
        let get = step.method == RequestMethod::Get;
        let format = step.body_format.unwrap_or(match get {
            true => BodyFormat::None,
            false => BodyFormat::Form,
        });
        body(
            subject,
            &pointer,
            &step.body,
            format,
            format != BodyFormat::None,
        );
    }
}

fn authorise(subject: &mut Subject<'_>) {
    let written = &subject.written.authorise;
    misspelt(subject, "/authorise/query", &written.query, &AUTHORISE);
    in_url(
        subject,
        "/authorise",
        &written.url,
        &written.query,
        &AUTHORISE,
    );
}

/// Parameters of a URL's own query that are sent again: standard ones, and those that the definition says.
fn in_url(
    subject: &mut Subject<'_>,
    request: &str,
    urls: &Texts,
    query: &Parameters,
    sent: &[&str],
) {
    for (pointer, url) in urls.at(&format!("{request}/url")) {
        for name in query_names(url) {
            let standard = sent.contains(&name.as_str()) && !is_removed(query, &name);
            let own = query.get(&name).is_some_and(Option::is_some);
            if standard || own {
                let why = format!("'{name}' is in the URL and among the parameters");
                subject.say("repeated_parameter", pointer.as_str(), why);
            }
        }
    }
}

/// The names in a URL's own query.
fn query_names(url: &str) -> Vec<String> {
    let query = url
        .split('#')
        .next()
        .and_then(|url| url.split_once('?'))
        .map_or("", |(_, query)| query);
    url::form_urlencoded::parse(query.as_bytes())
        .map(|(name, _)| name.into_owned())
        .filter(|name| !name.is_empty())
        .collect()
}

fn twice(subject: &mut Subject<'_>, asked: &Asked<'_>) {
    for (name, value) in asked.written.query {
        let in_body = asked.written.body.get(name).is_some_and(Option::is_some);
        if value.is_some() && in_body {
            let why = format!("'{name}' is in the query and in the body");
            let pointer = format!("{}/query/{}", asked.pointer, pointer_segment(name));
            subject.say("repeated_parameter", pointer, why);
        }
    }
    // Its standard parameters are in the body.
    in_url(
        subject,
        asked.pointer,
        asked.written.url,
        asked.written.query,
        &[],
    );
}

/// A removal that removes nothing and is nearly the name of a standard parameter.
fn misspelt(subject: &mut Subject<'_>, pointer: &str, parameters: &Parameters, known: &[&str]) {
    let removed = parameters.iter().filter(|(_, value)| value.is_none());
    for (name, _) in removed {
        if known.contains(&name.as_str()) {
            continue;
        }
        if let Some(near) = nearest(name, known.iter().copied()) {
            let why = format!("'{name}' is no standard parameter; did you mean '{near}'?");
            let pointer = format!("{pointer}/{}", pointer_segment(name));
            subject.say("misspelt_removal", pointer, why);
        }
    }
}

fn body(
    subject: &mut Subject<'_>,
    pointer: &str,
    parameters: &Parameters,
    format: BodyFormat,
    sent: bool,
) {
    for (name, parameter) in parameters {
        let Some(parameter) = parameter else { continue };
        let at = format!("{pointer}/body/{}", pointer_segment(name));
        if !sent {
            let why = format!("the request has no body, so '{name}' is not sent");
            subject.say("unsent_body", at, why);
        } else if format == BodyFormat::Form && has_kind(parameter) {
            let why = format!("'{name}' is a text in a form, whatever 'as' says");
            subject.say("unused_as", format!("{at}/as"), why);
        }
    }
}

fn has_kind(parameter: &Parameter) -> bool {
    match parameter {
        Parameter::Plain(_) => false,
        Parameter::Entry(entry) => entry.kind != JsonKind::Text,
    }
}
