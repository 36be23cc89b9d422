//! What a request must carry, by the definition.

use serde_json::Value;

use super::{
    codec::{self, Encoding},
    evaluate, json,
    received::origin_and_path,
    scene::{Known, Lack, Scene},
    template::{self, Piece},
};

/// Which request of the definition it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Authorise,
    Token,
    Refresh,
    Revoke,
    Introspect,
    Step,
}

impl Kind {
    /// Its name in a definition.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Authorise => "authorise",
            Self::Token => "token",
            Self::Refresh => "refresh",
            Self::Revoke => "revoke",
            Self::Introspect => "introspect",
            Self::Step => "step",
        }
    }
}

/// Where a parameter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Query,
    Body,
    Headers,
}

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyFormat {
    Form,
    Json,
    None,
}

/// Whose fault it is if something is not as it must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blame {
    Grant,
    Client,
    Request,
}

/// What a parameter must be.
#[derive(Debug, Clone)]
pub(super) enum Wanted {
    Template(String),
    Known(String),
    Basic { raw: bool },
    Assertion(String),
    Verifier,
}

/// A parameter that must be there.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) place: Place,
    pub(super) name: String,
    pub(super) wanted: Wanted,
    pub(super) encoding: Encoding,
    pub(super) repeat: Option<String>,
    /// What it is in JSON: `text`, `number`, `boolean`, `json`.
    pub(super) json: String,
    pub(super) blame: Blame,
    pub(super) optional: bool,
}

impl Entry {
    /// An entry that the RFCs have.
    pub(super) fn built_in(place: Place, name: &str, wanted: Wanted, blame: Blame) -> Self {
        Self {
            place,
            name: name.to_owned(),
            wanted,
            encoding: Encoding::Form,
            repeat: None,
            json: "text".to_owned(),
            blame,
            optional: false,
        }
    }

    /// Whether it is about the request itself, as a signature is.
    pub(super) fn is_about_the_request(&self) -> bool {
        matches!(&self.wanted, Wanted::Template(template) if template.contains("request."))
    }

    fn is(&self, place: Place, name: &str) -> bool {
        let same = match place {
            Place::Headers => self.name.eq_ignore_ascii_case(name),
            Place::Query | Place::Body => self.name == name,
        };
        self.place == place && same
    }
}

/// Where a request must go.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) origin: String,
    pub(super) path: String,
    /// Pairs that the URL has by itself: the name decoded, the value as written.
    pub(super) query: Vec<(String, String)>,
    /// The route in the fragment, if the URL has one.
    pub(super) route: Option<String>,
    /// The URL as it is written.
    pub(super) url: String,
}

/// A request that is expected.
#[derive(Debug, Clone)]
pub(super) struct Expected {
    pub(super) kind: Kind,
    pub(super) method: String,
    pub(super) target: Result<Target, String>,
    pub(super) body: BodyFormat,
    pub(super) entries: Vec<Entry>,
}

/// A field of a request, or of the token request where that is inherited.
pub(super) fn field<'a>(
    known: &'a Known,
    kind: Kind,
    request: &'a Value,
    key: &str,
) -> Option<&'a Value> {
    let inherits = match kind {
        Kind::Refresh => ["url", "headers", "body_format", "response"].contains(&key),
        Kind::Revoke | Kind::Introspect => ["headers", "body_format", "response"].contains(&key),
        Kind::Authorise | Kind::Token | Kind::Step => false,
    };
    let token = known.part("token").get(key).filter(|_| inherits);
    json::given([request.get(key), token])
}

/// How the client must show who it is in a request.
fn authentication(known: &Known, kind: Kind, request: &Value) -> String {
    let resigns = json::member(request, "mode").as_deref() == Some("resign");
    if kind == Kind::Step || (kind == Kind::Refresh && resigns) {
        return "custom".to_owned();
    }
    let own = json::member(request, "authentication");
    own.or_else(|| json::member(known.part("client"), "authentication"))
        .unwrap_or_else(|| "basic".to_owned())
}

