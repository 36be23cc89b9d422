//! Whether a text that came is what a template makes.
//!
//! What the sender made up (moments, random texts, states) is found in the text and remembered;
//! signatures are checked rather than made again.

use regex_lite::{Regex, escape};
use serde_json::Value;

use super::{
    codec, crypt, evaluate, json, jwt,
    scene::{Lack, Scene, form_of},
    template::{self, Expression, Piece, Source},
};

/// How far the clocks of the two sides may be apart, in seconds.
pub(super) const SKEW: u64 = 300;

/// Whether a text that came is what a template makes; binds what it shows.
pub(super) fn matches(scene: &mut Scene<'_>, template: &str, came: &str) -> Result<(), String> {
    match scene.render(template) {
        Ok(text) if text == came => Ok(()),
        Ok(text) => Err(format!("is '{came}', not '{text}'")),
        Err(Lack::Unbound(_) | Lack::Signed) => piecewise(scene, template, came),
        Err(lack) => Err(lack.words()),
    }
}

fn piecewise(scene: &mut Scene<'_>, template: &str, came: &str) -> Result<(), String> {
    let mut pattern = "(?s)^".to_owned();
    let mut open = Vec::new();
    for piece in template::parse(template)? {
        match piece {
            Piece::Literal(literal) => pattern.push_str(&escape(&literal)),
            Piece::Expression(expression) => match evaluate::evaluate(scene, &expression) {
                Ok(text) => pattern.push_str(&escape(&text)),
                Err(Lack::Unbound(_) | Lack::Signed) => {
                    pattern.push_str(&format!("({})", form(scene, &expression)));
                    open.push(expression);
                }
                Err(lack) => return Err(lack.words()),
            },
        }
    }
    pattern.push('$');
    let pattern = Regex::new(&pattern).map_err(|error| error.to_string())?;
    let found = pattern
        .captures(came)
        .ok_or_else(|| format!("is '{came}', which has not the form '{template}'"))?;
    for (at, expression) in open.iter().enumerate() {
        let part = found.get(at + 1).map_or("", |part| part.as_str());
        settle(scene, expression, part)?;
    }
    Ok(())
}

/// What an expression that can't be worked out yet may look like.
fn form(scene: &Scene<'_>, expression: &Expression) -> String {
    let Source::Name(name) = &expression.source else {
        return ".*?".to_owned();
    };
    if !expression.functions.is_empty() {
        return ".*?".to_owned();
    }
    if let Some(form) = scene.bound.get(&form_of(name)) {
        return form.clone();
    }
    let hex = "[0-9a-fA-F]";
    match name.as_str() {
        "uuid()" => format!("{hex}{{8}}-{hex}{{4}}-{hex}{{4}}-{hex}{{4}}-{hex}{{12}}"),
        "now('unix')" => "[0-9]{9,11}".to_owned(),
        "now('unix_ms')" => "[0-9]{12,14}".to_owned(),
        "now('iso8601')" => {
            r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?Z".to_owned()
        }
        name if name.starts_with("random(") => {
            format!(
                "[A-Za-z0-9_-]{{{}}}",
                name.trim_matches(|c: char| !c.is_ascii_digit())
            )
        }
        _ => ".*?".to_owned(),
    }
}

/// Settles what an expression was, now that its text is seen.
fn settle(scene: &mut Scene<'_>, expression: &Expression, part: &str) -> Result<(), String> {
    if let Some(at) = signing(expression) {
        return signed(scene, expression, at, part);
    }
    match &expression.source {
        Source::Name(name) if expression.functions.is_empty() => bind(scene, name, part),
        Source::Name(_) | Source::Text(_) => recount(scene, expression, part),
    }
}

fn signing(expression: &Expression) -> Option<usize> {
    let mut functions = expression.functions.iter();
    functions.position(|function| ["sign", "jwt"].contains(&function.name.as_str()))
}

fn bind(scene: &mut Scene<'_>, name: &str, part: &str) -> Result<(), String> {
    if let Some(before) = scene.bound.get(name).filter(|before| *before != part) {
        return Err(format!("{name} is '{before}' and '{part}' in one request"));
    }
    if name.starts_with("now(") {
        is_near(scene, name, part)?;
    }
    scene.bound.insert(name.to_owned(), part.to_owned());
    Ok(())
}

