//! Digests and signatures, from the side that checks them.

use md5::{Digest as _, Md5};
use ring::{
    digest, hmac,
    rand::SystemRandom,
    signature::{self, EcdsaKeyPair, KeyPair as _, RsaKeyPair, UnparsedPublicKey},
};

use super::codec::from_base64;

/// The digest of a text.
pub(super) fn hashed(algorithm: &str, text: &[u8]) -> Result<Vec<u8>, String> {
    let algorithm = match algorithm {
        "sha256" => &digest::SHA256,
        "sha1" => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        "sha512" => &digest::SHA512,
        "md5" => return Ok(Md5::digest(text).to_vec()),
        other => return Err(format!("no digest '{other}'")),
    };
    Ok(digest::digest(algorithm, text).as_ref().to_vec())
}

/// The keyed digest of a text.
pub(super) fn keyed(algorithm: &str, key: &[u8], text: &[u8]) -> Result<Vec<u8>, String> {
    let algorithm = match algorithm {
        "sha256" => hmac::HMAC_SHA256,
        "sha1" => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        "sha512" => hmac::HMAC_SHA512,
        other => return Err(format!("no keyed digest '{other}'")),
    };
    let key = hmac::Key::new(algorithm, key);
    Ok(hmac::sign(&key, text).as_ref().to_vec())
}

/// Checks a signature with the public half of a private key, or with the secret for `HS256`.
pub(super) fn verify(algorithm: &str, key: &str, text: &[u8], signed: &[u8]) -> Result<(), String> {
    let holds = match algorithm {
        "HS256" => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
            hmac::verify(&key, text, signed).is_ok()
        }
        "RS256" => {
            let public = rsa(key)?;
            UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, public)
                .verify(text, signed)
                .is_ok()
        }
        "PS256" => {
            let public = rsa(key)?;
            UnparsedPublicKey::new(&signature::RSA_PSS_2048_8192_SHA256, public)
                .verify(text, signed)
                .is_ok()
        }
        "ES256" => {
            let public = p256(key)?;
            UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, public)
                .verify(text, signed)
                .is_ok()
        }
        other => return Err(format!("no signature '{other}'")),
    };
    if holds {
        Ok(())
    } else {
        Err(format!("the {algorithm} signature does not hold"))
    }
}

fn rsa(pem: &str) -> Result<Vec<u8>, String> {
    let der = der(pem)?;
    let pair = RsaKeyPair::from_pkcs8(&der).or_else(|_| RsaKeyPair::from_der(&der));
    let pair = pair.map_err(|error| format!("no RSA key: {error}"))?;
    Ok(pair.public_key().as_ref().to_vec())
}

fn p256(pem: &str) -> Result<Vec<u8>, String> {
    let algorithm = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, &der(pem)?, &SystemRandom::new());
    let pair = pair.map_err(|error| format!("no P-256 key: {error}"))?;
    Ok(pair.public_key().as_ref().to_vec())
}

fn der(pem: &str) -> Result<Vec<u8>, String> {
    let mut parts = pem.split("-----");
    let body = parts.nth(2).ok_or("no PEM")?;
    let body: String = body.split_whitespace().collect();
    from_base64(&body).ok_or_else(|| "no PEM".to_owned())
}
