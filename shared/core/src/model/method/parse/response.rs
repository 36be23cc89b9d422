//! How answers are read.

use std::time::Duration;

use super::Parser;
use crate::model::{
    definition::{
        AnswerCondition, AnswerFormat, ErrorCodes, ExpiryDefinition, ExpiryKind,
        ResponseDefinition, Texts, TokenSetDefinition,
    },
    method::{Expiry, Response, TokenPaths, place::Place},
    template::is_key,
};

/// An answer to read, and what it takes from elsewhere where it doesn't say.
pub(super) struct Reading<'a> {
    pub(super) pointer: &'a str,
    pub(super) written: Option<&'a ResponseDefinition>,
    pub(super) asked_separator: &'a str,
    pub(super) lifetime: Option<u64>,
}

const MOST_SETS: usize = 5;

impl Parser {
    pub(super) fn response(&mut self, reading: &Reading<'_>) -> Response {
        let fallback = ResponseDefinition::default();
        let (pointer, written) = (reading.pointer, reading.written.unwrap_or(&fallback));
        let separator = written.scope_separator.as_deref();
        self.separator(&format!("{pointer}/scope_separator"), separator);
        for (index, status) in written.statuses.iter().enumerate() {
            if !(200..=599).contains(status) {
                let why = "a status is 200 to 599";
                self.faults
                    .add(format!("{pointer}/statuses/{index}"), "out_of_range", why);
            }
        }
        let mut texts = |name: &str, texts: &Texts| {
            self.templates(&format!("{pointer}/{name}"), texts, Place::Response)
        };
        let error_code = texts("error_code", &written.error_code);
        let error_description = texts("error_description", &written.error_description);
        let tokens = TokenPaths {
            access_token: texts("access_token", &written.access_token),
            refresh_token: texts("refresh_token", &written.refresh_token),
            id_token: texts("id_token", &written.id_token),
            token_type: texts("token_type", &written.token_type),
            scope: texts("scope", &written.scope),
            expiry: self.expiries(pointer, written.expiry.as_ref(), &written.expires_in),
        };
        let refresh_expiry = written
            .refresh_expiry
            .as_ref()
            .map(|expiry| self.expiry(&format!("{pointer}/refresh_expiry"), expiry));
        if written.tokens.len() > MOST_SETS {
            let why = "there are 5 further token sets at most";
            self.faults
                .add(format!("{pointer}/tokens"), "too_many", why);
        }
        let sets = written.tokens.iter();
        let sets = sets
            .map(|(name, set)| (name.as_str().into(), self.token_set(pointer, name, set)))
            .collect();
        Response {
            format: written.format,
            statuses: written.statuses.clone(),
            error_when: written.error_when.clone(),
            error_code,
            error_description,
            errors: written.errors.clone(),
            root: written.root.as_deref().map(Into::into),
            tokens,
            refresh_expiry,
            scope_separator: separator.unwrap_or(reading.asked_separator).into(),
            lifetime: reading.lifetime.map(Duration::from_secs),
            sets,
        }
    }

    fn token_set(&mut self, pointer: &str, name: &str, written: &TokenSetDefinition) -> TokenPaths {
        let pointer = format!("{pointer}/tokens/{name}");
        if !is_key(name) {
            let why = "a token set's name is a letter, then letters, digits and '_'";
            self.faults.add(pointer.as_str(), "invalid_key", why);
        }
        let mut texts = |part: &str, texts: &Texts| {
            self.templates(&format!("{pointer}/{part}"), texts, Place::Response)
        };
        TokenPaths {
            access_token: texts("access_token", &written.access_token),
            refresh_token: texts("refresh_token", &written.refresh_token),
            id_token: Vec::new(),
            token_type: texts("token_type", &written.token_type),
            scope: texts("scope", &written.scope),
            expiry: self.expiries(&pointer, written.expiry.as_ref(), &written.expires_in),
        }
    }

    fn expiries(
        &mut self,
        pointer: &str,
        own: Option<&ExpiryDefinition>,
        expires_in: &Texts,
    ) -> Vec<Expiry> {
        if let Some(own) = own {
            return vec![self.expiry(&format!("{pointer}/expiry"), own)];
        }
        let paths = self.templates(
            &format!("{pointer}/expires_in"),
            expires_in,
            Place::Response,
        );
        let seconds = |path| Expiry {
            kind: ExpiryKind::Seconds,
            path: Some(path),
            fixed: None,
        };
        paths.into_iter().map(seconds).collect()
    }

    fn expiry(&mut self, pointer: &str, written: &ExpiryDefinition) -> Expiry {
        let (path, seconds) = (written.path.is_some(), written.seconds.is_some());
        let (wants_path, wants_seconds) = match written.kind {
            ExpiryKind::Fixed => (false, true),
            ExpiryKind::Never => (false, false),
            ExpiryKind::Jwt | ExpiryKind::Introspect => (path, false),
            ExpiryKind::Seconds
            | ExpiryKind::Minutes
            | ExpiryKind::Milliseconds
            | ExpiryKind::Unix
            | ExpiryKind::UnixMilliseconds
            | ExpiryKind::Iso8601
            | ExpiryKind::Duration
            | ExpiryKind::Auto => (true, false),
        };
        if path != wants_path || seconds != wants_seconds {
            let why = "'fixed' has 'seconds', 'never' has nothing, the others have 'path'";
            self.faults.add(pointer, "unexpected", why);
        }
        Expiry {
            kind: written.kind,
            path: written
                .path
                .as_deref()
                .map(|path| self.template(&format!("{pointer}/path"), path, Place::Response)),
            fixed: written.seconds.map(Duration::from_secs),
        }
    }
}

/// What a request's answer says where the definition says nothing of it.
impl Default for Response {
    fn default() -> Self {
        Self {
            format: AnswerFormat::Auto,
            statuses: Vec::new(),
            error_when: Vec::<AnswerCondition>::new(),
            error_code: Vec::new(),
            error_description: Vec::new(),
            errors: ErrorCodes::default(),
            root: None,
            tokens: TokenPaths::default(),
            refresh_expiry: None,
            scope_separator: " ".into(),
            lifetime: None,
            sets: Vec::new(),
        }
    }
}
