//! Texts with expressions in them, and chains of those: `a || b` is `b` where `a` lacks a value.

use serde_json::{Value, json};

use super::{Draft, expression};
use crate::{
    fields::text_of,
    template::{argument, parts, render},
};

impl Draft {
    /// A text as one template. What can't be said is reported under its path.
    pub(super) fn template(&mut self, at: &str, text: &str) -> Option<String> {
        let alternatives = self.alternatives(at, text);
        let (last, earlier) = alternatives.split_last()?;
        let merged = earlier
            .iter()
            .rev()
            .try_fold(last.clone(), |rest, first| with_fallback(first, &rest));
        if merged.is_none() {
            self.report.note(
                at,
                "only the first of its alternatives is here, as they can't be said as one text",
            );
        }
        merged.or_else(|| alternatives.first().cloned())
    }

    /// A URL, or several of which the first that has all its values is called.
    pub(super) fn url(&mut self, at: &str, text: &str) -> Vec<String> {
        let urls: Vec<String> = self
            .alternatives(at, text)
            .into_iter()
            .filter(|url| self.is_url(at, url))
            .collect();
        self.urls.extend(urls.iter().cloned());
        urls
    }

    fn is_url(&mut self, at: &str, url: &str) -> bool {
        let is_url = ["https://", "http://", "{{"]
            .iter()
            .any(|start| url.starts_with(start));
        if !is_url {
            self.report.note(at, format!("{url:?} is no URL"));
        }
        is_url
    }

    fn alternatives(&mut self, at: &str, text: &str) -> Vec<String> {
        let alternatives = split_chain(text);
        let needed = alternatives.len() == 1;
        alternatives
            .into_iter()
            .filter_map(|text| self.alternative(at, text, needed))
            .collect()
    }

    fn alternative(&mut self, at: &str, text: &str, needed: bool) -> Option<String> {
        let variables = &mut self.variables;
        let rendered = parts(text, "${", "}")
            .map_err(str::to_owned)
            .and_then(|parts| {
                render(&parts, |inside| {
                    expression::render(inside, variables, needed)
                })
            });
        rendered.map_err(|why| self.report.note(at, why)).ok()
    }

    /// The value of a parameter. In JSON, what isn't a text keeps its kind.
    pub(super) fn parameter(&mut self, at: &str, value: &Value, json: bool) -> Option<Value> {
        let Some(text) = text_of(value) else {
            self.report.note(at, "a text was expected");
            return None;
        };
        let template = if text.is_empty() {
            text
        } else {
            self.template(at, &text)?
        };
        Some(match value {
            Value::Bool(_) if json => json!({ "value": template, "as": "boolean" }),
            Value::Number(_) if json => json!({ "value": template, "as": "number" }),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_) => template.into(),
        })
    }
}

/// Cuts at `||`, except within `${…}`.
fn split_chain(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut start = 0;
    for (at, _) in text.match_indices("||") {
        let before = text.get(start..at).unwrap_or_default();
        if before.matches("${").count() == before.matches('}').count() {
            out.push(before.trim());
            start = at + 2;
        }
    }
    out.push(text.get(start..).unwrap_or_default().trim());
    out
}

/// One template for two: they may differ in one place, where the first has a value that can be missing.
fn with_fallback(first: &str, second: &str) -> Option<String> {
    let before = common_start(first, second);
    let (one, two) = (first.strip_prefix(before)?, second.strip_prefix(before)?);
    let behind = common_end(one, two);
    let hole = only_hole(one.strip_suffix(behind)?)?;
    let fallback = fallback(two.strip_suffix(behind)?)?;
    Some(format!("{before}{{{{{hole} | {fallback}}}}}{behind}"))
}

fn fallback(text: &str) -> Option<String> {
    let Some(hole) = only_hole(text) else {
        return Some(format!("default({})", argument(text).ok()?));
    };
    Some(match hole.split_once(" | ") {
        Some((source, more)) => format!("default({source}) | {more}"),
        None => format!("default({hole})"),
    })
}

/// How both start, up to the first hole that they don't share.
fn common_start<'t>(one: &'t str, other: &str) -> &'t str {
    let start = agreed(one.chars().zip(other.chars()));
    let start = one.get(..start).unwrap_or_default().trim_end_matches('{');
    let cut = start
        .rfind("{{")
        .filter(|open| start.rfind("}}").is_none_or(|close| close < *open));
    start.get(..cut.unwrap_or(start.len())).unwrap_or_default()
}

/// How both end, from the last hole on that they don't share.
fn common_end<'t>(one: &'t str, other: &str) -> &'t str {
    let length = agreed(one.chars().rev().zip(other.chars().rev()));
    let end = one
        .get(one.len() - length..)
        .unwrap_or_default()
        .trim_start_matches('}');
    let cut = end
        .find("}}")
        .filter(|close| end.find("{{").is_none_or(|open| *close < open));
    end.get(cut.map_or(0, |close| close + 2)..)
        .unwrap_or_default()
}

fn agreed(pairs: impl Iterator<Item = (char, char)>) -> usize {
    pairs
        .take_while(|(one, other)| one == other)
        .map(|(letter, _)| letter.len_utf8())
        .sum()
}

/// What is in the hole, if the text is one hole.
fn only_hole(text: &str) -> Option<&str> {
    let inside = text.strip_prefix("{{")?.strip_suffix("}}")?;
    (!inside.contains("{{")).then_some(inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_are_cut_outside_of_expressions() {
        assert_eq!(split_chain("a || ${b || c} || d"), ["a", "${b || c}", "d"]);
        assert_eq!(split_chain(""), [""]);
    }

    #[test]
    fn two_templates_become_one_if_they_differ_in_one_value() {
        for (first, second, expected) in [
            ("{{a}}", "{{b}}", Some("{{a | default(b)}}")),
            ("{{a}}", "x", Some("{{a | default('x')}}")),
            (
                "https://{{a}}",
                "https://x.com",
                Some("https://{{a | default('x.com')}}"),
            ),
            (
                "https://{{a}}/api",
                "https://x.com/api",
                Some("https://{{a | default('x.com')}}/api"),
            ),
            (
                "{{a}}",
                "{{b | default('c')}}",
                Some("{{a | default(b) | default('c')}}"),
            ),
            ("{{abc}}", "{{abd}}", Some("{{abc | default(abd)}}")),
            ("{{xa}}/é", "{{ya}}/é", Some("{{xa | default(ya)}}/é")),
            (
                "{{z}}/{{a}}",
                "{{z}}/{{b}}",
                Some("{{z}}/{{a | default(b)}}"),
            ),
            ("{{a}}-{{b}}", "x", None),
            ("x", "{{a}}", None),
            ("{{a}}", "it's", None),
        ] {
            assert_eq!(
                with_fallback(first, second).as_deref(),
                expected,
                "{first} {second}"
            );
        }
    }
}
