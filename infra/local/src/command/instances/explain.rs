//! `latchkey instances explain`.

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use latchkey_aws::{Store, SystemClock};
use latchkey_core::{
    flow::refresh::SKEW,
    model::{
        grant::StoredGrant,
        instance::{Instance, State},
        method::StoredMethod,
        pause::Pause,
        rotation::Rotation,
        spare::SpareAnswer,
        trouble::Trouble,
    },
    port::Clock as _,
};
use latchkey_web::instance::InstanceView;
use serde_json::json;

use super::{Answer, Which, pause_of, words};
use crate::command::CommandError;

/// Everything about one instance: how it is, why, what happens next and when, and who has to act.
#[derive(Debug, Args)]
pub(super) struct Explain {
    #[command(flatten)]
    which: Which,
}

impl Explain {
    pub(super) async fn answer(&self, store: &Store) -> Result<Answer, CommandError> {
        let (instance, method) = self.which.find(store).await?;
        let now = SystemClock.now();
        let pause = match instance.usable_grant() {
            Some(_) => pause_of(store, method.as_deref(), now).await?,
            None => None,
        };
        let mut view = InstanceView::from(&instance);
        if let Some(pause) = pause.clone() {
            view.health = view.health.paused(pause);
        }
        let sentences = explain(&instance, method.as_deref(), &view, pause.as_ref(), now);
        Ok(Answer {
            text: sentences.join("\n"),
            json: json!({ "now": now, "instance": view, "sentences": sentences }),
            done: true,
        })
    }
}

/// What there is to say of an instance, in sentences. No secret is in them.
fn explain(
    instance: &Instance,
    method: Option<&StoredMethod>,
    view: &InstanceView,
    pause: Option<&Pause>,
    now: Timestamp,
) -> Vec<String> {
    let when = |at| words::when(at, now);
    let mut said = vec![format!(
        "{} ({}) was made at {}, for {}.",
        instance.key.id,
        instance.name,
        when(instance.created_at),
        words::method(instance, method)
    )];
    said.push(status(instance, now));
    said.extend(tokens(instance, now));
    said.extend(under_way(instance, method, now));
    if let Some(failure) = &instance.last_failure {
        let failure = words::failure(failure, now);
        let times = instance.failures;
        said.push(format!(
            "Failures since the last success: {times}. The last: {failure}."
        ));
    }
    said.extend(spares(instance));
    said.extend(pause.map(|pause| words::pause(pause, now)));
    said.push(next(instance, now));
    let skew = SignedDuration::try_from(SKEW).unwrap_or(SignedDuration::ZERO);
    let patience = SignedDuration::from_mins(10);
    let troubles = Trouble::of(instance, now, patience, skew);
    let needs = view.health.needs.or_else(|| {
        let mut troubles = troubles.into_iter();
        troubles.find_map(|trouble| trouble.needs(instance))
    });
    said.push(words::needs(needs).to_owned());
    said
}

fn status(instance: &Instance, now: Timestamp) -> String {
    match &instance.state {
        State::Pending => "It is pending: nobody has consented yet.".to_owned(),
        State::Active(grant) => format!(
            "It is active, by consent number {}; its tokens were received at {}.",
            instance.incarnation,
            words::when(grant.received_at, now)
        ),
        State::Suspect { cause, .. } => format!(
            "It is suspect: {}. One refusal ends nothing; the provider is asked once more.",
            words::failure(cause, now)
        ),
        State::ReconnectRequired { cause, .. } => {
            format!("It needs a new consent: {}.", words::failure(cause, now))
        }
        State::Deleted { at, .. } => {
            format!(
                "It was deleted at {}, and is about to be removed.",
                words::when(*at, now)
            )
        }
    }
}

