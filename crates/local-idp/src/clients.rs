//! Who may ask for tokens, and the file that keeps their secrets from one start to the next.

use std::{collections::BTreeMap, path::Path};

use aws_lc_rs::rand;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use contracts::Scopes;
use secrecy::{ExposeSecret as _, SecretString};

use crate::{LocalIdpError, private_file};

/// A pre-registered OAuth client. `Debug` hides the secret.
#[derive(Debug, Clone)]
pub struct RegisteredClient {
    /// `client_id`: 1 to 80 printable ASCII characters without `:`.
    pub id: String,
    /// `client_secret`.
    pub secret: SecretString,
    /// The most that its tokens may allow.
    pub scopes: Scopes,
    /// The resources that its tokens may be for; none named means all of the server's.
    pub audiences: Vec<String>,
}

impl RegisteredClient {
    /// A client with a random secret of 256 bits, for all of the server's audiences.
    pub fn generate(id: impl Into<String>, scopes: Scopes) -> Result<Self, LocalIdpError> {
        let mut secret = [0_u8; 32];
        rand::fill(&mut secret).map_err(|_| LocalIdpError::Crypto("make a client secret"))?;
        Ok(Self {
            id: id.into(),
            secret: URL_SAFE_NO_PAD.encode(secret).into(),
            scopes,
            audiences: Vec::new(),
        })
    }
}

/// The clients of one installation. Secrets live in `clients.json`, so that a `curl` line goes on
/// working after a restart; scopes come from the program, so that a new version may change them.
#[derive(Debug, Clone)]
pub struct ClientRegistry {
    clients: Vec<RegisteredClient>,
}

impl ClientRegistry {
    /// The clients that `specs` name, each with its kept secret or a new one that is kept from now on.
    pub fn load_or_create(dir: &Path, specs: &[(&str, Scopes)]) -> Result<Self, LocalIdpError> {
        private_file::prepare_dir(dir)?;
        let file = dir.join("clients.json");
        let mut kept = read_secrets(&file)?;
        let mut secrets = kept.clone().unwrap_or_default();
        add_missing(&mut secrets, specs)?;
        if kept.is_none() && !private_file::create(&file, &to_bytes(&secrets))? {
            // Another process was first; its secrets are the ones that people may already have.
            kept = read_secrets(&file)?;
            secrets = kept.clone().unwrap_or_default();
            add_missing(&mut secrets, specs)?;
        }
        if kept.is_some_and(|kept| kept.len() != secrets.len()) {
            private_file::replace(&file, &to_bytes(&secrets))?;
        }
        let clients = specs
            .iter()
            .filter_map(|(id, scopes)| {
                Some(RegisteredClient {
                    id: (*id).to_owned(),
                    secret: secrets.get(*id)?.as_str().into(),
                    scopes: scopes.clone(),
                    audiences: Vec::new(),
                })
            })
            .collect();
        Ok(Self { clients })
    }

    /// The client of that id.
    pub fn get(&self, id: &str) -> Option<&RegisteredClient> {
        self.clients.iter().find(|client| client.id == id)
    }

    /// All of them, in the order of the specs.
    pub fn clients(&self) -> &[RegisteredClient] {
        &self.clients
    }
}

/// Client id to secret, as in the file.
type Secrets = BTreeMap<String, String>;

fn read_secrets(file: &Path) -> Result<Option<Secrets>, LocalIdpError> {
    let Some(bytes) = private_file::read(file)? else {
        return Ok(None);
    };
    match serde_json::from_slice(&bytes) {
        Ok(secrets) => Ok(Some(secrets)),
        // The parser's own words could quote a secret.
        Err(error) => Err(LocalIdpError::Damaged {
            path: file.to_owned(),
            problem: format!("line {} is not a client id with its secret", error.line()),
        }),
    }
}

fn add_missing(secrets: &mut Secrets, specs: &[(&str, Scopes)]) -> Result<(), LocalIdpError> {
    for (id, scopes) in specs {
        if !secrets.contains_key(*id) {
            let client = RegisteredClient::generate(*id, scopes.clone())?;
            secrets.insert(client.id, client.secret.expose_secret().to_owned());
        }
    }
    Ok(())
}

fn to_bytes(secrets: &Secrets) -> Vec<u8> {
    serde_json::to_vec_pretty(secrets).expect("strings always serialise")
}
