//! JWTs: making one of claims, and reading a claim of one.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde_json::{Map, Value as Json};

use super::{
    FunctionError,
    signing::{self, Algorithm},
};

/// Some providers pad their tokens, and some leave stray bits at the end.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A signed JWT of `claims`, a JSON object.
pub(super) fn token(
    claims: &str,
    algorithm: &str,
    key: &str,
    key_id: Option<&str>,
) -> Result<String, FunctionError> {
    let algorithm = Algorithm::named(algorithm).ok_or(FunctionError::Algorithm)?;
    let claims: Map<String, Json> =
        serde_json::from_str(claims).map_err(|_| FunctionError::Claims)?;
    let mut header = Map::new();
    header.insert("typ".to_owned(), Json::from("JWT"));
    if let Some(key_id) = key_id {
        header.insert("kid".to_owned(), Json::from(key_id));
    }
    Ok(signing::jws(&header, &claims, algorithm, key)?)
}

/// The claim at `path` of a JWT, whose signature is not looked at.
///
/// # Security
/// The answer is what whoever wrote the token says. It is good for asking the provider that issued
/// it, not for deciding who somebody is.
pub(super) fn read(token: &str, path: &str) -> Result<String, FunctionError> {
    let payload = payload(token).ok_or(FunctionError::NotJwt)?;
    match member(&payload, path).ok_or(FunctionError::NoClaim)? {
        Json::Null => Err(FunctionError::NoClaim),
        Json::String(text) => Ok(text.clone()),
        Json::Number(number) => Ok(number.to_string()),
        Json::Bool(truth) => Ok(truth.to_string()),
        Json::Array(_) | Json::Object(_) => Err(FunctionError::ClaimShape),
    }
}

/// The claims of a compact JWS (RFC 7515 §3.1); an encrypted token has five parts and none to read.
fn payload(token: &str) -> Option<Json> {
    let mut parts = token.trim().split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let bytes = LENIENT.decode(payload).ok()?;
    let claims: Map<String, Json> = serde_json::from_slice(&bytes).ok()?;
    Some(Json::Object(claims))
}

/// The value at a dotted path. A name may have dots itself, as `https://api.example.com/account` does,
/// so the longest name that fits is tried first.
fn member<'a>(value: &'a Json, path: &str) -> Option<&'a Json> {
    child(value, path).or_else(|| {
        path.rmatch_indices('.').find_map(|(dot, _)| {
            let (name, rest) = path.split_at_checked(dot)?;
            member(child(value, name)?, rest.strip_prefix('.')?)
        })
    })
}

fn child<'a>(value: &'a Json, name: &str) -> Option<&'a Json> {
    match value {
        Json::Object(members) => members.get(name),
        Json::Array(items) => items.get(name.parse::<usize>().ok()?),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
    use serde_json::json;

    use super::{Engine, FunctionError, LENIENT, read, token};

    fn jwt(payload: &str) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload))
    }

    #[test]
    fn a_claim_is_read_by_its_path() {
        let token = jwt(&json!({
            "sub": "acct_1?&+%:/=ü",
            "exp": 1_300_819_380,
            "rate": 0.5,
            "admin": true,
            "none": null,
            "realm": {"id": "9", "sites": [{"id": 7}]},
            "https://api.example.com/auth": {"account.id": "org-1", "account": {"id": "other"}},
        })
        .to_string());
        for (path, claim) in [
            ("sub", Ok("acct_1?&+%:/=ü")),
            ("exp", Ok("1300819380")),
            ("rate", Ok("0.5")),
            ("admin", Ok("true")),
            ("realm.id", Ok("9")),
            ("realm.sites.0.id", Ok("7")),
            ("https://api.example.com/auth.account.id", Ok("org-1")),
            ("none", Err(FunctionError::NoClaim)),
            ("other", Err(FunctionError::NoClaim)),
            ("", Err(FunctionError::NoClaim)),
            ("...", Err(FunctionError::NoClaim)),
            ("sub.id", Err(FunctionError::NoClaim)),
            ("realm.sites.-1.id", Err(FunctionError::NoClaim)),
            ("realm.sites.9.id", Err(FunctionError::NoClaim)),
            ("realm", Err(FunctionError::ClaimShape)),
            ("realm.sites", Err(FunctionError::ClaimShape)),
        ] {
            assert_eq!(
                read(&token, path).as_deref(),
                claim.as_ref().copied(),
                "{path}"
            );
        }
    }

    #[test]
    fn what_is_no_jwt_has_no_claims() {
        let padded = format!("e30.{}.", URL_SAFE.encode(r#"{"a":1}"#));
        assert_eq!(read(&padded, "a").as_deref(), Ok("1"));
        let deep = "[".repeat(100_000);
        for token in [
            "",
            "..",
            "a.b",
            "a.b.c",
            "opaque-token",
            "e30.e30.e30.e30.e30",
            &jwt("[1]"),
            &jwt("not json"),
            &jwt(&deep),
        ] {
            assert_eq!(read(token, "a"), Err(FunctionError::NotJwt));
        }
    }

    #[test]
    fn the_header_names_algorithm_type_and_key() {
        for (key_id, header) in [
            (None, r#"{"alg":"HS256","typ":"JWT"}"#),
            (Some("k\"1"), r#"{"alg":"HS256","typ":"JWT","kid":"k\"1"}"#),
        ] {
            let token = token(r#"{ "iss": "joe" }"#, "HS256", "secret", key_id).unwrap();
            let mut parts = token.split('.');
            let mut part = || LENIENT.decode(parts.next().unwrap()).unwrap();
            assert_eq!(part(), header.as_bytes());
            assert_eq!(part(), br#"{"iss":"joe"}"#);
            assert_eq!(part().len(), 32);
        }
    }
}
