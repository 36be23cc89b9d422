//! Checking a configuration.

use std::{collections::BTreeSet, fmt, num::NonZero};

use stateright::{Checker as _, Expectation, HasDiscoveries, Model, Property};

use crate::{
    Refreshing,
    action::{Action, after, possible},
    configuration::Configuration,
    property::{always, sometimes},
    provider::Tokens,
    state::State,
};

impl Model for Refreshing {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::connected()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        possible(&self.0, state, actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let next = after(&self.0, state, action);
        (next != *state).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = always();
        properties.extend(sometimes(self));
        properties
    }

    /// The number of leases bounds every story but those of [`crate::bug::Bug::LastWriteWins`], which
    /// puts epochs back.
    fn within_boundary(&self, state: &State) -> bool {
        state.provider.last.0 <= Tokens::MOST
    }
}

/// What checking a configuration has shown.
#[derive(Debug)]
pub struct Checked {
    /// What was checked.
    pub configuration: Configuration,
    /// How many distinct states there are, or were seen until a property was broken. Two that
    /// differ in the names of workers alone are one.
    pub states: usize,
    /// The length of the longest story.
    pub depth: usize,
    /// The properties that are broken, each with a story that breaks it.
    pub broken: Vec<(&'static str, String)>,
    /// What never came to pass, although it should.
    pub missing: Vec<&'static str>,
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            configuration,
            states,
            depth,
            ..
        } = self;
        write!(f, "{states:>11} states, depth {depth:>3}: {configuration}")?;
        for (name, story) in &self.broken {
            write!(f, "\n  broken: {name}\n{story}")?;
        }
        for name in &self.missing {
            write!(f, "\n  never: {name}")?;
        }
        Ok(())
    }
}

/// Checks every state of a configuration, and stops early only where a property is broken.
#[must_use]
pub fn check(configuration: Configuration) -> Checked {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    run(configuration, HasDiscoveries::AnyFailures, threads)
}

/// Looks for a story that breaks one property, whatever else is broken; the same one each time.
#[must_use]
pub fn look_for(configuration: Configuration, property: &'static str) -> Checked {
    run(
        configuration,
        HasDiscoveries::AnyOf(BTreeSet::from([property])),
        1,
    )
}

fn run(configuration: Configuration, until: HasDiscoveries, threads: usize) -> Checked {
    let checker = Refreshing(configuration)
        .checker()
        .threads(threads)
        .symmetry_fn(State::renamed)
        .finish_when(until)
        .spawn_dfs()
        .join();
    report(&checker, configuration)
}

fn report(checker: &impl stateright::Checker<Refreshing>, configuration: Configuration) -> Checked {
    let found = checker.discoveries();
    let mut checked = Checked {
        configuration,
        states: checker.unique_state_count(),
        depth: checker.max_depth(),
        broken: Vec::new(),
        missing: Vec::new(),
    };
    for property in checker.model().properties() {
        match (property.expectation, found.get(property.name)) {
            (Expectation::Sometimes, None) => checked.missing.push(property.name),
            (Expectation::Always | Expectation::Eventually, Some(path)) => {
                let actions = path.clone().into_actions();
                let lines = actions.iter().map(|action| format!("    {action:?}"));
                let story: Vec<String> = lines.collect();
                checked.broken.push((property.name, story.join("\n")));
            }
            (Expectation::Sometimes, Some(_))
            | (Expectation::Always | Expectation::Eventually, None) => {}
        }
    }
    checked
}
