//! A database of one's own for every test.

use std::time::Duration;

use sqlx::{
    AssertSqlSafe, Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::{SharedPostgres, or_skip, postgres};

/// Each test gets few connections, since many tests share one server.
const CONNECTIONS: u32 = 8;

/// An empty database with pgvector, used by one test.
#[derive(Debug)]
pub struct TestDatabase {
    /// A superuser's URL of this database.
    pub url: String,
    /// A pool on it, of up to 8 connections.
    pub pool: PgPool,
    name: String,
    /// Set when the server outlives this process, so that the database must be dropped.
    admin_url: Option<String>,
}

impl TestDatabase {
    /// Its name, unique on the server.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// A new, uniquely named database with the `vector` extension on the shared server; `None` (and a
/// printed notice) when there is no server. It is dropped with the server, or, on a server that
/// `TEST_POSTGRES_URL` names, with the value.
///
/// # Panics
/// When there is no server and skipping is not allowed.
pub async fn fresh_database() -> Option<TestDatabase> {
    let server = postgres().await?;
    or_skip("PostgreSQL", create(server).await)
}

async fn create(server: &SharedPostgres) -> Result<TestDatabase, String> {
    let failed = |error: sqlx::Error| format!("no fresh database: {error}");
    let name = format!("test_{}", uuid::Uuid::now_v7().simple());
    let mut admin = PgConnection::connect(server.admin_url())
        .await
        .map_err(failed)?;
    // Template 0 is never connected to, so that tests starting at once do not disturb each other.
    let statement = format!("create database {name} template template0");
    sqlx::query(AssertSqlSafe(statement))
        .execute(&mut admin)
        .await
        .map_err(failed)?;
    admin.close().await.map_err(failed)?;
    let (url, admin_url) = match server.local() {
        Some(local) => (local.url(&name), None),
        None => (
            with_database(server.admin_url(), &name),
            Some(server.admin_url().to_owned()),
        ),
    };
    let options: PgConnectOptions = url.parse().map_err(failed)?;
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(Duration::from_secs(30))
        .connect_with(options)
        .await
        .map_err(failed)?;
    sqlx::query("create extension vector")
        .execute(&pool)
        .await
        .map_err(failed)?;
    Ok(TestDatabase {
        url,
        pool,
        name,
        admin_url,
    })
}

/// Replaces the path of a URL, keeping its query.
pub(crate) fn with_database(url: &str, name: &str) -> String {
    let (rest, query) = url
        .split_once('?')
        .map_or((url, None), |(rest, query)| (rest, Some(query)));
    let authority = rest.find("://").map_or(0, |at| at + 3);
    let end = rest[authority..]
        .find('/')
        .map_or(rest.len(), |slash| authority + slash);
    let query = query.map_or_else(String::new, |query| format!("?{query}"));
    format!("{}/{name}{query}", &rest[..end])
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Some(admin_url) = self.admin_url.take() else {
            return;
        };
        let statement = format!("drop database if exists {} with (force)", self.name);
        // A drop cannot wait for the runtime that it is in; a thread can.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .ok()?;
            runtime.block_on(async {
                let mut admin = PgConnection::connect(&admin_url).await.ok()?;
                sqlx::query(AssertSqlSafe(statement))
                    .execute(&mut admin)
                    .await
                    .ok()
            })
        });
        drop(dropping.join());
    }
}

#[cfg(test)]
mod tests {
    use super::with_database;

    #[test]
    fn the_database_of_a_url_is_replaced() {
        for (url, expected) in [
            (
                "postgres://u:p@h:1/old?sslmode=disable",
                "postgres://u:p@h:1/new?sslmode=disable",
            ),
            ("postgres://u@h/old", "postgres://u@h/new"),
            ("postgres://h", "postgres://h/new"),
            ("postgres://h?host=%2Fx", "postgres://h/new?host=%2Fx"),
        ] {
            assert_eq!(with_database(url, "new"), expected);
        }
    }
}
