//! Whether a request that came is the one that was expected.

use serde_json::Value;

use super::{
    ORIGIN,
    codec::{self, Encoding},
    crypt,
    expected::{Blame, BodyFormat, Entry, Expected, Kind, Place, Target, Wanted},
    json, jwt, matching,
    received::{Received, segments},
    scene::Scene,
};

/// Headers that say nothing about the provider.
const PLAIN_HEADERS: [&str; 10] = [
    "host",
    "accept",
    "accept-encoding",
    "accept-language",
    "user-agent",
    "content-type",
    "content-length",
    "connection",
    "transfer-encoding",
    ORIGIN,
];

/// What is wrong with a request, and how much that makes it another request altogether.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    pub(super) weight: u32,
    pub(super) blame: Blame,
    pub(super) words: String,
}

impl Fault {
    /// A fault.
    pub(super) fn new(weight: u32, blame: Blame, words: impl Into<String>) -> Self {
        Self {
            weight,
            blame,
            words: words.into(),
        }
    }
}

enum Content {
    /// As written in a query or form.
    Written(String),
    /// As it is in a header.
    Plain(String),
    Json(Value),
}

struct Came {
    place: Place,
    name: String,
    content: Content,
}

/// What is wrong with a request; what it shows is bound in the scene.
pub(super) fn faults(
    scene: &mut Scene<'_>,
    expected: &Expected,
    received: &Received,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    if received.method != expected.method {
        let words = format!("{} is not {}", received.method, expected.method);
        faults.push(Fault::new(50, Blame::Request, words));
    }
    let mut came = Vec::new();
    match &expected.target {
        Ok(target) => {
            check_target(target, received, &mut faults);
            came.extend(query(target, received, &mut faults));
        }
        Err(words) => faults.push(Fault::new(100, Blame::Request, words.clone())),
    }
    came.extend(headers(received));
    came.extend(body(expected, received, &mut faults));
    scene.sorted = Some(sorted(expected, &came));
    let url = match &expected.target {
        Ok(target) => target.url.as_str(),
        Err(_) => "",
    };
    let checker = Checker {
        url,
        kind: expected.kind,
    };
    // The first time finds what the request shows, and the second has it for all.
    for entry in &expected.entries {
        drop(checker.check(scene, entry, &came));
    }
    for entry in &expected.entries {
        if let Err(words) = checker.check(scene, entry, &came) {
            faults.push(Fault::new(
                5,
                entry.blame,
                format!("{} {words}", entry.name),
            ));
        }
    }
    faults.extend(unexpected(expected, &came));
    faults
}

fn check_target(target: &Target, received: &Received, faults: &mut Vec<Fault>) {
    let mut wrong = |words| faults.push(Fault::new(100, Blame::Request, words));
    if received.origin != target.origin {
        wrong(format!(
            "the host is {}, not {}",
            received.origin, target.origin
        ));
    }
    if segments(&received.path) != segments(&target.path) {
        wrong(format!(
            "the path is {}, not {}",
            received.path, target.path
        ));
    }
}

/// The parameters of the query, or of the route in the fragment, but for those of the URL itself.
fn query(target: &Target, received: &Received, faults: &mut Vec<Fault>) -> Vec<Came> {
    let mut wrong = |words| faults.push(Fault::new(100, Blame::Request, words));
    let mut written = received.query.clone();
    if let Some(route) = &target.route {
        let fragment = received.fragment.as_deref().unwrap_or_default();
        let (came, parameters) = fragment.split_once('?').unwrap_or((fragment, ""));
        if came != route {
            wrong(format!("the route is #{came}, not #{route}"));
        }
        if !written.is_empty() {
            wrong("parameters come before the fragment".to_owned());
        }
        let (parameters, _) = parameters.split_once('#').unwrap_or((parameters, ""));
        written = parameters.to_owned();
    }
    let mut pairs = codec::pairs(&written);
    for (name, value) in &target.query {
        let read = codec::form_decode(value);
        let same = |pair: &(String, String)| pair.0 == *name && codec::form_decode(&pair.1) == read;
        match pairs.iter().position(same) {
            Some(at) => drop(pairs.remove(at)),
            None => wrong(format!("the URL's own {name}={value} is not there")),
        }
    }
    let pairs = pairs.into_iter();
    pairs
        .map(|(name, value)| Came {
            place: Place::Query,
            name,
            content: Content::Written(value),
        })
        .collect()
}

