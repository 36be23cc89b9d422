//! Answers that a provider could give, made up so that the flow goes on.

use serde_json::{Map, Value, json};

use super::{
    ports::Cue,
    stand_in::{StandIns, sample},
};
use crate::{
    model::{
        definition::{AnswerFormat, Definition, Origin},
        document::walk,
        grant::{TokenSet, Tokens},
        method::{AuthMethod, Request, Response, Step, TokenPaths},
        template::{Namespace, Reference, Template},
        values::KnownValues,
    },
    protocol::scope::Scope,
};

/// What answers are made up from.
pub(super) struct Answers<'a> {
    method: &'a AuthMethod,
    /// What templates name of the answers to steps.
    named: Vec<Reference>,
    /// What the provider brings, by path, and whether a lookup brings it.
    captured: Vec<(String, String, Origin)>,
}

impl<'a> Answers<'a> {
    pub(super) fn new(
        definition: &Definition,
        method: &'a AuthMethod,
        stand_ins: &StandIns,
    ) -> Self {
        let mut named = Vec::new();
        let written = serde_json::to_value(definition).unwrap_or_default();
        walk("", &written, &mut |_, value| {
            let template = value.as_str().and_then(|text| Template::parse(text).ok());
            let template = template.unwrap_or_default();
            let references = template.references().cloned();
            named.extend(references.filter(|reference| reference.namespace == Namespace::Step));
        });
        let captured = method
            .variables
            .iter()
            .filter(|variable| variable.is_captured())
            .map(|variable| {
                let value = stand_ins.value(&variable.key);
                let value = value.map_or_else(|| sample(variable), str::to_owned);
                (variable.path.to_string(), value, variable.from)
            })
            .collect();
        Self {
            method,
            named,
            captured,
        }
    }

    /// The tokens that every answer brings.
    pub(super) fn tokens(&self) -> Tokens {
        let token = &self.method.token;
        let later = token.after.iter().map(|step| &step.request.response);
        let named = std::iter::once(&token.response)
            .chain(later)
            .flat_map(|response| &response.sets);
        let sets = named.map(|(name, _)| {
            let prefix = format!("{}_", name.to_ascii_uppercase());
            (name.to_string(), set(&prefix))
        });
        Tokens {
            main: set(""),
            sets: sets.collect(),
            captured: std::collections::BTreeMap::new(),
        }
    }

    /// The requests that a flow makes around `request`, in order, and what each is answered with.
    pub(super) fn plan(&self, name: &str, request: &Request, values: &KnownValues) -> Vec<Cue> {
        let holds = |step: &&Step| step.when.as_ref().is_none_or(|when| values.holds(when));
        let steps = |part: &str, steps: &[Step]| -> Vec<Cue> {
            let name = format!("{name}.{part}");
            let made = steps.iter().filter(holds);
            made.map(|step| self.step(&name, step, values)).collect()
        };
        let mut plan = steps("before", &request.before);
        let body = self.body(&request.response, None, true, values);
        plan.push(cue(name, &request.response, &body));
        plan.extend(steps("after", &request.after));
        let asks = name != "revoke" && request.response.asks_for_expiry();
        if let Some(introspect) = self.method.introspect.as_ref().filter(|_| asks) {
            let body = json!({ "active": true });
            plan.push(cue("introspect", &introspect.response, &body));
        }
        plan
    }

    pub(super) fn step(&self, name: &str, step: &Step, values: &KnownValues) -> Cue {
        let name = format!("{name}.{}", step.id);
        cue(&name, &step.request.response, &self.of_step(step, values))
    }

    /// What a step is answered with.
    pub(super) fn of_step(&self, step: &Step, values: &KnownValues) -> Value {
        let response = &step.request.response;
        self.body(response, Some(step), step.brings_tokens, values)
    }

    fn body(
        &self,
        response: &Response,
        step: Option<&Step>,
        brings_tokens: bool,
        values: &KnownValues,
    ) -> Value {
        let mut body = json!({});
        let scope = Scope::new(values, "");
        if brings_tokens {
            let root = response.root.as_deref().unwrap_or_default();
            put_tokens(&mut body, root, "", &response.tokens, &scope);
            for (name, paths) in &response.sets {
                let prefix = format!("{}_", name.to_ascii_uppercase());
                put_tokens(&mut body, root, &prefix, paths, &scope);
            }
        }
        let prefix = step.map_or_else(String::new, |step| format!("{}.", step.id));
        if step.is_some() {
            let named = self
                .named
                .iter()
                .filter_map(|reference| reference.key.strip_prefix(&prefix));
            for path in named {
                let word = path.rsplit('.').next().unwrap_or(path);
                put(&mut body, path, &word.to_ascii_uppercase());
            }
        }
        for (path, value, from) in &self.captured {
            match from {
                Origin::Token => put(&mut body, path, value),
                Origin::Lookup if step.is_some() => {
                    if let Some(path) = path.strip_prefix(&prefix) {
                        put(&mut body, path, value);
                    }
                }
                Origin::Lookup | Origin::Builder | Origin::User | Origin::Callback => {}
            }
        }
        body
    }
}

fn set(prefix: &str) -> TokenSet {
    let text = |name: &str| format!("{prefix}{name}").into();
    TokenSet {
        access_token: text("ACCESS_TOKEN"),
        refresh_token: Some(text("REFRESH_TOKEN")),
        id_token: Some(text("ID_TOKEN")),
        token_type: "bearer".to_owned(),
        expires_at: None,
    }
}

fn put_tokens(body: &mut Value, root: &str, prefix: &str, paths: &TokenPaths, scope: &Scope<'_>) {
    for (paths, word) in [
        (&paths.access_token, "ACCESS_TOKEN"),
        (&paths.refresh_token, "REFRESH_TOKEN"),
        (&paths.id_token, "ID_TOKEN"),
    ] {
        let path = paths.first().and_then(|path| path.fill(scope).ok());
        if let Some(path) = path {
            let path = match root {
                "" => path,
                root => format!("{root}.{path}"),
            };
            put(body, &path, &format!("{prefix}{word}"));
        }
    }
}

fn cue(name: &str, response: &Response, body: &Value) -> Cue {
    let bytes = match (response.format, body.as_object()) {
        (AnswerFormat::Form, Some(members)) => form(members),
        (AnswerFormat::Form | AnswerFormat::Json | AnswerFormat::Auto, _) => body.to_string(),
    };
    Cue {
        name: name.to_owned(),
        status: response.statuses.first().copied().unwrap_or(200),
        body: bytes.into_bytes(),
    }
}

fn form(members: &Map<String, Value>) -> String {
    let texts = members
        .iter()
        .filter_map(|(name, value)| Some((name, value.as_str()?)));
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(texts)
        .finish()
}

/// Puts a text at a dotted path, unless something is there.
fn put(body: &mut Value, path: &str, text: &str) {
    let mut at = body;
    for part in path.split('.') {
        at = match part.parse::<usize>() {
            Ok(index) if !matches!(at, Value::Object(members) if !members.is_empty()) => {
                if !at.is_array() {
                    *at = Value::Array(Vec::new());
                }
                let Value::Array(items) = at else { return };
                while items.len() <= index.min(20) {
                    items.push(Value::Null);
                }
                let Some(item) = items.get_mut(index) else {
                    return;
                };
                item
            }
            _ => {
                if !at.is_object() {
                    *at = Value::Object(Map::new());
                }
                let Value::Object(members) = at else { return };
                members.entry(part).or_insert(Value::Null)
            }
        };
    }
    if at.is_null() {
        *at = Value::String(text.to_owned());
    }
}
