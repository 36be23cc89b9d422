//! The metadata of an authorisation server: `OpenID` Connect discovery or RFC 8414.

mod tables;

use serde_json::{Map, Value, json};

use tables::{METHODS, UNSAYABLE};

use crate::{
    ImportError, Imported,
    document::Document,
    fields::{Fields, Report},
    name,
};

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
        let mut draft = Self {
            metadata: Fields::new("", metadata),
            document: Document::default(),
            report: Report::default(),
        };
        draft.supported("response_types_supported", "code")?;
        let authorise = draft.endpoint("authorization_endpoint")?;
        let token = draft.endpoint("token_endpoint")?;
        let issuer = draft.metadata.text("issuer", &mut draft.report);
        let named = issuer
            .as_deref()
            .and_then(name::of_host)
            .or_else(|| name::of_host(&token));
        let named = named.unwrap_or_else(|| "Provider".to_owned());
        draft.document.put(&["name"], named.as_str());
        draft.document.put_some(
            &["documentation_url"],
            draft
                .metadata
                .text("service_documentation", &mut draft.report),
        );
        draft.document.put(&["authorise", "url"], authorise);
        draft.document.put(&["token", "url"], token);
        draft.requests(issuer)?;
        draft.metadata.report_rest(UNSAYABLE, &mut draft.report);
        Ok(draft.document.finish(&named, draft.report))
    }

    fn requests(&mut self, issuer: Option<String>) -> Result<(), ImportError> {
        let client = self.authentication("token_endpoint");
        self.client(client.as_deref());
        self.grants()?;
        self.pkce();
        self.response_mode();
        self.scopes();
        self.issuer(issuer);
        self.further("revocation_endpoint", "revoke", client.as_deref());
        self.further("introspection_endpoint", "introspect", client.as_deref());
        let pushed = self
            .metadata
            .flag("require_pushed_authorization_requests", &mut self.report);
        if pushed == Some(true) {
            self.report.note(
                "require_pushed_authorization_requests",
                "the server takes pushed requests only, which can't be made",
            );
        }
        Ok(())
    }

    fn endpoint(&mut self, key: &str) -> Result<String, ImportError> {
        let url = self.metadata.text(key, &mut self.report);
        let url = url.ok_or_else(|| ImportError::shape(key, "the URL is missing"))?;
        if is_url(&url) {
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

    /// The first way that both sides know; Basic if none is named, as the RFC has it.
    fn authentication(&mut self, endpoint: &str) -> Option<String> {
        let key = format!("{endpoint}_auth_methods_supported");
        let methods = self.metadata.texts(&key, &mut self.report)?;
        let ours = METHODS
            .iter()
            .find(|(theirs, _)| methods.iter().any(|method| method == theirs));
        if ours.is_none() {
            self.report.note(
                key,
                format!(
                    "none of {} is known here; Basic is left",
                    methods.join(", ")
                ),
            );
        }
        ours.map(|(_, ours)| (*ours).to_owned())
    }

    fn client(&mut self, authentication: Option<&str>) {
        let key = "token_endpoint_auth_signing_alg_values_supported";
        let offered = self
            .metadata
            .texts(key, &mut self.report)
            .unwrap_or_default();
        let choose = |known: &[&'static str]| {
            known
                .iter()
                .copied()
                .find(|own| offered.iter().any(|alg| alg == own))
        };
        let Some(authentication) = authentication.filter(|kind| *kind != "basic") else {
            return;
        };
        self.document
            .put(&["client", "authentication"], authentication);
        match authentication {
            "private_key_jwt" => {
                let algorithm = choose(&["RS256", "ES256", "PS256"]).unwrap_or("RS256");
                self.document.put(
                    &["variables"],
                    json!([{ "key": "private_key", "label": "Private key", "type": "pem" }]),
                );
                self.document.put(
                    &["client", "assertion"],
                    json!({ "algorithm": algorithm, "key": "{{private_key}}" }),
                );
            }
            "client_secret_jwt" => self
                .document
                .put(&["client", "assertion"], json!({ "algorithm": "HS256" })),
            _ => {}
        }
    }

    fn pkce(&mut self) {
        let key = "code_challenge_methods_supported";
        let methods = self
            .metadata
            .texts(key, &mut self.report)
            .unwrap_or_default();
        let has = |method: &str| methods.iter().any(|own| own == method);
        if has("S256") {
            return;
        }
        if has("plain") {
            self.document.put(&["authorise", "pkce"], "plain");
        } else {
            self.report.note(key, "S256 isn't listed; it is sent all the same, as servers ignore parameters they don't know");
        }
    }

    fn response_mode(&mut self) {
        let key = "response_modes_supported";
        let Some(modes) = self.metadata.texts(key, &mut self.report) else {
            return;
        };
        let has = |mode: &str| modes.iter().any(|own| own == mode);
        match (has("query"), has("form_post")) {
            (true, _) => {}
            (false, true) => self
                .document
                .put(&["authorise", "query", "response_mode"], "form_post"),
            (false, false) => self.report.note(
                key,
                format!("an answer as {} can't be read", modes.join(", ")),
            ),
        }
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

    fn issuer(&mut self, issuer: Option<String>) {
        let key = "authorization_response_iss_parameter_supported";
        if self.metadata.flag(key, &mut self.report) != Some(true) {
            return;
        }
        match issuer.filter(|issuer| is_url(issuer)) {
            Some(issuer) => self.document.put(&["authorise", "issuer"], issuer),
            None => self
                .report
                .note(key, "the issuer is no URL, so it can't be compared"),
        }
    }

    /// A request to another endpoint, with an authentication of its own if it has one.
    fn further(&mut self, endpoint: &str, request: &str, client: Option<&str>) {
        let authentication = self.authentication(endpoint);
        let Some(url) = self.metadata.text(endpoint, &mut self.report) else {
            return;
        };
        if !is_url(&url) {
            self.report.note(endpoint, format!("{url:?} is no URL"));
            return;
        }
        self.document.put(&[request, "url"], url);
        let is_own = |own: &str| own != client.unwrap_or("basic") && !own.ends_with("_jwt");
        self.document.put_some(
            &[request, "authentication"],
            authentication.filter(|own| is_own(own)),
        );
        let signing = format!("{endpoint}_auth_signing_alg_values_supported");
        if self.metadata.take(&signing).is_some() {
            self.report
                .note(signing, "the assertion is the one of the token request");
        }
    }
}

fn is_url(text: &str) -> bool {
    let plain = !text.contains(['{', '}', ' ']);
    plain
        && url::Url::parse(text)
            .is_ok_and(|url| matches!(url.scheme(), "https" | "http") && url.has_host())
}
