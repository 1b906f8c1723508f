//! The HTTP APIs, called as any client would.

use std::time::Duration;

use contracts::Problem;
use reqwest::{Method, RequestBuilder, StatusCode, header::HeaderMap};
use serde_json::Value;
use service_kit::http_client;
use url::Url;

use super::{TestHome, Up, run};

/// A client of one system.
#[derive(Debug)]
pub struct Api {
    pub http: reqwest::Client,
    /// The content API.
    pub base: Url,
    /// With `content:read`.
    pub token: String,
}

/// An HTTP answer.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Api {
    /// With a token as `promptsales token` prints it.
    pub fn of(up: &Up) -> Self {
        Self {
            http: http_client::build(Duration::from_secs(60)).unwrap(),
            base: up.endpoints().content_api,
            token: token(up.home(), &[]),
        }
    }

    /// With every right over content.
    pub fn of_owner(up: &Up) -> Self {
        let scopes = ["content:read", "content:write", "content:approve"];
        let arguments = scopes.map(|scope| ["--scope", scope]).concat();
        Self {
            token: token(up.home(), &arguments),
            ..Self::of(up)
        }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, self.base.join(path).unwrap())
            .bearer_auth(&self.token)
    }

    pub async fn get(&self, path: &str) -> Reply {
        Reply::of(self.request(Method::GET, path)).await
    }

    pub async fn get_content(&self, body: Value) -> Reply {
        Reply::of(self.request(Method::POST, "/v1/getContent").json(&body)).await
    }

    /// The same with a body that may be anything.
    pub async fn get_content_raw(&self, body: Vec<u8>) -> Reply {
        let request = self.request(Method::POST, "/v1/getContent");
        Reply::of(
            request
                .header("Content-Type", "application/json")
                .body(body),
        )
        .await
    }
}

impl Reply {
    pub async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.unwrap().to_vec();
        Self {
            status,
            headers,
            body,
        }
    }

    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    /// A success's JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        assert!(self.status.is_success(), "{} {text}", self.status);
        serde_json::from_str(&text).unwrap()
    }

    /// It is this problem, in the form of RFC 9457.
    #[track_caller]
    pub fn problem(&self, status: u16, slug: &str) -> Problem {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, status, "{text}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem: Problem = serde_json::from_str(&text).unwrap();
        assert_eq!((problem.slug(), problem.status), (slug, status), "{text}");
        problem
    }
}

/// What `promptsales token` prints.
pub fn token(home: &TestHome, arguments: &[&str]) -> String {
    let ran = run(home, &[&["token"], arguments].concat()).expect(0);
    ran.stdout.trim_end().to_owned()
}
