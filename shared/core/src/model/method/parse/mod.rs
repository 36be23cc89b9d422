//! From what a builder wrote to what it means.

use std::{collections::BTreeSet, time::Duration};

use http::{HeaderName, header};
use indexmap::IndexMap;

use super::{
    AuthMethod, Authorise, Client, Overlay, Request, Response, TokenRequest, Use, place::Place,
};
use crate::model::{
    definition::{
        BodyFormat, ClientAuthentication, Definition, Origin, Parameters, ResponseDefinition,
        VariableDefinition,
    },
    fault::{Faults, pointer_segment},
    template::{Namespace, Reference, Template},
    url_template::UrlTemplate,
    variable::{Variable, missing_defaults},
};

const MOST_VARIABLES: usize = 100;
const MOST_PARAMETERS: usize = 50;
/// The hard limit of a call, which must stay well below the lease (`flow::refresh`).
const MOST_SECONDS: u32 = 20;

pub(super) fn method(
    written: &Definition,
    inherited: &[VariableDefinition],
) -> Result<AuthMethod, Faults> {
    let mut parser = Parser {
        variables: Vec::new(),
        faults: Faults::new(),
    };
    if written.name.trim().is_empty() || written.name.len() > 200 {
        parser
            .faults
            .add("/name", "invalid_name", "a name has 1 to 200 bytes");
    }
    if !(1..=MOST_SECONDS).contains(&written.timeout_seconds) {
        let why = format!("a timeout is 1 to {MOST_SECONDS} seconds: it must stay below the lease");
        parser.faults.add("/timeout_seconds", "out_of_range", why);
    }
    if written
        .documentation_url
        .as_deref()
        .is_some_and(|text| !is_link(text))
    {
        parser.faults.add(
            "/documentation_url",
            "invalid_url",
            "it must be an http or https URL",
        );
    }
    parser.inherit(&written.connector_variables, inherited);
    parser.declare(&written.variables);
    parser.defaults(written);
    let token = parser.token(written);
    let refresh = parser.refresh(written);
    let method = AuthMethod {
        name: written.name.trim().into(),
        timeout: Duration::from_secs(u64::from(written.timeout_seconds)),
        client: parser.client(written),
        redirect_uri: parser.template("/redirect_uri", &written.redirect_uri, Place::RedirectUri),
        authorise: parser.authorise(written),
        revoke: parser.revoke(written),
        rotation: written.refresh.rotation,
        credential: parser.credential(written),
        token,
        refresh,
        variables: parser.variables,
    };
    parser.faults.or(method)
}

struct Parser {
    variables: Vec<Variable>,
    faults: Faults,
}

impl Parser {
    fn inherit(&mut self, used: &[String], inherited: &[VariableDefinition]) {
        for (index, key) in used.iter().enumerate() {
            let pointer = format!("/connector_variables/{index}");
            match inherited.iter().find(|variable| variable.key == *key) {
                None => self.faults.add(
                    pointer,
                    "unknown_connector_variable",
                    "the connector has no such variable",
                ),
                Some(variable) => match Variable::parse(variable) {
                    Ok(variable) => self.variables.push(variable),
                    Err(faults) => self.faults.extend(faults.under(&pointer)),
                },
            }
        }
    }

    fn declare(&mut self, written: &[VariableDefinition]) {
        if written.len() > MOST_VARIABLES {
            self.faults
                .add("/variables", "too_many", "there are 100 variables at most");
        }
        let mut seen: BTreeSet<Box<str>> = self
            .variables
            .iter()
            .map(|variable| variable.key.clone())
            .collect();
        for (index, definition) in written.iter().enumerate() {
            let pointer = format!("/variables/{index}");
            match Variable::parse(definition) {
                Err(faults) => self.faults.extend(faults.under(&pointer)),
                Ok(variable) => {
                    if !seen.insert(variable.key.clone()) {
                        self.faults.add(
                            format!("{pointer}/key"),
                            "duplicate_key",
                            "another variable has this key",
                        );
                    }
                    self.variables.push(variable);
                }
            }
        }
        // The default variables are locked: they can be changed, but are always there.
        for definition in missing_defaults(written) {
            match Variable::parse(&definition) {
                Ok(variable) => self.variables.push(variable),
                Err(faults) => self.faults.extend(faults),
            }
        }
    }

