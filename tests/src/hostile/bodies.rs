//! Bodies × content types × framings.

use super::{
    MARK, Row,
    answers::{FRAMINGS, JSON, answer},
    statuses::{Reading, expected, good},
    table::Expected,
};

/// The most bytes that a body may have: what is longer is lost.
pub(super) const MOST: usize = 256 << 10;

const CONTENT_TYPES: [Option<&str>; 6] = [
    Some(JSON),
    Some("text/html; charset=utf-8"),
    None,
    Some("application/x-www-form-urlencoded"),
    Some("application/json; charset=utf-16"),
    Some("\u{0}nonsense/\u{fffd};;"),
];

struct Body {
    name: &'static str,
    bytes: Vec<u8>,
    reading: Reading,
}

pub(super) fn rows() -> Vec<Row> {
    let all = [
        not_what_was_asked_for(),
        broken(),
        odd_members(),
        ends(),
        large(),
        refusals(),
    ];
    let mut rows = Vec::new();
    for (number, body) in all.into_iter().flatten().enumerate() {
        let Body {
            name,
            bytes,
            reading,
        } = body;
        for (turn, framing) in FRAMINGS.into_iter().enumerate() {
            let content_type = CONTENT_TYPES[(number + turn) % CONTENT_TYPES.len()];
            // A header with a NUL in it loses the answer, whatever comes after it.
            let expected = match content_type {
                Some(text) if text.contains('\0') => Expected::Failed("answer_lost"),
                Some(_) | None => expected(200, reading, false),
            };
            rows.push(Row::new(
                format!("200 with {name}, as {content_type:?}, by {framing:?}"),
                answer(200, content_type, framing, &bytes),
                expected,
            ));
        }
    }
    rows
}

fn body(name: &'static str, bytes: impl Into<Vec<u8>>, reading: Reading) -> Body {
    Body {
        name,
        bytes: bytes.into(),
        reading,
    }
}

