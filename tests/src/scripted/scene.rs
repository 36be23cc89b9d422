//! What is known when a value is worked out.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;

use super::{evaluate, json, received::Received};

/// What never changes: the definition and what the test said about it.
pub(super) struct Known {
    pub(super) definition: Value,
    pub(super) values: BTreeMap<String, String>,
    pub(super) callback_url: String,
    pub(super) samples: BTreeMap<String, String>,
    pub(super) lifetime: u64,
    pub(super) now: Arc<dyn Fn() -> u64 + Send + Sync>,
}

impl Known {
    /// A part of the definition.
    pub(super) fn part(&self, name: &str) -> &Value {
        self.definition.get(name).unwrap_or(&Value::Null)
    }

    /// The declaration of a variable.
    pub(super) fn variable(&self, key: &str) -> Option<&Value> {
        let declared = json::list(&self.definition, "variables");
        declared
            .iter()
            .find(|declared| json::member(declared, "key").as_deref() == Some(key))
    }

    /// The time.
    pub(super) fn now(&self) -> u64 {
        (self.now)()
    }

    /// The variables that are captured, by where they come from: key, path and declaration.
    pub(super) fn captured(&self, from: &str) -> Vec<(String, String, &Value)> {
        let declared = json::list(&self.definition, "variables").iter();
        declared
            .filter(|declared| json::member(declared, "from").as_deref() == Some(from))
            .filter_map(|declared| {
                let key = json::member(declared, "key")?;
                let path = json::member(declared, "path").unwrap_or_else(|| key.clone());
                Some((key, path, declared))
            })
            .collect()
    }
}

/// Why a value can't be worked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lack {
    /// There is none.
    Missing(String),
    /// The other side has made it, and the request has not shown it yet.
    Unbound(String),
    /// It has a signature that is checked, not made.
    Signed,
    /// The template makes no sense.
    Fault(String),
}

impl Lack {
    /// In words.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Missing(name) => format!("'{name}' has no value"),
            Self::Unbound(name) => format!("the request does not show its {name}"),
            Self::Signed => "a signature is where none can be checked".to_owned(),
            Self::Fault(fault) => fault.clone(),
        }
    }
}

/// What is known at one moment of one connection.
#[derive(Clone)]
pub(super) struct Scene<'a> {
    pub(super) known: &'a Known,
    /// Captured variables.
    pub(super) captured: BTreeMap<String, String>,
    /// `flow.…` and `callback.code`.
    pub(super) flow: BTreeMap<String, String>,
    /// `token.…`, without the `token.`.
    pub(super) tokens: BTreeMap<String, String>,
    /// Answers of steps.
    pub(super) steps: BTreeMap<String, Value>,
    /// What the other side has made: states, moments, random texts; by source.
    pub(super) bound: BTreeMap<String, String>,
    /// The request that is being looked at.
    pub(super) request: Option<&'a Received>,
    /// Its parameters, sorted, for signatures.
    pub(super) sorted: Option<String>,
}

impl<'a> Scene<'a> {
    /// A scene in which nothing has happened.
    pub(super) fn new(known: &'a Known) -> Self {
        Self {
            known,
            captured: BTreeMap::new(),
            flow: BTreeMap::new(),
            tokens: BTreeMap::new(),
            steps: BTreeMap::new(),
            bound: BTreeMap::new(),
            request: None,
            sorted: None,
        }
    }

    /// The value of a source.
    pub(super) fn source(&self, name: &str) -> Result<String, Lack> {
        let missing = || Lack::Missing(name.to_owned());
        if let Some(bound) = self.bound.get(name) {
            return Ok(bound.clone());
        }
        if is_made_by_the_other_side(name) {
            return self.unshown(name);
        }
        let (head, rest) = name.split_once('.').unwrap_or((name, ""));
        match head {
            "variable" => self.variable(rest),
            "client" => self.client(rest),
            "flow" | "callback" => self.flow(name),
            "token" => self.tokens.get(rest).cloned().ok_or_else(missing),
            "step" => self.step(rest).ok_or_else(missing),
            "request" => self.request(rest).ok_or_else(missing),
            _ if rest.is_empty() => self.variable(name),
            _ => Err(Lack::Fault(format!("no source '{name}'"))),
        }
    }

