//! When a token ends, in all the ways in which providers say it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{asked::Asked, path};
use crate::model::{
    definition::ExpiryKind,
    function::{Function, Value as Piped},
    method::Expiry,
    template::Values,
};

/// A century: more than that is a mistake, and would overflow.
const MOST_SECONDS: f64 = 3_155_760_000.0;
/// Numbers from here on are points in time (2001), not spans.
const POINT_IN_TIME: f64 = 1e9;
/// Points in time from here on are in milliseconds.
const MILLISECONDS: f64 = 1e11;

/// When a token ends, or that it doesn't.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    At(Timestamp),
    Never,
}

/// What the first expiry that says something says. `asked` is when the request was sent, and `token`
/// the one that ends.
pub(super) fn end(
    expiries: &[Expiry],
    answer: &Value,
    token: &str,
    asked: Asked,
    values: &dyn Values,
) -> Option<End> {
    expiries
        .iter()
        .find_map(|expiry| said(expiry, answer, token, asked, values))
}

fn said(
    expiry: &Expiry,
    answer: &Value,
    token: &str,
    asked: Asked,
    values: &dyn Values,
) -> Option<End> {
    let found = || {
        let path = expiry.path.as_ref()?.fill(values).ok()?;
        path::find(answer, &path)
    };
    let number = || number(found()?);
    let after = |seconds: f64| after(asked.at, seconds);
    let point = |seconds| asked.ours(point(seconds)?);
    let date = |text: &str| asked.ours(date(text)?);
    let at = match expiry.kind {
        ExpiryKind::Seconds => after(number()?),
        ExpiryKind::Minutes => after(number()? * 60.0),
        ExpiryKind::Milliseconds => after(number()? / 1000.0),
        ExpiryKind::Unix => point(number()?),
        ExpiryKind::UnixMilliseconds => point(number()? / 1000.0),
        ExpiryKind::Iso8601 => date(found()?.as_str()?),
        ExpiryKind::Duration => after(span(found()?.as_str()?)?),
        ExpiryKind::Jwt => {
            let own = found().and_then(Value::as_str);
            point(claim(own.unwrap_or(token))?)
        }
        ExpiryKind::Auto => match number() {
            Some(number) if number >= MILLISECONDS => point(number / 1000.0),
            Some(number) if number >= POINT_IN_TIME => point(number),
            Some(number) => after(number),
            None => {
                let text = found()?.as_str()?;
                date(text).or_else(|| after(span(text)?))
            }
        },
        ExpiryKind::Fixed => asked.at.saturating_add(expiry.fixed?).ok(),
        ExpiryKind::Never => return Some(End::Never),
        ExpiryKind::Introspect => None,
    };
    at.map(End::At)
}

/// When a token ends that says so itself: a JWT with the claim `exp` (RFC 7519 §4.1.4, RFC 9068 §2.2).
pub(super) fn own_end(token: &str, asked: Asked) -> Option<Timestamp> {
    let end = asked.ours(point(claim(token)?)?)?;
    (end > asked.at).then_some(end)
}

/// A number, written as a number or a text.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A positive span; anything else says nothing.
fn after(start: Timestamp, seconds: f64) -> Option<Timestamp> {
    let whole = seconds.round().max(if seconds > 0.0 { 1.0 } else { 0.0 });
    (1.0..=MOST_SECONDS)
        .contains(&whole)
        .then(|| Duration::from_secs_f64(whole))
        .and_then(|span| start.saturating_add(span).ok())
}

fn point(seconds: f64) -> Option<Timestamp> {
    let seconds = (POINT_IN_TIME..=1e11)
        .contains(&seconds)
        .then(|| SignedDuration::try_from_secs_f64(seconds).ok())??;
    Timestamp::UNIX_EPOCH.checked_add(seconds).ok()
}

/// A date and time with or without an offset (ISO 8601); without one it is UTC.
fn date(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    text.parse::<Timestamp>().ok().or_else(|| {
        let civil = text.parse::<jiff::civil::DateTime>().ok()?;
        let zoned = jiff::tz::TimeZone::UTC.to_ambiguous_timestamp(civil);
        zoned.compatible().ok()
    })
}

/// `D:HH:MM`.
fn span(text: &str) -> Option<f64> {
    let parts: Vec<f64> = text
        .split(':')
        .map(|part| part.parse::<u16>().ok().map(f64::from))
        .collect::<Option<_>>()?;
    match parts.as_slice() {
        [days, hours, minutes] => Some((days * 24.0 + hours) * 3600.0 + minutes * 60.0),
        _ => None,
    }
}

/// The claim `exp` (RFC 7519 §4.1.4).
fn claim(token: &str) -> Option<f64> {
    let token = Piped::Text(token.to_owned());
    let claim = Function::JwtClaim.apply(token, &["exp".to_owned()]).ok()?;
    claim.text()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::template::{Reference, Template};

    struct Nothing;

    impl Values for Nothing {
        fn value(&self, _: &Reference) -> Option<std::borrow::Cow<'_, str>> {
            None
        }
    }

    #[test]
    fn an_end_is_understood_in_every_way_of_saying_it() {
        use ExpiryKind as K;
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let unix = now.as_second();
        for (kind, said, seconds) in [
            (K::Seconds, json!(3600), Some(3600)),
            (K::Seconds, json!("3600"), Some(3600)),
            (K::Seconds, json!(59.6), Some(60)),
            (K::Seconds, json!(-1), None),
            (K::Seconds, json!(0), None),
            (K::Seconds, json!(1e300), None),
            (K::Seconds, json!(null), None),
            (K::Minutes, json!(5), Some(300)),
            (K::Milliseconds, json!(5000), Some(5)),
            (K::Unix, json!(unix + 60), Some(60)),
            (K::Unix, json!(60), None),
            (K::UnixMilliseconds, json!((unix + 60) * 1000), Some(60)),
            (K::Iso8601, json!("2026-01-01T01:00:00+00:00"), Some(3600)),
            (K::Iso8601, json!("2026-01-01 01:00:00"), Some(3600)),
            (K::Iso8601, json!("soon"), None),
            (K::Duration, json!("1:02:03"), Some(93_780)),
            (K::Auto, json!(60), Some(60)),
            (K::Auto, json!(unix + 60), Some(60)),
            (K::Auto, json!((unix + 60) * 1000), Some(60)),
            (K::Auto, json!("0:00:01"), Some(60)),
            (K::Auto, json!("2026-01-01T00:01:00Z"), Some(60)),
        ] {
            let expiry = Expiry {
                kind,
                path: Some(Template::parse("end").unwrap()),
                fixed: None,
            };
            let answer = json!({ "end": said });
            let end = end(&[expiry], &answer, "", Asked::at(now), &Nothing);
            let expected = seconds.map(|s| End::At(now + SignedDuration::from_secs(s)));
            assert_eq!(end, expected, "{kind:?} {answer}");
        }
    }
}
