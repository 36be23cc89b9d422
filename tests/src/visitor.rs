//! A person with a browser that knows forms, redirects and cookies, and no scripts.

use reqwest::{Client, StatusCode, header::HeaderMap};
use scraper::{ElementRef, Html, Selector};
use url::Url;

use crate::{http_client, jar::Jar};

/// A person.
#[derive(Debug, Clone)]
pub struct Visitor {
    client: Client,
    cookies: Jar,
    stops_before: Option<String>,
}

/// Where a person has come to.
#[derive(Debug, Clone)]
pub struct Page {
    /// The page's URL; of one that was not opened, the URL that would be.
    pub url: Url,
    /// Its status; none if it was not opened.
    pub status: Option<StatusCode>,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its text.
    pub html: String,
}

/// A form on a page.
#[derive(Debug, Clone)]
pub struct Form {
    /// Where it leads.
    pub action: Url,
    /// Its fields, buttons apart, with what is in them.
    pub fields: Vec<(String, String)>,
    /// Its buttons that have a name.
    pub buttons: Vec<(String, String)>,
}

/// What a person says to a provider that asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Yes.
    Allow,
    /// No.
    Deny,
}

impl Default for Visitor {
    fn default() -> Self {
        Self {
            client: http_client(),
            cookies: Jar::default(),
            stops_before: None,
        }
    }
}

impl Visitor {
    /// A person who opens no page whose URL begins with `prefix`, but stops before it.
    #[must_use]
    pub fn stopping_before(mut self, prefix: &str) -> Self {
        self.stops_before = Some(prefix.to_owned());
        self
    }

    /// The same person, who stops nowhere.
    #[must_use]
    pub fn going_on(mut self) -> Self {
        self.stops_before = None;
        self
    }

    /// Opens a page and goes where it leads.
    pub async fn open(&mut self, url: &str) -> Page {
        self.go(Url::parse(url).expect("a URL"), None).await
    }

    /// Submits the first form of a page with some fields filled in.
    pub async fn submit(&mut self, page: &Page, filled: &[(&str, &str)]) -> Page {
        let mut form = page.forms().into_iter().next().expect("a form");
        for (name, value) in filled {
            form.fields.retain(|(present, _)| present != name);
            form.fields.push(((*name).to_owned(), (*value).to_owned()));
        }
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&form.fields)
            .finish();
        self.go(form.action, Some(body)).await
    }

    /// Walks from a link to the end: fills in the form, and decides at the provider.
    pub async fn walk(&mut self, url: &str, filled: &[(&str, &str)], decision: Decision) -> Page {
        let page = self.open(url).await;
        let page = self.submit(&page, filled).await;
        self.decide(page, decision).await
    }

    /// Answers a provider's questions until the provider has no more.
    pub async fn decide(&mut self, mut page: Page, decision: Decision) -> Page {
        let provider = page.url.origin();
        for _ in 0..8 {
            if page.status.is_none() || page.url.origin() != provider {
                return page;
            }
            let form = page
                .forms()
                .into_iter()
                .next()
                .expect("the provider asks something");
            let has = |name: &str| form.fields.iter().any(|(present, _)| present == name);
            page = if has("login") {
                self.submit(&page, &[("login", "alice"), ("password", "alice-pw")])
                    .await
            } else if has("password") {
                self.submit(&page, &[("username", "alice"), ("password", "alice-pw")])
                    .await
            } else {
                self.consent(&page, &form, decision).await
            };
        }
        panic!("the provider does not stop asking: {}", page.url);
    }

    async fn consent(&mut self, page: &Page, form: &Form, decision: Decision) -> Page {
        match decision {
            Decision::Allow => {
                let button = form
                    .buttons
                    .first()
                    .cloned()
                    .into_iter()
                    .collect::<Vec<_>>();
                let button: Vec<_> = button
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_str()))
                    .collect();
                self.submit(page, &button).await
            }
            // One server has a link to leave by, the others take a form without the button.
            Decision::Deny => match page
                .links()
                .into_iter()
                .find(|link| link.path().ends_with("/abort"))
            {
                Some(link) => self.go(link, None).await,
                None => match form.buttons.iter().find(|(_, value)| value == "deny") {
                    Some((name, value)) => self.submit(page, &[(name, value)]).await,
                    None => self.submit(page, &[]).await,
                },
            },
        }
    }

    async fn go(&mut self, mut url: Url, mut body: Option<String>) -> Page {
        for _ in 0..20 {
            if self
                .stops_before
                .as_ref()
                .is_some_and(|prefix| url.as_str().starts_with(prefix))
            {
                return Page {
                    url,
                    status: None,
                    headers: HeaderMap::new(),
                    html: String::new(),
                };
            }
            let page = self.visit(&url, body.take()).await;
            let location = page
                .headers
                .get("location")
                .filter(|_| page.status.is_some_and(|status| status.is_redirection()));
            match location {
                Some(location) => {
                    url = url.join(location.to_str().expect("a text")).expect("a URL")
                }
                None => return page,
            }
        }
        panic!("too many redirects at {url}");
    }

    /// The `Cookie` header that goes to a page, if there is one.
    #[must_use]
    pub fn cookies(&self, url: &Url) -> Option<String> {
        self.cookies.header(url)
    }

    /// Asks for one page and follows nothing.
    pub async fn visit(&mut self, url: &Url, body: Option<String>) -> Page {
        let mut request = match body {
            None => self.client.get(url.clone()),
            Some(body) => self
                .client
                .post(url.clone())
                .header("content-type", "application/x-www-form-urlencoded")
                .body(body),
        };
        if let Some(cookies) = self.cookies.header(url) {
            request = request.header("cookie", cookies);
        }
        let answer = request.send().await.expect("the page answers");
        self.cookies.keep(url, answer.headers());
        let (status, headers) = (Some(answer.status()), answer.headers().clone());
        Page {
            url: url.clone(),
            status,
            headers,
            html: answer.text().await.expect("a text"),
        }
    }
}