    /// A default may name earlier variables only, so that filling them ends.
    fn defaults(&mut self, written: &Definition) {
        let mut known: Vec<(Box<str>, bool)> = Vec::new();
        for variable in &self.variables {
            let at = written
                .variables
                .iter()
                .position(|definition| *definition.key == *variable.key);
            let pointer =
                at.map_or_else(String::new, |index| format!("/variables/{index}/default"));
            for reference in variable.default.iter().flat_map(Template::references) {
                let good = match reference.namespace {
                    Namespace::Variable => known
                        .iter()
                        .any(|(key, secret)| *key == reference.key && !secret),
                    Namespace::Flow => &*reference.key == "callback_url",
                    Namespace::Client | Namespace::Callback | Namespace::Token => false,
                };
                if !good {
                    let why = format!(
                        "a default can't use '{reference}': only earlier variables that are not secret"
                    );
                    self.faults
                        .add(pointer.as_str(), "impossible_reference", why);
                }
            }
            known.push((variable.key.clone(), variable.is_secret()));
        }
    }

    fn client(&mut self, written: &Definition) -> Client {
        let client = &written.client;
        let id = self.template("/client/id", &client.id, Place::ClientId);
        let secret = self.template("/client/secret", &client.secret, Place::ClientSecret);
        let is_public = client.authentication == ClientAuthentication::None;
        if is_public {
            // A public client has no secret to ask for.
            for variable in &mut self.variables {
                if secret
                    .references()
                    .any(|reference| reference.is_variable(&variable.key))
                {
                    variable.required = false;
                }
            }
        }
        Client {
            id,
            secret: (!is_public).then_some(secret),
            authentication: client.authentication,
        }
    }

    fn authorise(&mut self, written: &Definition) -> Authorise {
        let authorise = &written.authorise;
        let scopes = authorise.scopes.iter().enumerate();
        let scopes = scopes
            .map(|(index, scope)| {
                self.template(
                    &format!("/authorise/scopes/{index}"),
                    scope,
                    Place::Authorise,
                )
            })
            .collect();
        self.separator(
            "/authorise/scope_separator",
            Some(&authorise.scope_separator),
        );
        if authorise
            .issuer
            .as_deref()
            .is_some_and(|issuer| !is_link(issuer))
        {
            self.faults.add(
                "/authorise/issuer",
                "invalid_url",
                "an issuer is an https URL (RFC 8414 §2)",
            );
        }
        Authorise {
            url: self.url("/authorise/url", authorise.url.as_deref(), Place::Authorise),
            query: self.overlay("/authorise/query", &authorise.query, Place::Authorise),
            scopes,
            scope_separator: authorise.scope_separator.as_str().into(),
            pkce: authorise.pkce,
            state_length: self.template(
                "/authorise/state/length",
                &authorise.state.length,
                Place::Response,
            ),
            issuer: authorise.issuer.as_deref().map(Into::into),
        }
    }

    fn token(&mut self, written: &Definition) -> TokenRequest {
        let (token, asked) = (&written.token, written.authorise.scope_separator.as_str());
        let request = Request {
            url: self.url("/token/url", token.url.as_deref(), Place::Token),
            headers: self.headers("/token/headers", &token.headers, Place::Token),
            query: self.overlay("/token/query", &token.query, Place::Token),
            body: self.overlay("/token/body", &token.body, Place::Token),
            format: token.body_format,
        };
        TokenRequest {
            request,
            response: self.response(
                "/token/response",
                &token.response,
                asked,
                token.lifetime_seconds,
            ),
        }
    }

