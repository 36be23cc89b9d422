//! What a template can name.

use std::fmt;

use super::TemplateError;

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Namespace {
    /// The definition's variables; the default when no namespace is named.
    Variable,
    /// The client: `id`, `secret`.
    Client,
    /// The authorisation under way: `state`, `redirect_uri`, `callback_url`, `scope`, `code_challenge`.
    Flow,
    /// What the provider brought to the callback: `code`.
    Callback,
    /// The instance's tokens: `access_token` and the like, or `NAME.access_token` of a further set.
    Token,
    /// The answer of an earlier step: `ID.PATH`.
    Step,
    /// The request itself: `body`, `sorted`.
    Request,
    /// What is drawn for one request: `uuid`, `random.LENGTH`, `now.FORM`.
    Moment,
}

const TOKEN_KEYS: &[&str] = &["access_token", "refresh_token", "id_token", "token_type"];

impl Namespace {
    fn named(name: &str) -> Option<Self> {
        match name {
            "variable" => Some(Self::Variable),
            "client" => Some(Self::Client),
            "flow" => Some(Self::Flow),
            "callback" => Some(Self::Callback),
            "token" => Some(Self::Token),
            "step" => Some(Self::Step),
            "request" => Some(Self::Request),
            _ => None,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Variable => "variable",
            Self::Client => "client",
            Self::Flow => "flow",
            Self::Callback => "callback",
            Self::Token => "token",
            Self::Step => "step",
            Self::Request => "request",
            Self::Moment => "moment",
        }
    }

    /// Whether it has something of this key; of open namespaces only the form is known.
    fn has(self, key: &str) -> bool {
        match self {
            Self::Variable => is_key(key),
            Self::Client => matches!(key, "id" | "secret"),
            Self::Flow => matches!(
                key,
                "state" | "redirect_uri" | "callback_url" | "scope" | "code_challenge"
            ),
            Self::Callback => key == "code",
            Self::Token => match key.split_once('.') {
                None => TOKEN_KEYS.contains(&key),
                Some((set, key)) => is_key(set) && TOKEN_KEYS.contains(&key),
            },
            Self::Step => key
                .split_once('.')
                .is_some_and(|(step, path)| is_key(step) && is_path(path)),
            Self::Request => matches!(key, "body" | "sorted"),
            Self::Moment => true,
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
    /// The reference to a variable.
    #[must_use]
    pub fn variable(key: &str) -> Self {
        Self {
            namespace: Namespace::Variable,
            key: key.into(),
        }
    }

    pub(super) fn parse(text: &str) -> Result<Self, TemplateError> {
        let (namespace, key) = match text.split_once('.') {
            None => (Namespace::Variable, text),
            Some((first, key)) => match Namespace::named(first) {
                Some(namespace) => (namespace, key),
                None => return Err(TemplateError::Unknown(text.to_owned())),
            },
        };
        if namespace.has(key) {
            return Ok(Self {
                namespace,
                key: key.into(),
            });
        }
        Err(match namespace {
            Namespace::Variable => TemplateError::Name(text.to_owned()),
            Namespace::Client
            | Namespace::Flow
            | Namespace::Callback
            | Namespace::Token
            | Namespace::Step
            | Namespace::Request
            | Namespace::Moment => TemplateError::Unknown(text.to_owned()),
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
        match self.namespace {
            Namespace::Moment => {
                let name = self.key.split('.').next().unwrap_or_default();
                write!(f, "{name}()")
            }
            Namespace::Variable
            | Namespace::Client
            | Namespace::Flow
            | Namespace::Callback
            | Namespace::Token
            | Namespace::Step
            | Namespace::Request => write!(f, "{}.{}", self.namespace.word(), self.key),
        }
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

fn is_path(text: &str) -> bool {
    !text.is_empty()
        && !text.contains(|c: char| {
            c.is_whitespace() || matches!(c, '|' | '(' | ')' | ',' | '\'' | '"')
        })
}
