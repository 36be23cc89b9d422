//! Variables: what they are, and what may be their value.

mod defaults;
mod map;
mod uniform;

use regex_lite::Regex;

pub use defaults::{defaults, missing_defaults};
pub use map::ValueMap;

use super::{
    definition::{Choice, Condition, Normalisation, Origin, VariableDefinition, VariableType},
    fault::Faults,
    function::signing,
    template::{Template, is_key},
    url_template::{host_as_written, is_host_labels},
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
    /// Where a captured value is found.
    pub path: Box<str>,
    /// The value where nobody gives one.
    pub default: Option<Template>,
    /// Whether there must be a value.
    pub required: bool,
    /// The values to choose from.
    pub choices: Vec<Choice>,
    /// What the whole value must match.
    pub pattern: Option<Pattern>,
    /// What the whole value must not match.
    pub not_pattern: Option<Pattern>,
    /// The hosts that it may be, or be at.
    pub hosts: Vec<String>,
    /// What it must be the same as.
    pub equals: Option<Template>,
    /// Shown before the field.
    pub prefix: Box<str>,
    /// Shown after the field.
    pub suffix: Box<str>,
    /// How a given value is made uniform, in order.
    pub normalise: Vec<Normalisation>,
    /// Asked only if this holds.
    pub visible_when: Option<Condition>,
    /// How it is made from others.
    pub map: Option<ValueMap>,
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
        let not_pattern = written
            .not_pattern
            .as_deref()
            .and_then(|text| faults.keep("/not_pattern", "invalid_pattern", Pattern::parse(text)));
        let equals = written
            .equals
            .as_deref()
            .and_then(|text| faults.keep("/equals", "invalid_template", Template::parse(text)));
        for (index, host) in written.hosts.iter().enumerate() {
            if !is_host_labels(host.strip_prefix("*.").unwrap_or(host)) {
                let why = "it must be a host name, or '*.' and a host name";
                faults.add(format!("/hosts/{index}"), "invalid_host", why);
            }
        }
        let mut normalise = written.normalise.clone();
        normalise.sort_unstable();
        let map = written
            .map
            .as_ref()
            .and_then(|map| ValueMap::parse(map, &mut faults));
        if written.map.is_some() && (written.from != Origin::Builder || written.default.is_some()) {
            let why = "a value that is made from others is given by nobody";
            faults.add("/map", "unexpected", why);
        }
        let variable = Self {
            path: written.path.as_deref().unwrap_or(&written.key).into(),
            not_pattern,
            hosts: written
                .hosts
                .iter()
                .map(|host| host.to_ascii_lowercase())
                .collect(),
            equals,
            prefix: written.prefix.as_deref().unwrap_or_default().into(),
            suffix: written.suffix.as_deref().unwrap_or_default().into(),
            normalise,
            visible_when: written.visible_when.clone(),
            map,
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
            .as_ref()
            .map(|default| default.0.as_str())
            .filter(|text| !text.contains("{{"));
        if let Some(Err(why)) = literal.map(|text| variable.check(text)) {
            faults.add("/default", "invalid_value", why);
        }
        faults.or(variable)
    }

    fn parse_default(written: &VariableDefinition, faults: &mut Faults) -> Option<Template> {
        let text = &written.default.as_ref()?.0;
        if is_secret(written.kind) {
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
        is_secret(self.kind)
    }

    /// Whether a value of it can only be one that the builder foresaw.
    #[must_use]
    pub fn is_bounded(&self) -> bool {
        self.pattern.is_some()
            || self.kind == VariableType::Choice
            || !self.hosts.is_empty()
            || (self.from == Origin::Builder && self.map.is_none())
    }

    /// Whether the provider brings its value.
    #[must_use]
    pub fn is_captured(&self) -> bool {
        match self.from {
            Origin::Callback | Origin::Token | Origin::Lookup => true,
            Origin::Builder | Origin::User => false,
        }
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
            VariableType::Pem => return pem(value),
            VariableType::Text => printable(value),
            VariableType::Number => value.parse::<i64>().is_ok(),
            VariableType::Boolean => matches!(value, "true" | "false"),
            VariableType::Choice => self.choices.iter().any(|choice| choice.value == value),
            VariableType::Hostname => is_host_labels(value),
            VariableType::Url => {
                url::Url::parse(value).is_ok_and(|url| matches!(url.scheme(), "https" | "http"))
                    && printable(value)
            }
        };
        if !good {
            return Err(match self.kind {
                VariableType::Secret | VariableType::Pem | VariableType::Text => {
                    "it must be a text without control characters".to_owned()
                }
                VariableType::Number => "it must be a whole number".to_owned(),
                VariableType::Boolean => "it must be 'true' or 'false'".to_owned(),
                VariableType::Choice => {
                    let values: Vec<_> = self.choices.iter().map(|c| c.value.as_str()).collect();
                    format!("it must be one of: {}", values.join(", "))
                }
                VariableType::Hostname => {
                    "it must be a host name, without scheme or path".to_owned()
                }
                VariableType::Url => "it must be an absolute URL".to_owned(),
            });
        }
        if value.len() > LONGEST_VALUE {
            return Err("it has more than 8,192 bytes".to_owned());
        }
        if self
            .pattern
            .as_ref()
            .is_some_and(|pattern| !pattern.matches(value))
        {
            return Err(format!("it does not match the pattern of '{}'", self.label));
        }
        if self
            .not_pattern
            .as_ref()
            .is_some_and(|pattern| pattern.matches(value))
        {
            return Err(format!("it is a value that '{}' may not have", self.label));
        }
        if !self.hosts.is_empty() && !is_at(value, &self.hosts) {
            return Err(format!(
                "its host must be one of: {}",
                self.hosts.join(", ")
            ));
        }
        Ok(())
    }
}