    fn refresh(&mut self, written: &Definition) -> TokenRequest {
        let (token, refresh) = (&written.token, &written.refresh);
        let asked = written.authorise.scope_separator.as_str();
        let place = Place::Refresh;
        let url = match &refresh.url {
            Some(url) => self.url("/refresh/url", Some(url), place),
            None => self.url("/token/url", token.url.as_deref(), place),
        };
        let request = Request {
            url,
            headers: self.headers_or_inherited("/refresh", refresh.headers.as_ref(), token, place),
            query: self.overlay("/refresh/query", &refresh.query, place),
            body: self.overlay("/refresh/body", &refresh.body, place),
            format: refresh.body_format.unwrap_or(token.body_format),
        };
        let response = match &refresh.response {
            Some(response) => {
                self.response("/refresh/response", response, asked, token.lifetime_seconds)
            }
            None => self.response(
                "/token/response",
                &token.response,
                asked,
                token.lifetime_seconds,
            ),
        };
        TokenRequest { request, response }
    }

    fn revoke(&mut self, written: &Definition) -> Option<Request> {
        let revoke = written.revoke.as_ref()?;
        let place = Place::Revoke;
        Some(Request {
            url: self.url("/revoke/url", Some(&revoke.url), place),
            headers: self.headers_or_inherited(
                "/revoke",
                revoke.headers.as_ref(),
                &written.token,
                place,
            ),
            query: self.overlay("/revoke/query", &revoke.query, place),
            body: self.overlay("/revoke/body", &revoke.body, place),
            format: revoke.body_format.unwrap_or(BodyFormat::Form),
        })
    }

    /// Headers of their own, or those of the token request as far as they make sense here.
    fn headers_or_inherited(
        &mut self,
        pointer: &str,
        own: Option<&Parameters>,
        token: &crate::model::definition::TokenDefinition,
        place: Place,
    ) -> Vec<(HeaderName, Template)> {
        match own {
            Some(headers) => self.headers(&format!("{pointer}/headers"), headers, place),
            None => self.headers("/token/headers", &token.headers, place),
        }
    }

    fn response(
        &mut self,
        pointer: &str,
        written: &ResponseDefinition,
        asked: &str,
        lifetime: Option<u64>,
    ) -> Response {
        self.separator(
            &format!("{pointer}/scope_separator"),
            written.scope_separator.as_deref(),
        );
        let mut path = |name: &str, text: &str| {
            self.template(&format!("{pointer}/{name}"), text, Place::Response)
        };
        Response {
            scope_separator: written.scope_separator.as_deref().unwrap_or(asked).into(),
            access_token: path("access_token", &written.access_token),
            refresh_token: path("refresh_token", &written.refresh_token),
            expires_in: path("expires_in", &written.expires_in),
            scope: path("scope", &written.scope),
            lifetime: lifetime.map(Duration::from_secs),
        }
    }

    fn separator(&mut self, pointer: &str, separator: Option<&str>) {
        if separator.is_some_and(|text| !(1..=3).contains(&text.len())) {
            let why = "a separator has 1 to 3 bytes";
            self.faults.add(pointer, "invalid_separator", why);
        }
    }

    fn credential(&mut self, written: &Definition) -> Use {
        let credential = &written.credential;
        let place = Place::Use;
        Use {
            headers: self.headers("/use/headers", &all(&credential.headers), place),
            query: named(self.overlay("/use/query", &all(&credential.query), place)),
            body: named(self.overlay("/use/body", &all(&credential.body), place)),
        }
    }

    fn headers(
        &mut self,
        pointer: &str,
        written: &Parameters,
        place: Place,
    ) -> Vec<(HeaderName, Template)> {
        let mut headers = Vec::new();
        for (name, template) in self.overlay(pointer, written, place) {
            let at = format!("{pointer}/{}", pointer_segment(&name));
            match HeaderName::from_bytes(name.as_bytes()) {
                Err(_) => self
                    .faults
                    .add(at, "invalid_header", "it is not a header name"),
                Ok(name) if is_transport_header(&name) => {
                    self.faults
                        .add(at, "invalid_header", "this header belongs to the transport");
                }
                Ok(name) => headers.extend(template.map(|template| (name, template))),
            }
        }
        headers
    }

