//! The name that was most likely meant.

/// Names that differ by more letters than this are other names.
const FARTHEST: usize = 2;

/// The candidate that differs from `name` by the fewest letters, if it is few.
#[must_use]
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (distance(candidate, name), candidate))
        .filter(|(distance, _)| *distance <= FARTHEST)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many letters differ (Levenshtein).
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.chars().enumerate() {
        let (mut diagonal, mut before) = (i, i + 1);
        let mut next = vec![before];
        for (r, above) in right.iter().zip(row.iter().skip(1)) {
            let changed = diagonal + usize::from(l != *r);
            before = changed.min(above + 1).min(before + 1);
            diagonal = *above;
            next.push(before);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_is_understood_and_another_name_is_not() {
        for (name, found) in [
            ("autorise", Some("authorise")),
            ("tokne", Some("token")),
            ("token", Some("token")),
            ("revocation", None),
            ("", None),
        ] {
            assert_eq!(
                nearest(name, ["token", "authorise", "revoke"]),
                found,
                "{name}"
            );
        }
    }
}
