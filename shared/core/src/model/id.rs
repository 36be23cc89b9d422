//! Identifiers: one type per entity, so that mixing two is a compile error.

use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A text that is not an identifier of the kind asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a {kind} id")]
pub struct IdError {
    kind: &'static str,
}

impl IdError {
    /// A text that is not the id of such a thing.
    pub(super) fn of(kind: &'static str) -> Self {
        Self { kind }
    }
}

/// What makes a text an id: it begins with a prefix, and 32 hexadecimal digits follow.
macro_rules! id_text {
    ($name:ident, $prefix:literal, $kind:literal) => {
        impl $name {
            /// What every id of this kind begins with.
            pub const PREFIX: &'static str = $prefix;

            /// The id of 16 bytes.
            fn of_bytes(bytes: [u8; 16]) -> Self {
                let digits = uuid::Uuid::from_bytes(bytes).simple();
                Self(format!("{}{digits}", $prefix).into())
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::model::id::IdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
                match text.strip_prefix($prefix) {
                    Some(hex) if hex.len() == 32 && hex.bytes().all(is_hex) => {
                        Ok(Self(text.into()))
                    }
                    Some(_) | None => Err($crate::model::id::IdError::of($kind)),
                }
            }
        }

        crate::model::id::text_newtype!($name);
    };
}
pub(super) use id_text;

/// A text that is read from any text by its own rule, and shown as it is.
macro_rules! text_newtype {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = $crate::model::id::IdError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.into()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}
pub(super) use text_newtype;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident, $prefix:literal, $kind:literal, $example:literal;)*) => {$(
        $(#[$doc])*
        ///
        /// Sortable by the time at which it was made.
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schema(value_type = String, example = $example)]
        pub struct $name(Box<str>);

        id_text!($name, $prefix, $kind);

        impl $name {
            /// Makes an id from the time and ten random bytes (the layout of UUID version 7, RFC 9562 §5.7).
            #[must_use]
            pub fn new(now: Timestamp, random: &[u8; 10]) -> Self {
                let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
                let uuid = uuid::Builder::from_unix_timestamp_millis(millis, random).into_uuid();
                Self::of_bytes(uuid.into_bytes())
            }
        }
    )*};
}

ids! {
    /// The id of a connector.
    ConnectorId, "con_", "connector", "con_0192f0c7d3a87b3e9d6c1f0a4b5c6d7e";
    /// The id of an auth method.
    MethodId, "mth_", "auth method", "mth_0192f0c7d3a87b3e9d6c1f0a4b5c6d7e";
    /// The id of an instance.
    InstanceId, "ins_", "instance", "ins_0192f0c7d3a87b3e9d6c1f0a4b5c6d7e";
    /// The id of an API key; it is not the key.
    KeyId, "key_", "API key", "key_0192f0c7d3a87b3e9d6c1f0a4b5c6d7e";
}

/// The name of a tenant: 1 to 64 of `a`–`z`, `0`–`9` and `-`.
///
/// Every key of every item starts with one, so nothing of another tenant can be named.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, example = "acme")]
pub struct TenantId(Box<str>);

impl TenantId {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TenantId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(IdError { kind: "tenant" })
        }
    }
}

text_newtype!(TenantId);

/// What names one instance: its tenant and its id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InstanceKey {
    /// Whose it is.
    pub tenant: TenantId,
    /// Which one it is.
    pub id: InstanceId,
}

/// What names one auth method: its tenant, its connector and its id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MethodKey {
    /// Whose it is.
    pub tenant: TenantId,
    /// The connector that it belongs to.
    pub connector: ConnectorId,
    /// Which one it is.
    pub id: MethodId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_the_time_at_which_they_were_made() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let early = InstanceId::new(at(1_700_000_000), &[0xff; 10]);
        let late = InstanceId::new(at(1_700_000_001), &[0; 10]);
        assert!(early < late);
        assert_eq!(late.as_str().parse(), Ok(late));
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let id = InstanceId::new(Timestamp::UNIX_EPOCH, &[0; 10]);
        assert!(id.as_str().parse::<MethodId>().is_err());
        for text in [
            "",
            "ins_",
            "ins_xyz",
            "ins_0192F0C7D3A87B3E9D6C1F0A4B5C6D7E",
        ] {
            assert!(text.parse::<InstanceId>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_tenant_is_a_short_plain_name() {
        for (text, good) in [
            ("acme", true),
            ("a-1", true),
            ("", false),
            ("A", false),
            ("a#b", false),
        ] {
            assert_eq!(text.parse::<TenantId>().is_ok(), good, "{text}");
        }
    }
}
