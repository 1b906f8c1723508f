//! Two databases of one's own, migrated.

use std::sync::Arc;

use sales_warehouse::{pii::Keyring, sources::Sources};
use test_support::TestDatabase;

/// Both sources, empty. The databases live as long as this.
pub struct World {
    pub sources: Sources,
    ads: TestDatabase,
    crm: TestDatabase,
}

impl World {
    /// `None` where there is no PostgreSQL.
    pub async fn start() -> Option<Self> {
        let ads = test_support::fresh_database().await?;
        let crm = test_support::fresh_database().await?;
        let sources = Sources::connect(&ads.url.clone().into(), &crm.url.clone().into())
            .await
            .unwrap();
        Some(Self { sources, ads, crm })
    }

    /// A superuser's URL of `promptads`.
    pub fn ads_url(&self) -> String {
        self.ads.url.clone()
    }

    /// A superuser's URL of `promptcrm`.
    pub fn crm_url(&self) -> String {
        self.crm.url.clone()
    }
}

/// New keys.
pub fn keyring() -> Arc<Keyring> {
    Arc::new(Keyring::generate().unwrap())
}
