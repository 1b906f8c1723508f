//! The signing keys: one active, the retired ones published until their last token has expired.

use std::{
    path::{Path, PathBuf},
    sync::{PoisonError, RwLock},
};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, EncodingKey, Header,
    jwk::{
        AlgorithmParameters, CommonParameters, EllipticCurve, EllipticCurveKeyParameters,
        EllipticCurveKeyType, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse, ThumbprintHash,
    },
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{LocalIdpError, MAX_TOKEN_LIFETIME, private_file};

/// Verifiers forgive a little clock skew, so an old key outlives its last token by this, in seconds.
const GRACE_SECONDS: i64 = 300;

/// Keys in memory and in `signing-keys.json`.
pub(crate) struct KeyRing {
    file: PathBuf,
    keys: RwLock<Vec<SigningKey>>,
}

struct SigningKey {
    stored: StoredKey,
    signer: EncodingKey,
    jwk: Jwk,
    kid: String,
}

#[derive(Serialize, Deserialize)]
struct StoredKeys {
    keys: Vec<StoredKey>,
}

#[derive(Clone, Serialize, Deserialize)]
struct StoredKey {
    /// PKCS #8 DER in base64url.
    pkcs8: String,
    /// Seconds since 1970 until which a retired key is published; none for the active key.
    publish_until: Option<i64>,
}

impl KeyRing {
    /// Reads the ring of `dir`, or makes one with a new key.
    pub(crate) fn load_or_create(dir: &Path) -> Result<Self, LocalIdpError> {
        let file = dir.join("signing-keys.json");
        if private_file::read(&file)?.is_none() {
            let first = StoredKeys {
                keys: vec![SigningKey::generate()?.stored],
            };
            // When another process was first, its keys are the ones to use.
            private_file::create(&file, &first.to_bytes())?;
        }
        let bytes = private_file::read(&file)?
            .ok_or_else(|| damaged(&file, "it disappeared while it was being read"))?;
        let stored: StoredKeys = serde_json::from_slice(&bytes)
            .map_err(|error| damaged(&file, &format!("line {}, not a key ring", error.line())))?;
        let keys = stored
            .keys
            .into_iter()
            .map(|key| SigningKey::restore(key).map_err(|problem| damaged(&file, problem)))
            .collect::<Result<Vec<_>, _>>()?;
        if keys.iter().filter(|key| key.is_active()).count() != 1 {
            return Err(damaged(&file, "expected exactly one active key"));
        }
        Ok(Self {
            file,
            keys: RwLock::new(keys),
        })
    }

    /// Signs claims with the active key: a compact JWS with `typ` `at+jwt`.
    pub(crate) fn sign(&self, claims: &impl Serialize) -> Result<String, LocalIdpError> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let active = keys
            .iter()
            .find(|key| key.is_active())
            .ok_or(LocalIdpError::Crypto("sign a token"))?;
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(active.kid.clone());
        jsonwebtoken::encode(&header, claims, &active.signer)
            .map_err(|_| LocalIdpError::Crypto("sign a token"))
    }

    /// Makes a new active key; the old one signs no more but stays published.
    pub(crate) fn rotate(&self, now: OffsetDateTime) -> Result<(), LocalIdpError> {
        let fresh = SigningKey::generate()?;
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let lifetime = i64::try_from(MAX_TOKEN_LIFETIME.as_secs()).unwrap_or(i64::MAX / 2);
        let publish_until = now.unix_timestamp() + lifetime + GRACE_SECONDS;
        let stored = keys
            .iter()
            .map(|key| StoredKey {
                publish_until: key.stored.publish_until.or(Some(publish_until)),
                ..key.stored.clone()
            })
            .filter(|key| key.publish_until > Some(now.unix_timestamp()))
            .chain([fresh.stored.clone()])
            .collect();
        // The file first: a key that signs must survive a restart.
        private_file::replace(&self.file, &StoredKeys { keys: stored }.to_bytes())?;
        keys.retain(|key| key.is_published(now));
        for key in keys.iter_mut() {
            key.stored.publish_until.get_or_insert(publish_until);
        }
        keys.push(fresh);
        Ok(())
    }

    /// The public keys that a verifier needs now.
    pub(crate) fn public(&self, now: OffsetDateTime) -> JwkSet {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let published = keys.iter().filter(|key| key.is_published(now));
        JwkSet {
            keys: published.map(|key| key.jwk.clone()).collect(),
        }
    }
}

impl StoredKeys {
    fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).expect("strings and numbers always serialise")
    }
}

impl SigningKey {
    fn generate() -> Result<Self, LocalIdpError> {
        let failed = || LocalIdpError::Crypto("make a signing key");
        let document =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
                .map_err(|_| failed())?;
        let pkcs8 = URL_SAFE_NO_PAD.encode(document.as_ref());
        Self::restore(StoredKey {
            pkcs8,
            publish_until: None,
        })
        .map_err(|_| failed())
    }

    fn restore(stored: StoredKey) -> Result<Self, &'static str> {
        let pkcs8 = URL_SAFE_NO_PAD
            .decode(&stored.pkcs8)
            .map_err(|_| "a key is not base64url")?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8)
            .map_err(|_| "a key is not a P-256 key in PKCS #8")?;
        let (jwk, kid) = public_jwk(pair.public_key().as_ref())?;
        Ok(Self {
            stored,
            signer: EncodingKey::from_ec_der(&pkcs8),
            jwk,
            kid,
        })
    }

    fn is_active(&self) -> bool {
        self.stored.publish_until.is_none()
    }

    fn is_published(&self, now: OffsetDateTime) -> bool {
        self.stored
            .publish_until
            .is_none_or(|until| until > now.unix_timestamp())
    }
}

/// An uncompressed P-256 point as a JWK, and its RFC 7638 thumbprint, which is its `kid`.
fn public_jwk(point: &[u8]) -> Result<(Jwk, String), &'static str> {
    // SEC 1 section 2.3.3: 0x04, then both coordinates, 32 bytes each.
    let [4, coordinates @ ..] = point else {
        return Err("a public key is not uncompressed");
    };
    let (x, y) = coordinates
        .split_at_checked(32)
        .ok_or("a public key is too short")?;
    let mut jwk = Jwk {
        common: CommonParameters {
            public_key_use: Some(PublicKeyUse::Signature),
            key_algorithm: Some(KeyAlgorithm::ES256),
            ..CommonParameters::default()
        },
        algorithm: AlgorithmParameters::EllipticCurve(EllipticCurveKeyParameters {
            key_type: EllipticCurveKeyType::EC,
            curve: EllipticCurve::P256,
            x: URL_SAFE_NO_PAD.encode(x),
            y: URL_SAFE_NO_PAD.encode(y),
        }),
    };
    let kid = jwk
        .thumbprint(ThumbprintHash::SHA256)
        .map_err(|_| "a public key has no thumbprint")?;
    jwk.common.key_id = Some(kid.clone());
    Ok((jwk, kid))
}

fn damaged(file: &Path, problem: &str) -> LocalIdpError {
    LocalIdpError::Damaged {
        path: file.to_owned(),
        problem: problem.to_owned(),
    }
}
