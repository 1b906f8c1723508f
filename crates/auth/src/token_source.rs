//! Tokens for calling other services: OAuth 2.0 client credentials, RFC 6749 section 4.4.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use contracts::Scopes;
use oauth2::{
    AuthType, ClientId, ClientSecret, HttpRequest, HttpResponse, RequestTokenError,
    TokenResponse as _, TokenUrl,
    basic::{BasicClient, BasicTokenType},
};
use secrecy::{ExposeSecret as _, SecretString};
use service_kit::Clock;
use time::{Duration, OffsetDateTime};
use tokio::sync::OnceCell;
use url::Url;

use crate::fetch::{self, FETCH_DEADLINE, FetchError};

/// A token is renewed this long before it expires, or a tenth of its lifetime if that is shorter.
const RENEW_BEFORE: Duration = Duration::seconds(30);
/// Largest answer of the token endpoint, in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// As whom to ask for what. `Debug` hides the secret.
#[derive(Debug, Clone)]
pub struct ClientCredentials {
    /// The issuer's token endpoint.
    pub token_url: Url,
    /// `client_id`.
    pub client_id: String,
    /// `client_secret`, sent with HTTP Basic.
    pub client_secret: SecretString,
    /// What the tokens should allow; none means what the issuer gives by default.
    pub scopes: Scopes,
    /// The resource that the tokens are for (`resource`, RFC 8707), where the issuer needs it named.
    pub resource: Option<String>,
}

/// Why there is no token. The secret is never part of it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TokenError {
    /// The token endpoint refused.
    #[error(
        "{endpoint} refused a token for client '{client_id}': {code}. Check the client's id, \
         secret, scopes and audiences at the issuer"
    )]
    Refused {
        /// The token endpoint.
        endpoint: Url,
        /// Who asked.
        client_id: String,
        /// The error code of RFC 6749 section 5.2, such as `invalid_client`.
        code: String,
    },
    /// The token endpoint did not answer.
    #[error("cannot get a token for client '{client_id}'")]
    Unreachable {
        /// Who asked.
        client_id: String,
        /// What happened, with the endpoint.
        source: Arc<FetchError>,
    },
    /// The token endpoint answered with something else than OAuth.
    #[error("{endpoint} answered with {found}, expected a bearer token as RFC 6749 has it")]
    NotOAuth {
        /// The token endpoint.
        endpoint: Url,
        /// What came.
        found: &'static str,
    },
}

/// Keeps one token for one resource: cached until shortly before it expires, fetched once however
/// many ask at the same time. A failure is told to those who waited for it and then forgotten.
pub struct TokenSource {
    credentials: ClientCredentials,
    client: reqwest::Client,
    clock: Clock,
    state: Mutex<State>,
}

type Flight = Arc<OnceCell<Result<Token, TokenError>>>;

#[derive(Default)]
struct State {
    cached: Option<Token>,
    flight: Option<Flight>,
}

#[derive(Clone)]
struct Token {
    secret: SecretString,
    renew_at: OffsetDateTime,
}

impl TokenSource {
    /// Fetches nothing yet. A user and password in the URL are dropped: they would turn up in errors.
    pub fn new(mut credentials: ClientCredentials, client: reqwest::Client, clock: Clock) -> Self {
        // These fail only for a URL without a host, which has neither.
        let _ = credentials.token_url.set_username("");
        let _ = credentials.token_url.set_password(None);
        Self {
            credentials,
            client,
            clock,
            state: Mutex::default(),
        }
    }

    /// A token that has not expired, to be sent as `Authorization: Bearer`.
    pub async fn token(&self) -> Result<SecretString, TokenError> {
        let now = self.clock.now();
        let flight = {
            let mut state = self.state();
            if let Some(token) = state.cached.as_ref().filter(|token| now < token.renew_at) {
                return Ok(token.secret.clone());
            }
            Arc::clone(state.flight.get_or_insert_default())
        };
        let fetched = flight.get_or_init(|| self.fetch(now)).await.clone();
        let mut state = self.state();
        // The first of the waiters settles it for all.
        if state
            .flight
            .as_ref()
            .is_some_and(|current| Arc::ptr_eq(current, &flight))
        {
            state.flight = None;
            state.cached = fetched.as_ref().ok().cloned();
        }
        fetched.map(|token| token.secret)
    }

