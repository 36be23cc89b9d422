//! What may come next: every request that this provider can be asked now, with what it must carry.
//!
//! A request is compared with all of them. What was used up stays among them, so that its second
//! use is known for what it is.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    expected::{Blame, Kind},
    grants::{Grant, Rotation, Visit},
    json,
    scene::{Known, Scene},
    state::State,
};

/// How long a code can be exchanged, in seconds.
const CODE_LIFETIME: u64 = 600;

/// What a request asks for.
#[derive(Debug, Clone)]
pub(super) enum Operation {
    Token {
        visit: Option<usize>,
    },
    Refresh {
        grant: usize,
        issue: usize,
        refresh: Option<usize>,
    },
    Revoke {
        grant: usize,
    },
    Introspect {
        grant: usize,
        issue: usize,
    },
    Before {
        of: &'static str,
        chain: Option<usize>,
    },
    After {
        grant: usize,
    },
    Lookup {
        grant: usize,
    },
}

/// Why a request is refused although it is written as it must be.
#[derive(Debug, Clone)]
pub(super) struct Refused {
    pub(super) blame: Blame,
    pub(super) words: String,
    /// The grant that ends with it.
    pub(super) ends: Option<usize>,
}

/// A request that may come.
#[derive(Clone)]
pub(super) struct Candidate<'a> {
    pub(super) operation: Operation,
    pub(super) kind: Kind,
    /// As it is called in the log.
    pub(super) name: String,
    pub(super) scene: Scene<'a>,
    pub(super) request: &'a Value,
    pub(super) refused: Option<Refused>,
    /// The first steps that it builds upon.
    pub(super) chain: Option<usize>,
}

/// Everything that may come.
pub(super) fn candidates<'a>(known: &'a Known, state: &State) -> Vec<Candidate<'a>> {
    let mut all = Vec::new();
    for visit in (0..state.visits.len()).rev() {
        with_first_steps(state, token(known, state, visit), &mut all);
    }
    if state.visits.is_empty() {
        with_first_steps(state, token_without_visit(known), &mut all);
    }
    for grant in (0..state.grants.len()).rev() {
        after(known, state, grant, &mut all);
        for candidate in refreshes(known, state, grant) {
            with_first_steps(state, candidate, &mut all);
        }
        for candidate in of_tokens(known, state, grant) {
            with_first_steps(state, candidate, &mut all);
        }
        lookups(known, state, grant, &mut all);
    }
    all
}

/// The scene after a visit.
pub(super) fn scene_of_visit<'a>(known: &'a Known, visit: &Visit) -> Scene<'a> {
    let mut scene = Scene::new(known);
    scene.flow = visit.flow.clone();
    scene.captured = visit.captured.clone();
    scene
}

/// The scene of a grant in which a certain access token is the one of its set.
pub(super) fn scene_of<'a>(
    known: &'a Known,
    state: &State,
    grant: &Grant,
    issue: usize,
) -> Scene<'a> {
    let mut scene = scene_of_visit(known, &state.visits[grant.visit]);
    scene.captured.extend(grant.captured.clone());
    for set in grant.sets() {
        if let Some(newest) = grant.newest(set) {
            put_tokens(&mut scene.tokens, grant, newest, set);
        }
    }
    let set = grant.issues[issue].set.clone();
    put_tokens(&mut scene.tokens, grant, issue, &set);
    scene
}

fn put_tokens(tokens: &mut BTreeMap<String, String>, grant: &Grant, issue: usize, set: &str) {
    let prefix = if set.is_empty() {
        String::new()
    } else {
        format!("{set}.")
    };
    let issue = &grant.issues[issue];
    let refresh = issue.refresh.map(|at| grant.refreshes[at].token.clone());
    let found = [
        ("access_token", Some(issue.access.clone())),
        ("refresh_token", refresh),
        ("id_token", issue.id_token.clone()),
        ("token_type", Some("Bearer".to_owned())),
    ];
    for (name, value) in found {
        let name = format!("{prefix}{name}");
        match value {
            Some(value) => drop(tokens.insert(name, value)),
            None => drop(tokens.remove(&name)),
        }
    }
}

fn candidate<'a>(
    operation: Operation,
    kind: Kind,
    scene: Scene<'a>,
    request: &'a Value,
    refused: Option<Refused>,
) -> Candidate<'a> {
    Candidate {
        operation,
        kind,
        name: kind.name().to_owned(),
        scene,
        request,
        refused,
        chain: None,
    }
}

