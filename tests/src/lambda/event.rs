//! Events as API Gateway, EventBridge Scheduler and SQS hand them to a function.

use serde_json::{Value, json};
use url::Url;

/// A request to an HTTP API, payload 2.0.
///
/// The authorizer let the caller in with all scopes, in the tenant `local`
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>).
#[must_use]
pub fn request(method: &str, path: &str, body: Option<&Value>) -> Value {
    // Only the path and the query of it count.
    let url = Url::parse("https://connect.example").and_then(|base| base.join(path));
    let url = url.expect("a path");
    let principal = json!({
        "key": "key_0192f0c7d3a87b3e9d6c1f0a4b5c6d7e",
        "tenant": "local",
        "scopes": latchkey_core::model::api_key::Scope::ALL,
    });
    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": url.path(),
        "rawQueryString": url.query().unwrap_or_default(),
        "headers": {
            "accept": "*/*",
            "content-type": "application/json",
            "host": "connect.example",
            "user-agent": "platform/1.0",
            "x-amzn-trace-id": "Root=1-5759e988-bd862e3fe1be46a994272793",
            "x-forwarded-for": "192.0.2.7",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
        },
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "measured",
            "authorizer": { "lambda": { "principal": principal.to_string() } },
            "domainName": "connect.example",
            "domainPrefix": "connect",
            "http": {
                "method": method,
                "path": url.path(),
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.7",
                "userAgent": "platform/1.0",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "$default",
            "stage": "$default",
            "time": "26/Nov/2026:12:00:00 +0000",
            "timeEpoch": 1_795_694_400_000_i64,
        },
        "isBase64Encoded": false,
    });
    if let Some(body) = body {
        event["body"] = Value::String(body.to_string());
    }
    event
}

/// What API Gateway asks the authorizer about a request with this key.
#[must_use]
pub fn question(key: &str) -> Value {
    let mut event = request("GET", "/v1/connectors", None);
    event["headers"]["authorization"] = Value::String(format!("Bearer {key}"));
    event["type"] = "REQUEST".into();
    event
}

/// A tick of the schedule.
#[must_use]
pub fn tick() -> Value {
    json!({})
}

/// A batch of the queue with a message for each instance.
#[must_use]
pub fn batch(instances: &[String]) -> Value {
    let record = |id: &String| {
        let message =
            json!({ "v": 1, "kind": "attend", "instance": { "tenant": "local", "id": id } });
        json!({ "messageId": id, "body": message.to_string() })
    };
    json!({ "Records": instances.iter().map(record).collect::<Vec<_>>() })
}
