//! The demo provider: an honest little OAuth 2 authorisation server that plays the third party.
//!
//! `cargo run` starts it beside Latchkey, so that a newcomer sees a connection made, and refreshed a
//! minute later, without an account anywhere. Latchkey treats it as it treats any provider: this crate
//! knows nothing of Latchkey's, and keeps strictly to the RFCs that it names.
//!
//! It has one user, who is never asked to log in, and one client. Its access tokens live briefly, its
//! refresh tokens rotate at each use, and a refresh token or a code used twice ends the connection.
//!
//! | path | what | by |
//! |---|---|---|
//! | `GET /authorize` | the consent page | RFC 6749 §4.1.1, RFC 7636, RFC 9207 |
//! | `POST /token` | codes and refresh tokens into access tokens | RFC 6749 §4.1.3 and §6, RFC 9700 §4.14 |
//! | `POST /revoke` | ends a connection or a token | RFC 7009 |
//! | `POST /introspect` | says what a token is good for | RFC 7662 |
//! | `GET /.well-known/oauth-authorization-server` | metadata | RFC 8414 |
//! | `GET /api/orders`, `GET /api/profile` | the protected resources | RFC 6750 |
//! | `GET /` | what this is, and its tokens counted live | |
//!
//! # Examples
//! ```
//! use std::{sync::Arc, time::Duration};
//! use latchkey_demo_provider::{DemoProvider, DemoSettings};
//!
//! let provider = DemoProvider::new(DemoSettings {
//!     base_url: "http://127.0.0.1:8788".to_owned(),
//!     client_id: "latchkey".to_owned(),
//!     client_secret: "an example".to_owned(),
//!     redirect_uris: vec!["http://127.0.0.1:8787/oauth/authenticate".to_owned()],
//!     access_token_lifetime: Duration::from_secs(60),
//!     now: Arc::new(|| jiff::Timestamp::UNIX_EPOCH),
//!     state_file: None,
//! })?;
//! let _router: axum::Router = provider.router();
//! # Ok::<(), latchkey_demo_provider::DemoError>(())
//! ```

mod api;
mod client;
mod consent;
mod home;
mod introspect;
mod ledger;
mod metadata;
mod page;
mod params;
mod refusal;
mod request;
mod return_address;
mod revoke;
mod scope;
mod settings;
mod state_file;
mod store;
mod token;
mod token_text;

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    response::Response,
    routing::{get, post},
};
use http::{HeaderValue, header};

pub use settings::{Clock, DemoError, DemoSettings};

use crate::{
    settings::{Settings, checked},
    store::Store,
};

/// The demo provider: its settings, and the tokens that it has issued.
///
/// Clones share both.
#[derive(Debug, Clone)]
pub struct DemoProvider(Arc<Provider>);

impl DemoProvider {
    /// Checks `settings`, and reads the tokens of an earlier run if there is a state file.
    ///
    /// # Errors
    /// [`DemoError`] when a setting can't be used, or the state file can't be read.
    pub fn new(settings: DemoSettings) -> Result<Self, DemoError> {
        let (settings, now, state_file) = checked(settings)?;
        let store = Store::open(now, state_file)?;
        Ok(Self(Arc::new(Provider { settings, store })))
    }

    /// All that the provider serves, to be mounted at the root of its base URL.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/", get(home::home))
            .route("/activity", get(home::activity))
            .route("/authorize", get(consent::ask).post(consent::decide))
            .route("/token", post(token::token))
            .route("/revoke", post(revoke::revoke))
            .route("/introspect", post(introspect::introspect))
            .route(metadata::PATH, get(metadata::metadata))
            .route("/api/orders", get(api::orders))
            .route("/api/profile", get(api::profile))
            .fallback(page::not_found)
            .layer(DefaultBodyLimit::max(BODY_LIMIT))
            .layer(middleware::map_response(harden))
            .with_state(Arc::clone(&self.0))
    }
}

/// What every handler is given.
#[derive(Debug)]
struct Provider {
    settings: Settings,
    store: Arc<Store>,
}

/// No request of the protocol comes near to this many bytes.
const BODY_LIMIT: usize = 16 * 1024;

/// Keeps every answer out of caches (RFC 6749 §5.1), and its URL out of `Referer`s (RFC 9700 §4.2.4).
async fn harden(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}
