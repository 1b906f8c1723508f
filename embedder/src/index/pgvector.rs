//! pgvector: the same documents in PostgreSQL, in one schema per model.

use std::{collections::BTreeMap, time::Duration};

use ::pgvector::{SparseVector as PgSparse, Vector};
use async_trait::async_trait;
use contracts::{ContentHash, ImageId, ModelId, index::IndexDocument};
use sqlx::{
    AssertSqlSafe, FromRow, PgPool,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
    types::Json,
};
use time::{Date, format_description::well_known::Iso8601};

use super::{
    Candidate, Change, IndexEntry, IndexError, IndexQuery, Manifest, ManifestEntry, PerLanguage,
    Tombstone, VectorIndex,
};
use crate::lexical::SparseVector;

/// This adapter's name in answers.
pub const ENGINE: &str = "pgvector";
/// Dimensions of the sparse space: see [`crate::lexical::bm25::term_index`].
const SPARSE_DIMENSIONS: i32 = 1 << 29;
/// Longest that one statement may run.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(5);

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// The documents table of one model.
pub struct PgVectorIndex {
    pool: PgPool,
    version: String,
}

impl PgVectorIndex {
    /// Connects, creates the model's schema where it is missing, and checks that it is this model's.
    pub async fn connect(
        database_url: &str,
        model: &ModelId,
        dimensions: usize,
    ) -> Result<Self, IndexError> {
        let options: PgConnectOptions = database_url.parse().map_err(engine_error)?;
        let schema = schema_name(model);
        prepare_schema(&options, &schema)
            .await
            .map_err(engine_error)?;
        let options = options.application_name("embedder").options([
            ("search_path", format!("{schema},public")),
            (
                "statement_timeout",
                STATEMENT_TIMEOUT.as_millis().to_string(),
            ),
            // Filters are applied while the graph is walked, not to what a fixed walk found.
            ("hnsw.iterative_scan", "relaxed_order".to_owned()),
            ("embedder.dimensions", dimensions.to_string()),
        ]);
        let pool = PgPoolOptions::new()
            .max_connections(8)
            .acquire_timeout(Duration::from_secs(3))
            .connect_with(options)
            .await
            .map_err(engine_error)?;
        MIGRATIONS.run(&pool).await.map_err(engine_error)?;
        check_model(&pool, model, dimensions).await?;
        let version = sqlx::query_scalar(
            "SELECT format('%s (PostgreSQL %s)', extversion, current_setting('server_version'))
             FROM pg_extension WHERE extname = 'vector'",
        )
        .fetch_one(&pool)
        .await
        .map_err(engine_error)?;
        Ok(Self { pool, version })
    }
}

fn engine_error(error: impl std::fmt::Display) -> IndexError {
    IndexError::engine(ENGINE, error)
}

/// `index_minilm_es_en_v1`: a plain identifier, whatever the model is called.
fn schema_name(model: &ModelId) -> String {
    let slug = crate::model::source::slug(model.as_str()).replace('-', "_");
    format!("index_{}", &slug[..slug.len().min(50)])
}

async fn prepare_schema(options: &PgConnectOptions, schema: &str) -> Result<(), sqlx::Error> {
    let one = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(Duration::from_secs(10))
        .connect_with(options.clone())
        .await?;
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
    transaction.commit().await?;
    one.close().await;
    Ok(())
}

async fn check_model(pool: &PgPool, model: &ModelId, dimensions: usize) -> Result<(), IndexError> {
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

#[async_trait]
impl VectorIndex for PgVectorIndex {
    fn engine(&self) -> &'static str {
        ENGINE
    }

    fn version(&self) -> &str {
        &self.version
    }

    async fn apply(&self, changes: Vec<Change>) -> Result<(), IndexError> {
        let mut transaction = self.pool.begin().await.map_err(engine_error)?;
        for change in &changes {
            match change {
                Change::Put(entry) => put(&mut transaction, entry).await?,
                Change::Delete(tombstone) => delete(&mut transaction, tombstone).await?,
            }
        }
        transaction.commit().await.map_err(engine_error)
    }

    async fn candidates(&self, query: IndexQuery) -> Result<Vec<Candidate>, IndexError> {
        let filters = &query.filters;
        let orientation: Vec<&str> = filters.orientation.iter().map(|o| o.as_str()).collect();
        let rows: Vec<CandidateRow> = sqlx::query_as(include_str!("pgvector/candidates.sql"))
            .bind(query.status.as_str())
            .bind(&filters.themes)
            .bind(&filters.campaign_themes)
            .bind(&filters.channels)
            .bind(&filters.audience)
            .bind(orientation)
            .bind(&filters.territory)
            .bind(filters.usable_on.as_deref().map(parse_day).transpose()?)
            .bind(query.dense.map(Vector::from))
            .bind(non_empty(&query.sparse.es))
            .bind(non_empty(&query.sparse.en))
            .bind(query.depth as i64)
            .fetch_all(&self.pool)
            .await
            .map_err(engine_error)?;
        rows.into_iter()
            .map(|row| row.into_candidate().map_err(engine_error))
            .collect()
    }

    async fn manifest(&self) -> Result<Manifest, IndexError> {
        let rows: Vec<(String, i64, Option<String>)> =
            sqlx::query_as("SELECT id, revision, content_hash FROM documents")
                .fetch_all(&self.pool)
                .await
                .map_err(engine_error)?;
        rows.into_iter()
            .map(|(id, revision, hash)| {
                let content_hash = hash.map(ContentHash::from_hex);
                Ok((
                    id.parse().map_err(engine_error)?,
                    ManifestEntry {
                        revision,
                        content_hash,
                    },
                ))
            })
            .collect()
    }

    async fn entries(&self, ids: Vec<ImageId>) -> Result<Vec<IndexEntry>, IndexError> {
        let ids: Vec<String> = ids.into_iter().map(String::from).collect();
        let rows: Vec<EntryRow> = sqlx::query_as(
            "SELECT id, dense_es, dense_en, sparse_es, sparse_en, document, content_hash
             FROM documents WHERE id = ANY ($1) AND content_hash IS NOT NULL",
        )
        .bind(ids)
        .fetch_all(&self.pool)
        .await
        .map_err(engine_error)?;
        rows.into_iter()
            .map(|row| row.into_entry().map_err(engine_error))
            .collect()
    }
}

