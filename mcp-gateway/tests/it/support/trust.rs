//! Whom the doubles believe about callers, and whom they heard of.

use std::sync::{Arc, Mutex};

use auth::{AssertionKey, AssertionSigner, Caller, KeySet, TrustedGateways, VerifierConfig};
use local_idp::LocalIdp;
use mcp_gateway::TellingCallers;
use service_kit::Clock;
use tempfile::TempDir;

use super::API;

/// The gateway's key, and what the services behind know of it.
#[derive(Clone)]
pub struct Trust {
    pub signer: AssertionSigner,
    keys: Arc<TempDir>,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Trust {
    pub fn new() -> Self {
        let key = AssertionKey::from_pem(&AssertionKey::generate_pem()).unwrap();
        let signer = AssertionSigner::new("mcp-gateway", key, Clock::system());
        let keys = TempDir::new().unwrap();
        let document = serde_json::to_vec(&signer.public_keys()).unwrap();
        std::fs::write(keys.path().join("keys.json"), document).unwrap();
        Self {
            signer,
            keys: Arc::new(keys),
            heard: Arc::default(),
        }
    }

    pub fn telling(&self) -> TellingCallers {
        TellingCallers {
            signer: self.signer.clone(),
            content_audience: API.to_owned(),
            sales_audience: API.to_owned(),
            embedder_audience: API.to_owned(),
        }
    }

    /// How a double checks tokens, and what comes with them.
    pub fn checks(&self, idp: &LocalIdp) -> VerifierConfig {
        let mut config = VerifierConfig::new(idp.issuer().parse().unwrap(), API);
        config.gateways = Some(TrustedGateways {
            clients: vec!["mcp-gateway".to_owned()],
            keys: KeySet::File(self.keys.path().join("keys.json")),
        });
        config
    }

    pub fn hear(&self, service: &str, caller: &Caller) {
        let via = caller.via().unwrap_or("nobody");
        let (subject, client) = (caller.subject(), caller.client_id());
        let line = format!("{service}: {subject} at {client} via {via}");
        self.heard.lock().unwrap().push(line);
    }

    /// `service: subject at client via gateway` of every request so far, each once, in order.
    pub fn heard(&self) -> Vec<String> {
        let mut heard = self.heard.lock().unwrap().clone();
        heard.sort();
        heard.dedup();
        heard
    }
}
