//! Where this home's services record who asked what.

use audit::{Audit, AuditConfig, Destination, KEPT_DAYS, chain};
use service_kit::Clock;

use super::private;
use crate::home::Home;

/// What each service records with. They share the home's directory, and its chain.
#[derive(Clone, Debug)]
pub struct Auditing {
    /// content-api's.
    pub content: Audit,
    /// sales-warehouse's.
    pub sales: Audit,
    /// The gateway's.
    pub gateway: Audit,
}

impl Auditing {
    /// Makes directory and key where there are none.
    pub fn open(home: &Home, clock: &Clock) -> anyhow::Result<Self> {
        let key = private::load_or_create(&home.audit_key(), chain::generate_key)?;
        let of = |service| {
            let config = AuditConfig {
                service,
                destination: Destination::Directory(home.audit()),
                key: Some(key.clone()),
                kept_days: KEPT_DAYS,
            };
            Audit::open(config, clock.clone())
        };
        Ok(Self {
            content: of("content-api")?,
            sales: of("sales-warehouse")?,
            gateway: of("mcp-gateway")?,
        })
    }

    /// Waits for what is on its way to the disk.
    pub async fn flush(&self) {
        for audit in [&self.content, &self.sales, &self.gateway] {
            audit.flush().await;
        }
    }
}
