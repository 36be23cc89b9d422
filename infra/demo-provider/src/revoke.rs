//! The revocation endpoint (RFC 7009).

use std::sync::Arc;

use axum::extract::State;
use http::{HeaderMap, StatusCode};

use crate::{Provider, client, params::Params, refusal::Refusal};

/// `POST /revoke`
///
/// A `token_type_hint` is not needed to find the token, so it is ignored (RFC 7009 §2.1).
pub(crate) async fn revoke(
    State(provider): State<Arc<Provider>>,
    headers: HeaderMap,
    params: Params,
) -> Result<StatusCode, Refusal> {
    let client_id = client::authenticate(&provider.settings, &headers, &params)?;
    let token = params.required("token", "token is missing")?.to_owned();
    provider
        .store
        .change(move |ledger, now| ledger.revoke(&token, &client_id, now))
        .await??;
    // RFC 7009 §2.2: 200 also for a token that is not known.
    Ok(StatusCode::OK)
}