fn token<'a>(known: &'a Known, state: &State, at: usize) -> Candidate<'a> {
    let visit = &state.visits[at];
    let old = known.now() > visit.at + CODE_LIFETIME;
    let words = match (&visit.code, visit.grant) {
        (Some(code), Some(_)) => Some(format!("the code {code} was used before")),
        (Some(code), None) if old => Some(format!("the code {code} has expired")),
        (Some(_) | None, _) => None,
    };
    let refused = words.map(|words| Refused {
        blame: Blame::Grant,
        words,
        ends: visit.grant,
    });
    let scene = scene_of_visit(known, visit);
    let operation = Operation::Token { visit: Some(at) };
    candidate(operation, Kind::Token, scene, known.part("token"), refused)
}

fn token_without_visit(known: &Known) -> Candidate<'_> {
    let refused = Refused {
        blame: Blame::Grant,
        words: "nobody has consented".to_owned(),
        ends: None,
    };
    let operation = Operation::Token { visit: None };
    let scene = Scene::new(known);
    candidate(
        operation,
        Kind::Token,
        scene,
        known.part("token"),
        Some(refused),
    )
}

fn refreshes<'a>(known: &'a Known, state: &State, at: usize) -> Vec<Candidate<'a>> {
    let (grant, request) = (&state.grants[at], known.part("refresh"));
    let mode = json::member(request, "mode").unwrap_or_else(|| "refresh_token".to_owned());
    let make = |issue: usize, refresh: Option<usize>| {
        let mut scene = scene_of(known, state, grant, issue);
        // A further set is refreshed by the same request, with its own tokens.
        put_tokens(&mut scene.tokens, grant, issue, "");
        if let Some(refresh) = refresh {
            let token = grant.refreshes[refresh].token.clone();
            scene.tokens.insert("refresh_token".to_owned(), token);
        }
        let refused = refused(known, grant, at, issue, refresh);
        let operation = Operation::Refresh {
            grant: at,
            issue,
            refresh,
        };
        candidate(operation, Kind::Refresh, scene, request, refused)
    };
    let main = (0..grant.issues.len()).rev();
    match mode.as_str() {
        "none" => Vec::new(),
        "refresh_token" => {
            let all = (0..grant.refreshes.len()).rev();
            let of = |refresh: usize| {
                let mut issues = grant.issues.iter();
                issues.rposition(|issue| issue.refresh == Some(refresh))
            };
            all.filter_map(|refresh| Some(make(of(refresh)?, Some(refresh))))
                .collect()
        }
        "access_token" => main
            .filter(|issue| grant.issues[*issue].set.is_empty())
            .map(|issue| make(issue, None))
            .collect(),
        _ => grant
            .newest("")
            .map(|issue| make(issue, None))
            .into_iter()
            .collect(),
    }
}

fn refused(
    known: &Known,
    grant: &Grant,
    at: usize,
    issue: usize,
    refresh: Option<usize>,
) -> Option<Refused> {
    let request = known.part("refresh");
    let (now, issue) = (known.now(), &grant.issues[issue]);
    let rotation = Rotation::declared(request);
    let grant_is_gone = |words: String, ends: bool| Refused {
        blame: Blame::Grant,
        words,
        ends: ends.then_some(at),
    };
    let by_token = refresh.and_then(|refresh| grant.refuses(refresh, rotation, now));
    if let Some((words, ends)) = by_token {
        return Some(grant_is_gone(words, ends));
    }
    if let Some(why) = &grant.revoked {
        return Some(grant_is_gone(format!("the grant has ended: {why}"), false));
    }
    let exchanges = json::member(request, "mode").as_deref() == Some("access_token");
    if exchanges && issue.expires.is_some_and(|expires| now >= expires) {
        let words = format!("the access token {} has expired", issue.access);
        return Some(grant_is_gone(words, false));
    }
    let last = request.get("last_seconds").and_then(Value::as_u64)?;
    let expires = issue.expires.filter(|expires| now + last < *expires)?;
    Some(Refused {
        blame: Blame::Request,
        words: format!("it is too early: the token ends at {expires}, and it is {now}"),
        ends: None,
    })
}

