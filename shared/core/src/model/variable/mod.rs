//! Variables: what they are, and what may be their value.

use regex_lite::Regex;

use super::{
    definition::{Origin, VariableDefinition, VariableType},
    fault::Faults,
    template::{Template, is_key},
    url_template::is_host_labels,
};

/// The longest default (the seed's product sets the same limit) and the longest other text.
const LONGEST_DEFAULT: usize = 1024;
const LONGEST_VALUE: usize = 8192;

/// A variable as parsed.
#[derive(Debug, Clone)]
pub struct Variable {
    /// The name that templates use.
    pub key: Box<str>,
    /// The name that people see.
    pub label: Box<str>,
    /// A sentence that helps a person to find the value.
    pub help: Option<Box<str>>,
    /// What kind of value it is.
    pub kind: VariableType,
    /// Who gives the value.
    pub from: Origin,
    /// The value where nobody gives one.
    pub default: Option<Template>,
    /// Whether there must be a value.
    pub required: bool,
    /// The values to choose from.
    pub choices: Vec<String>,
    /// What the whole value must match.
    pub pattern: Option<Pattern>,
    /// Whether the connect page keeps it out of sight until asked.
    pub advanced: bool,
}

/// A regular expression that a whole value must match.
#[derive(Debug, Clone)]
pub struct Pattern(Regex);

impl Pattern {
    fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > LONGEST_DEFAULT {
            return Err("it is too long");
        }
        let whole = format!("^(?:{text})$");
        Regex::new(&whole)
            .map(Self)
            .map_err(|_| "it is not a regular expression")
    }

    /// Whether the whole of `value` matches.
    #[must_use]
    pub fn matches(&self, value: &str) -> bool {
        // `$` would also match before a trailing line break in other engines; none may be here at all.
        !value.contains(['\n', '\r']) && self.0.is_match(value)
    }
}

impl Variable {
    /// Parses what a builder wrote.
    ///
    /// # Errors
    /// Every fault, with pointers relative to the variable.
    pub fn parse(written: &VariableDefinition) -> Result<Self, Faults> {
        let mut faults = Faults::new();
        if !is_key(&written.key) {
            faults.add(
                "/key",
                "invalid_key",
                "a key is a letter, then letters, digits and '_', 64 at most",
            );
        }
        let short =
            |text: &Option<String>, most| text.as_ref().is_none_or(|text| text.len() <= most);
        if !short(&written.label, 200) {
            faults.add("/label", "too_long", "a label has 200 bytes at most");
        }
        if !short(&written.help, 2000) {
            faults.add("/help", "too_long", "a help text has 2,000 bytes at most");
        }
        let default = Self::parse_default(written, &mut faults);
        let pattern = written
            .pattern
            .as_deref()
            .and_then(|text| faults.keep("/pattern", "invalid_pattern", Pattern::parse(text)));
        match (written.kind, written.choices.is_empty()) {
            (VariableType::Choice, true) => {
                faults.add("/choices", "missing", "the type 'choice' needs choices");
            }
            (VariableType::Choice, false) | (_, true) => {}
            (_, false) => faults.add(
                "/choices",
                "unexpected",
                "only the type 'choice' has choices",
            ),
        }
        let variable = Self {
            key: written.key.as_str().into(),
            label: written.label.as_deref().unwrap_or(&written.key).into(),
            help: written.help.as_deref().map(Into::into),
            kind: written.kind,
            from: written.from,
            default,
            required: written.required,
            choices: written.choices.clone(),
            pattern,
            advanced: written.advanced,
        };
        let literal = written
            .default
            .as_deref()
            .filter(|text| !text.contains("{{"));
        if let Some(Err(why)) = literal.map(|text| variable.check(text)) {
            faults.add("/default", "invalid_value", why);
        }
        faults.or(variable)
    }

    fn parse_default(written: &VariableDefinition, faults: &mut Faults) -> Option<Template> {
        let text = written.default.as_deref()?;
        if written.kind == VariableType::Secret {
            let why = "a definition holds no secrets: give it as a value";
            faults.add("/default", "secret_in_definition", why);
            return None;
        }
        if text.len() > LONGEST_DEFAULT {
            faults.add("/default", "too_long", "a default has 1,024 bytes at most");
        }
        faults.keep("/default", "invalid_template", Template::parse(text))
    }

