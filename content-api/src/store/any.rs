//! The adapter that a URL asks for.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use super::{MongoStore, PostgresStore, Store, StoreError};

/// A store whose adapter was chosen by a URL. Cheap to clone.
#[derive(Clone, Debug)]
pub enum AnyStore {
    /// `postgres://` and `postgresql://`.
    Postgres(PostgresStore),
    /// `mongodb://` and `mongodb+srv://`.
    Mongo(MongoStore),
}

/// No adapter is for URLs like that. The URL is not shown: it may hold a password.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "the database URL begins with neither postgres:// nor mongodb:// nor mongodb+srv://: expected one \
     such as postgres://user:password@host/database or mongodb://user:password@host/database"
)]
pub struct UnknownScheme;

#[derive(Clone, Copy)]
enum Adapter {
    Postgres,
    Mongo,
}

impl Adapter {
    fn of(url: &SecretString) -> Result<Self, UnknownScheme> {
        match url.expose_secret().split_once("://") {
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres),
            Some(("mongodb" | "mongodb+srv", _)) => Ok(Self::Mongo),
            _ => Err(UnknownScheme),
        }
    }
}

impl AnyStore {
    /// Is there an adapter for it?
    pub fn check_url(url: &SecretString) -> Result<(), UnknownScheme> {
        Adapter::of(url).map(drop)
    }

    /// Connects to the database at `url`, and creates there what is missing.
    pub async fn connect(url: &SecretString) -> Result<Self, StoreError> {
        let adapter = Adapter::of(url).map_err(|error| StoreError::Backend {
            action: "choose its database",
            source: error.into(),
        })?;
        Ok(match adapter {
            Adapter::Postgres => Self::Postgres(Box::pin(PostgresStore::connect(url)).await?),
            Adapter::Mongo => Self::Mongo(Box::pin(MongoStore::connect(url)).await?),
        })
    }

    /// As the ports.
    pub fn shared(&self) -> Arc<dyn Store> {
        match self {
            Self::Postgres(store) => Arc::new(store.clone()),
            Self::Mongo(store) => Arc::new(store.clone()),
        }
    }

    /// Closes all connections.
    pub async fn close(&self) {
        match self {
            Self::Postgres(store) => store.close().await,
            Self::Mongo(store) => store.close().await,
        }
    }
}
