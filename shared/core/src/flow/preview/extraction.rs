//! What an answer to the token request would bring, and where each part was found.

use std::{collections::BTreeMap, time::Duration};

use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use oauth2::basic::BasicTokenResponse;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{Ask, stand_in::StandIns};
use crate::{
    model::{
        Secret,
        definition::{ExpiryKind, Origin, RefreshMode},
        grant::{Grant, TokenSet},
        method::{AuthMethod, Expiry, Response, TokenPaths},
        template::Template,
        values::KnownValues,
    },
    protocol::{
        asked::Asked,
        authorise_url::scopes,
        path,
        refusal::TokenFailure,
        scope::Scope,
        token_answer::{self, Reader},
        wire::WireAnswer,
    },
};

/// What an answer brings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Extraction {
    /// Why it brings nothing: the answer is an error, or can't be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What was found, and where.
    pub found: Vec<Found>,
    /// When the access token ends, if the answer came now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// Whether the access token can be had anew without the user.
    pub refreshable: bool,
    /// The scopes that are taken as granted.
    pub scopes: Vec<String>,
    /// What one would look for and isn't there.
    pub missing: Vec<Missing>,
}

/// Something that an answer brings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Found {
    /// What it is.
    #[schema(example = "access_token")]
    pub what: String,
    /// The path in the answer, or the field of the definition.
    #[schema(example = "data.token")]
    pub from: String,
    /// The value; of a secret, only how long it is.
    pub value: String,
}

/// Something that an answer doesn't bring.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Missing {
    /// What it is.
    #[schema(example = "refresh_token")]
    pub what: String,
    /// Where it was looked for, and what follows.
    pub why: String,
}

/// An extraction, and the values that later requests can use.
pub(super) struct Read {
    pub(super) extraction: Extraction,
    pub(super) captured: BTreeMap<String, String>,
}

/// Reads a sample with the code that reads real answers.
pub(super) fn read(
    ask: &Ask<'_>,
    method: &AuthMethod,
    known: &KnownValues,
    sample: &Secret,
    stand_ins: &StandIns,
) -> Read {
    let scope = Scope::new(known, ask.callback_url);
    let response = &method.token.response;
    let grant = grant(ask, method, known, sample, &scope);
    let (grant, body) = match grant {
        Ok(read) => read,
        Err(error) => {
            return Read {
                extraction: Extraction {
                    error: Some(stand_ins.hide(&error)),
                    ..Extraction::default()
                },
                captured: BTreeMap::new(),
            };
        }
    };
    let mut sight = Sight {
        method,
        response,
        scope: &scope,
        known,
        body: &body,
        hidden: secrets(&grant),
        stand_ins,
        found: Vec::new(),
        missing: Vec::new(),
        captured: BTreeMap::new(),
    };
    sight.tokens(&grant);
    sight.expiry(&grant);
    sight.scopes(&grant);
    sight.variables();
    let scopes = grant.scopes.iter().map(|scope| sight.open(scope)).collect();
    Read {
        extraction: Extraction {
            error: None,
            expires_at: grant.tokens.main.expires_at,
            refreshable: grant.refreshable && method.refresh.is_possible(&grant.tokens),
            scopes,
            found: sight.found,
            missing: sight.missing,
        },
        captured: sight.captured,
    }
}

fn grant(
    ask: &Ask<'_>,
    method: &AuthMethod,
    known: &KnownValues,
    sample: &Secret,
    scope: &Scope<'_>,
) -> Result<(Grant, Value), String> {
    let response = &method.token.response;
    let status = response.statuses.first().copied().unwrap_or(200);
    let answer = WireAnswer {
        status: StatusCode::from_u16(status).unwrap_or_default(),
        headers: HeaderMap::new(),
        body: Secret::new(sample.expose().clone().into_bytes()),
        round_trip: Duration::ZERO,
    };
    let words = |failure: TokenFailure| failure.words.unwrap_or_default();
    let body = token_answer::read(&answer, response, scope, ask.now).map_err(words)?;
    let standard = token_answer::standard(&answer, &body, response, None, scope, ask.now);
    let standard = standard.map_err(words)?;
    // The parser's own error could quote a token.
    let parsed: BasicTokenResponse = serde_json::from_slice(standard.body())
        .map_err(|_| "the answer can't be read".to_owned())?;
    let reader = Reader {
        method,
        response,
        scope,
        values: known,
        asked: Asked::at(ask.now),
    };
    let asked_for = scopes(&method.authorise, scope);
    Ok((reader.grant(&parsed, &body, &asked_for), body))
}