fn of_tokens<'a>(known: &'a Known, state: &State, at: usize) -> Vec<Candidate<'a>> {
    let grant = &state.grants[at];
    let mut all = Vec::new();
    for issue in (0..grant.issues.len()).rev() {
        let scene = || {
            let mut scene = scene_of(known, state, grant, issue);
            if grant.newest("").is_some() && !grant.issues[issue].set.is_empty() {
                put_tokens(&mut scene.tokens, grant, issue, "");
            }
            scene
        };
        for kind in [Kind::Revoke, Kind::Introspect] {
            let request = known.part(kind.name());
            if request.get("url").is_none() {
                continue;
            }
            let operation = match kind {
                Kind::Revoke => Operation::Revoke { grant: at },
                Kind::Authorise | Kind::Token | Kind::Refresh | Kind::Introspect | Kind::Step => {
                    Operation::Introspect { grant: at, issue }
                }
            };
            all.push(candidate(operation, kind, scene(), request, None));
        }
    }
    all
}

/// The steps of a list that are made here.
pub(super) fn made<'a>(scene: &Scene<'_>, request: &'a Value, list: &str) -> Vec<&'a Value> {
    let steps = json::list(request, list).iter();
    steps.filter(|step| scene.holds(step.get("when"))).collect()
}

fn step_name(what: &str, step: &Value) -> String {
    format!("{what}:{}", json::member(step, "id").unwrap_or_default())
}

/// A request with the steps that must come before it.
fn with_first_steps<'a>(state: &State, main: Candidate<'a>, all: &mut Vec<Candidate<'a>>) {
    let steps = made(&main.scene, main.request, "before");
    if steps.is_empty() {
        all.push(main);
        return;
    }
    let of = main.kind.name();
    let begun = state.chains.iter().enumerate().rev();
    // Steps that are the same for two requests say nothing about which of them follows.
    let is_same = |other: &str| {
        let known = main.scene.known;
        known.part(other).get("before") == main.request.get("before")
    };
    let begun = begun.filter(|(_, chain)| !chain.used && (chain.of == of || is_same(chain.of)));
    let mut complete = false;
    for (at, chain) in begun {
        let mut next = main.clone();
        next.scene.steps.extend(chain.steps.clone());
        match steps.get(chain.done) {
            Some(step) => all.push(first_step(next, step, Some(at))),
            None => {
                complete = true;
                next.chain = Some(at);
                all.push(next);
            }
        }
    }
    all.push(first_step(main.clone(), steps[0], None));
    if !complete {
        let mut early = main;
        early.refused = Some(Refused {
            blame: Blame::Request,
            words: "the steps before it were not made".to_owned(),
            ends: None,
        });
        all.push(early);
    }
}

fn first_step<'a>(main: Candidate<'a>, step: &'a Value, chain: Option<usize>) -> Candidate<'a> {
    let of = main.kind.name();
    Candidate {
        operation: Operation::Before { of, chain },
        kind: Kind::Step,
        name: step_name("step", step),
        request: step,
        refused: None,
        chain: None,
        ..main
    }
}

fn after<'a>(known: &'a Known, state: &State, at: usize, all: &mut Vec<Candidate<'a>>) {
    let grant = &state.grants[at];
    let (Some(pending), Some(issue)) = (&grant.pending, grant.newest("")) else {
        return;
    };
    let mut scene = scene_of(known, state, grant, issue);
    scene.steps.extend(pending.steps.clone());
    let steps = made(&scene, known.part(pending.of), "after");
    if let Some(step) = steps.get(pending.done) {
        let operation = Operation::After { grant: at };
        let mut next = candidate(operation, Kind::Step, scene, step, None);
        next.name = step_name("step", step);
        all.push(next);
    }
}

fn lookups<'a>(known: &'a Known, state: &State, at: usize, all: &mut Vec<Candidate<'a>>) {
    let grant = &state.grants[at];
    let Some(issue) = grant.newest("") else {
        return;
    };
    let mut scene = scene_of(known, state, grant, issue);
    scene.steps.extend(grant.looked_up.clone());
    for step in made(&scene, &known.definition, "lookup") {
        let operation = Operation::Lookup { grant: at };
        let mut next = candidate(operation, Kind::Step, scene.clone(), step, None);
        next.name = step_name("lookup", step);
        next.refused = grant.pending.as_ref().map(|_| Refused {
            blame: Blame::Request,
            words: "the steps before it were not made".to_owned(),
            ends: None,
        });
        all.push(next);
        let id = json::member(step, "id").unwrap_or_default();
        if !grant.looked_up.contains_key(&id) {
            break;
        }
    }
}