/// What a request must be.
pub(super) fn expected(scene: &Scene<'_>, kind: Kind, request: &Value) -> Expected {
    let known = scene.known;
    let plain = if kind == Kind::Step { "get" } else { "post" };
    let method = json::member(request, "method").unwrap_or_else(|| plain.to_owned());
    let place = match json::member(request, "parameters_in").as_deref() {
        Some("query") => Place::Query,
        Some("headers") => Place::Headers,
        None if method == "get" => Place::Query,
        Some(_) | None => Place::Body,
    };
    let mut entries = client_entries(&authentication(known, kind, request), place);
    entries.extend(flow_entries(kind, request, place, known));
    for (place, key) in [
        (Place::Headers, "headers"),
        (Place::Query, "query"),
        (Place::Body, "body"),
    ] {
        if let Some(map) = field(known, kind, request, key) {
            lay(scene, &mut entries, place, map, Encoding::Form);
        }
    }
    let format = field(known, kind, request, "body_format").and_then(Value::as_str);
    let has_body = entries.iter().any(|entry| entry.place == Place::Body);
    let body = match format {
        _ if method == "get" && !has_body => BodyFormat::None,
        Some("json") => BodyFormat::Json,
        Some("none") => BodyFormat::None,
        Some(_) | None => BodyFormat::Form,
    };
    entries.retain(|entry| entry.place != Place::Body || body != BodyFormat::None);
    let urls = field(known, kind, request, "url").unwrap_or(&Value::Null);
    Expected {
        kind,
        method,
        target: target(scene, urls),
        body,
        entries,
    }
}

fn client_entries(authentication: &str, place: Place) -> Vec<Entry> {
    let client = |name: &str, wanted| Entry::built_in(place, name, wanted, Blame::Client);
    let template = |text: &str| Wanted::Template(text.to_owned());
    let header = |wanted| {
        let name = "Authorization";
        Entry::built_in(Place::Headers, name, wanted, Blame::Client)
    };
    let id = || client("client_id", template("{{client.id}}"));
    let secret = || client("client_secret", template("{{client.secret}}"));
    let assertion = || Wanted::Assertion(authentication.to_owned());
    match authentication {
        "basic" => vec![header(Wanted::Basic { raw: false })],
        "body" => vec![id(), secret()],
        "basic_and_body" => vec![header(Wanted::Basic { raw: false }), id(), secret()],
        "none" => vec![id()],
        "bearer" => vec![header(template("Bearer {{client.secret}}"))],
        "private_key_jwt" | "client_secret_jwt" => {
            let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
            let mut id = id();
            id.optional = true;
            vec![
                id,
                client("client_assertion_type", Wanted::Known(kind.to_owned())),
                client("client_assertion", assertion()),
            ]
        }
        "secret_jwt" => vec![id(), client("client_secret", assertion())],
        _ => Vec::new(),
    }
}

fn flow_entries(kind: Kind, request: &Value, place: Place, known: &Known) -> Vec<Entry> {
    let grant = |name: &str, template: &str| {
        Entry::built_in(
            place,
            name,
            Wanted::Template(template.to_owned()),
            Blame::Grant,
        )
    };
    let grant_type = |template: &str| {
        let wanted = Wanted::Template(template.to_owned());
        Entry::built_in(place, "grant_type", wanted, Blame::Request)
    };
    match kind {
        Kind::Token => {
            let mut entries = vec![
                grant_type("{{grant_type}}"),
                grant("code", "{{callback.code}}"),
                grant("redirect_uri", "{{flow.redirect_uri}}"),
            ];
            if json::member(known.part("authorise"), "pkce").as_deref() != Some("none") {
                let verifier = Wanted::Verifier;
                entries.push(Entry::built_in(
                    place,
                    "code_verifier",
                    verifier,
                    Blame::Grant,
                ));
            }
            entries
        }
        Kind::Refresh => match json::member(request, "mode").as_deref() {
            None | Some("refresh_token") => vec![
                grant_type("{{refresh_grant_type}}"),
                grant("refresh_token", "{{token.refresh_token}}"),
            ],
            Some("client_credentials") => vec![grant_type("client_credentials")],
            Some(_) => Vec::new(),
        },
        Kind::Revoke => vec![grant(
            "token",
            "{{token.refresh_token | default(token.access_token)}}",
        )],
        Kind::Introspect => vec![grant("token", "{{token.access_token}}")],
        Kind::Authorise | Kind::Step => Vec::new(),
    }
}

