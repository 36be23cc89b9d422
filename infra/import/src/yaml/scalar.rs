//! Texts in YAML, in quotes where they need them.

/// A text behind its name or its hyphen.
pub(super) fn scalar(text: &str) -> String {
    if is_plain(text) {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// A text within brackets.
pub(super) fn flow_scalar(text: &str) -> String {
    if is_plain(text) && !text.contains([',', '[', ']', '{', '}', ':']) {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// Whether the text can stand without quotes and is read as the same text.
fn is_plain(text: &str) -> bool {
    let starts_well = text
        .starts_with(|first: char| first.is_ascii_alphabetic() || matches!(first, '/' | '_' | '.'))
        || (text.len() > 1
            && text.starts_with(|first: char| first.is_ascii_digit())
            && !looks_like_number(text));
    starts_well
        && text
            .chars()
            .all(|letter| matches!(letter, ' '..='~') || letter.is_alphanumeric())
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !means_something_else(text)
}

/// Numbers, dates and times, in any writing that some reader of YAML knows.
fn looks_like_number(text: &str) -> bool {
    let bare = |letter: char| letter.is_ascii_hexdigit() || "xob+-.:_TtZze ".contains(letter);
    text.chars().all(bare)
}

/// Words that some reader of YAML takes for something else than a text.
fn means_something_else(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let words = [
        "null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf", "infinity",
    ];
    let number = |text: &str| {
        text.starts_with(|first: char| first.is_ascii_digit()) && looks_like_number(text)
    };
    words.contains(&lower.as_str())
        || matches!(lower.as_str(), ".nan" | ".inf")
        || lower.starts_with("...")
        || number(lower.trim_start_matches('.'))
}

fn quoted(text: &str) -> String {
    let plain = text
        .chars()
        .all(|letter| matches!(letter, ' '..='~') || letter.is_alphanumeric());
    if plain && text.contains(['\\', '"']) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut out = String::from('"');
    text.chars()
        .for_each(|letter| push_escaped(&mut out, letter));
    out.push('"');
    out
}

fn push_escaped(out: &mut String, letter: char) {
    match letter {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\t' => out.push_str("\\t"),
        ' '..='~' => out.push(letter),
        letter if letter.is_alphanumeric() => out.push(letter),
        letter => out.push_str(&format!("\\U{:08X}", u32::from(letter))),
    }
}
