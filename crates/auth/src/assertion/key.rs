//! The key that assertions are signed with.

use std::fmt;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jsonwebtoken::{
    Algorithm, EncodingKey,
    jwk::{Jwk, JwkSet, PublicKeyUse, ThumbprintHash},
};
use rustls_pki_types::{PrivatePkcs8KeyDer, pem::PemObject as _};
use secrecy::{ExposeSecret as _, SecretString};

/// A P-256 private key with its public half. `Debug` shows the key id alone.
#[derive(Clone)]
pub struct AssertionKey {
    pub(super) private: EncodingKey,
    pub(super) kid: String,
    public: Jwk,
}

/// The text is no key that assertions can be signed with. Nothing of it is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the key is not usable: expected a P-256 private key as PKCS #8 in PEM, which begins with \
     -----BEGIN PRIVATE KEY-----, as made by: \
     openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256"
)]
pub struct InvalidAssertionKey;

impl AssertionKey {
    /// Reads PKCS #8 in PEM. Its key id is its RFC 7638 thumbprint.
    pub fn from_pem(pem: &SecretString) -> Result<Self, InvalidAssertionKey> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.expose_secret().as_bytes())
            .map_err(|_| InvalidAssertionKey)?;
        Self::from_der(der.secret_pkcs8_der())
    }

    /// Makes a new one, as the PEM that [`Self::from_pem`] reads.
    pub fn generate_pem() -> SecretString {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .expect("the system's randomness is there");
        let pkcs8 = pair.to_pkcs8v1().expect("a generated key can be written");
        let base64 = STANDARD.encode(pkcs8.as_ref());
        let lines = base64.as_bytes().chunks(64).map(String::from_utf8_lossy);
        let body = lines.collect::<Vec<_>>().join("\n");
        format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n").into()
    }

    /// The public half as a JWKS document (RFC 7517 section 5), for those who check.
    pub fn public_keys(&self) -> JwkSet {
        JwkSet {
            keys: vec![self.public.clone()],
        }
    }

    fn from_der(pkcs8: &[u8]) -> Result<Self, InvalidAssertionKey> {
        // The decoder below takes any curve's key; this one takes P-256 alone.
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8)
            .map_err(|_| InvalidAssertionKey)?;
        let private = EncodingKey::from_ec_der(pkcs8);
        let mut public =
            Jwk::from_encoding_key(&private, Algorithm::ES256).map_err(|_| InvalidAssertionKey)?;
        let kid = public
            .thumbprint(ThumbprintHash::SHA256)
            .map_err(|_| InvalidAssertionKey)?;
        public.common.key_id = Some(kid.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        Ok(Self {
            private,
            kid,
            public,
        })
    }
}

impl fmt::Debug for AssertionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AssertionKey").field(&self.kid).finish()
    }
}
