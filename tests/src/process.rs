//! Latchkey as a process of its own, as `cargo run` starts it, to be killed.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    sync::OnceLock,
    time::Duration,
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

/// A `latchkey` that runs; it ends with this value.
#[derive(Debug)]
pub struct Process {
    /// What it says, line by line.
    pub output: Lines<BufReader<ChildStdout>>,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `latchkey` over a directory. Its log goes to `log` in that directory.
    #[must_use]
    pub fn start(directory: &Path, arguments: &[&str]) -> Self {
        std::fs::create_dir_all(directory).expect("a directory");
        let path = directory.join("log");
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(&path)
            .expect("a log");
        Self::start_logging(directory, arguments, log.into())
    }

    /// The same with another place for its log.
    #[must_use]
    pub fn start_logging(directory: &Path, arguments: &[&str], log: Stdio) -> Self {
        let mut child = Command::new(binary())
            .arg("--directory")
            .arg(directory)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .expect("latchkey starts");
        let output = BufReader::new(child.stdout.take().expect("its output")).lines();
        Self {
            output,
            child,
            log: directory.join("log"),
        }
    }

    /// The rest of the line that begins with `label`.
    pub async fn says(&mut self, label: &str) -> String {
        let found = async {
            while let Some(line) = self.output.next_line().await.expect("its output") {
                if let Some((_, rest)) = line.split_once(label) {
                    return rest.trim().to_owned();
                }
            }
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            panic!("latchkey never said {label:?}: {log}");
        };
        tokio::time::timeout(Duration::from_secs(60), found)
            .await
            .expect("in a minute")
    }

    /// Kills it as `kill -9` does.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("it is killed");
    }
}

/// Runs `latchkey` to its end: whether it succeeded, its output, and its errors.
pub async fn run(arguments: &[&str]) -> (bool, String, String) {
    let (code, output, errors) = status(arguments).await;
    (code == 0, output, errors)
}

/// Runs `latchkey` to its end: its exit status, its output, and its errors.
pub async fn status(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(binary())
        .args(arguments)
        .output()
        .await
        .expect("latchkey runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code().expect("no signal"),
        text(&output.stdout),
        text(&output.stderr),
    )
}

/// Starts `latchkey`, to be killed.
#[must_use]
pub fn spawn(arguments: &[&str]) -> Child {
    let mut command = Command::new(binary());
    command.args(arguments).stdout(Stdio::null());
    command.kill_on_drop(true).spawn().expect("latchkey starts")
}

/// A file for `latchkey` to read: its path.
#[must_use]
pub fn file(directory: &TempDir, name: &str, text: &str) -> String {
    let path = directory.path().join(name);
    std::fs::write(&path, text).expect("a file");
    path.to_str().expect("a path in UTF-8").to_owned()
}

/// Where the binaries are, built if they are stale, in the profile of this one.
fn binaries() -> &'static Path {
    static BINARIES: OnceLock<PathBuf> = OnceLock::new();
    BINARIES.get_or_init(|| {
        built(&["--workspace", "--bins"]);
        let test = std::env::current_exe().expect("this binary");
        let profile = test.ancestors().nth(2).expect("a profile's directory");
        profile.to_path_buf()
    })
}

/// The local server and its commands.
fn binary() -> PathBuf {
    binaries().join("latchkey")
}

/// A function as the tests are built, without optimisation.
#[must_use]
pub fn function(name: &str) -> PathBuf {
    binaries().join(name)
}

/// What cargo tells a program that it runs about itself. The build script of *ring* runs again wherever one is not as before,
/// and everything above it is built again.
const TOLD_BY_CARGO: [&str; 7] = [
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_LINKS",
    "CARGO_PKG_NAME",
    "CARGO_PKG_VERSION_MAJOR",
    "CARGO_PKG_VERSION_MINOR",
    "CARGO_PKG_VERSION_PATCH",
    "CARGO_PKG_VERSION_PRE",
];

/// Has cargo build what it is told.
pub(crate) fn built(which: &[&str]) {
    let mut cargo = std::process::Command::new(env!("CARGO"));
    for name in TOLD_BY_CARGO {
        cargo.env_remove(name);
    }
    let built = cargo
        .args(["build", "--quiet"])
        .args(which)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .expect("cargo runs");
    assert!(built.success(), "the binaries do not build");
}