/// An answer that is good, but for what its further members say.
fn and(members: &str) -> String {
    format!(r#"{{"access_token":"{MARK}-access","token_type":"Bearer",{members}}}"#)
}

fn not_what_was_asked_for() -> Vec<Body> {
    let nothing = |name, text: &str| body(name, text, Reading::Nothing);
    vec![
        nothing("null", "null"),
        nothing("true", "true"),
        nothing("a number", "42"),
        nothing("a text", &format!("\"{MARK}-access\"")),
        nothing("a list", "[]"),
        nothing(
            "a list of answers",
            &format!(r#"[{{"access_token":"{MARK}-access"}}]"#),
        ),
        nothing("an empty object", "{}"),
        nothing("spaces", " \r\n\t "),
        nothing("XML", "<?xml version=\"1.0\"?><token>t</token>"),
        nothing("words", "OK, here you are"),
        nothing(
            "a script",
            &format!("callback({{\"access_token\":\"{MARK}-access\"}})"),
        ),
        nothing(
            "two answers in a row",
            &format!("{}{}", and("\"a\":1"), and("\"b\":2")),
        ),
        nothing("YAML", &format!("access_token: {MARK}-access\n")),
        body(
            "a form",
            format!("access_token={MARK}-access&token_type=bearer&expires_in=3600"),
            Reading::Token,
        ),
        body(
            "a form with broken escapes",
            format!("access_token={MARK}-access&scope=%zz%&=&&%00=%ff"),
            Reading::Token,
        ),
        nothing("a form without a token", "access_token=&token_type=bearer"),
    ]
}

fn broken() -> Vec<Body> {
    let good = String::from_utf8_lossy(&good()).into_owned();
    let nothing = |name, bytes: Vec<u8>| body(name, bytes, Reading::Nothing);
    let half = good.as_bytes().split_at(good.len() / 2).0.to_vec();
    let utf16 = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    vec![
        nothing("half an answer", half),
        nothing("an answer in UTF-16", utf16),
        body(
            "a byte order mark before it",
            [b"\xef\xbb\xbf", good.as_bytes()].concat(),
            Reading::Token,
        ),
        nothing(
            "bad UTF-8 in the token",
            [b"{\"access_token\":\"\xff\xfe".to_vec(), b"\"}".to_vec()].concat(),
        ),
        nothing("an unpaired surrogate", and(r#""a":"\ud800""#).into()),
        nothing("single quotes", good.replace('"', "'").into()),
        nothing("a trailing comma", and("").into()),
        nothing("a comment", format!("/* hello */ {good}").into()),
        nothing(
            "a prefix against hijacking",
            format!(")]}}'\n{good}").into(),
        ),
        nothing("zeros", vec![0; 4096]),
        nothing(
            "gzip that nobody asked for",
            b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xab\x56\x02\0".to_vec(),
        ),
    ]
}

fn odd_members() -> Vec<Body> {
    let token = |name, members: &str| body(name, and(members), Reading::Token);
    let bare = |name, text: String| body(name, text, Reading::Nothing);
    let member = |value: &str| format!(r#"{{"access_token":{value},"token_type":"Bearer"}}"#);
    vec![
        token(
            "keys twice",
            &format!(r#""access_token":"{MARK}-second","expires_in":1,"expires_in":3600"#),
        ),
        token("an error beside the token", r#""error":"invalid_grant""#),
        token("no refresh token but null", r#""refresh_token":null"#),
        token("a list as refresh token", r#""refresh_token":["r"]"#),
        token("an empty refresh token", r#""refresh_token":"""#),
        token("no token type but null", r#""token_type":null"#),
        token("a number as token type", r#""token_type":7"#),
        token("a list as scope", r#""scope":["a",1,null,{}]"#),
        token("an object as scope", r#""scope":{"a":true}"#),
        token(
            "line ends in a scope",
            r#""scope":"a\r\nSet-Cookie: b\u0000c""#,
        ),
        token(
            "a name that is a path",
            r#""access_token.":"x","":"y","__proto__":{}"#,
        ),
        bare("no token but null", member("null")),
        bare("no token but false", member("false")),
        bare("a list as token", member("[\"a\"]")),
        bare("an object as token", member("{\"value\":\"a\"}")),
        bare("an empty token", member("\"\"")),
        bare(
            "a NUL in the token",
            member(&format!(r#""{MARK}\u0000access""#)),
        ),
        bare(
            "line ends in the token",
            member(&format!(r#""{MARK}\r\nX-Evil: 1""#)),
        ),
        bare("a token of spaces", member(r#""   ""#)),
        token(
            "a control character in the refresh token",
            &format!(r#""refresh_token":"{MARK}\u0007""#),
        ),
    ]
}

fn ends() -> Vec<Body> {
    let token = |name, value: &str| {
        body(
            name,
            and(&format!(r#""expires_in":{value}"#)),
            Reading::Token,
        )
    };
    let nothing = |name, value: &str| Body {
        reading: Reading::Nothing,
        ..token(name, value)
    };
    vec![
        nothing("NaN as lifetime", "NaN"),
        nothing("Infinity as lifetime", "-Infinity"),
        nothing("a lifetime beyond all numbers", "1e999"),
        nothing("a hexadecimal lifetime", "0x10"),
        token("a negative lifetime", "-1"),
        token("no lifetime at all", "0"),
        token("a lifetime of nothing", "0.0000001"),
        token("minus nothing as lifetime", "-0.0"),
        token("a lifetime of ages", "1e308"),
        token("a lifetime beyond 64 bits", "18446744073709551616"),
        token("the least lifetime", "-9223372036854775808"),
        token("the most lifetime", "9223372036854775807"),
        token("NaN in quotes as lifetime", "\"NaN\""),
        token("infinity in quotes as lifetime", "\"inf\""),
        token("a word as lifetime", "\"soon\""),
        token("nothing in quotes as lifetime", "\"\""),
        token("a list as lifetime", "[3600]"),
        token("an object as lifetime", "{\"seconds\":3600}"),
        token("true as lifetime", "true"),
        token("null as lifetime", "null"),
    ]
}

fn large() -> Vec<Body> {
    let nest =
        |open: &str, close: &str, depth| format!("{}1{}", open.repeat(depth), close.repeat(depth));
    let sized = |size: usize| format!("{MARK}{}", "x".repeat(size - MARK.len()));
    let many = |piece: &str| {
        let count = (MOST - 200) / piece.len();
        and(&format!("\"many\":[{}1]", piece.repeat(count)))
    };
    let members: String = (0..18_000).map(|n| format!("\"m{n:06x}\":{{}},")).collect();
    vec![
        body(
            "lists 100,000 deep",
            nest("[", "]", 100_000),
            Reading::Nothing,
        ),
        body(
            "objects 40,000 deep",
            nest("{\"a\":", "}", 40_000),
            Reading::Nothing,
        ),
        body(
            "lists 100,000 deep beside the token",
            and(&format!("\"a\":{}", nest("[", "]", 100_000))),
            Reading::Nothing,
        ),
        body(
            "lists 100 deep beside the token",
            and(&format!("\"a\":{}", nest("[", "]", 100))),
            Reading::Token,
        ),
        body(
            "brackets that never close",
            "[".repeat(MOST - 1),
            Reading::Nothing,
        ),
        body(
            "a list of a hundred thousand",
            format!("[{}1]", "1,".repeat(MOST / 2 - 4)),
            Reading::Nothing,
        ),
        body(
            "numbers by the hundred thousand beside the token",
            many("1,"),
            Reading::Token,
        ),
        body(
            "objects by the ten thousand beside the token",
            many("{},"),
            Reading::Token,
        ),
        body(
            "members by the ten thousand",
            and(&format!("{members}\"z\":0")),
            Reading::Token,
        ),
        body(
            "a token of 16 KiB",
            and(&format!(r#""access_token":"{}""#, sized(16 << 10))),
            Reading::Token,
        ),
        body(
            "a token of 64 KiB",
            and(&format!(r#""access_token":"{}""#, sized(64 << 10))),
            Reading::Token,
        ),
        body(
            "a token of 100 KiB",
            and(&format!(r#""access_token":"{}""#, sized(100 << 10))),
            Reading::Nothing,
        ),
        body(
            "a token as long as a body may be",
            and(&format!(r#""access_token":"{}""#, sized(MOST - 200))),
            Reading::Nothing,
        ),
        body(
            "a refresh token of 100 KiB",
            and(&format!(r#""refresh_token":"{}""#, sized(100 << 10))),
            Reading::Nothing,
        ),
        body(
            "a scope of 200 KiB",
            and(&format!(r#""scope":"{}""#, "s ".repeat(100 << 10))),
            Reading::Nothing,
        ),
        body(
            "something of 200 KiB that could be a token",
            format!(r#"{{"no_token":"{}"}}"#, sized(200 << 10)),
            Reading::Nothing,
        ),
        body(
            "a form as long as a body may be",
            format!("access_token=x&pad={}", "p".repeat(MOST - 30)),
            Reading::Token,
        ),
        body(
            "spaces as many as a body may have",
            " ".repeat(MOST),
            Reading::Nothing,
        ),
        body(
            "letters as many as a body may have",
            "x".repeat(MOST),
            Reading::Nothing,
        ),
    ]
}

/// Refusals that say 200, and some that repeat what they were sent.
fn refusals() -> Vec<Body> {
    let sent = super::SENT.join(" ");
    let refused = |name, text: &str| body(name, text, Reading::GrantRefused);
    let client = |name, text: String| body(name, text, Reading::ClientRefused);
    vec![
        refused("a refusal", r#"{"error":"invalid_grant"}"#),
        refused(
            "a refusal with NULs and line ends in its words",
            r#"{"error":"invalid_grant","error_description":"a\u0000b\r\n{\"level\":\"INFO\"}\u001b[2J"}"#,
        ),
        client(
            "an error nobody knows",
            r#"{"error":"\u202e\u0000"}"#.to_owned(),
        ),
        client(
            "an error that repeats what was sent",
            format!(r#"{{"error":"invalid_request","error_description":"you sent {sent}"}}"#),
        ),
        client(
            "an error of 200 KiB",
            format!(r#"{{"error":"{}"}}"#, "e".repeat(200 << 10)),
        ),
        body(
            "a list as error",
            r#"{"error":["invalid_grant"]}"#,
            Reading::Nothing,
        ),
    ]
}
