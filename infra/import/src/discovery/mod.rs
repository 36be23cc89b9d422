//! The metadata of an authorisation server: `OpenID` Connect discovery or RFC 8414.

mod tables;

use latchkey_core::protocol::metadata::{Metadata, is_endpoint};
use serde_json::{Map, Value, json};

use tables::UNSAYABLE;

use crate::{
    ImportError, Imported,
    document::Document,
    fields::{Fields, Report},
    name,
};

/// What a definition says without a word.
const DEFAULTS: [(&str, &str); 2] = [
    ("/client/authentication", "basic"),
    ("/authorise/pkce", "S256"),
];

pub(crate) fn looks_like(document: &Value) -> bool {
    document
        .get("authorization_endpoint")
        .is_some_and(Value::is_string)
}

/// Reads the metadata of one server.
pub(crate) fn import(text: &str) -> Result<Vec<Imported>, ImportError> {
    let Value::Object(metadata) = serde_json::from_str(text)? else {
        return Err(ImportError::shape("the document", "an object was expected"));
    };
    Ok(vec![Draft::read(metadata)?])
}

struct Draft {
    metadata: Fields,
    document: Document,
    report: Report,
}

impl Draft {
    fn read(metadata: Map<String, Value>) -> Result<Imported, ImportError> {
        let said = Metadata::new(metadata.clone());
        let mut draft = Self {
            metadata: Fields::new("", metadata),
            document: Document::default(),
            report: Report::default(),
        };
        draft.supported("response_types_supported", "code")?;
        draft.endpoint("authorization_endpoint")?;
        let token = draft.endpoint("token_endpoint")?;
        let issuer = draft.metadata.text("issuer", &mut draft.report);
        let named = issuer
            .as_deref()
            .and_then(name::of_host)
            .or_else(|| name::of_host(&token));
        let named = named.unwrap_or_else(|| "Provider".to_owned());
        draft.document.put(&["name"], named.as_str());
        draft.say(&said);
        draft.grants()?;
        draft.scopes();
        draft.report_unsaid(&said);
        draft.metadata.report_rest(UNSAYABLE, &mut draft.report);
        Ok(draft.document.finish(&named, draft.report))
    }

    /// Writes what the metadata says, but for what a definition says by itself.
    fn say(&mut self, metadata: &Metadata) {
        for (pointer, value) in metadata.members() {
            if DEFAULTS.contains(&(pointer, value.as_str().unwrap_or_default())) {
                continue;
            }
            let path: Vec<&str> = pointer.split('/').skip(1).collect();
            self.document.put(&path, value);
        }
        let variable = metadata.variable().map(|variable| json!([variable]));
        self.document.put_some(&["variables"], variable);
    }

    /// Names what it says in vain.
    fn report_unsaid(&mut self, said: &Metadata) {
        let members = said.members();
        let has = |wanted: &str| members.iter().any(|(pointer, _)| *pointer == wanted);
        self.metadata
            .text("service_documentation", &mut self.report);
        self.offered(
            "token_endpoint_auth_methods_supported",
            has("/client/authentication"),
            |offered| format!("none of {offered} is known here; Basic is left"),
        );
        self.metadata
            .take("token_endpoint_auth_signing_alg_values_supported");
        let key = "code_challenge_methods_supported";
        self.metadata.take(key);
        if !has("/authorise/pkce") {
            self.report.note(key, "S256 isn't listed; it is sent all the same, as servers ignore parameters they don't know");
        }
        let query = |modes: &[String]| modes.iter().any(|mode| mode == "query");
        let key = "response_modes_supported";
        let modes = self.metadata.texts(key, &mut self.report);
        if let Some(modes) =
            modes.filter(|modes| !query(modes) && !has("/authorise/query/response_mode"))
        {
            let why = format!("an answer as {} can't be read", modes.join(", "));
            self.report.note(key, why);
        }
        let key = "authorization_response_iss_parameter_supported";
        if self.metadata.flag(key, &mut self.report) == Some(true) && !has("/authorise/issuer") {
            self.report
                .note(key, "the issuer is no URL, so it can't be compared");
        }
        self.further("revocation_endpoint", has("/revoke/url"));
        self.further("introspection_endpoint", has("/introspect/url"));
        let key = "require_pushed_authorization_requests";
        if self.metadata.flag(key, &mut self.report) == Some(true) {
            self.report.note(
                key,
                "the server takes pushed requests only, which can't be made",
            );
        }
    }

    /// Notes a list of which nothing is known.
    fn offered(&mut self, key: &str, known: bool, why: impl Fn(&str) -> String) {
        let offered = self.metadata.texts(key, &mut self.report);
        if let Some(offered) = offered.filter(|_| !known) {
            self.report.note(key, why(&offered.join(", ")));
        }
    }

    fn endpoint(&mut self, key: &str) -> Result<String, ImportError> {
        let url = self.metadata.text(key, &mut self.report);
        let url = url.ok_or_else(|| ImportError::shape(key, "the URL is missing"))?;
        if is_endpoint(&url) {
            Ok(url)
        } else {
            Err(ImportError::shape(key, format!("{url:?} is no URL")))
        }
    }

    /// A list that must have a value in it, if there is one.
    fn supported(&mut self, key: &str, value: &str) -> Result<Option<Vec<String>>, ImportError> {
        let values = self.metadata.texts(key, &mut self.report);
        if values
            .as_ref()
            .is_some_and(|values| !values.iter().any(|own| own == value))
        {
            return Err(ImportError::shape(
                key,
                format!("{value:?} is not among them"),
            ));
        }
        Ok(values)
    }

    fn grants(&mut self) -> Result<(), ImportError> {
        let grants = self.supported("grant_types_supported", "authorization_code")?;
        if grants.is_some_and(|grants| !grants.iter().any(|grant| grant == "refresh_token")) {
            self.document.put(&["refresh", "mode"], "none");
        }
        Ok(())
    }

    fn scopes(&mut self) {
        let Some(scopes) = self.metadata.texts("scopes_supported", &mut self.report) else {
            return;
        };
        if scopes.iter().any(|scope| scope == "offline_access") {
            self.document.put(
                &["authorise", "scopes"],
                json!(["{{scope}}", "offline_access"]),
            );
        }
        let others: Vec<&str> = scopes
            .iter()
            .map(String::as_str)
            .filter(|scope| *scope != "offline_access")
            .collect();
        if !others.is_empty() {
            self.report.note(
                "scopes_supported",
                format!(
                    "whoever makes the connector chooses among: {}",
                    others.join(" ")
                ),
            );
        }
    }

    /// Another endpoint, and how a client shows itself there.
    fn further(&mut self, endpoint: &str, said: bool) {
        self.metadata
            .take(&format!("{endpoint}_auth_methods_supported"));
        let url = self.metadata.text(endpoint, &mut self.report);
        if let Some(url) = url.filter(|_| !said) {
            self.report.note(endpoint, format!("{url:?} is no URL"));
        }
        let signing = format!("{endpoint}_auth_signing_alg_values_supported");
        if self.metadata.take(&signing).is_some() && said {
            self.report
                .note(signing, "the assertion is the one of the token request");
        }
    }
}
