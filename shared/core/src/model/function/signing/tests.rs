use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde_json::json;

use super::{super::keys, *};

/// The claims of all the examples of RFC 7515, with the white space that they have there.
const CLAIMS: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt\
                      cGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

fn decoded(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

fn object(json: &Json) -> Map<String, Json> {
    json.as_object().unwrap().clone()
}

/// Verifies with the public keys as the RFC prints them, not as ring derives them.
fn is_verified(algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
    let rsa = RsaPublicKeyComponents {
        n: decoded(keys::RSA_MODULUS),
        e: vec![1, 0, 1],
    };
    let point = [vec![4], keys::EC_POINT.map(decoded).concat()].concat();
    match algorithm {
        Algorithm::Rs256 => rsa.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature),
        Algorithm::Ps256 => rsa.verify(&RSA_PSS_2048_8192_SHA256, message, signature),
        Algorithm::Es256 => {
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
        }
        Algorithm::Hs256 => unreachable!("there is no public key"),
    }
    .is_ok()
}

fn is_signed(algorithm: Algorithm, token: &str) -> bool {
    let (message, signature) = token.rsplit_once('.').unwrap();
    is_verified(algorithm, message.as_bytes(), &decoded(signature))
}

#[test]
fn hs256_is_that_of_rfc_7515() {
    // RFC 7515 Appendix A.1; its key is not text.
    let key = decoded(
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
    );
    let message = format!("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{CLAIMS}");
    assert_eq!(
        hmac(Digest::Sha256, &key, message.as_bytes()),
        decoded("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    );
    assert_eq!(
        sign(Algorithm::Hs256, "Jefe", b"what do ya want for nothing?"),
        Ok(hmac(
            Digest::Sha256,
            b"Jefe",
            b"what do ya want for nothing?"
        ))
    );
}

#[test]
fn rs256_is_that_of_rfc_7515_with_either_format_of_the_key() {
    // RFC 7515 Appendix A.2.
    let signature = decoded(
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7\
         AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4\
         BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K\
         0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqv\
         hJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrB\
         p0igcN_IoypGlUPQGe77Rw",
    );
    let message = format!("eyJhbGciOiJSUzI1NiJ9.{CLAIMS}");
    for key in [
        keys::RSA,
        &keys::pkcs1(),
        &keys::RSA.replace('\n', "\\n"),
        &keys::pkcs1().replace('\n', " "),
    ] {
        let signed = sign(Algorithm::Rs256, key, message.as_bytes());
        assert_eq!(signed.as_ref(), Ok(&signature));
    }
    assert!(is_verified(
        Algorithm::Rs256,
        message.as_bytes(),
        &signature
    ));
}

#[test]
fn es256_is_verified_as_that_of_rfc_7515_is() {
    // RFC 7515 Appendix A.3.
    let message = format!("eyJhbGciOiJFUzI1NiJ9.{CLAIMS}");
    let published = decoded(
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
    );
    let ours = sign(Algorithm::Es256, keys::EC, message.as_bytes()).unwrap();
    for signature in [&published, &ours] {
        assert_eq!(signature.len(), 64);
        assert!(is_verified(Algorithm::Es256, message.as_bytes(), signature));
        assert!(!is_verified(Algorithm::Es256, b"other", signature));
    }
}

#[test]
fn ps256_is_verified_by_the_public_key_and_is_never_twice_the_same() {
    let [one, two] = [(), ()].map(|()| sign(Algorithm::Ps256, keys::RSA, b"message").unwrap());
    assert_ne!(one, two);
    for signature in [one, two] {
        assert!(is_verified(Algorithm::Ps256, b"message", &signature));
        assert!(!is_verified(Algorithm::Rs256, b"message", &signature));
    }
}

#[test]
fn a_client_assertion_is_a_signed_jwt() {
    // RFC 7523 §3: who says it, about whom, to whom, until when.
    let claims = object(&json!({
        "iss": "client?&+%:/=ü",
        "sub": "client?&+%:/=ü",
        "aud": "https://idp.example.com/token",
        "jti": "9f3c",
        "iat": 1_700_000_000,
        "exp": 1_700_000_300,
    }));
    for (algorithm, key) in [
        (Algorithm::Rs256, keys::RSA),
        (Algorithm::Ps256, keys::RSA),
        (Algorithm::Es256, keys::EC),
    ] {
        let token = jws(&object(&json!({"typ": "JWT"})), &claims, algorithm, key).unwrap();
        assert!(is_signed(algorithm, &token));
        let parts: Vec<_> = token.split('.').collect();
        let header: Json = serde_json::from_slice(&decoded(parts[0])).unwrap();
        assert_eq!(header, json!({"alg": algorithm.name(), "typ": "JWT"}));
        let read: Json = serde_json::from_slice(&decoded(parts[1])).unwrap();
        assert_eq!(read, Json::Object(claims.clone()));
    }
}

#[test]
fn a_client_secret_as_apple_wants_it_names_its_key() {
    let claims = object(&json!({
        "iss": "TEAM123456",
        "iat": 1_700_000_000,
        "exp": 1_700_000_300,
        "aud": "https://appleid.apple.com",
        "sub": "com.example.app",
    }));
    let header = object(&json!({"kid": "ABC123DEFG"}));
    let token = jws(&header, &claims, Algorithm::Es256, keys::EC).unwrap();
    assert!(is_signed(Algorithm::Es256, &token));
    let header = decoded(token.split('.').next().unwrap());
    assert_eq!(header, br#"{"alg":"ES256","kid":"ABC123DEFG"}"#);
}

#[test]
fn the_header_cannot_name_another_algorithm() {
    let header = object(&json!({"alg": "none", "typ": "JWT"}));
    let token = jws(&header, &Map::new(), Algorithm::Hs256, "secret").unwrap();
    let header = decoded(token.split('.').next().unwrap());
    assert_eq!(header, br#"{"alg":"HS256","typ":"JWT"}"#);
}

#[test]
fn a_key_that_does_not_fit_says_what_is_needed() {
    let (rsa, ec) = (
        SigningError::WrongKey(Algorithm::Rs256),
        SigningError::WrongKey(Algorithm::Es256),
    );
    let damaged = keys::RSA.replace(
        "aYk8wTM/U+3QGbh3hCUv7JFP5IV3aVlL6kKA0ywPVb9ilE8TA5a8bpvfbr3SvaNn\n",
        "",
    );
    assert_ne!(damaged, keys::RSA);
    assert_eq!(check_key(&damaged), Err(SigningError::Damaged));
    for (algorithm, key, error) in [
        (Algorithm::Rs256, keys::EC, rsa),
        (
            Algorithm::Ps256,
            keys::P384,
            SigningError::WrongKey(Algorithm::Ps256),
        ),
        (Algorithm::Es256, keys::RSA, ec),
        (Algorithm::Es256, &keys::pkcs1(), ec),
        (Algorithm::Es256, keys::P384, ec),
        (Algorithm::Es256, keys::ED25519, ec),
        (
            Algorithm::Es256,
            keys::EC_WITHOUT_PUBLIC,
            SigningError::Incomplete,
        ),
        (Algorithm::Rs256, keys::RSA_1024, SigningError::Size),
        (Algorithm::Rs256, &damaged, SigningError::Damaged),
        (Algorithm::Rs256, "geheim", SigningError::NotPem),
        (Algorithm::Hs256, "", SigningError::EmptySecret),
    ] {
        assert_eq!(sign(algorithm, key, b"m"), Err(error), "{algorithm:?}");
        assert_eq!(check_for(algorithm, key), Err(error), "{algorithm:?}");
    }
}

#[test]
fn a_key_that_some_algorithm_can_use_is_told_from_others() {
    for (key, expected) in [
        (keys::RSA, Ok(())),
        (&keys::pkcs1(), Ok(())),
        (keys::EC, Ok(())),
        (keys::P384, Err(SigningError::NoAlgorithm)),
        (keys::ED25519, Err(SigningError::NoAlgorithm)),
        (keys::RSA_1024, Err(SigningError::Size)),
        (keys::EC_WITHOUT_PUBLIC, Err(SigningError::Incomplete)),
        ("geheim", Err(SigningError::NotPem)),
    ] {
        assert_eq!(check_key(key), expected);
    }
}

#[test]
fn an_algorithm_is_known_by_the_name_of_its_header() {
    for algorithm in [
        Algorithm::Rs256,
        Algorithm::Ps256,
        Algorithm::Es256,
        Algorithm::Hs256,
    ] {
        assert_eq!(Algorithm::named(algorithm.name()), Some(algorithm));
    }
    for name in ["", "none", "rs256", "RS512", "HS256 "] {
        assert_eq!(Algorithm::named(name), None, "{name}");
    }
}
