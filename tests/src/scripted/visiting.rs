//! A person at the authorise URL.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    codec::{self, Encoding},
    crypt,
    expected::{Blame, BodyFormat, Entry, Expected, Kind, Place, Wanted, lay, target},
    grants::Visit,
    json,
    received::Received,
    samples,
    scene::{Known, Scene, form_of},
    verify::{self, Fault},
};

/// How the provider sends a person back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackAnswer {
    /// Where to: with the parameters, unless they come in a form.
    pub url: String,
    /// The parameters, where they are posted (`response_mode=form_post`).
    pub form: Option<Vec<(String, String)>>,
}

/// A visit that the provider refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub reason: String,
}

/// What a person decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    Allow,
    Deny,
}

/// The outcome of a visit: what the provider remembers, if it was allowed, and where the person goes.
pub(super) struct Outcome {
    pub(super) visit: Option<Visit>,
    pub(super) answer: CallbackAnswer,
}

/// Visits the authorise URL.
pub(super) fn visit(
    known: &Known,
    received: &Received,
    decision: Decision,
) -> Result<Outcome, String> {
    let mut scene = Scene::new(known);
    let scopes = prepare(&mut scene)?;
    let expected = expected(&scene);
    scene.request = Some(received);
    let mut faults = verify::faults(&mut scene, &expected, received);
    faults.extend(about_the_whole(&scene, &expected, received));
    if !faults.is_empty() {
        let words: Vec<_> = faults.into_iter().map(|fault| fault.words).collect();
        return Err(words.join("; "));
    }
    let mut flow = scene.flow.clone();
    for (name, value) in &scene.bound {
        if name.starts_with("flow.") {
            flow.insert(name.clone(), value.clone());
        }
    }
    scene.flow = flow;
    scene.request = None;
    let captured = match decision {
        Decision::Allow => captured(&mut scene),
        Decision::Deny => BTreeMap::new(),
    };
    let code_required = known.part("callback").get("code_required") != Some(&Value::Bool(false));
    let code = code_required.then(|| codec::random("code-"));
    let parameters = parameters(&scene, decision, code.as_deref());
    let answer = callback(&scene, received, parameters);
    scene
        .flow
        .extend(code.clone().map(|code| ("callback.code".to_owned(), code)));
    let visit = (decision == Decision::Allow).then(|| Visit {
        flow: scene.flow,
        captured,
        scope: scopes,
        code,
        at: known.now(),
        grant: None,
    });
    Ok(Outcome { visit, answer })
}

/// Puts into the scene what is known before the visit, and the forms of what comes with it.
fn prepare(scene: &mut Scene<'_>) -> Result<Vec<String>, String> {
    let known = scene.known;
    let authorise = known.part("authorise");
    let own = json::member(&known.definition, "redirect_uri");
    let own = own.unwrap_or_else(|| "{{callback_url}}".to_owned());
    let redirect = scene.render(&own).map_err(|lack| lack.words())?;
    let state = state_form(scene)?;
    let mut form = |name: &str, form: String| scene.bound.insert(form_of(name), form);
    let carrier = carrier(authorise);
    if carrier.as_deref() == Some("cookie") {
        scene.flow.insert("flow.redirect_uri".to_owned(), redirect);
    } else if carrier.as_deref() == Some("redirect_uri") {
        let separator = if redirect.contains('?') { '&' } else { '?' };
        let name = callback_name(known, "state");
        let start = regex_lite::escape(&format!("{redirect}{separator}{name}="));
        form("flow.redirect_uri", format!("{start}{state}"));
    } else {
        scene.flow.insert("flow.redirect_uri".to_owned(), redirect);
        scene.bound.insert(form_of("flow.state"), state);
    }
    if let Some(challenge) = challenge_form(authorise) {
        scene
            .bound
            .insert(form_of("flow.code_challenge"), challenge);
    }
    let templates = match authorise.get("scopes") {
        Some(_) => json::texts(authorise, "scopes"),
        None => vec!["{{scope}}".to_owned()],
    };
    let scopes = scopes(scene, &templates);
    let separator = json::member(authorise, "scope_separator").unwrap_or_else(|| " ".to_owned());
    scene
        .flow
        .insert("flow.scope".to_owned(), scopes.join(&separator));
    Ok(scopes)
}

/// The scopes of a list; a text with several counts as several, and one twice as one.
fn scopes(scene: &Scene<'_>, templates: &[String]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for template in templates {
        let text = scene.render(template).unwrap_or_default();
        for scope in text.split_whitespace() {
            if !all.iter().any(|present| present == scope) {
                all.push(scope.to_owned());
            }
        }
    }
    all
}

