//! Templates, taken apart.

/// A piece of a template.
#[derive(Debug, Clone)]
pub(super) enum Piece {
    Literal(String),
    Expression(Expression),
}

/// What stands between braces.
#[derive(Debug, Clone)]
pub(super) struct Expression {
    pub(super) source: Source,
    pub(super) functions: Vec<Function>,
}

/// Where a value comes from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    Text(String),
    /// A name, or a call such as `now('unix')`, as it is written.
    Name(String),
}

/// A function with its arguments.
#[derive(Debug, Clone)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) arguments: Vec<Source>,
}

/// Takes a template apart.
pub(super) fn parse(template: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = template;
    while let Some((before, opened)) = rest.split_once("{{") {
        let (inside, after) =
            closing(opened).ok_or_else(|| format!("'{template}' is not closed"))?;
        push_literal(&mut pieces, before);
        pieces.push(Piece::Expression(expression(inside)));
        rest = after;
    }
    push_literal(&mut pieces, rest);
    Ok(pieces)
}

fn push_literal(pieces: &mut Vec<Piece>, text: &str) {
    if !text.is_empty() {
        pieces.push(Piece::Literal(text.to_owned()));
    }
}

/// What stands before and after the braces that close, which are outside quotes.
fn closing(text: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        quoted ^= c == '\'';
        let (inside, rest) = text.split_at(at);
        if let Some(after) = rest.strip_prefix("}}").filter(|_| !quoted) {
            return Some((inside, after));
        }
    }
    None
}

fn expression(text: &str) -> Expression {
    let mut parts = split(text, '|').into_iter();
    let source = source(&parts.next().unwrap_or_default());
    Expression {
        source,
        functions: parts.map(|part| function(&part)).collect(),
    }
}

fn source(text: &str) -> Source {
    let quoted = text
        .strip_prefix('\'')
        .and_then(|text| text.strip_suffix('\''));
    let number = text.parse::<i64>().is_ok();
    match quoted {
        Some(text) => Source::Text(text.to_owned()),
        None if number => Source::Text(text.to_owned()),
        None => Source::Name(text.split_whitespace().collect()),
    }
}

fn function(text: &str) -> Function {
    let (name, arguments) = text.split_once('(').unwrap_or((text, ""));
    let arguments = arguments.strip_suffix(')').unwrap_or(arguments);
    let arguments = split(arguments, ',').into_iter().map(|part| source(&part));
    Function {
        name: name.trim().to_owned(),
        arguments: arguments.collect(),
    }
}

/// Splits where a separator stands outside quotes and parentheses.
fn split(text: &str, separator: char) -> Vec<String> {
    if text.trim().is_empty() {
        return Vec::new();
    }
    let (mut parts, mut quoted, mut deep) = (vec![String::new()], false, 0);
    for c in text.chars() {
        quoted ^= c == '\'';
        deep += i32::from(c == '(' && !quoted) - i32::from(c == ')' && !quoted);
        if c == separator && !quoted && deep == 0 {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    parts.iter().map(|part| part.trim().to_owned()).collect()
}