    fn overlay(&mut self, pointer: &str, written: &Parameters, place: Place) -> Overlay {
        if written.len() > MOST_PARAMETERS {
            self.faults
                .add(pointer, "too_many", "there are 50 parameters at most");
        }
        let entries = written.iter().map(|(name, text)| {
            let at = format!("{pointer}/{}", pointer_segment(name));
            if name.is_empty() || name.len() > 200 || name.chars().any(char::is_control) {
                self.faults.add(
                    at.as_str(),
                    "invalid_name",
                    "a name has 1 to 200 bytes and no control characters",
                );
            }
            let template = text.as_deref().map(|text| self.template(&at, text, place));
            (name.as_str().into(), template)
        });
        entries.collect()
    }

    /// Parses a template; where it is none, an empty one stands in while the other faults are found.
    fn template(&mut self, pointer: &str, text: &str, place: Place) -> Template {
        match Template::parse(text) {
            Ok(template) => {
                template
                    .references()
                    .for_each(|reference| self.check(pointer, reference, place));
                template
            }
            Err(error) => {
                self.faults
                    .add(pointer, "invalid_template", error.to_string());
                Template::default()
            }
        }
    }

    fn url(&mut self, pointer: &str, text: Option<&str>, place: Place) -> Option<UrlTemplate> {
        let template = self
            .faults
            .keep(pointer, "invalid_url", UrlTemplate::parse(text?))?;
        for reference in template.references() {
            self.check(pointer, reference, place);
            if self
                .variables
                .iter()
                .any(|variable| variable.is_secret() && reference.is_variable(&variable.key))
            {
                let why = format!(
                    "'{reference}' is secret: a URL ends up in logs; use a header or the body"
                );
                self.faults.add(pointer, "secret_in_sight", why);
            }
        }
        for reference in template.host_references() {
            let variable = self
                .variables
                .iter()
                .find(|variable| reference.is_variable(&variable.key));
            if !variable.is_some_and(Variable::is_bounded) {
                let why = format!("'{reference}' chooses the host: it needs a pattern or choices");
                self.faults.add(pointer, "open_host", why);
            }
        }
        Some(template)
    }

    fn check(&mut self, pointer: &str, reference: &Reference, place: Place) {
        if !place.allows(reference.namespace, &reference.key) {
            let why = format!("'{reference}' has no value here");
            return self.faults.add(pointer, "impossible_reference", why);
        }
        if reference.namespace != Namespace::Variable {
            return;
        }
        let Some(variable) = self
            .variables
            .iter()
            .find(|variable| variable.key == reference.key)
        else {
            let why = format!("no variable '{}' is declared", reference.key);
            return self.faults.add(pointer, "undeclared_variable", why);
        };
        if variable.is_secret() && place.is_visible() {
            let why = format!("'{}' is secret and would be seen here", reference.key);
            self.faults.add(pointer, "secret_in_sight", why);
        } else if variable.from == Origin::Callback && place != Place::Token {
            let why = format!("'{}' has a value in the token request only", reference.key);
            self.faults.add(pointer, "impossible_reference", why);
        }
    }
}

fn all(parameters: &IndexMap<String, String>) -> Parameters {
    parameters
        .iter()
        .map(|(name, value)| (name.clone(), Some(value.clone())))
        .collect()
}

fn named(overlay: Overlay) -> Vec<(Box<str>, Template)> {
    overlay
        .into_iter()
        .filter_map(|(name, template)| Some((name, template?)))
        .collect()
}

fn is_link(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

/// Headers that the HTTP client sets itself (RFC 9110 §7).
fn is_transport_header(name: &HeaderName) -> bool {
    [
        header::HOST,
        header::CONTENT_LENGTH,
        header::TRANSFER_ENCODING,
        header::CONNECTION,
        header::COOKIE,
    ]
    .contains(name)
}
