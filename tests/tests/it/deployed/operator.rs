//! What an operator has of a stack by hand, and what a test has besides: the stack's AWS fails as it is told.

use std::time::Duration;

use latchkey_emulators::ministack;
use latchkey_tests::http_client;
use reqwest::Method;
use serde_json::{Value, json};

/// How long anything here may take.
const PATIENCE: Duration = Duration::from_secs(40);

/// Somebody with an operator's credentials.
#[derive(Debug)]
pub(super) struct Operator {
    stack: String,
    /// The stack's functions, as Lambda lists them.
    functions: Vec<Value>,
}

/// A function of the stack, as its resource is named.
#[derive(Debug, Clone, Copy)]
pub(super) enum Function {
    Callback,
    Credentials,
    Refresher,
}

impl Operator {
    /// The operator of a stack that is deployed.
    pub(super) async fn of(stack: &str) -> Self {
        let listed = lambda(Method::GET, "", &Value::Null).await;
        let listed = listed["Functions"].as_array().expect("functions").iter();
        let is_ours =
            |function: &&Value| function["Environment"]["Variables"]["LATCHKEY_STACK"] == stack;
        Self {
            stack: stack.to_owned(),
            functions: listed.filter(is_ours).cloned().collect(),
        }
    }

    /// The name that a function was given.
    fn name(&self, function: Function) -> &str {
        let wanted = format!("{function:?}Function");
        let mut names = self.functions.iter();
        names
            .find_map(|found| {
                let name = found["FunctionName"].as_str()?;
                name.contains(&wanted).then_some(name)
            })
            .expect("the function")
    }

    /// A variable that the functions have in their environment.
    fn variable(&self, name: &str) -> &str {
        let variables = &self.functions[0]["Environment"]["Variables"];
        variables[name].as_str().expect("a variable")
    }

    /// Invokes the refresher: its answer.
    pub(super) async fn refresher(&self, event: &Value) -> Value {
        let path = format!("{}/invocations", self.name(Function::Refresher));
        lambda(Method::POST, &path, event).await
    }

    /// Has the refresher see to instances, as it does to a batch of its queue.
    pub(super) async fn attend(&self, instances: &[&str]) {
        let records: Vec<_> = instances
            .iter()
            .map(|id| {
                let instance = json!({ "tenant": "acme", "id": id });
                let body = json!({ "v": 1, "kind": "attend", "instance": instance });
                json!({ "messageId": id, "body": body.to_string() })
            })
            .collect();
        let answer = self.refresher(&json!({ "Records": records })).await;
        assert_eq!(answer["batchItemFailures"], json!([]), "{answer}");
    }

    /// Has a function's calls fail, each named action in its way, and no others.
    pub(super) async fn fail(&self, function: Function, faults: &[(&str, &str)]) {
        let faults: serde_json::Map<_, _> = faults
            .iter()
            .map(|(action, fault)| ((*action).to_owned(), json!(fault)))
            .collect();
        let body = json!({ "function": self.name(function), "faults": faults });
        let _ = send(Method::POST, "/_latchkey/faults", &[], &body).await;
    }

    /// Has a function's calls fail no more; those that are held go on.
    pub(super) async fn mend(&self, function: Function) {
        self.fail(function, &[]).await;
    }

    /// Waits until a call of a function is held.
    pub(super) async fn held(&self, function: Function) {
        until("a call is held", async || {
            let held = send(Method::GET, "/_latchkey/faults", &[], &Value::Null).await;
            held[self.name(function)].as_u64() > Some(0)
        })
        .await;
    }

    /// Schedules the secret of an instance or an auth method for deletion.
    pub(super) async fn end_secret(&self, name: &str) {
        let asked = json!({ "SecretId": self.secret(name), "RecoveryWindowInDays": 7 });
        let ended = self.ask("secretsmanager.DeleteSecret", &asked).await;
        assert!(ended["DeletionDate"].is_number(), "{ended}");
    }

