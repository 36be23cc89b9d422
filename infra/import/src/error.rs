use crate::Imported;

/// Why nothing could be imported.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ImportError {
    /// The text isn't YAML or JSON.
    #[error("line {line}, column {column}: {why}")]
    Syntax {
        /// The line, from 1; 0 if the parser can't tell.
        line: u64,
        /// The column, from 1; 0 if the parser can't tell.
        column: u64,
        /// What the parser says.
        why: String,
    },
    /// The document hasn't the form of its source.
    #[error("{at}: {why}")]
    Shape {
        /// The field.
        at: String,
        /// What is wrong with it.
        why: String,
    },
    /// The document is well-formed, but none of its entries is an authorisation-code flow.
    #[error("there is no authorisation-code flow in it: {why}")]
    Nothing {
        /// What was found instead.
        why: String,
    },
}

impl ImportError {
    pub(crate) fn shape(at: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Shape {
            at: at.into(),
            why: why.into(),
        }
    }

    /// Says of each entry why it was left out.
    pub(crate) fn nothing(entries: &[Imported]) -> Self {
        let whys: Vec<String> = entries.iter().map(why_not).collect();
        Self::Nothing {
            why: if whys.is_empty() {
                "it has no entries".to_owned()
            } else {
                whys.join("; ")
            },
        }
    }
}

fn why_not(entry: &Imported) -> String {
    let whys: Vec<String> = entry
        .unsaid
        .iter()
        .map(|unsaid| format!("{}: {}", unsaid.at, unsaid.why))
        .collect();
    format!("{} ({})", entry.name, whys.join(", "))
}

impl From<serde_json::Error> for ImportError {
    fn from(error: serde_json::Error) -> Self {
        let place = |number: usize| u64::try_from(number).unwrap_or_default();
        Self::Syntax {
            line: place(error.line()),
            column: place(error.column()),
            why: error.to_string(),
        }
    }
}

impl From<serde_saphyr::Error> for ImportError {
    fn from(error: serde_saphyr::Error) -> Self {
        let (line, column) = error
            .location()
            .map_or((0, 0), |place| (place.line(), place.column()));
        Self::Syntax {
            line,
            column,
            why: error.without_snippet().to_string(),
        }
    }
}