fn carrier(authorise: &Value) -> Option<String> {
    json::member(authorise.get("state")?, "carrier")
}

fn state_form(scene: &Scene<'_>) -> Result<String, String> {
    let state = scene.known.part("authorise").get("state");
    let state = state.unwrap_or(&Value::Null);
    let length = json::member(state, "length").unwrap_or_else(|| "{{state_length}}".to_owned());
    let length = scene.render(&length).map_err(|lack| lack.words())?;
    let characters = match json::member(state, "alphabet").as_deref() {
        Some("hex") => "[0-9a-f]",
        Some("digits") => "[0-9]",
        Some(_) | None => "[A-Za-z0-9]",
    };
    Ok(format!("{characters}{{{length}}}"))
}

fn challenge_form(authorise: &Value) -> Option<String> {
    let length = authorise.get("verifier_length").and_then(Value::as_u64);
    Some(match json::member(authorise, "pkce").as_deref() {
        Some("none") => return None,
        Some("plain") => format!("[A-Za-z0-9._~-]{{{}}}", length.unwrap_or(43)),
        Some("S256_hex") => "[0-9a-f]{64}".to_owned(),
        Some(_) | None => "[A-Za-z0-9_-]{43}".to_owned(),
    })
}

fn expected(scene: &Scene<'_>) -> Expected {
    let authorise = scene.known.part("authorise");
    let encoding = Encoding::named(json::member(authorise, "encoding").as_deref());
    let mut entries = Vec::new();
    let mut add = |name: &str, wanted, blame| {
        let mut entry = Entry::built_in(Place::Query, name, wanted, blame);
        entry.encoding = encoding;
        entries.push(entry);
    };
    let template = |text: &str| Wanted::Template(text.to_owned());
    add(
        "response_type",
        template("{{response_type}}"),
        Blame::Request,
    );
    add("client_id", template("{{client.id}}"), Blame::Client);
    add(
        "redirect_uri",
        template("{{flow.redirect_uri}}"),
        Blame::Request,
    );
    let scope = scene.flow.get("flow.scope").cloned().unwrap_or_default();
    if !scope.is_empty() {
        add("scope", template("{{flow.scope}}"), Blame::Request);
    }
    if scene.bound.contains_key(&form_of("flow.state")) {
        add("state", template("{{flow.state}}"), Blame::Request);
    }
    if scene.bound.contains_key(&form_of("flow.code_challenge")) {
        let plain = json::member(authorise, "pkce").as_deref() == Some("plain");
        let method = if plain { "plain" } else { "S256" };
        add(
            "code_challenge",
            template("{{flow.code_challenge}}"),
            Blame::Request,
        );
        add(
            "code_challenge_method",
            Wanted::Known(method.to_owned()),
            Blame::Request,
        );
    }
    for list in json::list(authorise, "scope_lists") {
        let joined = further_scopes(scene, authorise, list);
        let name = json::member(list, "parameter").unwrap_or_default();
        if !joined.is_empty() {
            add(&name, Wanted::Known(joined), Blame::Request);
        }
    }
    let query = authorise.get("query").unwrap_or(&Value::Null);
    lay(scene, &mut entries, Place::Query, query, encoding);
    Expected {
        kind: Kind::Authorise,
        method: "get".to_owned(),
        target: target(scene, authorise.get("url").unwrap_or(&Value::Null)),
        body: BodyFormat::None,
        entries,
    }
}

fn further_scopes(scene: &Scene<'_>, authorise: &Value, list: &Value) -> String {
    let separator = json::member(list, "separator")
        .or_else(|| json::member(authorise, "scope_separator"))
        .unwrap_or_else(|| " ".to_owned());
    scopes(scene, &json::texts(list, "scopes")).join(&separator)
}

/// What concerns the URL as a whole: its end, and the order of its parameters.
fn about_the_whole(scene: &Scene<'_>, expected: &Expected, received: &Received) -> Vec<Fault> {
    let authorise = scene.known.part("authorise");
    let mut faults = Vec::new();
    let mut wrong = |words: String| faults.push(Fault::new(5, Blame::Request, words));
    let routed = matches!(&expected.target, Ok(target) if target.route.is_some());
    let fragment = received.fragment.as_deref();
    let (parameters, end) = match fragment {
        Some(fragment) if routed => {
            let (route, end) = match fragment.split_once('#') {
                Some((route, end)) => (route, Some(end)),
                None => (fragment, None),
            };
            (
                route
                    .split_once('?')
                    .map_or("", |(_, parameters)| parameters),
                end,
            )
        }
        fragment => (received.query.as_str(), fragment),
    };
    let wanted = json::member(authorise, "fragment");
    if end != wanted.as_deref() {
        wrong(format!("the fragment is {end:?}, not {wanted:?}"));
    }
    let names: Vec<_> = codec::pairs(parameters)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    let is_sorted = names.is_sorted();
    if json::member(authorise, "parameter_order").as_deref() == Some("sorted") && !is_sorted {
        wrong(format!(
            "the parameters are not sorted: {}",
            names.join(", ")
        ));
    }
    faults
}

