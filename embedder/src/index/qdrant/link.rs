//! The connection: TLS, the API key, and a deadline on every call.
//!
//! The stubs and types are `qdrant-client`'s; the channel is our own. That crate's client takes no certificate
//! authority, repeats failed calls past their deadline, prints to standard output, and puts a malformed key
//! into its error.

use std::{error::Error as _, future::Future, net::IpAddr, time::Duration};

use qdrant_client::qdrant::{
    collections_client::CollectionsClient, points_client::PointsClient, qdrant_client::QdrantClient,
};
use service_kit::with_causes;
use tonic::{
    Code, Request, Response, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, ClientTlsConfig},
};

use super::{ENGINE, settings::QdrantSettings};
use crate::index::IndexError;

/// Longest that a connection may take to be set up; a shorter deadline wins.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);
/// A connection over which nothing comes is asked for a sign of life this often...
const KEEP_ALIVE_EVERY: Duration = Duration::from_secs(10);
/// ... and given up, and made anew, after this long without one.
const KEEP_ALIVE_WITHIN: Duration = Duration::from_secs(5);
/// Largest answer: 800 candidates of a large model with the longest texts take some 20 MB.
const MAX_ANSWER_BYTES: usize = 64 << 20;
/// Longest part of a server's words that goes into an error.
const MAX_WORDS: usize = 300;

type Keyed = InterceptedService<Channel, ApiKey>;

/// Adds the API key to every call.
#[derive(Clone)]
pub struct ApiKey(Option<MetadataValue<Ascii>>);

impl Interceptor for ApiKey {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(key) = &self.0 {
            request.metadata_mut().insert("api-key", key.clone());
        }
        Ok(request)
    }
}

/// A channel that connects when it is first used, and again whenever it was lost.
pub struct Link {
    channel: Keyed,
    deadline: Duration,
    /// For errors: where it leads.
    place: String,
}

impl Link {
    /// Sets the channel up, without a connection yet. Must be called inside a runtime.
    pub fn new(settings: &QdrantSettings) -> Result<Self, IndexError> {
        let mut endpoint = Channel::builder(settings.uri.clone())
            .connect_timeout(CONNECT_WITHIN.min(settings.deadline))
            .http2_keep_alive_interval(KEEP_ALIVE_EVERY)
            .keep_alive_timeout(KEEP_ALIVE_WITHIN)
            .keep_alive_while_idle(true)
            .tcp_nodelay(true);
        if settings.tls {
            // tonic takes the process's provider, or else one that nothing else here uses.
            drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
            let mut tls = ClientTlsConfig::new();
            tls = match &settings.certificates {
                Some(authority) => tls.ca_certificate(authority.clone()),
                None => tls.with_native_roots(),
            };
            endpoint = endpoint.tls_config(tls).map_err(|error| {
                IndexError::engine(ENGINE, format!("TLS: {}", with_causes(&error)))
            })?;
        }
        let host = settings.uri.host().unwrap_or_default();
        if settings.api_key.is_some() && !settings.tls && !is_loopback(host) {
            tracing::warn!(
                engine = ENGINE,
                "the API key travels unencrypted: use https"
            );
        }
        let channel = endpoint.connect_lazy();
        Ok(Self {
            channel: InterceptedService::new(channel, ApiKey(settings.api_key.clone())),
            deadline: settings.deadline,
            place: settings.uri.to_string(),
        })
    }