fn headers(received: &Received) -> impl Iterator<Item = Came> {
    received.headers.iter().map(|(name, value)| Came {
        place: Place::Headers,
        name: name.clone(),
        content: Content::Plain(value.clone()),
    })
}

fn body(expected: &Expected, received: &Received, faults: &mut Vec<Fault>) -> Vec<Came> {
    let mut wrong = |words: String| faults.push(Fault::new(20, Blame::Request, words));
    let wanted = expected
        .entries
        .iter()
        .any(|entry| entry.place == Place::Body && !entry.optional);
    let said = expected
        .entries
        .iter()
        .any(|entry| entry.place == Place::Headers && is_named(entry, "content-type"));
    if received.body.is_empty() && !wanted {
        return Vec::new();
    }
    let media_type = received.media_type().unwrap_or_default();
    let right = match expected.body {
        BodyFormat::Form => "application/x-www-form-urlencoded",
        BodyFormat::Json => "application/json",
        BodyFormat::None => {
            wrong("there is a body, and none is expected".to_owned());
            return Vec::new();
        }
    };
    if media_type != right && !said {
        wrong(format!("the body is {media_type}, not {right}"));
    }
    match expected.body {
        BodyFormat::Form => codec::pairs(&received.body)
            .into_iter()
            .map(|(name, value)| Came {
                place: Place::Body,
                name,
                content: Content::Written(value),
            })
            .collect(),
        BodyFormat::Json => json_members(&received.body).unwrap_or_else(|words| {
            wrong(words);
            Vec::new()
        }),
        BodyFormat::None => Vec::new(),
    }
}

fn json_members(body: &str) -> Result<Vec<Came>, String> {
    let parsed: Value = serde_json::from_str(body).map_err(|_| "the body is no JSON".to_owned())?;
    let members = parsed.as_object().ok_or("the body is no JSON object")?;
    let members = members.iter().map(|(name, value)| Came {
        place: Place::Body,
        name: name.clone(),
        content: Content::Json(value.clone()),
    });
    Ok(members.collect())
}

fn is_named(entry: &Entry, name: &str) -> bool {
    match entry.place {
        Place::Headers => entry.name.eq_ignore_ascii_case(name),
        Place::Query | Place::Body => entry.name == name,
    }
}

/// All parameters of query and body but those about the request itself, as a signature covers them.
fn sorted(expected: &Expected, came: &[Came]) -> String {
    let covered = |came: &&Came| {
        let mut entries = expected.entries.iter();
        let signs = entries.any(|entry| {
            entry.place == came.place && is_named(entry, &came.name) && entry.is_about_the_request()
        });
        came.place != Place::Headers && !signs
    };
    let read = |came: &Came| {
        let value = match &came.content {
            Content::Written(written) => codec::form_decode(written),
            Content::Plain(plain) => plain.clone(),
            Content::Json(value) => json::text(value).unwrap_or_else(|| value.to_string()),
        };
        (came.name.clone(), value)
    };
    let mut all: Vec<_> = came.iter().filter(covered).map(read).collect();
    all.sort();
    let all = all.iter().map(|(name, value)| format!("{name}={value}"));
    all.collect::<Vec<_>>().join("&")
}

fn unexpected(expected: &Expected, came: &[Came]) -> Vec<Fault> {
    let asked = |came: &Came| {
        let mut entries = expected.entries.iter();
        entries.any(|entry| entry.place == came.place && is_named(entry, &came.name))
    };
    let plain =
        |came: &Came| came.place == Place::Headers && PLAIN_HEADERS.contains(&came.name.as_str());
    let faults = came.iter().filter(|came| !asked(came) && !plain(came));
    faults
        .map(|came| {
            let client = ["client_id", "client_secret", "authorization"];
            let blame = if client.contains(&came.name.as_str()) {
                Blame::Client
            } else {
                Blame::Request
            };
            let place = place_name(came.place);
            Fault::new(
                5,
                blame,
                format!("{} is unexpected in the {place}", came.name),
            )
        })
        .collect()
}

