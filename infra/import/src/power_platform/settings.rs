//! One `oAuthSettings` object as a definition.

use super::{Set, connection, template::Names};
use crate::{
    Imported,
    document::Document,
    fields::{Fields, Report, text_of},
    guard, name,
};

/// A definition while it is put together out of OAuth settings.
pub(super) struct Draft {
    settings: Fields,
    pub(super) custom: Fields,
    pub(super) names: Names,
    pub(super) document: Document,
    pub(super) urls: Vec<String>,
    title: Option<String>,
    file_name: Option<String>,
}

impl Draft {
    pub(super) fn new(set: &Set, key: &str, title: Option<&str>, report: &mut Report) -> Self {
        let at = format!("{}.{key}", set.at);
        let setting = set.parameters.get(key).cloned().unwrap_or_default();
        let mut parameter = Fields::of(at, setting, report).unwrap_or_default();
        let settings = parameter.fields("oAuthSettings", report);
        parameter.take("type");
        parameter.report_rest(
            &[("uiDefinition", "what is said about signing in itself")],
            report,
        );
        let mut names = Names::default();
        connection::declare(&mut names, &set.at, key, &set.parameters, report);
        let mut draft = Self {
            settings,
            custom: Fields::default(),
            names,
            document: Document::default(),
            urls: Vec::new(),
            title: title.map(str::to_owned),
            file_name: title.or(set.name.as_deref()).map(str::to_owned),
        };
        if let (Some(title), Some(set)) = (title, &set.name) {
            draft.file_name = Some(format!("{title} {set}"));
        }
        draft.custom = draft.custom_parameters(report);
        draft.refuse(report);
        draft
    }

    /// The custom parameters under their names in small letters, their values without wrapping.
    fn custom_parameters(&mut self, report: &mut Report) -> Fields {
        let at = self.settings.at("customParameters");
        let custom = self.settings.fields("customParameters", report);
        let mut members = serde_json::Map::new();
        for (at, key, value) in custom.rest() {
            match value
                .get("value")
                .and_then(text_of)
                .or_else(|| text_of(&value))
            {
                Some(text) => drop(members.insert(key.to_ascii_lowercase(), text.into())),
                None => report.note(at, "a text was expected"),
            }
        }
        let mut names: Vec<String> = members.keys().cloned().collect();
        names.retain(|name| !KNOWN.contains(&name.as_str()));
        for name in names {
            let value = members
                .shift_remove(&name)
                .as_ref()
                .and_then(text_of)
                .unwrap_or_default();
            self.names.constants.insert(name, value);
        }
        Fields::new(at, members)
    }

    /// Values that depend on what a person chooses, and secrets, take no part in templates.
    fn refuse(&mut self, report: &mut Report) {
        let mut additional = self.settings.fields("additionalParameters", report);
        for name in additional.names() {
            let value = additional.take(&name).unwrap_or_default();
            let is_conditional = value.get("applicableWhen").is_some();
            let why = if is_conditional {
                CONDITIONAL
            } else {
                ADDITIONAL
            };
            report.note(additional.at(&name), why);
            if is_conditional {
                self.names
                    .refused
                    .insert(name.to_ascii_lowercase(), CONDITIONAL);
            }
        }
        for name in self.names.constants.keys().filter(|name| is_secret(name)) {
            report.note(self.custom.at(name), SECRET);
            self.names.refused.insert(name.clone(), SECRET);
        }
        let refused = &self.names.refused;
        self.names
            .constants
            .retain(|name, _| !refused.contains_key(name));
    }

    /// Reads the settings; says why not, if this is no flow that can be said.
    pub(super) fn read(&mut self, report: &mut Report) -> Option<(String, String)> {
        let provider = self
            .settings
            .text("identityProvider", report)
            .unwrap_or_default();
        let read = match provider.to_ascii_lowercase().as_str() {
            "oauth2" | "oauth2generic" | "oauth2withtemplates" => self.generic(report),
            "aad" | "aadcertificate" => self.directory(report),
            _ => Err(format!(
                "the provider {provider:?} is built into the platform, which alone knows its URLs"
            )),
        };
        read.err()
            .map(|why| (self.settings.at("identityProvider"), why))
    }