    /// For points.
    pub fn points(&self) -> PointsClient<Keyed> {
        PointsClient::new(self.channel.clone()).max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    /// For collections and aliases.
    pub fn collections(&self) -> CollectionsClient<Keyed> {
        CollectionsClient::new(self.channel.clone()).max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    /// For the server itself.
    pub fn server(&self) -> QdrantClient<Keyed> {
        QdrantClient::new(self.channel.clone())
    }

    /// A message with its deadline: the server gives up when we do.
    pub fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(self.deadline);
        request
    }

    /// Waits for an answer, connecting included.
    pub fn answer<'a, T: Send + 'a>(
        &'a self,
        call: impl Future<Output = Result<Response<T>, Status>> + Send + 'a,
    ) -> impl Future<Output = Result<T, Fault>> + Send + 'a {
        // A call takes kilobytes: boxed before it becomes a part of its caller.
        let call = Box::pin(call);
        async move {
            match tokio::time::timeout(self.deadline, call).await {
                Ok(Ok(response)) => Ok(response.into_inner()),
                Ok(Err(status)) if is_missing(&status) => Err(Fault::Missing(self.error(&status))),
                Ok(Err(status)) => Err(Fault::Other(self.error(&status))),
                Err(_) => Err(Fault::Other(self.late())),
            }
        }
    }

    fn late(&self) -> IndexError {
        IndexError::Deadline {
            engine: ENGINE,
            millis: self.deadline.as_millis(),
        }
    }

    fn error(&self, status: &Status) -> IndexError {
        let words = words_of(status);
        let place = &self.place;
        let reason = match status.code() {
            Code::DeadlineExceeded => return self.late(),
            // How a server says that the deadline it was told is over.
            Code::Cancelled if words.contains("Timeout expired") => return self.late(),
            Code::Unauthenticated | Code::PermissionDenied => {
                format!("{place} refuses the API key; set one that may read and write: {words}")
            }
            code if code == Code::Unavailable || never_got_through(status) => {
                let reason = format!("{place} cannot be reached: {words}");
                if is_distrusted(status) {
                    return IndexError::engine(ENGINE, reason);
                }
                return IndexError::Away {
                    engine: ENGINE,
                    reason,
                };
            }
            _ => words,
        };
        IndexError::engine(ENGINE, reason)
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub enum Fault {
    /// There is no such collection.
    Missing(IndexError),
    /// Anything else.
    Other(IndexError),
}

impl From<Fault> for IndexError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Missing(error) | Fault::Other(error) => error,
        }
    }
}

/// What the server said; or, where nobody said anything, what went wrong on the way to it.
fn words_of(status: &Status) -> String {
    let words = match status.source() {
        Some(cause) => with_causes(cause),
        None if status.message().is_empty() => status.code().description().to_owned(),
        None => status.message().to_owned(),
    };
    words.chars().take(MAX_WORDS).collect()
}

/// Nobody said this: it went wrong on the way.
fn never_got_through(status: &Status) -> bool {
    let cause = status.source();
    cause.is_some_and(|cause| cause.is::<tonic::transport::Error>())
}

/// Somebody is there, and TLS refuses to talk to them: that does not pass by itself.
fn is_distrusted(status: &Status) -> bool {
    let mut cause = status.source();
    while let Some(error) = cause {
        let inner = error.downcast_ref::<std::io::Error>();
        let inner = inner.and_then(std::io::Error::get_ref);
        if error.is::<rustls::Error>() || inner.is_some_and(|inner| inner.is::<rustls::Error>()) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Would a key sent there stay on this machine?
fn is_loopback(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// Qdrant says `NotFound` for a collection; some of its versions say so in words alone.
fn is_missing(status: &Status) -> bool {
    let words = status.message();
    status.code() == Code::NotFound
        || (words.contains("Collection") && words.contains("doesn't exist"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_loopback() {
        for (host, expected) in [
            ("localhost", true),
            ("127.0.0.1", true),
            ("[::1]", true),
            ("10.0.0.1", false),
            ("qdrant", false),
            ("", false),
        ] {
            assert_eq!(is_loopback(host), expected, "{host}");
        }
    }

    #[test]
    fn a_silent_status_is_told_by_its_code_and_a_long_one_is_cut() {
        let silent = words_of(&Status::new(Code::Internal, ""));
        assert_eq!(silent, Code::Internal.description());
        let long = words_of(&Status::new(Code::Internal, "ñ".repeat(1_000)));
        assert_eq!(long.chars().count(), MAX_WORDS);
    }
}
