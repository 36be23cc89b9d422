//! Which variables stand in the host of a URL template.

/// Where in a URL a variable stands, if it can change where the URL leads.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Place {
    /// It is the start of the URL, with its scheme.
    Url,
    /// It is the whole host.
    Host,
    /// It is the end of the host.
    Ending,
    /// It is within a host that ends in something else.
    Label,
}

/// The variables in the host of a URL template.
pub(crate) fn places(url: &str) -> Vec<(String, Place)> {
    if let Some(hole) = url
        .strip_prefix("{{")
        .and_then(|rest| rest.split_once("}}"))
    {
        return keys(hole.0)
            .into_iter()
            .map(|key| (key, Place::Url))
            .collect();
    }
    let host = host(url);
    let mut found = Vec::new();
    let mut before = "";
    let mut rest = host;
    while let Some((text, (hole, behind))) = rest
        .split_once("{{")
        .and_then(|(text, rest)| Some((text, rest.split_once("}}")?)))
    {
        let first = before.is_empty() && text.is_empty();
        let last = behind.is_empty() || behind.starts_with(':');
        let place = match (first, last) {
            (true, true) => Place::Host,
            (false, true) => Place::Ending,
            (_, false) => Place::Label,
        };
        found.extend(keys(hole).into_iter().map(|key| (key, place)));
        (before, rest) = ("x", behind);
    }
    found
}

/// The host of a URL template, with the port if it has one.
fn host(url: &str) -> &str {
    let Some((_, rest)) = url.split_once("://") else {
        return "";
    };
    let mut depth = 0_usize;
    let end = rest.char_indices().find(|(_, letter)| {
        match letter {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && matches!(letter, '/' | '?' | '#')
    });
    end.and_then(|(at, _)| rest.get(..at)).unwrap_or(rest)
}

/// The variables that a hole names: `a` and `b` in `a | default(b)`.
fn keys(hole: &str) -> Vec<String> {
    let steps = hole.split('|').map(str::trim);
    let names = steps.enumerate().filter_map(|(index, step)| {
        let defaulted = step
            .strip_prefix("default(")
            .and_then(|rest| rest.strip_suffix(')'));
        if index == 0 { Some(step) } else { defaulted }
    });
    names
        .filter(|name| !name.starts_with('\''))
        .map(str::to_owned)
        .collect()
}

/// The domain that the literal end of a URL's host lies in: `*.example.com` of `https://{{x}}.api.example.com`.
pub(crate) fn domain(url: &str) -> Option<String> {
    let host = host(url);
    let (holed, literal) = host
        .rsplit_once("}}")
        .map_or((false, host), |(_, end)| (true, end));
    let labels: Vec<&str> = literal
        .split(':')
        .next()?
        .split('.')
        .filter(|label| !label.is_empty())
        .collect();
    // What is glued to a hole isn't a whole label.
    let whole = if holed && !literal.starts_with('.') {
        labels.get(1..)?
    } else {
        labels.as_slice()
    };
    let count = if matches!(whole, [.., _, second, top] if top.len() == 2 && second.len() <= 3) {
        3
    } else {
        2
    };
    let own = whole.get(whole.len().checked_sub(count)?..)?;
    let known = own
        .last()
        .is_some_and(|top| top.chars().all(|letter| letter.is_ascii_alphabetic()));
    known.then(|| format!("*.{}", own.join(".")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_in_the_host_are_found_with_their_place() {
        let cases: [(&str, &[(&str, Place)]); 9] = [
            ("https://example.com/{{a}}?b={{c}}", &[]),
            ("{{base}}/token", &[("base", Place::Url)]),
            ("https://{{host}}/a", &[("host", Place::Host)]),
            ("https://{{host}}:8443", &[("host", Place::Host)]),
            (
                "https://{{shop}}.example.com/{{x}}",
                &[("shop", Place::Label)],
            ),
            (
                "https://accounts.zoho.{{ending}}/oauth",
                &[("ending", Place::Ending)],
            ),
            (
                "https://{{a}}.{{b}}",
                &[("a", Place::Label), ("b", Place::Ending)],
            ),
            (
                "https://{{a | default(b)}}/x",
                &[("a", Place::Host), ("b", Place::Host)],
            ),
            (
                "https://{{a | default('x/y.com')}}/{{b}}",
                &[("a", Place::Host)],
            ),
        ];
        for (url, expected) in cases {
            let found = places(url);
            let found: Vec<_> = found
                .iter()
                .map(|(key, place)| (key.as_str(), *place))
                .collect();
            assert_eq!(found, expected, "{url}");
        }
    }

    #[test]
    fn the_literal_end_of_a_host_is_a_domain() {
        for (url, expected) in [
            ("https://login.example.com/x", Some("*.example.com")),
            ("https://{{x}}.api.example.com", Some("*.example.com")),
            ("https://x.example.co.uk", Some("*.example.co.uk")),
            ("https://{{x}}-live.example.com:80", Some("*.example.com")),
            ("https://{{x}}.com", None),
            ("https://{{x}}", None),
            ("https://127.0.0.1", None),
            ("https://x.{{y}}", None),
            ("{{x}}/a", None),
        ] {
            assert_eq!(domain(url).as_deref(), expected, "{url}");
        }
    }
}
