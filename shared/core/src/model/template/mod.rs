//! Text with holes: `{{name}}`, `{{name | function}}`.
//!
//! # Why
//! A definition says where values go; it must not be able to say anything else. So a template is
//! parsed once, when the definition is saved. A hole names a value and the pure functions that it
//! goes through, and nothing more: there are no loops, no conditions and no code.
//!
//! # How it works
//! `{{account}}` and `{{variable.account}}` are the same hole. A value that is missing when the
//! template is filled is an error: never an empty string, never a literal `{{…}}` on the wire.
//! What a value must be escaped for is known by whoever fills the template ([`Template::fill_with`]).

mod pipe;
mod reference;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub use pipe::{LONGEST_RANDOM, Pipe};
pub use reference::{Namespace, Reference, is_key};

use super::function::FunctionError;

/// The longest template, in bytes.
pub const LONGEST: usize = 4096;

/// Why a text is not a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A `{{` has no `}}`.
    #[error("a hole is not closed: '{{{{' without '}}}}'")]
    Unclosed,
    /// A hole's name is not a name.
    #[error("'{0}' is not a name: use a letter, then letters, digits and '_'")]
    Name(String),
    /// A hole names something that does not exist.
    #[error("'{0}' names nothing that a template can use")]
    Unknown(String),
    /// A hole calls a function that doesn't exist.
    #[error("there is no function '{name}'{hint}")]
    Function {
        /// The name.
        name: String,
        /// A question that names the nearest one, if any is near.
        hint: String,
    },
    /// A hole asks for something that can't be.
    #[error("{0}")]
    Impossible(String),
    /// It is longer than [`LONGEST`].
    #[error("it is longer than {LONGEST} bytes")]
    TooLong,
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text that stands for itself.
    Literal(Box<str>),
    /// A place that a value fills.
    Hole(Pipe),
}

/// Why a template could not be filled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfilled {
    /// A value that it needs is not there.
    #[error("no value for '{0}'")]
    Missing(Reference),
    /// A function could not do its work.
    #[error("'{function}' failed: {error}")]
    Function {
        /// Its name.
        function: &'static str,
        /// Why.
        error: FunctionError,
    },
}

/// Gives the values of holes.
pub trait Values {
    /// The value that `reference` names, if there is one.
    fn value(&self, reference: &Reference) -> Option<Cow<'_, str>>;
}

/// A parsed template; the default one is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

impl Template {
    /// Parses a text.
    ///
    /// # Errors
    /// [`TemplateError`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.len() > LONGEST {
            return Err(TemplateError::TooLong);
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((literal, after)) = rest.split_once("{{") {
            let (name, after) = close(after).ok_or(TemplateError::Unclosed)?;
            if !literal.is_empty() {
                pieces.push(Piece::Literal(literal.into()));
            }
            pieces.push(Piece::Hole(Pipe::parse(name.trim())?));
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Literal(rest.into()));
        }
        Ok(Self(pieces))
    }

    /// Its pieces, in order.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// Its text, if it has no holes.
    #[must_use]
    pub fn literal(&self) -> Option<String> {
        match self.0.as_slice() {
            [] => Some(String::new()),
            [Piece::Literal(text)] => Some(text.to_string()),
            _ => None,
        }
    }

    /// Its holes, in order.
    pub fn pipes(&self) -> impl Iterator<Item = &Pipe> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Hole(pipe) => Some(pipe),
            Piece::Literal(_) => None,
        })
    }

    /// What its holes name, in order.
    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        self.pipes().flat_map(Pipe::references)
    }

    /// Fills every hole with its value as it is, without any escaping.
    ///
    /// # Errors
    /// [`Unfilled`] for the first hole that can't be filled.
    pub fn fill(&self, values: &dyn Values) -> Result<String, Unfilled> {
        self.fill_with(values, |value| value)
    }

    /// Fills every hole with its value as `escape` makes it.
    ///
    /// # Errors
    /// [`Unfilled`] for the first hole that can't be filled.
    pub fn fill_with(
        &self,
        values: &dyn Values,
        escape: impl Fn(String) -> String,
    ) -> Result<String, Unfilled> {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Hole(pipe) => text.push_str(&escape(pipe.fill(values)?)),
            }
        }
        Ok(text)
    }
}

/// What stands before and after the `}}` that closes a hole; one between quotes closes nothing.
fn close(text: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), _) => quote = (c != open).then_some(open),
            (None, '\'' | '"') => quote = Some(c),
            (None, '}') if text.get(at..)?.starts_with("}}") => {
                return Some((text.get(..at)?, text.get(at + 2..)?));
            }
            (None, _) => {}
        }
    }
    None
}
