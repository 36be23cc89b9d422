//! The standard request, as this provider wants it.

use std::{borrow::Cow, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, header};
use oauth2::HttpRequest;
use url::{Url, form_urlencoded};

use super::{
    client::{self, Identity},
    overlay::{Pair, Pairs, Turn, encoded, fill_all, is_signature, json, lay, sorted, wire},
    scope::Scope,
    wire::WireRequest,
};
use crate::model::{
    Secret,
    definition::{BodyFormat, Encoding, ParameterPlace},
    method::{AuthMethod, Request, Use},
    template::{Namespace, Reference, Unfilled, Values},
    url_template::{FillError, UrlTemplate},
};

/// Why a request could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DialectError {
    /// The definition has no URL for it.
    #[error("there is no URL for it")]
    NoUrl,
    /// Its URL can't be filled.
    #[error(transparent)]
    Url(#[from] FillError),
    /// A value is missing.
    #[error(transparent)]
    Unfilled(#[from] Unfilled),
    /// A header's value has characters that no header may have.
    #[error("the value of the header '{0}' has characters that no header may have")]
    Header(HeaderName),
    /// A value is not of the kind that it is sent as.
    #[error("the value of '{0}' is not of the kind that it is sent as")]
    Kind(String),
}

/// Some providers refuse requests without one.
const USER_AGENT: &str = concat!("latchkey/", env!("CARGO_PKG_VERSION"));

/// The first URL whose values are all there.
///
/// # Errors
/// [`DialectError`] if there is none: that of the last one.
pub fn url(urls: &[UrlTemplate], values: &dyn Values) -> Result<Url, DialectError> {
    let mut failed = DialectError::NoUrl;
    for url in urls {
        match url.fill(values) {
            Ok(url) => return Ok(url),
            Err(error) => failed = error.into(),
        }
    }
    Err(failed)
}

/// A request under way: its URL, and the built-in parameters that default variables can change.
#[derive(Debug)]
pub struct Draft<'a> {
    /// The request.
    pub request: &'a Request,
    /// Where it goes.
    pub url: Url,
    /// Built-in parameters whose value is that of a default variable.
    pub wired: &'a [(&'a str, &'a str)],
    /// Who the provider knows us as; nobody for a step.
    pub identity: Option<&'a Identity>,
    /// The hard limit of the call.
    pub limit: Duration,
}

impl Draft<'_> {
    /// Re-expresses a standard request; a step has none.
    ///
    /// # Errors
    /// [`DialectError`] if a value is missing or can't stand where it should.
    pub fn express(
        self,
        standard: Option<HttpRequest>,
        scope: &Scope<'_>,
    ) -> Result<WireRequest, DialectError> {
        let (standard_headers, standard_body) = standard
            .map(HttpRequest::into_parts)
            .map(|(parts, body)| (parts.headers, body))
            .unwrap_or_default();
        let request = self.request;
        let mut builtin: Pairs = form_urlencoded::parse(&standard_body)
            .map(|(name, value)| Pair::new(name, value))
            .collect();
        let untouched = builtin.clone();
        let mut headers: HeaderMap = standard_headers;
        headers
            .entry(header::ACCEPT)
            .or_insert(HeaderValue::from_static("application/json"));
        headers.remove(header::CONTENT_TYPE);
        if let Some(identity) = self.identity {
            client::authenticate(identity, &mut builtin, &mut headers)?;
        }
        for (name, variable) in self.wired {
            wire(&mut builtin, name, variable, scope);
        }
        let mut parts = Parts::place(builtin, request.parameters_in);
        parts.lay(request, scope, scope, Turn::First)?;
        let unsigned = parts.body(request.format, &untouched, &standard_body)?;
        let mut signed = Signed {
            inner: scope,
            body: String::from_utf8_lossy(&unsigned).into_owned(),
            sorted: sorted(parts.query.iter().chain(&parts.body)),
        };
        parts.lay(request, scope, &signed, Turn::Signatures)?;
        let mut body = unsigned;
        if parts.signed {
            body = parts.body(request.format, &untouched, &standard_body)?;
            signed.body = String::from_utf8_lossy(&body).into_owned();
        }
        parts.headers(request, &signed, scope, &mut headers)?;
        if let Some(content_type) = content_type(request.format) {
            headers
                .entry(header::CONTENT_TYPE)
                .or_insert(HeaderValue::from_static(content_type));
        }
        headers
            .entry(header::USER_AGENT)
            .or_insert(HeaderValue::from_static(USER_AGENT));
        headers
            .values_mut()
            .for_each(|value| value.set_sensitive(true));
        Ok(WireRequest {
            method: request.method.clone(),
            url: with_query(self.url, &parts.query),
            headers,
            body: Secret::new(body),
            limit: self.limit,
        })
    }
}

