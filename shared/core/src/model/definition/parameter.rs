//! Parameters of a request, as they are written.

use std::fmt;

use indexmap::IndexMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Ref, RefOr, Schema,
        schema::{ObjectBuilder, OneOfBuilder, SchemaType, Type},
    },
};

use super::{entry::Entry, scalar::Scalar};

/// Parameters by name, in order; `null` leaves a built-in one out.
pub type Parameters = IndexMap<String, Option<Parameter>>;

/// The value of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parameter {
    /// A template.
    Plain(String),
    /// A template, and how it is sent.
    Entry(Entry),
}

/// A condition on a variable. With neither list it asks that there be a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The key of the variable.
    pub variable: String,
    /// The value is one of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub is: Vec<Scalar>,
    /// The value is none of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub is_not: Vec<Scalar>,
}

/// How a name or value is written in a URL or a form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// As a form: a space is `+`.
    #[default]
    Form,
    /// As RFC 3986 has it: a space is `%20`.
    Rfc3986,
    /// As it is, as far as a URL can hold it.
    Raw,
}

/// What a parameter is in a JSON body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JsonKind {
    /// A text.
    #[default]
    Text,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// JSON itself: the template is JSON, and values inside it are escaped.
    Json,
}

impl Parameter {
    /// The template.
    #[must_use]
    pub fn template(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Entry(entry) => &entry.value.0,
        }
    }
}

impl From<&str> for Parameter {
    fn from(text: &str) -> Self {
        Self::Plain(text.to_owned())
    }
}

impl Serialize for Parameter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Plain(text) => serializer.serialize_str(text),
            Self::Entry(entry) => entry.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Parameter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> de::Visitor<'de> for Reader {
            type Value = Parameter;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a template, or an object with 'value'")
            }

            fn visit_str<E>(self, text: &str) -> Result<Parameter, E> {
                Ok(text.into())
            }

            fn visit_bool<E>(self, value: bool) -> Result<Parameter, E> {
                Ok(Parameter::Plain(value.to_string()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Parameter, E> {
                Ok(Parameter::Plain(value.to_string()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Parameter, E> {
                Ok(Parameter::Plain(value.to_string()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Parameter, E> {
                Ok(Parameter::Plain(value.to_string()))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Parameter, A::Error> {
                let entry = Entry::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(Parameter::Entry(entry))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

impl PartialSchema for Parameter {
    fn schema() -> RefOr<Schema> {
        let kinds = [Type::String, Type::Number, Type::Boolean, Type::Null];
        OneOfBuilder::new()
            .item(ObjectBuilder::new().schema_type(SchemaType::from_iter(kinds)))
            .item(Ref::from_schema_name(Entry::name()))
            .into()
    }
}

impl ToSchema for Parameter {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Entry::name().into_owned(), Entry::schema()));
        Entry::schemas(schemas);
    }
}
