//! Attribute values: writing them, and reading them back as what they must be.

use std::{collections::BTreeMap, collections::HashMap, fmt::Display, str::FromStr};

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use jiff::Timestamp;
use latchkey_core::{model::sealed::Sealed, port::StoreError};
use serde::{Serialize, de::DeserializeOwned};

/// An item, or the key of one.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// An item of these attributes.
pub(crate) fn item<const N: usize>(attributes: [(&str, AttributeValue); N]) -> Item {
    attributes
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// An item of those of these attributes that have a value.
pub(crate) fn item_if<const N: usize>(attributes: [(&str, Option<AttributeValue>); N]) -> Item {
    attributes
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}

/// A text.
pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A number.
pub(crate) fn number(value: impl Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A time, in milliseconds since 1970.
pub(crate) fn time(at: Timestamp) -> AttributeValue {
    number(at.as_millisecond())
}

/// A time in whole seconds, never earlier than it is.
pub(crate) fn second_after(at: Timestamp) -> i64 {
    at.as_millisecond().div_euclid(1000) + i64::from(at.as_millisecond().rem_euclid(1000) != 0)
}

/// Ciphertext.
pub(crate) fn sealed(value: &Sealed) -> AttributeValue {
    AttributeValue::B(Blob::new(value.as_bytes()))
}

/// A list of texts.
pub(crate) fn texts(values: &[String]) -> AttributeValue {
    AttributeValue::L(values.iter().map(text).collect())
}

/// Texts by name.
pub(crate) fn text_map(values: &BTreeMap<String, String>) -> AttributeValue {
    let entries = values.iter().map(|(key, value)| (key.clone(), text(value)));
    AttributeValue::M(entries.collect())
}

/// Ciphertexts by name.
pub(crate) fn sealed_map(values: &BTreeMap<String, Sealed>) -> AttributeValue {
    let entries = values
        .iter()
        .map(|(key, value)| (key.clone(), sealed(value)));
    AttributeValue::M(entries.collect())
}

/// A value as JSON text.
pub(crate) fn json<T: Serialize>(value: &T) -> AttributeValue {
    // What we keep has text keys and finite numbers, so it can always be written.
    text(serde_json::to_string(value).unwrap_or_default())
}

/// A unit variant as the word by which it is serialised.
pub(crate) fn word<T: Serialize>(value: T) -> AttributeValue {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => text(word),
        Ok(_) | Err(_) => text(""),
    }
}

/// Reads the attributes of an item. What is not as it must be is [`StoreError::Corrupt`].
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a>(pub(crate) &'a Item);

impl<'a> Reader<'a> {
    /// The same, if the item is of the format that this version writes.
    pub(crate) fn format_1(self) -> Result<Self, StoreError> {
        match self.number("v")? {
            1_u32 => Ok(self),
            _ => Err(StoreError::Corrupt("v")),
        }
    }

    /// Whether there is such an attribute.
    pub(crate) fn has(self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A text.
    pub(crate) fn text(self, name: &'static str) -> Result<&'a str, StoreError> {
        self.text_if(name)?.ok_or(StoreError::Corrupt(name))
    }

    /// A text, if there is one.
    pub(crate) fn text_if(self, name: &'static str) -> Result<Option<&'a str>, StoreError> {
        self.read(name, |value| value.as_s().ok().map(String::as_str))
    }

    /// A text that stands for something.
    pub(crate) fn parsed<T: FromStr>(self, name: &'static str) -> Result<T, StoreError> {
        self.parsed_if(name)?.ok_or(StoreError::Corrupt(name))
    }

    /// A text that stands for something, if there is one.
    pub(crate) fn parsed_if<T: FromStr>(self, name: &'static str) -> Result<Option<T>, StoreError> {
        self.read(name, |value| value.as_s().ok()?.parse().ok())
    }

    /// A number.
    pub(crate) fn number<T: FromStr>(self, name: &'static str) -> Result<T, StoreError> {
        self.number_if(name)?.ok_or(StoreError::Corrupt(name))
    }

    /// A number, if there is one.
    pub(crate) fn number_if<T: FromStr>(self, name: &'static str) -> Result<Option<T>, StoreError> {
        self.read(name, |value| value.as_n().ok()?.parse().ok())
    }

    /// A time.
    pub(crate) fn time(self, name: &'static str) -> Result<Timestamp, StoreError> {
        self.time_if(name)?.ok_or(StoreError::Corrupt(name))
    }

    /// A time, if there is one.
    pub(crate) fn time_if(self, name: &'static str) -> Result<Option<Timestamp>, StoreError> {
        self.read(name, |value| {
            Timestamp::from_millisecond(value.as_n().ok()?.parse().ok()?).ok()
        })
    }

    /// A truth value.
    pub(crate) fn flag(self, name: &'static str) -> Result<bool, StoreError> {
        let flag = self.read(name, |value| value.as_bool().ok().copied())?;
        flag.ok_or(StoreError::Corrupt(name))
    }

    /// Ciphertext.
    pub(crate) fn sealed(self, name: &'static str) -> Result<Sealed, StoreError> {
        self.sealed_if(name)?.ok_or(StoreError::Corrupt(name))
    }

    /// Ciphertext, if there is any.
    pub(crate) fn sealed_if(self, name: &'static str) -> Result<Option<Sealed>, StoreError> {
        self.read(name, to_sealed)
    }

    /// Texts; none if there is no such attribute.
    pub(crate) fn texts(self, name: &'static str) -> Result<Vec<String>, StoreError> {
        let texts = self.read(name, |value| {
            value.as_l().ok()?.iter().map(to_text).collect()
        })?;
        Ok(texts.unwrap_or_default())
    }

    /// Texts by name; none if there is no such attribute.
    pub(crate) fn text_map(
        self,
        name: &'static str,
    ) -> Result<BTreeMap<String, String>, StoreError> {
        self.map(name, to_text)
    }

    /// Ciphertexts by name; none if there is no such attribute.
    pub(crate) fn sealed_map(
        self,
        name: &'static str,
    ) -> Result<BTreeMap<String, Sealed>, StoreError> {
        self.map(name, to_sealed)
    }

    /// A value as JSON text.
    pub(crate) fn json<T: DeserializeOwned>(self, name: &'static str) -> Result<T, StoreError> {
        self.json_if(name)?.ok_or(StoreError::Corrupt(name))
    }

    /// A value as JSON text, if there is one.
    pub(crate) fn json_if<T: DeserializeOwned>(
        self,
        name: &'static str,
    ) -> Result<Option<T>, StoreError> {
        self.read(name, |value| serde_json::from_str(value.as_s().ok()?).ok())
    }

    /// A unit variant by the word by which it is serialised.
    pub(crate) fn word<T: DeserializeOwned>(self, name: &'static str) -> Result<T, StoreError> {
        let word = serde_json::Value::String(self.text(name)?.to_owned());
        serde_json::from_value(word).map_err(|_| StoreError::Corrupt(name))
    }

    /// Items inside the item; none if there is no such attribute.
    pub(crate) fn items(self, name: &'static str) -> Result<Vec<Self>, StoreError> {
        let items = self.read(name, |value| {
            let list = value.as_l().ok()?.iter();
            list.map(|value| value.as_m().ok().map(Reader)).collect()
        })?;
        Ok(items.unwrap_or_default())
    }

    /// An item inside the item, if there is one.
    pub(crate) fn inner_if(self, name: &'static str) -> Result<Option<Self>, StoreError> {
        self.read(name, |value| value.as_m().ok().map(Reader))
    }

    fn map<T>(
        self,
        name: &'static str,
        read: impl Fn(&AttributeValue) -> Option<T>,
    ) -> Result<BTreeMap<String, T>, StoreError> {
        let map = self.read(name, |value| {
            let entries = value.as_m().ok()?.iter();
            entries
                .map(|(key, value)| Some((key.clone(), read(value)?)))
                .collect()
        })?;
        Ok(map.unwrap_or_default())
    }

    fn read<T>(
        self,
        name: &'static str,
        read: impl FnOnce(&'a AttributeValue) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        self.0
            .get(name)
            .map(|value| read(value).ok_or(StoreError::Corrupt(name)))
            .transpose()
    }
}

fn to_text(value: &AttributeValue) -> Option<String> {
    value.as_s().ok().cloned()
}

fn to_sealed(value: &AttributeValue) -> Option<Sealed> {
    let bytes = value.as_b().ok()?;
    Some(Sealed::new(bytes.as_ref().to_vec()))
}
