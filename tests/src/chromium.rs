//! A real browser.

use std::{
    net::Ipv4Addr,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, Stdio},
};

use fantoccini::{Client, ClientBuilder};
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::ChildStdout,
};

/// Starts ChromeDriver, and ends it and its browser once standard input does. ChromeDriver that is
/// killed leaves its browser behind, so the whole process group goes.
const SCRIPT: &str = r#"chromedriver "$1" & exec >&-; read -r _; kill -9 "-$$""#;

/// Headless Chromium, driven by ChromeDriver; both end with this value, and with this process.
#[derive(Debug)]
pub struct Chromium {
    /// What drives it.
    pub client: Client,
    // Fields go in order: the browser ends before its files do.
    _driver: Driver,
    directory: TempDir,
}

impl Chromium {
    /// Starts one with a new profile.
    pub async fn start() -> Self {
        let directory = TempDir::new().expect("a directory");
        let (driver, url) = Driver::start(directory.path()).await;
        let client = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
            .capabilities(capabilities(directory.path()))
            .connect(&url)
            .await
            .expect("Chromium starts: `cargo xtask test` installs it");
        Self {
            client,
            _driver: driver,
            directory,
        }
    }

    /// Where its profile and all its other files are.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }
}

fn capabilities(directory: &Path) -> Map<String, Value> {
    let arguments = json!([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=800,900",
        format!("--user-data-dir={}", directory.join("profile").display()),
    ]);
    let options = json!({ "args": arguments });
    Map::from_iter([("goog:chromeOptions".to_owned(), options)])
}

/// ChromeDriver and its browser, as one process group.
#[derive(Debug)]
struct Driver(Child);

impl Driver {
    /// Starts one, and gives its URL.
    async fn start(directory: &Path) -> (Self, String) {
        let port = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|free| free.local_addr())
            .expect("a port")
            .port();
        let mut shell = Command::new("sh")
            .args(["-c", SCRIPT, "sh", &format!("--port={port}")])
            // Crash reports and sockets go where they are removed afterwards.
            .env("HOME", directory)
            .env("TMPDIR", directory)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        let output = shell.stdout.take().expect("its output");
        let driver = Self(shell);
        let output = ChildStdout::from_std(output).expect("a pipe");
        let mut lines = BufReader::new(output).lines();
        while let Some(line) = lines.next_line().await.expect("its output") {
            if line.contains("started successfully") {
                return (driver, format!("http://127.0.0.1:{port}"));
            }
        }
        panic!("chromedriver is missing or does not start: run `cargo xtask test`");
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // The shell is a member of the group that it kills, so its status says nothing.
        self.0.wait().map(drop).unwrap_or_default();
    }
}
