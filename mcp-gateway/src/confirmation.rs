//! Confirmations: what a caller was shown before something is written, sealed so that nothing else
//! than that can be confirmed, by nobody else, for a few minutes, and once.
//!
//! A confirmation carries no secret and no contents: what it was given out for (who, for which tool,
//! with which arguments) is part of the seal and is worked out anew when it comes back. That it was
//! used is remembered by this process alone; between replicas the idempotency key of what is written
//! keeps it from being written twice.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use aws_lc_rs::rand;
use rmcp::model::{RequestStateCodec, RequestStateError, SealOptions};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

/// Confirmations in use or used that are remembered; more at once are refused.
const MAX_REMEMBERED: usize = 10_000;

type Nonce = [u8; 16];

/// Gives out confirmations and takes them back.
pub(crate) struct Confirmations {
    codec: RequestStateCodec,
    lifetime: Duration,
    /// Until when each is remembered: as long as it would open.
    taken: Mutex<HashMap<Nonce, Instant>>,
}

/// Why a confirmation does not count. Nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ConfirmationFault {
    /// Not ours, changed on its way, somebody else's, or for other arguments.
    #[error("the confirmation does not belong to this call")]
    Foreign,
    /// It is too old.
    #[error("the confirmation has expired")]
    Expired,
    /// It was used, or is being used at this moment.
    #[error("the confirmation was used before")]
    Used,
    /// It has to come with the answer to the question, and did not.
    #[error("the answer came without its confirmation")]
    Missing,
    /// Too many at once.
    #[error("too many confirmations at once")]
    Busy,
}

impl Confirmations {
    /// Replicas that are to take each other's confirmations need the same `key`; without one, this
    /// process makes its own.
    pub(crate) fn new(key: Option<&SecretString>, lifetime: Duration) -> Self {
        let mut hash = Sha256::new_with_prefix(b"promptsales/mcp-gateway/confirmation\0");
        match key {
            Some(key) => hash.update(key.expose_secret()),
            None => hash.update(random::<32>()),
        }
        Self {
            codec: RequestStateCodec::new_unchecked(hash.finalize().to_vec()),
            lifetime,
            taken: Mutex::default(),
        }
    }

    /// How long one holds.
    pub(crate) fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// A confirmation of what `context` says.
    pub(crate) fn give(&self, context: &[u8]) -> String {
        let options = SealOptions::new()
            .associated_data(context)
            .ttl(self.lifetime);
        self.codec.seal_with(&random::<16>(), &options)
    }

    /// Takes one back. It can be used again unless [`Taken::used`] is said.
    pub(crate) fn take(
        &self,
        sealed: &str,
        context: &[u8],
    ) -> Result<Taken<'_>, ConfirmationFault> {
        let opened = self.codec.open_with(sealed, context);
        let nonce: Nonce = match opened.map(Nonce::try_from) {
            Ok(Ok(nonce)) => nonce,
            Err(RequestStateError::Expired) => return Err(ConfirmationFault::Expired),
            Ok(Err(_)) | Err(_) => return Err(ConfirmationFault::Foreign),
        };
        let now = Instant::now();
        let mut taken = self.taken();
        if taken.len() >= MAX_REMEMBERED {
            taken.retain(|_, until| *until > now);
        }
        if taken.contains_key(&nonce) {
            return Err(ConfirmationFault::Used);
        }
        if taken.len() >= MAX_REMEMBERED {
            return Err(ConfirmationFault::Busy);
        }
        // A moment longer than it opens: the two clocks are not the same.
        taken.insert(nonce, now + self.lifetime + Duration::from_secs(60));
        Ok(Taken {
            confirmations: self,
            nonce,
            used: false,
        })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<Nonce, Instant>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A confirmation that counts.
pub(crate) struct Taken<'a> {
    confirmations: &'a Confirmations,
    nonce: Nonce,
    used: bool,
}

impl Taken<'_> {
    /// What it stood for is written: it counts no more.
    pub(crate) fn used(mut self) {
        self.used = true;
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if !self.used {
            self.confirmations.taken().remove(&self.nonce);
        }
    }
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).expect("the system's randomness is there");
    bytes
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{ConfirmationFault, Confirmations, MAX_REMEMBERED};

    fn ten_minutes(key: Option<&str>) -> Confirmations {
        Confirmations::new(key.map(Into::into).as_ref(), Duration::from_secs(600))
    }

    fn fault(all: &Confirmations, sealed: &str, context: &[u8]) -> Option<ConfirmationFault> {
        all.take(sealed, context).err()
    }

    #[test]
    fn one_counts_once_and_again_only_where_nothing_came_of_it() {
        let all = ten_minutes(None);
        let sealed = all.give(b"ana registers");
        let first = all.take(&sealed, b"ana registers").unwrap();
        assert_eq!(
            fault(&all, &sealed, b"ana registers"),
            Some(ConfirmationFault::Used)
        );
        drop(first);
        all.take(&sealed, b"ana registers").unwrap().used();
        assert_eq!(
            fault(&all, &sealed, b"ana registers"),
            Some(ConfirmationFault::Used)
        );
        assert_eq!(
            fault(&all, &all.give(b"ana registers"), b"ana registers"),
            None
        );
    }

    #[test]
    fn it_belongs_to_its_context_its_key_and_itself() {
        let all = ten_minutes(Some("a key that replicas share, long enough"));
        let twin = ten_minutes(Some("a key that replicas share, long enough"));
        let other = ten_minutes(None);
        let sealed = all.give(b"ana");
        assert_eq!(fault(&twin, &sealed, b"ana"), None);
        for (all, sealed, context) in [
            (&all, sealed.as_str(), &b"eva"[..]),
            (&other, &sealed, b"ana"),
            (&all, &sealed[..sealed.len() - 2], b"ana"),
            (&all, &sealed.replacen('.', ".A", 1), b"ana"),
            (&all, "", b"ana"),
            (&all, "rs1..", b"ana"),
        ] {
            assert_eq!(
                fault(all, sealed, context),
                Some(ConfirmationFault::Foreign),
                "{sealed}"
            );
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let all = ten_minutes(None);
        for _ in 0..MAX_REMEMBERED {
            all.take(&all.give(b"x"), b"x").unwrap().used();
        }
        assert_eq!(
            fault(&all, &all.give(b"x"), b"x"),
            Some(ConfirmationFault::Busy)
        );
    }
}
