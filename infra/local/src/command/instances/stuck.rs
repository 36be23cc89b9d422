//! `latchkey instances stuck`.

use std::collections::BTreeMap;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use latchkey_aws::{Store, SystemClock};
use latchkey_core::{
    flow::refresh::SKEW,
    model::{instance::Instance, pause::Pause, trouble::Trouble},
    port::{Clock as _, Overview as _, PageAsk, StoreError},
};
use latchkey_web::instance;
use serde_json::{Value, json};

use super::{Answer, method_of, pause_of, words};

const PAGE: u16 = 1000;

/// Which instances are in trouble, by auth method, and who has to act. Reads the whole table once.
#[derive(Debug, Args)]
pub(super) struct Stuck {
    /// How many minutes an instance may be late.
    #[arg(long, default_value_t = 10, value_name = "MINUTES")]
    late: u32,

    /// How many instances are named at most; all are counted.
    #[arg(long, default_value_t = 100, value_name = "NUMBER")]
    most: usize,
}

/// The troubles of a method's instances.
#[derive(Default)]
struct Group {
    pause: Option<Pause>,
    count: usize,
    lines: Vec<String>,
    instances: Vec<Value>,
}

impl Stuck {
    pub(super) async fn answer(&self, store: &Store) -> Result<Answer, StoreError> {
        let now = SystemClock.now();
        let patience = SignedDuration::from_mins(i64::from(self.late));
        let skew = SignedDuration::try_from(SKEW).unwrap_or(SignedDuration::ZERO);
        let overdue = now.saturating_sub(patience).unwrap_or(now);
        let mut groups: BTreeMap<String, Group> = BTreeMap::new();
        let mut named = 0;
        let mut page = PageAsk {
            after: None,
            limit: PAGE,
        };
        loop {
            let found = store.instances.troubled(now, overdue, &page).await?;
            for instance in found.items {
                let troubles = Trouble::of(&instance, now, patience, skew);
                if troubles.is_empty() {
                    continue;
                }
                let method = method_of(store, &instance).await?;
                let name = words::method(&instance, method.as_deref());
                if !groups.contains_key(&name) {
                    let pause = pause_of(store, method.as_deref(), now).await?;
                    let group = Group {
                        pause,
                        ..Group::default()
                    };
                    groups.insert(name.clone(), group);
                }
                let group = groups.entry(name).or_default();
                group.count += 1;
                if named < self.most {
                    named += 1;
                    group.add(&instance, &troubles, now);
                }
            }
            page.after = found.next;
            if page.after.is_none() {
                return Ok(answer(&groups, now));
            }
        }
    }
}

fn answer(groups: &BTreeMap<String, Group>, now: Timestamp) -> Answer {
    let stuck: usize = groups.values().map(|group| group.count).sum();
    let mut text = String::new();
    if stuck == 0 {
        text.push_str("No instance is in trouble.\n");
    }
    let mut methods = Vec::new();
    for (method, group) in groups {
        text.push_str(&format!("{method}: {} in trouble\n", group.count));
        if let Some(pause) = &group.pause {
            text.push_str(&format!("  {}\n", words::pause(pause, now)));
        }
        for line in &group.lines {
            text.push_str(&format!("  {line}\n"));
        }
        if group.lines.len() < group.count {
            let more = group.count - group.lines.len();
            text.push_str(&format!("  and {more} more\n"));
        }
        methods.push(json!({
            "auth_method": method, "stuck": group.count, "instances": group.instances,
        }));
    }
    Answer {
        text,
        json: json!({ "now": now, "stuck": stuck, "auth_methods": methods }),
        done: true,
    }
}

impl Group {
    fn add(&mut self, instance: &Instance, troubles: &[Trouble], now: Timestamp) {
        let told: Vec<_> = troubles
            .iter()
            .map(|trouble| sentence(*trouble, now))
            .collect();
        let needs = match &self.pause {
            Some(pause) => instance::needs(Some(pause.whole), None),
            None => troubles.iter().find_map(|trouble| trouble.needs(instance)),
        };
        let id = &instance.key.id;
        let mut line = format!("{id}: {}. {}", told.join("; "), words::needs(needs));
        let failure = instance.last_failure.as_ref();
        if let Some(failure) = failure {
            line.push_str(&format!("\n    last: {}", words::failure(failure, now)));
        }
        self.lines.push(line);
        self.instances.push(json!({
            "id": id, "tenant": instance.key.tenant, "troubles": told, "needs": needs,
            "failure": failure,
        }));
    }
}

/// What is wrong, as part of a sentence.
pub(super) fn sentence(trouble: Trouble, now: Timestamp) -> String {
    match trouble {
        Trouble::Overdue { since } => format!("due since {}", words::when(since, now)),
        Trouble::LeaseLapsed { at } => format!(
            "whoever refreshed it never finished; the lease ended at {}",
            words::when(at, now)
        ),
        Trouble::Suspect { since } => format!(
            "refused by the provider at {}, and asked once more",
            words::when(since, now)
        ),
        Trouble::InDoubt { requests } => {
            format!("{requests} requests sent whose answers were never seen")
        }
        Trouble::Failing { times } => format!("failed {times} times in a row"),
        Trouble::Journalled => {
            "its refresh tokens have not reached the secrets manager yet; the next refresh sees to it"
                .to_owned()
        }
        Trouble::Unread { version } => {
            format!("keeps an answer that version {version} of the definition can't read")
        }
    }
}
