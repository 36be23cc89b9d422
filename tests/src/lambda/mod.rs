//! A function as Lambda runs it: its release binary in an environment of its own, events by the Runtime API.

pub mod event;
mod front;
mod runtime;
mod stage;

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Stdio,
    sync::OnceLock,
    time::Duration,
};

use latchkey_aws::StoreSettings;
use serde_json::Value;
use tokio::{
    io::AsyncReadExt as _,
    process::{Child, Command},
};

use front::{Front, Fronts};
pub use stage::{Stage, is_success};

use runtime::{Invocation, Runtime};

use crate::{process::built, refresher, world::World};

/// The functions, by their names.
pub const FUNCTIONS: [&str; 6] = [
    "auth-methods",
    "authorise",
    "authorizer",
    "callback",
    "credentials",
    "refresher",
];

/// Where the functions' release binaries are, built if they are stale: what is deployed.
#[must_use]
pub fn released() -> &'static Path {
    static RELEASED: OnceLock<PathBuf> = OnceLock::new();
    RELEASED.get_or_init(|| {
        let packages = FUNCTIONS.map(|name| format!("latchkey-{name}"));
        let named = packages.iter().flat_map(|name| ["--package", name]);
        built(&["--release"].into_iter().chain(named).collect::<Vec<_>>());
        let test = std::env::current_exe().expect("this binary");
        let target = test.ancestors().nth(3).expect("a target directory");
        target.join("release")
    })
}

/// A program with which a function is run.
#[derive(Debug, Clone, Default)]
pub struct Wrapper(Vec<OsString>);

impl Wrapper {
    /// `valgrind`, which counts instructions into a file.
    #[must_use]
    pub fn callgrind(to: &Path) -> Self {
        let mut out = OsString::from("--callgrind-out-file=");
        out.push(to);
        Self(vec!["valgrind".into(), "--tool=callgrind".into(), out])
    }

    /// `strace`, which writes into a file what is opened.
    #[must_use]
    pub fn opened(to: &Path) -> Self {
        let mut words: Vec<OsString> = ["strace", "-D", "-f", "--trace=open,openat"]
            .map(Into::into)
            .into();
        words.extend(["--output".into(), to.into()]);
        Self(words)
    }
}

/// How a function is run.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The program and its arguments.
    pub command: Vec<OsString>,
    /// The environment, beside what Lambda gives.
    pub environment: Vec<(String, String)>,
    /// Whether its log is kept.
    pub logs: bool,
}

impl Setting {
    /// A function of ours.
    #[must_use]
    pub fn ours(name: &str, environment: Vec<(String, String)>) -> Self {
        Self {
            command: vec![released().join(name).into()],
            environment,
            logs: false,
        }
    }

