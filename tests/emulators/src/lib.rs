//! Emulators of AWS that tests start, and the tools that tests need.
//!
//! An emulator is started once for a test binary, at the first test that asks for it, on a free port
//! of this machine alone, and ends with the binary. Tests share it: each gives what it makes names of
//! its own.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "a test that can't go on fails where it stands"
)]

pub mod connection;
pub mod secrets;

use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, ChildStdout, Command, Stdio},
    sync::LazyLock,
};

/// The URL of moto (PyPI `moto[server]`), which runs from now on. It takes any credentials.
#[must_use]
pub fn moto() -> &'static str {
    static MOTO: LazyLock<Emulator> = LazyLock::new(|| Emulator::start("moto"));
    &MOTO.url
}

/// The URL of MiniStack (PyPI `ministack[full]`), which runs from now on. It takes any credentials.
#[must_use]
pub fn ministack() -> &'static str {
    static MINISTACK: LazyLock<Emulator> = LazyLock::new(|| Emulator::start("ministack"));
    &MINISTACK.url
}

/// Where `cargo xtask setup` has installed a tool.
///
/// A test without its parts fails; it never skips itself.
#[must_use]
pub fn tools(name: &str) -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "`cargo xtask test` says it so")]
    let told = std::env::var_os("LATCHKEY_TOOLS").map(PathBuf::from);
    let path = told.unwrap_or_else(beside_the_tests).join(name);
    assert!(
        path.exists(),
        "{} is missing: run `cargo xtask test`",
        path.display()
    );
    path
}

/// Where the tools are if the target directory is laid out as usual.
fn beside_the_tests() -> PathBuf {
    let binary = std::env::current_exe().expect("this binary");
    // target/debug/deps/it-…
    let target = binary.ancestors().nth(3).expect("a target directory");
    target.join("tools")
}

/// An emulator that runs until this process ends: the pipes to it close then, however it ends.
struct Emulator {
    url: String,
    _process: Child,
    _output: BufReader<ChildStdout>,
}

impl Emulator {
    fn start(name: &str) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/start.py");
        let mut process = Command::new(tools(name).join("bin/python"))
            .args([script, name])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the emulator starts");
        let mut output = BufReader::new(process.stdout.take().expect("its output"));
        let mut url = String::new();
        match output.read_line(&mut url) {
            Ok(1..) => {}
            Ok(0) | Err(_) => panic!("{name} does not start; above is what it says"),
        }
        Self {
            url: url.trim_end().to_owned(),
            _process: process,
            _output: output,
        }
    }
}
