//! Requests and steps.

use http::Method;

use super::{Parser, response::Reading};
use crate::model::{
    definition::{
        BodyFormat, ClientAuthentication, Definition, ParameterPlace, Parameters, RequestMethod,
        RequestParts, ResponseDefinition, StepDefinition, Texts,
    },
    method::{Refresh, Request, Step, place::Place},
    template::is_key,
};

const MOST_STEPS: usize = 5;

/// A request, and what it takes from the token request where it doesn't say.
struct Asked<'a> {
    pointer: &'a str,
    parts: RequestParts<'a>,
    place: Place,
    url: (&'a str, &'a Texts),
    authentication: ClientAuthentication,
    headers: Option<(&'a str, &'a Parameters)>,
    format: BodyFormat,
    response: (&'a str, Option<&'a ResponseDefinition>),
    lifetime: Option<u64>,
}

impl Parser {
    pub(super) fn token(&mut self, written: &Definition) -> Request {
        let parts = written.token.parts();
        self.request(
            &Asked {
                pointer: "/token",
                parts,
                place: Place::Token,
                url: ("/token/url", parts.url),
                authentication: written.client.authentication,
                headers: None,
                format: default_format(parts.method),
                response: ("/token/response", parts.response),
                lifetime: written.token.lifetime_seconds,
            },
            written,
        )
    }

    pub(super) fn refresh(&mut self, written: &Definition) -> Refresh {
        let (refresh, token) = (&written.refresh, &written.token);
        let parts = refresh.parts();
        let url = match parts.url.is_empty() {
            true => ("/token/url", &token.url),
            false => ("/refresh/url", parts.url),
        };
        let response = match parts.response {
            Some(_) => ("/refresh/response", parts.response),
            None => ("/token/response", token.response.as_ref()),
        };
        let asked = self.inheriting(written, "/refresh", parts, Place::Refresh);
        let request = self.request(
            &Asked {
                url,
                response,
                lifetime: token.lifetime_seconds,
                ..asked
            },
            written,
        );
        Refresh {
            request,
            mode: refresh.mode,
            rotation: refresh.rotation,
            keep_refresh_token: refresh.keep_refresh_token,
            keep_access_token: refresh.keep_access_token,
            rules: self.rules(refresh),
        }
    }

    pub(super) fn revoke(&mut self, written: &Definition) -> Option<Request> {
        let parts = written.revoke.as_ref()?.parts();
        let asked = self.inheriting(written, "/revoke", parts, Place::Revoke);
        Some(self.request(&asked, written))
    }

    pub(super) fn introspect(&mut self, written: &Definition) -> Option<Request> {
        let parts = written.introspect.as_ref()?.parts();
        let asked = self.inheriting(written, "/introspect", parts, Place::Revoke);
        Some(self.request(&asked, written))
    }

    pub(super) fn lookup(&mut self, written: &Definition) -> Vec<Step> {
        self.steps.clear();
        self.all_steps("/lookup", &written.lookup, Place::Lookup, written)
    }

