//! Seeded schedules of the real flows.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use latchkey_simulation::{
    schedule::{run, run_with},
    store::Bug,
    told::Told,
};

/// How many schedules are run, unless [`SEEDS`] says which.
const SCHEDULES: u64 = 200_000;

/// The variable that says which schedules to run: a seed, or `FROM..TO`.
const SEEDS: &str = "LATCHKEY_SEEDS";

#[test]
fn no_schedule_loses_a_connection() {
    let (from, to) = seeds();
    let next = AtomicU64::new(from);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let all: Vec<Vec<Told>> = thread::scope(|scope| {
        let work = || {
            let mut sum = Told::default();
            let mut wrong = Vec::new();
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= to {
                    break;
                }
                let told = run(seed);
                sum.faults += told.faults;
                sum.deaths += told.deaths;
                sum.polls += told.polls;
                sum.dead += told.dead;
                sum.left += told.left;
                sum.overtaken += told.overtaken;
                if !told.wrong.is_empty() {
                    wrong.push(told);
                }
            }
            wrong.push(sum);
            wrong
        };
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let mut wrong: Vec<_> = all.into_iter().flatten().collect();
    let sums: Vec<_> = wrong.extract_if(.., |told| told.wrong.is_empty()).collect();
    let sum = |of: fn(&Told) -> u64| sums.iter().map(of).sum::<u64>();
    println!(
        "{} schedules: {} polls, {} faults, {} processes died, {} connections honestly ended ({} with an answer in the queue), \
         {} secrets left of deleted instances, {} schedules wrong",
        to - from,
        sum(|told| told.polls),
        sum(|told| told.faults),
        sum(|told| told.deaths),
        sum(|told| told.dead),
        sum(|told| told.overtaken),
        sum(|told| told.left),
        wrong.len(),
    );
    wrong.sort_by_key(|told| told.seed);
    for told in wrong.iter().take(20) {
        println!("{told}");
    }
    let seed = wrong.first().map_or(0, |told| told.seed);
    assert!(wrong.is_empty(), "run it again with {SEEDS}={seed}");
}

#[test]
fn a_store_that_breaks_a_rule_is_noticed() {
    for bug in Bug::ALL {
        let wrong = (0..20_000).map(|seed| run_with(seed, Some(bug)));
        let wrong = wrong.into_iter().find(|told| !told.wrong.is_empty());
        let told = wrong.unwrap_or_else(|| panic!("{bug:?} was not noticed"));
        println!("{bug:?}: {told}");
    }
}

#[test]
fn the_same_seed_tells_the_same_story() {
    for seed in 0..20 {
        let (one, other) = (run(seed), run(seed));
        assert_eq!(
            (one.mark, one.polls, one.faults),
            (other.mark, other.polls, other.faults)
        );
    }
}

fn seeds() -> (u64, u64) {
    #[expect(
        clippy::disallowed_methods,
        reason = "how somebody runs one schedule again"
    )]
    let Ok(told) = std::env::var(SEEDS) else {
        return (0, SCHEDULES);
    };
    let (from, to) = told.split_once("..").unwrap_or((&told, ""));
    let from = from.parse().unwrap_or_default();
    (from, to.parse().unwrap_or(from + 1))
}