    /// Whether that secret is going to be deleted, or was never made.
    pub(super) async fn is_ended(&self, name: &str) -> bool {
        let asked = json!({ "SecretId": self.secret(name) });
        let found = self.ask("secretsmanager.DescribeSecret", &asked).await;
        found["ARN"].is_null() || !found["DeletedDate"].is_null()
    }

    fn secret(&self, name: &str) -> String {
        let prefix = self.variable("LATCHKEY_SECRET_PREFIX");
        format!("{prefix}/acme/{name}")
    }

    /// Whether a host's breaker is open.
    pub(super) async fn is_open(&self, host: &str) -> bool {
        let asked = json!({
            "TableName": self.variable("LATCHKEY_TABLE_HOSTS"),
            "Key": { "host": { "S": host } },
            "ConsistentRead": true,
        });
        let found = self.ask("DynamoDB_20120810.GetItem", &asked).await;
        found["Item"].is_object()
    }

    /// Has an open breaker let a call through now, and not in a minute.
    pub(super) async fn let_through(&self, host: &str) {
        let asked = json!({
            "TableName": self.variable("LATCHKEY_TABLE_HOSTS"),
            "Key": { "host": { "S": host } },
            "UpdateExpression": "SET probe_at = opened_at",
            "ConditionExpression": "attribute_exists(opened_at)",
        });
        let _ = self.ask("DynamoDB_20120810.UpdateItem", &asked).await;
    }

    /// How many events wait to be published.
    pub(super) async fn pending_events(&self) -> usize {
        let asked = json!({
            "TableName": self.variable("LATCHKEY_TABLE_INSTANCES"),
            "FilterExpression": "attribute_exists(#event)",
            "ExpressionAttributeNames": { "#event": "event" },
            "ConsistentRead": true,
        });
        let found = self.ask("DynamoDB_20120810.Scan", &asked).await;
        found["Items"].as_array().expect("items").len()
    }

    /// What the log group of a function has that CloudWatch makes metrics of.
    pub(super) async fn metrics(&self, function: &str) -> Vec<Value> {
        let group = format!("/aws/lambda/{}/{function}", self.stack);
        let asked = json!({ "logGroupName": group });
        let found = self.ask("Logs_20140328.FilterLogEvents", &asked).await;
        let events = found["events"].as_array().expect("events").iter();
        let lines =
            events.filter_map(|event| serde_json::from_str(event["message"].as_str()?).ok());
        lines
            .filter(|line: &Value| line["_aws"].is_object())
            .collect()
    }

    async fn ask(&self, target: &str, body: &Value) -> Value {
        let service = match target.split_once(['_', '.']).expect("a target").0 {
            "DynamoDB" => "dynamodb",
            "Logs" => "logs",
            other => other,
        };
        let headers = [
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", target),
            ("authorization", &signed(service)),
        ];
        send(Method::POST, "/", &headers, body).await
    }
}

/// Waits until something is so.
pub(super) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, waiting).await;
    assert!(waited.is_ok(), "in vain until {what}");
}

async fn lambda(method: Method, path: &str, body: &Value) -> Value {
    let path = format!("/2015-03-31/functions/{path}");
    let headers = [("authorization", &*signed("lambda"))];
    send(method, &path, &headers, body).await
}

fn signed(service: &str) -> String {
    let scope = format!("test/20200101/eu-central-1/{service}/aws4_request");
    format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0")
}

async fn send(method: Method, path: &str, headers: &[(&str, &str)], body: &Value) -> Value {
    let mut request = http_client().request(method, format!("{}{path}", ministack()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if !body.is_null() {
        request = request.body(body.to_string());
    }
    let answer = request.send().await.expect("the emulator answers");
    let text = answer.text().await.expect("a text");
    let read = serde_json::from_str(&text);
    assert!(read.is_ok(), "{path}: {text}");
    read.unwrap_or_default()
}
