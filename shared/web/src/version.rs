//! Versions as entity tags (RFC 9110 §8.8.3): `ETag` out, `If-Match` in.

use axum::{
    extract::FromRequestParts,
    response::{IntoResponseParts, ResponseParts},
};
use http::{HeaderValue, header, request::Parts};

use crate::problem::{Problem, ProblemKind};

/// The version of what is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ETag(pub u64);

impl IntoResponseParts for ETag {
    type Error = std::convert::Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Self::Error> {
        if let Ok(value) = HeaderValue::from_str(&format!("\"{}\"", self.0)) {
            parts.headers_mut().insert(header::ETAG, value);
        }
        Ok(parts)
    }
}

/// The version that a change was made from; `None` for `*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IfMatch(pub Option<u64>);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let required = || {
            Problem::new(ProblemKind::VersionRequired)
                .detail("send the header 'If-Match' with the ETag that was read")
        };
        let value = parts.headers.get(header::IF_MATCH).ok_or_else(required)?;
        let text = value.to_str().unwrap_or_default().trim();
        if text == "*" {
            return Ok(Self(None));
        }
        let tag = text
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'));
        // A tag that is none of ours matches nothing.
        let mismatch = || {
            Problem::new(ProblemKind::VersionMismatch)
                .detail("'If-Match' is not an ETag of this API")
        };
        tag.and_then(|tag| tag.parse().ok())
            .map(|version| Self(Some(version)))
            .ok_or_else(mismatch)
    }
}

/// The version that a removal may insist on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MayMatch(pub Option<u64>);

impl<S: Send + Sync> FromRequestParts<S> for MayMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        if !parts.headers.contains_key(header::IF_MATCH) {
            return Ok(Self(None));
        }
        IfMatch::from_request_parts(parts, state)
            .await
            .map(|IfMatch(version)| Self(version))
    }
}
