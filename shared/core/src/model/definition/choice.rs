//! Choices: a text alone, or a value with a label.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeStruct};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{AdditionalProperties, ObjectBuilder, OneOfBuilder, SchemaType, Type},
    },
};

use super::{scalar::Scalar, variable::Choice};

impl Choice {
    /// What people read.
    #[must_use]
    pub fn label(&self) -> &str {
        self.label.as_deref().unwrap_or(&self.value)
    }
}

impl From<&str> for Choice {
    fn from(value: &str) -> Self {
        Self {
            value: value.to_owned(),
            label: None,
        }
    }
}

impl Serialize for Choice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(label) = &self.label else {
            return serializer.serialize_str(&self.value);
        };
        let mut choice = serializer.serialize_struct("Choice", 2)?;
        choice.serialize_field("value", &self.value)?;
        choice.serialize_field("label", label)?;
        choice.end()
    }
}

impl<'de> Deserialize<'de> for Choice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Labelled {
            value: Scalar,
            label: String,
        }
        struct Reader;
        impl<'de> de::Visitor<'de> for Reader {
            type Value = Choice;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or an object with 'value' and 'label'")
            }

            fn visit_str<E>(self, text: &str) -> Result<Choice, E> {
                Ok(text.into())
            }

            fn visit_bool<E>(self, value: bool) -> Result<Choice, E> {
                Ok(value.to_string().as_str().into())
            }

            fn visit_i64<E>(self, value: i64) -> Result<Choice, E> {
                Ok(value.to_string().as_str().into())
            }

            fn visit_u64<E>(self, value: u64) -> Result<Choice, E> {
                Ok(value.to_string().as_str().into())
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Choice, A::Error> {
                let read = Labelled::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(Choice {
                    value: read.value.0,
                    label: Some(read.label),
                })
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

impl PartialSchema for Choice {
    fn schema() -> RefOr<Schema> {
        let kinds = || SchemaType::from_iter([Type::String, Type::Number, Type::Boolean]);
        let scalar = || ObjectBuilder::new().schema_type(kinds());
        let text = ObjectBuilder::new().schema_type(Type::String);
        let labelled = ObjectBuilder::new()
            .property("value", scalar())
            .required("value")
            .property("label", text)
            .required("label")
            .additional_properties(Some(AdditionalProperties::FreeForm(false)));
        OneOfBuilder::new().item(scalar()).item(labelled).into()
    }
}

impl ToSchema for Choice {}
