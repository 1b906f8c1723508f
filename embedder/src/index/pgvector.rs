//! pgvector: the same documents in PostgreSQL, in one schema per model.

mod hnsw;
mod reach;
mod schema;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use ::pgvector::{SparseVector as PgSparse, Vector};
use async_trait::async_trait;
use contracts::{ContentHash, ImageId, ModelId, index::IndexDocument};
use sqlx::{
    FromRow, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
    types::Json,
};
use time::{Date, format_description::well_known::Iso8601};

use super::{
    Candidate, Change, IndexEntry, IndexError, IndexQuery, Manifest, ManifestEntry, PerLanguage,
    Tombstone, VectorIndex,
};
use crate::lexical::SparseVector;

pub use self::hnsw::{HnswFault, HnswOptions};
use self::{
    hnsw::Hnsw,
    reach::reach,
    schema::{check_model, prepare_schema, schema_name},
};

/// This adapter's name in answers.
pub const ENGINE: &str = "pgvector";
/// Dimensions of the sparse space: see [`crate::lexical::bm25::term_index`].
const SPARSE_DIMENSIONS: i32 = 1 << 29;
/// Longest that one statement may run.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(5);

/// The search by indexes of full vectors.
const CANDIDATES: &str = concat!(
    include_str!("pgvector/eligible.sql"),
    include_str!("pgvector/nearest.sql"),
    include_str!("pgvector/candidates.sql"),
);
/// The search by indexes of half-precision copies.
const CANDIDATES_BY_HALVES: &str = concat!(
    include_str!("pgvector/eligible.sql"),
    include_str!("pgvector/nearest_half.sql"),
    include_str!("pgvector/candidates.sql"),
);

/// The documents table of one model.
pub struct PgVectorIndex {
    pool: PgPool,
    version: String,
    hnsw: Arc<Hnsw>,
}

impl PgVectorIndex {
    /// Connects, creates the model's schema where it is missing, and checks that it is this model's.
    ///
    /// # Errors
    /// [`IndexError::Away`] or [`IndexError::Deadline`], within three seconds, when no server answers
    /// there; that may pass. Anything else wants to be mended.
    pub async fn connect(
        database_url: &str,
        model: &ModelId,
        dimensions: usize,
        hnsw: HnswOptions,
    ) -> Result<Self, IndexError> {
        if let Some(refusal) = hnsw.refusal(dimensions) {
            return Err(engine_error(refusal));
        }
        let options: PgConnectOptions = database_url.parse().map_err(engine_error)?;
        let schema = schema_name(model);
        reach(&options).await?;
        prepare_schema(&options, &schema).await?;
        let own = [
            ("search_path", format!("{schema},public")),
            (
                "statement_timeout",
                STATEMENT_TIMEOUT.as_millis().to_string(),
            ),
            ("embedder.dimensions", dimensions.to_string()),
        ];
        let options = options.application_name("embedder");
        let options = options.options(own).options(hnsw.session());
        let pool = PgPoolOptions::new()
            .max_connections(8)
            .acquire_timeout(Duration::from_secs(3))
            .connect_with(options)
            .await
            .map_err(engine_error)?;
        let mut migrations = sqlx::migrate!("./migrations");
        // A release that is newer has been here; what it added, this one can do without.
        migrations.set_ignore_missing(true);
        migrations.run(&pool).await.map_err(engine_error)?;
        check_model(&pool, model, dimensions).await?;
        let version = sqlx::query_scalar(
            "SELECT format('%s (PostgreSQL %s)', extversion, current_setting('server_version'))
             FROM pg_extension WHERE extname = 'vector'",
        )
        .fetch_one(&pool)
        .await
        .map_err(engine_error)?;
        let hnsw = Hnsw::of(&pool, hnsw, dimensions).await;
        let hnsw = Arc::new(hnsw.map_err(engine_error)?);
        Ok(Self {
            pool,
            version,
            hnsw,
        })
    }

    /// Rebuilds the indexes, if they are not built as the options say, and waits until they are; searches go on
    /// meanwhile. [`VectorIndex::maintain`] does the same in the background. `false` when somebody else is at it.
    pub async fn tune(&self) -> Result<bool, IndexError> {
        self.hnsw.tune(&self.pool).await.map_err(engine_error)
    }
}

fn engine_error(error: impl std::fmt::Display) -> IndexError {
    IndexError::engine(ENGINE, error)
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
        let statement = if self.hnsw.half() {
            CANDIDATES_BY_HALVES
        } else {
            CANDIDATES
        };
        let rows: Vec<CandidateRow> = sqlx::query_as(statement)
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
        Ok(readable(rows.into_iter().map(CandidateRow::into_candidate)))
    }

    async fn manifest(&self) -> Result<Manifest, IndexError> {
        let rows: Vec<(String, i64, Option<String>)> =
            sqlx::query_as("SELECT id, revision, content_hash FROM documents")
                .fetch_all(&self.pool)
                .await
                .map_err(engine_error)?;
        let lines = rows.into_iter().map(|(id, revision, hash)| {
            let content_hash = hash.map(ContentHash::from_hex);
            let line = ManifestEntry {
                revision,
                content_hash,
            };
            Some((id.parse().ok()?, line))
        });
        Ok(readable(lines).into_iter().collect())
    }

    async fn maintain(&self) -> Result<(), IndexError> {
        if !self.hnsw.fits() {
            // Building takes minutes on a large collection, and whoever calls holds up writers meanwhile.
            let (hnsw, pool) = (Arc::clone(&self.hnsw), self.pool.clone());
            tokio::spawn(async move {
                if let Err(error) = hnsw.tune(&pool).await {
                    tracing::warn!(%error, "HNSW indexes stay as they are");
                }
            });
        }
        Ok(())
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
        Ok(readable(rows.into_iter().map(EntryRow::into_entry)))
    }
}

/// What can be read. A damaged row is no reason to fail all others: it counts as missing, and is repaired.
fn readable<T>(rows: impl Iterator<Item = Option<T>>) -> Vec<T> {
    let mut unreadable = 0_usize;
    let rows = rows.inspect(|row| unreadable += usize::from(row.is_none()));
    let rows = rows.flatten().collect();
    if unreadable > 0 {
        tracing::warn!(
            engine = ENGINE,
            rows = unreadable,
            "unreadable rows left out"
        );
    }
    rows
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
    fn into_candidate(self) -> Option<Candidate> {
        Some(Candidate {
            id: self.id.parse().ok()?,
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
    document: serde_json::Value,
    content_hash: String,
}

impl EntryRow {
    fn into_entry(self) -> Option<IndexEntry> {
        let candidate = self.candidate.into_candidate()?;
        let document: IndexDocument = serde_json::from_value(self.document).ok()?;
        Some(IndexEntry {
            document,
            content_hash: ContentHash::from_hex(self.content_hash),
            dense: candidate.dense,
            sparse: candidate.sparse,
        })
    }
}
