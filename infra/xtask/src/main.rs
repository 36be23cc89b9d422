//! The project's own commands: `cargo xtask VERB`.
//!
//! | verb | does |
//! |---|---|
//! | `test [ARG…]` | installs what the tests need, and runs them; further arguments go to `cargo test` |
//! | `setup` | installs what the tests need |
//! | `lint` | format, clippy, licences and duplicates, documentation |
//! | `openapi` | writes `infra/openapi.json` anew |

mod setup;

use std::{
    env, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

/// Why a command did not do what it should.
#[derive(Debug)]
struct Failed(String);

type Outcome = Result<(), Failed>;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let outcome = match arguments.split_first() {
        Some((verb, rest)) if verb == "test" => test(rest),
        Some((verb, [])) if verb == "setup" => setup::all(),
        Some((verb, [])) if verb == "lint" => lint(),
        Some((verb, [])) if verb == "openapi" => openapi(),
        Some(_) | None => Err(Failed(
            "usage: cargo xtask test [ARG…] | setup | lint | openapi".to_owned(),
        )),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failed(why)) => {
            // Nobody is left to tell if this fails.
            writeln!(io::stderr(), "xtask: {why}").unwrap_or_default();
            ExitCode::FAILURE
        }
    }
}

fn test(arguments: &[String]) -> Outcome {
    setup::all()?;
    // Some tests start the local server as a process of its own: they should not wait for it to be built.
    run(&mut cargo(&["build", "--package", "latchkey-local"]))?;
    run(cargo(&["test", "--workspace"]).args(arguments))
}

fn lint() -> Outcome {
    run(&mut cargo(&["fmt", "--all", "--check"]))?;
    run(&mut cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;
    let deny = setup::cargo_deny()?;
    // The advisory database is elsewhere on the network: `cargo deny check advisories` looks there.
    run(Command::new(deny)
        .args(["--workspace", "check", "bans", "licenses", "sources"])
        .current_dir(root()))?;
    let mut doc = cargo(&[
        "doc",
        "--workspace",
        "--no-deps",
        "--document-private-items",
    ]);
    run(doc.env("RUSTDOCFLAGS", "-Dwarnings"))
}

fn openapi() -> Outcome {
    let mut command = cargo(&[
        "run",
        "--quiet",
        "--package",
        "latchkey-local",
        "--",
        "--openapi",
    ]);
    let output = command
        .output()
        .map_err(|error| Failed(format!("cargo does not run: {error}")))?;
    if !output.status.success() {
        return Err(Failed("latchkey does not build".to_owned()));
    }
    let path = root().join("infra/openapi.json");
    fs::write(&path, output.stdout)
        .map_err(|error| Failed(format!("{} can't be written: {error}", path.display())))
}

/// Cargo, as it runs this program, in the project's root.
fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(variable("CARGO").unwrap_or_else(|| "cargo".to_owned()));
    command.args(arguments).current_dir(root());
    command
}

/// Runs a command to its end and shows what it prints.
fn run(command: &mut Command) -> Outcome {
    let line = format!("{command:?}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failed(format!("{status}: {line}"))),
        Err(error) => Err(Failed(format!("{error}: {line}"))),
    }
}

/// The project's root.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn variable(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "this program is configured by cargo, through its environment"
    )]
    env::var(name).ok()
}