async fn put(
    transaction: &mut sqlx::PgTransaction<'_>,
    entry: &IndexEntry,
) -> Result<(), IndexError> {
    let document = &entry.document;
    let facets = &document.facets;
    sqlx::query(include_str!("pgvector/put.sql"))
        .bind(document.id.as_str())
        .bind(document.revision)
        .bind(entry.content_hash.as_str())
        .bind(Json(document))
        .bind(Vector::from(entry.dense.es.clone()))
        .bind(Vector::from(entry.dense.en.clone()))
        .bind(to_pg(&entry.sparse.es))
        .bind(to_pg(&entry.sparse.en))
        .bind(facets.status.as_str())
        .bind(&facets.themes)
        .bind(&facets.campaign_themes)
        .bind(&facets.channels)
        .bind(&facets.audience)
        .bind(facets.orientation.as_str())
        .bind(&facets.territories)
        .bind(parse_day(&facets.usable_from)?)
        .bind(facets.usable_until.as_deref().map(parse_day).transpose()?)
        .execute(&mut **transaction)
        .await
        .map_err(engine_error)?;
    Ok(())
}

async fn delete(
    transaction: &mut sqlx::PgTransaction<'_>,
    tombstone: &Tombstone,
) -> Result<(), IndexError> {
    sqlx::query(include_str!("pgvector/delete.sql"))
        .bind(tombstone.id.as_str())
        .bind(tombstone.revision)
        .execute(&mut **transaction)
        .await
        .map_err(engine_error)?;
    Ok(())
}

fn parse_day(day: &str) -> Result<Date, IndexError> {
    Date::parse(day, &Iso8601::DATE).map_err(|e| engine_error(format!("'{day}' is no day: {e}")))
}

fn to_pg(vector: &SparseVector) -> PgSparse {
    // The crate takes a map of 0-based indices.
    let indices: Vec<i32> = vector.indices.iter().map(|index| *index as i32).collect();
    let weights: BTreeMap<&i32, &f32> = indices.iter().zip(&vector.values).collect();
    PgSparse::from_map(weights, SPARSE_DIMENSIONS)
}

fn from_pg(vector: &PgSparse) -> SparseVector {
    let indices = vector.indices().iter().map(|index| *index as u32);
    indices.zip(vector.values().iter().copied()).collect()
}

fn non_empty(vector: &SparseVector) -> Option<PgSparse> {
    (!vector.is_empty()).then(|| to_pg(vector))
}

#[derive(FromRow)]
struct CandidateRow {
    id: String,
    dense_es: Vector,
    dense_en: Vector,
    sparse_es: PgSparse,
    sparse_en: PgSparse,
}

impl CandidateRow {
    fn into_candidate(self) -> Result<Candidate, IndexError> {
        Ok(Candidate {
            id: self.id.parse().map_err(engine_error)?,
            dense: PerLanguage {
                es: self.dense_es.into(),
                en: self.dense_en.into(),
            },
            sparse: PerLanguage {
                es: from_pg(&self.sparse_es),
                en: from_pg(&self.sparse_en),
            },
        })
    }
}

#[derive(FromRow)]
struct EntryRow {
    #[sqlx(flatten)]
    candidate: CandidateRow,
    document: Json<IndexDocument>,
    content_hash: String,
}

impl EntryRow {
    fn into_entry(self) -> Result<IndexEntry, IndexError> {
        let candidate = self.candidate.into_candidate()?;
        Ok(IndexEntry {
            document: self.document.0,
            content_hash: ContentHash::from_hex(self.content_hash),
            dense: candidate.dense,
            sparse: candidate.sparse,
        })
    }
}
