//! Values that may not be there, or not be what they must, when a request is made.

use super::Subject;
use crate::model::{
    definition::VariableType,
    template::{Namespace, Piece, Reference},
};

pub(super) fn check(subject: &mut Subject<'_>) {
    redirect_uri(subject);
    let mut found = Vec::new();
    for (pointer, template) in subject.templates() {
        if !is_sent(pointer) || may_be_absent(subject, pointer) {
            continue;
        }
        let pipes = template.pipes().filter(|pipe| !pipe.has_default());
        for reference in pipes.flat_map(|pipe| pipe.references()) {
            if is_optional(subject, reference) {
                found.push((pointer.to_owned(), reference.key.clone()));
            }
        }
    }
    for (pointer, key) in found {
        let why = format!("'{key}' is optional, and without it the request can't be made");
        subject.say("absent_value", pointer, why);
    }
}

/// The callback URL is parsed before it is sent.
fn redirect_uri(subject: &mut Subject<'_>) {
    let starts_well = match subject.method.redirect_uri.pieces().first() {
        Some(Piece::Literal(text)) => text.starts_with("https://") || text.starts_with("http://"),
        Some(Piece::Hole(pipe)) => pipe.references().next().is_some_and(|reference| {
            let variable = subject.method.variable(&reference.key);
            &*reference.key == "callback_url"
                || variable.is_some_and(|variable| variable.kind == VariableType::Url)
        }),
        None => false,
    };
    if !starts_well {
        let why = "it need not be a URL, and then nobody can be sent to the provider";
        subject.say("doubtful_redirect", "/redirect_uri", why);
    }
}

/// Whether a template is part of a request or a credential, where a missing value is an error.
fn is_sent(pointer: &str) -> bool {
    let mut segments = pointer.split('/').skip(1);
    let first = segments.next().unwrap_or_default();
    let second = segments.next().unwrap_or_default();
    let request = matches!(
        first,
        "token" | "refresh" | "revoke" | "introspect" | "lookup"
    );
    match first {
        "authorise" => second == "query",
        "use" => second != "base_url",
        _ => request && !pointer.contains("/response/"),
    }
}

/// Whether a place says itself what becomes of it without a value.
fn may_be_absent(subject: &Subject<'_>, pointer: &str) -> bool {
    // Of several URLs the first whose values are all there is taken.
    let (outer, last) = pointer.rsplit_once('/').unwrap_or_default();
    if last.parse::<usize>().is_ok() && outer.ends_with("/url") {
        return true;
    }
    let conditions = |at: &str| {
        subject.document.pointer(at).is_some_and(|entry| {
            entry.get("when").is_some()
                || entry
                    .get("omit_if_empty")
                    .is_some_and(|omitted| omitted == true)
        })
    };
    // A parameter has them around its value, a step around everything.
    outer
        .match_indices('/')
        .map(|(end, _)| end)
        .chain([outer.len()])
        .filter_map(|end| outer.get(..end))
        .any(conditions)
}

fn is_optional(subject: &Subject<'_>, reference: &Reference) -> bool {
    let is_variable = reference.namespace == Namespace::Variable;
    let known = subject
        .method
        .variable(&reference.key)
        .filter(|_| is_variable);
    // What the client gives, and what the flow brings, is said elsewhere.
    let own = !matches!(&*reference.key, "client_secret" | "oauth_authorised_code");
    known.is_some_and(|variable| {
        own && !variable.required && variable.default.is_none() && variable.map.is_none()
    })
}
