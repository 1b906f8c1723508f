//! The schema of one model: its name, its making, and whose it is.

use std::time::Duration;

use contracts::ModelId;
use sqlx::{
    AssertSqlSafe, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::{ENGINE, engine_error};
use crate::index::IndexError;

/// Oldest PostgreSQL, as `server_version_num` has it: 16.
const OLDEST_POSTGRES: i32 = 160_000;
/// Oldest pgvector: the first whose scans are iterative.
const OLDEST_PGVECTOR: (u32, u32) = (0, 8);
/// `index_minilm_es_en_v1`: a plain identifier, whatever the model is called.
pub(super) fn schema_name(model: &ModelId) -> String {
    let slug = crate::model::source::slug(model.as_str()).replace('-', "_");
    format!("index_{}", &slug[..slug.len().min(50)])
}

/// Makes the schema and the extension where they are missing, and checks the server's versions.
pub(super) async fn prepare_schema(
    options: &PgConnectOptions,
    schema: &str,
) -> Result<(), IndexError> {
    let one = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(Duration::from_secs(10))
        .connect_with(options.clone())
        .await
        .map_err(engine_error)?;
    make_schema(&one, schema).await.map_err(engine_error)?;
    let (postgres, vector): (i32, String) = sqlx::query_as(
        "SELECT current_setting('server_version_num')::integer, extversion
         FROM pg_extension WHERE extname = 'vector'",
    )
    .fetch_one(&one)
    .await
    .map_err(engine_error)?;
    one.close().await;
    match too_old(postgres, &vector) {
        Some(refusal) => Err(engine_error(refusal)),
        None => Ok(()),
    }
}

/// What is said of a server that cannot do what is needed.
fn too_old(postgres: i32, vector: &str) -> Option<String> {
    if postgres < OLDEST_POSTGRES {
        let (found, least) = (postgres / 10_000, OLDEST_POSTGRES / 10_000);
        return Some(format!(
            "this is PostgreSQL {found}; {least} or newer is needed"
        ));
    }
    let mut numbers = vector.split('.').map(|number| number.parse().unwrap_or(0));
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    (found < OLDEST_PGVECTOR).then(|| {
        let (major, minor) = OLDEST_PGVECTOR;
        format!(
            "pgvector {vector} is in use; {major}.{minor} or newer is needed: install it, then run \
             ALTER EXTENSION vector UPDATE"
        )
    })
}

async fn make_schema(one: &PgPool, schema: &str) -> Result<(), sqlx::Error> {
    // A schema's name cannot be a parameter; `schema_name` leaves only letters, digits and `_`.
    let create = format!("CREATE SCHEMA IF NOT EXISTS {schema}");
    let mut transaction = one.begin().await?;
    // Two services starting at once would both find the extension missing.
    sqlx::query("SELECT pg_advisory_xact_lock(hashtext('promptsales-embedder-schema'))")
        .execute(&mut *transaction)
        .await?;
    sqlx::query("CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA public")
        .execute(&mut *transaction)
        .await?;
    sqlx::query(AssertSqlSafe(create))
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await
}

/// Notes the model in a fresh schema, and refuses another's.
pub(super) async fn check_model(
    pool: &PgPool,
    model: &ModelId,
    dimensions: usize,
) -> Result<(), IndexError> {
    let dimensions = dimensions as i32;
    sqlx::query(
        "INSERT INTO collection (model, dimensions) VALUES ($1, $2) ON CONFLICT DO NOTHING",
    )
    .bind(model.as_str())
    .bind(dimensions)
    .execute(pool)
    .await
    .map_err(engine_error)?;
    let (found, found_dimensions): (String, i32) =
        sqlx::query_as("SELECT model, dimensions FROM collection")
            .fetch_one(pool)
            .await
            .map_err(engine_error)?;
    if found == model.as_str() && found_dimensions == dimensions {
        return Ok(());
    }
    Err(IndexError::ModelMismatch {
        engine: ENGINE,
        found: format!("{found} ({found_dimensions} dimensions)"),
        expected: format!("{model} ({dimensions} dimensions)"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_that_are_too_old_are_told_what_is_needed() {
        assert_eq!(too_old(160_000, "0.8.0"), None);
        assert_eq!(too_old(180_003, "1.0"), None);
        let refusal = |postgres, vector| too_old(postgres, vector).unwrap_or_default();
        assert!(refusal(150_012, "0.8.0").contains("PostgreSQL 15; 16 or newer"));
        let old = refusal(170_000, "0.7.4");
        assert!(
            old.contains("0.7.4") && old.contains("ALTER EXTENSION"),
            "{old}"
        );
    }
}
