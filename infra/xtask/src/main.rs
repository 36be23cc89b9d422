//! The project's own commands: `cargo xtask VERB`.
//!
//! | verb | does |
//! |---|---|
//! | `test [ARG…]` | installs what the tests need, and runs them; further arguments go to `cargo test` |
//! | `setup` | installs what the tests need |
//! | `properties [CASES]` | runs every property test with many more cases than a test run has, 10,000 unless told |
//! | `fuzz [TARGET] [SECONDS] [ARG…]` | runs a fuzz target, or all, a minute each unless told; further arguments go to libFuzzer |
//! | `lint` | format, clippy, licences and duplicates, documentation |
//! | `audit` | known vulnerabilities of what is depended on, from a database on the network |
//! | `crashes` | kills processes at every point, alone and in every pair, for every provider and both vaults; takes long |
//! | `model` | checks the refresh protocol's model in more states than the tests do; takes long |
//! | `simulate` | simulates larger fleets over virtual time than the tests do; takes long |
//! | `bench [ROUNDS]` | measures what the functions cost as Lambda runs them, beside functions in other languages |
//! | `scale [NAME [COUNT]]` | measures what a refresher does at scale, and beside other libraries |
//! | `openapi` | writes `infra/openapi.json` anew |
//! | `dashboard` | writes `infra/dashboard.json` into `template.yaml` anew |
//! | `schema` | writes `shared/presets/definition.schema.json` anew |

mod fuzz;
mod setup;

use std::{
    env, fs,
    io::{self, Write as _},
    path::{self, Path, PathBuf},
    process::{Command, ExitCode, ExitStatus},
};

/// Why a command did not do what it should.
#[derive(Debug)]
enum Failed {
    /// It could not be done.
    Here(String),
    /// A program that was run did not succeed, and has said why.
    There(ExitStatus, String),
}

type Outcome = Result<(), Failed>;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let outcome = match arguments.split_first() {
        Some((verb, rest)) if verb == "test" => test(rest),
        Some((verb, [])) if verb == "properties" => properties("10000"),
        Some((verb, [cases])) if verb == "properties" => properties(cases),
        Some((verb, rest)) if verb == "fuzz" => fuzz::fuzz(rest),
        Some((verb, [])) if verb == "setup" => setup::all(),
        Some((verb, [])) if verb == "lint" => lint(),
        Some((verb, [])) if verb == "audit" => audit(),
        Some((verb, [])) if verb == "crashes" => {
            let what = ["--workspace", "--bin", "latchkey-crash"];
            run(cargo(&["build", "--profile", OPTIMISED]).args(what))
                .and_then(|()| run(&mut Command::new(target().join(OPTIMISED).join("latchkey-crash"))))
        }
        Some((verb, [])) if verb == "model" => {
            run(&mut cargo(&["run", "--package", "latchkey-model"]))
        }
        Some((verb, rounds)) if verb == "bench" => setup::lambdas().and_then(|()| {
            // What measures is not measured: it need not be optimised.
            let bench = ["bench", "--profile", "dev", "--package", "latchkey-benches", "--bench", "lambda", "--"];
            run(cargo(&bench).args(rounds).env("LATCHKEY_TOOLS", setup::tools()))
        }),
        Some((verb, what)) if verb == "scale" => setup::others().and_then(|()| {
            let bench = ["bench", "--package", "latchkey-benches", "--bench", "scale", "--"];
            run(cargo(&bench).args(what).env("LATCHKEY_TOOLS", setup::tools()))
        }),
        Some((verb, [])) if verb == "simulate" => run(&mut cargo(&simulation("run"))),
        Some((verb, [])) if verb == "openapi" => kept("--openapi", "infra/openapi.json"),
        Some((verb, [])) if verb == "dashboard" => dashboard(),
        Some((verb, [])) if verb == "schema" => {
            kept("--schema", "shared/presets/definition.schema.json")
        }
        Some(_) | None => Err(Failed::Here(
            "usage: cargo xtask test [ARG…] | setup | properties [CASES] | fuzz [TARGET] [SECONDS] [ARG…] | lint | audit \
             | crashes | model | simulate | bench [ROUNDS] | scale [NAME [COUNT]] | openapi | dashboard | schema"
                .to_owned(),
        )),
    };
    let (why, code) = match outcome {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failed::Here(why)) => (why, ExitCode::FAILURE),
        Err(Failed::There(status, line)) => (format!("{status}: {line}"), exit_code(status)),
    };
    // Nobody is left to tell if this fails.
    writeln!(io::stderr(), "xtask: {why}").unwrap_or_default();
    code
}

