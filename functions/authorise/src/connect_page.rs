//! `/connect/{token}`: the page that asks a person for what only they know, and sends them on.

use std::collections::BTreeMap;

use askama::Template;
use axum::{
    Form,
    extract::{Path, State, rejection::FormRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use latchkey_core::{
    flow::authorise::{AuthoriseError, Binder, ConnectForm, FlowCookie},
    model::{
        Secret,
        definition::VariableType,
        fault::Faults,
        instance::State as InstanceState,
        method::AuthMethod,
        values::{GivenValues, is_shown, questions},
        variable::Variable,
    },
};
use latchkey_web::{Problem, cookie, page::Page, problem::ProblemKind};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::{
    Ports,
    conditions::{hint, style},
};

/// The field that shows that a form came from our own page.
const CSRF: &str = "csrf";

#[derive(Template)]
#[template(path = "connect.html")]
struct ConnectTemplate<'a> {
    name: &'a str,
    is_reconnect: bool,
    csrf: &'a str,
    fault: Option<&'a str>,
    fields: Vec<Field<'a>>,
    advanced: Vec<Field<'a>>,
}

#[derive(Template)]
#[template(path = "stop.html")]
struct StopTemplate<'a> {
    title: &'a str,
    text: &'a str,
}

/// A question, as the page asks it.
struct Field<'a> {
    variable: &'a Variable,
    kind: &'static str,
    value: String,
    is_set: bool,
    is_needed: bool,
    hint: Option<String>,
    fault: Option<&'a str>,
}

/// Shows the connect page.
///
/// It asks for the values that only the user knows, and sends them on to the provider.
#[utoipa::path(
    get, path = "/connect/{token}", tag = "pages", security(()),
    params(("token" = String, Path, description = "The token of the connect session")),
    responses((status = 200, description = "The page", content_type = "text/html"),
        (status = 404, description = "The link has ended", content_type = "text/html"))
)]
pub(crate) async fn show(
    State(ports): State<Ports>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Response {
    let token = Secret::new(token);
    match ports.authorise().form(&token).await {
        Ok(form) => page(&ports, &headers, &form, &Draft::default()),
        Err(error) => stop(error),
    }
}

/// Takes what the user has filled in, and sends them to the provider.
#[utoipa::path(
    post, path = "/connect/{token}", tag = "pages", security(()),
    params(("token" = String, Path, description = "The token of the connect session")),
    request_body(content = BTreeMap<String, String>, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303, description = "To the provider"),
        (status = 422, description = "The page again, with what is wrong", content_type = "text/html"),
        (status = 404, description = "The link has ended", content_type = "text/html"))
)]
pub(crate) async fn submit(
    State(ports): State<Ports>,
    Path(token): Path<String>,
    headers: HeaderMap,
    form: Result<Form<BTreeMap<String, Secret>>, FormRejection>,
) -> Response {
    let token = Secret::new(token);
    let flow = ports.authorise();
    let shown = match flow.form(&token).await {
        Ok(shown) => shown,
        Err(error) => return stop(error),
    };
    let Ok(Form(mut given)) = form else {
        return Problem::new(ProblemKind::Malformed).into_response();
    };
    let is_ours = given
        .remove(CSRF)
        .is_some_and(|field| came_from_us(&ports, &headers, &shown, &field));
    if !is_ours {
        // The page was open too long, or in a browser that keeps no cookies: shown again, it works.
        let fault = Some(
            "Please check your answers and try again. Cookies must be allowed for this page."
                .to_owned(),
        );
        return page(
            &ports,
            &headers,
            &shown,
            &Draft {
                given,
                faults: Faults::new(),
                fault,
            },
        );
    }
    unticked(&shown.method, &mut given);
    unasked(&shown, &mut given);
    let (key, return_url) = (&shown.instance.key, shown.session.return_url.clone());
    match flow
        .begin(key, &given, return_url, Binder::Browser(token))
        .await
    {
        Ok(begun) => {
            let mut response = Redirect::to(begun.authorise_url.as_str()).into_response();
            let deployment = &ports.deployment;
            let cookie = begun.cookie.and_then(|cookie| match cookie {
                FlowCookie::Named(secret) => cookie::give(deployment, &begun.state, &secret),
                FlowCookie::Waiting(instance, state) => {
                    cookie::have_wait(deployment, &instance, &state)
                }
            });
            response
                .headers_mut()
                .extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
            response.headers_mut().insert(
                header::CACHE_CONTROL,
                header::HeaderValue::from_static("no-store"),
            );
            response.headers_mut().insert(
                header::REFERRER_POLICY,
                header::HeaderValue::from_static("no-referrer"),
            );
            response
        }
        Err(AuthoriseError::Faults(faults)) => page(
            &ports,
            &headers,
            &shown,
            &Draft {
                given,
                faults,
                fault: None,
            },
        ),
        Err(error) => stop(error),
    }
}

/// What a person has filled in so far, and what is wrong with it.
#[derive(Default)]
struct Draft {
    given: GivenValues,
    faults: Faults,
    fault: Option<String>,
}

