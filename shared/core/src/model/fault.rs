//! What is wrong with an input, and where.

use serde::Serialize;

/// One thing wrong with one field of an input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Fault {
    /// Where, as a JSON Pointer into the body that was sent (RFC 6901).
    #[schema(example = "/definition/token/url")]
    pub pointer: String,
    /// Which rule, as a stable word.
    #[schema(example = "undeclared_variable")]
    pub code: &'static str,
    /// Why, in a sentence; never the value itself.
    pub detail: String,
}

/// Collects faults, so that a person hears of all of them at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// An empty collection.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a fault, unless it is there already.
    pub fn add(
        &mut self,
        pointer: impl Into<String>,
        code: &'static str,
        detail: impl Into<String>,
    ) {
        let fault = Fault {
            pointer: pointer.into(),
            code,
            detail: detail.into(),
        };
        if !self.0.contains(&fault) {
            self.0.push(fault);
        }
    }

    /// A collection with one fault.
    #[must_use]
    pub fn one(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        let mut faults = Self::new();
        faults.add(pointer, code, detail);
        faults
    }

    /// Keeps the value of a result, or adds its error as a fault at `pointer`.
    pub fn keep<T, E: std::fmt::Display>(
        &mut self,
        pointer: impl Into<String>,
        code: &'static str,
        result: Result<T, E>,
    ) -> Option<T> {
        result
            .map_err(|error| self.add(pointer, code, error.to_string()))
            .ok()
    }

    /// `value` if nothing is wrong.
    ///
    /// # Errors
    /// The faults, if there are any.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() {
            Ok(value)
        } else {
            Err(self)
        }
    }

    /// Puts `prefix` before every pointer, for a value that sits inside another.
    #[must_use]
    pub fn under(mut self, prefix: &str) -> Self {
        for fault in &mut self.0 {
            fault.pointer.insert_str(0, prefix);
        }
        self
    }

    /// Takes over the faults of another collection.
    pub fn extend(&mut self, other: Self) {
        for fault in other.0 {
            self.add(fault.pointer, fault.code, fault.detail);
        }
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The faults, in the order in which they were found.
    #[must_use]
    pub fn into_vec(self) -> Vec<Fault> {
        self.0
    }
}

/// A name as one segment of a JSON Pointer (RFC 6901 §3).
#[must_use]
pub fn pointer_segment(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
