//! Latchkey's API, as a platform calls it.

use reqwest::{Client, Method, RequestBuilder, StatusCode, header::HeaderMap};
use serde_json::{Value, json};

use crate::stream::EventStream;

/// A caller with an API key.
#[derive(Debug, Clone)]
pub struct Api {
    client: Client,
    base: String,
    key: Option<String>,
    headers: Vec<(String, String)>,
}

/// What the API answered.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; null if it is empty or no JSON.
    pub body: Value,
}

impl Api {
    /// A caller at `base` with a key, or without one.
    #[must_use]
    pub fn new(base: &str, key: Option<&str>) -> Self {
        Self {
            client: crate::http_client(),
            base: base.trim_end_matches('/').to_owned(),
            key: key.map(str::to_owned),
            headers: Vec::new(),
        }
    }

    /// The same caller with another key.
    #[must_use]
    pub fn with_key(&self, key: &str) -> Self {
        Self {
            key: Some(key.to_owned()),
            ..self.clone()
        }
    }

    /// The same caller with a header at every request.
    #[must_use]
    pub fn with_header(&self, name: &str, value: &str) -> Self {
        let mut api = self.clone();
        api.headers.push((name.to_owned(), value.to_owned()));
        api
    }

    /// Gets a resource.
    pub async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, None).await
    }

    /// Posts a body.
    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send(Method::POST, path, Some(body)).await
    }

    /// Puts a body over a version.
    pub async fn put(&self, path: &str, if_match: &str, body: &Value) -> Reply {
        self.with_header("if-match", if_match)
            .send(Method::PUT, path, Some(body))
            .await
    }

    /// Deletes a resource.
    pub async fn delete(&self, path: &str) -> Reply {
        self.send(Method::DELETE, path, None).await
    }

    /// Listens to the stream of events, from the one on that was seen last.
    pub async fn listen(&self, last_seen: Option<&str>) -> EventStream {
        let api = match last_seen {
            Some(id) => self.with_header("last-event-id", id),
            None => self.clone(),
        };
        let request = api.request(Method::GET, "/v1/events", None);
        EventStream::of(request.send().await.expect("the API answers"))
    }

    /// Sends any request.
    pub async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Reply {
        let request = self.request(method, path, body);
        let answer = request.send().await.expect("the API answers");
        let (status, headers) = (answer.status(), answer.headers().clone());
        let bytes = answer.bytes().await.expect("the API's answer is whole");
        Reply {
            status,
            headers,
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        }
    }

    fn request(&self, method: Method, path: &str, body: Option<&Value>) -> RequestBuilder {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if let Some(key) = &self.key {
            request = request.bearer_auth(key);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        request
    }

    /// Makes a connector and gives its id.
    pub async fn connector(&self, name: &str) -> String {
        self.post("/v1/connectors", &json!({ "name": name }))
            .await
            .created("id")
    }

    /// Makes an auth method and gives its id.
    pub async fn method(&self, connector: &str, body: &Value) -> String {
        self.post(&format!("/v1/connectors/{connector}/auth-methods"), body)
            .await
            .created("id")
    }

    /// Opens a connect session for a new instance: the instance, and the link.
    pub async fn session(&self, connector: &str, method: &str) -> (String, String) {
        let body = json!({ "connector": connector, "auth_method": method });
        let opened = self.post("/v1/connect-sessions", &body).await;
        (
            opened.clone().created("instance"),
            opened.created("connect_url"),
        )
    }

    /// An instance's health.
    pub async fn health(&self, instance: &str) -> Value {
        self.get(&format!("/v1/instances/{instance}")).await.ok()["health"].clone()
    }

    /// Asks for a credential.
    pub async fn vend(&self, instance: &str) -> Reply {
        self.get(&format!("/v1/instances/{instance}/credential"))
            .await
    }

    /// The access token of a credential that must be had.
    pub async fn access_token(&self, instance: &str) -> String {
        self.vend(instance).await.ok()["access_token"]
            .as_str()
            .expect("an access token")
            .to_owned()
    }
}

impl Reply {
    /// The body of a reply that must be 200.
    #[track_caller]
    #[must_use]
    pub fn ok(self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{:?}", self.body);
        self.body
    }

    /// A text in the body of a reply that must be 201.
    #[track_caller]
    #[must_use]
    pub fn created(self, name: &str) -> String {
        assert_eq!(self.status, StatusCode::CREATED, "{:?}", self.body);
        self.body[name].as_str().expect("a text").to_owned()
    }

    /// The problem of a reply that must be one of this status and type.
    #[track_caller]
    #[must_use]
    pub fn problem(self, status: u16, kind: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{:?}", self.body);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(
            self.body["type"],
            format!("/problems/{kind}"),
            "{:?}",
            self.body
        );
        assert_eq!(self.body["status"], status);
        assert_eq!(
            self.body["instance"].as_str(),
            self.headers["x-request-id"].to_str().ok()
        );
        self.body
    }

    /// The pointers of what is wrong with a body.
    #[track_caller]
    #[must_use]
    pub fn faults(self) -> Vec<(String, String)> {
        let problem = self.problem(422, "invalid");
        let text = |fault: &Value, name: &str| fault[name].as_str().expect("a text").to_owned();
        let errors = problem["errors"].as_array().expect("errors");
        errors
            .iter()
            .map(|fault| (text(fault, "pointer"), text(fault, "code")))
            .collect()
    }

    /// The entity tag.
    #[track_caller]
    #[must_use]
    pub fn etag(&self) -> String {
        self.headers["etag"].to_str().expect("a text").to_owned()
    }
}
