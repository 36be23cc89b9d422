//! What stands in for secrets, and for values that nobody gave.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use utoipa::ToSchema;

use super::Ask;
use crate::model::{
    Secret,
    definition::{Origin, VariableType},
    fault::{Faults, pointer_segment},
    function::published,
    method::AuthMethod,
    template::{Namespace, Template},
    url_template::UrlTemplate,
    values::{GivenValues, KnownValues},
    variable::Variable,
};

/// A secret that is shorter can't be told from other text.
const SHORTEST_SECRET: usize = 4;

/// A value that was taken where nobody gave one, or in place of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Assumed {
    /// The key of the variable.
    pub variable: String,
    /// The value; `a published key` for a private key.
    pub value: String,
    /// Whether it stands in for a secret.
    pub secret: bool,
}

/// The values that are rendered.
pub(super) struct StandIns {
    values: GivenValues,
    assumed: Vec<Assumed>,
    /// Secrets that were given, each with what stands in for it.
    hidden: Vec<(Secret, String)>,
}

impl StandIns {
    /// Checks what was given, and fills the rest.
    ///
    /// # Errors
    /// Every fault of a value or a callback parameter.
    pub(super) fn new(ask: &Ask<'_>, method: &AuthMethod) -> Result<Self, Faults> {
        let given = given(ask, method)?;
        let mut this = Self {
            values: GivenValues::new(),
            assumed: Vec::new(),
            hidden: hidden(method, &given),
        };
        let elliptic = serde_json::to_string(ask.definition)
            .is_ok_and(|text| text.contains("ES256") && !text.contains("RS256"));
        let wanted = wanted(method, &given);
        for variable in &method.variables {
            let wanted = wanted.contains(&*variable.key);
            this.add(variable, given.get(&*variable.key), wanted, elliptic);
        }
        Ok(this)
    }

    fn add(&mut self, variable: &Variable, given: Option<&Secret>, wanted: bool, elliptic: bool) {
        let key = &*variable.key;
        let open = (variable.required || wanted) && has_no_own(variable);
        let value = match given {
            // The code itself is the flow's.
            _ if key == "oauth_authorised_code" => return,
            _ if variable.is_secret() && (open || given.is_some()) => {
                let value = stand_in(variable, elliptic);
                self.assume(key, shown(variable, &value), true);
                value
            }
            Some(value) => self.hide(value.expose()),
            None if open => {
                let value = sample(variable);
                self.assume(key, value.clone(), false);
                value
            }
            None => return,
        };
        self.values.insert(key.to_owned(), Secret::new(value));
    }

    fn assume(&mut self, key: &str, value: String, secret: bool) {
        self.assumed.push(Assumed {
            variable: key.to_owned(),
            value,
            secret,
        });
    }

    /// A text with every secret that was given replaced.
    pub(super) fn hide(&self, text: &str) -> String {
        self.hidden
            .iter()
            .fold(text.to_owned(), |text, (secret, stand_in)| {
                text.replace(secret.expose().as_str(), stand_in)
            })
    }

    /// Takes over what a sample answer brought.
    pub(super) fn take(&mut self, captured: BTreeMap<String, String>) {
        for (key, value) in captured {
            self.assumed.retain(|assumed| assumed.variable != key);
            self.values.insert(key, Secret::new(value));
        }
    }

    /// The values, with all that is made from them.
    pub(super) fn known(&self, method: &AuthMethod, callback_url: &str) -> KnownValues {
        let values = &self.values;
        KnownValues::resolve(method, values, values, values, callback_url)
    }

    /// The values that are at hand when people are sent to the provider: the builder's secrets stay in the vault.
    pub(super) fn known_early(&self, method: &AuthMethod, callback_url: &str) -> KnownValues {
        let is_open = |key: &str| {
            let variable = method.variable(key);
            !variable
                .is_some_and(|variable| variable.is_secret() && variable.from == Origin::Builder)
        };
        let mut values = self.values.clone();
        values.retain(|key, _| is_open(key));
        KnownValues::resolve(method, &values, &values, &values, callback_url)
    }

    /// The value of a variable.
    pub(super) fn value(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(|value| value.expose().as_str())
    }

    pub(super) fn assumed(self) -> Vec<Assumed> {
        self.assumed
    }
}

fn has_no_own(variable: &Variable) -> bool {
    variable.default.is_none() && variable.map.is_none()
}

