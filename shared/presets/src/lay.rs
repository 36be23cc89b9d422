//! Laying one definition over another.

use serde_json::{Map, Value};

/// Lays `own` over `base`: members replace members, `null` removes (RFC 7396), and variables are
/// matched by their key.
#[must_use]
pub fn lay_over(base: Value, own: Value) -> Value {
    let (Value::Object(mut base), Value::Object(own)) = (base, own) else {
        return Value::Null;
    };
    for (name, value) in own {
        let laid = match (base.remove(&name), value) {
            (Some(Value::Array(base)), Value::Array(own)) if name == "variables" => {
                Value::Array(lay_variables(base, own))
            }
            (base, own) => patched(base, own),
        };
        base.insert(name, laid);
    }
    Value::Object(base)
}

fn lay_variables(mut base: Vec<Value>, own: Vec<Value>) -> Vec<Value> {
    for variable in own {
        let same = base
            .iter_mut()
            .find(|present| present.get("key") == variable.get("key"));
        match same {
            Some(present) => *present = patched(Some(present.take()), variable),
            None => base.push(variable),
        }
    }
    base
}

/// A value with a patch applied. A `null` inside a map of parameters is kept, where it takes a
/// built-in one out.
fn patched(base: Option<Value>, own: Value) -> Value {
    let Value::Object(own) = own else { return own };
    let mut base = match base {
        Some(Value::Object(base)) => base,
        Some(_) | None => Map::new(),
    };
    for (name, value) in own {
        let before = base.remove(&name);
        base.insert(name, patched(before, value));
    }
    Value::Object(base)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::lay_over;

    #[test]
    fn a_twin_says_only_what_differs() {
        let base = json!({
            "name": "Shop",
            "variables": [{ "key": "shop", "label": "Shop" }],
            "token": { "url": "https://shop.example/token", "body": { "a": "1" } },
            "revoke": { "url": "https://shop.example/revoke" },
        });
        let own = json!({
            "name": "Shop sandbox",
            "variables": [{ "key": "shop", "label": "Sandbox" }, { "key": "more" }],
            "token": { "url": "https://sandbox.example/token", "body": { "code": null } },
            "revoke": null,
        });
        assert_eq!(
            lay_over(base, own),
            json!({
                "name": "Shop sandbox",
                "variables": [{ "key": "shop", "label": "Sandbox" }, { "key": "more" }],
                "token": {
                    "url": "https://sandbox.example/token",
                    "body": { "a": "1", "code": null },
                },
                "revoke": null,
            })
        );
    }
}
