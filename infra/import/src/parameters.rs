//! Parameters that a source writes out in full, as the difference from those that are there already.

use serde_json::Value;

use crate::document::Document;

/// A parameter: its name and its template.
pub(crate) type Parameter = (String, String);

/// Writes those that differ from the built-in ones, and `null` for built-in ones that aren't there.
pub(crate) fn write(
    document: &mut Document,
    path: &[&str],
    found: &[Parameter],
    built_in: &[(&str, &str)],
) {
    let is_there = |name: &str| found.iter().any(|(own, _)| own == name);
    for (name, _) in built_in.iter().filter(|(name, _)| !is_there(name)) {
        document.put(&[path, &[name]].concat(), Value::Null);
    }
    for (name, value) in found {
        if !built_in
            .iter()
            .any(|(own, template)| own == name && template == value)
        {
            document.put(&[path, &[name.as_str()]].concat(), value.as_str());
        }
    }
}

/// The parameters of a query string or a form, their names and values decoded.
pub(crate) fn split(text: &str) -> impl Iterator<Item = (String, String)> {
    url::form_urlencoded::parse(text.trim().trim_start_matches(['?', '&']).as_bytes()).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fields::Report;

    #[test]
    fn only_the_difference_is_written() {
        let found = [("a", "1"), ("b", "other"), ("d", "4")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut document = Document::default();
        write(
            &mut document,
            &["token", "body"],
            &found,
            &[("a", "1"), ("b", "2"), ("c", "3")],
        );
        let written = document.finish("x", Report::default()).definition;
        assert_eq!(
            written,
            json!({"token": {"body": {"c": null, "b": "other", "d": "4"}}})
        );
    }
}