fn tokens(instance: &Instance, now: Timestamp) -> Option<String> {
    let grant = instance.grant()?;
    let end = match grant.expires_at {
        None => "nobody says when its access token ends".to_owned(),
        Some(end) if end <= now => format!("its access token ended at {}", words::when(end, now)),
        Some(end) => format!("its access token ends at {}", words::when(end, now)),
    };
    let refresh = match (grant.refreshable, grant.terms.refresh_ends_at) {
        (false, _) => "there is no refresh token".to_owned(),
        (true, None) => "nobody says when its refresh token ends".to_owned(),
        (true, Some(end)) => format!("its refresh token ends at {}", words::when(end, now)),
    };
    let epoch = grant.epoch;
    Some(format!(
        "Of the tokens of epoch {epoch}, {end}, and {refresh}."
    ))
}

/// Who is at it, and what is not known.
fn under_way(instance: &Instance, method: Option<&StoredMethod>, now: Timestamp) -> Vec<String> {
    let mut said = Vec::new();
    let is_held = instance.held_lease(now).is_some();
    if let Some(lease) = &instance.lease {
        let until = words::when(lease.until, now);
        let epoch = instance.epoch;
        said.push(match is_held {
            true => format!("Somebody is refreshing it, as epoch {epoch}; nobody else may before {until}."),
            false => format!(
                "Whoever refreshed it as epoch {epoch} never finished; their lease ended at {until}. The next sweep goes on."
            ),
        });
    }
    let doubtful = instance.attempts.saturating_sub(u32::from(is_held));
    if doubtful > 0 {
        let last = instance.last_send.map_or_else(String::new, |at| {
            format!(", the last at {}", words::when(at, now))
        });
        let rotation = method.map_or(Rotation::Unknown, |method| {
            method.definition.refresh.rotation
        });
        said.push(format!(
            "Requests that were sent and whose answers were never seen: {doubtful}{last}. {}",
            fate(rotation)
        ));
    }
    said
}

/// What a lost answer means with a provider that treats refresh tokens so.
fn fate(rotation: Rotation) -> String {
    match rotation {
        Rotation::None => "The refresh token stays as it is: nothing is lost.".to_owned(),
        Rotation::UntilUsed => {
            "The old refresh token works until its successor is used: nothing is lost.".to_owned()
        }
        Rotation::Grace { seconds } => {
            format!("The old refresh token works for {seconds} s after its first use.")
        }
        Rotation::SingleUse => {
            "The refresh token works once: if the provider acted on one of them, the user must reconnect."
                .to_owned()
        }
        Rotation::Unknown => {
            "Whether a refresh token works twice here is not known: the user may have to reconnect."
                .to_owned()
        }
    }
}

fn spares(instance: &Instance) -> Option<String> {
    let told: Vec<_> = instance
        .spares
        .iter()
        .map(|spare| match &spare.answer {
            SpareAnswer::Grant(_) => format!("the tokens of epoch {}", spare.epoch),
            SpareAnswer::Raw { unread_by, .. } => format!(
                "the answer of epoch {}, which version {unread_by} of the definition could not read",
                spare.epoch
            ),
        })
        .collect();
    (!told.is_empty()).then(|| format!("In reserve it keeps {}.", told.join(", and ")))
}

/// When something happens next: a refresh, or the end of a token that can't be refreshed.
fn begins(instance: &Instance, grant: &StoredGrant) -> Option<Timestamp> {
    match grant.refreshable {
        true => instance.next_refresh_at(),
        false => instance.schedule_with(grant).ends_at(),
    }
}

fn next(instance: &Instance, now: Timestamp) -> String {
    let nothing = "Nothing happens by itself.";
    match &instance.state {
        State::Pending | State::ReconnectRequired { .. } => nothing.to_owned(),
        State::Deleted { .. } => "The next sweep removes it.".to_owned(),
        State::Active(grant) | State::Suspect { grant, .. } => match begins(instance, grant) {
            None if grant.refreshable => {
                "Nobody uses it: it is refreshed when somebody asks for its credential.".to_owned()
            }
            None => nothing.to_owned(),
            Some(at) if !grant.refreshable => {
                format!("It needs a new consent from {}.", words::when(at, now))
            }
            Some(at) if at <= now => {
                format!(
                    "It is due since {}: the next sweep refreshes it.",
                    words::when(at, now)
                )
            }
            Some(at) => format!("It is refreshed at {}.", words::when(at, now)),
        },
    }
}
