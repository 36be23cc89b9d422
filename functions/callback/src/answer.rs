//! `/v1/instances/{instance}/answer`: for people who began at the provider.

use axum::extract::State;
use latchkey_core::{
    flow::{
        complete::{Completion, UnverifiedAnswer},
        unasked::Unasked,
    },
    model::{
        authorisation::Miss,
        fault::Faults,
        id::{InstanceId, InstanceKey},
    },
};
use latchkey_web::{
    Problem,
    caller::{Caller, InstancesWrite},
    json::Json,
    path::Named,
    problem::{ProblemKind, Problems},
};
use serde::Deserialize;
use url::form_urlencoded;
use utoipa::ToSchema;

use crate::{Ports, authenticate::LONGEST, authorisations::CompletedView};

/// What a provider sent a person to the platform with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnswerBody {
    /// The query of the URL that the person arrived at, as it was, without `?`.
    #[schema(example = "code=8f2a…&installation_id=4711")]
    query: String,
}

/// Connects an instance with the answer of a provider at which the person began.
///
/// For auth methods whose definition says `authorise.start: provider`: people install an application on the provider's
/// pages, and come to the platform with a code that nobody asked for. Call this in the session of that person, after
/// asking them whether it was they who installed it. An answer is taken once; handed in again, it tells what became of it.
#[utoipa::path(
    post, path = "/v1/instances/{instance}/answer", tag = "instances",
    params(("instance" = InstanceId, Path, description = "The instance")),
    request_body = AnswerBody,
    responses((status = 200, description = "The instance is connected", body = CompletedView), Problems)
)]
pub(crate) async fn answer(
    caller: Caller<InstancesWrite>,
    State(ports): State<Ports>,
    Named(id): Named<InstanceId>,
    Json(AnswerBody { query }): Json<AnswerBody>,
) -> Result<Json<CompletedView>, Problem> {
    if query.len() > LONGEST {
        let why = format!("a query has {LONGEST} bytes at most");
        return Err(Problem::invalid(Faults::one("/query", "too_long", why)));
    }
    let key = InstanceKey {
        tenant: caller.tenant,
        id,
    };
    let unasked = Unasked {
        complete: ports.complete(),
        authorisations: &*ports.begin_authorisations,
    };
    let answer = UnverifiedAnswer::new(form_urlencoded::parse(query.as_bytes()).into_owned());
    let conflict = |why: &str| Problem::new(ProblemKind::Conflict).detail(why);
    match unasked.answer(&key, &answer).await? {
        Completion::Connected(authorisation) => Ok(Json(authorisation.instance.id.into())),
        Completion::Missed(_, miss) => Err(refused(miss)),
        Completion::Unfinished(_) | Completion::Parked(_) => Err(conflict(
            "the answer was handed in before, and is not seen through",
        )),
        Completion::Expired => Err(conflict(
            "the answer was handed in before, and is forgotten",
        )),
        Completion::Unknown => Err(conflict("the answer was handed in for another instance")),
    }
}

/// Why an answer brought no grant.
pub(crate) fn refused(miss: Miss) -> Problem {
    let why = match miss {
        Miss::Denied => "the person, or the provider in their name, said no",
        Miss::ProviderRefused => "the provider answered with an error",
        Miss::Mismatch => "the answer lacks something, or brings what it may not bring",
        Miss::OtherBrowser => "the browser is not the one that began",
        Miss::Ambiguous => "the browser was waiting for more than one answer",
        Miss::Misconfigured => {
            "the provider refuses the client or the request: the builder must act"
        }
        Miss::CodeRefused => "the provider refused the code",
        Miss::ProviderUnwell => "the provider could not be reached, or is unwell",
        Miss::AnswerLost => "the code was sent, and the provider's answer was lost",
        Miss::InstanceGone => "the instance is deleted",
    };
    let kind = match miss {
        Miss::InstanceGone => ProblemKind::NotFound,
        Miss::Denied
        | Miss::ProviderRefused
        | Miss::Mismatch
        | Miss::OtherBrowser
        | Miss::Ambiguous
        | Miss::Misconfigured
        | Miss::CodeRefused
        | Miss::ProviderUnwell
        | Miss::AnswerLost => ProblemKind::Conflict,
    };
    Problem::new(kind).detail(why)
}
