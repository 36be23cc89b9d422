//! Who is asking, and whether they may.
//!
//! # How it works
//! A layer puts a [`Principal`] into the request: [`from_gateway`] takes the one that the authorizer
//! gave to API Gateway, [`from_keys`] makes one from the API key where there is no gateway. A
//! handler that takes a [`Caller`] names the scope that it needs, and is given the tenant whose
//! things it may touch.

use std::{marker::PhantomData, sync::Arc};

use axum::{
    extract::{FromRequestParts, Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, header, request::Parts};
use lambda_http::{RequestExt as _, request::RequestContext};
use latchkey_core::{
    flow::authenticate::{authenticate, bearer},
    model::{
        api_key::{Principal, Scope},
        id::TenantId,
    },
    port::{ApiKeys, Clock},
};

use crate::problem::{Problem, ProblemKind};

/// By which an operator, whose key is bound to no tenant, says for which one it acts.
pub const TENANT_HEADER: &str = "latchkey-tenant";
/// Under which the authorizer hands a principal to the gateway, as JSON text.
pub const PRINCIPAL_FIELD: &str = "principal";

/// A caller who may do what the handler does, in the name of one tenant.
#[derive(Debug, Clone)]
pub struct Caller<N> {
    /// Whose things it may touch.
    pub tenant: TenantId,
    /// Who it is.
    pub principal: Principal,
    needs: PhantomData<N>,
}

/// The scope that a handler needs.
pub trait Needs: Send + Sync {
    /// The scope.
    const SCOPE: Scope;
}

macro_rules! needs {
    ($($name:ident)*) => {$(
        #[doc = concat!("Needs [`Scope::", stringify!($name), "`].")]
        #[derive(Debug, Clone, Copy)]
        pub struct $name;

        impl Needs for $name {
            const SCOPE: Scope = Scope::$name;
        }
    )*};
}

needs! { DefinitionsRead DefinitionsWrite InstancesRead InstancesWrite CredentialsRead KeysWrite }

impl<N: Needs, S: Send + Sync> FromRequestParts<S> for Caller<N> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let principal = parts.extensions.get::<Principal>().cloned();
        let principal = principal.ok_or_else(|| Problem::new(ProblemKind::Unauthenticated))?;
        if !principal.scopes.contains(&N::SCOPE) {
            let detail = format!("it lacks the scope '{}'", N::SCOPE);
            return Err(Problem::new(ProblemKind::Forbidden).detail(detail));
        }
        let tenant = tenant(&principal, &parts.headers)?;
        Ok(Self {
            tenant,
            principal,
            needs: PhantomData,
        })
    }
}

/// The tenant that the principal acts for.
fn tenant(principal: &Principal, headers: &HeaderMap) -> Result<TenantId, Problem> {
    let named = match headers.get(TENANT_HEADER) {
        None => None,
        Some(value) => {
            let tenant = value.to_str().ok().and_then(|text| text.parse().ok());
            let malformed = || {
                Problem::new(ProblemKind::Malformed)
                    .detail("the header 'Latchkey-Tenant' names no tenant")
            };
            Some(tenant.ok_or_else(malformed)?)
        }
    };
    match (&principal.tenant, named) {
        (Some(own), None) => Ok(own.clone()),
        (Some(own), Some(named)) if *own == named => Ok(named),
        (Some(_), Some(_)) => {
            Err(Problem::new(ProblemKind::Forbidden)
                .detail("the API key is bound to another tenant"))
        }
        (None, Some(named)) => Ok(named),
        (None, None) => {
            let detail = "an operator's API key is bound to no tenant: name one in the header 'Latchkey-Tenant'";
            Err(Problem::new(ProblemKind::Malformed).detail(detail))
        }
    }
}

