//! Every point at which a process can be killed, alone and in pairs.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Mutex,
};

use jiff::Timestamp;

use crate::{
    crashing::after,
    job::Job,
    judge::Verdict,
    provider::GRANTED,
    story::{Death, Flow, HELD_OFF, NEXT, START, Story},
    world::{Configuration, World},
};

/// Which pairs are tried. All single points always are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairs {
    /// All.
    All,
    /// One in so many of the first points, and with each one in so many of the second: always the same.
    OneIn(usize),
}

impl Pairs {
    fn has_any(self, first: usize) -> bool {
        match self {
            Self::All => true,
            Self::OneIn(stride) => first.is_multiple_of(stride),
        }
    }

    fn has(self, first: usize, second: usize) -> bool {
        match self {
            Self::All => true,
            Self::OneIn(stride) => {
                self.has_any(first) && (first / stride + second).is_multiple_of(stride)
            }
        }
    }
}

/// What came of one configuration.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Processes that were killed once, each with its own end.
    pub alone: usize,
    /// Two processes that were killed one after the other.
    pub pairs: usize,
    /// How the ends were.
    pub healed: usize,
    /// The person had to begin again.
    pub begun_again: usize,
    /// The one honest row.
    pub told_truly: usize,
    /// The points of each flow, in the order in which a process comes to them that nobody kills.
    pub points: BTreeMap<String, Vec<String>>,
    /// Everything that a process comes to from the provider's answer to the write that keeps it, in each
    /// flow that has one.
    pub committing: BTreeSet<Vec<String>>,
    /// What went wrong, and where.
    pub wrong: Vec<String>,
}

impl Report {
    fn add(&mut self, other: Self) {
        self.alone += other.alone;
        self.pairs += other.pairs;
        self.healed += other.healed;
        self.begun_again += other.begun_again;
        self.told_truly += other.told_truly;
        self.points.extend(other.points);
        self.committing.extend(other.committing);
        self.wrong.extend(other.wrong);
    }

    fn judged(&mut self, story: &Story<'_>, deaths: &[Death], judged: Result<Verdict, String>) {
        match judged {
            Ok(Verdict::Healed) => self.healed += 1,
            Ok(Verdict::BegunAgain) => self.begun_again += 1,
            Ok(Verdict::ToldTruly) => self.told_truly += 1,
            Err(why) => {
                let points = deaths.iter().map(|death| {
                    let points = &death.ended.points;
                    let last = points.last().map_or("", String::as_str);
                    format!("{last} ({})", points.len())
                });
                let points: Vec<_> = points.collect();
                let (configuration, flow) = (story.world.configuration, story.flow);
                let points = points.join(", then ");
                self.wrong.push(format!(
                    "{configuration} {flow:?}, killed at {points}: {why}"
                ));
            }
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            alone,
            pairs,
            healed,
            begun_again,
            told_truly,
            wrong,
            ..
        } = self;
        let wrong = wrong.len();
        write!(
            f,
            "{alone:>6} killed alone, {pairs:>6} in pairs: {healed:>6} healed, {begun_again:>5} begun again, \
             {told_truly:>5} told truly, {wrong} wrong"
        )
    }
}

/// Kills the processes of one configuration at every point.
pub async fn configuration(configuration: Configuration, program: &str, pairs: Pairs) -> Report {
    let world = World::start(configuration, program).await;
    let method = world.method(START).await;
    let blank = world.save();
    let mut report = Report::default();
    for flow in Flow::ALL {
        world.restore(&blank);
        if let Some(story) = Story::new(&world, &method, flow).await {
            report.add(tell(&story, pairs).await);
        }
    }
    report
}