    /// A function of ours over a world's store, without TLS, whose log is kept. `with` is what else is in its environment,
    /// or in place of what is.
    #[must_use]
    pub fn local(world: &World, name: &str, with: &[(&str, &str)]) -> Self {
        let keyring = world.server.directory().join("keyring.json");
        let mut environment = deployed(world);
        let own = [
            ("AWS_ENDPOINT_URL_DYNAMODB", world.server.store_url.as_str()),
            (
                "LATCHKEY_KEYRING_FILE",
                keyring.to_str().expect("a path in UTF-8"),
            ),
        ];
        let all = own.iter().chain(with);
        environment.extend(all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Self {
            logs: true,
            ..Self::ours(name, environment)
        }
    }

    /// The same within another program.
    #[must_use]
    pub fn within(mut self, wrapper: Wrapper) -> Self {
        self.command.splice(0..0, wrapper.0);
        self
    }
}

/// A function that runs and waits for an event; it ends with this value.
#[derive(Debug)]
pub struct Function {
    child: Child,
    runtime: Runtime,
    started: Duration,
}

/// The id of a request, and the header of its trace, where it does not matter which.
const REQUEST: &str = "00000000-0000-4000-8000-000000000000";
const TRACE: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0";

/// Longer than any program here takes to begin, or to answer.
const PATIENCE: Duration = Duration::from_secs(60);

impl Function {
    /// Starts a function, and waits until it asks for its first event.
    pub async fn start(setting: &Setting) -> Self {
        let runtime = Runtime::start().await;
        let (program, arguments) = setting.command.split_first().expect("a program");
        let begun = tokio::time::Instant::now();
        let mut child = Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(lambda(&runtime.address))
            .envs(setting.environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(if setting.logs {
                Stdio::piped()
            } else {
                Stdio::null()
            })
            .kill_on_drop(true)
            .spawn()
            .expect("the function starts");
        let mut function = tokio::select! {
            status = child.wait() => panic!("{program:?} ended at once: {status:?}"),
            () = tokio::time::sleep(PATIENCE) => panic!("{program:?} never asked for an event"),
            () = runtime.asked() => Self { child, runtime, started: Duration::ZERO },
        };
        function.started = begun.elapsed();
        function
    }

    /// How long it took until it asked for its first event.
    #[must_use]
    pub fn started(&self) -> Duration {
        self.started
    }

    /// Has it answer an event, and waits until it asks for the next one.
    pub async fn invoke(&self, event: &Value) -> Value {
        self.invoke_as(REQUEST, Some(TRACE), event).await
    }

    /// The same with an id of the request, and the header of its trace, if it is traced.
    pub async fn invoke_as(&self, id: &str, trace: Option<&str>, event: &Value) -> Value {
        self.runtime.hand(Invocation {
            id: id.to_owned(),
            trace: trace.map(str::to_owned),
            event: event.to_string(),
        });
        let done = async {
            let answer = self.runtime.answer().await;
            self.runtime.asked().await;
            answer
        };
        let answer = tokio::time::timeout(PATIENCE, done).await;
        let answer = answer.expect("it answers in time").expect("it succeeds");
        serde_json::from_str(&answer).expect("JSON")
    }

    /// Ends it: the lines of its log.
    pub async fn log(mut self) -> Vec<Value> {
        self.child.kill().await.expect("it is killed");
        let mut output = self.child.stdout.take().expect("its log is kept");
        let mut text = String::new();
        let read = output.read_to_string(&mut text).await;
        read.expect("a text");
        let lines = text.lines();
        lines
            .map(|line| serde_json::from_str(line).expect("a line of JSON"))
            .collect()
    }

    /// The CPU time that it has taken, of all its threads.
    #[must_use]
    pub fn cpu(&self) -> Duration {
        refresher::cpu(self.child.id().expect("it runs"))
    }

    /// The most memory that it has ever held.
    #[must_use]
    pub fn peak(&self) -> refresher::Peak {
        refresher::peak(self.child.id().expect("it runs"))
    }

    /// Ends it as Lambda does, so that what it is run within writes its file.
    pub async fn stop(mut self) {
        let id = self.child.id().expect("it runs").to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status().await;
        assert!(told.expect("kill runs").success());
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        ended.expect("it ends").expect("it has run");
    }
}

/// What the template gives to every function, but for where the keyring and AWS are.
fn deployed(world: &World) -> Vec<(String, String)> {
    let tables = StoreSettings::local(world.server.store_url.clone()).tables;
    [
        // Providers of tests are at this machine.
        ("LATCHKEY_MODE", "emulated"),
        ("LATCHKEY_STACK", "stack"),
        ("LATCHKEY_BASE_URL", world.url()),
        ("LATCHKEY_EVENT_BUS", "default"),
        ("LATCHKEY_SWEEP", "direct"),
        ("LATCHKEY_TABLE_CONNECTORS", &tables.connectors),
        ("LATCHKEY_TABLE_INSTANCES", &tables.instances),
        ("LATCHKEY_TABLE_HOSTS", &tables.hosts),
        ("LATCHKEY_TABLE_AUTHORISATIONS", &tables.authorisations),
        ("LATCHKEY_TABLE_API_KEYS", &tables.api_keys),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// What Lambda itself puts into the environment.
fn lambda(runtime: &str) -> Vec<(String, String)> {
    let fixed = [
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "secret-of-the-benchmark"),
        ("AWS_SESSION_TOKEN", "token-of-the-benchmark"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_FUNCTION_NAME", "measured"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/measured"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "stream"),
        ("LANG", "en_US.UTF-8"),
        ("LAMBDA_TASK_ROOT", "/var/task"),
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        ("TZ", ":UTC"),
        ("_HANDLER", "bootstrap"),
    ];
    let mut all: Vec<_> = fixed
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    all.push(("AWS_LAMBDA_RUNTIME_API".to_owned(), runtime.to_owned()));
    all
}
