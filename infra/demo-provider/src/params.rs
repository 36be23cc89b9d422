//! Parameters of a query or a form, under the rules of RFC 6749 §3.1 and §3.2.

use std::collections::{BTreeMap, btree_map::Entry};

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, header};
use url::form_urlencoded;

use crate::refusal::Refusal;

/// Parameters by name. One that has no value counts as left out.
pub(crate) struct Params(BTreeMap<String, Given>);

enum Given {
    Once(String),
    /// "Parameters MUST NOT be included more than once."
    Repeatedly,
}

/// A parameter that came more than once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Repeated;

impl Params {
    pub(crate) fn parse(form: &[u8]) -> Self {
        let mut params = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(form).filter(|(_, value)| !value.is_empty()) {
            match params.entry(name.into_owned()) {
                Entry::Vacant(entry) => {
                    entry.insert(Given::Once(value.into_owned()));
                }
                Entry::Occupied(mut entry) => {
                    entry.insert(Given::Repeatedly);
                }
            }
        }
        Self(params)
    }

    /// The value of `name`, if it has one.
    pub(crate) fn optional(&self, name: &str) -> Result<Option<&str>, Repeated> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Given::Once(value)) => Ok(Some(value)),
            Some(Given::Repeatedly) => Err(Repeated),
        }
    }

    /// The value of `name`, which must be there; `missing` is what the client is told if it is not.
    pub(crate) fn required(&self, name: &str, missing: &'static str) -> Result<&str, Refusal> {
        self.optional(name)?.ok_or(Refusal::InvalidRequest(missing))
    }
}

impl From<Repeated> for Refusal {
    fn from(_: Repeated) -> Self {
        Self::InvalidRequest("a parameter is given more than once")
    }
}

/// Reads the form that RFC 6749 §3.2 asks for, and nothing else.
impl<S: Send + Sync> FromRequest<S> for Params {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        if !is_form(request.headers()) {
            let refusal = Refusal::InvalidRequest("send application/x-www-form-urlencoded");
            return Err(refusal.into_response());
        }
        let body = Bytes::from_request(request, state)
            .await
            .map_err(IntoResponse::into_response)?;
        Ok(Self::parse(&body))
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = content_type
        .and_then(|value| value.split(';').next())
        .unwrap_or_default();
    essence
        .trim()
        .eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

#[cfg(test)]
mod tests {
    use super::{Params, Repeated};

    #[test]
    fn parameters_are_read_as_the_rfc_says() {
        let params = Params::parse(b"a=1&b=&c=1&c=2&d=%2B+%C3%A9&e");
        for (name, expected) in [
            ("a", Ok(Some("1"))),
            ("b", Ok(None)),
            ("c", Err(Repeated)),
            ("d", Ok(Some("+ é"))),
            ("e", Ok(None)),
            ("f", Ok(None)),
        ] {
            assert_eq!(params.optional(name), expected, "{name}");
        }
    }
}