/// Kills the processes of one flow at every point.
async fn tell(story: &Story<'_>, pairs: Pairs) -> Report {
    let mut report = Report::default();
    let whole = story.world.process(story.begins, &story.job, None).await;
    let deaths = [];
    let judged = story.heal(story.begins + NEXT, &story.job, &deaths).await;
    report.judged(story, &deaths, judged);
    let points = whole.points;
    report.committing.extend(committing(&points));
    for first in 0..points.len() {
        story.world.restore(&story.start);
        let ended = story.world.process(story.begins, &story.job, Some(first));
        let death = Death {
            at: story.begins,
            ended: ended.await,
        };
        report.alone += 1;
        report.add(go_on(story, first, death, pairs).await);
    }
    report.points.insert(format!("{:?}", story.flow), points);
    report
}

/// What comes when one process was killed: all goes well from now on, or the next is killed too.
async fn go_on(story: &Story<'_>, first: usize, death: Death, pairs: Pairs) -> Report {
    let mut report = Report::default();
    let (world, mut now) = (story.world, story.begins + NEXT);
    let left = world.save();
    let mut deaths = vec![death];
    let judged = end(story, now, &story.job, &deaths).await;
    report.judged(story, &deaths, judged);
    if !pairs.has_any(first) {
        return report;
    }

    world.restore(&left);
    let next = story.next(now, &story.job).await;
    loop {
        let ready = world.save();
        let whole = world.process(now, &next, None).await;
        let done = world.save();
        for second in 0..whole.points.len() {
            if !pairs.has(first, second) {
                continue;
            }
            world.restore(&ready);
            let ended = world.process(now, &next, Some(second)).await;
            deaths.truncate(1);
            deaths.push(Death { at: now, ended });
            report.pairs += 1;
            let judged = end(story, now + NEXT, &next, &deaths).await;
            report.judged(story, &deaths, judged);
        }
        if !has_held_off(&whole.points) {
            return report;
        }
        // Whoever comes after that goes on.
        world.restore(&done);
        now += HELD_OFF;
    }
}

/// Whether a process did no more than leave an instance alone for a while.
fn has_held_off(points: &[String]) -> bool {
    let wrote = |write| points.contains(&after("instances", write));
    wrote("hold_off") && !wrote("lease")
}

async fn end(
    story: &Story<'_>,
    now: Timestamp,
    job: &Job,
    deaths: &[Death],
) -> Result<Verdict, String> {
    story.is_kept(deaths).await?;
    story.heal(now, job, deaths).await
}

/// Kills the processes of all configurations, so many at once, and says what came of each as soon as it
/// is known. All together at the end.
pub fn all(
    program: &str,
    pairs: Pairs,
    at_once: usize,
    say: &(dyn Fn(&Configuration, &Report) + Sync),
) -> Report {
    let mut waiting = Configuration::all();
    waiting.reverse();
    let (waiting, reports) = (Mutex::new(waiting), Mutex::new(Report::default()));
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .expect("a runtime");
                loop {
                    let next = waiting.lock().expect("nobody panicked").pop();
                    let Some(next) = next else { return };
                    let report = runtime.block_on(configuration(next, program, pairs));
                    say(&next, &report);
                    reports.lock().expect("nobody panicked").add(report);
                }
            });
        }
    });
    reports.into_inner().expect("nobody panicked")
}

/// The points from the provider's answer to the write that keeps it, both included.
fn committing(points: &[String]) -> Option<Vec<String>> {
    let granted = points.iter().position(|point| point == GRANTED)?;
    let answered = points.iter().skip(granted + 1);
    let kept = |point: &&String| {
        KEEPING
            .map(|write| after("instances", write))
            .contains(point)
    };
    let length = answered.clone().position(|point| kept(&point))? + 1;
    Some(answered.take(length).cloned().collect())
}

/// The writes that keep what a provider has granted.
pub const KEEPING: [&str; 3] = ["commit", "commit_late", "connect"];

/// How many different points there are, each named by its flow.
#[must_use]
pub fn different(points: &BTreeMap<String, Vec<String>>) -> usize {
    let named = points
        .iter()
        .flat_map(|(flow, points)| points.iter().map(move |point| (flow, point)));
    named.collect::<BTreeSet<_>>().len()
}
