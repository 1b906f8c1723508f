//! Tokens as the issuer signs them, to be spoilt.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use contracts::Scope;
use serde_json::{Value, json};
use service_kit::Clock;
use test_support::forge::{EcKey, jws};

use super::World;

/// The issuer's own key, and what its good tokens say.
pub struct Forger {
    pub key: EcKey,
    /// The public half, as the issuer publishes it.
    pub jwk: Value,
    /// Of a good token.
    pub header: Value,
    /// Of a good token, for every scope.
    pub claims: Value,
    pub now: i64,
}

impl Forger {
    pub fn of(world: &World) -> Self {
        let file = world.keys.path().join("keys/signing-keys.json");
        let ring: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        let active = ring["keys"].as_array().unwrap().last().unwrap();
        let pkcs8 = URL_SAFE_NO_PAD.decode(active["pkcs8"].as_str().unwrap());
        let key = EcKey::from_pkcs8(&pkcs8.unwrap());
        let good = world.token(&Scope::ALL);
        let header = URL_SAFE_NO_PAD.decode(good.split('.').next().unwrap());
        let header: Value = serde_json::from_slice(&header.unwrap()).unwrap();
        let now = Clock::system().now().unix_timestamp();
        let scopes: Vec<&str> = Scope::ALL.map(Scope::as_str).into();
        Self {
            jwk: key.jwk(header["kid"].as_str().unwrap()),
            claims: json!({
                "iss": world.idp.issuer(), "aud": world.resource(), "sub": "assistant",
                "client_id": "assistant", "iat": now, "exp": now + 300, "jti": "1",
                "scope": scopes.join(" "),
            }),
            key,
            header,
            now,
        }
    }

    /// Under the issuer's signature.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        jws(header, claims, |message| self.key.sign(message))
    }
}

/// The same with one member changed.
pub fn with(mut value: Value, name: &str, new: Value) -> Value {
    value[name] = new;
    value
}