/// A layer's function: takes the principal that the authorizer gave to API Gateway.
pub async fn from_gateway(mut request: Request, next: Next) -> Response {
    request.extensions_mut().remove::<Principal>();
    let principal = request
        .extensions()
        .request_context_ref()
        .and_then(|context| match context {
            RequestContext::ApiGatewayV2(context) => {
                let field = context.authorizer.as_ref()?.fields.get(PRINCIPAL_FIELD)?;
                serde_json::from_str::<Principal>(field.as_str()?).ok()
            }
            _ => None,
        });
    request.extensions_mut().extend_one(principal);
    next.run(request).await
}

/// What [`from_keys`] needs.
#[derive(Clone)]
pub struct Keys {
    /// Where API keys are found.
    pub keys: Arc<dyn ApiKeys>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}

/// A layer's function: makes the principal from the API key, as the authorizer does.
pub async fn from_keys(State(keys): State<Keys>, mut request: Request, next: Next) -> Response {
    request.extensions_mut().remove::<Principal>();
    let header = request.headers().get(header::AUTHORIZATION);
    if let Some(key) = header.and_then(|value| bearer(value.to_str().ok()?)) {
        match authenticate(&*keys.keys, &key, keys.clock.now()).await {
            Ok(principal) => request.extensions_mut().extend_one(principal),
            Err(error) => return Problem::from(error).into_response(),
        }
    }
    next.run(request).await
}

trait ExtendOne {
    fn extend_one(&mut self, principal: Option<Principal>);
}

impl ExtendOne for http::Extensions {
    fn extend_one(&mut self, principal: Option<Principal>) {
        if let Some(principal) = principal {
            self.insert(principal);
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, middleware::from_fn, routing::get};
    use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequestContext;
    use serde_json::{Value, json};
    use tower::ServiceExt as _;

    use super::*;

    /// What a function behind API Gateway answers to a request with this authorizer context.
    async fn behind_gateway(authorizer: Value, headers: &[(&str, &str)]) -> (u16, String) {
        let context: ApiGatewayV2httpRequestContext = serde_json::from_value(
            json!({ "http": { "method": "GET" }, "authorizer": authorizer }),
        )
        .unwrap();
        let mut request = http::Request::get("/").body(Body::empty()).unwrap();
        for (name, value) in headers {
            let name = http::HeaderName::from_bytes(name.as_bytes()).unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        let request = request.with_request_context(RequestContext::ApiGatewayV2(context));
        let handler = async |caller: Caller<DefinitionsRead>| caller.tenant.to_string();
        let router = Router::new()
            .route("/", get(handler))
            .layer(from_fn(from_gateway));
        let answer = router.oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let body = axum::body::to_bytes(answer.into_body(), 4096)
            .await
            .unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    fn principal(tenant: Option<&str>, scopes: &[&str]) -> Value {
        let principal = json!({ "key": "key_1", "tenant": tenant, "scopes": scopes });
        json!({ "lambda": { "principal": principal.to_string() } })
    }

    #[tokio::test]
    async fn behind_the_gateway_the_authorizers_word_counts_and_no_header() {
        let reads = ["definitions:read"];
        let (status, body) = behind_gateway(principal(Some("acme"), &reads), &[]).await;
        assert_eq!((status, body.as_str()), (200, "acme"));
        let (status, body) =
            behind_gateway(principal(None, &reads), &[("latchkey-tenant", "other")]).await;
        assert_eq!((status, body.as_str()), (200, "other"));
        for (authorizer, headers, status) in [
            (principal(Some("acme"), &[]), vec![], 403),
            (
                principal(Some("acme"), &reads),
                vec![("latchkey-tenant", "other")],
                403,
            ),
            (principal(None, &reads), vec![], 400),
            (
                principal(None, &reads),
                vec![("latchkey-tenant", "No#Tenant")],
                400,
            ),
            (
                Value::Null,
                vec![("authorization", "Bearer lk_anything")],
                401,
            ),
            (
                json!({ "lambda": { "principal": "nonsense" } }),
                vec![],
                401,
            ),
            (json!({ "jwt": { "claims": {} } }), vec![], 401),
        ] {
            let answer = behind_gateway(authorizer.clone(), &headers).await;
            assert_eq!(answer.0, status, "{authorizer} {headers:?}");
        }
    }
}
