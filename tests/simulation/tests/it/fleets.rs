//! Fleets over hours, days and a year of virtual time.

use latchkey_simulation::{
    line::Call,
    provider::Policy,
    scenario::{hanging, herd::herd, idle::idle, mistake::mistake, outage::outage, year::year},
    sites::Condition,
};

#[test]
fn a_provider_that_is_down_for_a_day_kills_nobody() {
    for condition in [
        Condition::Refusing,
        Condition::Unavailable,
        Condition::Hanging,
    ] {
        let outage = outage(200, condition);
        println!("{outage}");
        assert_eq!(outage.ended, 0);
        assert!(outage.most <= 1, "at most one call a minute");
        assert!(
            outage.recovered <= 2.0,
            "all are refreshed within two lifetimes"
        );
    }
}

#[test]
fn a_herd_is_spread_after_one_cycle() {
    let herd = herd(20_000, 4);
    println!("{herd}");
    assert_eq!(herd.ended, 0);
    assert!(herd.ratio() <= 1.3);
}

#[test]
fn a_host_that_hangs_makes_no_other_late() {
    for hanging in [hanging::spread(2_000, 3), hanging::at_once(2_000)] {
        println!("{hanging}");
        assert!(hanging.ratio() <= 1.2);
    }
}

#[test]
fn a_definition_that_cannot_read_answers_for_days_loses_nothing() {
    for rotation in Policy::ALL {
        let mistake = mistake(rotation, 20);
        println!("{mistake}");
        assert_eq!((mistake.ended, mistake.recovered), (0, 20));
    }
}

#[test]
fn in_a_year_nobody_ends_who_was_not_ended() {
    let year = year(1);
    println!("{year}");
    assert_eq!((year.wrongly_ended, year.unnoticed), (0, 0));
    assert!((0.95..=1.05).contains(&year.ratio()));
}

#[test]
fn a_sweep_with_nothing_due_asks_once_for_each_shard() {
    let idle = idle(100_000);
    println!("{idle}");
    assert_eq!(idle.indexed, idle.instances);
    assert_eq!(idle.calls.get(&Call::QueryDue), Some(&16));
    assert_eq!(idle.calls.values().sum::<u64>(), 16 + 4);
}
