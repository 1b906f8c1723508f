//! Authority as a type: extractors that check the token.

use std::{marker::PhantomData, ops::Deref, sync::Arc};

use audit::Trail;
use axum::{
    extract::{FromRef, FromRequestParts, Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use contracts::{Scope, Scopes};
use http::{HeaderMap, header, request::Parts};
use service_kit::ProblemResponse;
use time::OffsetDateTime;

use crate::{AuthError, HeaderFault, Verifier, assertion::Head, scope::RequiredScope};

/// Who calls, by a token that was checked, and by the word of a trusted gateway where it comes with
/// one. Only a [`Verifier`] makes one.
///
/// As an axum extractor it stands for "any valid token".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    subject: String,
    client_id: String,
    via: Option<String>,
    scopes: Scopes,
    token_id: Option<String>,
    expires_at: OffsetDateTime,
}

impl Caller {
    pub(crate) fn new(
        subject: String,
        client_id: String,
        scopes: Scopes,
        token_id: Option<String>,
        expires_at: OffsetDateTime,
    ) -> Self {
        Self {
            subject,
            client_id,
            via: None,
            scopes,
            token_id,
            expires_at,
        }
    }

    /// The caller for whom this one, a gateway, calls. What counts is what both may do.
    pub(crate) fn speaking_for(self, subject: String, client_id: String, scopes: &Scopes) -> Self {
        Self {
            subject,
            client_id,
            via: Some(self.client_id),
            scopes: self
                .scopes
                .iter()
                .filter(|scope| scopes.contains(*scope))
                .collect(),
            ..self
        }
    }

    /// `sub`: the person, or the client itself when it acts for nobody.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// `client_id`: the program that the token was issued to; theirs, where a gateway calls for
    /// somebody.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The client that calls for the subject with a token of its own, where one does.
    pub fn via(&self) -> Option<&str> {
        self.via.as_deref()
    }

    /// What the token allows, and whoever it is used for.
    pub fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// `jti`, where the issuer gives one.
    pub fn token_id(&self) -> Option<&str> {
        self.token_id.as_deref()
    }

    /// `exp`.
    pub fn expires_at(&self) -> OffsetDateTime {
        self.expires_at
    }

    /// Demands scopes; the refusal names all of them at once.
    pub fn require(&self, required: &[Scope]) -> Result<(), AuthError> {
        if required.iter().all(|scope| self.scopes.contains(*scope)) {
            return Ok(());
        }
        Err(AuthError::InsufficientScope {
            required: required.iter().copied().collect(),
        })
    }
}

impl<S> FromRequestParts<S> for Caller
where
    S: Send + Sync,
    Arc<Verifier>: FromRef<S>,
{
    type Rejection = ProblemResponse;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let verifier = Arc::<Verifier>::from_ref(state);
        let head = Head {
            method: &parts.method,
            path: parts.uri.path(),
            headers: &parts.headers,
        };
        authenticate(&verifier, head, parts.extensions.get())
            .await
            .map_err(|error| verifier.problem(error))
    }
}

/// A [`Caller`] whose token carries the scope `R`: a handler that has one may act.
#[derive(Debug)]
pub struct Authorized<R> {
    caller: Caller,
    scope: PhantomData<fn() -> R>,
}

impl<R> Authorized<R> {
    /// The caller alone.
    pub fn into_caller(self) -> Caller {
        self.caller
    }
}

impl<R> Deref for Authorized<R> {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.caller
    }
}

impl<S, R> FromRequestParts<S> for Authorized<R>
where
    S: Send + Sync,
    R: RequiredScope,
    Arc<Verifier>: FromRef<S>,
{
    type Rejection = ProblemResponse;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let caller = Caller::from_request_parts(parts, state).await?;
        caller
            .require(&[R::SCOPE])
            .map_err(|error| Arc::<Verifier>::from_ref(state).problem(error))?;
        Ok(Self {
            caller,
            scope: PhantomData,
        })
    }
}

/// Middleware for routes whose handlers are not axum's own (MCP): refuses requests without a valid
/// token and puts the [`Caller`] into the request's extensions.
/// Use with `axum::middleware::from_fn_with_state(verifier, require_valid_token)`.
pub async fn require_valid_token(
    State(verifier): State<Arc<Verifier>>,
    mut request: Request,
    next: Next,
) -> Response {
    let head = Head {
        method: request.method(),
        path: request.uri().path(),
        headers: request.headers(),
    };
    match authenticate(&verifier, head, request.extensions().get()).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(error) => verifier.problem(error).into_response(),
    }
}

async fn authenticate(
    verifier: &Verifier,
    head: Head<'_>,
    trail: Option<&Trail>,
) -> Result<Caller, AuthError> {
    let token = bearer_token(head.headers)?;
    let bearer = verifier.verify(token).await?;
    let note = |caller: &Caller| {
        if let Some(trail) = trail {
            trail.asked_by(caller.subject(), caller.client_id(), caller.via());
        }
    };
    // Whose word is not believed is known all the same.
    note(&bearer);
    let caller = verifier.asserted(bearer, token, head).await?;
    note(&caller);
    let span = tracing::Span::current();
    span.record("subject", caller.subject());
    if let Some(via) = caller.via() {
        span.record("via", via);
    }
    Ok(caller)
}

/// The token of the one `Authorization: Bearer` header (RFC 6750 section 2.1). Another scheme is no
/// token rather than a wrong one.
fn bearer_token(headers: &HeaderMap) -> Result<&str, AuthError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or(AuthError::MissingToken)?;
    if values.next().is_some() {
        return Err(AuthError::InvalidHeader(HeaderFault::Repeated));
    }
    let malformed = AuthError::InvalidHeader(HeaderFault::Malformed);
    let Ok(text) = value.to_str() else {
        return Err(malformed);
    };
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(AuthError::MissingToken);
    }
    let bare = token.trim_end_matches('=');
    let is_token = !bare.is_empty()
        && bare
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte));
    if is_token { Ok(token) } else { Err(malformed) }
}
