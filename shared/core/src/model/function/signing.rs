//! Signatures of the JOSE algorithms, and JWTs made with them.
//!
//! # Why
//! Some providers know a client by a key instead of a secret (RFC 7523), or want requests signed.
//! Keys come from people, in whatever format their provider gave them; a key that can't work is
//! told apart by what to do about it.
//!
//! # Security
//! An error never shows key material. The random numbers that blind RSA and that ECDSA needs come
//! from ring's own [`SystemRandom`], not from a port: a nonce that a test could fix would give the key
//! away if it were ever used twice, and ring accepts no other source.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    error::KeyRejected,
    rand::SystemRandom,
    rsa::KeyPair as RsaKey,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
        RsaEncoding,
    },
};
use serde_json::{Map, Value as Json};

use super::{
    digest::{Digest, hmac},
    pem::{self, PrivateKey},
};

/// An algorithm of RFC 7518 §3.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RSA PKCS#1 1.5 with SHA-256.
    Rs256,
    /// RSA PSS with SHA-256.
    Ps256,
    /// ECDSA on P-256 with SHA-256, as `r` and `s` in 32 bytes each.
    Es256,
    /// HMAC with SHA-256.
    Hs256,
}

impl Algorithm {
    /// The algorithm of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "PS256" => Some(Self::Ps256),
            "ES256" => Some(Self::Es256),
            "HS256" => Some(Self::Hs256),
            _ => None,
        }
    }

    /// Its name in the header of a JWS.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::Hs256 => "HS256",
        }
    }

    /// Whether it signs with a private key, and not with a secret that both sides have.
    #[must_use]
    pub fn is_public_key(self) -> bool {
        match self {
            Self::Rs256 | Self::Ps256 | Self::Es256 => true,
            Self::Hs256 => false,
        }
    }
}

/// Why something could not be signed; it never shows key material.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SigningError {
    /// The key is not a PEM.
    #[error("the key is not a PEM: it must have '-----BEGIN PRIVATE KEY-----' in it")]
    NotPem,
    /// The PEM has no private key.
    #[error("the PEM is a public key or a certificate: the private key is needed")]
    NotPrivate,
    /// The key can't be read.
    #[error("the key is damaged: it can't be read to its end")]
    Damaged,
    /// The EC key can't be read, most often because the public half, which ring checks, isn't in it.
    #[error(
        "the EC key is damaged or has no public key in it: convert it to PKCS#8 with its public key, \
         `openssl ec -in key.pem | openssl pkcs8 -topk8 -nocrypt`"
    )]
    Incomplete,
    /// The key needs a password.
    #[error(
        "the key is encrypted: decrypt it and convert it to PKCS#8, `openssl pkey -in key.pem`"
    )]
    Encrypted,
    /// The key is in the older format of EC keys.
    #[error(
        "the key is a SEC 1 key ('BEGIN EC PRIVATE KEY'): convert it to PKCS#8, `openssl pkey -in key.pem`"
    )]
    Sec1,
    /// The key is in the format of SSH.
    #[error(
        "the key is an OpenSSH key: convert a copy of it to PKCS#8, `ssh-keygen -p -m PKCS8 -f key`"
    )]
    OpenSsh,
    /// The key is of another kind than the algorithm's.
    #[error("the key is not {}", needed(*.0))]
    WrongKey(Algorithm),
    /// The key is of a kind that no algorithm uses.
    #[error("no algorithm can use the key: it must be an RSA key or an EC key on the curve P-256")]
    NoAlgorithm,
    /// The RSA key is too short or too long.
    #[error("the RSA key must have 2048 to 4096 bits")]
    Size,
    /// The secret is empty.
    #[error("the secret to sign with is empty")]
    EmptySecret,
    /// Random numbers ran out, or the key is wrong in a way that only signing shows.
    #[error("the key did not sign")]
    Failed,
}

fn needed(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Rs256 => "an RSA key, which RS256 needs",
        Algorithm::Ps256 => "an RSA key, which PS256 needs",
        Algorithm::Es256 => "an EC key on the curve P-256, which ES256 needs",
        Algorithm::Hs256 => "a secret, which HS256 needs",
    }
}

