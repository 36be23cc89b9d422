//! Tokens, made and put where the definition looks for them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    answers::{Expiry, rooted, token_path},
    codec,
    grants::{Issue, Refresh},
    json, jwt, samples,
    scene::{Known, Scene},
};

/// How long refresh tokens live whose answer says it, in seconds.
const REFRESH_LIFETIME: u64 = 30 * 86400;

/// An answer with tokens in the making.
pub(super) struct Mint<'a> {
    pub(super) scene: &'a Scene<'a>,
    pub(super) response: &'a Value,
    pub(super) now: u64,
    pub(super) body: Value,
}

/// What a token set gets.
pub(super) struct Plan {
    /// The life of the access token.
    pub(super) expiry: Expiry,
    /// The refresh token to show, if any.
    pub(super) shown: Option<String>,
    /// The place of the refresh token among those of the grant.
    pub(super) refresh: Option<usize>,
    pub(super) scopes: Vec<String>,
}

impl Mint<'_> {
    fn put(&mut self, path: &str, value: Value) {
        let path = rooted(self.response, path);
        json::put(&mut self.body, &path, value);
    }

    /// The paths of the first set in this response.
    fn path(&self, name: &str) -> String {
        token_path(self.scene, self.response, name).unwrap_or_else(|| name.to_owned())
    }

    fn access(&self, expiry: &Expiry) -> String {
        if expiry.is_in_the_token() {
            let expires = expiry.lifetime.map(|lifetime| self.now + lifetime);
            jwt::make("person", "api", self.now, expires)
        } else {
            codec::random("at-")
        }
    }

    /// Makes the tokens of the first set, or of a further set that is refreshed by the same request.
    pub(super) fn main(&mut self, set: &str, plan: &Plan) -> Issue {
        let access = self.access(&plan.expiry);
        self.put(&self.path("access_token"), json!(access));
        if let Some(shown) = &plan.shown {
            self.put(&self.path("refresh_token"), json!(shown));
        }
        self.put(&self.path("token_type"), json!("Bearer"));
        if let Some(scope) = self.scope(&plan.scopes) {
            self.put(&self.path("scope"), json!(scope));
        }
        self.say(&plan.expiry);
        let refresh_expiry = Expiry::declared(self.response, "refresh_expiry", REFRESH_LIFETIME);
        if let Some(expiry) = refresh_expiry.filter(|_| plan.shown.is_some()) {
            self.say(&expiry);
        }
        let asks = plan.scopes.iter().any(|scope| scope == "openid");
        let id_token = (asks || self.response.get("id_token").is_some()).then(|| {
            let expires = plan.expiry.lifetime.map(|lifetime| self.now + lifetime);
            jwt::make("person", "client", self.now, expires)
        });
        if let Some(id_token) = &id_token {
            self.put(&self.path("id_token"), json!(id_token));
        }
        self.issue(set, access, id_token, plan)
    }

    /// Makes the tokens of a further set, at its own paths.
    pub(super) fn further(&mut self, set: &str, declared: &Value, plan: &Plan) -> Issue {
        let access = self.access(&plan.expiry);
        self.repeat(declared, &access, plan);
        self.issue(set, access, None, plan)
    }

    /// Puts tokens at the paths of a further set.
    pub(super) fn repeat(&mut self, declared: &Value, access: &str, plan: &Plan) {
        let path = |name: &str| json::texts(declared, name).into_iter().next();
        let scope = self.scope(&plan.scopes);
        let found = [
            ("access_token", Some(access.to_owned())),
            ("refresh_token", plan.shown.clone()),
            ("token_type", Some("Bearer".to_owned())),
            ("scope", scope),
        ];
        for (name, value) in found {
            if let (Some(path), Some(value)) = (path(name), value) {
                self.put(&path, json!(value));
            }
        }
        self.say(&plan.expiry);
    }

    /// Says when the tokens end that are prolonged.
    pub(super) fn say(&mut self, expiry: &Expiry) {
        if let (Some(path), Some(said)) = (&expiry.path, expiry.said(self.now)) {
            self.put(path, said);
        }
    }

    fn scope(&self, scopes: &[String]) -> Option<String> {
        let own = json::member(self.response, "scope_separator");
        let asked = || json::member(self.scene.known.part("authorise"), "scope_separator");
        let separator = own.or_else(asked).unwrap_or_else(|| " ".to_owned());
        (!scopes.is_empty()).then(|| scopes.join(&separator))
    }

    fn issue(&self, set: &str, access: String, id_token: Option<String>, plan: &Plan) -> Issue {
        Issue {
            set: set.to_owned(),
            access,
            id_token,
            expires: plan.expiry.lifetime.map(|lifetime| self.now + lifetime),
            refresh: plan.refresh,
            exchanged: false,
        }
    }
}