fn page(ports: &Ports, headers: &HeaderMap, form: &ConnectForm, draft: &Draft) -> Response {
    // One secret for each session and browser; the hidden field follows from it.
    let held = cookie::held(&ports.deployment, &form.session.token, headers)
        .unwrap_or_else(|| ports.entropy.secret());
    let faults = draft.faults.clone().into_vec();
    let fault_of = |key: &str| {
        let pointer = format!("/values/{key}");
        faults
            .iter()
            .find(|fault| fault.pointer == pointer)
            .map(|fault| fault.detail.as_str())
    };
    let asked: Vec<_> = questions(&form.method)
        .filter(|variable| can_be_asked(form, variable))
        .collect();
    let fields = asked
        .iter()
        .map(|variable| field(form, variable, draft, fault_of(&variable.key)));
    let (advanced, fields) =
        fields.partition(|field| field.variable.advanced && field.fault.is_none());
    let status = match draft.faults.is_empty() && draft.fault.is_none() {
        true => StatusCode::OK,
        false => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let content = ConnectTemplate {
        name: &form.method.name,
        is_reconnect: !matches!(form.instance.state, InstanceState::Pending),
        csrf: &csrf(&held),
        fault: draft.fault.as_deref(),
        fields,
        advanced,
    };
    let mut page = Page::new(status, &format!("Connect {}", form.method.name), &content);
    page.style = style(&form.method, asked.iter().copied());
    let mut response = page.into_response();
    let cookie = cookie::give(&ports.deployment, &form.session.token, &held);
    response
        .headers_mut()
        .extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    response
}

fn field<'a>(
    form: &ConnectForm,
    variable: &'a Variable,
    draft: &Draft,
    fault: Option<&'a str>,
) -> Field<'a> {
    let instance = &form.instance;
    let stored = instance.values.plain.get(&*variable.key);
    let default = || {
        variable
            .default
            .as_ref()
            .and_then(latchkey_core::model::template::Template::literal)
    };
    let given = draft
        .given
        .get(&*variable.key)
        .map(|value| value.expose().clone());
    let is_set = instance.values.sealed.contains_key(&*variable.key);
    let value = match variable.is_secret() {
        // A secret is never sent back, not even to the person who has just typed it.
        true => String::new(),
        false => given
            .or_else(|| stored.cloned())
            .or_else(default)
            .unwrap_or_default(),
    };
    let kind = match variable.kind {
        VariableType::Secret => "password",
        VariableType::Pem => "pem",
        VariableType::Number => "number",
        VariableType::Url => "url",
        VariableType::Choice => "choice",
        VariableType::Boolean => "boolean",
        VariableType::Text | VariableType::Hostname => "text",
    };
    Field {
        variable,
        kind,
        value,
        is_set,
        is_needed: variable.required && !is_set && variable.visible_when.is_none(),
        hint: hint(&form.method, variable),
        fault,
    }
}

/// Whether nothing on the page could make a variable one that is asked for: what it depends on is not asked here, and
/// says no.
fn can_be_asked(form: &ConnectForm, variable: &Variable) -> bool {
    let depends_on_page = hint(&form.method, variable).is_some();
    depends_on_page || is_shown(&form.method, variable, &GivenValues::new(), &form.present())
}

/// What is left in a field that is out of sight was not given.
fn unasked(form: &ConnectForm, given: &mut GivenValues) {
    let present = form.present();
    let is_hidden = |variable: &&Variable| !is_shown(&form.method, variable, given, &present);
    let hidden: Vec<_> = questions(&form.method).filter(is_hidden).collect();
    for variable in hidden {
        given.remove(&*variable.key);
    }
}

/// A box that is not ticked is not sent.
fn unticked(method: &AuthMethod, given: &mut GivenValues) {
    for variable in questions(method).filter(|variable| variable.kind == VariableType::Boolean) {
        given
            .entry(variable.key.to_string())
            .or_insert_with(|| Secret::from("false"));
    }
}

fn came_from_us(ports: &Ports, headers: &HeaderMap, form: &ConnectForm, field: &Secret) -> bool {
    let held = cookie::held(&ports.deployment, &form.session.token, headers);
    held.is_some_and(|held| {
        csrf(&held)
            .as_bytes()
            .ct_eq(field.expose().as_bytes())
            .into()
    })
}

/// The hidden field that belongs to a cookie.
fn csrf(held: &Secret) -> String {
    let digest = Sha256::new()
        .chain_update(b"connect page\n")
        .chain_update(held.expose())
        .finalize();
    URL_SAFE_NO_PAD.encode(digest)
}

/// A page for a person who can't go on.
fn stop(error: AuthoriseError) -> Response {
    let (status, title, text) = match error {
        AuthoriseError::SessionGone | AuthoriseError::InstanceGone | AuthoriseError::MethodGone => {
            (
                StatusCode::NOT_FOUND,
                "This link has ended",
                "Please go back to where you got it, and ask for a new one.",
            )
        }
        AuthoriseError::Incomplete(_)
        | AuthoriseError::Impossible(_)
        | AuthoriseError::Faults(_) => (
            StatusCode::CONFLICT,
            "This connection is not ready yet",
            "Whoever sent you here has to finish setting it up first. There is nothing that you can do.",
        ),
        AuthoriseError::Store(_) | AuthoriseError::Vault(_) => {
            // Written to the log as any other of its kind.
            let problem = Problem::from(error);
            (
                problem.kind().status(),
                "That did not work",
                "Please try again in a moment.",
            )
        }
    };
    Page::new(status, title, &StopTemplate { title, text }).into_response()
}
