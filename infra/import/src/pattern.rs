//! Regular expressions of JavaScript as ours, which have no look-around.

use regex_lite::Regex;

/// A pattern that the whole value must match, and one that it must not.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Patterns {
    pub(crate) pattern: Option<String>,
    pub(crate) not_pattern: Option<String>,
}

/// Says a JavaScript pattern, which matches anywhere in a value unless it is anchored, in our language.
pub(crate) fn convert(source: &str) -> Result<Patterns, &'static str> {
    let source = source.replace("\\/", "/");
    let anchored = source.strip_prefix('^');
    let mut rest = anchored.unwrap_or(&source);
    let mut refused = Vec::new();
    while let Some((inside, behind)) = anchored.and_then(|_| group(rest, "(?!")) {
        refused.push(to_the_end(inside)?);
        rest = behind;
    }
    let end = rest
        .strip_suffix('$')
        .filter(|body| !ends_in_backslash(body));
    let mut body = end.unwrap_or(rest);
    if let Some((before, inside)) = end.and_then(look_behind) {
        refused.push(format!(".*{}", grouped(inside)));
        body = before;
    }
    finish(body, anchored.is_some(), end.is_some(), &refused)
}

fn finish(
    body: &str,
    starts: bool,
    ends: bool,
    refused: &[String],
) -> Result<Patterns, &'static str> {
    let looks_around = |text: &str| {
        ["(?=", "(?!", "(?<=", "(?<!"]
            .iter()
            .any(|start| text.contains(start))
    };
    if looks_around(body) || refused.iter().any(|text| looks_around(text)) {
        return Err("it looks around in a way that a pattern without look-around can't say");
    }
    let not_pattern = (!refused.is_empty()).then(|| refused.join("|"));
    let alternatives = bars(body) > 0;
    let pattern = match (starts, ends) {
        (true, true) if alternatives => without_anchors(body)
            .filter(|_| not_pattern.is_none())
            .ok_or(HALF)?,
        (true, true) => body.to_owned(),
        (false, false) => format!(".*{}.*", grouped(body)),
        _ if alternatives => return Err(HALF),
        (true, false) => format!("{body}.*"),
        (false, true) => format!(".*{body}"),
    };
    checked(pattern, not_pattern)
}

const HALF: &str = "its alternatives are anchored each in its own way";

/// `^a$|^b$`, whose outer anchors are gone already, without the inner ones.
fn without_anchors(body: &str) -> Option<String> {
    (body.matches("$|^").count() == bars(body)).then(|| body.replace("$|^", "|"))
}

fn grouped(text: &str) -> String {
    if bars(text) > 0 {
        format!("({text})")
    } else {
        text.to_owned()
    }
}

fn checked(pattern: String, not_pattern: Option<String>) -> Result<Patterns, &'static str> {
    let compiles = |text: &str| Regex::new(&format!("^(?:{text})$")).is_ok();
    if compiles(&pattern) && not_pattern.as_deref().is_none_or(compiles) {
        return Ok(Patterns {
            pattern: Some(pattern),
            not_pattern,
        });
    }
    Err("it isn't a regular expression that is known here")
}

/// What a look-ahead refuses, to the end of the value.
fn to_the_end(inside: &str) -> Result<String, &'static str> {
    let whole = inside
        .strip_suffix('$')
        .filter(|body| !ends_in_backslash(body));
    match whole {
        Some(_) if bars(inside) > 0 => Err(HALF),
        Some(body) => Ok(body.to_owned()),
        None => Ok(format!("{}.*", grouped(inside))),
    }
}

/// The content of a group that the text starts with, and what is behind it.
fn group<'t>(text: &'t str, start: &str) -> Option<(&'t str, &'t str)> {
    let inside = text.strip_prefix(start)?;
    let end = closing(inside)?;
    Some((inside.get(..end)?, inside.get(end + 1..)?))
}