fn content_type(format: BodyFormat) -> Option<&'static str> {
    match format {
        BodyFormat::Form => Some("application/x-www-form-urlencoded"),
        BodyFormat::Json => Some("application/json"),
        BodyFormat::None => None,
    }
}

/// Where the parameters of a request go.
#[derive(Default)]
struct Parts {
    query: Pairs,
    body: Pairs,
    headers: Pairs,
    /// Whether a parameter signs the others.
    signed: bool,
}

impl Parts {
    fn place(builtin: Pairs, place: ParameterPlace) -> Self {
        match place {
            ParameterPlace::Body => Self {
                body: builtin,
                ..Self::default()
            },
            ParameterPlace::Query => Self {
                query: builtin,
                ..Self::default()
            },
            ParameterPlace::Headers => Self {
                headers: builtin,
                ..Self::default()
            },
        }
    }

    fn lay(
        &mut self,
        request: &Request,
        scope: &Scope<'_>,
        values: &dyn Values,
        turn: Turn,
    ) -> Result<(), Unfilled> {
        let known = scope.variables;
        if turn == Turn::First {
            let named = |overlay: &crate::model::method::Overlay| {
                overlay
                    .iter()
                    .filter_map(|(_, parameter)| parameter.as_ref())
                    .any(|parameter| is_signature(&parameter.value))
            };
            self.signed = named(&request.query) || named(&request.body);
        }
        lay(&mut self.query, &request.query, known, values, turn)?;
        lay(&mut self.body, &request.body, known, values, turn)?;
        // Wherever the standard ones go, the body's entries change them.
        if request.parameters_in == ParameterPlace::Headers {
            lay(&mut self.headers, &request.body, known, values, turn)?;
            self.body.clear();
        }
        Ok(())
    }

    fn body(
        &self,
        format: BodyFormat,
        untouched: &Pairs,
        standard: &[u8],
    ) -> Result<Vec<u8>, DialectError> {
        match format {
            // Nothing changed: byte for byte what the standard says.
            BodyFormat::Form if self.body == *untouched => Ok(standard.to_vec()),
            BodyFormat::Form => Ok(encoded(&self.body, Encoding::Form).into_bytes()),
            BodyFormat::Json => json(&self.body)
                .map(|value| value.to_string().into_bytes())
                .map_err(|name| DialectError::Kind(name.to_owned())),
            BodyFormat::None => Ok(Vec::new()),
        }
    }

    fn headers(
        &self,
        request: &Request,
        values: &dyn Values,
        scope: &Scope<'_>,
        headers: &mut HeaderMap,
    ) -> Result<(), DialectError> {
        let mut put = |name: &HeaderName, value: &str| {
            headers.insert(name.clone(), super::header::value(name, value)?);
            Ok::<(), DialectError>(())
        };
        for pair in &self.headers {
            let name = HeaderName::from_bytes(pair.name.as_bytes())
                .map_err(|_| DialectError::Kind(pair.name.clone()))?;
            put(&name, &pair.value)?;
        }
        let overlay: Vec<_> = request
            .headers
            .iter()
            .map(|(name, parameter)| (name.as_str().into(), parameter.clone()))
            .collect();
        let mut own = Pairs::new();
        lay(&mut own, &overlay, scope.variables, values, Turn::First)?;
        lay(
            &mut own,
            &overlay,
            scope.variables,
            values,
            Turn::Signatures,
        )?;
        for pair in &own {
            let name = HeaderName::from_bytes(pair.name.as_bytes())
                .map_err(|_| DialectError::Kind(pair.name.clone()))?;
            put(&name, &pair.value)?;
        }
        for (name, _) in request.headers.iter().filter(|(_, p)| p.is_none()) {
            headers.remove(name);
        }
        Ok(())
    }
}