    /// Microsoft's directory, the way the platform calls it.
    fn directory(&mut self, report: &mut Report) -> Result<(), String> {
        let mut constant = |name: &str, usual: &str| {
            let value = self.names.constants.shift_remove(name);
            value
                .filter(|value| !value.is_empty() && !value.contains(['{', '}']))
                .unwrap_or_else(|| usual.to_owned())
        };
        let (login, tenant) = (
            constant("loginuri", "https://login.microsoftonline.com"),
            constant("tenantid", "common"),
        );
        let resource = constant("resourceuri", "");
        let base = format!("{}/{tenant}/oauth2", login.trim_end_matches('/'));
        self.document.put(&["client", "authentication"], "body");
        self.document
            .put(&["authorise", "url"], format!("{base}/authorize"));
        self.document
            .put(&["token", "url"], format!("{base}/token"));
        self.urls.push(base);
        if !resource.is_empty() {
            for (request, part) in [
                ("authorise", "query"),
                ("token", "body"),
                ("refresh", "body"),
            ] {
                self.document
                    .put(&[request, part, "resource"], resource.as_str());
            }
        }
        self.scopes(report);
        Ok(())
    }

    pub(super) fn scopes(&mut self, report: &mut Report) {
        let separator = self
            .custom
            .text("scopelistdelimiter", report)
            .filter(|separator| !separator.is_empty());
        let between = separator.clone().unwrap_or_else(|| " ".to_owned());
        let scopes = self.settings.texts("scopes", report).unwrap_or_default();
        let scopes = scopes
            .iter()
            .flat_map(|scopes| scopes.split(&between))
            .map(str::trim)
            .filter(|scope| !scope.is_empty());
        let all: Vec<String> = std::iter::once("{{scope}}")
            .chain(scopes)
            .map(str::to_owned)
            .collect();
        if all.len() > 1 {
            self.document.put(&["authorise", "scopes"], all);
        }
        self.document.put_some(
            &["authorise", "scope_separator"],
            separator.filter(|separator| separator != " "),
        );
    }

    /// The name of the connector, else that of its authorise URL's host.
    pub(super) fn file_name(&self) -> String {
        self.file_name
            .clone()
            .or_else(|| self.host_name())
            .unwrap_or_else(|| "connection".to_owned())
    }

    fn host_name(&self) -> Option<String> {
        self.urls.iter().find_map(|url| name::of_host(url))
    }

    pub(super) fn finish(mut self, mut report: Report) -> Imported {
        let file_name = self.file_name();
        let title = self
            .title
            .take()
            .or_else(|| self.host_name())
            .unwrap_or_else(|| file_name.clone());
        self.document.put(&["name"], title);
        guard::hosts(&mut self.names.variables, &self.urls, &mut report);
        guard::secrets(&mut self.document, &self.names.variables, &mut report);
        self.names.variables.write(&mut self.document);
        for (name, _) in self
            .names
            .constants
            .iter()
            .filter(|(name, _)| !self.names.used.contains(name))
        {
            report.note(self.custom.at(name), "no template names it");
        }
        self.custom.report_rest(&[], &mut report);
        self.settings.report_rest(UNSAYABLE, &mut report);
        self.document.finish(&file_name, report)
    }
}

fn is_secret(name: &str) -> bool {
    ["secret", "password", "apikey", "api_key"]
        .iter()
        .any(|word| name.contains(word))
}

const CONDITIONAL: &str = "its value depends on what a person chooses; write a variable with a map";
const ADDITIONAL: &str = "it belongs to the platform";
const SECRET: &str = "a secret is never imported; it was left out";

/// Custom parameters that mean the same in every connector.
const KNOWN: &[&str] = &[
    "authorizationurl",
    "authorizationurltemplate",
    "authorizationurlquerystringtemplate",
    "tokenurl",
    "tokenurltemplate",
    "tokenurlquerystringtemplate",
    "tokenbodytemplate",
    "refreshurl",
    "refreshurltemplate",
    "refreshurlquerystringtemplate",
    "refreshbodytemplate",
    "scopelistdelimiter",
];

const UNSAYABLE: &[(&str, &str)] = &[
    (
        "clientId",
        "a client belongs to whoever registered it; it was left out",
    ),
    (
        "clientSecret",
        "a secret is never imported; it was left out",
    ),
    ("redirectMode", "the callback URL is this service's own"),
    ("redirectUrl", "the callback URL is this service's own"),
    ("properties", "it belongs to the platform"),
];
