//! An auth method as it was found, to be used.

use std::{
    ops::Deref,
    sync::{Arc, OnceLock},
};

use super::{AuthMethod, StoredMethod};
use crate::model::fault::Faults;

/// An auth method as it was found. It does not change any more, so it is parsed once, however many
/// instances use it.
#[derive(Debug, Clone)]
pub struct FoundMethod {
    stored: Arc<StoredMethod>,
    parsed: Arc<OnceLock<Arc<AuthMethod>>>,
}

impl FoundMethod {
    /// What the method means.
    ///
    /// # Errors
    /// The faults of the definition; there are none in one that was saved by this version.
    pub fn parse(&self) -> Result<Arc<AuthMethod>, Faults> {
        if let Some(parsed) = self.parsed.get() {
            return Ok(Arc::clone(parsed));
        }
        let parsed = Arc::new(self.stored.parse()?);
        Ok(Arc::clone(self.parsed.get_or_init(|| parsed)))
    }
}

impl From<Arc<StoredMethod>> for FoundMethod {
    fn from(stored: Arc<StoredMethod>) -> Self {
        Self {
            stored,
            parsed: Arc::default(),
        }
    }
}

impl From<StoredMethod> for FoundMethod {
    fn from(stored: StoredMethod) -> Self {
        Arc::new(stored).into()
    }
}

impl Deref for FoundMethod {
    type Target = StoredMethod;

    fn deref(&self) -> &StoredMethod {
        &self.stored
    }
}