fn place_name(place: Place) -> &'static str {
    match place {
        Place::Query => "query",
        Place::Body => "body",
        Place::Headers => "headers",
    }
}

struct Checker<'a> {
    url: &'a str,
    kind: Kind,
}

impl Checker<'_> {
    fn check(&self, scene: &mut Scene<'_>, entry: &Entry, came: &[Came]) -> Result<(), String> {
        let here: Vec<_> = came
            .iter()
            .filter(|came| came.place == entry.place && is_named(entry, &came.name))
            .collect();
        let Some(first) = here.first() else {
            return if entry.optional {
                Ok(())
            } else {
                Err(missing(entry, came))
            };
        };
        if let Some(separator) = &entry.repeat {
            return repeated(scene, entry, separator, &here);
        }
        if here.len() > 1 {
            return Err("comes more than once".to_owned());
        }
        match &first.content {
            Content::Plain(plain) => self.is(scene, entry, plain),
            Content::Written(written) => self.is_written(scene, entry, written),
            Content::Json(value) => self.is_json(scene, entry, value),
        }
    }

    fn is_written(
        &self,
        scene: &mut Scene<'_>,
        entry: &Entry,
        written: &str,
    ) -> Result<(), String> {
        let mut outcome = Ok(());
        for reading in entry.encoding.read(written)? {
            outcome = self.is(scene, entry, &reading);
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }

    fn is_json(&self, scene: &mut Scene<'_>, entry: &Entry, value: &Value) -> Result<(), String> {
        let right = match entry.json.as_str() {
            "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            "json" => {
                let Wanted::Template(template) = &entry.wanted else {
                    return Err("has no template".to_owned());
                };
                return is_rendered_json(scene, template, value);
            }
            _ => value.is_string(),
        };
        if !right {
            return Err(format!("is {value}, which is no {}", entry.json));
        }
        self.is(scene, entry, &json::text(value).unwrap_or_default())
    }

    fn is(&self, scene: &mut Scene<'_>, entry: &Entry, text: &str) -> Result<(), String> {
        match &entry.wanted {
            Wanted::Template(template) => matching::matches(scene, template, text),
            Wanted::Known(known) if known == text => Ok(()),
            Wanted::Known(known) => Err(format!("is '{text}', not '{known}'")),
            Wanted::Basic { raw } => is_basic(scene, *raw, text),
            Wanted::Assertion(authentication) => {
                let id = jwt::check_assertion(scene, authentication, self.url, text)?;
                scene
                    .bound
                    .extend(id.map(|id| ("the assertion's jti".to_owned(), id)));
                Ok(())
            }
            Wanted::Verifier => match self.kind {
                Kind::Token => is_verifier(scene, text),
                Kind::Authorise | Kind::Refresh | Kind::Revoke | Kind::Introspect | Kind::Step => {
                    Ok(())
                }
            },
        }
    }
}

fn missing(entry: &Entry, came: &[Came]) -> String {
    let place = place_name(entry.place);
    match came.iter().find(|came| is_named(entry, &came.name)) {
        Some(elsewhere) => {
            let there = place_name(elsewhere.place);
            format!("is missing from the {place}: it is in the {there}")
        }
        None => format!("is missing from the {place}"),
    }
}

fn repeated(
    scene: &Scene<'_>,
    entry: &Entry,
    separator: &str,
    here: &[&Came],
) -> Result<(), String> {
    let Wanted::Template(template) = &entry.wanted else {
        return Err("can't be repeated".to_owned());
    };
    let text = scene.render(template).map_err(|lack| lack.words())?;
    let parts: Vec<_> = text
        .split(separator)
        .filter(|part| !part.is_empty())
        .collect();
    let mut read = Vec::new();
    for came in here {
        match &came.content {
            Content::Plain(plain) => read.push(plain.clone()),
            Content::Written(written) => read.extend(entry.encoding.read(written)?.pop()),
            Content::Json(value) => {
                let list = value.as_array().map_or(&[][..], Vec::as_slice);
                read.extend(list.iter().filter_map(json::text));
            }
        }
    }
    if read == parts {
        Ok(())
    } else {
        Err(format!("is {read:?}, not {parts:?}"))
    }
}

