//! Lambda, as far as a function sees it: its runtime API, and the environment that it is started with.
//!
//! The functions' own binaries run under it; what they write to their standard output is their log.

use std::{net::Ipv4Addr, process::Stdio, sync::Arc};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, body::Incoming};
use latchkey_emulators::connection::serve;
use serde_json::{Value, json};
use tokio::{
    io::AsyncReadExt as _,
    net::TcpListener,
    process::{Child, Command},
    sync::{Mutex, mpsc},
    task::JoinHandle,
};

use crate::{process::binaries, world::World};

/// How long an invocation may take, in milliseconds: the longest that there is.
const LONGEST: i64 = 900_000;

/// An invocation that waits for its function.
struct Invocation {
    id: String,
    trace: Option<String>,
    event: Value,
}

/// A function that runs; it ends with this value.
#[derive(Debug)]
pub struct Lambda {
    child: Child,
    invocations: mpsc::UnboundedSender<Invocation>,
    answers: mpsc::UnboundedReceiver<Value>,
    task: JoinHandle<()>,
}

impl Drop for Lambda {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Lambda {
    /// A function over a world's store, which is watched as the stack `stack`. `with` is what else is in its
    /// environment, or in place of what is.
    pub async fn start(world: &World, function: &str, with: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (invocations, waiting) = mpsc::unbounded_channel();
        let (answered, answers) = mpsc::unbounded_channel();
        let waiting = Arc::new(Mutex::new(waiting));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (waiting, answered) = (Arc::clone(&waiting), answered.clone());
                tokio::spawn(async move {
                    serve(stream, |request| respond(&waiting, &answered, request)).await;
                });
            }
        });
        let tables = [
            "CONNECTORS",
            "INSTANCES",
            "HOSTS",
            "AUTHORISATIONS",
            "API_KEYS",
        ];
        let names = [
            "Connectors",
            "Instances",
            "Hosts",
            "Authorisations",
            "ApiKeys",
        ];
        let tables = tables.iter().zip(names);
        let tables = tables
            .map(|(table, name)| (format!("LATCHKEY_TABLE_{table}"), format!("Latchkey{name}")));
        let child = Command::new(binaries().join(function))
            .env_clear()
            .envs(tables)
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .envs([
                ("AWS_LAMBDA_FUNCTION_NAME", function),
                ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
                ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
                ("AWS_LAMBDA_LOG_STREAM_NAME", "stream"),
                ("AWS_LAMBDA_LOG_GROUP_NAME", "group"),
                ("AWS_REGION", "eu-central-1"),
                ("AWS_ACCESS_KEY_ID", "local"),
                ("AWS_SECRET_ACCESS_KEY", "local"),
                // Providers of tests are at this machine.
                ("LATCHKEY_MODE", "local"),
                ("LATCHKEY_STACK", "stack"),
                ("LATCHKEY_SWEEP", "direct"),
                ("LATCHKEY_BASE_URL", world.url()),
                ("AWS_ENDPOINT_URL_DYNAMODB", world.server.store_url.as_str()),
            ])
            .env(
                "LATCHKEY_KEYRING_FILE",
                world.server.directory().join("keyring.json"),
            )
            .envs(with.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the function starts");
        Self {
            child,
            invocations,
            answers,
            task,
        }
    }

    /// Invokes it: its answer.
    pub async fn invoke(&mut self, id: &str, trace: Option<&str>, event: Value) -> Value {
        let invocation = Invocation {
            id: id.to_owned(),
            trace: trace.map(str::to_owned),
            event,
        };
        self.invocations.send(invocation).expect("it is there");
        self.answers.recv().await.expect("it answers")
    }

    /// Ends it: the lines of its log.
    pub async fn log(mut self) -> Vec<Value> {
        self.child.kill().await.expect("it is killed");
        let mut output = self.child.stdout.take().expect("its output");
        let mut text = String::new();
        let read = output.read_to_string(&mut text).await;
        read.expect("a text");
        let lines = text.lines();
        lines
            .map(|line| serde_json::from_str(line).expect("a line of JSON"))
            .collect()
    }
}

/// A request as API Gateway hands it to a function (payload 2.0).
#[must_use]
pub fn request(method: &str, path: &str, key: &str) -> Value {
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": { "host": "api.example", "authorization": format!("Bearer {key}") },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api",
            "domainName": "api.example",
            "domainPrefix": "api",
            "http": { "method": method, "path": path, "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1", "userAgent": "test" },
            "requestId": "gateway",
            "routeKey": "$default",
            "stage": "$default",
            "time": "12/Mar/2020:19:03:58 +0000",
            "timeEpoch": 1_583_348_638_390_u64,
        },
        "isBase64Encoded": false,
    })
}

/// The runtime API (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>).
async fn respond(
    waiting: &Mutex<mpsc::UnboundedReceiver<Invocation>>,
    answered: &mpsc::UnboundedSender<Value>,
    request: Request<Incoming>,
) -> Option<Response<Full<Bytes>>> {
    if request.uri().path().ends_with("/next") {
        let Invocation { id, trace, event } = waiting.lock().await.recv().await?;
        let deadline = now_ms() + LONGEST;
        let mut response = Response::builder()
            .header("lambda-runtime-aws-request-id", id)
            .header("lambda-runtime-deadline-ms", deadline)
            .header(
                "lambda-runtime-invoked-function-arn",
                "arn:aws:lambda:eu-central-1:123456789012:function:function",
            );
        if let Some(trace) = trace {
            response = response.header("lambda-runtime-trace-id", trace);
        }
        return response.body(Full::new(event.to_string().into())).ok();
    }
    let body = request.into_body().collect().await.ok()?.to_bytes();
    let answer = serde_json::from_slice(&body).unwrap_or_default();
    answered.send(answer).ok()?;
    Response::builder().status(202).body(Full::default()).ok()
}

fn now_ms() -> i64 {
    use latchkey_core::port::Clock as _;
    latchkey_aws::SystemClock.now().as_millisecond()
}