/// The values of a request that can also name the request itself.
struct Signed<'a> {
    inner: &'a Scope<'a>,
    body: String,
    sorted: String,
}

impl Values for Signed<'_> {
    fn value(&self, reference: &Reference) -> Option<Cow<'_, str>> {
        match (reference.namespace, &*reference.key) {
            (Namespace::Request, "body") => Some(Cow::Borrowed(&self.body)),
            (Namespace::Request, "sorted") => Some(Cow::Borrowed(&self.sorted)),
            _ => self.inner.value(reference),
        }
    }
}

fn with_query(mut url: Url, pairs: &[Pair]) -> Url {
    if !pairs.is_empty() {
        let own = url.query().filter(|query| !query.is_empty());
        let added = encoded(pairs, Encoding::Form);
        let query = own.map_or_else(|| added.clone(), |own| format!("{own}&{added}"));
        url.set_query(Some(&query));
    }
    url
}

/// What a caller puts on its own request.
#[derive(Debug)]
pub struct Applied {
    /// Headers.
    pub headers: Vec<(String, Secret)>,
    /// Query parameters.
    pub query: Vec<(String, Secret)>,
    /// Body parameters.
    pub body: Vec<(String, Secret)>,
    /// Where the provider's API is.
    pub base_url: Option<String>,
    /// Further texts that a caller needs.
    pub values: Vec<(String, Secret)>,
}

/// Fills what a caller puts on its own request, which may name the client.
///
/// # Errors
/// [`DialectError`] if a value is missing, or can't stand in a header.
pub fn apply(method: &AuthMethod, plain: Scope<'_>) -> Result<Applied, DialectError> {
    let client_id = method.client.id.fill(&plain).ok();
    let client_secret = method.client.secret.as_ref();
    let client_secret = client_secret
        .and_then(|secret| secret.fill(&plain).ok())
        .map(Secret::new);
    let scope = Scope {
        client_id: client_id.as_deref(),
        client_secret: client_secret.as_ref(),
        ..plain
    };
    filled(&method.credential, &scope)
}

fn filled(credential: &Use, values: &dyn Values) -> Result<Applied, DialectError> {
    let named = |(name, value): (Box<str>, String)| (name.into_string(), Secret::new(value));
    let all = |templates| {
        let filled = fill_all(templates, values)?;
        Ok::<Vec<_>, Unfilled>(filled.into_iter().map(named).collect())
    };
    // The caller's client may not look at what it is given.
    let header = |(name, value): (HeaderName, String)| {
        super::header::value(&name, &value)?;
        Ok::<_, DialectError>((title_case(&name), Secret::new(value)))
    };
    Ok(Applied {
        headers: fill_all(&credential.headers, values)?
            .into_iter()
            .map(header)
            .collect::<Result<_, _>>()?,
        query: all(&credential.query)?,
        body: all(&credential.body)?,
        // What a lookup did not find may be missing here: the tokens work all the same.
        base_url: credential
            .base_url
            .as_ref()
            .and_then(|url| url.fill(values).ok())
            .map(|url| url.as_str().trim_end_matches('/').to_owned()),
        values: all(&credential.values)?,
    })
}

/// A header's name as people write it; names are case-insensitive (RFC 9110 §5.1).
pub(crate) fn title_case(name: &HeaderName) -> String {
    let mut upper = true;
    let cased = name.as_str().chars().map(|c| {
        let cased = if upper { c.to_ascii_uppercase() } else { c };
        upper = c == '-';
        cased
    });
    cased.collect()
}
