//! What a credential looks like.

use super::Subject;
use crate::model::{
    definition::Origin,
    template::{Namespace, Reference},
};

pub(super) fn check(subject: &mut Subject<'_>) {
    let written = &subject.written.credential;
    let empty = written.headers.is_empty() && written.query.is_empty() && written.body.is_empty();
    if empty && written.values.is_empty() {
        let why = "a caller is given nothing to put on its request";
        return subject.say("empty_use", "/use", why);
    }
    let personal = subject.references().any(|(pointer, reference)| {
        pointer.starts_with("/use/") && is_personal(subject, reference)
    });
    if !personal {
        let why = "nothing in it comes from the provider, so that all instances have the same";
        subject.say("use_without_token", "/use", why);
    }
}

/// Whether a value is of one instance.
fn is_personal(subject: &Subject<'_>, reference: &Reference) -> bool {
    match reference.namespace {
        Namespace::Token | Namespace::Step => true,
        Namespace::Variable => subject
            .method
            .variable(&reference.key)
            .is_some_and(|variable| variable.from != Origin::Builder || variable.map.is_some()),
        Namespace::Client
        | Namespace::Flow
        | Namespace::Callback
        | Namespace::Request
        | Namespace::Moment => false,
    }
}