/// Every token of an answer.
fn secrets(grant: &Grant) -> Vec<Secret> {
    let sets = std::iter::once(&grant.tokens.main).chain(grant.tokens.sets.values());
    sets.flat_map(|set| {
        std::iter::once(&set.access_token)
            .chain(&set.refresh_token)
            .chain(&set.id_token)
    })
    .cloned()
    .collect()
}

/// An answer as it is looked through.
struct Sight<'a> {
    method: &'a AuthMethod,
    response: &'a Response,
    scope: &'a Scope<'a>,
    known: &'a KnownValues,
    body: &'a Value,
    /// Tokens of the answer, which may stand in other values too.
    hidden: Vec<Secret>,
    stand_ins: &'a StandIns,
    found: Vec<Found>,
    missing: Vec<Missing>,
    captured: BTreeMap<String, String>,
}

impl Sight<'_> {
    fn tokens(&mut self, grant: &Grant) {
        let paths = &self.response.tokens;
        self.set("", paths, &grant.tokens.main);
        for (name, paths) in &self.response.sets {
            let prefix = format!("tokens.{name}.");
            match grant.tokens.sets.get(&**name) {
                Some(set) => self.set(&prefix, paths, set),
                None => self.lacks(
                    &format!("{prefix}access_token"),
                    &paths.access_token,
                    "the answer brings no such set",
                ),
            }
        }
        let wants = self.method.refresh.mode == RefreshMode::RefreshToken && grant.refreshable;
        if wants && grant.tokens.main.refresh_token.is_none() {
            let why = "when the access token ends, the user must connect again";
            self.lacks("refresh_token", &paths.refresh_token, why);
        }
        if !paths.id_token.is_empty() && grant.tokens.main.id_token.is_none() {
            self.lacks("id_token", &paths.id_token, "what names it has no value");
        }
    }

    fn set(&mut self, prefix: &str, paths: &TokenPaths, set: &TokenSet) {
        let parts = [
            ("access_token", &paths.access_token, Some(&set.access_token)),
            (
                "refresh_token",
                &paths.refresh_token,
                set.refresh_token.as_ref(),
            ),
            ("id_token", &paths.id_token, set.id_token.as_ref()),
        ];
        for (name, paths, token) in parts {
            if let Some(token) = token {
                let from = self.place(paths).unwrap_or_default();
                self.finds(&format!("{prefix}{name}"), from, masked(token.expose()));
            }
        }
        let kind = self.open(&set.token_type);
        let own = self.place(&paths.token_type);
        let usual = path::text(self.body, "token_type").map(|_| "token_type".to_owned());
        match own.or(usual) {
            Some(from) => self.finds(&format!("{prefix}token_type"), from, kind),
            None => self.missing.push(Missing {
                what: format!("{prefix}token_type"),
                why: "nothing says how the access token is used: it is taken as a bearer token"
                    .to_owned(),
            }),
        }
    }

    fn expiry(&mut self, grant: &Grant) {
        let expiry = &self.response.tokens.expiry;
        let told = expiry.iter().find_map(|expiry| self.told_by(expiry));
        let fixed = |kind| expiry.iter().any(|expiry| expiry.kind == kind);
        let Some(end) = grant.tokens.main.expires_at else {
            if fixed(ExpiryKind::Never) {
                let from = "token.response.expiry".to_owned();
                return self.finds("expiry", from, "never".to_owned());
            }
            let paths: Vec<_> = expiry
                .iter()
                .filter_map(|expiry| expiry.path.clone())
                .collect();
            let why = match self.method.refresh.is_possible(&grant.tokens) {
                true => "the access token is taken to live an hour",
                false => "the access token is taken to live for ever",
            };
            return self.lacks("expiry", &paths, why);
        };
        let seconds = end.duration_since(grant.received_at).as_secs();
        let from = match (told, fixed(ExpiryKind::Fixed)) {
            (Some(path), _) => path,
            (None, true) => "token.response.expiry".to_owned(),
            (None, false) if fixed(ExpiryKind::Jwt) => "the access token's claim 'exp'".to_owned(),
            (None, false) if self.response.lifetime.is_some() => {
                "token.lifetime_seconds".to_owned()
            }
            (None, false) => "the access token's claim 'exp'".to_owned(),
        };
        self.finds("expiry", from, format!("in {seconds} seconds"));
    }

    fn told_by(&self, expiry: &Expiry) -> Option<String> {
        self.place(std::slice::from_ref(expiry.path.as_ref()?))
    }

    fn scopes(&mut self, grant: &Grant) {
        match self.place(&self.response.tokens.scope) {
            Some(from) => {
                let scopes = self.open(&grant.scopes.join(" "));
                self.finds("scope", from, scopes);
            }
            None => {
                let paths = &self.response.tokens.scope;
                self.lacks("scope", paths, "those asked for are taken as granted");
            }
        }
    }

    /// The variables that the answer is to bring.
    fn variables(&mut self) {
        let variables = self.method.variables.iter();
        for variable in variables.filter(|variable| variable.from == Origin::Token) {
            let what = format!("variable.{}", variable.key);
            let Some(text) = path::text(self.body, &variable.path) else {
                if variable.required {
                    let why = format!("there is no text at '{}'", variable.path);
                    self.missing.push(Missing { what, why });
                }
                continue;
            };
            let captured = self.known.capture(variable, &text, self.scope.callback_url);
            match captured {
                Ok(value) if variable.is_secret() => {
                    self.finds(&what, variable.path.to_string(), masked(value.expose()));
                }
                Ok(value) => {
                    let value = self.open(value.expose());
                    self.captured
                        .insert(variable.key.to_string(), value.clone());
                    self.finds(&what, variable.path.to_string(), value);
                }
                Err(why) => {
                    let why = format!("what is at '{}' is refused: {why}", variable.path);
                    self.missing.push(Missing { what, why });
                }
            }
        }
    }

    /// The first path that leads to something, from the top of the answer.
    fn place(&self, paths: &[Template]) -> Option<String> {
        let root = self.response.root.as_deref();
        let top = root.and_then(|root| path::find(self.body, root));
        let filled = paths.iter().filter_map(|path| path.fill(self.scope).ok());
        let there = |path: &String| {
            path::find(top.unwrap_or(self.body), path).is_some_and(|value| !value.is_null())
        };
        let path = filled.into_iter().find(there)?;
        Some(match (root, top) {
            (Some(root), Some(_)) => format!("{root}.{path}"),
            (Some(_) | None, _) => path,
        })
    }

    fn finds(&mut self, what: &str, from: String, value: String) {
        self.found.push(Found {
            what: what.to_owned(),
            from,
            value,
        });
    }

    fn lacks(&mut self, what: &str, paths: &[Template], so: &str) {
        let paths: Vec<_> = paths
            .iter()
            .filter_map(|path| path.fill(self.scope).ok())
            .map(|path| format!("'{path}'"))
            .collect();
        let why = match paths.as_slice() {
            [] => so.to_owned(),
            paths => format!("nothing at {}: {so}", paths.join(", ")),
        };
        self.missing.push(Missing {
            what: what.to_owned(),
            why,
        });
    }

    /// A text that may be shown, with every token and secret in it replaced.
    fn open(&self, text: &str) -> String {
        let text = self.stand_ins.hide(text);
        self.hidden
            .iter()
            .filter(|token| token.expose().len() >= 4)
            .fold(text, |text, token| {
                text.replace(token.expose().as_str(), "[token]")
            })
    }
}

/// How long a secret is, which is all that is shown of it.
fn masked(secret: &str) -> String {
    format!("[{} characters]", secret.chars().count())
}
