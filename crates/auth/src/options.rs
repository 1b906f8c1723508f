//! What a service's settings say of those who call for others.

use clap::Args;

use crate::{KeySet, TrustedGateways};

/// Whose word about the caller is taken. To be flattened into a service's options.
#[derive(Args, Clone, Debug, Default)]
pub struct CallerOptions {
    /// The keys that clients sign with whom they call for: a JWKS file, or its address. Needs
    /// caller-client.
    #[arg(
        long,
        global = true,
        env = "SERVICE_CALLER_KEYS",
        value_name = "FILE|URL"
    )]
    pub caller_keys: Option<String>,
    /// Clients that may say for whom they call, such as the MCP gateway's; none when absent. May be
    /// repeated.
    #[arg(
        long = "caller-client",
        global = true,
        env = "SERVICE_CALLER_CLIENTS",
        value_delimiter = ','
    )]
    pub caller_clients: Vec<String>,
}

impl CallerOptions {
    /// Both together; `None` where neither is given.
    ///
    /// # Errors
    /// One without the other, or a file without a usable key, as a sentence. Blocks while it reads the file; an
    /// address is asked for nothing yet.
    pub fn gateways(&self) -> Result<Option<TrustedGateways>, String> {
        let keys = self.caller_keys.as_deref().filter(|text| !text.is_empty());
        match (keys, self.caller_clients.as_slice()) {
            (None, []) => Ok(None),
            (Some(_), []) => Err(
                "caller_keys are given, but no client is trusted with them: give caller_client too"
                    .to_owned(),
            ),
            (None, [..]) => Err(
                "caller_client is trusted, but there is nothing to check them with: give \
                 caller_keys too"
                    .to_owned(),
            ),
            (Some(keys), clients) => {
                let keys = KeySet::parse(keys)?;
                keys.check()?;
                Ok(Some(TrustedGateways {
                    clients: clients.to_vec(),
                    keys,
                }))
            }
        }
    }
}