/// The exit code of a program that did not succeed; 1 if a signal ended it.
fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    code.map_or(ExitCode::FAILURE, ExitCode::from)
}

fn test(arguments: &[String]) -> Outcome {
    setup::all()?;
    // Some tests start the local server or the functions as processes: they should not wait for them to be built.
    // With the workspace's features, as the tests have them, so that nothing is built twice.
    run(&mut cargo(&["build", "--workspace", "--bins"]))?;
    // The last tests to run want what is deployed, and an optimised simulation. They are built while others run, which wait
    // for other things often, and never in their way: some are asked to answer in time.
    let deployed = DEPLOYED.iter().flat_map(|name| ["--package", name]);
    let mut release = behind(&["build", "--release", "--quiet"]);
    release.args(deployed);
    let mut simulated = behind(&simulation("test"));
    simulated.args(["--no-run", "--quiet"]);
    let building =
        std::thread::spawn(|| [release, simulated].map(|mut command| command.status().map(drop)));
    let apart = [SIMULATION, BUDGET]
        .iter()
        .flat_map(|name| ["--exclude", name]);
    let tested = run(cargo(&["test", "--workspace"])
        .args(apart)
        .args(arguments)
        .env("LATCHKEY_TOOLS", setup::tools()));
    // Whether they were built, the tests that want them say.
    drop(building.join());
    tested?;
    run(cargo(&["test", "--package", BUDGET])
        .args(arguments)
        .env("LATCHKEY_TOOLS", setup::tools()))?;
    run(cargo(&simulation("test")).args(arguments))
}

/// The functions, whose release binaries are deployed and measured.
const DEPLOYED: [&str; 6] = [
    "latchkey-auth-methods",
    "latchkey-authorise",
    "latchkey-authorizer",
    "latchkey-callback",
    "latchkey-credentials",
    "latchkey-refresher",
];

const SIMULATION: &str = "latchkey-simulation";
/// What measures, and is disturbed by what else runs.
const BUDGET: &str = "latchkey-budget";
/// The profile of what runs for minutes with every check on.
const OPTIMISED: &str = "simulation";

/// What cargo is told of the simulation, whose hundreds of thousands of schedules want an optimised build.
fn simulation(verb: &str) -> [&str; 5] {
    [verb, "--profile", OPTIMISED, "--package", SIMULATION]
}

/// A long random run: the tests that try inputs at random, found by their names.
fn properties(cases: &str) -> Outcome {
    const CRATES: [&str; 4] = [
        "latchkey-core",
        "latchkey-fuzz",
        "latchkey-import",
        "latchkey-web",
    ];
    const NAMES: [&str; 5] = [
        "properties::",
        "short_runs::",
        "anything::any_",
        "yaml::",
        "no_secret_is_ever_shown",
    ];
    let crates = CRATES.iter().flat_map(|name| ["--package", name]);
    run(cargo(&["test", "--lib", "--tests"])
        .args(crates)
        .arg("--")
        .args(NAMES)
        .env("PROPTEST_CASES", cases))
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
    deny(&["bans", "licenses", "sources"])?;
    let mut doc = cargo(&[
        "doc",
        "--workspace",
        "--no-deps",
        "--document-private-items",
    ]);
    run(doc.env("RUSTDOCFLAGS", "-Dwarnings"))
}

