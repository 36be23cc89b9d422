//! JSON bodies, read so that a fault says where it is and never what was there.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request, rejection::BytesRejection},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};
use latchkey_core::model::{
    fault::{Faults, pointer_segment},
    nearest::nearest,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_path_to_error::Segment;

use crate::problem::{Problem, ProblemKind};

/// The largest body, in bytes.
pub const LARGEST_BODY: usize = 256 * 1024;

/// A JSON body.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::new(ProblemKind::UnsupportedMediaType));
        }
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|error| unreadable(&error))?;
        read(&bytes).map(Self)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let declared = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    declared.is_some_and(|text| {
        let essence = text.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case("application/json")
    })
}

fn unreadable(error: &BytesRejection) -> Problem {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        Problem::new(ProblemKind::TooLarge).detail("a body has 256 KiB at most")
    } else {
        Problem::new(ProblemKind::Malformed).detail("the body did not arrive whole")
    }
}

/// Reads a JSON text.
///
/// # Errors
/// A problem that says where the text goes wrong, without quoting it.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let inner = error.inner();
        if !inner.is_data() {
            let detail = format!(
                "the body is not JSON: line {}, column {}",
                inner.line(),
                inner.column()
            );
            return Problem::new(ProblemKind::Malformed).detail(detail);
        }
        let (code, detail) = explained(&inner.to_string());
        let mut pointer = pointer(error.path());
        // The parser stands at the unknown field; the pointer is to name what holds it.
        if code == "unknown_field" || code == "missing" {
            pointer = pointer.trim_end_matches("/?").to_owned();
        }
        Problem::invalid(Faults::one(pointer, code, detail))
    })?;
    let trailing =
        |_| Problem::new(ProblemKind::Malformed).detail("the body goes on after its JSON value");
    deserializer.end().map_err(trailing)?;
    Ok(value)
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    let segment = |segment: &Segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", pointer_segment(key)),
        Segment::Enum { variant } => format!("/{}", pointer_segment(variant)),
        Segment::Unknown => "/?".to_owned(),
    };
    path.iter().map(segment).collect()
}

/// What the parser says, without the value that it says it of.
fn explained(message: &str) -> (&'static str, String) {
    let message = message
        .rsplit_once(" at line ")
        .map_or(message, |(message, _)| message);
    let code = if message.starts_with("unknown field") {
        return ("unknown_field", with_hint(message));
    } else if message.starts_with("missing field") {
        return ("missing", message.to_owned());
    } else {
        "invalid_type"
    };
    match message.split_once(", expected ") {
        Some((_, expected)) => (code, format!("expected {expected}")),
        None if message.starts_with("not a") || message.starts_with("duplicate field") => {
            (code, message.to_owned())
        }
        None => (code, "the value can't be read".to_owned()),
    }
}

/// The parser's words on an unknown field, which list the known ones, and the one most likely meant.
fn with_hint(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = quoted.next().unwrap_or_default();
    match nearest(unknown, quoted) {
        Some(near) => format!("unknown field `{unknown}`; did you mean `{near}`?"),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[expect(dead_code, reason = "only read")]
        inner: Inner,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code, reason = "only read")]
        number: u8,
    }

    #[test]
    fn a_fault_says_where_and_not_what() {
        for (body, pointer, detail) in [
            (
                r#"{"inner":{"number":"s3cr3t"}}"#,
                "/inner/number",
                "expected u8",
            ),
            (
                r#"{"inner":{"number":1,"nmuber":2}}"#,
                "/inner/nmuber",
                "unknown field `nmuber`; did you mean `number`?",
            ),
            (r#"{"inner":{}}"#, "/inner", "missing field `number`"),
        ] {
            let problem = read::<Outer>(body.as_bytes()).unwrap_err();
            let text = format!("{problem:?}");
            assert!(text.contains(&format!("{pointer:?}")), "{text}");
            assert!(text.contains(detail), "{text}");
            assert!(!text.contains("s3cr3t"), "{text}");
        }
        assert_eq!(
            read::<Outer>(b"{").unwrap_err().kind(),
            ProblemKind::Malformed
        );
        assert_eq!(
            read::<Inner>(br#"{"number":1} x"#).unwrap_err().kind(),
            ProblemKind::Malformed
        );
    }
}
