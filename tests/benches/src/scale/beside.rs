//! Refreshing, beside what one would write otherwise: `openid-client` (npm) and Authlib (PyPI), which
//! make the request and read the answer, and keep nothing.

use std::{
    env,
    io::{self, BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use latchkey_core::flow::sweep::IN_FLIGHT;
use latchkey_emulators::tools;
use latchkey_tests::{granting::Provider, refresher::cpu};

use crate::{IN_MEMORY, refreshes};

/// How many each refreshes in a turn.
pub(crate) const REFRESHES: usize = 10_000;
/// The first turn of each warms up, and the best of the others counts.
const TURNS: usize = 4;

/// Runs them in turns, and says what a refresh cost each of them.
pub(crate) async fn run(refreshes: usize) {
    let provider = Provider::taking(Duration::ZERO).await;
    let (url, count, at_once) = (
        &provider.token_url,
        refreshes.to_string(),
        IN_FLIGHT.to_string(),
    );
    let origin = url.trim_end_matches("/token");
    let this = env::current_exe().expect("this program");
    let node = tools("openid-client").join("refresh.mjs");
    let authlib = Path::new(env!("CARGO_MANIFEST_DIR")).join("others/authlib/refresh.py");
    let mut rows = vec![
        (
            "Latchkey, its store in memory",
            Other::start(Command::new(this).args([IN_MEMORY, origin, &count])),
        ),
        (
            "openid-client",
            Other::start(Command::new("node").arg(node).args([url, &count, &at_once])),
        ),
        (
            "Authlib",
            Other::start(
                Command::new(tools("authlib").join("bin/python"))
                    .arg(authlib)
                    .args([url, &count]),
            ),
        ),
    ];
    let mut best = vec![Duration::MAX; rows.len()];
    for turn in 0..TURNS {
        for ((name, mut other), best) in std::mem::take(&mut rows).into_iter().zip(&mut best) {
            let asked = provider.asked();
            let spent;
            (other, spent) = tokio::task::spawn_blocking(move || {
                let spent = other.refresh(refreshes);
                (other, spent)
            })
            .await
            .expect("it refreshes");
            assert_eq!(provider.asked() - asked, refreshes, "{name}");
            if turn > 0 {
                *best = spent.min(*best);
            }
            rows.push((name, other));
        }
    }
    let each = |spent: Duration| {
        spent.as_secs_f64() * 1e6 / f64::from(u32::try_from(refreshes).expect("a number"))
    };
    let whole = refreshes::run(refreshes).await;
    let ours = best[0];
    say(&format!(
        "Latchkey, whole, its store over loopback: {:.0} µs of CPU a refresh",
        each(whole)
    ));
    for ((name, _), spent) in rows.iter().zip(best) {
        say(&format!(
            "{name}: {:.0} µs of CPU a refresh, {:.1} × ours in memory, {:.1} × ours whole",
            each(spent),
            spent.as_secs_f64() / ours.as_secs_f64(),
            spent.as_secs_f64() / whole.as_secs_f64(),
        ));
    }
}

fn say(line: &str) {
    writeln!(io::stdout(), "{line}").expect("somebody reads it");
}

/// A process that refreshes when it is told to; it ends with this value.
struct Other {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Drop for Other {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.child.kill().unwrap_or_default();
        self.child.wait().map(drop).unwrap_or_default();
    }
}

impl Other {
    fn start(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let mut other = Self {
            input: child.stdin.take().expect("its input"),
            output: BufReader::new(child.stdout.take().expect("its output")),
            child,
        };
        assert_eq!(other.line(), "ready");
        other
    }

    /// Has it refresh so many: the CPU time that they took.
    fn refresh(&mut self, count: usize) -> Duration {
        let before = cpu(self.child.id());
        writeln!(self.input).expect("it listens");
        assert_eq!(self.line(), count.to_string(), "all are granted");
        cpu(self.child.id()) - before
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("it answers");
        line.trim_end().to_owned()
    }
}
