//! How the refresher works.

use std::time::Duration;

use latchkey_core::flow::sweep::{IN_FLIGHT, Rounds};

/// The time between two ticks, where nothing else is said.
const PERIOD: Duration = Duration::from_mins(1);

/// How the refresher works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Ticks hand what is due to the queue, and do so this often. If there are none, or there is no
    /// queue, a tick works what is due itself.
    pub rounds: Option<Rounds>,
    /// How many instances are worked at once.
    pub in_flight: usize,
}

/// What is wrong with the settings, all of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub struct SettingsError(Vec<String>);

impl Settings {
    /// Reads the settings: `LATCHKEY_SWEEP` (`queue` or `direct`), `LATCHKEY_TICK_SECONDS`, as the
    /// schedule has it, and `LATCHKEY_IN_FLIGHT`.
    ///
    /// # Errors
    /// [`SettingsError`] with everything that is wrong.
    pub fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let mut faults = Vec::new();
        let mut number = |name: &str, otherwise: u64| match lookup(name).map(|text| text.parse()) {
            None => otherwise,
            Some(Ok(number)) if (1..=86_400).contains(&number) => number,
            Some(_) => {
                faults.push(format!("{name} must be a number from 1 to 86400"));
                otherwise
            }
        };
        let period = Duration::from_secs(number("LATCHKEY_TICK_SECONDS", PERIOD.as_secs()));
        let in_flight = number("LATCHKEY_IN_FLIGHT", u64::try_from(IN_FLIGHT).unwrap_or(1));
        let rounds = match lookup("LATCHKEY_SWEEP").as_deref() {
            None | Some("queue") => Some(Rounds { period }),
            Some("direct") => None,
            Some(_) => {
                faults.push("LATCHKEY_SWEEP must be 'queue' or 'direct'".to_owned());
                None
            }
        };
        if !faults.is_empty() {
            return Err(SettingsError(faults));
        }
        Ok(Self {
            rounds,
            in_flight: usize::try_from(in_flight).unwrap_or(IN_FLIGHT),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn read(values: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        let values: BTreeMap<_, _> = values.iter().copied().collect();
        Settings::from_lookup(&|name| values.get(name).map(|value| (*value).to_owned()))
    }

    #[test]
    fn settings_have_defaults_and_all_faults_are_told_at_once() {
        let default = read(&[]).unwrap();
        assert_eq!(default.rounds, Some(Rounds { period: PERIOD }));
        assert_eq!(default.in_flight, IN_FLIGHT);
        let direct = read(&[("LATCHKEY_SWEEP", "direct"), ("LATCHKEY_IN_FLIGHT", "200")]);
        let direct = direct.unwrap();
        assert_eq!((direct.rounds, direct.in_flight), (None, 200));
        let wrong = [
            ("LATCHKEY_SWEEP", "both"),
            ("LATCHKEY_TICK_SECONDS", "0"),
            ("LATCHKEY_IN_FLIGHT", "many"),
        ];
        assert_eq!(read(&wrong).unwrap_err().0.len(), 3);
    }
}
