//! Values that a provider would give for the variables that are captured.

use regex_lite::Regex;
use serde_json::Value;

use super::{json, scene::Scene};

/// A value for a captured variable that its declaration allows; none if nothing can be found.
pub(super) fn sample(scene: &Scene<'_>, key: &str, declared: &Value) -> Option<String> {
    if let Some(sample) = scene.known.samples.get(key) {
        return Some(sample.clone());
    }
    if let Some(equals) = json::member(declared, "equals") {
        return scene.render(&equals).ok();
    }
    candidates(key, declared)
        .into_iter()
        .find(|candidate| allows(declared, candidate))
}

/// A value that somebody may give for a variable; none if nothing can be found.
#[must_use]
pub fn given(key: &str, declared: &Value) -> Option<String> {
    let small = |candidate: &String| candidate.to_lowercase();
    let candidates = candidates(key, declared);
    let all = candidates.iter().map(small).chain(candidates.clone());
    all.into_iter()
        .find(|candidate| allows(declared, candidate))
}

fn candidates(key: &str, declared: &Value) -> Vec<String> {
    let mut found: Vec<_> = json::list(declared, "choices")
        .iter()
        .filter_map(|choice| json::text(choice).or_else(|| json::member(choice, "value")))
        .collect();
    let is_url = json::member(declared, "type").as_deref() == Some("url");
    for host in json::texts(declared, "hosts") {
        let host = host.replace('*', "acme");
        if !is_url {
            found.push(host.clone());
        }
        found.push(format!("https://{host}"));
    }
    if is_url {
        found.push("https://api.acme.example.com".to_owned());
    }
    found.extend(json::member(declared, "pattern").and_then(|pattern| made(&pattern)));
    found.push(format!("sample-{key}"));
    found
}

fn allows(declared: &Value, candidate: &str) -> bool {
    let whole = |pattern: String| {
        Regex::new(&format!("^(?:{pattern})$")).is_ok_and(|pattern| pattern.is_match(candidate))
    };
    let chosen = json::list(declared, "choices");
    let mut choices = chosen
        .iter()
        .filter_map(|choice| json::text(choice).or_else(|| json::member(choice, "value")));
    (chosen.is_empty() || choices.any(|choice| choice == candidate))
        && json::member(declared, "pattern").is_none_or(whole)
        && !json::member(declared, "not_pattern").is_some_and(whole)
        && is_at(declared, candidate)
}

fn is_at(declared: &Value, candidate: &str) -> bool {
    let hosts = json::texts(declared, "hosts");
    let host = candidate
        .split_once("://")
        .map_or(candidate, |(_, host)| host);
    let host = host.split(['/', ':']).next().unwrap_or_default();
    hosts.is_empty()
        || hosts.iter().any(|allowed| match allowed.strip_prefix('*') {
            Some(below) => host.ends_with(below),
            None => host == allowed,
        })
}

/// A text that a simple regular expression matches: of each class the first character, of each
/// repetition eight at the most, of each alternative the first.
fn made(pattern: &str) -> Option<String> {
    let mut rest: Vec<_> = pattern.chars().rev().collect();
    let text = alternatives(&mut rest)?;
    rest.is_empty().then_some(text)
}

fn alternatives(rest: &mut Vec<char>) -> Option<String> {
    let mut first = None;
    loop {
        let mut text = String::new();
        while let Some(&next) = rest.last() {
            if next == '|' || next == ')' {
                break;
            }
            let atom = atom(rest)?;
            let (least, most) = times(rest)?;
            let count = if least == 0 || atom.len() > 1 {
                least
            } else {
                most.min(8).max(least)
            };
            text.push_str(&atom.repeat(count));
        }
        first = first.or(Some(text));
        if rest.last() != Some(&'|') {
            return first;
        }
        rest.pop();
    }
}

fn atom(rest: &mut Vec<char>) -> Option<String> {
    match rest.pop()? {
        '(' => {
            for mark in ['?', ':'] {
                if rest.last() == Some(&mark) {
                    rest.pop();
                }
            }
            let text = alternatives(rest)?;
            (rest.pop()? == ')').then_some(text)
        }
        '[' => class(rest),
        '\\' => match rest.pop()? {
            'd' => Some("1".to_owned()),
            'w' => Some("a".to_owned()),
            other => Some(other.to_string()),
        },
        '.' => Some("a".to_owned()),
        '^' | '$' => Some(String::new()),
        other => Some(other.to_string()),
    }
}

fn class(rest: &mut Vec<char>) -> Option<String> {
    let first = rest.pop()?;
    if first == '^' {
        return None;
    }
    while rest.pop()? != ']' {}
    Some(first.to_string())
}

fn times(rest: &mut Vec<char>) -> Option<(usize, usize)> {
    let times = match rest.last() {
        Some('?') => (0, 1),
        Some('*') => (0, 8),
        Some('+') => (1, 8),
        Some('{') => {
            let mut inside = String::new();
            rest.pop();
            while *rest.last()? != '}' {
                inside.push(rest.pop()?);
            }
            let (least, most) = inside.split_once(',').unwrap_or((&inside, &inside));
            let least = least.parse().ok()?;
            (least, most.parse().unwrap_or(least + 8))
        }
        Some(_) | None => return Some((1, 1)),
    };
    rest.pop();
    Some(times)
}
