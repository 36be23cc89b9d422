//! Client authentication: by Basic or in the body, never both (RFC 6749 §2.3).

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, header};
use percent_encoding::percent_decode_str;

use crate::{params::Params, refusal::Refusal, settings::Settings, token_text::Digest};

/// Answers the id of the client that sent the request, once it has proved to be that client.
///
/// # Errors
/// [`Refusal::InvalidClient`] when it has not; [`Refusal::InvalidRequest`] when it tried twice at once.
pub(crate) fn authenticate(
    settings: &Settings,
    headers: &HeaderMap,
    params: &Params,
) -> Result<String, Refusal> {
    let (id, secret) = match headers.get(header::AUTHORIZATION) {
        Some(header) => by_header(header.to_str().unwrap_or_default(), params)?,
        None => by_body(params)?,
    };
    // Digests are of one length, so the time of comparing them tells nothing of either.
    let id_is_right = Digest::of(&id).matches(&Digest::of(&settings.client_id));
    let secret_is_right = Digest::of(&secret).matches(&Digest::of(&settings.client_secret));
    if bool::from(id_is_right & secret_is_right) {
        Ok(id)
    } else {
        Err(Refusal::InvalidClient)
    }
}

/// RFC 6749 §2.3.1: id and secret, each form-encoded, then RFC 7617.
fn by_header(header: &str, params: &Params) -> Result<(String, String), Refusal> {
    let (id, secret) = basic(header).ok_or(Refusal::InvalidClient)?;
    // RFC 6749 §2.3: no more than one method in each request.
    if params.optional("client_secret")?.is_some() {
        return Err(Refusal::InvalidRequest(
            "authenticate by header or by body, not by both",
        ));
    }
    if params.optional("client_id")?.is_some_and(|also| also != id) {
        return Err(Refusal::InvalidRequest(
            "client_id is not the one in the Authorization header",
        ));
    }
    Ok((id, secret))
}

fn by_body(params: &Params) -> Result<(String, String), Refusal> {
    let id = params
        .optional("client_id")?
        .ok_or(Refusal::InvalidClient)?;
    let secret = params
        .optional("client_secret")?
        .ok_or(Refusal::InvalidClient)?;
    Ok((id.to_owned(), secret.to_owned()))
}

fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, credentials) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    Some((form_decoded(id)?, form_decoded(secret)?))
}

fn form_decoded(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::basic;

    #[test]
    fn basic_credentials_are_form_decoded() {
        for (header, expected) in [
            ("Basic YTpi", Some(("a", "b"))),
            ("basic YTpi", Some(("a", "b"))),
            // `a+b%3A:c%2B%25%C3%A9`
            ("Basic YStiJTNBOmMlMkIlMjUlQzMlQTk=", Some(("a b:", "c+%é"))),
            ("Bearer YTpi", None),
            ("Basic YQ==", None),
            ("Basic !", None),
            ("Basic", None),
            ("", None),
        ] {
            let expected = expected.map(|(id, secret)| (id.to_owned(), secret.to_owned()));
            assert_eq!(basic(header), expected, "{header}");
        }
    }
}
