//! Public keys of whoever signs: fetched, cached, rotated, and kept through an outage.

mod source;

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::Value;
use service_kit::{Clock, with_causes};
use time::{Duration, OffsetDateTime};
use tokio::sync::watch;

use crate::fetch::FetchError;
pub(crate) use source::{KeySource, fits};

/// Keys older than this are fetched anew.
const MAX_AGE: Duration = Duration::minutes(10);
/// Keys older than this are not used even when the issuer is down.
const MAX_STALENESS: Duration = Duration::hours(24);
/// With keys at hand, the issuer is asked at most once in this time, whatever the tokens say.
const MIN_INTERVAL: Duration = Duration::seconds(10);
/// Without any keys nothing works, so the issuer is asked more often.
const MIN_INTERVAL_WITHOUT_KEYS: Duration = Duration::seconds(1);

/// A signature algorithm that can be accepted. Asymmetric ones only: with a symmetric one, whoever
/// checks tokens could make them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SigningAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256, keys of 2048 to 8192 bits.
    Rs256,
    /// ECDSA with P-256 and SHA-256.
    Es256,
}

impl From<SigningAlgorithm> for Algorithm {
    fn from(algorithm: SigningAlgorithm) -> Self {
        match algorithm {
            SigningAlgorithm::Rs256 => Self::RS256,
            SigningAlgorithm::Es256 => Self::ES256,
        }
    }
}

/// RFC 7517 section 5. Each key is read on its own, so that one of a kind that is not known here
/// does not hide the others.
#[derive(Deserialize)]
struct KeySetDocument {
    keys: Vec<Value>,
}

struct KeySet(HashMap<(String, SigningAlgorithm), Arc<DecodingKey>>);

impl KeySet {
    fn new(document: KeySetDocument) -> Self {
        let mut keys = HashMap::new();
        for value in document.keys {
            let Ok(jwk) = serde_json::from_value::<Jwk>(value) else {
                continue;
            };
            let Some(algorithm) = algorithm_of(&jwk) else {
                continue;
            };
            let Ok(key) = DecodingKey::from_jwk(&jwk) else {
                continue;
            };
            if let Some(kid) = jwk.common.key_id {
                keys.entry((kid, algorithm))
                    .or_insert_with(|| Arc::new(key));
            }
        }
        if keys.is_empty() {
            tracing::warn!("a key set has no key that can check RS256 or ES256");
        }
        Self(keys)
    }
}

/// The one algorithm that a key may check: by its type, unless it says otherwise of itself.
fn algorithm_of(jwk: &Jwk) -> Option<SigningAlgorithm> {
    let common = &jwk.common;
    let for_signatures = !matches!(
        common.public_key_use,
        Some(PublicKeyUse::Encryption | PublicKeyUse::Other(_))
    ) && common
        .key_operations
        .as_ref()
        .is_none_or(|operations| operations.contains(&KeyOperations::Verify));
    let (fits, named) = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => (SigningAlgorithm::Rs256, KeyAlgorithm::RS256),
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
            (SigningAlgorithm::Es256, KeyAlgorithm::ES256)
        }
        _ => return None,
    };
    let agrees = common
        .key_algorithm
        .is_none_or(|algorithm| algorithm == named);
    (for_signatures && agrees).then_some(fits)
}

/// Why there is no key to check a signature with.
#[derive(Debug, Clone)]
pub(crate) enum KeyError {
    /// No key of that id for that algorithm is published.
    Unknown,
    /// There are no keys at all, and none can be had.
    Unavailable(Arc<FetchError>),
}

/// The keys with their age. Cheap to clone.
#[derive(Clone)]
pub(crate) struct KeyCache(Arc<Inner>);

struct Inner {
    source: KeySource,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    keys: Option<(KeySet, OffsetDateTime)>,
    attempted_at: Option<OffsetDateTime>,
    /// Open while a fetch is under way.
    flight: Option<watch::Receiver<()>>,
    last_error: Option<Arc<FetchError>>,
}

enum Found {
    Fresh(Arc<DecodingKey>),
    Stale(Arc<DecodingKey>),
    NoSuchKey,
    NoKeys,
}

impl KeyCache {
    pub(crate) fn new(source: KeySource, clock: Clock) -> Self {
        Self(Arc::new(Inner {
            source,
            clock,
            state: Mutex::default(),
        }))
    }

