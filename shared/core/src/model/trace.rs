//! Traces: what AWS X-Ray calls all that one request has led to.

use std::fmt;

/// The id of a trace, as X-Ray shows it and finds log lines by it: `1-5759e988-bd862e3fe1be46a994272793`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TraceId<'a>(&'a str);

impl<'a> TraceId<'a> {
    /// The id in a header such as `Root=1-…;Parent=…;Sampled=1`
    /// (<https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader>).
    #[must_use]
    pub fn of(header: &'a str) -> Option<Self> {
        let mut fields = header.split(';').map(str::trim);
        fields
            .find_map(|field| field.strip_prefix("Root="))
            .map(Self)
    }
}

impl fmt::Display for TraceId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_the_root_wherever_it_stands() {
        for (header, id) in [
            (
                "Root=1-5759e988-bd86;Parent=53995c3f42cd8ad8;Sampled=1",
                Some("1-5759e988-bd86"),
            ),
            (
                "Self=1-67891234-1234; Root=1-67891233-abcd",
                Some("1-67891233-abcd"),
            ),
            ("Sampled=0", None),
            ("", None),
        ] {
            let found = TraceId::of(header).map(|id| id.to_string());
            assert_eq!(found.as_deref(), id, "{header}");
        }
    }
}
