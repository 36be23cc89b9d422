//! Real authorisation servers that others wrote, as processes of their own.

use std::{process::Stdio, time::Duration};

use latchkey_emulators::tools;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

use crate::http_client;

/// The secret of the confidential clients of both servers.
pub const SECRET: &str = "conn-secret-0123456789-0123456789-abcdef";

/// How a server behaves.
#[derive(Debug, Clone)]
pub struct Behaviour {
    /// Where it sends people back to.
    pub callback_url: String,
    /// How many seconds its access tokens live.
    pub access_ttl: u64,
    /// Whether a refresh brings a new refresh token.
    pub rotate: bool,
}

/// An authorisation server that runs; it ends with this value.
#[derive(Debug)]
pub struct AuthServer {
    /// Its issuer, or base URL.
    pub base: String,
    /// Its authorise endpoint.
    pub authorise_url: String,
    /// The path of its token endpoint.
    pub token_path: &'static str,
    /// The path of its revocation endpoint.
    pub revoke_path: &'static str,
    /// The path of its introspection endpoint.
    introspect_path: &'static str,
    _process: Running,
}

/// What keeps a server going: its process, the pipe that it writes to, and its files.
#[derive(Debug)]
struct Running {
    _child: Child,
    _output: Lines<BufReader<ChildStdout>>,
    _directory: TempDir,
}

impl AuthServer {
    /// Starts `oidc-provider` (JavaScript).
    pub async fn oidc_provider(behaviour: &Behaviour) -> Self {
        let tools = tools("oidc-provider");
        let mut command = Command::new("node");
        // Modules are found from where the file lies, so it is put beside them.
        let script = tools.join("server.mjs");
        command.arg(&script).current_dir(&tools);
        command.env("ROTATE", if behaviour.rotate { "always" } else { "never" });
        let (base, process) = start(command, behaviour).await;
        Self {
            authorise_url: format!("{base}/auth"),
            base,
            token_path: "/token",
            revoke_path: "/token/revocation",
            introspect_path: "/token/introspection",
            _process: process,
        }
    }

    /// Starts `django-oauth-toolkit` (Python).
    pub async fn django_oauth_toolkit(behaviour: &Behaviour) -> Self {
        let script = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/servers/django-oauth-toolkit/site_for_tests.py"
        );
        let mut command = Command::new(tools("django").join("bin/python"));
        command
            .arg(script)
            .env("ROTATE", if behaviour.rotate { "1" } else { "0" });
        let (base, process) = start(command, behaviour).await;
        Self {
            authorise_url: format!("{base}/o/authorize/"),
            base,
            token_path: "/o/token/",
            revoke_path: "/o/revoke_token/",
            introspect_path: "/o/introspect/",
            _process: process,
        }
    }

    /// Moves its clock on.
    pub async fn advance(&self, seconds: i64) {
        let url = format!("{}/__clock", self.base);
        let answer = http_client()
            .post(url)
            .body(seconds.to_string())
            .send()
            .await
            .expect("the server answers");
        assert!(answer.status().is_success());
    }

    /// Whether it takes a token as good (RFC 7662).
    pub async fn is_active(&self, token: &str) -> bool {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("token", token)
            .finish();
        let request = http_client()
            .post(format!("{}{}", self.base, self.introspect_path))
            .basic_auth("basic", Some(SECRET))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        let answer = request.send().await.expect("the server answers");
        let body: Value =
            serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON");
        body["active"].as_bool().expect("RFC 7662 §2.2")
    }
}

async fn start(mut command: Command, behaviour: &Behaviour) -> (String, Running) {
    let directory = TempDir::new().expect("a directory");
    let log = directory.path().join("log");
    command
        .env("REDIRECT_URIS", &behaviour.callback_url)
        .env("AT_TTL", behaviour.access_ttl.to_string())
        .env("DB", directory.path().join("db.sqlite3"))
        // It ends when this end of the pipe does, however this process ends.
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(std::fs::File::create(&log).expect("a log"))
        .kill_on_drop(true);
    let mut child = command.spawn().expect("the server starts");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let ready = tokio::time::timeout(Duration::from_secs(60), lines.next_line()).await;
    let Some(base) = ready.expect("in a minute").expect("its output") else {
        panic!(
            "the server does not start: {}",
            std::fs::read_to_string(&log).expect("its log")
        );
    };
    (
        base,
        Running {
            _child: child,
            _output: lines,
            _directory: directory,
        },
    )
}
