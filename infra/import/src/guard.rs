//! Fences for variables that stand in the host of a URL, where the source has none.

use crate::{
    document::Document,
    fields::Report,
    host::{self, Place},
    variables::{Giver, Variable, Variables},
};

const HOST: &str = r"([A-Za-z0-9-]+\.)+[A-Za-z]{2,}";
const URL: &str = r"https://([A-Za-z0-9-]+\.)+[A-Za-z]{2,}(/[A-Za-z0-9._~-]+)*/?";

/// Fences every variable in a host: the builder's own aside, each needs a pattern, choices or hosts.
pub(crate) fn hosts(variables: &mut Variables, urls: &[String], report: &mut Report) {
    let domains = domains(urls);
    for (key, place) in urls.iter().flat_map(|url| host::places(url)) {
        if let Some(variable) = variables.by_key(&key) {
            fence(variable, place, &domains, report);
        }
    }
}

fn domains(urls: &[String]) -> Vec<String> {
    let mut domains: Vec<String> = urls.iter().filter_map(|url| host::domain(url)).collect();
    domains.sort();
    domains.dedup();
    domains
}

fn fence(variable: &mut Variable, place: Place, domains: &[String], report: &mut Report) {
    set_type(variable, place);
    let fenced = ["pattern", "choices", "hosts"]
        .iter()
        .any(|field| variable.has(field));
    if fenced || variable.giver == Giver::Builder {
        return;
    }
    let at = format!("variables.{}", variable.key);
    if variable.giver.captures() && matches!(place, Place::Url | Place::Host) && !domains.is_empty()
    {
        variable.set("hosts", domains.to_vec());
        report.note(at, "it says which host is called, and the source doesn't limit it: the hosts are those of its other URLs; check them");
        return;
    }
    variable.set("pattern", pattern(place));
    let why = if variable.giver.captures() {
        "it comes from outside, says which host is called, and the source doesn't limit it: the pattern that was added lets any host through, which may be sent the client's secret; replace it by a list of hosts"
    } else {
        "it says which host is called, and the source doesn't limit it: a pattern was added; check it"
    };
    report.note(at, why);
}

fn pattern(place: Place) -> &'static str {
    match place {
        Place::Url => URL,
        Place::Host => HOST,
        Place::Ending => r"[a-z]{2,}(\.[a-z]{2})?",
        Place::Label => "[A-Za-z0-9-]+",
    }
}

/// A type that says what stands there, unless the variable has one that matters more.
fn set_type(variable: &mut Variable, place: Place) {
    let own = variable.fields.get("type").and_then(|kind| kind.as_str());
    match (place, own) {
        (Place::Url, None) => variable.set("type", "url"),
        (Place::Host, None | Some("url")) => variable.set("type", "hostname"),
        _ => {}
    }
}

/// A secret in the authorise URL is seen by whoever sees the URL; a definition must say so.
pub(crate) fn secrets(document: &mut Document, variables: &Variables, report: &mut Report) {
    let authorise = document.text_of("authorise");
    let names = |key: &str| {
        ["{{", "default("]
            .iter()
            .any(|start| authorise.contains(&format!("{start}{key}")))
    };
    let seen: Vec<&str> = variables.secrets().filter(|key| names(key)).collect();
    for key in &seen {
        report.note(
            format!("variables.{key}"),
            "it is a secret that is sent in the authorise URL, where it can be seen",
        );
    }
    if !seen.is_empty() {
        document.put(&["authorise", "reveals"], seen);
    }
}
