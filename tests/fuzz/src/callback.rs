//! The query of a callback: a byte that chooses the method, and the query.

use std::sync::LazyLock;

use latchkey_core::{
    model::{
        Secret,
        method::AuthMethod,
        values::{GivenValues, KnownValues},
    },
    protocol::{callback::UnverifiedAnswer, scope::Scope},
};
use serde_json::json;
use url::form_urlencoded;

use crate::CALLBACK_URL;

/// One method whose callback is signed, and one whose isn't.
static METHODS: LazyLock<[AuthMethod; 2]> = LazyLock::new(|| {
    let signed =
        json!({ "key": "{{client.secret}}", "parameter": "hmac", "except": ["signature"] });
    [json!({ "verify": signed }), json!({})].map(|callback| {
        let definition = serde_json::from_value(json!({
            "name": "Shop",
            "variables": [
                { "key": "shop", "from": "callback", "type": "hostname", "hosts": ["*.shop.example"] },
                { "key": "location", "from": "callback", "path": "loc", "required": false, "pattern": "[a-z]{2}" },
            ],
            "authorise": { "url": "https://shop.example/authorise" },
            "callback": callback,
            "token": { "url": "https://{{shop}}/token" },
        }));
        AuthMethod::parse(&definition.expect("a definition"), &[]).expect("an auth method")
    })
});

pub(crate) fn run(bytes: &[u8]) {
    let [which, query @ ..] = bytes else {
        return;
    };
    let pairs: Vec<_> = form_urlencoded::parse(query).into_owned().collect();
    let answer = UnverifiedAnswer::new(pairs.clone());
    for state in answer.state_candidates() {
        let text = state.expose();
        assert!(text.len() <= 128 && text.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    }
    for (name, value) in &pairs {
        let once = pairs.iter().filter(|(other, _)| other == name).count() == 1;
        let found = answer.get(name).map(|found| found.expose() == value);
        assert_eq!(found, (once && !value.is_empty()).then_some(true));
    }
    let method = METHODS
        .get(usize::from(*which) % METHODS.len())
        .expect("a method");
    captured(method, &answer);
    // A form is sent on as a query, which must say the same.
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(&pairs)
        .finish();
    assert!(
        form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .eq(pairs)
    );
}

fn captured(method: &AuthMethod, answer: &UnverifiedAnswer) {
    let nothing = GivenValues::new();
    let values = KnownValues::resolve(method, &nothing, &nothing, &nothing, CALLBACK_URL);
    let secret = Secret::from("s3cr3t");
    let scope = Scope {
        client_secret: Some(&secret),
        ..Scope::new(&values, CALLBACK_URL)
    };
    let Ok(captured) = answer.captured(method, &values, &scope) else {
        return;
    };
    for (key, value) in &captured {
        let variable = method.variable(key).expect("only variables are captured");
        assert_eq!(variable.check(value.expose()), Ok(()), "{key}");
    }
    let known = values.with(method, &captured, CALLBACK_URL);
    let scope = Scope::new(&known, CALLBACK_URL);
    let [url] = method.token.urls.as_slice() else {
        panic!("one token URL");
    };
    let url = url.fill(&scope).expect("what is captured fits its host");
    assert!(
        url.host_str()
            .is_some_and(|host| host.ends_with(".shop.example"))
    );
    assert_eq!(url.path(), "/token");
}
