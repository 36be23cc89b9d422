//! A request as whoever receives it reads it.

use std::{collections::BTreeMap, time::Duration};

use http::header;
use latchkey_core::{
    model::{
        Secret,
        grant::{TokenSet, Tokens},
        method::AuthMethod,
        values::{GivenValues, KnownValues},
    },
    protocol::{
        authorise_url::authorise_url,
        client::Identity,
        dialect::{self, Draft, apply},
        moment::Moment,
        scope::Scope,
    },
};
use serde_json::{Value, json};

use super::judge::{Meaning, meaning, pairs};

const CALLBACK: &str = "https://latchkey.example/oauth/authenticate";

/// A request, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sent {
    pub(crate) verb: String,
    pub(crate) url: Meaning,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Body,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Body {
    None,
    /// As written.
    Form(String),
    Json(Value),
}

/// Which request of a method is made.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Which {
    Authorise,
    Token,
    /// A caller's own request.
    Use,
}

/// A method out of the parts of a definition that matter, with the builder's variable `x`.
pub(crate) fn method(parts: &Value) -> AuthMethod {
    let mut definition = json!({
        "name": "Shop",
        "variables": [{ "key": "x" }],
        "authorise": { "url": "https://shop.example/authorise" },
        "token": { "url": "https://shop.example/token" },
    });
    for (name, value) in parts.as_object().unwrap() {
        match (definition.get_mut(name), value) {
            (Some(Value::Object(present)), Value::Object(added)) => present.extend(added.clone()),
            (_, value) => definition[name] = value.clone(),
        }
    }
    let definition = serde_json::from_value(definition).expect("a definition");
    AuthMethod::parse(&definition, &[]).unwrap_or_else(|faults| panic!("{faults:?}"))
}

/// The request that a method makes with a value for the variable `key`, whatever may be checked elsewhere.
///
/// # Errors
/// The outer: it must not be sent like this. The inner: it can't be made, which is as it may be.
pub(crate) fn sent(
    method: &AuthMethod,
    which: Which,
    key: &str,
    value: &str,
) -> Result<Result<Sent, String>, String> {
    let mut given: GivenValues = [("client_id", "the-client"), ("client_secret", "s3cr3t")]
        .map(|(key, value)| (key.to_owned(), Secret::from(value)))
        .into();
    given.insert(key.to_owned(), Secret::from(value));
    let known = KnownValues::resolve(method, &given, &given, &given, CALLBACK);
    let made = match which {
        Which::Authorise => authorise(method, &known),
        Which::Token => token(method, &known),
        Which::Use => used(method, &known),
    };
    match made {
        Ok(made) => made.taken_apart().map(Ok),
        Err(why) => Ok(Err(why)),
    }
}

/// A request as it is written.
struct Written {
    verb: String,
    url: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Written {
    fn taken_apart(self) -> Result<Sent, String> {
        let url = meaning(&self.url).map_err(|why| format!("{}: {why}", self.url))?;
        let mut headers = BTreeMap::new();
        for (name, value) in self.headers {
            let value = String::from_utf8(value).map_err(|_| format!("{name} is no text"))?;
            if value.contains(char::is_control) {
                return Err(format!("{name} has control characters: {value:?}"));
            }
            headers.insert(name.to_ascii_lowercase(), value);
        }
        let kind = headers.get("content-type").map(String::as_str);
        let body = match kind.filter(|_| !self.body.is_empty()) {
            None => Body::None,
            Some("application/json") => {
                Body::Json(serde_json::from_slice(&self.body).map_err(|error| error.to_string())?)
            }
            Some(_) => Body::Form(String::from_utf8(self.body).map_err(|error| error.to_string())?),
        };
        Ok(Sent {
            verb: self.verb,
            url,
            headers,
            body,
        })
    }
}

fn authorise(method: &AuthMethod, known: &KnownValues) -> Result<Written, String> {
    let state = Secret::from("abcdefghijklmnopqrstuvwx");
    let verifier = Secret::new("v".repeat(43));
    let plain = Scope::new(known, CALLBACK);
    let id = method
        .client
        .id
        .fill(&plain)
        .map_err(|error| error.to_string())?;
    let scopes = latchkey_core::protocol::authorise_url::scopes(&method.authorise, &plain);
    let joined = scopes.join(&method.authorise.scope_separator);
    let scope = Scope {
        client_id: Some(&id),
        redirect_uri: Some(CALLBACK),
        state: Some(&state),
        scope: Some(&joined),
        ..plain
    };
    let url = authorise_url(&method.authorise, &scope, Some(&verifier))
        .map_err(|error| error.to_string())?;
    Ok(Written {
        verb: "GET".to_owned(),
        url: url.into(),
        headers: Vec::new(),
        body: Vec::new(),
    })
}

fn token(method: &AuthMethod, known: &KnownValues) -> Result<Written, String> {
    let moment = Moment {
        now: "2026-01-01T00:00:00Z".parse().unwrap(),
        uuid: "00000000-0000-4000-8000-000000000000".to_owned(),
        random: "r".repeat(128).into(),
    };
    let code = Secret::from("c/1");
    let plain = Scope {
        code: Some(&code),
        moment: Some(&moment),
        ..Scope::new(known, CALLBACK)
    };
    let url = dialect::url(&method.token.urls, &plain).map_err(|error| error.to_string())?;
    let identity = Identity::new(&method.client, &method.token, &url, &moment, &plain)
        .map_err(|error| error.to_string())?;
    let scope = Scope {
        client_id: Some(&identity.id),
        client_secret: identity.secret.as_ref(),
        ..plain
    };
    let draft = Draft {
        request: &method.token,
        url: url.clone(),
        wired: &[],
        identity: Some(&identity),
        limit: Duration::from_secs(1),
    };
    let wire = draft
        .express(Some(standard(&identity, url)?), &scope)
        .map_err(|error| error.to_string())?;
    let headers = wire
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()));
    Ok(Written {
        verb: wire.method.to_string(),
        url: wire.url.into(),
        headers: headers.collect(),
        body: wire.body.expose().clone(),
    })
}

