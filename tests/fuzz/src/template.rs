//! A template and a value: `TEMPLATE NUL VALUE`.

use std::borrow::Cow;

use latchkey_core::model::{
    template::{LONGEST, Piece, Reference, Template, Values},
    url_template::UrlTemplate,
};
use url::Url;

struct Always<'a>(&'a str);

impl Values for Always<'_> {
    fn value(&self, _: &Reference) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(self.0))
    }
}

struct Never;

impl Values for Never {
    fn value(&self, _: &Reference) -> Option<Cow<'_, str>> {
        None
    }
}

pub(crate) fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let (text, value) = text.split_once('\0').unwrap_or((text, "acme"));
    if let Ok(template) = Template::parse(text) {
        plain(&template, text, value);
    }
    let urls = [UrlTemplate::parse(text), UrlTemplate::parse_routed(text)];
    for template in urls.iter().flatten() {
        url(template, value);
    }
}

fn plain(template: &Template, text: &str, value: &str) {
    assert!(text.len() <= LONGEST);
    if !text.contains("{{") {
        assert_eq!(template.literal().as_deref(), Some(text));
    }
    let is_plain = |piece: &Piece| match piece {
        Piece::Literal(literal) => !literal.contains("{{"),
        Piece::Hole(pipe) => pipe.plain().is_some(),
    };
    let filled = template.fill(&Always(value));
    if template.pieces().iter().all(is_plain) {
        let pieces = template.pieces().iter().map(|piece| match piece {
            Piece::Literal(literal) => literal,
            Piece::Hole(_) => value,
        });
        assert_eq!(filled, Ok(pieces.collect()));
    }
    let needs = template.pipes().any(|pipe| pipe.plain().is_some());
    assert!(template.fill(&Never).is_err() || !needs);
}

fn url(template: &UrlTemplate, value: &str) {
    let Ok(url) = template.fill(&Always(value)) else {
        return;
    };
    assert_eq!(Url::parse(url.as_str()).as_ref(), Ok(&url));
    assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none());
    if let Some(host) = template.literal_host() {
        assert_eq!(url.host_str(), Some(&*host.to_ascii_lowercase()));
    }
    let whole = template.base_references().next().is_some();
    let called = template.pipes().any(|pipe| pipe.plain().is_none());
    if whole || called {
        return;
    }
    let plain = template.fill(&Always("a")).expect("a letter fits anywhere");
    assert_eq!(shape(&url), shape(&plain));
}

/// What no value may change: scheme, port, how many segments and how many parameters there are.
fn shape(url: &Url) -> (String, Option<u16>, usize, usize) {
    let count = |text: &str, separator| text.matches(separator).count();
    let query = url.query().map_or(0, |query| 1 + count(query, '&'));
    let port = url.port_or_known_default();
    (url.scheme().to_owned(), port, count(url.path(), '/'), query)
}