/// Apart from `lint`, which needs no network.
fn audit() -> Outcome {
    deny(&["advisories"])
}

fn deny(checks: &[&str]) -> Outcome {
    run(Command::new(setup::cargo_deny()?)
        .args(["--workspace", "check"])
        .args(checks)
        .current_dir(root()))
}

/// Writes what the server prints with a flag into a file of the repository.
fn kept(flag: &str, path: &str) -> Outcome {
    let mut command = cargo(&["run", "--quiet", "--package", "latchkey-local", "--", flag]);
    let output = command
        .output()
        .map_err(|error| Failed::Here(format!("cargo does not run: {error}")))?;
    if !output.status.success() {
        return Err(Failed::Here("latchkey does not build".to_owned()));
    }
    let path = root().join(path);
    fs::write(&path, output.stdout)
        .map_err(|error| Failed::Here(format!("{} can't be written: {error}", path.display())))
}

/// Where the dashboard's body is in the template, and how far it is indented there.
const DASHBOARD: &str = "      DashboardBody: !Sub |\n";
const INDENT: &str = "          ";

/// Writes the dashboard's body into the template: CloudFormation reads it from no file.
fn dashboard() -> Outcome {
    let file = |path: &str| {
        let path = root().join(path);
        let text = fs::read_to_string(&path);
        text.map_err(|error| Failed::Here(format!("{} can't be read: {error}", path.display())))
    };
    let (body, template) = (file("infra/dashboard.json")?, file("template.yaml")?);
    let Some((before, rest)) = template.split_once(DASHBOARD) else {
        return Err(Failed::Here("the template has no dashboard".to_owned()));
    };
    let mut after = rest.split_inclusive('\n').skip_while(|line| {
        let is_empty = line.trim().is_empty();
        is_empty || line.starts_with(INDENT)
    });
    let mut written = format!("{before}{DASHBOARD}");
    for line in body.lines() {
        let indent = if line.is_empty() { "" } else { INDENT };
        written.extend([indent, line, "\n"]);
    }
    written.push('\n');
    written.extend(&mut after);
    let path = root().join("template.yaml");
    fs::write(&path, written)
        .map_err(|error| Failed::Here(format!("{} can't be written: {error}", path.display())))
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

/// Cargo, in the project's root, and as if nobody ran it from within cargo.
fn cargo(arguments: &[&str]) -> Command {
    cargo_by(Command::new(cargo_itself()), arguments)
}

/// The same, which has the processor when nobody else wants it.
fn behind(arguments: &[&str]) -> Command {
    let mut command = Command::new("nice");
    command.args(["-n", "19"]).arg(cargo_itself());
    cargo_by(command, arguments)
}

/// Cargo, as it runs this program.
fn cargo_itself() -> String {
    variable("CARGO").unwrap_or_else(|| "cargo".to_owned())
}

fn cargo_by(mut command: Command, arguments: &[&str]) -> Command {
    command
        .args(arguments)
        .envs(told_target().map(|path| ("CARGO_TARGET_DIR", path)))
        .current_dir(root());
    for name in TOLD_BY_CARGO {
        command.env_remove(name);
    }
    command
}

/// Runs a command to its end and shows what it prints.
fn run(command: &mut Command) -> Outcome {
    let line = format!("{command:?}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failed::There(status, line)),
        Err(error) => Err(Failed::Here(format!("{error}: {line}"))),
    }
}

/// The project's root.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Where cargo builds.
fn target() -> PathBuf {
    told_target().unwrap_or_else(|| root().join("target"))
}

/// Where cargo was told to build. A relative path is seen from where this program was started.
fn told_target() -> Option<PathBuf> {
    path::absolute(variable("CARGO_TARGET_DIR")?).ok()
}

fn variable(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "this program is configured by cargo, through its environment"
    )]
    env::var(name).ok()
}
