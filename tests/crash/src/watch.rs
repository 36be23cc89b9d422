//! Watching a process, and killing it where it is to die.
//!
//! # How it works
//! The process tells every point that it comes to and goes on when it is answered. The servers that it
//! asks tell points of their own: that they have done what they were asked, say, and have not
//! answered. All make one sequence. At the point where it is to die the process is sent `SIGKILL`,
//! while it waits: nothing of it goes on, nothing is unwound, nothing is flushed.

use std::{
    process::Stdio,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use latchkey_emulators::secrets::Moment;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, Command},
};

use crate::{
    crashing::after,
    outside::{Line, Outside},
    process::Order,
};

/// What a process has left with others.
#[derive(Debug, Clone, Default)]
pub struct Left {
    /// The names of the events that were published.
    pub events: Vec<String>,
    /// The messages in the queue, with when they may be delivered.
    pub messages: Vec<(Timestamp, String)>,
}

/// What became of a process.
#[derive(Debug, Clone)]
pub struct Ended {
    /// The points that it came to.
    pub points: Vec<String>,
    /// When it asked for its lease, if it was given one.
    pub leased_at: Option<Timestamp>,
    /// What it said at its end; `None` if it was killed at the last point.
    pub said: Option<String>,
}

/// Whoever watches.
#[derive(Debug, Default)]
pub struct Watch(Mutex<Watching>);

#[derive(Debug, Default)]
struct Watching {
    now: Timestamp,
    points: Vec<String>,
    leased_at: Option<Timestamp>,
    dies_at: Option<usize>,
    process: Option<Child>,
    left: Left,
}

impl Watch {
    fn watching(&self) -> MutexGuard<'_, Watching> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A process has come to a point. `false` if it has died there.
    pub fn reach(&self, point: &str) -> bool {
        let mut watching = self.watching();
        let number = watching.points.len();
        if watching.dies_at.is_some_and(|last| number > last) {
            return false;
        }
        watching.points.push(point.to_owned());
        if point == after("instances", "lease") {
            watching.leased_at = Some(watching.now);
        }
        if watching.dies_at != Some(number) {
            return true;
        }
        let process = watching.process.as_mut().expect("a process");
        process.start_kill().expect("it is killed");
        false
    }

    /// A process has come to where it waits for so long. `false` if it has died there.
    fn wait(&self, span: Duration) -> bool {
        let goes_on = self.reach("clock.sleep asked");
        self.watching().now += span;
        goes_on
    }

    /// The same for a step of the secrets manager's.
    pub fn reach_secrets(&self, operation: &str, moment: Moment) -> bool {
        let moment = match moment {
            Moment::Asked => "asked",
            Moment::Done => "done",
        };
        self.reach(&format!("{operation} {moment}"))
    }

    /// What is left with others.
    #[must_use]
    pub fn left(&self) -> Left {
        self.watching().left.clone()
    }

    /// Puts what was left in the place of what is.
    pub fn restore(&self, left: Left) {
        self.watching().left = left;
    }

    /// Takes the messages that may be delivered by now. They are seen to without fault.
    pub fn deliver(&self, now: Timestamp) -> Vec<String> {
        let mut watching = self.watching();
        let messages = std::mem::take(&mut watching.left.messages);
        let (due, waiting) = messages.into_iter().partition(|(at, _)| *at <= now);
        watching.left.messages = waiting;
        let due: Vec<(Timestamp, String)> = due;
        due.into_iter().map(|(_, text)| text).collect()
    }

    /// Somebody begins whom nobody kills. What they tell is heard all the same.
    pub fn begin(&self, now: Timestamp) {
        let mut watching = self.watching();
        watching.now = now;
        watching.points.clear();
        watching.leased_at = None;
        watching.dies_at = None;
        watching.process = None;
    }

    /// The points that were come to since.
    pub fn end(&self) -> Vec<String> {
        std::mem::take(&mut self.watching().points)
    }

    /// Starts a process of this program, and kills it at the point of this number.
    pub async fn run(&self, program: &str, order: &Order, dies_at: Option<usize>) -> Ended {
        let mut process = Command::new(program)
            .arg("process")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("it starts");
        let mut input = process.stdin.take().expect("its input");
        let output = process.stdout.take().expect("its output");
        let mut lines = BufReader::new(output).lines();
        self.begin(order.now);
        {
            let mut watching = self.watching();
            watching.dies_at = dies_at;
            watching.process = Some(process);
        }
        let mut line = serde_json::to_string(order).expect("a text");
        line.push('\n');
        input.write_all(line.as_bytes()).await.expect("it listens");
        let mut said = None;
        while let Some(line) = lines.next_line().await.expect("its output") {
            match serde_json::from_str(&line).expect("a line") {
                Line::Reach(point) if !self.reach(&point) => break,
                Line::Sleep(span) if !self.wait(span) => break,
                Line::Reach(_) | Line::Sleep(_) => {}
                Line::Publish(event) => self.publish(&event),
                Line::Post(delay, text) => self.post(delay, &text),
                Line::End(end) => said = Some(end),
            }
            // One that was killed meanwhile hears nothing.
            if input.write_all(b"\n").await.is_err() {
                break;
            }
        }
        let process = self.watching().process.take();
        let status = process.expect("a process").wait().await;
        let status = status.expect("its end");
        let leased_at = self.watching().leased_at;
        let points = self.end();
        let is_killed = {
            use std::os::unix::process::ExitStatusExt as _;
            status.signal() == Some(9)
        };
        let was_to_die = dies_at.is_some_and(|last| points.len() == last + 1);
        assert_eq!(is_killed, was_to_die, "{status} at {:?}", points.last());
        assert!(is_killed || status.success(), "{status}: {points:#?}");
        Ended {
            points,
            leased_at,
            said: said.filter(|_| !is_killed),
        }
    }
}

impl Outside for Watch {
    fn reach(&self, point: &str) {
        // Nobody dies who is no process.
        let _ = Self::reach(self, point);
    }

    fn sleep(&self, span: Duration) {
        let _ = self.wait(span);
    }

    fn publish(&self, event: &str) {
        self.watching().left.events.push(event.to_owned());
    }

    fn post(&self, delay: Duration, text: &str) {
        let mut watching = self.watching();
        let delay = SignedDuration::try_from(delay).expect("a short time");
        let due = watching.now + delay;
        watching.left.messages.push((due, text.to_owned()));
    }
}
