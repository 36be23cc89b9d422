//! What has happened at the provider, and what it does with a request.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Value, json};

use super::{
    answers::{self, Answer, Expiry, response},
    candidates::{Candidate, Operation, Refused, candidates, made, scene_of},
    codec,
    expected::{Blame, Kind, expected},
    failure::{Failure, Request},
    grants::{Grant, Pending, Rotation, Visit},
    json,
    minting::{self, Mint, Plan},
    received::Received,
    scene::{Known, Scene},
    verify::{self, Fault},
};

/// First steps that were made.
#[derive(Debug, Clone)]
pub(super) struct Chain {
    pub(super) of: &'static str,
    pub(super) steps: BTreeMap<String, Value>,
    pub(super) done: usize,
    pub(super) used: bool,
}

/// What has happened.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) visits: Vec<Visit>,
    pub(super) grants: Vec<Grant>,
    pub(super) chains: Vec<Chain>,
    pub(super) log: Vec<Request>,
    pub(super) failures: VecDeque<(String, Failure)>,
    seen_ids: BTreeSet<String>,
}

impl State {
    /// Answers a request; none where the answer is lost on purpose.
    pub(super) fn answer(&mut self, known: &Known, received: &Received) -> Option<Answer> {
        let mut best: Option<(u32, Vec<Fault>, Candidate<'_>)> = None;
        for mut candidate in candidates(known, self) {
            let mut faults = compare(&mut candidate, received);
            if let Some(refused) = &candidate.refused {
                faults.push(Fault::new(3, refused.blame, refused.words.clone()));
            }
            let weight = faults.iter().map(|fault| fault.weight).sum();
            if best.as_ref().is_none_or(|(least, _, _)| weight < *least) {
                best = Some((weight, faults, candidate));
            }
        }
        let (_, mut faults, candidate) = best?;
        faults.extend(self.replayed(&candidate));
        if faults.is_empty() {
            return self.accept(known, received, &candidate);
        }
        Some(self.refuse(known, received, &candidate, &faults))
    }

    fn replayed(&self, candidate: &Candidate<'_>) -> Option<Fault> {
        let id = candidate.scene.bound.get("the assertion's jti")?;
        let words = format!("the assertion with the jti {id} came before");
        let seen = self.seen_ids.contains(id);
        seen.then(|| Fault::new(5, Blame::Client, words))
    }

    fn refuse(
        &mut self,
        known: &Known,
        received: &Received,
        candidate: &Candidate<'_>,
        faults: &[Fault],
    ) -> Answer {
        let is_by_refusal = faults.iter().all(|fault| fault.weight == 3);
        let ends = candidate
            .refused
            .as_ref()
            .filter(|_| is_by_refusal)
            .and_then(|Refused { ends, .. }| *ends);
        let words: Vec<_> = faults.iter().map(|fault| fault.words.as_str()).collect();
        let words = words.join("; ");
        if let Some(grant) = ends {
            self.grants[grant]
                .revoked
                .get_or_insert_with(|| words.clone());
        }
        self.note(&candidate.name, received, false, Some(words.clone()));
        let response = response(known, candidate.kind, candidate.request);
        let blamed = |blame| faults.iter().any(|fault| fault.blame == blame);
        let blame = if blamed(Blame::Client) {
            Blame::Client
        } else if blamed(Blame::Request) {
            Blame::Request
        } else {
            Blame::Grant
        };
        let body = answers::error(response, &answers::code(response, blame), &words);
        Answer::of(response, 400, &body)
    }

    /// Writes a request into the log.
    pub(super) fn note(
        &mut self,
        kind: &str,
        received: &Received,
        accepted: bool,
        reason: Option<String>,
    ) {
        self.log.push(Request {
            kind: kind.to_owned(),
            line: format!("{} {}", received.method.to_uppercase(), received.url()),
            accepted,
            reason,
        });
    }

    fn accept(
        &mut self,
        known: &Known,
        received: &Received,
        candidate: &Candidate<'_>,
    ) -> Option<Answer> {
        let id = candidate.scene.bound.get("the assertion's jti");
        self.seen_ids.extend(id.cloned());
        let failures = &mut self.failures;
        let failure = failures
            .iter()
            .position(|(kind, _)| *kind == candidate.name)
            .and_then(|at| failures.remove(at))
            .map(|(_, failure)| failure);
        let reason = failure
            .as_ref()
            .map(|failure| format!("answered with {failure:?}"));
        self.note(&candidate.name, received, true, reason);
        let Some(failure) = failure else {
            return Some(self.act(known, candidate));
        };
        let answer = failure.has_effect().then(|| self.act(known, candidate));
        failure.instead_of(answer, response(known, candidate.kind, candidate.request))
    }

    /// Does what was asked for.
    fn act(&mut self, known: &Known, candidate: &Candidate<'_>) -> Answer {
        let response = response(known, candidate.kind, candidate.request);
        if let Some(chain) = candidate.chain {
            self.chains[chain].used = true;
        }
        let body = match &candidate.operation {
            Operation::Token { visit } => self.exchange(known, candidate, response, *visit),
            Operation::Refresh {
                grant,
                issue,
                refresh,
            } => self.refresh(known, candidate, *grant, *issue, *refresh),
            Operation::Revoke { grant } => {
                let revoked = &mut self.grants[*grant].revoked;
                revoked.get_or_insert_with(|| "it was revoked".to_owned());
                Value::Null
            }
            Operation::Introspect { grant, issue } => self.introspect(known, *grant, *issue),
            Operation::Before { of, chain } => self.first_step(known, candidate, of, *chain),
            Operation::After { grant } => self.later_step(known, candidate, *grant),
            Operation::Lookup { grant } => self.lookup(candidate, *grant),
        };
        answers::success(response, body)
    }

    fn exchange(
        &mut self,
        known: &Known,
        candidate: &Candidate<'_>,
        response: &Value,
        visit: Option<usize>,
    ) -> Value {
        let visit = visit.expect("a request without a visit is refused");
        let at = self.grants.len();
        let (now, scene) = (known.now(), &candidate.scene);
        let mut grant = Grant {
            visit,
            captured: BTreeMap::new(),
            revoked: None,
            issues: Vec::new(),
            refreshes: Vec::new(),
            pending: pending(scene, candidate.kind.name(), candidate.request),
            looked_up: BTreeMap::new(),
        };
        let gives = gives_refresh_tokens(known);
        let scopes = self.visits[visit].scope.clone();
        let mut mint = Mint {
            scene,
            response,
            now,
            body: Value::Null,
        };
        let add = |grant: &mut Grant, set: &str, gives: bool| {
            gives.then(|| {
                let refresh = minting::new_refresh(response, set, now);
                let token = refresh.token.clone();
                grant.refreshes.push(refresh);
                (grant.refreshes.len() - 1, token)
            })
        };
        let refresh = add(&mut grant, "", gives);
        let plan = plan(
            minting::expiry(known, response, true),
            refresh,
            scopes.clone(),
        );
        grant.issues.push(mint.main("", &plan));
        for (set, declared) in json::members(response, "tokens") {
            let refresh = add(
                &mut grant,
                set,
                gives && declared.get("refresh_token").is_some(),
            );
            let plan = plan_of(known, declared, refresh, scopes.clone());
            grant.issues.push(mint.further(set, declared, &plan));
        }
        let mut body = mint.body;
        answers::mark_success(response, &mut body);
        grant.captured = minting::captured(scene, "token", None, &mut body);
        self.visits[visit].grant = Some(at);
        self.grants.push(grant);
        body
    }

    fn refresh(
        &mut self,
        known: &Known,
        candidate: &Candidate<'_>,
        at: usize,
        issue: usize,
        refresh: Option<usize>,
    ) -> Value {
        let request = candidate.request;
        let response = response(known, Kind::Refresh, request);
        let (now, scene) = (known.now(), &candidate.scene);
        let scopes = self.visits[self.grants[at].visit].scope.clone();
        let grant = &mut self.grants[at];
        let set = grant.issues[issue].set.clone();
        let mut mint = Mint {
            scene,
            response,
            now,
            body: Value::Null,
        };
        let expiry = minting::expiry(known, response, false);
        let after = pending(scene, "refresh", request);
        grant.pending = after;
        if request.get("keep_access_token") == Some(&json!(true)) {
            let silent = known.part("token").get("lifetime_seconds").is_some();
            grant.issues[issue].expires = expiry.lifetime.map(|lifetime| now + lifetime);
            if !silent {
                mint.say(&expiry);
            }
            if let Some(refresh) = refresh {
                grant.used(refresh, Rotation::declared(request), now);
            }
            return mint.body;
        }
        let next = refresh.map(|used| next_refresh(grant, request, response, used, now));
        let (place, shown) = match next {
            Some((place, shown)) => (Some(place), shown),
            None => (None, None),
        };
        let plan = Plan {
            expiry,
            shown,
            refresh: place,
            scopes: scopes.clone(),
        };
        let made = mint.main(&set, &plan);
        for (name, declared) in json::members(response, "tokens") {
            if *name == set {
                mint.repeat(declared, &made.access, &plan);
            } else if set.is_empty() && declared.get("refresh_token").is_none() {
                let plan = plan_of(known, declared, None, scopes.clone());
                let further = mint.further(name, declared, &plan);
                grant.issues.push(further);
            }
        }
        grant.issues.push(made);
        let mut body = mint.body;
        answers::mark_success(response, &mut body);
        let captured = minting::captured(scene, "token", None, &mut body);
        grant.captured.extend(captured);
        body
    }

    fn introspect(&self, known: &Known, grant: usize, issue: usize) -> Value {
        let (grant, now) = (&self.grants[grant], known.now());
        let issue = &grant.issues[issue];
        let over = issue.expires.is_some_and(|expires| now >= expires);
        if over || grant.revoked.is_some() {
            return json!({ "active": false });
        }
        let mut body = json!({ "active": true, "token_type": "Bearer" });
        // What the introspection's own response says goes before RFC 7662.
        let own = known
            .part("introspect")
            .get("response")
            .unwrap_or(&Value::Null);
        let lifetime = issue.expires.map(|expires| expires - now);
        let declared = Expiry::declared(own, "expiry", lifetime.unwrap_or_default());
        if let Some(expiry) = declared.filter(|_| lifetime.is_some())
            && let (Some(path), Some(said)) = (&expiry.path, expiry.said(now))
        {
            json::put(&mut body, &answers::rooted(own, path), said);
        }
        if let Some(expires) = issue.expires {
            json::put(&mut body, "exp", json!(expires));
        }
        body
    }

    fn first_step(
        &mut self,
        known: &Known,
        candidate: &Candidate<'_>,
        of: &'static str,
        chain: Option<usize>,
    ) -> Value {
        let (id, body) = step_answer(known, candidate);
        let (mut steps, done) = match chain {
            Some(chain) => {
                let chain = &mut self.chains[chain];
                chain.used = true;
                (chain.steps.clone(), chain.done)
            }
            None => (BTreeMap::new(), 0),
        };
        steps.insert(id, body.clone());
        self.chains.push(Chain {
            of,
            steps,
            done: done + 1,
            used: false,
        });
        body
    }

    fn later_step(&mut self, known: &Known, candidate: &Candidate<'_>, at: usize) -> Value {
        let scopes = self.visits[self.grants[at].visit].scope.clone();
        let grant = &mut self.grants[at];
        let response = candidate.request.get("response").unwrap_or(&Value::Null);
        let mut mint = Mint {
            scene: &candidate.scene,
            response,
            now: known.now(),
            body: Value::Null,
        };
        // Without a word about tokens, a response brings an access token where the RFC has it.
        let is_said = response.get("access_token").is_some() || response.get("tokens").is_none();
        if !response.is_null() && is_said {
            let refresh = grant
                .newest("")
                .and_then(|issue| grant.issues[issue].refresh);
            let replaced = grant
                .issues
                .iter_mut()
                .rev()
                .find(|issue| issue.set.is_empty());
            if let Some(replaced) = replaced {
                replaced.exchanged = true;
            }
            let plan = Plan {
                expiry: minting::expiry(known, response, false),
                shown: None,
                refresh,
                scopes: scopes.clone(),
            };
            grant.issues.push(mint.main("", &plan));
        }
        for (set, declared) in json::members(response, "tokens") {
            let plan = plan_of(known, declared, None, scopes.clone());
            grant.issues.push(mint.further(set, declared, &plan));
        }
        let minted = mint.body;
        let (id, body) = step_answer_over(known, candidate, minted);
        if let Some(pending) = &mut grant.pending {
            pending.done += 1;
            pending.steps.insert(id, body.clone());
            let steps = made(&candidate.scene, known.part(pending.of), "after");
            if pending.done >= steps.len() {
                grant.pending = None;
            }
        }
        body
    }

    fn lookup(&mut self, candidate: &Candidate<'_>, at: usize) -> Value {
        let (id, mut body) = step_answer(candidate.scene.known, candidate);
        let captured = minting::captured(&candidate.scene, "lookup", Some(&id), &mut body);
        let grant = &mut self.grants[at];
        grant.captured.extend(captured);
        grant.looked_up.insert(id, body.clone());
        body
    }

    /// The scene of a grant's newest tokens, for those who look at it from outside.
    pub(super) fn newest_scene<'a>(&self, known: &'a Known, grant: &Grant) -> Option<Scene<'a>> {
        let issue = grant.newest("")?;
        Some(scene_of(known, self, grant, issue))
    }
}

