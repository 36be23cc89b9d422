//! Private keys as people paste them.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use zeroize::Zeroizing;

use super::signing::SigningError;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The longest text that is looked at; an RSA key of 4096 bits has 3,272 bytes as a PEM.
const LONGEST: usize = 64 * 1024;

/// The DER of a private key, by its format.
pub(super) enum PrivateKey {
    /// RFC 5958.
    Pkcs8(Zeroizing<Vec<u8>>),
    /// RFC 8017 Appendix A.1.2: RSA only.
    Pkcs1(Zeroizing<Vec<u8>>),
}

/// Reads the private key in `text`, which may hold other blocks too, such as certificates.
///
/// An environment variable or a form field of one line loses the lines of a PEM (RFC 7468): they
/// become spaces or the two characters `\n`, and both are read.
pub(super) fn read(text: &str) -> Result<PrivateKey, SigningError> {
    if text.len() > LONGEST {
        return Err(SigningError::NotPem);
    }
    let mut other = SigningError::NotPem;
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("-----BEGIN ") {
        let (label, after) = after.split_once("-----").ok_or(SigningError::NotPem)?;
        let (body, after) = after.split_once("-----END ").ok_or(SigningError::Damaged)?;
        match label.trim() {
            "PRIVATE KEY" => return der(body).map(PrivateKey::Pkcs8),
            "RSA PRIVATE KEY" => return der(body).map(PrivateKey::Pkcs1),
            "EC PRIVATE KEY" => return Err(SigningError::Sec1),
            "ENCRYPTED PRIVATE KEY" => return Err(SigningError::Encrypted),
            "OPENSSH PRIVATE KEY" => return Err(SigningError::OpenSsh),
            _ => other = SigningError::NotPrivate,
        }
        rest = after;
    }
    Err(other)
}

fn der(body: &str) -> Result<Zeroizing<Vec<u8>>, SigningError> {
    // The old way to encrypt a key says so in lines before the key (RFC 1421 §4.6.1.1).
    if body.contains("ENCRYPTED") {
        return Err(SigningError::Encrypted);
    }
    let digits = Zeroizing::new(unbroken(body));
    BASE64
        .decode(digits.as_bytes())
        .map(Zeroizing::new)
        .map_err(|_| SigningError::Damaged)
}

/// `body` without white space and without `\n` and `\r` written out, once or twice escaped.
fn unbroken(body: &str) -> String {
    let mut digits = String::with_capacity(body.len());
    let mut escaped = false;
    for character in body.chars().filter(|character| !character.is_whitespace()) {
        let line_end = escaped && matches!(character, 'n' | 'r');
        escaped = character == '\\';
        if !escaped && !line_end {
            digits.push(character);
        }
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::{
        super::{keys, signing::SigningError},
        PrivateKey, read,
    };

    fn der(text: &str) -> Vec<u8> {
        match read(text).unwrap() {
            PrivateKey::Pkcs8(der) | PrivateKey::Pkcs1(der) => der.to_vec(),
        }
    }

    #[test]
    fn a_key_is_read_however_its_lines_were_lost() {
        let key = keys::EC;
        let certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for text in [
            key.replace('\n', "\r\n"),
            key.replace('\n', "\\n"),
            key.replace('\n', "\\r\\n"),
            key.replace('\n', "\\\\n"),
            key.replace('\n', " "),
            key.replace('\n', ""),
            format!("\u{feff}  \"{key}\"\n\n"),
            format!("{certificate}{key}"),
        ] {
            assert_eq!(der(&text), der(key), "{text}");
        }
    }

    #[test]
    fn a_text_that_is_no_private_key_says_what_to_do() {
        for (text, error) in [
            ("", SigningError::NotPem),
            ("geheim", SigningError::NotPem),
            ("-----BEGIN ", SigningError::NotPem),
            ("-----BEGIN PRIVATE KEY-----", SigningError::Damaged),
            (
                "-----BEGIN PRIVATE KEY-----\nA?\n-----END PRIVATE KEY-----",
                SigningError::Damaged,
            ),
            (
                "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
                SigningError::NotPrivate,
            ),
            (
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
                SigningError::NotPrivate,
            ),
            (
                "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----",
                SigningError::Encrypted,
            ),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,E64C\n\n\
                 AAAA\n-----END RSA PRIVATE KEY-----",
                SigningError::Encrypted,
            ),
            (
                "-----BEGIN EC PARAMETERS-----\nAAAA\n-----END EC PARAMETERS-----\n\
                 -----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----",
                SigningError::Sec1,
            ),
            (
                "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----",
                SigningError::OpenSsh,
            ),
        ] {
            assert_eq!(read(text).err(), Some(error), "{text}");
        }
        let long = "-----BEGIN A-----\n-----END A-----".repeat(10_000);
        assert_eq!(read(&long).err(), Some(SigningError::NotPem));
    }
}