/// Signs `message`. The key is a PEM, and for HS256 the secret itself.
///
/// # Errors
/// [`SigningError`] says what is wrong with the key.
pub fn sign(algorithm: Algorithm, key: &str, message: &[u8]) -> Result<Vec<u8>, SigningError> {
    match algorithm {
        Algorithm::Rs256 => rsa(algorithm, key, &RSA_PKCS1_SHA256, message),
        Algorithm::Ps256 => rsa(algorithm, key, &RSA_PSS_SHA256, message),
        Algorithm::Es256 => ecdsa(key, message),
        Algorithm::Hs256 if key.is_empty() => Err(SigningError::EmptySecret),
        Algorithm::Hs256 => Ok(hmac(Digest::Sha256, key.as_bytes(), message)),
    }
}

/// A compact JWS of `claims` (RFC 7515 §3.1). `alg` is set here, whatever `header` says of it.
///
/// # Errors
/// [`SigningError`] says what is wrong with the key.
pub fn jws(
    header: &Map<String, Json>,
    claims: &Map<String, Json>,
    algorithm: Algorithm,
    key: &str,
) -> Result<String, SigningError> {
    let mut full = Map::new();
    full.insert("alg".to_owned(), Json::from(algorithm.name()));
    let others = header.iter().filter(|(name, _)| *name != "alg");
    full.extend(others.map(|(name, value)| (name.clone(), value.clone())));
    let mut token = format!("{}.{}", part(&full), part(claims));
    let signature = sign(algorithm, key, token.as_bytes())?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    Ok(token)
}

/// Whether `pem` is a private key that some algorithm can use.
///
/// # Errors
/// [`SigningError`] says what is wrong with it.
pub fn check_key(pem: &str) -> Result<(), SigningError> {
    let key = pem::read(pem)?;
    match rsa_key(&key, Algorithm::Rs256).map(drop) {
        Err(SigningError::WrongKey(_)) => {}
        known => return known,
    }
    match p256_key(&key).map(drop) {
        Err(SigningError::WrongKey(_)) => Err(SigningError::NoAlgorithm),
        known => known,
    }
}

/// Whether `key` is one that `algorithm` can use.
pub(super) fn check_for(algorithm: Algorithm, key: &str) -> Result<(), SigningError> {
    match algorithm {
        Algorithm::Rs256 | Algorithm::Ps256 => rsa_key(&pem::read(key)?, algorithm).map(drop),
        Algorithm::Es256 => p256_key(&pem::read(key)?).map(drop),
        Algorithm::Hs256 if key.is_empty() => Err(SigningError::EmptySecret),
        Algorithm::Hs256 => Ok(()),
    }
}

fn part(members: &Map<String, Json>) -> String {
    let text = Json::Object(members.clone()).to_string();
    URL_SAFE_NO_PAD.encode(text)
}

fn rsa(
    algorithm: Algorithm,
    key: &str,
    padding: &'static dyn RsaEncoding,
    message: &[u8],
) -> Result<Vec<u8>, SigningError> {
    let key = rsa_key(&pem::read(key)?, algorithm)?;
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(padding, &SystemRandom::new(), message, &mut signature)
        .map_err(|_| SigningError::Failed)?;
    Ok(signature)
}

fn ecdsa(key: &str, message: &[u8]) -> Result<Vec<u8>, SigningError> {
    let key = p256_key(&pem::read(key)?)?;
    let signature = key.sign(&SystemRandom::new(), message);
    Ok(signature
        .map_err(|_| SigningError::Failed)?
        .as_ref()
        .to_vec())
}

fn rsa_key(key: &PrivateKey, algorithm: Algorithm) -> Result<RsaKey, SigningError> {
    let read = match key {
        PrivateKey::Pkcs8(der) => RsaKey::from_pkcs8(der),
        PrivateKey::Pkcs1(der) => RsaKey::from_der(der),
    };
    read.map_err(|rejected| reason(rejected, algorithm, SigningError::Damaged))
}

fn p256_key(key: &PrivateKey) -> Result<EcdsaKeyPair, SigningError> {
    let algorithm = Algorithm::Es256;
    match key {
        PrivateKey::Pkcs1(_) => Err(SigningError::WrongKey(algorithm)),
        PrivateKey::Pkcs8(der) => {
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der, &SystemRandom::new())
                .map_err(|rejected| reason(rejected, algorithm, SigningError::Incomplete))
        }
    }
}

/// ring says why it refuses a key in one word, and in no other way.
fn reason(rejected: KeyRejected, algorithm: Algorithm, unreadable: SigningError) -> SigningError {
    match rejected.to_string().as_str() {
        "WrongAlgorithm" => SigningError::WrongKey(algorithm),
        "TooSmall" | "TooLarge" | "PrivateModulusLenNotMultipleOf512Bits" => SigningError::Size,
        _ => unreadable,
    }
}

#[cfg(test)]
mod tests;
