//! Where a request comes from, and how the services behind are told.

use std::fmt;

use auth::{AssertedRequest, AssertionSigner, CALLER_HEADER, Caller};
use http::HeaderValue;
use reqwest::Request;
use service_kit::{http::REQUEST_ID, trace::TraceContext};
use url::Url;

/// Who asks, for the log and for the services behind.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin {
    /// As its token says; none over stdio, where the process is the user's own.
    pub(crate) caller: Option<Caller>,
    /// The HTTP request's id; none over stdio.
    pub(crate) request_id: Option<HeaderValue>,
    /// Its place in a trace: the protocol answers in tasks of its own.
    pub(crate) place: TraceContext,
}

impl Origin {
    /// The verified subject, or `stdio`.
    pub(crate) fn subject(&self) -> &str {
        self.caller.as_ref().map_or("stdio", Caller::subject)
    }

    /// Puts what is known onto a request that goes out with `token`: the id that ties both services'
    /// log lines together, and who asks, where `word` can be given for it.
    pub(crate) fn mark(&self, request: &mut Request, token: &str, word: Option<&Word>) {
        if let Some(id) = &self.request_id {
            request.headers_mut().insert(REQUEST_ID, id.clone());
        }
        if let (Some(caller), Some(word)) = (&self.caller, word) {
            let value = word.on(caller, request, token);
            request.headers_mut().insert(CALLER_HEADER, value);
        }
    }

    /// Whose requests are alike: the subject and the program that it uses.
    pub(crate) fn identity(&self) -> (&str, &str) {
        let client = self.caller.as_ref().map_or("stdio", Caller::client_id);
        (self.subject(), client)
    }
}

/// The gateway's word about its callers, for one service.
#[derive(Clone)]
pub(crate) struct Word {
    signer: AssertionSigner,
    audience: String,
    /// What stands before the service's own paths, for those on the way to it.
    prefix: String,
}

impl Word {
    /// For the resource `audience` at `base`.
    pub(crate) fn new(signer: AssertionSigner, audience: String, base: &Url) -> Self {
        Self {
            signer,
            audience,
            prefix: base.path().trim_end_matches('/').to_owned(),
        }
    }

    fn on(&self, caller: &Caller, request: &Request, token: &str) -> HeaderValue {
        let path = request.url().path();
        self.signer.sign(
            caller,
            AssertedRequest {
                audience: &self.audience,
                method: request.method(),
                path: path.strip_prefix(&self.prefix).unwrap_or(path),
                token,
            },
        )
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Word").field(&self.audience).finish()
    }
}
