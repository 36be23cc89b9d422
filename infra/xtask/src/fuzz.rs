//! libFuzzer over the fuzz targets, on the stable toolchain.

use std::{fs, path::PathBuf, process::Command};

use crate::{Failed, Outcome, cargo, root, run, target};

/// What `cargo fuzz` would have the compiler do: count what runs and see what is compared. There is no sanitizer, which
/// stable can't have: the project's own code is free of `unsafe`.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
     -Cllvm-args=-sanitizer-coverage-trace-compares";
/// For a look; a real run is `cargo xtask fuzz TARGET 600`.
const SECONDS: &str = "60";

/// Runs one target for some seconds, or every target. Arguments after those go to libFuzzer.
pub(crate) fn fuzz(arguments: &[String]) -> Outcome {
    let built = build()?;
    let (name, seconds, rest) = match arguments {
        [] => (None, SECONDS, &[][..]),
        [name] => (Some(name), SECONDS, &[][..]),
        [name, seconds, rest @ ..] => (Some(name), seconds.as_str(), rest),
    };
    let names = match name.filter(|name| *name != "all") {
        Some(name) => vec![name.clone()],
        None => targets()?,
    };
    names
        .iter()
        .try_for_each(|name| one(&built, name, seconds, rest))
}

fn one(built: &PathBuf, name: &str, seconds: &str, rest: &[String]) -> Outcome {
    let kept = here().join("corpus").join(name);
    if !kept.is_dir() {
        let names = targets()?.join(", ");
        return Err(Failed::Here(format!(
            "there is no target '{name}', only {names}"
        )));
    }
    // What is found on the way is kept from run to run, and is not for the repository.
    let found = target().join("fuzz-corpus").join(name);
    let failed = |error: std::io::Error| Failed::Here(format!("{}: {error}", found.display()));
    fs::create_dir_all(&found).map_err(failed)?;
    let mut folders = vec![found.clone(), kept];
    match name {
        "definition" => folders.push(root().join("shared/presets")),
        "import" => folders.push(root().join("infra/import/tests/it/fixtures")),
        _ => {}
    }
    let words = here().join("words.dict");
    run(Command::new(built)
        .args(folders)
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-dict={}", words.display()))
        .arg(format!("-artifact_prefix={}/{name}-", target().display()))
        .args(["-max_len=8192", "-timeout=10", "-print_final_stats=1"])
        .args(rest)
        .env("LATCHKEY_FUZZ", name))
}

/// Builds the targets with libFuzzer, and says where they are.
fn build() -> Result<PathBuf, Failed> {
    let host = host()?;
    run(
        cargo(&["build", "--package", "latchkey-fuzz", "--bin", "fuzz"])
            .args(["--features", "libfuzzer", "--profile", "fuzz"])
            // With a target named, build scripts and macros are spared the flags.
            .args(["--target", &host])
            .env("RUSTFLAGS", COVERAGE),
    )?;
    Ok(target().join(host).join("fuzz/fuzz"))
}

/// The machine that is built for, as rustc calls it.
fn host() -> Result<String, Failed> {
    let output = Command::new("rustc")
        .arg("-vV")
        .current_dir(root())
        .output();
    let output = output.map_err(|error| Failed::Here(format!("rustc does not run: {error}")))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
        .ok_or_else(|| Failed::Here("rustc does not say its host".to_owned()))
}

/// The names of the targets: each has a folder of inputs.
fn targets() -> Result<Vec<String>, Failed> {
    let corpus = here().join("corpus");
    let failed = |error: std::io::Error| Failed::Here(format!("{}: {error}", corpus.display()));
    let folders = fs::read_dir(&corpus).map_err(failed)?;
    let mut names: Vec<_> = folders
        .filter_map(|folder| folder.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    Ok(names)
}

fn here() -> PathBuf {
    root().join("tests/fuzz")
}
