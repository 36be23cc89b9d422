//! What is drawn once for a request: its time, its id, its random text.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::model::Secret;

/// The time, the id and the random text of one request, so that whatever names one of them twice
/// sends the same twice.
#[derive(Debug, Clone)]
pub struct Moment {
    /// When.
    pub now: Timestamp,
    /// A UUID (RFC 9562).
    pub uuid: String,
    /// Letters and digits, as many as anyone may ask for.
    pub random: Secret,
}

impl Moment {
    /// The text of `uuid`, `random.LENGTH` or `now.FORM`.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<Cow<'_, str>> {
        match key.split_once('.') {
            None => (key == "uuid").then_some(Cow::Borrowed(&*self.uuid)),
            Some(("random", length)) => {
                let random = self.random.expose().get(..length.parse().ok()?)?;
                Some(Cow::Borrowed(random))
            }
            Some(("now", "unix")) => Some(self.now.as_second().to_string().into()),
            Some(("now", "unix_ms")) => Some(self.now.as_millisecond().to_string().into()),
            Some(("now", "iso8601")) => Some(format!("{:.0}", self.now).into()),
            Some(_) => None,
        }
    }
}