    /// A template's text.
    pub(super) fn render(&self, template: &str) -> Result<String, Lack> {
        evaluate::render(self, template)
    }

    /// Whether a condition on a variable holds.
    pub(super) fn holds(&self, condition: Option<&Value>) -> bool {
        let Some(condition) = condition.filter(|condition| !condition.is_null()) else {
            return true;
        };
        let key = json::member(condition, "variable").unwrap_or_default();
        let value = self.variable(&key).ok();
        let among = |list: &str| {
            let value = value.clone();
            let among = json::texts(condition, list);
            value.is_some_and(|value| among.contains(&value))
        };
        if condition.get("is").is_some() {
            among("is")
        } else if condition.get("is_not").is_some() {
            !among("is_not")
        } else {
            value.is_some()
        }
    }

    fn unshown(&self, name: &str) -> Result<String, Lack> {
        // A moment may be shown in another form.
        let seconds = self
            .bound
            .get("now('unix_ms')")
            .and_then(|ms| ms.parse::<u64>().ok())
            .map(|ms| ms / 1000);
        match seconds.filter(|_| name == "now('unix')") {
            Some(seconds) => Ok(seconds.to_string()),
            None => Err(Lack::Unbound(name.to_owned())),
        }
    }

    fn client(&self, rest: &str) -> Result<String, Lack> {
        let client = self.known.part("client");
        let own = json::member(client, rest);
        self.render(&own.unwrap_or_else(|| format!("{{{{client_{rest}}}}}")))
    }

    fn flow(&self, name: &str) -> Result<String, Lack> {
        match (name, self.flow.get(name)) {
            ("flow.callback_url", _) => Ok(self.known.callback_url.clone()),
            (_, Some(value)) => Ok(value.clone()),
            // In a visit they come with the request.
            (_, None) if self.bound.contains_key(&form_of(name)) => {
                Err(Lack::Unbound(name.to_owned()))
            }
            (_, None) => Err(Lack::Missing(name.to_owned())),
        }
    }

    fn step(&self, rest: &str) -> Option<String> {
        let (id, path) = rest.split_once('.')?;
        json::text(json::at(self.steps.get(id)?, path)?)
    }

    fn request(&self, rest: &str) -> Option<String> {
        match rest {
            "body" => self.request.map(|request| request.body.clone()),
            "sorted" => self.sorted.clone(),
            _ => None,
        }
    }

    fn variable(&self, key: &str) -> Result<String, Lack> {
        let given = self
            .captured
            .get(key)
            .or_else(|| self.known.values.get(key));
        if let Some(given) = given.filter(|given| !given.is_empty()) {
            return Ok(given.clone());
        }
        let declared = self.known.variable(key);
        if let Some(map) = json::given([declared.and_then(|declared| declared.get("map"))]) {
            return self.mapped(key, map);
        }
        match declared.and_then(|declared| json::member(declared, "default")) {
            Some(default) => self.render(&default),
            None => self.always_there(key),
        }
    }

    fn mapped(&self, key: &str, map: &Value) -> Result<String, Lack> {
        let of = self.render(&json::member(map, "of").unwrap_or_default())?;
        let cases = map.get("cases").unwrap_or(&Value::Null);
        let template = json::member(cases, &of).or_else(|| json::member(map, "default"));
        let template = template.ok_or_else(|| Lack::Missing(key.to_owned()))?;
        self.render(&template)
    }

    fn always_there(&self, key: &str) -> Result<String, Lack> {
        let value = match key {
            "state_length" => "32",
            "response_authentication_token_key" => "access_token",
            "response_refresh_token_key" => "refresh_token",
            "grant_type" => "authorization_code",
            "refresh_grant_type" => "refresh_token",
            "response_type" => "code",
            "callback_url" => return Ok(self.known.callback_url.clone()),
            "oauth_authorised_code" => return self.flow("callback.code"),
            _ => return Err(Lack::Missing(key.to_owned())),
        };
        Ok(value.to_owned())
    }
}

/// Whether a source is made up anew for each request by the side that sends it.
fn is_made_by_the_other_side(name: &str) -> bool {
    name == "uuid()" || name.starts_with("random(") || name.starts_with("now(")
}

/// Under which name the form of a source is kept that the other side makes up.
pub(super) fn form_of(name: &str) -> String {
    format!("form of {name}")
}