/// Optional variables that a request can't do without: those of the client secret, and those of one URL of a list of
/// which none could be filled otherwise.
fn wanted<'a>(method: &'a AuthMethod, given: &GivenValues) -> BTreeSet<&'a str> {
    let secret = method.client.secret.iter();
    let mut wanted: BTreeSet<&str> = secret
        .flat_map(Template::references)
        .filter(|reference| reference.namespace == Namespace::Variable)
        .map(|reference| &*reference.key)
        .collect();
    let requests = [&method.token, &method.refresh.request]
        .into_iter()
        .chain(&method.revoke)
        .chain(&method.introspect);
    let lists = requests.map(|request| &request.urls);
    for urls in std::iter::once(&method.authorise.urls).chain(lists) {
        let lacks = |url: &'a UrlTemplate| -> Vec<&'a str> {
            url.references()
                .filter(|reference| reference.namespace == Namespace::Variable)
                .filter_map(|reference| method.variable(&reference.key))
                .filter(|variable| !variable.required && has_no_own(variable))
                .map(|variable| &*variable.key)
                .filter(|key| !given.contains_key(*key) && !wanted.contains(key))
                .collect()
        };
        let lacking: Vec<_> = urls.iter().map(lacks).collect();
        if lacking.iter().all(|keys| !keys.is_empty()) {
            wanted.extend(lacking.into_iter().next_back().unwrap_or_default());
        }
    }
    wanted
}

/// What was given, each value as the variable has it.
fn given(ask: &Ask<'_>, method: &AuthMethod) -> Result<GivenValues, Faults> {
    let mut faults = Faults::new();
    let mut given = GivenValues::new();
    for (key, value) in ask.values {
        let pointer = format!("/values/{}", pointer_segment(key));
        let Some(variable) = method.variable(key) else {
            let why = "the auth method has no such variable";
            faults.add(pointer, "unknown_variable", why);
            continue;
        };
        if value.expose().is_empty() {
            continue;
        }
        let value = variable.uniform(value.expose());
        faults.keep(pointer, "invalid_value", variable.check(&value));
        given.insert(key.clone(), Secret::new(value));
    }
    for variable in &method.variables {
        let brought = ask.callback.get(&*variable.path);
        if let Some(value) = brought.filter(|_| variable.from == Origin::Callback) {
            let pointer = format!("/callback/{}", pointer_segment(&variable.path));
            let value = variable.uniform(value.expose());
            faults.keep(pointer, "invalid_value", variable.check(&value));
            given.insert(variable.key.to_string(), Secret::new(value));
        }
    }
    faults.or(given)
}

/// The secrets, the longest first, so that one within another is no matter.
fn hidden(method: &AuthMethod, given: &GivenValues) -> Vec<(Secret, String)> {
    let mut hidden: Vec<_> = method
        .variables
        .iter()
        .filter(|variable| variable.is_secret())
        .filter_map(|variable| Some((variable, given.get(&*variable.key)?)))
        .filter(|(_, value)| value.expose().len() >= SHORTEST_SECRET)
        .map(|(variable, value)| (value.clone(), capitals(variable)))
        .collect();
    hidden.sort_by_key(|(value, _)| std::cmp::Reverse(value.expose().len()));
    hidden
}

fn capitals(variable: &Variable) -> String {
    variable.key.to_ascii_uppercase()
}

fn stand_in(variable: &Variable, elliptic: bool) -> String {
    match variable.kind == VariableType::Pem {
        true if elliptic => published::EC.to_owned(),
        true => published::RSA.to_owned(),
        false => capitals(variable),
    }
}

fn shown(variable: &Variable, value: &str) -> String {
    let shown = match variable.kind == VariableType::Pem {
        true => "a published key",
        false => value,
    };
    shown.to_owned()
}

/// A value that a variable could have, as far as that can be made up.
pub(super) fn sample(variable: &Variable) -> String {
    let word = variable.key.replace('_', "-").to_ascii_lowercase();
    let host = || match variable.hosts.first() {
        Some(host) => match host.strip_prefix("*.") {
            Some(parent) => format!("{word}.{parent}"),
            None => host.clone(),
        },
        None => format!("{word}.example.com"),
    };
    match variable.kind {
        VariableType::Number => "1".to_owned(),
        VariableType::Boolean => "true".to_owned(),
        VariableType::Choice => variable
            .choices
            .first()
            .map_or(word, |choice| choice.value.clone()),
        VariableType::Hostname => host(),
        VariableType::Url => format!("https://{}", host()),
        VariableType::Text if !variable.hosts.is_empty() => host(),
        VariableType::Text | VariableType::Secret | VariableType::Pem => match &*variable.key {
            "client_id" => capitals(variable),
            _ => word,
        },
    }
}