    /// Drops a token that a resource refused, so that the next call fetches another one.
    pub fn forget(&self, refused: &SecretString) {
        let mut state = self.state();
        let same = |token: &Token| token.secret.expose_secret() == refused.expose_secret();
        if state.cached.as_ref().is_some_and(same) {
            state.cached = None;
        }
    }

    async fn fetch(&self, now: OffsetDateTime) -> Result<Token, TokenError> {
        let credentials = &self.credentials;
        let oauth = BasicClient::new(ClientId::new(credentials.client_id.clone()))
            .set_client_secret(ClientSecret::new(
                credentials.client_secret.expose_secret().to_owned(),
            ))
            .set_auth_type(AuthType::BasicAuth)
            .set_token_uri(TokenUrl::from_url(credentials.token_url.clone()));
        let scopes = credentials
            .scopes
            .iter()
            .map(|scope| oauth2::Scope::new(scope.to_string()));
        let mut request = oauth.exchange_client_credentials().add_scopes(scopes);
        if let Some(resource) = &credentials.resource {
            request = request.add_extra_param("resource", resource.as_str());
        }
        // The future owns what it uses: one that borrowed would keep callers' futures from being
        // `Send`, for a lifetime that the compiler cannot generalise.
        let send = |request| send(self.client.clone(), credentials.token_url.clone(), request);
        let answer = request
            .request_async(&send)
            .await
            .map_err(|error| self.explain(error))?;
        if *answer.token_type() != BasicTokenType::Bearer {
            return Err(self.not_oauth("a token of another type"));
        }
        // Without a lifetime nobody knows how long it may be kept, so it is used once.
        let lifetime = answer
            .expires_in()
            .and_then(|lifetime| lifetime.try_into().ok());
        let lifetime: Duration = lifetime.unwrap_or(Duration::ZERO);
        let renew_after = lifetime - RENEW_BEFORE.min(lifetime / 10);
        Ok(Token {
            secret: answer.access_token().secret().as_str().into(),
            renew_at: now.checked_add(renew_after).unwrap_or(now),
        })
    }

    fn explain(
        &self,
        error: RequestTokenError<FetchError, oauth2::basic::BasicErrorResponse>,
    ) -> TokenError {
        match error {
            // The code only: a description is free text, and a careless server echoes in it.
            RequestTokenError::ServerResponse(refusal) => TokenError::Refused {
                endpoint: self.credentials.token_url.clone(),
                client_id: self.credentials.client_id.clone(),
                code: printable(refusal.error().as_ref()),
            },
            RequestTokenError::Request(source) => TokenError::Unreachable {
                client_id: self.credentials.client_id.clone(),
                source: Arc::new(source),
            },
            RequestTokenError::Parse(..) => self.not_oauth("JSON of another shape"),
            RequestTokenError::Other(_) => self.not_oauth("something else than JSON"),
        }
    }

    fn not_oauth(&self, found: &'static str) -> TokenError {
        TokenError::NotOAuth {
            endpoint: self.credentials.token_url.clone(),
            found,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Carries the OAuth library's request with our own client.
async fn send(
    client: reqwest::Client,
    endpoint: Url,
    request: HttpRequest,
) -> Result<HttpResponse, FetchError> {
    let unreachable = |source| FetchError::Unreachable {
        url: endpoint.clone(),
        source,
    };
    let (parts, body) = request.into_parts();
    let response = client
        .request(parts.method, endpoint.clone())
        .headers(parts.headers)
        .body(body)
        .timeout(FETCH_DEADLINE)
        .send()
        .await
        .map_err(unreachable)?;
    let status = response.status();
    let headers = response.headers().clone();
    let body = fetch::body(response, &endpoint, MAX_ANSWER_BYTES).await?;
    let mut response = HttpResponse::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

fn printable(code: &str) -> String {
    code.chars()
        .filter(|letter| matches!(letter, ' '..='~'))
        .take(64)
        .collect()
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSource")
            .field("credentials", &self.credentials)
            .finish_non_exhaustive()
    }
}
