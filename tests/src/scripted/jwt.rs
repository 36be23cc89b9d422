//! JWTs: checked where the other side signs them, and made where this provider gives them.

use serde_json::{Value, json};

use super::{codec, crypt, json as at, matching::SKEW, scene::Scene};

/// A JWT whose signature holds.
pub(super) struct Opened {
    pub(super) header: Value,
    pub(super) claims: Value,
}

/// Opens a JWT that must be signed in a certain way.
pub(super) fn open(token: &str, algorithm: &str, key: &str) -> Result<Opened, String> {
    let (signed, signature) = token.rsplit_once('.').ok_or("is no JWT")?;
    let (header, claims) = signed.split_once('.').ok_or("is no JWT")?;
    let header = read(header)?;
    let named = at::member(&header, "alg").unwrap_or_default();
    if named != algorithm {
        return Err(format!("is a JWT by '{named}', not '{algorithm}'"));
    }
    let signature = codec::from_base64url(signature).ok_or("is no JWT")?;
    crypt::verify(algorithm, key, signed.as_bytes(), &signature)?;
    Ok(Opened {
        header,
        claims: read(claims)?,
    })
}

fn read(part: &str) -> Result<Value, String> {
    let bytes = codec::from_base64url(part).filter(|_| !part.contains('='));
    let bytes = bytes.ok_or("is no JWT")?;
    serde_json::from_slice(&bytes).map_err(|error| format!("is no JWT: {error}"))
}

/// Whether the header names the right key, or none where there is none to name.
pub(super) fn has_key_id(header: &Value, key_id: Option<&str>) -> Result<(), String> {
    let named = at::member(header, "kid");
    if named.as_deref() == key_id {
        Ok(())
    } else {
        Err(format!("names the key {named:?}, not {key_id:?}"))
    }
}

/// Checks the JWT by which a client shows who it is; gives its `jti`.
pub(super) fn check_assertion(
    scene: &Scene<'_>,
    authentication: &str,
    url: &str,
    token: &str,
) -> Result<Option<String>, String> {
    let client = scene.known.part("client");
    let assertion = client.get("assertion").unwrap_or(&Value::Null);
    let template = |name: &str, default: &str| {
        let own = at::member(assertion, name);
        scene
            .render(&own.unwrap_or_else(|| default.to_owned()))
            .map_err(|lack| lack.words())
    };
    let algorithm = at::member(assertion, "algorithm").unwrap_or_else(|| {
        let secret = authentication == "client_secret_jwt";
        if secret { "HS256" } else { "RS256" }.to_owned()
    });
    let opened = open(token, &algorithm, &template("key", "{{client.secret}}")?)?;
    let key_id = at::member(assertion, "key_id").map(|_| template("key_id", ""));
    has_key_id(&opened.header, key_id.transpose()?.as_deref())?;
    check_further(scene, assertion, "header", &opened.header)?;
    check_further(scene, assertion, "claims", &opened.claims)?;
    for (claim, value) in [
        ("iss", template("issuer", "{{client.id}}")?),
        ("sub", template("subject", "{{client.id}}")?),
        ("aud", template("audience", url)?),
    ] {
        let named = opened.claims.get(claim).unwrap_or(&Value::Null);
        if *named != json!(value) && *named != json!([value]) {
            return Err(format!("has the claim {claim} {named}, not '{value}'"));
        }
    }
    let lifetime = assertion.get("lifetime_seconds").and_then(Value::as_u64);
    check_moments(scene.known.now(), &opened.claims, lifetime.unwrap_or(300))?;
    check_nothing_else(assertion, &opened)?;
    let id = at::member(&opened.claims, "jti");
    if id.is_none() && authentication != "secret_jwt" {
        return Err("has no claim jti".to_owned());
    }
    Ok(id)
}

fn check_further(
    scene: &Scene<'_>,
    assertion: &Value,
    part: &str,
    came: &Value,
) -> Result<(), String> {
    for (name, template) in at::members(assertion, part) {
        let template = at::text(template).unwrap_or_default();
        let value = scene.render(&template).map_err(|lack| lack.words())?;
        if at::member(came, name).as_deref() != Some(value.as_str()) {
            return Err(format!("has in its {part} no {name} '{value}'"));
        }
    }
    Ok(())
}

fn check_moments(now: u64, claims: &Value, lifetime: u64) -> Result<(), String> {
    let moment = |claim: &str| {
        let moment = claims.get(claim).and_then(Value::as_u64);
        moment.ok_or_else(|| format!("has no claim {claim}"))
    };
    let (issued, expires) = (moment("iat")?, moment("exp")?);
    if issued.abs_diff(now) > SKEW {
        return Err(format!("was made at {issued}, and here it is {now}"));
    }
    if expires <= now.saturating_sub(SKEW) || expires > issued + lifetime + SKEW {
        return Err(format!(
            "ends at {expires}, made at {issued} for {lifetime} seconds"
        ));
    }
    Ok(())
}

fn check_nothing_else(assertion: &Value, opened: &Opened) -> Result<(), String> {
    let plain = [
        "alg", "typ", "kid", "iss", "sub", "aud", "exp", "iat", "nbf", "jti",
    ];
    for (part, came) in [("header", &opened.header), ("claims", &opened.claims)] {
        let declared = assertion.get(part).unwrap_or(&Value::Null);
        for (name, _) in came.as_object().into_iter().flatten() {
            if !plain.contains(&name.as_str()) && declared.get(name).is_none() {
                return Err(format!(
                    "has in its {part} a {name}, which is not asked for"
                ));
            }
        }
    }
    Ok(())
}

/// A token in the form of a JWT that ends at a moment; nobody can check its signature.
pub(super) fn make(subject: &str, audience: &str, now: u64, expires: Option<u64>) -> String {
    let header = json!({ "alg": "RS256", "typ": "JWT" });
    let mut claims = json!({
        "iss": "https://issuer.example",
        "sub": subject,
        "aud": audience,
        "iat": now,
        "jti": codec::random(""),
    });
    if let Some(expires) = expires {
        claims["exp"] = json!(expires);
    }
    let part = |value: &Value| codec::base64url(value.to_string().as_bytes());
    format!(
        "{}.{}.{}",
        part(&header),
        part(&claims),
        codec::base64url(b"not a signature")
    )
}
