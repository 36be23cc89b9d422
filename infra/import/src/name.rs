//! Names: of files, of definitions, and of variables.

use std::collections::HashSet;

use crate::Imported;

/// A name for a file: small letters, digits and hyphens.
pub(crate) fn kebab(text: &str) -> String {
    let words: Vec<String> = words(text).map(str::to_lowercase).collect();
    if words.is_empty() {
        "provider".to_owned()
    } else {
        words.join("-")
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
}

/// A name of a provider out of the host of one of its URLs.
pub(crate) fn of_host(url: &str) -> Option<String> {
    let host = url
        .split("://")
        .nth(1)?
        .split(['/', '?', '#', ':'])
        .next()?;
    let labels: Vec<&str> = host
        .split('.')
        .filter(|label| !label.contains('{'))
        .collect();
    let label = match labels.as_slice() {
        [.., label, second, top] if top.len() == 2 && second.len() <= 3 => label,
        [.., label, _] => label,
        _ => return None,
    };
    let mut letters = label.chars();
    let first = letters.next().filter(char::is_ascii_alphanumeric)?;
    Some(first.to_ascii_uppercase().to_string() + letters.as_str())
}

/// A key for a variable: a letter, then letters, digits and `_`.
pub(crate) fn key(text: &str) -> String {
    let key = words(text).collect::<Vec<_>>().join("_");
    // What is underscored on purpose stays so, and what stands for something else in templates can't be a key.
    let key = if text
        .chars()
        .all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    {
        text
    } else {
        &key
    };
    let key = key.trim_matches('_');
    if key.starts_with(|letter: char| letter.is_ascii_alphabetic()) && !TAKEN.contains(&key) {
        key.to_owned()
    } else {
        format!("value_{key}").trim_end_matches('_').to_owned()
    }
}

/// The variables that are always there, and the sources of templates.
const TAKEN: [&str; 18] = [
    "state_length",
    "scope",
    "client_id",
    "client_secret",
    "response_authentication_token_key",
    "grant_type",
    "response_type",
    "oauth_authorised_code",
    "callback_url",
    "refresh_grant_type",
    "response_refresh_token_key",
    "variable",
    "client",
    "flow",
    "callback",
    "token",
    "step",
    "request",
];

/// The text with numbers at its end until nobody has it.
pub(crate) fn free(text: &str, separator: &str, taken: impl Fn(&str) -> bool) -> String {
    let numbered = (2..).map(|number: u32| format!("{text}{separator}{number}"));
    let mut names = std::iter::once(text.to_owned()).chain(numbered);
    names.find(|name| !taken(name)).unwrap_or_default()
}

/// Gives entries of the same name numbers.
pub(crate) fn tell_apart(entries: &mut [Imported]) {
    let mut taken = HashSet::new();
    for entry in entries {
        entry.name = free(&entry.name, "-", |name| taken.contains(name));
        taken.insert(entry.name.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_are_kebab_case() {
        for (from, to) in [
            ("Slack", "slack"),
            ("1Password (SCIM)", "1password-scim"),
            ("  ", "provider"),
            ("Æther!", "ther"),
            ("../../etc/passwd", "etc-passwd"),
            ("a__b--c", "a-b-c"),
        ] {
            assert_eq!(kebab(from), to);
        }
    }

    #[test]
    fn keys_are_letters_digits_and_underscores() {
        for (from, to) in [
            ("subdomain", "subdomain"),
            ("accounts-server", "accounts_server"),
            ("team.id", "team_id"),
            ("realmId", "realmId"),
            ("api__host", "api__host"),
            ("client_id", "value_client_id"),
            ("token", "value_token"),
            ("2fa", "value_2fa"),
            ("", "value"),
            ("_", "value"),
        ] {
            assert_eq!(key(from), to, "{from}");
        }
    }

    #[test]
    fn a_host_gives_a_name() {
        for (from, to) in [
            ("https://login.example.com/x", Some("Example")),
            ("https://example.co.uk:8443", Some("Example")),
            ("https://{{shop}}.myshop.com", Some("Myshop")),
            ("https://localhost", None),
            ("nothing", None),
        ] {
            assert_eq!(of_host(from).as_deref(), to, "{from}");
        }
    }
}