fn compare(candidate: &mut Candidate<'_>, received: &Received) -> Vec<Fault> {
    let expected = expected(&candidate.scene, candidate.kind, candidate.request);
    // The request lives only as long as it is looked at.
    let mut scene = Scene {
        request: Some(received),
        ..candidate.scene.clone()
    };
    let faults = verify::faults(&mut scene, &expected, received);
    candidate.scene.bound = scene.bound;
    faults
}

fn gives_refresh_tokens(known: &Known) -> bool {
    let mode = json::member(known.part("refresh"), "mode");
    mode.is_none_or(|mode| mode == "refresh_token")
}

fn pending(scene: &Scene<'_>, of: &'static str, request: &Value) -> Option<Pending> {
    let steps = made(scene, request, "after");
    (!steps.is_empty()).then(|| Pending {
        of,
        done: 0,
        steps: scene.steps.clone(),
    })
}

fn plan(expiry: Expiry, refresh: Option<(usize, String)>, scopes: Vec<String>) -> Plan {
    let (place, shown) = match refresh {
        Some((place, shown)) => (Some(place), Some(shown)),
        None => (None, None),
    };
    Plan {
        expiry,
        shown,
        refresh: place,
        scopes,
    }
}

fn plan_of(
    known: &Known,
    declared: &Value,
    refresh: Option<(usize, String)>,
    scopes: Vec<String>,
) -> Plan {
    plan(minting::further_expiry(known, declared), refresh, scopes)
}

