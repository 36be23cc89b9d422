//! The process that is killed: it is told one job, and tells every point that it comes to.

use std::{
    io::{self, BufRead as _, Write as _},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    job::Job,
    outside::{Line, Outside},
    ports::{Clients, Place, Ports},
};

/// What a process is told at its start.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Order {
    /// Where it finds what it reaches.
    pub place: Place,
    /// What time it is.
    pub now: Timestamp,
    /// What it does.
    pub job: Job,
}

/// Does what the first line of the standard input says, and tells it on the standard output.
///
/// # Errors
/// Whoever watches is gone, or talks nonsense.
pub fn run() -> io::Result<()> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    let Order { place, now, job } = serde_json::from_str(&line)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let outside: Arc<dyn Outside> = Arc::new(Pipes::default());
    let end = runtime.block_on(async {
        let ports = Ports::new(&Clients::of(&place), now, &outside);
        job.run(&ports).await
    });
    Pipes::default().tell(&Line::End(end));
    Ok(())
}

/// The pipes to whoever watches. What is told is heard before anything goes on, as nothing else
/// runs in the process.
#[derive(Default)]
struct Pipes(Mutex<()>);

impl Pipes {
    fn tell(&self, line: &Line) {
        let _one_at_a_time = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = serde_json::to_string(line).expect("a text");
        text.push('\n');
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes()).expect("somebody watches");
        out.flush().expect("somebody watches");
        let heard = io::stdin().lock().read_line(&mut text);
        assert!(matches!(heard, Ok(1..)), "somebody watches");
    }
}

impl Outside for Pipes {
    fn reach(&self, point: &str) {
        self.tell(&Line::Reach(point.to_owned()));
    }

    fn sleep(&self, span: Duration) {
        self.tell(&Line::Sleep(span));
    }

    fn publish(&self, event: &str) {
        self.tell(&Line::Publish(event.to_owned()));
    }

    fn post(&self, delay: Duration, text: &str) {
        self.tell(&Line::Post(delay, text.to_owned()));
    }
}