    /// Whether its value is written and never read back.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.kind == VariableType::Secret
    }

    /// Whether a value of it can only be one that the builder foresaw.
    #[must_use]
    pub fn is_bounded(&self) -> bool {
        self.pattern.is_some() || self.kind == VariableType::Choice || self.from == Origin::Builder
    }

    /// Checks a value.
    ///
    /// # Errors
    /// A sentence on what the value must be; it does not contain the value.
    pub fn check(&self, value: &str) -> Result<(), String> {
        let printable = |value: &str| !value.chars().any(char::is_control);
        let good = match self.kind {
            // Keys in PEM have line breaks.
            VariableType::Secret => true,
            VariableType::Text => printable(value),
            VariableType::Number => value.parse::<i64>().is_ok(),
            VariableType::Boolean => matches!(value, "true" | "false"),
            VariableType::Choice => self.choices.iter().any(|choice| choice == value),
            VariableType::Hostname => is_host_labels(value),
            VariableType::Url => {
                url::Url::parse(value).is_ok_and(|url| matches!(url.scheme(), "https" | "http"))
                    && printable(value)
            }
        };
        if !good {
            return Err(match self.kind {
                VariableType::Secret | VariableType::Text => {
                    "it must be a text without control characters".to_owned()
                }
                VariableType::Number => "it must be a whole number".to_owned(),
                VariableType::Boolean => "it must be 'true' or 'false'".to_owned(),
                VariableType::Choice => format!("it must be one of: {}", self.choices.join(", ")),
                VariableType::Hostname => {
                    "it must be a host name, without scheme or path".to_owned()
                }
                VariableType::Url => "it must be an absolute URL".to_owned(),
            });
        }
        if value.len() > LONGEST_VALUE {
            return Err("it has more than 8,192 bytes".to_owned());
        }
        match &self.pattern {
            Some(pattern) if !pattern.matches(value) => {
                Err(format!("it does not match the pattern of '{}'", self.label))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// The eleven variables that every authorisation-code method starts with.
#[must_use]
pub fn defaults() -> Vec<VariableDefinition> {
    let builder = |key: &str, label: &str, default: Option<&str>| VariableDefinition {
        key: key.to_owned(),
        label: Some(label.to_owned()),
        help: None,
        kind: VariableType::Text,
        from: Origin::Builder,
        default: default.map(str::to_owned),
        required: true,
        choices: Vec::new(),
        pattern: None,
        advanced: false,
    };
    let number = |variable| VariableDefinition {
        kind: VariableType::Number,
        ..variable
    };
    let secret = |variable| VariableDefinition {
        kind: VariableType::Secret,
        ..variable
    };
    let optional = |variable| VariableDefinition {
        required: false,
        ..variable
    };
    let brought = |variable| VariableDefinition {
        from: Origin::Callback,
        ..variable
    };
    vec![
        number(builder("state_length", "State length", Some("32"))),
        optional(builder("scope", "Scope", None)),
        builder("client_id", "Client ID", None),
        secret(builder("client_secret", "Client secret", None)),
        builder(
            "response_authentication_token_key",
            "Response authentication token key",
            Some("access_token"),
        ),
        builder("grant_type", "Grant type", Some("authorization_code")),
        builder("response_type", "Response type", Some("code")),
        brought(builder(
            "oauth_authorised_code",
            "OAuth authorised code",
            None,
        )),
        builder(
            "callback_url",
            "Callback URL",
            Some("{{flow.callback_url}}"),
        ),
        builder(
            "refresh_grant_type",
            "Refresh grant type",
            Some("refresh_token"),
        ),
        builder(
            "response_refresh_token_key",
            "Response refresh token key",
            Some("refresh_token"),
        ),
    ]
}

/// The default variables that a builder has left out.
#[must_use]
pub fn missing_defaults(written: &[VariableDefinition]) -> Vec<VariableDefinition> {
    let mut missing = defaults();
    missing.retain(|default| written.iter().all(|variable| variable.key != default.key));
    missing
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(kind: VariableType, pattern: Option<&str>) -> Variable {
        let [mut written, ..] = <[VariableDefinition; 11]>::try_from(defaults()).unwrap();
        written.kind = kind;
        written.default = None;
        written.pattern = pattern.map(str::to_owned);
        if kind == VariableType::Choice {
            written.choices = vec!["eu".to_owned(), "us".to_owned()];
        }
        Variable::parse(&written).unwrap()
    }

    #[test]
    fn values_are_checked_by_type_and_pattern() {
        use VariableType as T;
        for (kind, pattern, value, good) in [
            (T::Text, None, "anything é", true),
            (T::Text, None, "a\nb", false),
            (T::Text, Some("[a-z]+"), "abc", true),
            (T::Text, Some("[a-z]+"), "abc1", false),
            (T::Text, Some("a|b"), "ab", false),
            (T::Number, None, "32", true),
            (T::Number, None, "3.2", false),
            (T::Boolean, None, "yes", false),
            (T::Choice, None, "eu", true),
            (T::Choice, None, "de", false),
            (T::Hostname, None, "shop.example.com", true),
            (T::Hostname, None, "https://shop", false),
            (T::Url, None, "https://a.com/x", true),
            (T::Url, None, "javascript:alert(1)", false),
        ] {
            assert_eq!(
                variable(kind, pattern).check(value).is_ok(),
                good,
                "{kind:?} {pattern:?} {value}"
            );
        }
    }
}
