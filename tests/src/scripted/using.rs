//! What the provider's API makes of a credential.

use serde_json::{Value, json};

use super::{
    candidates::scene_of,
    grants::{Grant, Issue},
    json, matching,
    scene::{Known, Scene},
    state::State,
};

/// Whether the API takes a credential as it is vended: `headers`, `query` and `body`, and `base_url` and
/// `values` if they are there.
pub(super) fn accepts(known: &Known, state: &State, credential: &Value) -> Result<(), String> {
    let mut closest: Option<(usize, String)> = None;
    for grant in state.grants.iter().rev() {
        for issues in combinations(grant) {
            let mut scene = scene_of(known, state, grant, issues[0]);
            for issue in &issues {
                let other = scene_of(known, state, grant, *issue);
                let set = grant.issues[*issue].set.clone();
                let mine = |name: &String| match name.split_once('.') {
                    Some((prefix, _)) => prefix == set,
                    None => set.is_empty(),
                };
                let tokens = other.tokens.into_iter().filter(|(name, _)| mine(name));
                scene.tokens.extend(tokens);
            }
            scene.steps.extend(grant.looked_up.clone());
            let faults = differences(&mut scene, credential);
            if faults.is_empty() {
                return standing(known, grant, &issues);
            }
            let fewer = closest
                .as_ref()
                .is_none_or(|(least, _)| faults.len() < *least);
            if fewer {
                closest = Some((faults.len(), faults.join("; ")));
            }
        }
    }
    Err(closest.map_or_else(|| "nothing was granted".to_owned(), |(_, words)| words))
}

/// Each way to have one access token of each set, the newest first; at most one is an older one.
fn combinations(grant: &Grant) -> Vec<Vec<usize>> {
    let newest: Vec<_> = grant
        .sets()
        .iter()
        .filter_map(|set| grant.newest(set))
        .collect();
    let mut all = vec![newest.clone()];
    for older in (0..grant.issues.len()).rev() {
        let set = &grant.issues[older].set;
        let others = newest.iter().map(|at| {
            let same = grant.issues[*at].set == *set;
            if same { older } else { *at }
        });
        all.push(others.collect());
    }
    all.retain(|issues: &Vec<usize>| !issues.is_empty());
    all
}

fn differences(scene: &mut Scene<'_>, credential: &Value) -> Vec<String> {
    let usage = scene.known.part("use").clone();
    let bearer = json!({ "Authorization": "Bearer {{token.access_token}}" });
    let mut faults = Vec::new();
    for part in ["headers", "query", "body", "values"] {
        let wanted = match usage.get(part) {
            Some(wanted) => wanted.clone(),
            None if part == "headers" => bearer.clone(),
            None => json!({}),
        };
        let came = credential.get(part);
        if part == "values" && came.is_none() {
            continue;
        }
        let came = came.cloned().unwrap_or_else(|| json!({}));
        compare(scene, part, &wanted, &came, &mut faults);
    }
    let base_url = json::member(&usage, "base_url");
    if let (Some(wanted), Some(came)) = (base_url, json::member(credential, "base_url"))
        && let Err(words) = matching::matches(scene, &wanted, &came)
    {
        faults.push(format!("base_url {words}"));
    }
    faults
}

fn compare(
    scene: &mut Scene<'_>,
    part: &str,
    wanted: &Value,
    came: &Value,
    faults: &mut Vec<String>,
) {
    let same = |one: &str, other: &str| {
        one == other || (part == "headers" && one.eq_ignore_ascii_case(other))
    };
    let parameters = wanted.as_object().into_iter().flatten();
    let mut names = Vec::new();
    for (name, parameter) in parameters {
        let template = json::text(parameter).or_else(|| json::member(parameter, "value"));
        let Some(template) = template.filter(|_| scene.holds(parameter.get("when"))) else {
            continue;
        };
        names.push(name.clone());
        let mut found = came.as_object().into_iter().flatten();
        let value = found.find(|(came, _)| same(came, name));
        let may_miss = parameter.get("omit_if_empty") == Some(&json!(true));
        let Some(text) = value.and_then(|(_, value)| json::text(value)) else {
            let empty = scene.render(&template).is_ok_and(|text| !text.is_empty());
            if !may_miss || empty {
                faults.push(format!("{name} is missing from the {part}"));
            }
            continue;
        };
        if let Err(words) = matching::matches(scene, &template, &text) {
            faults.push(format!("{name} {words}"));
        }
    }
    for (name, _) in came.as_object().into_iter().flatten() {
        if !names.iter().any(|wanted| same(wanted, name)) {
            faults.push(format!("{name} is unexpected in the {part}"));
        }
    }
}

fn standing(known: &Known, grant: &Grant, issues: &[usize]) -> Result<(), String> {
    if let Some(why) = &grant.revoked {
        return Err(format!("the grant has ended: {why}"));
    }
    if grant.pending.is_some() {
        return Err("the steps that give the credential were not made".to_owned());
    }
    let mut texts = Vec::new();
    json::every_text(known.part("use"), &mut texts);
    let uses = texts.join(" ");
    let named = |set: &str| {
        let prefix = if set.is_empty() {
            "token.".to_owned()
        } else {
            format!("token.{set}.")
        };
        uses.contains(&format!("{prefix}access_token"))
            || (set.is_empty() && json::given([known.part("use").get("headers")]).is_none())
    };
    let used = issues.iter().map(|issue| &grant.issues[*issue]);
    used.filter(|issue| named(&issue.set))
        .try_for_each(|issue| is_live(known, issue))
}

fn is_live(known: &Known, issue: &Issue) -> Result<(), String> {
    let now = known.now();
    if issue.exchanged {
        return Err(format!("{} was to be exchanged for another", issue.access));
    }
    match issue.expires {
        Some(expires) if now >= expires => Err(format!(
            "{} ended at {expires}, and it is {now}",
            issue.access
        )),
        Some(_) | None => Ok(()),
    }
}