/// The refresh token after one was used: its place, and what of it is shown.
fn next_refresh(
    grant: &mut Grant,
    request: &Value,
    response: &Value,
    used: usize,
    now: u64,
) -> (usize, Option<String>) {
    let rotation = Rotation::declared(request);
    grant.used(used, rotation, now);
    if rotation == Rotation::Stays {
        let never = json::member(request, "keep_refresh_token").as_deref() == Some("never");
        return (used, never.then(|| grant.refreshes[used].token.clone()));
    }
    let set = grant.refreshes[used].set.clone();
    let next = minting::new_refresh(response, &set, now);
    let shown = next.token.clone();
    grant.refreshes.push(next);
    (grant.refreshes.len() - 1, Some(shown))
}

fn step_answer(known: &Known, candidate: &Candidate<'_>) -> (String, Value) {
    step_answer_over(known, candidate, Value::Null)
}

fn step_answer_over(known: &Known, candidate: &Candidate<'_>, mut body: Value) -> (String, Value) {
    let id = json::member(candidate.request, "id").unwrap_or_default();
    minting::step_body(&candidate.scene, &id, &mut body);
    let response = response(known, Kind::Step, candidate.request);
    answers::mark_success(response, &mut body);
    if body.is_null() {
        body = json!({ "id": codec::random("answer-") });
    }
    (id, body)
}
