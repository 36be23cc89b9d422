//! What other stories rely on at the real authorisation servers, without Latchkey between.

use std::collections::HashMap;

use latchkey_tests::{
    http_client,
    server::{AuthServer, Behaviour, SECRET},
    visitor::{Decision, Visitor},
};
use serde_json::Value;
use url::{Url, form_urlencoded::Serializer};

/// Nobody is there: the person stops before it.
const CALLBACK: &str = "http://127.0.0.1:9/callback";
const ACCESS_TTL: u64 = 600;
// RFC 7636 Appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A client of a server.
struct Client {
    server: AuthServer,
    scope: &'static str,
}

impl Client {
    async fn of_oidc_provider(rotate: bool) -> Self {
        Self {
            server: AuthServer::oidc_provider(&behaviour(rotate)).await,
            scope: "openid offline_access api:read",
        }
    }

    async fn of_django_oauth_toolkit(rotate: bool) -> Self {
        Self {
            server: AuthServer::django_oauth_toolkit(&behaviour(rotate)).await,
            scope: "api:read",
        }
    }

    /// What a person comes back with.
    async fn authorise(&self, client_id: &str, decision: Decision) -> HashMap<String, String> {
        let query = [
            ("response_type", "code"),
            ("client_id", client_id),
            ("redirect_uri", CALLBACK),
            ("scope", self.scope),
            ("prompt", "consent"),
            ("state", "the state"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let mut url = Url::parse(&self.server.authorise_url).unwrap();
        url.query_pairs_mut().extend_pairs(query);
        let mut person = Visitor::default().stopping_before(CALLBACK);
        let page = person.open(url.as_str()).await;
        let callback = person.decide(page, decision).await.url;
        assert!(callback.as_str().starts_with(CALLBACK), "{callback}");
        callback.query_pairs().into_owned().collect()
    }

    /// What a code is exchanged for.
    async fn exchange(&self, client_id: &str, verifier: &str) -> (u16, Value) {
        let code = &self.authorise(client_id, Decision::Allow).await["code"];
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", verifier),
        ];
        self.token(client_id, &form).await
    }

    async fn refresh(&self, tokens: &Value) -> (u16, Value) {
        let token = text(tokens, "refresh_token");
        let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
        self.token("basic", &form).await
    }

    /// Asks the token endpoint, with the secret unless the client has none.
    async fn token(&self, client_id: &str, form: &[(&str, &str)]) -> (u16, Value) {
        let mut body = Serializer::new(String::new());
        body.extend_pairs(form);
        let mut request =
            http_client().post(format!("{}{}", self.server.base, self.server.token_path));
        if client_id == "public" {
            body.append_pair("client_id", client_id);
        } else {
            request = request.basic_auth(client_id, Some(SECRET));
        }
        let answer = request
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.finish())
            .send()
            .await
            .unwrap();
        let status = answer.status().as_u16();
        let body = answer.bytes().await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }
}

fn behaviour(rotate: bool) -> Behaviour {
    Behaviour {
        callback_url: CALLBACK.to_owned(),
        access_ttl: ACCESS_TTL,
        rotate,
    }
}

fn text<'a>(tokens: &'a Value, name: &str) -> &'a str {
    tokens[name].as_str().unwrap()
}

async fn tokens_work_rotate_and_end(client: Client) {
    let (status, first) = client.exchange("basic", VERIFIER).await;
    assert_eq!((status, &first["expires_in"]), (200, &ACCESS_TTL.into()));
    let access_token = text(&first, "access_token");
    assert!(client.server.is_active(access_token).await);
    client
        .server
        .advance(i64::try_from(ACCESS_TTL).unwrap() + 1)
        .await;
    assert!(
        !client.server.is_active(access_token).await,
        "its time is up"
    );

    let (status, second) = client.refresh(&first).await;
    assert_eq!(status, 200, "{second}");
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    assert!(client.server.is_active(text(&second, "access_token")).await);

    let (status, refused) = client.refresh(&first).await;
    assert_eq!((status, text(&refused, "error")), (400, "invalid_grant"));
    let (status, refused) = client.refresh(&second).await;
    assert_eq!(
        (status, text(&refused, "error")),
        (400, "invalid_grant"),
        "an old token that is used again ends the new one too"
    );
}

async fn codes_need_what_was_promised(client: Client) {
    let (status, tokens) = client.exchange("public", VERIFIER).await;
    assert_eq!(status, 200, "a client without a secret: {tokens}");
    let other = VERIFIER.replace('d', "e");
    let (status, refused) = client.exchange("basic", &other).await;
    assert_eq!((status, text(&refused, "error")), (400, "invalid_grant"));
    let denied = client.authorise("basic", Decision::Deny).await;
    assert_eq!(denied["error"], "access_denied");
    assert_eq!(denied["state"], "the state");
}

async fn a_refresh_token_stays(client: Client) {
    let (_, first) = client.exchange("basic", VERIFIER).await;
    for _ in 0..2 {
        let (status, again) = client.refresh(&first).await;
        assert_eq!(status, 200, "{again}");
        assert_eq!(again["refresh_token"], first["refresh_token"]);
    }
}

#[tokio::test]
async fn tokens_of_oidc_provider_work_rotate_and_end() {
    tokens_work_rotate_and_end(Client::of_oidc_provider(true).await).await;
}

#[tokio::test]
async fn tokens_of_django_oauth_toolkit_work_rotate_and_end() {
    tokens_work_rotate_and_end(Client::of_django_oauth_toolkit(true).await).await;
}

#[tokio::test]
async fn codes_of_oidc_provider_need_what_was_promised() {
    let client = Client::of_oidc_provider(true).await;
    let answer = client.authorise("basic", Decision::Allow).await;
    assert_eq!(answer["iss"], client.server.base, "RFC 9207");
    codes_need_what_was_promised(client).await;
}

#[tokio::test]
async fn codes_of_django_oauth_toolkit_need_what_was_promised() {
    codes_need_what_was_promised(Client::of_django_oauth_toolkit(true).await).await;
}

#[tokio::test]
async fn a_refresh_token_of_oidc_provider_stays_where_it_is_told_so() {
    a_refresh_token_stays(Client::of_oidc_provider(false).await).await;
}

#[tokio::test]
async fn a_refresh_token_of_django_oauth_toolkit_stays_where_it_is_told_so() {
    a_refresh_token_stays(Client::of_django_oauth_toolkit(false).await).await;
}
