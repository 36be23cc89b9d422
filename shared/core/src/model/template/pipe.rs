//! What stands in a hole: a source, and the functions that its value goes through.

use super::{Reference, TemplateError, Unfilled, Values, reference::Namespace};
use crate::model::function::{Function, FunctionError, Kind, Value};

/// The most functions in one hole.
const MOST_CALLS: usize = 16;
/// The longest `random(…)`.
pub const LONGEST_RANDOM: usize = 128;

/// A source and functions: `source | function | function(argument)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pipe {
    source: Argument,
    calls: Vec<Call>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Call {
    function: Function,
    arguments: Vec<Argument>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Argument {
    Literal(Box<str>),
    Reference(Reference),
}

impl Argument {
    fn literal(&self) -> Option<&str> {
        match self {
            Self::Literal(text) => Some(text),
            Self::Reference(_) => None,
        }
    }

    fn reference(&self) -> Option<&Reference> {
        match self {
            Self::Literal(_) => None,
            Self::Reference(reference) => Some(reference),
        }
    }

    fn text(&self, values: &dyn Values) -> Result<String, Unfilled> {
        match self {
            Self::Literal(text) => Ok(text.to_string()),
            Self::Reference(reference) => values
                .value(reference)
                .map(std::borrow::Cow::into_owned)
                .ok_or_else(|| Unfilled::Missing(reference.clone())),
        }
    }
}

impl Pipe {
    pub(super) fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut parts = split(text, '|')?.into_iter();
        let source = argument(parts.next().unwrap_or_default())?;
        let mut calls = Vec::new();
        let mut kind = Kind::Text;
        for part in parts {
            let (name, arguments) = call(part)?;
            let function = Function::named(name).ok_or_else(|| unknown_function(name))?;
            let arguments = arguments
                .into_iter()
                .map(argument)
                .collect::<Result<Vec<_>, _>>()?;
            let literals: Vec<_> = arguments.iter().map(Argument::literal).collect();
            kind = function
                .check(kind, &literals)
                .map_err(TemplateError::Impossible)?;
            calls.push(Call {
                function,
                arguments,
            });
        }
        if kind == Kind::Bytes {
            let why = "it ends in bytes: add 'hex', 'base64' or 'base64url'";
            return Err(TemplateError::Impossible(why.to_owned()));
        }
        if calls.len() > MOST_CALLS {
            let why = "it has more than 16 functions";
            return Err(TemplateError::Impossible(why.to_owned()));
        }
        Ok(Self { source, calls })
    }

    /// What it names, arguments included.
    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        let arguments = self.calls.iter().flat_map(|call| &call.arguments);
        std::iter::once(&self.source)
            .chain(arguments)
            .filter_map(Argument::reference)
    }

    /// What it names where the value itself can be seen in the result: not what only feeds a digest.
    pub fn visible_references(&self) -> impl Iterator<Item = &Reference> {
        let digest = self
            .calls
            .iter()
            .rposition(|call| is_one_way(call.function))
            .map_or(0, |at| at + 1);
        let source = (digest == 0).then_some(&self.source);
        let arguments = self
            .calls
            .iter()
            .skip(digest)
            .flat_map(|call| &call.arguments);
        source
            .into_iter()
            .chain(arguments)
            .filter_map(Argument::reference)
    }

    /// Whether it has a value even where its source has none.
    #[must_use]
    pub fn has_default(&self) -> bool {
        self.calls
            .iter()
            .any(|call| call.function == Function::Default)
    }

    /// The reference, if that is all there is.
    #[must_use]
    pub fn plain(&self) -> Option<&Reference> {
        match self.calls.as_slice() {
            [] => self.source.reference(),
            _ => None,
        }
    }

    /// The text that it makes.
    ///
    /// # Errors
    /// [`Unfilled`] if a value is missing or a function can't do its work.
    pub fn fill(&self, values: &dyn Values) -> Result<String, Unfilled> {
        let mut piped = match self.source.text(values) {
            Ok(text) => Ok(Value::Text(text)),
            Err(missing) => Err(missing),
        };
        for call in &self.calls {
            piped = match piped {
                Ok(value) => call.apply(value, values, &self.source),
                Err(_) if call.function == Function::Default => call.arguments.first().map_or_else(
                    || Err(failed(Function::Default, FunctionError::Arguments)),
                    |stand_in| stand_in.text(values).map(Value::Text),
                ),
                Err(missing) => Err(missing),
            };
            if let Err(Unfilled::Function { .. }) = piped {
                break;
            }
        }
        piped?.into_text().ok_or_else(|| {
            let function = self.calls.last().map_or("", |call| call.function.name());
            Unfilled::Function {
                function,
                error: FunctionError::Bytes,
            }
        })
    }
}

