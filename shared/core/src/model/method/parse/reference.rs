//! Templates, and whether what they name has a value where they stand.

use super::Parser;
use crate::model::{
    definition::Texts,
    method::place::Place,
    nearest::nearest,
    template::{Namespace, Pipe, Reference, Template},
    url_template::UrlTemplate,
    variable::Variable,
};

impl Parser {
    /// Parses a template; where it is none, an empty one stands in while the other faults are found.
    pub(super) fn template(&mut self, pointer: &str, text: &str, place: Place) -> Template {
        match Template::parse(text) {
            Ok(template) => {
                template
                    .pipes()
                    .for_each(|pipe| self.check(pointer, pipe, place));
                template
            }
            Err(error) => {
                self.faults
                    .add(pointer, "invalid_template", error.to_string());
                Template::default()
            }
        }
    }

    pub(super) fn templates(
        &mut self,
        pointer: &str,
        written: &Texts,
        place: Place,
    ) -> Vec<Template> {
        let templates = written
            .at(pointer)
            .map(|(at, text)| self.template(&at, text, place));
        templates.collect()
    }

    pub(super) fn urls(
        &mut self,
        pointer: &str,
        written: &Texts,
        place: Place,
    ) -> Vec<UrlTemplate> {
        let urls = written
            .at(pointer)
            .filter_map(|(at, text)| self.url(&at, text, place));
        urls.collect()
    }

    pub(super) fn url(&mut self, pointer: &str, text: &str, place: Place) -> Option<UrlTemplate> {
        let parsed = UrlTemplate::parse(text);
        let template = self.faults.keep(pointer, "invalid_url", parsed)?;
        self.check_url(pointer, &template, place);
        Some(template)
    }

    pub(super) fn check_url(&mut self, pointer: &str, template: &UrlTemplate, place: Place) {
        for pipe in template.pipes() {
            self.check(pointer, pipe, place);
            for reference in pipe.visible_references() {
                if self.is_secret(reference) && !self.reveals.contains(&reference.key.to_string()) {
                    let why = format!(
                        "'{reference}' is secret: a URL ends up in logs; use a header or the body"
                    );
                    self.faults.add(pointer, "secret_in_sight", why);
                }
            }
        }
        for reference in template.host_references() {
            let bounded =
                reference.namespace == Namespace::Variable && self.is_bounded(&reference.key);
            if !bounded {
                let why =
                    format!("'{reference}' chooses the host: it needs a pattern, choices or hosts");
                self.faults.add(pointer, "open_host", why);
            }
        }
    }

    fn is_secret(&self, reference: &Reference) -> bool {
        reference.namespace == Namespace::Variable
            && self
                .variable(&reference.key)
                .is_some_and(Variable::is_secret)
    }

    fn variable(&self, key: &str) -> Option<&Variable> {
        self.variables.iter().find(|variable| &*variable.key == key)
    }

    fn check(&mut self, pointer: &str, pipe: &Pipe, place: Place) {
        for reference in pipe.references() {
            self.names_client_secret |=
                reference.namespace == Namespace::Client && &*reference.key == "secret";
            self.check_reference(pointer, reference, pipe, place);
        }
        // What only feeds a digest can't be told from it.
        for reference in pipe.visible_references() {
            let client_secret =
                reference.namespace == Namespace::Client && &*reference.key == "secret";
            let seen = match place {
                Place::Authorise | Place::Use => client_secret,
                Place::Discovery
                | Place::ClientId
                | Place::ClientSecret
                | Place::RedirectUri
                | Place::Verify
                | Place::Token
                | Place::Refresh
                | Place::Revoke
                | Place::Lookup
                | Place::Response => false,
            };
            let shown = place.is_visible()
                && self.is_secret(reference)
                && !(place == Place::Authorise
                    && self.reveals.contains(&reference.key.to_string()));
            if seen || shown {
                let why = format!("'{reference}' is secret and would be seen here");
                self.faults.add(pointer, "secret_in_sight", why);
            }
        }
    }

    fn check_reference(&mut self, pointer: &str, reference: &Reference, pipe: &Pipe, place: Place) {
        if !place.allows(reference.namespace, &reference.key) {
            let why = format!("'{reference}' has no value here");
            return self.faults.add(pointer, "impossible_reference", why);
        }
        if self.keeps_state && reference.namespace == Namespace::Flow && &*reference.key == "state"
        {
            let why = "the state stays in the browser's cookie, so that it has no value here";
            return self.faults.add(pointer, "impossible_reference", why);
        }
        match reference.namespace {
            Namespace::Variable => self.check_variable(pointer, reference, pipe, place),
            Namespace::Step => {
                let step = reference.key.split('.').next().unwrap_or_default();
                if !self.steps.iter().any(|known| **known == *step) {
                    let why = format!("there is no earlier step '{step}'");
                    self.faults.add(pointer, "unknown_step", why);
                }
            }
            Namespace::Token => {
                if let Some((set, _)) = reference.key.split_once('.')
                    && !self.sets.iter().any(|known| known == set)
                {
                    let why = format!("no answer brings a token set '{set}'");
                    self.faults.add(pointer, "unknown_token_set", why);
                }
            }
            Namespace::Client
            | Namespace::Flow
            | Namespace::Callback
            | Namespace::Request
            | Namespace::Moment => {}
        }
    }

    fn check_variable(&mut self, pointer: &str, reference: &Reference, pipe: &Pipe, place: Place) {
        let Some(variable) = self.variable(&reference.key) else {
            let keys = self.variables.iter().map(|variable| &*variable.key);
            let near = nearest(&reference.key, keys);
            let hint = near.map_or_else(String::new, |key| format!("; did you mean '{key}'?"));
            let why = format!("no variable '{}' is declared{hint}", reference.key);
            return self.faults.add(pointer, "undeclared_variable", why);
        };
        if !place.knows(variable.from) && !pipe.has_default() {
            let key = &reference.key;
            let why = match place {
                Place::Discovery => format!(
                    "metadata is read when the definition is saved, and '{key}' has no value before a person connects"
                ),
                Place::ClientId
                | Place::ClientSecret
                | Place::RedirectUri
                | Place::Authorise
                | Place::Verify
                | Place::Token
                | Place::Refresh
                | Place::Revoke
                | Place::Lookup
                | Place::Response
                | Place::Use => format!("'{key}' has no value yet when this is needed"),
            };
            self.faults.add(pointer, "impossible_reference", why);
        }
    }
}