/// Lays a map of parameters over those that are there.
pub(super) fn lay(
    scene: &Scene<'_>,
    entries: &mut Vec<Entry>,
    place: Place,
    map: &Value,
    encoding: Encoding,
) {
    for (name, parameter) in map.as_object().into_iter().flatten() {
        entries.retain(|entry| !entry.is(place, name));
        let template = json::text(parameter).or_else(|| json::member(parameter, "value"));
        let Some(template) = template.filter(|_| scene.holds(parameter.get("when"))) else {
            continue;
        };
        if may_be_left_out(parameter) && is_empty(scene, &template) {
            continue;
        }
        let own = json::member(parameter, "encode");
        entries.push(Entry {
            place,
            name: name.clone(),
            blame: blame(&template),
            wanted: Wanted::Template(template),
            encoding: own.map_or(encoding, |own| Encoding::named(Some(&own))),
            repeat: json::member(parameter, "repeat"),
            json: json::member(parameter, "as").unwrap_or_else(|| "text".to_owned()),
            optional: false,
        });
    }
}

fn may_be_left_out(parameter: &Value) -> bool {
    parameter.get("omit_if_empty") == Some(&Value::Bool(true))
}

fn is_empty(scene: &Scene<'_>, template: &str) -> bool {
    match scene.render(template) {
        Ok(text) => text.is_empty(),
        Err(Lack::Missing(_)) => true,
        Err(Lack::Unbound(_) | Lack::Signed | Lack::Fault(_)) => false,
    }
}

fn blame(template: &str) -> Blame {
    let names = |part: &str| template.contains(part);
    if names("callback.code") || names("token.") || names("oauth_authorised_code") {
        Blame::Grant
    } else if names("client") {
        Blame::Client
    } else {
        Blame::Request
    }
}

/// Where a request must go: the first URL whose values are all there.
pub(super) fn target(scene: &Scene<'_>, urls: &Value) -> Result<Target, String> {
    let list = match urls.as_array() {
        Some(list) => list.iter().filter_map(json::text).collect(),
        None => json::text(urls).into_iter().collect::<Vec<_>>(),
    };
    let mut last = "there is no URL".to_owned();
    for template in list {
        match address(scene, &template) {
            Ok(url) => return Ok(parted(&url)),
            Err(Lack::Missing(name)) => last = Lack::Missing(name).words(),
            Err(lack) => return Err(lack.words()),
        }
    }
    Err(last)
}

/// A URL's text, with values written so that they can't change what the URL means.
fn address(scene: &Scene<'_>, template: &str) -> Result<String, Lack> {
    let mut url = String::new();
    for piece in template::parse(template).map_err(Lack::Fault)? {
        match piece {
            Piece::Literal(literal) => url.push_str(&literal),
            Piece::Expression(expression) => {
                let value = evaluate::evaluate(scene, &expression)?;
                let after_scheme = url.split_once("://").map(|(_, rest)| rest);
                let in_path = after_scheme.is_some_and(|rest| rest.contains('/'));
                if in_path {
                    url.push_str(&codec::percent_encode(&value));
                } else {
                    url.push_str(&value);
                }
            }
        }
    }
    Ok(url)
}

fn parted(url: &str) -> Target {
    let (address, fragment) = match url.split_once('#') {
        Some((address, fragment)) => (address, Some(fragment)),
        None => (url, None),
    };
    let (address, mut query) = address.split_once('?').unwrap_or((address, ""));
    let route = fragment.map(|fragment| {
        let (route, own) = fragment.split_once('?').unwrap_or((fragment, ""));
        query = own;
        route.to_owned()
    });
    let (origin, path) = origin_and_path(address);
    Target {
        origin,
        path,
        query: codec::pairs(query),
        route,
        url: url.to_owned(),
    }
}