    /// A request that takes headers and format from the token request.
    fn inheriting<'a>(
        &self,
        written: &'a Definition,
        pointer: &'a str,
        parts: RequestParts<'a>,
        place: Place,
    ) -> Asked<'a> {
        let token = written.token.parts();
        let format = match (parts.method, token.method) {
            (RequestMethod::Get, _) | (_, RequestMethod::Get) => default_format(parts.method),
            _ => token.body_format.unwrap_or_default(),
        };
        let own_url = match pointer {
            "/refresh" => "/refresh/url",
            "/revoke" => "/revoke/url",
            _ => "/introspect/url",
        };
        let own_response = match pointer {
            "/refresh" => "/refresh/response",
            "/revoke" => "/revoke/response",
            _ => "/introspect/response",
        };
        Asked {
            pointer,
            parts,
            place,
            url: (own_url, parts.url),
            authentication: written.client.authentication,
            headers: token.headers.map(|headers| ("/token/headers", headers)),
            format,
            response: (own_response, parts.response),
            lifetime: None,
        }
    }

    fn request(&mut self, asked: &Asked<'_>, written: &Definition) -> Request {
        let Asked {
            pointer,
            parts,
            place,
            ..
        } = *asked;
        self.steps.clear();
        let before = self.all_steps(&format!("{pointer}/before"), parts.before, place, written);
        let own = format!("{pointer}/headers");
        let headers = match (parts.headers, asked.headers) {
            (Some(headers), _) => self.headers(&own, headers, place),
            (None, Some((pointer, headers))) => self.headers(pointer, headers, place),
            (None, None) => Vec::new(),
        };
        let get = parts.method == RequestMethod::Get;
        let request = Request {
            method: method(parts.method),
            urls: self.urls(asked.url.0, asked.url.1, place),
            authentication: parts.authentication.unwrap_or(asked.authentication),
            headers,
            query: self.overlay(&format!("{pointer}/query"), parts.query, place),
            body: self.overlay(&format!("{pointer}/body"), parts.body, place),
            format: parts.body_format.unwrap_or(asked.format),
            parameters_in: parts.parameters_in.unwrap_or(if get {
                ParameterPlace::Query
            } else {
                ParameterPlace::Body
            }),
            response: self.response(&Reading {
                pointer: asked.response.0,
                written: asked.response.1,
                asked_separator: &written.authorise.scope_separator,
                lifetime: asked.lifetime,
            }),
            before,
            after: self.all_steps(&format!("{pointer}/after"), parts.after, place, written),
        };
        self.steps.clear();
        request
    }

    fn all_steps(
        &mut self,
        pointer: &str,
        written: &[StepDefinition],
        place: Place,
        definition: &Definition,
    ) -> Vec<Step> {
        if written.len() > MOST_STEPS {
            let why = "there are 5 steps at most";
            self.faults.add(pointer, "too_many", why);
        }
        let steps = written.iter().enumerate();
        steps
            .map(|(index, step)| self.step(&format!("{pointer}/{index}"), step, place, definition))
            .collect()
    }

    fn step(
        &mut self,
        pointer: &str,
        written: &StepDefinition,
        place: Place,
        definition: &Definition,
    ) -> Step {
        if !is_key(&written.id) || self.steps.iter().any(|known| **known == *written.id) {
            let why = "a step's id is a letter, then letters, digits and '_', and is its own";
            self.faults.add(format!("{pointer}/id"), "invalid_key", why);
        }
        if let Some(condition) = &written.when {
            self.condition(&format!("{pointer}/when"), condition);
        }
        let url = self.urls(&format!("{pointer}/url"), &written.url, place);
        let step = Step {
            id: written.id.as_str().into(),
            when: written.when.clone(),
            request: Request {
                method: method(written.method),
                urls: url,
                authentication: ClientAuthentication::Custom,
                headers: self.headers(&format!("{pointer}/headers"), &written.headers, place),
                query: self.overlay(&format!("{pointer}/query"), &written.query, place),
                body: self.overlay(&format!("{pointer}/body"), &written.body, place),
                format: written
                    .body_format
                    .unwrap_or_else(|| default_format(written.method)),
                parameters_in: ParameterPlace::Body,
                response: self.response(&Reading {
                    pointer: &format!("{pointer}/response"),
                    written: written.response.as_ref(),
                    asked_separator: &definition.authorise.scope_separator,
                    lifetime: definition.token.lifetime_seconds,
                }),
                before: Vec::new(),
                after: Vec::new(),
            },
            brings_tokens: written.response.is_some(),
        };
        self.steps.push(written.id.as_str().into());
        step
    }
}

fn method(written: RequestMethod) -> Method {
    match written {
        RequestMethod::Post => Method::POST,
        RequestMethod::Get => Method::GET,
        RequestMethod::Put => Method::PUT,
        RequestMethod::Patch => Method::PATCH,
        RequestMethod::Delete => Method::DELETE,
    }
}

fn default_format(method: RequestMethod) -> BodyFormat {
    match method {
        RequestMethod::Get => BodyFormat::None,
        RequestMethod::Post | RequestMethod::Put | RequestMethod::Patch | RequestMethod::Delete => {
            BodyFormat::Form
        }
    }
}