fn is_secret(kind: VariableType) -> bool {
    match kind {
        VariableType::Secret | VariableType::Pem => true,
        VariableType::Text
        | VariableType::Number
        | VariableType::Boolean
        | VariableType::Choice
        | VariableType::Hostname
        | VariableType::Url => false,
    }
}

fn pem(value: &str) -> Result<(), String> {
    signing::check_key(value).map_err(|error| error.to_string())
}

/// Whether a host, or the host of a URL, is one of `hosts`. Only a URL that every parser reads alike is at a host: a
/// value may be handed on to programs with another parser than ours.
fn is_at(value: &str, hosts: &[String]) -> bool {
    let host = match is_host_labels(value) {
        true => value.to_ascii_lowercase(),
        false => host_as_written(value).unwrap_or_default(),
    };
    hosts
        .iter()
        .any(|allowed| match allowed.strip_prefix("*.") {
            Some(parent) => host
                .strip_suffix(parent)
                .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
            None => host == *allowed,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(kind: VariableType, pattern: Option<&str>) -> Variable {
        let mut written = VariableDefinition::new("account");
        written.kind = kind;
        written.pattern = pattern.map(str::to_owned);
        if kind == VariableType::Choice {
            written.choices = vec!["eu".into(), "us".into()];
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

    #[test]
    fn a_value_among_hosts_is_plainly_at_one_for_every_parser() {
        for (kind, value, good) in [
            (VariableType::Text, "acme.shop.example", true),
            (VariableType::Text, "ACME.shop.example", true),
            (VariableType::Text, "https://acme.shop.example/a@b", true),
            (VariableType::Text, "shop.example", false),
            (VariableType::Text, "evil-shop.example", false),
            (VariableType::Text, "evil.example/.shop.example", false),
            (VariableType::Text, "evil.example#.shop.example", false),
            (
                VariableType::Text,
                "javascript://acme.shop.example/%0a",
                false,
            ),
            (VariableType::Url, "https://acme.shop.example:8443/a", true),
            (
                VariableType::Url,
                "https://evil.example\\.shop.example",
                false,
            ),
            (
                VariableType::Url,
                "https://acme.shop.example\\@evil.example",
                false,
            ),
            (
                VariableType::Url,
                "https://evil.example@acme.shop.example",
                false,
            ),
            (VariableType::Url, "https:acme.shop.example", false),
        ] {
            let written = VariableDefinition {
                kind,
                hosts: vec!["*.shop.example".to_owned()],
                ..VariableDefinition::new("account")
            };
            let variable = Variable::parse(&written).unwrap();
            assert_eq!(variable.check(value).is_ok(), good, "{kind:?} {value}");
        }
    }
}
