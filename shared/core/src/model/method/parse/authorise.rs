//! The authorise request and the callback.

use super::{Parser, is_link};
use crate::model::{
    definition::{AuthoriseDefinition, CallbackDefinition, Pkce, Start, Texts},
    method::{Authorise, Callback, ScopeList, Verify, place::Place},
    template::Template,
    url_template::UrlTemplate,
};

/// RFC 7636 §4.1.
const SHORTEST_VERIFIER: usize = 43;
const LONGEST_VERIFIER: usize = 128;

impl Parser {
    pub(super) fn authorise(&mut self, written: &AuthoriseDefinition) -> Authorise {
        let place = Place::Authorise;
        let separator = written.scope_separator.as_str();
        self.separator("/authorise/scope_separator", Some(separator));
        if written
            .issuer
            .as_deref()
            .is_some_and(|issuer| !is_link(issuer))
        {
            let why = "an issuer is an https URL (RFC 8414 §2)";
            self.faults.add("/authorise/issuer", "invalid_url", why);
        }
        let verifier_length = written.verifier_length.unwrap_or(SHORTEST_VERIFIER);
        if !(SHORTEST_VERIFIER..=LONGEST_VERIFIER).contains(&verifier_length) {
            let why = "a verifier has 43 to 128 characters (RFC 7636 §4.1)";
            self.faults
                .add("/authorise/verifier_length", "out_of_range", why);
        }
        if written.start == Start::Provider && written.pkce != Pkce::None {
            let why =
                "a code that the provider sends unasked is bound to no challenge: `pkce: none`";
            self.faults.add("/authorise/pkce", "unasked_pkce", why);
        }
        Authorise {
            start: written.start,
            urls: self.routed_urls("/authorise/url", &written.url),
            query: self.overlay("/authorise/query", &written.query, place),
            scopes: self.scopes("/authorise/scopes", &written.scopes),
            scope_separator: separator.into(),
            scope_lists: self.scope_lists(written),
            pkce: written.pkce,
            verifier_length,
            state_length: self.template(
                "/authorise/state/length",
                &written.state.length.0,
                Place::Response,
            ),
            state_alphabet: written.state.alphabet,
            state_carrier: written.state.carrier,
            issuer: written.issuer.as_deref().map(Into::into),
            order: written.parameter_order,
            encoding: written.encoding,
            fragment: written
                .fragment
                .as_deref()
                .map(|text| self.template("/authorise/fragment", text, place)),
        }
    }

    fn routed_urls(&mut self, pointer: &str, written: &Texts) -> Vec<UrlTemplate> {
        let urls = written.at(pointer).filter_map(|(at, text)| {
            let parsed = UrlTemplate::parse_routed(text);
            let template = self.faults.keep(at.as_str(), "invalid_url", parsed)?;
            self.check_url(&at, &template, Place::Authorise);
            Some(template)
        });
        urls.collect()
    }

    fn scopes(&mut self, pointer: &str, written: &[String]) -> Vec<Template> {
        written
            .iter()
            .enumerate()
            .map(|(index, text)| {
                self.template(&format!("{pointer}/{index}"), text, Place::Authorise)
            })
            .collect()
    }

    fn scope_lists(&mut self, written: &AuthoriseDefinition) -> Vec<ScopeList> {
        let lists = written.scope_lists.iter().enumerate();
        lists
            .map(|(index, list)| {
                let pointer = format!("/authorise/scope_lists/{index}");
                self.separator(&format!("{pointer}/separator"), list.separator.as_deref());
                let separator = list.separator.as_deref();
                ScopeList {
                    parameter: list.parameter.as_str().into(),
                    scopes: self.scopes(&format!("{pointer}/scopes"), &list.scopes),
                    separator: separator.unwrap_or(&written.scope_separator).into(),
                }
            })
            .collect()
    }

    pub(super) fn callback(&mut self, written: &CallbackDefinition) -> Callback {
        Callback {
            code: written.code.as_str().into(),
            state: written.state.as_str().into(),
            error: written.error.as_str().into(),
            code_required: written.code_required,
            verify: written.verify.as_ref().map(|verify| Verify {
                algorithm: verify.algorithm,
                key: self.template("/callback/verify/key", &verify.key, Place::Verify),
                parameter: verify.parameter.as_str().into(),
                except: verify.except.clone(),
                encoding: verify.encoding,
            }),
        }
    }

    pub(super) fn separator(&mut self, pointer: &str, separator: Option<&str>) {
        if separator.is_some_and(|text| !(1..=3).contains(&text.len())) {
            let why = "a separator has 1 to 3 bytes";
            self.faults.add(pointer, "invalid_separator", why);
        }
    }
}