/// The life of the first set's access token in a response.
pub(super) fn expiry(known: &Known, response: &Value, is_first: bool) -> Expiry {
    if let Some(expiry) = Expiry::declared(response, "expiry", known.lifetime) {
        return expiry;
    }
    let path = json::texts(response, "expires_in").into_iter().next();
    let silent = known
        .part("token")
        .get("lifetime_seconds")
        .and_then(Value::as_u64);
    match silent.filter(|_| is_first && path.is_none()) {
        Some(lifetime) => Expiry {
            kind: "fixed".to_owned(),
            path: None,
            lifetime: Some(lifetime),
        },
        None => {
            let path = path.unwrap_or_else(|| "expires_in".to_owned());
            Expiry::seconds(Some(path), known.lifetime)
        }
    }
}

/// The life of a further set's access token.
pub(super) fn further_expiry(known: &Known, declared: &Value) -> Expiry {
    if let Some(expiry) = Expiry::declared(declared, "expiry", known.lifetime) {
        return expiry;
    }
    match json::texts(declared, "expires_in").into_iter().next() {
        Some(path) => Expiry::seconds(Some(path), known.lifetime),
        None => Expiry {
            kind: "never".to_owned(),
            path: None,
            lifetime: None,
        },
    }
}

/// A refresh token that nobody has seen before.
pub(super) fn new_refresh(response: &Value, set: &str, now: u64) -> Refresh {
    let expiry = Expiry::declared(response, "refresh_expiry", REFRESH_LIFETIME);
    let expires = expiry
        .as_ref()
        .and_then(|expiry| expiry.lifetime)
        .map(|lifetime| now + lifetime);
    let is_jwt = expiry.is_some_and(|expiry| expiry.is_in_the_token());
    let token = if is_jwt {
        jwt::make("person", "refresh", now, expires)
    } else {
        codec::random("rt-")
    };
    Refresh {
        set: set.to_owned(),
        token,
        expires: expires.filter(|_| set.is_empty()),
        used_at: None,
        ended: false,
    }
}

/// Puts the variables into an answer that are captured from it; gives their values.
pub(super) fn captured(
    scene: &Scene<'_>,
    from: &str,
    under: Option<&str>,
    body: &mut Value,
) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    for (key, path, declared) in scene.known.captured(from) {
        let path = match under {
            None => Some(path.as_str()),
            Some(step) => path
                .strip_prefix(step)
                .and_then(|path| path.strip_prefix('.')),
        };
        let Some(path) = path else { continue };
        let before = scene.captured.get(&key).cloned();
        if let Some(value) = before.or_else(|| samples::sample(scene, &key, declared)) {
            json::put(body, path, json!(value));
        }
        let there = json::at(body, path).and_then(json::text);
        values.extend(there.map(|value| (key, value)));
    }
    values
}

/// The answer of a step: everything that the definition takes from it.
pub(super) fn step_body(scene: &Scene<'_>, id: &str, body: &mut Value) {
    let mut texts = Vec::new();
    json::every_text(&scene.known.definition, &mut texts);
    let pattern = format!(r"step\.{id}\.([A-Za-z0-9_.\-]+)");
    let pattern = regex_lite::Regex::new(&pattern).expect("a pattern");
    for text in &texts {
        for found in pattern.captures_iter(text) {
            let path = found.get(1).map_or("", |path| path.as_str());
            let sample = scene.known.samples.get(&format!("step.{id}.{path}"));
            let value = sample.cloned().unwrap_or_else(|| made_up(path));
            json::put(body, path, json!(value));
        }
    }
}

fn made_up(path: &str) -> String {
    let name = path.to_ascii_lowercase();
    if name.ends_with("url") || name.ends_with("uri") {
        "https://api.acme.example.com".to_owned()
    } else {
        codec::random("step-")
    }
}
