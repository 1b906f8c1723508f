//! Requests that may be repeated (`Idempotency-Key`) and that say what they change (`If-Match`).

use auth::Caller;
use contracts::{ContentHash, ImageId, limits::MAX_IDEMPOTENCY_KEY_BYTES};
use http::{HeaderMap, HeaderName, StatusCode, header};
use serde::Serialize;
use service_kit::ProblemResponse;
use time::{Duration, OffsetDateTime};

use crate::{
    error::ApiError,
    store::{Claim, RequestKeys},
};

/// Whose requests of the same name are one.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// So long a repeated request is recognised.
pub const KEY_LIFETIME: Duration = Duration::hours(24);

/// What identifies a request: a hash of the client, the operation and the header's value. 64
/// hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestKey(String);

impl RequestKey {
    /// Reads the header, which must be there.
    pub fn of(
        headers: &HeaderMap,
        caller: &Caller,
        operation: &str,
    ) -> Result<Self, ProblemResponse> {
        let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
        let Some(value) = values.next() else {
            return Err(ProblemResponse::new(
                StatusCode::BAD_REQUEST,
                "missing-idempotency-key",
                "Missing Idempotency-Key",
                "Send a header Idempotency-Key with a value of your own, such as a UUID, and the same \
                 one when you repeat the request: then it is done once.",
            ));
        };
        let value = value.to_str().unwrap_or_default();
        let is_valid = (1..=MAX_IDEMPOTENCY_KEY_BYTES).contains(&value.len())
            && value.bytes().all(|byte| byte.is_ascii_graphic())
            && values.next().is_none();
        if !is_valid {
            return Err(ProblemResponse::new(
                StatusCode::BAD_REQUEST,
                "invalid-idempotency-key",
                "Invalid Idempotency-Key",
                format!(
                    "Idempotency-Key must be there once, with 1 to {MAX_IDEMPOTENCY_KEY_BYTES} \
                     visible ASCII characters."
                ),
            ));
        }
        let named = serde_json::to_vec(&(caller.client_id(), caller.subject(), operation, value))
            .expect("texts always serialise");
        Ok(Self(ContentHash::of(named).as_str().to_owned()))
    }

    /// 64 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Of a request's contents.
    pub fn fingerprint(sent: &impl Serialize) -> String {
        let canonical = serde_json::to_vec(sent).expect("plain data always serialises");
        ContentHash::of(canonical).as_str().to_owned()
    }

    /// What the key stands for: `subject`, or the one of an earlier request with the same contents.
    pub async fn claim(
        &self,
        keys: &(impl RequestKeys + ?Sized),
        fingerprint: String,
        subject: ImageId,
        now: OffsetDateTime,
    ) -> Result<Claim, ProblemResponse> {
        let claim = Claim {
            fingerprint,
            subject,
            answer: None,
            erased: false,
        };
        let held = keys.claim(&self.0, &claim, now, now - KEY_LIFETIME).await?;
        if held.erased {
            return Err(erased());
        }
        if held.fingerprint != claim.fingerprint {
            return Err(ProblemResponse::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency-key-reused",
                "Idempotency-Key reused",
                "This Idempotency-Key came with another request before: send a new one.",
            ));
        }
        Ok(held)
    }

    /// Keeps an answer as the one to this request, and returns it as it is sent: JSON.
    pub async fn keep(
        &self,
        keys: &(impl RequestKeys + ?Sized),
        answer: &impl Serialize,
    ) -> Result<String, ProblemResponse> {
        let text = serde_json::to_string(answer).expect("answers always serialise");
        keys.keep_answer(&self.0, &text)
            .await
            .map_err(ApiError::from)?;
        Ok(text)
    }
}

/// What the request created before was erased: repeating it must not bring it back.
pub fn erased() -> ProblemResponse {
    ProblemResponse::new(
        StatusCode::GONE,
        "erased",
        "Erased",
        "What this Idempotency-Key created was erased, and is not created anew by the same request: \
         send a new key to store it again.",
    )
}

/// The id that was asked for belongs to something else.
pub fn id_taken(id: &ImageId) -> ProblemResponse {
    ProblemResponse::new(
        StatusCode::CONFLICT,
        "id-taken",
        "Id taken",
        format!("The id '{id}' is in use: send another one, or none to get one."),
    )
}

/// Which revisions a change is meant for, RFC 9110 section 13.1.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IfMatch {
    /// `*`, or nothing where nothing is needed.
    Any,
    /// The revisions whose entity tags are named.
    Revisions(Vec<i64>),
}

impl IfMatch {
    /// Reads the header; without one, any revision is meant.
    pub fn of(headers: &HeaderMap) -> Self {
        Self::read(headers).unwrap_or(Self::Any)
    }

    /// Reads the header, which must be there.
    pub fn required(headers: &HeaderMap) -> Result<Self, ProblemResponse> {
        Self::read(headers).ok_or_else(|| {
            ProblemResponse::new(
                StatusCode::PRECONDITION_REQUIRED,
                "missing-if-match",
                "Missing If-Match",
                "Send the ETag of what you read in a header If-Match, so that nobody's change is \
                 overwritten unseen.",
            )
        })
    }

    /// Is this one of them? The comparison is strong: a weak tag names none.
    pub fn admits(&self, revision: i64) -> bool {
        match self {
            Self::Any => true,
            Self::Revisions(revisions) => revisions.contains(&revision),
        }
    }

    fn read(headers: &HeaderMap) -> Option<Self> {
        let mut lines = headers.get_all(header::IF_MATCH).iter().peekable();
        lines.peek()?;
        let tags: Vec<&str> = lines
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(','))
            .map(str::trim)
            .collect();
        if tags == ["*"] {
            return Some(Self::Any);
        }
        let revision = |tag: &&str| {
            let text = tag.strip_prefix('"')?.strip_suffix('"')?;
            text.parse().ok()
        };
        Some(Self::Revisions(tags.iter().filter_map(revision).collect()))
    }
}