/// Whether JSON is what a template of JSON makes, text by text.
fn is_rendered_json(scene: &mut Scene<'_>, template: &str, came: &Value) -> Result<(), String> {
    if let Ok(shape) = serde_json::from_str::<Value>(template) {
        return is_shaped(scene, &shape, came);
    }
    let rendered = scene.render(template).map_err(|lack| lack.words())?;
    match serde_json::from_str::<Value>(&rendered) {
        Ok(wanted) if wanted == *came => Ok(()),
        Ok(wanted) => Err(format!("is {came}, not {wanted}")),
        Err(_) => Err(format!("has a template that makes no JSON: {rendered}")),
    }
}

fn is_shaped(scene: &mut Scene<'_>, shape: &Value, came: &Value) -> Result<(), String> {
    if let (Some(template), Some(text)) = (shape.as_str(), came.as_str()) {
        return matching::matches(scene, template, text);
    }
    if let (Some(shapes), Some(values)) = (shape.as_array(), came.as_array()) {
        if shapes.len() != values.len() {
            return Err(format!("has {} parts, not {}", values.len(), shapes.len()));
        }
        let mut both = shapes.iter().zip(values);
        return both.try_for_each(|(shape, value)| is_shaped(scene, shape, value));
    }
    if let (Some(shapes), Some(values)) = (shape.as_object(), came.as_object()) {
        if let Some(more) = values.keys().find(|name| !shapes.contains_key(*name)) {
            return Err(format!("has a member '{more}' that is not asked for"));
        }
        return shapes.iter().try_for_each(|(name, shape)| {
            let value = values.get(name);
            is_shaped(
                scene,
                shape,
                value.ok_or_else(|| format!("lacks '{name}'"))?,
            )
        });
    }
    if shape == came {
        Ok(())
    } else {
        Err(format!("has {came} where {shape} must be"))
    }
}

fn is_basic(scene: &Scene<'_>, raw: bool, text: &str) -> Result<(), String> {
    let client = scene.known.part("client");
    let raw = raw || json::member(client, "basic_encoding").as_deref() == Some("raw");
    let value = |template| scene.render(template).map_err(|lack| lack.words());
    let (id, secret) = (value("{{client.id}}")?, value("{{client.secret}}")?);
    let encoded = text.strip_prefix("Basic ").ok_or("is not Basic")?;
    let decoded = codec::from_base64(encoded).and_then(|bytes| String::from_utf8(bytes).ok());
    let decoded = decoded.ok_or("is not Base64")?;
    if raw {
        let right = format!("{id}:{secret}");
        return if decoded == right {
            Ok(())
        } else {
            Err(format!("carries '{decoded}', not '{right}' as it is"))
        };
    }
    let (user, password) = decoded.split_once(':').ok_or("has no colon")?;
    let read = |part: &str| Encoding::Form.read(part).map(|mut all| all.pop());
    if read(user)? == Some(id.clone()) && read(password)? == Some(secret.clone()) {
        Ok(())
    } else {
        Err(format!(
            "carries '{decoded}', not '{id}' and '{secret}' form-encoded"
        ))
    }
}

fn is_verifier(scene: &Scene<'_>, verifier: &str) -> Result<(), String> {
    let authorise = scene.known.part("authorise");
    let length = authorise.get("verifier_length").and_then(Value::as_u64);
    let length = usize::try_from(length.unwrap_or(43)).unwrap_or(43);
    let unreserved = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    if verifier.len() != length || !verifier.chars().all(unreserved) {
        return Err(format!(
            "has not the form of {length} unreserved characters: {verifier}"
        ));
    }
    let method = json::member(authorise, "pkce").unwrap_or_else(|| "S256".to_owned());
    let digest = || crypt::hashed("sha256", verifier.as_bytes());
    let made = match method.as_str() {
        "plain" => verifier.to_owned(),
        "S256_hex" => codec::hex(&digest()?),
        _ => codec::base64url(&digest()?),
    };
    match scene.flow.get("flow.code_challenge") {
        Some(challenge) if *challenge == made => Ok(()),
        Some(challenge) => Err(format!("makes the challenge {made}, not {challenge}")),
        None => Ok(()),
    }
}
