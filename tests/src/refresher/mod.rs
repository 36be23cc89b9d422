//! The `refresher` as a process of its own, with nothing else in it: no store, no API, no provider.
//!
//! What a refresh costs is seen in what this process costs. It reaches the store, and providers, over
//! real sockets, and works when it is told to.

mod worker;

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use url::Url;

pub use worker::work;

/// How a refresher works.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The store.
    pub store: Url,
    /// The keyring's file.
    pub keyring: std::path::PathBuf,
    /// Where people reach the deployment.
    pub base_url: Url,
    /// How many instances it works at once.
    pub in_flight: usize,
    /// How long a call may take at most, below the product's own limit. A path that ends with [`PATIENT`]
    /// has the product's.
    pub limit: Duration,
    /// What it logs: a `tracing` filter.
    pub log: String,
}

/// How the path of a token URL ends whose answer is waited for as long as the product waits.
pub const PATIENT: &str = "/patient";

/// The most memory that a process has ever held.
#[derive(Debug, Clone, Copy)]
pub struct Peak {
    /// All of it, in KiB.
    pub all_kib: u64,
    /// What of it is the program itself, in KiB: that of an unoptimised build is three times what is
    /// deployed.
    pub program_kib: u64,
}

impl Peak {
    /// What it held besides the program, in KiB.
    #[must_use]
    pub fn held_kib(&self) -> u64 {
        self.all_kib.saturating_sub(self.program_kib)
    }
}

impl std::fmt::Display for Peak {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            all_kib,
            program_kib,
        } = self;
        write!(
            f,
            "peak RSS {all_kib} KiB, {program_kib} of them the program"
        )
    }
}

/// A refresher that runs; it ends with this value.
#[derive(Debug)]
pub struct Refresher {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Drop for Refresher {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.child.kill().unwrap_or_default();
        self.child.wait().map(drop).unwrap_or_default();
    }
}

impl Refresher {
    /// Starts the binary that calls [`work`]; its log goes to a file.
    #[must_use]
    pub fn start(binary: &Path, settings: &Settings, log: &Path) -> Self {
        Self::start_with(binary, &[], settings, log)
    }

    /// The same with arguments that the binary wants before the settings.
    #[must_use]
    pub fn start_with(binary: &Path, first: &[&str], settings: &Settings, log: &Path) -> Self {
        let told = json!({
            "store": settings.store,
            "keyring": settings.keyring,
            "base_url": settings.base_url,
            "in_flight": settings.in_flight,
            "limit_ms": u64::try_from(settings.limit.as_millis()).expect("milliseconds"),
            "log": settings.log,
        });
        let log = std::fs::File::create(log).expect("a log");
        let mut child = Command::new(binary)
            .args(first)
            .arg(told.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the refresher starts");
        Self {
            input: child.stdin.take().expect("its input"),
            output: BufReader::new(child.stdout.take().expect("its output")),
            child,
        }
    }

    /// Sweeps once, by a clock that is so many seconds ahead: the report.
    ///
    /// Blocks until it is done.
    pub fn sweep(&mut self, ahead: i64) -> Value {
        writeln!(self.input, "{ahead}").expect("it listens");
        let mut line = String::new();
        self.output.read_line(&mut line).expect("it answers");
        serde_json::from_str(&line).expect("it has not ended")
    }

    /// The most memory that it has ever held.
    #[must_use]
    pub fn peak(&self) -> Peak {
        peak(self.child.id())
    }

    /// The CPU time that it has taken.
    #[must_use]
    pub fn cpu(&self) -> Duration {
        cpu(self.child.id())
    }
}

/// The most memory that a process has ever held.
#[must_use]
pub fn peak(process: u32) -> Peak {
    let path = format!("/proc/{process}/status");
    let text = std::fs::read_to_string(path).expect("it runs, on Linux");
    let kib = |label: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(label));
        let number = line.and_then(|line| line.split_whitespace().next());
        number.and_then(|text| text.parse().ok()).expect("a number")
    };
    Peak {
        all_kib: kib("VmHWM:"),
        program_kib: kib("RssFile:"),
    }
}

/// The CPU time that a process has taken, of all its threads, user's and system's.
#[must_use]
pub fn cpu(process: u32) -> Duration {
    let path = format!("/proc/{process}/task");
    let tasks = std::fs::read_dir(path).expect("it runs, on Linux");
    let spent = tasks.filter_map(|task| {
        // In nanoseconds; a thread that has just ended has no file any more.
        let text = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(spent.sum())
}
