//! Templates, worked out.

use super::{
    codec, crypt, json,
    scene::{Lack, Scene},
    template::{self, Expression, Function, Piece, Source},
};

/// A value on its way through functions.
#[derive(Debug, Clone)]
pub(super) struct Value(pub(super) Vec<u8>);

impl Value {
    fn text(self) -> Result<String, Lack> {
        String::from_utf8(self.0).map_err(|_| Lack::Fault("bytes where a text must be".to_owned()))
    }
}

/// The text of a template.
pub(super) fn render(scene: &Scene<'_>, template: &str) -> Result<String, Lack> {
    let mut text = String::new();
    for piece in template::parse(template).map_err(Lack::Fault)? {
        match piece {
            Piece::Literal(literal) => text.push_str(&literal),
            Piece::Expression(expression) => text.push_str(&evaluate(scene, &expression)?),
        }
    }
    Ok(text)
}

/// The text of an expression.
pub(super) fn evaluate(scene: &Scene<'_>, expression: &Expression) -> Result<String, Lack> {
    through(scene, expression, expression.functions.len())?.text()
}

/// The value of an expression after some of its functions.
pub(super) fn through(
    scene: &Scene<'_>,
    expression: &Expression,
    functions: usize,
) -> Result<Value, Lack> {
    let mut value = source(scene, &expression.source).map(|text| Value(text.into_bytes()));
    for function in expression.functions.iter().take(functions) {
        value = match (function.name.as_str(), value) {
            ("default", Err(Lack::Missing(_))) => {
                argument(scene, function, 0).map(|text| Value(text.into_bytes()))
            }
            (_, Err(lack)) => Err(lack),
            (_, Ok(value)) => apply(scene, function, value),
        };
    }
    value
}

fn source(scene: &Scene<'_>, source: &Source) -> Result<String, Lack> {
    match source {
        Source::Text(text) => Ok(text.clone()),
        Source::Name(name) => scene.source(name),
    }
}

/// An argument of a function.
pub(super) fn argument(scene: &Scene<'_>, function: &Function, at: usize) -> Result<String, Lack> {
    let missing = || Lack::Fault(format!("'{}' lacks an argument", function.name));
    source(scene, function.arguments.get(at).ok_or_else(missing)?)
}

fn arguments(scene: &Scene<'_>, function: &Function) -> Result<String, Lack> {
    let all = function.arguments.iter();
    all.map(|argument| source(scene, argument)).collect()
}

fn apply(scene: &Scene<'_>, function: &Function, value: Value) -> Result<Value, Lack> {
    let nth = |at| argument(scene, function, at);
    let fault = Lack::Fault;
    let bytes = match function.name.as_str() {
        "default" => value.0,
        "base64" => codec::base64(&value.0).into_bytes(),
        "base64url" => codec::base64url(&value.0).into_bytes(),
        "hex" => codec::hex(&value.0).into_bytes(),
        "sha256" | "sha1" | "md5" => crypt::hashed(&function.name, &value.0).map_err(fault)?,
        "hmac" => crypt::keyed(&nth(0)?, nth(1)?.as_bytes(), &value.0).map_err(fault)?,
        "sign" | "jwt" => return Err(Lack::Signed),
        "append" => format!("{}{}", value.text()?, arguments(scene, function)?).into_bytes(),
        "prepend" => format!("{}{}", arguments(scene, function)?, value.text()?).into_bytes(),
        "replace" => value.text()?.replace(&nth(0)?, &nth(1)?).into_bytes(),
        "substr" => substr(scene, function, &value.text()?)?.into_bytes(),
        "join" => joined(&value.text()?, &nth(0)?).into_bytes(),
        "jwt_claim" => claim(&value.text()?, &nth(0)?)?.into_bytes(),
        name => plain(name, &value.text()?)?.into_bytes(),
    };
    Ok(Value(bytes))
}

fn plain(name: &str, text: &str) -> Result<String, Lack> {
    Ok(match name {
        "lower" => text.to_lowercase(),
        "upper" => text.to_uppercase(),
        "trim" => text.trim().to_owned(),
        "urlencode" => codec::percent_encode(text),
        "json" => codec::json_text(text),
        "host" => url::Url::parse(text)
            .ok()
            .and_then(|url| url.host_str().map(str::to_owned))
            .ok_or_else(|| Lack::Missing(format!("the host of {text}")))?,
        other => return Err(Lack::Fault(format!("no function '{other}'"))),
    })
}

fn substr(scene: &Scene<'_>, function: &Function, text: &str) -> Result<String, Lack> {
    let number = |at| -> Result<usize, Lack> {
        let fault = |_| Lack::Fault("'substr' takes numbers".to_owned());
        argument(scene, function, at)?.parse().map_err(fault)
    };
    let length = match function.arguments.len() {
        1 => usize::MAX,
        _ => number(1)?,
    };
    Ok(text.chars().skip(number(0)?).take(length).collect())
}

fn joined(text: &str, separator: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(separator)
}

fn claim(token: &str, name: &str) -> Result<String, Lack> {
    let missing = || Lack::Missing(format!("the claim '{name}'"));
    let claims = token.split('.').nth(1).and_then(codec::from_base64url);
    let claims: serde_json::Value =
        serde_json::from_slice(&claims.ok_or_else(missing)?).map_err(|_| missing())?;
    json::member(&claims, name).ok_or_else(missing)
}
