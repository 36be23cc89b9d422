//! Connectors, and what a tenant sets for all of them.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{
    definition::VariableDefinition,
    fault::Faults,
    id::{ConnectorId, TenantId},
    variable::Variable,
};

/// A third-party application.
#[derive(Debug, Clone)]
pub struct Connector {
    /// Whose it is.
    pub tenant: TenantId,
    /// Which one it is.
    pub id: ConnectorId,
    /// Counts its changes, from 1.
    pub version: u64,
    /// The name that people see.
    pub name: String,
    /// Variables that its auth methods may use.
    pub variables: Vec<VariableDefinition>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Connector {
    /// Checks what a builder wrote.
    ///
    /// # Errors
    /// Every fault, with pointers relative to the connector.
    pub fn check(name: &str, variables: &[VariableDefinition]) -> Result<(), Faults> {
        let mut faults = Faults::new();
        if name.trim().is_empty() || name.len() > 200 {
            faults.add("/name", "invalid_name", "a name has 1 to 200 bytes");
        }
        if variables.len() > 100 {
            faults.add("/variables", "too_many", "there are 100 variables at most");
        }
        let mut keys = BTreeSet::new();
        for (index, variable) in variables.iter().enumerate() {
            let pointer = format!("/variables/{index}");
            if !keys.insert(variable.key.as_str()) {
                faults.add(
                    format!("{pointer}/key"),
                    "duplicate_key",
                    "another variable has this key",
                );
            }
            if let Err(found) = Variable::parse(variable) {
                faults.extend(found.under(&pointer));
            }
        }
        faults.or(())
    }
}

/// What a tenant sets for everything of its own.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Where people may be sent after the callback: an exact URL, or one that ends in `/*` for all
    /// below it.
    pub return_urls: Vec<String>,
}

impl Settings {
    /// Checks what an operator wrote.
    ///
    /// # Errors
    /// Every fault, with pointers relative to the settings.
    pub fn check(&self) -> Result<(), Faults> {
        let mut faults = Faults::new();
        if self.return_urls.len() > 100 {
            faults.add(
                "/return_urls",
                "too_many",
                "there are 100 return URLs at most",
            );
        }
        for (index, text) in self.return_urls.iter().enumerate() {
            let plain = text.strip_suffix("/*").unwrap_or(text);
            if plain.len() > 1024 || plain.contains('*') || !is_return_url(plain) {
                let why = "a return URL is an https URL without user information or fragment; it may end in '/*'";
                faults.add(format!("/return_urls/{index}"), "invalid_url", why);
            }
        }
        faults.or(())
    }

    /// Whether people may be sent to `url`.
    #[must_use]
    pub fn allows(&self, url: &str) -> bool {
        is_return_url(url)
            && self
                .return_urls
                .iter()
                .any(|allowed| match allowed.strip_suffix("/*") {
                    None => url == allowed,
                    Some(base) => url.strip_prefix(base).is_some_and(|rest| {
                        // Parsing has resolved dot segments, so what follows can't climb out again.
                        rest.is_empty() || rest.starts_with(['/', '?'])
                    }),
                })
    }
}

/// Whether a browser may be sent there: https, or http to this machine, and nothing hidden in it.
fn is_return_url(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| {
        let scheme = match url.scheme() {
            "https" => true,
            "http" => matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")),
            _ => false,
        };
        let written_as_parsed =
            url.as_str() == text || url.as_str().strip_suffix('/') == Some(text);
        scheme
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none()
            && written_as_parsed
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_sent_to_registered_urls_only() {
        let settings = Settings {
            return_urls: vec![
                "https://app.example/done".to_owned(),
                "https://app.example/tenants/*".to_owned(),
            ],
        };
        for (url, allowed) in [
            ("https://app.example/done", true),
            ("https://app.example/done/x", false),
            ("https://app.example/tenants", true),
            ("https://app.example/tenants/7?x=y", true),
            ("https://app.example/tenantsevil", false),
            ("https://app.example/tenants/../admin", false),
            ("https://app.example.evil/done", false),
            ("https://user@app.example/done", false),
            ("http://app.example/done", false),
            ("javascript:alert(1)", false),
        ] {
            assert_eq!(settings.allows(url), allowed, "{url}");
        }
        assert!(settings.check().is_ok());
        let bad = Settings {
            return_urls: vec!["https://*.example/".to_owned(), "ftp://a.b/".to_owned()],
        };
        assert_eq!(bad.check().unwrap_err().into_vec().len(), 2);
    }
}
