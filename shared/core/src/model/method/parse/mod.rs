//! From what a builder wrote to what it means.

mod authorise;
mod client;
mod parameter;
mod reference;
mod request;
mod response;
mod rules;
mod variables;

use std::time::Duration;

use super::{AuthMethod, Use, place::Place};
use crate::model::{
    definition::{Definition, StateCarrier, VariableDefinition},
    fault::Faults,
    url_template::UrlTemplate,
    variable::Variable,
};

/// The hard limit of a call, which must stay well below the lease (`flow::refresh`).
const MOST_SECONDS: u32 = 20;

pub(super) fn method(
    written: &Definition,
    inherited: &[VariableDefinition],
) -> Result<AuthMethod, Faults> {
    let mut parser = Parser {
        variables: Vec::new(),
        steps: Vec::new(),
        sets: token_sets(written),
        reveals: written.authorise.reveals.clone(),
        keeps_state: written.authorise.state.carrier == StateCarrier::Cookie,
        names_client_secret: false,
        faults: Faults::new(),
    };
    parser.head(written);
    parser.inherit(&written.connector_variables, inherited);
    parser.declare(&written.variables);
    parser.earlier(written);
    let discovery = parser.discovery(written.discovery_url.as_deref());
    let redirect_uri = parser.template("/redirect_uri", &written.redirect_uri, Place::RedirectUri);
    let authorise = parser.authorise(&written.authorise);
    let callback = parser.callback(&written.callback);
    let token = parser.token(written);
    let refresh = parser.refresh(written);
    let revoke = parser.revoke(written);
    let introspect = parser.introspect(written);
    let lookup = parser.lookup(written);
    let credential = parser.credential(written);
    let client = parser.client(written);
    let method = AuthMethod {
        name: written.name.trim().into(),
        timeout: Duration::from_secs(u64::from(written.timeout_seconds)),
        client,
        discovery,
        redirect_uri,
        authorise,
        callback,
        revoke,
        introspect,
        lookup,
        credential,
        token,
        refresh,
        variables: parser.variables,
    };
    parser.faults.or(method)
}

struct Parser {
    variables: Vec<Variable>,
    /// The steps whose answers the templates at hand can name.
    steps: Vec<Box<str>>,
    /// The further token sets.
    sets: Vec<String>,
    /// The secret variables that may be seen in the authorise URL.
    reveals: Vec<String>,
    /// Whether the state stays in the browser's cookie.
    keeps_state: bool,
    /// Whether a template names `client.secret`.
    names_client_secret: bool,
    faults: Faults,
}

impl Parser {
    fn head(&mut self, written: &Definition) {
        if written.name.trim().is_empty() || written.name.len() > 200 {
            let why = "a name has 1 to 200 bytes";
            self.faults.add("/name", "invalid_name", why);
        }
        if !(1..=MOST_SECONDS).contains(&written.timeout_seconds) {
            let why =
                format!("a timeout is 1 to {MOST_SECONDS} seconds: it must stay below the lease");
            self.faults.add("/timeout_seconds", "out_of_range", why);
        }
        if written.preset.is_some() {
            let why = "the preset is not written out";
            self.faults.add("/preset", "unresolved_preset", why);
        }
        let link = written.documentation_url.as_deref();
        if link.is_some_and(|text| !is_link(text)) {
            let why = "it must be an http or https URL";
            self.faults.add("/documentation_url", "invalid_url", why);
        }
        for (index, key) in written.authorise.reveals.iter().enumerate() {
            let declared = |variable: &VariableDefinition| variable.key == *key;
            if !written.variables.iter().any(declared) {
                let why = format!("no variable '{key}' is declared");
                let pointer = format!("/authorise/reveals/{index}");
                self.faults.add(pointer, "undeclared_variable", why);
            }
        }
    }

    fn discovery(&mut self, written: Option<&str>) -> Option<UrlTemplate> {
        self.url("/discovery_url", written?, Place::Discovery)
    }

    fn credential(&mut self, written: &Definition) -> Use {
        let credential = &written.credential;
        let place = Place::Use;
        Use {
            headers: self.plain_headers("/use/headers", &credential.headers, place),
            query: self.plain("/use/query", &credential.query, place),
            body: self.plain("/use/body", &credential.body, place),
            base_url: credential
                .base_url
                .as_deref()
                .and_then(|text| self.url("/use/base_url", text, place)),
            expired_statuses: match credential.expired_statuses.as_slice() {
                [] => vec![401],
                statuses => statuses.to_vec(),
            },
            values: self.plain("/use/values", &credential.values, place),
        }
    }
}

/// The names of the further token sets that an answer can bring.
fn token_sets(written: &Definition) -> Vec<String> {
    let steps = written.token.after.iter().chain(&written.refresh.after);
    let responses = [&written.token.response, &written.refresh.response];
    responses
        .into_iter()
        .chain(steps.map(|step| &step.response))
        .flatten()
        .flat_map(|response| response.tokens.keys().cloned())
        .collect()
}

fn is_link(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}
