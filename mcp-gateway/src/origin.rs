//! Where a request comes from.

use auth::Caller;
use http::HeaderValue;
use service_kit::trace::TraceContext;

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

    /// Whose requests are alike: the subject and the program that it uses.
    pub(crate) fn identity(&self) -> (&str, &str) {
        let client = self.caller.as_ref().map_or("stdio", Caller::client_id);
        (self.subject(), client)
    }
}