impl Call {
    fn apply(
        &self,
        value: Value,
        values: &dyn Values,
        source: &Argument,
    ) -> Result<Value, Unfilled> {
        if self.function == Function::Default {
            return Ok(value);
        }
        let arguments = self
            .arguments
            .iter()
            .map(|argument| argument.text(values))
            .collect::<Result<Vec<_>, _>>()?;
        match self.function.apply(value, &arguments) {
            Ok(value) => Ok(value),
            // A claim that isn't there is a value that isn't there: a default may stand in.
            Err(FunctionError::NoClaim) if source.reference().is_some() => {
                let reference = source.reference().cloned();
                Err(reference.map_or_else(
                    || failed(self.function, FunctionError::NoClaim),
                    Unfilled::Missing,
                ))
            }
            Err(error) => Err(failed(self.function, error)),
        }
    }
}

fn failed(function: Function, error: FunctionError) -> Unfilled {
    Unfilled::Function {
        function: function.name(),
        error,
    }
}

/// Whether what goes in can't be told from what comes out.
fn is_one_way(function: Function) -> bool {
    matches!(
        function,
        Function::Sha256
            | Function::Sha1
            | Function::Md5
            | Function::Hmac
            | Function::Sign
            | Function::Jwt
    )
}

fn unknown_function(name: &str) -> TemplateError {
    let hint = Function::nearest(name).map(str::to_owned);
    TemplateError::Function {
        name: name.to_owned(),
        hint: hint.map_or_else(String::new, |near| format!("; did you mean '{near}'?")),
    }
}

/// A source, or the argument of a function.
fn argument(text: &str) -> Result<Argument, TemplateError> {
    let text = text.trim();
    if let Some(quote) = text.chars().next().filter(|c| matches!(c, '\'' | '"')) {
        let inner = text
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote));
        return inner
            .filter(|inner| !inner.contains(quote))
            .map(|inner| Argument::Literal(inner.into()))
            .ok_or_else(|| TemplateError::Name(text.to_owned()));
    }
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(Argument::Literal(text.into()));
    }
    if text.ends_with(')') {
        return moment(text).map(Argument::Reference);
    }
    Reference::parse(text).map(Argument::Reference)
}

/// `uuid()`, `random(20)`, `now('unix')`.
fn moment(text: &str) -> Result<Reference, TemplateError> {
    let (name, arguments) = call(text)?;
    let unknown = || TemplateError::Unknown(text.to_owned());
    let literal = |argument: &str| {
        self::argument(argument).and_then(|argument| {
            let literal = argument.literal().map(str::to_owned);
            literal.ok_or_else(unknown)
        })
    };
    let key = match (name, arguments.as_slice()) {
        ("uuid", []) => "uuid".to_owned(),
        ("random", [length]) => {
            let length = literal(length)?.parse::<usize>().map_err(|_| unknown())?;
            if !(1..=LONGEST_RANDOM).contains(&length) {
                let why = format!("'random' makes 1 to {LONGEST_RANDOM} characters");
                return Err(TemplateError::Impossible(why));
            }
            format!("random.{length}")
        }
        ("now", [form]) => {
            let form = literal(form)?;
            if !matches!(form.as_str(), "unix" | "unix_ms" | "iso8601") {
                let why = "'now' knows 'unix', 'unix_ms' and 'iso8601'";
                return Err(TemplateError::Impossible(why.to_owned()));
            }
            format!("now.{form}")
        }
        _ => return Err(unknown()),
    };
    Ok(Reference {
        namespace: Namespace::Moment,
        key: key.into(),
    })
}

/// `name` or `name(argument, …)`.
fn call(text: &str) -> Result<(&str, Vec<&str>), TemplateError> {
    let text = text.trim();
    let Some((name, rest)) = text.split_once('(') else {
        return Ok((text, Vec::new()));
    };
    let inner = rest
        .strip_suffix(')')
        .ok_or_else(|| TemplateError::Name(text.to_owned()))?;
    let arguments = match inner.trim() {
        "" => Vec::new(),
        inner => split(inner, ',')?,
    };
    Ok((name.trim(), arguments))
}

/// Splits at a separator that stands neither between quotes nor between brackets.
fn split(text: &str, separator: char) -> Result<Vec<&str>, TemplateError> {
    let mut parts = Vec::new();
    let (mut start, mut depth, mut quote) = (0, 0_u32, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), _) => quote = (c != open).then_some(open),
            (None, '\'' | '"') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            (None, _) if c == separator && depth == 0 => {
                parts.push(text.get(start..at).unwrap_or_default());
                start = at + c.len_utf8();
            }
            (None, _) => {}
        }
    }
    if quote.is_some() || depth > 0 {
        return Err(TemplateError::Name(text.to_owned()));
    }
    parts.push(text.get(start..).unwrap_or_default());
    Ok(parts)
}