/// A text that ends in a negative look-behind: what is before it, and its content.
fn look_behind(text: &str) -> Option<(&str, &str)> {
    let (body, behind) = text.rsplit_once("(?<!")?;
    let end = closing(behind)?;
    (end + 1 == behind.len()).then_some((body, behind.get(..end)?))
}

/// Where the bracket that is open at the start is closed.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 1_usize;
    for (at, letter) in unescaped(text) {
        match letter {
            '(' => depth += 1,
            ')' if depth == 1 => return Some(at),
            ')' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// How many bars separate alternatives of the whole.
fn bars(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut bars = 0;
    for (_, letter) in unescaped(text) {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '|' if depth == 0 => bars += 1,
            _ => {}
        }
    }
    bars
}

/// The letters that aren't escaped and stand in no character class.
fn unescaped(text: &str) -> impl Iterator<Item = (usize, char)> {
    let mut escaped = false;
    let mut class = false;
    text.char_indices().filter(move |(_, letter)| {
        let plain = !escaped && !class;
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => class = true,
            ']' => class = false,
            _ => {}
        }
        plain
    })
}

fn ends_in_backslash(text: &str) -> bool {
    text.chars()
        .rev()
        .take_while(|letter| *letter == '\\')
        .count()
        % 2
        == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_lose_their_anchors_and_look_around() {
        let cases = [
            ("^[a-z0-9_-]+$", "[a-z0-9_-]+", None),
            ("[a-z]+", ".*[a-z]+.*", None),
            ("a|b", ".*(a|b).*", None),
            ("^[a-z]+", "[a-z]+.*", None),
            ("^(live|test)$", "(live|test)", None),
            ("^a$|^b$", "a|b", None),
            (r"^https:\/\/x$", "https://x", None),
            (r"^a\$", r"a\$.*", None),
            (r"^[)|(]+$", r"[)|(]+", None),
            (
                r"^(?!.*\.lightning\.com$).+\.com$",
                r".+\.com",
                Some(r".*\.lightning\.com"),
            ),
            (r"^(?!www)(?!api$)[a-z]+$", "[a-z]+", Some("www.*|api")),
            (r"^[a-z.]+(?<!\.local)$", "[a-z.]+", Some(r".*\.local")),
        ];
        for (source, pattern, not_pattern) in cases {
            let found = convert(source).unwrap();
            assert_eq!(
                (found.pattern.as_deref(), found.not_pattern.as_deref()),
                (Some(pattern), not_pattern),
                "{source}"
            );
        }
    }

    #[test]
    fn what_cannot_be_said_is_refused() {
        for source in [
            "^(?=.{3,5}$)[a-z]+$",
            "^a(?!b)c$",
            "^(?<=a)b$",
            r"^(a)\1$",
            r"^\p{L}+$",
            "^a|b$",
            "^a|b",
            "(",
            "^(?!(?!a)b)c$",
            "^(?!a|b$)c$",
            "^(?!x)a|b$",
            "[",
        ] {
            assert!(convert(source).is_err(), "{source}: {:?}", convert(source));
        }
    }

    /// What the source accepts and refuses, ours does as well.
    #[test]
    fn a_converted_pattern_means_the_same() {
        let found = convert(
            r"^(?!.*\.lightning\.(force|salesforce)\.com$)[A-Za-z0-9.-]+\.(force|salesforce)\.com$",
        )
        .unwrap();
        let whole = |pattern: &Option<String>, value: &str| {
            pattern.as_ref().is_some_and(|pattern| {
                Regex::new(&format!("^(?:{pattern})$"))
                    .unwrap()
                    .is_match(value)
            })
        };
        let accepts =
            |value: &str| whole(&found.pattern, value) && !whole(&found.not_pattern, value);
        assert!(accepts("acme.my.salesforce.com"));
        assert!(!accepts("acme.lightning.force.com"));
        assert!(!accepts("acme.example.com"));
    }
}
