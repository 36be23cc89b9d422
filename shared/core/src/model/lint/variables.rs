//! Variables: what nobody uses, what people can't understand, what would be readable.

use super::Subject;
use crate::model::{
    definition::{Origin, VariableDefinition, VariableType},
    template::Namespace,
    variable::defaults,
};

pub(super) fn check(subject: &mut Subject<'_>) {
    let written = subject.written;
    for (index, variable) in written.variables.iter().enumerate() {
        if defaults().iter().any(|default| default.key == variable.key) {
            continue;
        }
        let pointer = format!("/variables/{index}");
        unused(subject, &pointer, variable);
        shown(subject, &pointer, variable);
        readable(subject, &pointer, variable);
        wide(subject, &pointer, variable);
        plain_http(subject, &pointer, variable);
    }
    for (index, key) in written.connector_variables.iter().enumerate() {
        if !is_used(subject, key) {
            let why = format!("nothing uses the connector's variable '{key}'");
            subject.say(
                "unused_variable",
                format!("/connector_variables/{index}"),
                why,
            );
        }
    }
}

fn is_used(subject: &Subject<'_>, key: &str) -> bool {
    subject.names(Namespace::Variable, key) || subject.is_asked_about(key)
}

fn unused(subject: &mut Subject<'_>, pointer: &str, variable: &VariableDefinition) {
    if is_used(subject, &variable.key) {
        return;
    }
    let key = &variable.key;
    match variable.from {
        Origin::Builder | Origin::User => {
            let why = format!("no template and no condition names '{key}'");
            subject.say("unused_variable", pointer, why);
        }
        // One that is compared with what was asked for has done its work.
        Origin::Callback | Origin::Token | Origin::Lookup if variable.equals.is_none() => {
            let why = format!("'{key}' is captured, and nothing uses it");
            subject.say("unused_capture", pointer, why);
        }
        Origin::Callback | Origin::Token | Origin::Lookup => {}
    }
}

fn shown(subject: &mut Subject<'_>, pointer: &str, variable: &VariableDefinition) {
    if variable.from != Origin::User {
        return;
    }
    if variable.label.is_none() {
        let why = format!("people are asked for '{}'", variable.key);
        subject.say("no_label", pointer, why);
    }
    if variable.help.is_none() {
        let why = format!("nothing says where people find '{}'", variable.key);
        subject.say("no_help", pointer, why);
    }
}

/// Endings of keys whose values are hardly for everybody's eyes.
const SECRET_ENDINGS: [&str; 5] = ["secret", "password", "private_key", "api_key", "passphrase"];

fn readable(subject: &mut Subject<'_>, pointer: &str, variable: &VariableDefinition) {
    let key = variable.key.to_ascii_lowercase();
    let sounds_secret = SECRET_ENDINGS.iter().any(|ending| key.ends_with(ending));
    if sounds_secret && variable.kind == VariableType::Text && variable.map.is_none() {
        let why = format!("'{}' can be read back, and shown", variable.key);
        subject.say("readable_secret", pointer, why);
    }
}

fn wide(subject: &mut Subject<'_>, pointer: &str, variable: &VariableDefinition) {
    for (index, host) in variable.hosts.iter().enumerate() {
        let parent = host.strip_prefix("*.");
        if parent.is_some_and(|parent| !parent.contains('.')) {
            let why = format!("anybody can have a host of '{host}'");
            subject.say("wide_host", format!("{pointer}/hosts/{index}"), why);
        }
    }
}

fn plain_http(subject: &mut Subject<'_>, pointer: &str, variable: &VariableDefinition) {
    let default = variable.default.as_ref().map(|default| default.0.as_str());
    let is_plain = default.is_some_and(|text| text.starts_with("http://"));
    if is_plain && variable.kind == VariableType::Url {
        let why = "only https is sent to providers";
        subject.say("plain_http", format!("{pointer}/default"), why);
    }
}
