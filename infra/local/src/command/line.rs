//! The line of a file that a JSON Pointer is about.

/// Finds the line, counted from 1, by the names of the pointer: each is looked for as a key further in than the one
/// before. It knows block style, and keys at the beginning of lines, and gives the line of the nearest part that it
/// can find; `None` where it finds nothing.
pub(super) fn line(text: &str, pointer: &str) -> Option<usize> {
    let lines: Vec<&str> = text.lines().collect();
    let mut at = Cursor {
        lines: &lines,
        line: 0,
        inner: 0,
        found: None,
    };
    for segment in pointer.split('/').skip(1) {
        let name = segment.replace("~1", "/").replace("~0", "~");
        let known = match name.parse::<usize>() {
            Ok(index) => at.item(index),
            Err(_) => at.key(&name),
        };
        if known.is_none() {
            break;
        }
    }
    at.found.map(|line| line + 1)
}

/// Where in a file a search has come.
struct Cursor<'a> {
    lines: &'a [&'a str],
    /// The first line that may hold what comes next.
    line: usize,
    /// How far in it must be at least.
    inner: usize,
    found: Option<usize>,
}

impl Cursor<'_> {
    /// The lines of the block at hand, each with how far in its content begins.
    fn block(&self) -> impl Iterator<Item = (usize, usize, &str)> {
        let inner = self.inner;
        self.lines
            .iter()
            .enumerate()
            .skip(self.line)
            .filter(|(_, line)| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
            .map(|(number, line)| (number, indent(line), line.trim_start()))
            .take_while(move |(_, indent, _)| *indent >= inner)
    }

    fn key(&mut self, name: &str) -> Option<()> {
        let (_, level, _) = self
            .block()
            .find(|(_, _, line)| !line.starts_with(['{', '}', '[', ']']))?;
        let dash = |line: &str| line.len() - line.trim_start_matches(['-', ' ']).len();
        let level = self.block().next().map_or(level, |(_, indent, line)| {
            match line.starts_with(['{', '[']) {
                true => level,
                false => indent + dash(line),
            }
        });
        let (number, _, _) = self.block().find(|(_, indent, line)| {
            indent + dash(line) == level && is_key(line.trim_start_matches(['-', ' ']), name)
        })?;
        self.enter(number, level + 1);
        Some(())
    }

    fn item(&mut self, index: usize) -> Option<()> {
        let (_, level, _) = self.block().find(|(_, _, line)| line.starts_with("- "))?;
        let (number, _, _) = self
            .block()
            .filter(|(_, indent, line)| *indent == level && line.starts_with("- "))
            .nth(index)?;
        self.found = Some(number);
        (self.line, self.inner) = (number, level);
        Some(())
    }

    fn enter(&mut self, number: usize, inner: usize) {
        self.found = Some(number);
        (self.line, self.inner) = (number + 1, inner);
        // A list may stand as far in as its key.
        let next = self.lines.get(self.line).copied().unwrap_or_default();
        if next.trim_start().starts_with("- ") && indent(next) + 1 == inner {
            self.inner -= 1;
        }
    }
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Whether a line begins with a key.
fn is_key(line: &str, name: &str) -> bool {
    let rest = match line.strip_prefix(['"', '\'']) {
        Some(quoted) => quoted
            .strip_prefix(name)
            .and_then(|rest| rest.strip_prefix(['"', '\''])),
        None => line.strip_prefix(name),
    };
    rest.is_some_and(|rest| rest.trim_start().starts_with(':'))
}

#[cfg(test)]
mod tests {
    use super::line;

    const YAML: &str = "\
# a comment
name: Shop
variables:
  - key: account
    label: Account

  - label: Region
    key: region
authorise:
  url: https://shop.example/a
  query: { a: b }
token:
  url: https://shop.example/t
  body:
    a: 1
    'b/c': 2
";

    #[test]
    fn a_pointer_is_found_in_yaml() {
        for (pointer, expected) in [
            ("/name", Some(2)),
            ("/variables", Some(3)),
            ("/variables/0", Some(4)),
            ("/variables/0/label", Some(5)),
            ("/variables/1", Some(7)),
            ("/variables/1/key", Some(8)),
            ("/authorise/url", Some(10)),
            ("/authorise/query/a", Some(11)),
            ("/token/url", Some(13)),
            ("/token/body/b~1c", Some(16)),
            ("/token/body/missing", Some(14)),
            ("/revoke", None),
        ] {
            assert_eq!(line(YAML, pointer), expected, "{pointer}");
        }
    }

    #[test]
    fn a_pointer_is_found_in_json_over_lines() {
        let json = "{\n  \"name\": \"Shop\",\n  \"token\": {\n    \"url\": \"https://shop.example/\"\n  }\n}\n";
        assert_eq!(line(json, "/token/url"), Some(4));
        assert_eq!(line("{}", "/token/url"), None);
    }
}
