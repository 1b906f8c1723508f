//! Handshakes: how many at a time, for how long, and what fails of them. When there is no more room, the oldest of the
//! address with the most makes some: see `listen::crowd`.

use std::{
    io::{self, ErrorKind},
    sync::Arc,
    time::Duration,
};

use prometheus_client::{
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

use crate::listen::crowd::Warnings;

/// Longest that a handshake may take: two round trips, and as long for a signature on a busy machine.
const WITHIN: Duration = Duration::from_secs(3);
/// Handshakes under way at a time.
const AT_A_TIME: usize = 512;
/// Every [`Failure::reason`].
const REASONS: [&str; 5] = [
    "timeout",
    "crowded_out",
    "client_left",
    "client_refused",
    "not_tls_1_3",
];

/// What a listener allows.
#[derive(Clone, Copy, Debug)]
pub struct HandshakeBounds {
    /// Longest that one may take.
    pub within: Duration,
    /// How many may be under way at a time.
    pub at_a_time: usize,
}

impl Default for HandshakeBounds {
    fn default() -> Self {
        Self {
            within: WITHIN,
            at_a_time: AT_A_TIME,
        }
    }
}

/// Why there is no TLS with a client.
#[derive(Debug)]
pub(super) enum Failure {
    /// It was too slow, or silent.
    Timeout,
    /// It made room for others.
    CrowdedOut,
    /// The client went away, as probes of ports do.
    ClientLeft,
    /// The client will not have our certificate.
    ClientRefused(io::Error),
    /// An older version, plain HTTP, or nothing known.
    NotTls13(io::Error),
}

impl Failure {
    pub(super) fn of(error: io::Error) -> Self {
        if error.kind() != ErrorKind::InvalidData {
            return Self::ClientLeft;
        }
        let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
        match cause {
            Some(rustls::Error::AlertReceived(_)) => Self::ClientRefused(error),
            _ => Self::NotTls13(error),
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::CrowdedOut => "crowded_out",
            Self::ClientLeft => "client_left",
            Self::ClientRefused(_) => "client_refused",
            Self::NotTls13(_) => "not_tls_1_3",
        }
    }
}

/// Counts what fails, by why, and warns of it once a minute at most. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct HandshakeFailures {
    counts: Family<[(&'static str, &'static str); 1], Counter>,
    warnings: Arc<Warnings>,
}

impl HandshakeFailures {
    /// Makes the counts part of what a service measures. All are told from the beginning, for the first failure of a
    /// kind is an increase too.
    pub fn register(&self, registry: &mut Registry) {
        for reason in REASONS {
            drop(self.counts.get_or_create(&[("reason", reason)]));
        }
        registry.register(
            "promptsales_tls_handshakes_failed",
            "Connections without TLS in the end, by why",
            self.counts.clone(),
        );
    }

    pub(super) fn note(&self, failure: &Failure) {
        let reason = failure.reason();
        self.counts.get_or_create(&[("reason", reason)]).inc();
        let error = match failure {
            // Nobody has to do anything.
            Failure::ClientLeft => return,
            Failure::ClientRefused(error) | Failure::NotTls13(error) => Some(error),
            Failure::Timeout | Failure::CrowdedOut => None,
        };
        if let Some(failed) = self.warnings.one_more() {
            let error = error.map(tracing::field::display);
            tracing::warn!(failed, reason, error, "TLS handshakes fail");
        }
    }
}
