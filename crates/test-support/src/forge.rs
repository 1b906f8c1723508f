//! Tokens that no honest issuer would sign, and keys to sign them with.

use aws_lc_rs::{
    encoding::AsDer as _,
    hmac,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// A compact JWS of any header and claims.
pub fn jws(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

/// Signs with HMAC-SHA-256.
pub fn hs256(secret: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message)
        .as_ref()
        .to_vec()
}

/// A P-256 key.
#[derive(Debug)]
pub struct EcKey(EcdsaKeyPair);

impl EcKey {
    /// A new one.
    pub fn generate() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("there is entropy"))
    }

    /// One that somebody else made.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Self {
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8);
        Self(key.expect("a P-256 key in PKCS #8"))
    }

    /// ES256: 64 bytes.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature = self.0.sign(&SystemRandom::new(), message);
        signature
            .expect("any message can be signed")
            .as_ref()
            .to_vec()
    }

    /// The public half.
    pub fn jwk(&self, kid: &str) -> Value {
        let point = self.0.public_key().as_ref();
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({
            "kty": "EC", "crv": "P-256", "kid": kid,
            "x": part(&point[1..33]), "y": part(&point[33..65]),
        })
    }
}

/// An RSA key of 2048 bits.
#[derive(Debug)]
pub struct RsaKey(RsaKeyPair);

impl RsaKey {
    /// A new one.
    pub fn generate() -> Self {
        Self(RsaKeyPair::generate(KeySize::Rsa2048).expect("there is entropy"))
    }

    /// RS256.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        let random = SystemRandom::new();
        self.0
            .sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
            .expect("any message can be signed");
        signature
    }

    /// The public half in PKCS #1.
    pub fn public_der(&self) -> Vec<u8> {
        let der = self.0.public_key().as_der();
        der.expect("a key has this form").as_ref().to_vec()
    }

    /// The public half.
    pub fn jwk(&self, kid: &str) -> Value {
        let public = self.0.public_key();
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({
            "kty": "RSA", "kid": kid,
            "n": part(public.modulus().big_endian_without_leading_zero()),
            "e": part(public.exponent().big_endian_without_leading_zero()),
        })
    }
}