/// The standard request, as the `oauth2` crate makes it.
fn standard(identity: &Identity, url: url::Url) -> Result<oauth2::HttpRequest, String> {
    let seen = std::cell::RefCell::new(None);
    let record = |request: oauth2::HttpRequest| -> Result<oauth2::HttpResponse, std::io::Error> {
        seen.replace(Some(request));
        Err(std::io::Error::other("recorded"))
    };
    let client = identity
        .standard()
        .set_token_uri(oauth2::TokenUrl::from_url(url));
    let code = oauth2::AuthorizationCode::new("c/1".to_owned());
    let _ = client.exchange_code(code).request(&record);
    seen.take()
        .ok_or_else(|| "the crate makes no request".to_owned())
}

fn used(method: &AuthMethod, known: &KnownValues) -> Result<Written, String> {
    let tokens = Tokens {
        main: TokenSet {
            access_token: "t0k3n".into(),
            refresh_token: None,
            id_token: None,
            token_type: "bearer".to_owned(),
            expires_at: None,
        },
        sets: BTreeMap::new(),
        captured: BTreeMap::new(),
    };
    let scope = Scope {
        tokens: Some(&tokens),
        ..Scope::new(known, CALLBACK)
    };
    let applied = apply(method, scope).map_err(|error| error.to_string())?;
    let open = |pairs: Vec<(String, Secret)>| -> Vec<_> {
        let pairs = pairs.into_iter();
        pairs
            .map(|(name, value)| (name, value.expose().clone()))
            .collect()
    };
    let (query, form) = (open(applied.query), open(applied.body));
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    let mut url = applied.base_url.ok_or("there is no base URL")?;
    if !query.is_empty() {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(query)
            .finish();
        url = format!("{url}/?{query}");
    } else if url.matches('/').count() == 2 {
        url.push('/');
    }
    let mut headers: Vec<_> = open(applied.headers)
        .into_iter()
        .map(|(name, value)| (name, value.into_bytes()))
        .collect();
    let kind = "application/x-www-form-urlencoded";
    headers.push((header::CONTENT_TYPE.to_string(), kind.into()));
    Ok(Written {
        verb: "POST".to_owned(),
        url,
        headers,
        body: form.into_bytes(),
    })
}

impl Sent {
    /// Takes the first value called `name` out of the query: the value as it was given.
    pub(crate) fn query(&mut self, name: &str) -> Option<String> {
        let query = self.url.query.as_mut()?;
        taken(query, name)
    }

    /// The same of a form.
    pub(crate) fn form(&mut self, name: &str) -> Option<String> {
        match &mut self.body {
            Body::Form(form) => taken(form, name),
            Body::None | Body::Json(_) => None,
        }
    }

    /// The same of a JSON body.
    pub(crate) fn json(&mut self, pointer: &str) -> Option<Value> {
        match &mut self.body {
            Body::Json(body) => body.pointer_mut(pointer).map(Value::take),
            Body::None | Body::Form(_) => None,
        }
    }

    /// The same of a header.
    pub(crate) fn header(&mut self, name: &str) -> Option<String> {
        self.headers.get_mut(name).map(std::mem::take)
    }
}

/// Takes a value out of form-encoded text, which must have it once.
fn taken(text: &mut String, name: &str) -> Option<String> {
    let mut pairs = pairs(text);
    let mut found = pairs.iter_mut().filter(|(present, _)| present == name);
    let value = match (found.next(), found.next()) {
        (Some((_, value)), None) => std::mem::take(value),
        _ => return None,
    };
    *text = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    Some(value)
}

/// The same where a plus is a plus (RFC 3986): only percent-encoding is undone.
pub(crate) fn taken_plain(text: &mut String, name: &str) -> Option<String> {
    let start = format!("{name}=");
    let mut parts: Vec<String> = text.split('&').map(str::to_owned).collect();
    let mut found = parts.iter_mut().filter(|part| part.starts_with(&start));
    let value = match (found.next(), found.next()) {
        (Some(part), None) => part.split_off(start.len()),
        _ => return None,
    };
    *text = parts.join("&");
    String::from_utf8(super::judge::decoded(&value)).ok()
}
