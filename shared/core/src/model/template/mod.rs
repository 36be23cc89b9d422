//! Text with holes: `{{name}}`.
//!
//! # Why
//! A definition says where values go; it must not be able to say anything else. So a template is
//! parsed once, when the definition is saved, and a hole names a value and nothing more.
//!
//! # How it works
//! `{{account}}` and `{{variable.account}}` are the same hole. A value that is missing when the
//! template is filled is an error: never an empty string, never a literal `{{…}}` on the wire.

use std::{borrow::Cow, fmt};

/// The longest template, in bytes.
pub const LONGEST: usize = 4096;

/// Where the value of a hole comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Namespace {
    /// The definition's variables; the default when a hole names no namespace.
    Variable,
    /// The client: `id`, `secret`.
    Client,
    /// The authorisation under way: `state`, `redirect_uri`, `callback_url`, `scope`, `code_challenge`.
    Flow,
    /// What the provider brought to the callback: `code`.
    Callback,
    /// The instance's tokens: `access_token`, `refresh_token`.
    Token,
}

impl Namespace {
    fn named(name: &str) -> Option<Self> {
        match name {
            "variable" => Some(Self::Variable),
            "client" => Some(Self::Client),
            "flow" => Some(Self::Flow),
            "callback" => Some(Self::Callback),
            "token" => Some(Self::Token),
            _ => None,
        }
    }

    /// The keys of a namespace that is not open; `None` for variables, which the builder declares.
    fn keys(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Variable => None,
            Self::Client => Some(&["id", "secret"]),
            Self::Flow => Some(&[
                "state",
                "redirect_uri",
                "callback_url",
                "scope",
                "code_challenge",
            ]),
            Self::Callback => Some(&["code"]),
            Self::Token => Some(&["access_token", "refresh_token"]),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Variable => "variable",
            Self::Client => "client",
            Self::Flow => "flow",
            Self::Callback => "callback",
            Self::Token => "token",
        }
    }
}

/// What a hole names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// Where the value comes from.
    pub namespace: Namespace,
    /// Which value.
    pub key: Box<str>,
}

impl Reference {
    fn parse(text: &str) -> Result<Self, TemplateError> {
        let (namespace, key) = match text.split_once('.') {
            None => (Namespace::Variable, text),
            Some((first, key)) => match Namespace::named(first) {
                Some(namespace) => (namespace, key),
                None => return Err(TemplateError::Unknown(text.to_owned())),
            },
        };
        if !is_key(key) {
            return Err(TemplateError::Name(text.to_owned()));
        }
        if namespace.keys().is_some_and(|keys| !keys.contains(&key)) {
            return Err(TemplateError::Unknown(text.to_owned()));
        }
        Ok(Self {
            namespace,
            key: key.into(),
        })
    }

    /// Whether it names the variable `key`.
    #[must_use]
    pub fn is_variable(&self, key: &str) -> bool {
        self.namespace == Namespace::Variable && &*self.key == key
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.namespace.word(), self.key)
    }
}

/// Whether `text` can be the key of a variable: a letter, then letters, digits and `_`, 64 at most.
#[must_use]
pub fn is_key(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && text.len() <= 64
}

/// Why a text is not a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A `{{` has no `}}`.
    #[error("a hole is not closed: '{{{{' without '}}}}'")]
    Unclosed,
    /// A hole's name is not a name.
    #[error("'{0}' is not a name: use a letter, then letters, digits and '_'")]
    Name(String),
    /// A hole names something that does not exist.
    #[error("'{0}' names nothing that a template can use")]
    Unknown(String),
    /// It is longer than [`LONGEST`].
    #[error("it is longer than {LONGEST} bytes")]
    TooLong,
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text that stands for itself.
    Literal(Box<str>),
    /// A place that a value fills.
    Hole(Reference),
}

/// A value that a template needs is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no value for '{0}'")]
pub struct MissingValue(pub Reference);

/// Gives the values of holes.
pub trait Values {
    /// The value that `reference` names, if there is one.
    fn value(&self, reference: &Reference) -> Option<Cow<'_, str>>;
}

/// A parsed template; the default one is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

impl Template {
    /// Parses a text.
    ///
    /// # Errors
    /// [`TemplateError`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.len() > LONGEST {
            return Err(TemplateError::TooLong);
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((literal, after)) = rest.split_once("{{") {
            let (name, after) = after.split_once("}}").ok_or(TemplateError::Unclosed)?;
            if !literal.is_empty() {
                pieces.push(Piece::Literal(literal.into()));
            }
            pieces.push(Piece::Hole(Reference::parse(name.trim())?));
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Literal(rest.into()));
        }
        Ok(Self(pieces))
    }

    /// Its pieces, in order.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// Its text, if it has no holes.
    #[must_use]
    pub fn literal(&self) -> Option<String> {
        match self.0.as_slice() {
            [] => Some(String::new()),
            [Piece::Literal(text)] => Some(text.to_string()),
            _ => None,
        }
    }

    /// What its holes name, in order.
    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Hole(reference) => Some(reference),
            Piece::Literal(_) => None,
        })
    }

    /// Fills every hole with its value as it is, without any escaping.
    ///
    /// # Errors
    /// [`MissingValue`] for the first hole without a value.
    pub fn fill(&self, values: &dyn Values) -> Result<String, MissingValue> {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Hole(reference) => text.push_str(
                    &values
                        .value(reference)
                        .ok_or_else(|| MissingValue(reference.clone()))?,
                ),
            }
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Account;

    impl Values for Account {
        fn value(&self, reference: &Reference) -> Option<Cow<'_, str>> {
            reference
                .is_variable("account")
                .then_some(Cow::Borrowed("acme"))
        }
    }

    #[test]
    fn holes_are_filled() {
        for (text, filled) in [
            ("", ""),
            ("plain", "plain"),
            ("{{account}}", "acme"),
            ("{{ variable.account }}", "acme"),
            ("a/{{account}}/b{{account}}", "a/acme/bacme"),
            ("} } {", "} } {"),
        ] {
            assert_eq!(
                Template::parse(text).unwrap().fill(&Account).unwrap(),
                filled,
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_not_a_template_says_why() {
        for (text, error) in [
            ("{{account", TemplateError::Unclosed),
            ("{{}}", TemplateError::Name(String::new())),
            ("{{a b}}", TemplateError::Name("a b".into())),
            ("{{1a}}", TemplateError::Name("1a".into())),
            ("{{env.HOME}}", TemplateError::Unknown("env.HOME".into())),
            (
                "{{client.password}}",
                TemplateError::Unknown("client.password".into()),
            ),
        ] {
            assert_eq!(Template::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn a_missing_value_is_an_error_and_never_an_empty_string() {
        let template = Template::parse("x{{other}}").unwrap();
        assert_eq!(
            template.fill(&Account).unwrap_err().to_string(),
            "no value for 'variable.other'"
        );
    }
}
