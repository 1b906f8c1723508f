//! What a service's settings say of audit events.

use clap::Args;
use secrecy::{ExposeSecret as _, SecretString};

use crate::{AuditConfig, AuditError, Destination, KEPT_DAYS, chain::MIN_KEY_BYTES};

/// Where audit events go, and what seals them. To be flattened into a service's options.
#[derive(Args, Clone, Debug, Default)]
pub struct AuditOptions {
    /// Where audit events go: a directory that keeps them for 90 days, or stdout. Nowhere when absent.
    #[arg(
        long,
        global = true,
        env = "SERVICE_AUDIT",
        value_name = "DIRECTORY|stdout"
    )]
    pub audit: Option<String>,
    /// Seals audit events, 32 characters or more: without it, whoever can write them can forge them.
    #[arg(long, global = true, env = "SERVICE_AUDIT_KEY", hide_env_values = true)]
    pub audit_key: Option<SecretString>,
}

impl AuditOptions {
    /// Both together, for a service of that name; `None` where nothing is to be recorded.
    ///
    /// # Errors
    /// A key without a destination, or one that is too short, as a sentence that shows nothing of it.
    pub fn config(&self, service: &'static str) -> Result<Option<AuditConfig>, String> {
        let Some(destination) = self.audit.as_deref().filter(|text| !text.is_empty()) else {
            return match self.audit_key {
                Some(_) => Err("an audit_key is given, but no audit to seal with it".to_owned()),
                None => Ok(None),
            };
        };
        let length = self.audit_key.as_ref().map(|key| key.expose_secret().len());
        if let Some(short) = length.filter(|length| *length < MIN_KEY_BYTES) {
            return Err(AuditError::ShortKey(short).to_string());
        }
        Ok(Some(AuditConfig {
            service,
            destination: match destination {
                "stdout" => Destination::Stdout,
                directory => Destination::Directory(directory.into()),
            },
            key: self.audit_key.clone(),
            kept_days: KEPT_DAYS,
        }))
    }
}