fn is_near(scene: &Scene<'_>, name: &str, part: &str) -> Result<(), String> {
    let seconds = match name {
        "now('unix')" => part.parse::<u64>().ok(),
        "now('unix_ms')" => part.parse::<u64>().ok().map(|ms| ms / 1000),
        _ => part
            .parse::<jiff::Timestamp>()
            .ok()
            .and_then(|moment| u64::try_from(moment.as_second()).ok()),
    };
    let now = scene.known.now();
    match seconds {
        Some(seconds) if seconds.abs_diff(now) <= SKEW => Ok(()),
        Some(_) | None => Err(format!("{name} is '{part}', and here it is {now}")),
    }
}

/// An expression over a moment that is nowhere shown: tries the moments around now.
fn recount(scene: &mut Scene<'_>, expression: &Expression, part: &str) -> Result<(), String> {
    let lack = match evaluate::evaluate(scene, expression) {
        Ok(text) if text == part => return Ok(()),
        Ok(text) => return Err(format!("is '{part}', not '{text}'")),
        Err(lack) => lack,
    };
    if lack != Lack::Unbound("now('unix')".to_owned()) {
        return Err(lack.words());
    }
    let now = scene.known.now();
    for moment in now.saturating_sub(SKEW)..=now + SKEW {
        let mut guess = scene.clone();
        guess
            .bound
            .insert("now('unix')".to_owned(), moment.to_string());
        if evaluate::evaluate(&guess, expression).is_ok_and(|text| text == part) {
            scene.bound = guess.bound;
            return Ok(());
        }
    }
    Err(format!("is '{part}', which no moment around now explains"))
}

fn signed(
    scene: &mut Scene<'_>,
    expression: &Expression,
    at: usize,
    part: &str,
) -> Result<(), String> {
    let function = &expression.functions[at];
    let argument = |scene: &Scene<'_>, nth| {
        evaluate::argument(scene, function, nth).map_err(|lack| lack.words())
    };
    let (algorithm, key) = (argument(scene, 0)?, argument(scene, 1)?);
    let raw = undo(scene, expression, at, part)?;
    if function.name == "sign" {
        let text = evaluate::through(scene, expression, at).map_err(|lack| lack.words())?;
        return crypt::verify(&algorithm, &key, &text.0, &raw);
    }
    let key_id = argument(scene, 2).ok();
    let token = String::from_utf8(raw).map_err(|_| "is no JWT".to_owned())?;
    let opened = jwt::open(&token, &algorithm, &key)?;
    jwt::has_key_id(&opened.header, key_id.as_deref())?;
    // The moment and the random texts among the claims are seen here alone.
    for (claim, source) in [("iat", "now('unix')"), ("jti", "uuid()")] {
        if let Some(value) = json::member(&opened.claims, claim)
            && !scene.bound.contains_key(source)
        {
            bind(scene, source, &value)?;
        }
    }
    let claims = evaluate::through(scene, expression, at).map_err(|lack| lack.words())?;
    let claims: Value = serde_json::from_slice(&claims.0).map_err(|error| error.to_string())?;
    if claims == opened.claims {
        Ok(())
    } else {
        Err(format!("has the claims {}, not {claims}", opened.claims))
    }
}

/// Undoes what was done to a signature once it was made.
fn undo(
    scene: &Scene<'_>,
    expression: &Expression,
    at: usize,
    part: &str,
) -> Result<Vec<u8>, String> {
    let mut bytes = part.as_bytes().to_vec();
    for function in expression.functions.iter().skip(at + 1).rev() {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let added = || -> Result<String, String> {
            let all = 0..function.arguments.len();
            all.map(|nth| evaluate::argument(scene, function, nth))
                .collect::<Result<_, _>>()
                .map_err(|lack| lack.words())
        };
        let undone = match function.name.as_str() {
            "base64" => codec::from_base64(&text),
            "base64url" => codec::from_base64url(&text),
            "hex" => codec::from_hex(&text),
            "urlencode" => Some(codec::percent_decode(&text).into_bytes()),
            "append" => text
                .strip_suffix(&added()?)
                .map(|text| text.as_bytes().to_vec()),
            "prepend" => text
                .strip_prefix(&added()?)
                .map(|text| text.as_bytes().to_vec()),
            _ => None,
        };
        bytes = undone.ok_or_else(|| format!("'{part}' is not written with {}", function.name))?;
    }
    Ok(bytes)
}