fn callback_name(known: &Known, name: &str) -> String {
    json::member(known.part("callback"), name).unwrap_or_else(|| name.to_owned())
}

fn captured(scene: &mut Scene<'_>) -> BTreeMap<String, String> {
    let known = scene.known;
    for (key, _, declared) in known.captured("callback") {
        if let Some(value) = samples::sample(scene, &key, declared) {
            scene.captured.insert(key, value);
        }
    }
    scene.captured.clone()
}

fn parameters(scene: &Scene<'_>, decision: Decision, code: Option<&str>) -> Vec<(String, String)> {
    let known = scene.known;
    let mut parameters = Vec::new();
    match decision {
        Decision::Allow => {
            let code = code.map(|code| (callback_name(known, "code"), code.to_owned()));
            parameters.extend(code);
        }
        Decision::Deny => {
            parameters.push((callback_name(known, "error"), "access_denied".to_owned()));
        }
    }
    let state = scene.flow.get("flow.state").cloned();
    parameters.extend(state.map(|state| (callback_name(known, "state"), state)));
    let issuer = json::member(known.part("authorise"), "issuer");
    let issuer = issuer.and_then(|issuer| scene.render(&issuer).ok());
    parameters.extend(issuer.map(|issuer| ("iss".to_owned(), issuer)));
    for (key, path, _) in known.captured("callback") {
        // One that is the code or the state itself is there already.
        let is_there = parameters.iter().any(|(name, _)| *name == path);
        let value = scene.captured.get(&key).filter(|_| !is_there);
        parameters.extend(value.map(|value| (path, value.clone())));
    }
    parameters
}

fn callback(
    scene: &Scene<'_>,
    received: &Received,
    mut parameters: Vec<(String, String)>,
) -> CallbackAnswer {
    let redirect = scene.flow.get("flow.redirect_uri").cloned();
    let is_url = |url: &String| url.starts_with("http://") || url.starts_with("https://");
    let base = redirect
        .filter(is_url)
        .unwrap_or_else(|| scene.known.callback_url.clone());
    let own = base.split_once('?').map_or("", |(_, query)| query);
    let own = codec::pairs(own).into_iter();
    let own = own.map(|(name, value)| (name, codec::form_decode(&value)));
    let verify = json::given([scene.known.part("callback").get("verify")]);
    if let Some(verify) = verify {
        let digest = digest(scene, verify, own.chain(parameters.clone()).collect());
        parameters.extend(digest);
    }
    let posted = codec::pairs(&received.query)
        .iter()
        .any(|(name, value)| name == "response_mode" && value == "form_post");
    if posted {
        return CallbackAnswer {
            url: base,
            form: Some(parameters),
        };
    }
    let pairs = parameters
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let separator = if base.contains('?') { '&' } else { '?' };
    CallbackAnswer {
        url: format!("{base}{separator}{}", codec::write_form(pairs)),
        form: None,
    }
}

/// The keyed digest over the parameters of a callback.
fn digest(
    scene: &Scene<'_>,
    verify: &Value,
    mut all: Vec<(String, String)>,
) -> Option<(String, String)> {
    let parameter = json::member(verify, "parameter")?;
    let except = json::texts(verify, "except");
    all.retain(|(name, _)| *name != parameter && !except.contains(name));
    all.sort();
    let text: Vec<_> = all
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let key = json::member(verify, "key").unwrap_or_else(|| "{{client.secret}}".to_owned());
    let key = scene.render(&key).ok()?;
    let algorithm = json::member(verify, "algorithm").unwrap_or_else(|| "sha256".to_owned());
    let digest = crypt::keyed(&algorithm, key.as_bytes(), text.join("&").as_bytes()).ok()?;
    let written = match json::member(verify, "encoding").as_deref() {
        Some("base64") => codec::base64(&digest),
        Some(_) | None => codec::hex(&digest),
    };
    Some((parameter, written))
}