impl Page {
    /// The forms on the page.
    #[must_use]
    pub fn forms(&self) -> Vec<Form> {
        let html = Html::parse_document(&self.html);
        html.select(&selector("form"))
            .map(|form| self.form(form))
            .collect()
    }

    fn form(&self, form: ElementRef<'_>) -> Form {
        let named = |element: ElementRef<'_>| {
            let attribute = |name| element.attr(name).unwrap_or_default().to_owned();
            element
                .attr("name")
                .map(|name| (name.to_owned(), attribute("value")))
        };
        let is_button = |element: &ElementRef<'_>| {
            element.value().name() == "button" || element.attr("type") == Some("submit")
        };
        let is_unticked = |element: &ElementRef<'_>| {
            element.attr("type") == Some("checkbox") && element.attr("checked").is_none()
        };
        let elements: Vec<_> = form.select(&selector("input, button")).collect();
        let fields = elements
            .iter()
            .filter(|element| !is_button(element) && !is_unticked(element));
        let (selects, selected) = (selector("select"), selector("option[selected]"));
        let chosen = form.select(&selects).filter_map(|select| {
            let option = select.select(&selected).next()?;
            Some((
                select.attr("name")?.to_owned(),
                option.attr("value")?.to_owned(),
            ))
        });
        Form {
            action: self
                .url
                .join(form.attr("action").unwrap_or_default())
                .expect("a URL"),
            fields: fields
                .filter_map(|element| named(*element))
                .chain(chosen)
                .collect(),
            buttons: elements
                .iter()
                .filter(|element| is_button(element))
                .filter_map(|element| named(*element))
                .collect(),
        }
    }

    /// The links on the page.
    #[must_use]
    pub fn links(&self) -> Vec<Url> {
        let html = Html::parse_document(&self.html);
        html.select(&selector("a[href]"))
            .filter_map(|link| self.url.join(link.attr("href")?).ok())
            .collect()
    }

    /// The text of the page's heading.
    #[must_use]
    pub fn heading(&self) -> String {
        let html = Html::parse_document(&self.html);
        html.select(&selector("h1"))
            .next()
            .map(|heading| heading.text().collect())
            .unwrap_or_default()
    }
}

fn selector(text: &str) -> Selector {
    Selector::parse(text).expect("a selector")
}
