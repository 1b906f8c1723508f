//! Where a home's sales databases are.

use local_runtime::Postgres;
use serde::{Deserialize, Serialize};
use url::Url;

/// Where the databases are. The URLs hold no secret: the socket's directory is its owner's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Databases {
    /// Campaigns and advertising.
    pub promptads: Url,
    /// Customers and sales.
    pub promptcrm: Url,
    /// What both become.
    pub warehouse: Url,
}

impl Databases {
    const PROMPTADS: &str = "promptads";
    const PROMPTCRM: &str = "promptcrm";
    const WAREHOUSE: &str = "warehouse";

    /// Creates what is missing of them on a server.
    pub async fn on(postgres: &Postgres) -> anyhow::Result<Self> {
        for name in [Self::PROMPTADS, Self::PROMPTCRM, Self::WAREHOUSE] {
            postgres.ensure_database(name).await?;
        }
        let url = |name| Url::parse(&postgres.url(name));
        Ok(Self {
            promptads: url(Self::PROMPTADS)?,
            promptcrm: url(Self::PROMPTCRM)?,
            warehouse: url(Self::WAREHOUSE)?,
        })
    }
}
