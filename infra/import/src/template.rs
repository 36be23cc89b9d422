//! Taking apart the templates of other systems.

/// A piece of a template.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Part<'t> {
    /// What stands for itself.
    Text(&'t str),
    /// What is between the brackets.
    Hole(&'t str),
}

/// Cuts a template at its brackets, which may be nested.
pub(crate) fn parts<'t>(
    text: &'t str,
    open: &str,
    close: &str,
) -> Result<Vec<Part<'t>>, &'static str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(open) {
        push_text(&mut parts, before)?;
        let (hole, behind) =
            cut_hole(after, open, close).ok_or("a bracket in it is never closed")?;
        parts.push(Part::Hole(hole.trim()));
        rest = behind;
    }
    push_text(&mut parts, rest)?;
    Ok(parts)
}

fn push_text<'t>(parts: &mut Vec<Part<'t>>, text: &'t str) -> Result<(), &'static str> {
    if text.contains("{{") {
        return Err("it has {{ in it, which would be a template here");
    }
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
    Ok(())
}

/// The text up to the bracket that closes, and what is behind it.
fn cut_hole<'t>(text: &'t str, open: &str, close: &str) -> Option<(&'t str, &'t str)> {
    let mut depth = 0_usize;
    let mut at = 0_usize;
    loop {
        let rest = text.get(at..)?;
        let end = rest.find(close)?;
        if let Some(start) = rest.find(open).filter(|start| *start < end) {
            depth += 1;
            at += start + open.len();
        } else if depth > 0 {
            depth -= 1;
            at += end + close.len();
        } else {
            return Some((text.get(..at + end)?, text.get(at + end + close.len()..)?));
        }
    }
}

/// Writes a template in our language; `hole` says what a bracket's content is here.
pub(crate) fn render(
    parts: &[Part<'_>],
    mut hole: impl FnMut(&str) -> Result<String, String>,
) -> Result<String, String> {
    parts.iter().try_fold(String::new(), |out, part| {
        Ok(match part {
            Part::Text(text) => out + text,
            Part::Hole(inside) => out + &hole(inside)?,
        })
    })
}

/// A source as a template.
pub(crate) fn wrap(source: &str) -> String {
    format!("{{{{{source}}}}}")
}

/// The text as an argument of a function.
pub(crate) fn argument(text: &str) -> Result<String, String> {
    if text.contains(['\'', '\\', '{', '}']) {
        return Err(format!("{text:?} can't be a text within a template"));
    }
    Ok(format!("'{text}'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_cut_at_their_brackets() {
        let cases: [(&str, &[Part<'_>]); 5] = [
            ("", &[]),
            ("plain", &[Part::Text("plain")]),
            (
                "a${b}c",
                &[Part::Text("a"), Part::Hole("b"), Part::Text("c")],
            ),
            ("${ a }${b}", &[Part::Hole("a"), Part::Hole("b")]),
            (
                "${f(${a}:${b})}!",
                &[Part::Hole("f(${a}:${b})"), Part::Text("!")],
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(parts(text, "${", "}").unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn open_brackets_and_our_own_are_refused() {
        for text in ["${a", "${a${b}", "x{{y}}", "${", "{{"] {
            assert!(parts(text, "${", "}").is_err(), "{text}");
        }
    }
}
