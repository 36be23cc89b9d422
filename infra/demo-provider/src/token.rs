//! The token endpoint (RFC 6749 §3.2).

use std::sync::Arc;

use axum::{Json, extract::State};
use http::HeaderMap;
use serde_json::{Value, json};

use crate::{
    Provider, client,
    ledger::{FreshTokens, Redemption, Rotation},
    params::Params,
    refusal::Refusal,
    request::is_code_verifier,
    scope::Scopes,
    token_text::{Digest, RefreshToken, Token},
};

/// `POST /token`
pub(crate) async fn token(
    State(provider): State<Arc<Provider>>,
    headers: HeaderMap,
    params: Params,
) -> Result<Json<Value>, Refusal> {
    let client_id = client::authenticate(&provider.settings, &headers, &params)?;
    match params.required("grant_type", "grant_type is missing")? {
        "authorization_code" => redeem(&provider, client_id, &params).await,
        "refresh_token" => refresh(&provider, client_id, &params).await,
        _ => Err(Refusal::UnsupportedGrantType),
    }
}

/// RFC 6749 §4.1.3, with RFC 7636 §4.5.
async fn redeem(
    provider: &Provider,
    client_id: String,
    params: &Params,
) -> Result<Json<Value>, Refusal> {
    let code = params.required("code", "code is missing")?.to_owned();
    let verifier = params.required("code_verifier", "code_verifier is missing")?;
    if !is_code_verifier(verifier) {
        return Err(Refusal::InvalidRequest("code_verifier is malformed"));
    }
    let redirect_uri = params.optional("redirect_uri")?.map(str::to_owned);
    let redemption = Redemption {
        client_id,
        redirect_uri,
        verifier: Digest::of(verifier),
    };
    let fresh = provider.fresh(RefreshToken::mint()?)?;
    provider
        .store
        .change(move |ledger, now| {
            let scopes = ledger.redeem(&code, &redemption, &fresh, now)?;
            Ok(answer(&fresh, &scopes))
        })
        .await?
}

/// RFC 6749 §6, rotating as RFC 9700 §4.14.2 asks.
async fn refresh(
    provider: &Provider,
    client_id: String,
    params: &Params,
) -> Result<Json<Value>, Refusal> {
    let presented = params.required("refresh_token", "refresh_token is missing")?;
    let unknown = Refusal::InvalidGrant("the refresh token is unknown, expired or revoked");
    let refresh_token = RefreshToken::parse(presented).ok_or(unknown)?;
    let scopes = params.optional("scope")?.map(Scopes::parse).transpose();
    let scopes = scopes.map_err(|_| Refusal::InvalidScope)?;
    let fresh = provider.fresh(refresh_token.successor()?)?;
    let rotation = Rotation {
        client_id,
        refresh_token,
        scopes,
    };
    provider
        .store
        .change(move |ledger, now| {
            let scopes = ledger.rotate(&rotation, &fresh, now)?;
            Ok(answer(&fresh, &scopes))
        })
        .await?
}

impl Provider {
    fn fresh(&self, refresh_token: RefreshToken) -> Result<FreshTokens, Refusal> {
        let access_token_lifetime = self.settings.access_token_lifetime;
        Ok(FreshTokens {
            access_token: Token::mint("dat_")?,
            refresh_token,
            access_token_lifetime,
        })
    }
}

/// RFC 6749 §5.1.
fn answer(fresh: &FreshTokens, scopes: &Scopes) -> Json<Value> {
    Json(json!({
        "access_token": fresh.access_token.expose(),
        "token_type": "Bearer",
        "expires_in": fresh.access_token_lifetime.as_secs(),
        "refresh_token": fresh.refresh_token.expose(),
        "scope": scopes.to_string(),
    }))
}