    /// The key of that id for that algorithm; asks the issuer when it is not known or too old.
    pub(crate) async fn find(
        &self,
        kid: &str,
        algorithm: SigningAlgorithm,
    ) -> Result<Arc<DecodingKey>, KeyError> {
        let wanted = (kid.to_owned(), algorithm);
        match self.look_up(&wanted) {
            Found::Fresh(key) => return Ok(key),
            // Who finds a fetch under way goes on with the old key; who starts it waits for it.
            Found::Stale(key) if self.is_fetching() => return Ok(key),
            Found::Stale(_) | Found::NoSuchKey | Found::NoKeys => self.refresh().await,
        }
        match self.look_up(&wanted) {
            Found::Fresh(key) | Found::Stale(key) => Ok(key),
            Found::NoSuchKey => Err(KeyError::Unknown),
            Found::NoKeys => Err(self.no_keys()),
        }
    }

    /// Are there keys young enough to use?
    pub(crate) async fn ready(&self) -> Result<(), KeyError> {
        if !self.has_keys() {
            self.refresh().await;
        }
        if self.has_keys() {
            Ok(())
        } else {
            Err(self.no_keys())
        }
    }

    fn look_up(&self, wanted: &(String, SigningAlgorithm)) -> Found {
        let now = self.0.clock.now();
        let state = self.state();
        let Some((keys, fetched_at)) = &state.keys else {
            return Found::NoKeys;
        };
        let age = now - *fetched_at;
        if age > MAX_STALENESS {
            return Found::NoKeys;
        }
        match keys.0.get(wanted) {
            None => Found::NoSuchKey,
            // A clock that was set back must not make keys last.
            Some(key) if age >= Duration::ZERO && age < MAX_AGE => Found::Fresh(Arc::clone(key)),
            Some(key) => Found::Stale(Arc::clone(key)),
        }
    }

    fn has_keys(&self) -> bool {
        let now = self.0.clock.now();
        self.state()
            .keys
            .as_ref()
            .is_some_and(|(_, at)| now - *at <= MAX_STALENESS)
    }

    fn is_fetching(&self) -> bool {
        self.state().flight.as_ref().is_some_and(is_open)
    }

    fn no_keys(&self) -> KeyError {
        let last = self.state().last_error.clone();
        // Without keys and without an error nothing was ever attempted, which `find` rules out but
        // for a fetch that was torn down with its runtime.
        KeyError::Unavailable(last.unwrap_or_else(|| Arc::new(FetchError::Interrupted)))
    }

    /// Waits for the fetch that is under way, or starts one unless the last was too recent.
    async fn refresh(&self) {
        let flight = {
            let mut state = self.state();
            match state.flight.clone().filter(is_open) {
                Some(flight) => flight,
                None => match self.start_fetch(&mut state) {
                    Some(flight) => flight,
                    None => return,
                },
            }
        };
        let mut flight = flight;
        // The sender says nothing: it ends, and that is the news.
        drop(flight.changed().await);
    }

    /// The fetch is a task of its own: a caller who hangs up must neither stop it nor make the next
    /// one wait out the interval for nothing.
    fn start_fetch(&self, state: &mut State) -> Option<watch::Receiver<()>> {
        let now = self.0.clock.now();
        let interval = if state.keys.is_some() {
            MIN_INTERVAL
        } else {
            MIN_INTERVAL_WITHOUT_KEYS
        };
        let since = state.attempted_at.map(|at| now - at);
        if since.is_some_and(|since| since >= Duration::ZERO && since < interval) {
            return None;
        }
        state.attempted_at = Some(now);
        let (under_way, flight) = watch::channel(());
        state.flight = Some(flight.clone());
        let cache = self.clone();
        tokio::spawn(async move {
            let fetched = cache.0.source.fetch().await;
            cache.store(fetched, now);
            drop(under_way);
        });
        Some(flight)
    }

    fn store(&self, fetched: Result<KeySet, FetchError>, at: OffsetDateTime) {
        let mut state = self.state();
        match fetched {
            Ok(keys) => {
                tracing::debug!(keys = keys.0.len(), from = %self.0.source, "fetched keys");
                state.keys = Some((keys, at));
                state.last_error = None;
            }
            Err(error) => {
                tracing::warn!(
                    error = with_causes(&error),
                    from = %self.0.source,
                    "cannot fetch keys"
                );
                state.last_error = Some(Arc::new(error));
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_open(flight: &watch::Receiver<()>) -> bool {
    flight.has_changed().is_ok()
}

impl fmt::Debug for KeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyCache")
            .field("source", &self.0.source)
            .finish_non_exhaustive()
    }
}
