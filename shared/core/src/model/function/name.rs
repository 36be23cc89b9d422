//! The names of functions, and what a misspelt one may have meant.

use super::Function;

const ALL: [Function; 22] = [
    Function::Lower,
    Function::Upper,
    Function::Trim,
    Function::Substr,
    Function::Replace,
    Function::Append,
    Function::Prepend,
    Function::Default,
    Function::Join,
    Function::Host,
    Function::UrlEncode,
    Function::Json,
    Function::Base64,
    Function::Base64Url,
    Function::Hex,
    Function::Sha256,
    Function::Sha1,
    Function::Md5,
    Function::Hmac,
    Function::Sign,
    Function::Jwt,
    Function::JwtClaim,
];

/// A longer text is no misspelt name.
const LONGEST_NAME: usize = 32;

impl Function {
    /// All of them, in the order of the documentation.
    pub const ALL: &'static [Self] = &ALL;

    /// The function of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        ALL.into_iter().find(|function| function.name() == name)
    }

    /// The name that `name` was most likely meant to be, if one is near enough.
    #[must_use]
    pub fn nearest(name: &str) -> Option<&'static str> {
        if name.len() > LONGEST_NAME {
            return None;
        }
        let plain = plain(name);
        if ["sha224", "sha384", "sha512"].contains(&plain.as_str()) {
            // Another digest that we don't have is not a misspelt one that we do.
            return None;
        }
        ALL.into_iter()
            .map(|function| (distance(&plain, &self::plain(function.name())), function))
            .min_by_key(|(distance, _)| *distance)
            .filter(|(distance, _)| *distance <= plain.len().div_ceil(3).min(3))
            .map(|(_, function)| function.name())
            .or_else(|| synonym(&plain))
    }

    /// Its name in templates.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Lower => "lower",
            Self::Upper => "upper",
            Self::Trim => "trim",
            Self::Substr => "substr",
            Self::Replace => "replace",
            Self::Append => "append",
            Self::Prepend => "prepend",
            Self::Default => "default",
            Self::Join => "join",
            Self::Host => "host",
            Self::UrlEncode => "urlencode",
            Self::Json => "json",
            Self::Base64 => "base64",
            Self::Base64Url => "base64url",
            Self::Hex => "hex",
            Self::Sha256 => "sha256",
            Self::Sha1 => "sha1",
            Self::Md5 => "md5",
            Self::Hmac => "hmac",
            Self::Sign => "sign",
            Self::Jwt => "jwt",
            Self::JwtClaim => "jwt_claim",
        }
    }
}

/// Names that other languages have for the same thing, and that no typing error explains.
fn synonym(plain: &str) -> Option<&'static str> {
    Some(match plain {
        "lowercase" | "tolower" | "tolowercase" | "downcase" => "lower",
        "uppercase" | "toupper" | "touppercase" | "upcase" => "upper",
        "strip" => "trim",
        "substring" | "slice" | "truncate" => "substr",
        "concat" | "suffix" => "append",
        "prefix" => "prepend",
        "hostname" | "domain" => "host",
        "encodeuricomponent" | "percentencode" | "urlescape" => "urlencode",
        "tojson" | "jsonencode" => "json",
        "btoa" => "base64",
        "hmacsha256" | "hmacsha1" | "hmacsha512" => "hmac",
        _ => return None,
    })
}

fn plain(name: &str) -> String {
    name.chars()
        .filter(|character| character.is_ascii_alphanumeric())
        .map(|character| character.to_ascii_lowercase())
        .collect()
}

/// How many letters must be put in, taken out or changed (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (place, left) in from.bytes().enumerate() {
        let mut diagonal = place;
        let mut before = place + 1;
        let mut next = vec![before];
        for (above, right) in row.iter().skip(1).zip(to.bytes()) {
            let changed = diagonal + usize::from(left != right);
            before = changed.min(above + 1).min(before + 1);
            diagonal = *above;
            next.push(before);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{ALL, Function, distance};

    #[test]
    fn every_function_is_found_by_its_name() {
        for function in ALL {
            assert_eq!(Function::named(function.name()), Some(function));
            assert_eq!(Function::nearest(function.name()), Some(function.name()));
        }
        for name in ["", "Lower", "lower ", "base-64", "eval"] {
            assert_eq!(Function::named(name), None, "{name}");
        }
    }

    #[test]
    fn a_misspelt_name_is_understood() {
        for (name, meant) in [
            ("lowr", Some("lower")),
            ("Lower", Some("lower")),
            ("lowercase", Some("lower")),
            ("toUpperCase", Some("upper")),
            ("substring", Some("substr")),
            ("base64_url", Some("base64url")),
            ("base46", Some("base64")),
            ("url_encode", Some("urlencode")),
            ("sha-256", Some("sha256")),
            ("SHA512", None),
            ("hmac_sha256", Some("hmac")),
            ("jwtClaim", Some("jwt_claim")),
            ("encodeURIComponent", Some("urlencode")),
            ("", None),
            ("…", None),
            ("exec", None),
            ("environment", None),
        ] {
            assert_eq!(Function::nearest(name), meant, "{name}");
        }
        assert_eq!(Function::nearest(&"lower".repeat(1000)), None);
    }

    #[test]
    fn the_distance_counts_changes() {
        for (from, to, changes) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("kitten", "sitting", 3),
            ("saturday", "sunday", 3),
        ] {
            assert_eq!(distance(from, to), changes, "{from} {to}");
        }
    }
}
