//! Documents in PostgreSQL, as jsonb.

mod campaigns;
mod changes;
mod erasures;
mod keys;
mod rows;
mod writes;

use std::{collections::HashSet, str::FromStr, sync::LazyLock, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use contracts::{
    ContentDocument, ImageFacts, ImageId, campaigns::CampaignEvent, content::Status,
    lifecycle::Duplicate,
};
use secrecy::{ExposeSecret, SecretString};
use sqlx::{
    Connection, PgPool,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions, PgRow},
};
use time::OffsetDateTime;

use super::{
    Browse, ContentDraft, ContentStore, ImageFile, Page, Pending, PutOutcome, Stamp, StoreError,
    Write,
};

/// Most connections of one service.
const MAX_CONNECTIONS: u32 = 10;
/// A request that gets no connection in this time is better told so.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);
/// A connection that idled for longer is tried before it is used.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);
/// Everything lives in this schema; the database may hold other services' schemas too.
const SCHEMA: &str = "content";

static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrations = sqlx::migrate!("./migrations");
    // A release that is newer has been here; what it added, this one can do without.
    migrations.set_ignore_missing(true);
    migrations
});

/// The PostgreSQL adapter of [`ContentStore`]. Cheap to clone.
#[derive(Clone, Debug)]
pub struct PostgresStore {
    pool: PgPool,
}

impl PostgresStore {
    /// Connects to the database at `url`, and creates or migrates the schema `content` there.
    /// The URL may hold a password, so it is a secret.
    pub async fn connect(url: &SecretString) -> Result<Self, StoreError> {
        let failed = backend("connect to its database");
        let options = PgConnectOptions::from_str(url.expose_secret())
            .map_err(failed)?
            .application_name("content-api")
            .options([("search_path", SCHEMA), ("statement_timeout", "10s")]);
        let pool = PgPoolOptions::new()
            .max_connections(MAX_CONNECTIONS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            // A ping before every statement would double its time; a connection that was in use a
            // moment ago is not dead.
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                Box::pin(async move {
                    if meta.idle_for > TRUSTED_IDLE {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_with(options)
            .await
            .map_err(failed)?;
        let store = Self { pool };
        store
            .create_schema()
            .await
            .map_err(backend("create its schema"))?;
        MIGRATIONS
            .run(&store.pool)
            .await
            .map_err(|error| StoreError::Backend {
                action: "migrate its schema",
                source: error.into(),
            })?;
        Ok(store)
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    async fn create_schema(&self) -> sqlx::Result<()> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query(include_str!("postgres/lock_schema.sql"))
            .execute(&mut *transaction)
            .await?;
        sqlx::query(include_str!("postgres/create_schema.sql"))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await
    }
}

#[async_trait]
impl ContentStore for PostgresStore {
    async fn get(&self, ids: &[ImageId]) -> Result<Vec<ContentDocument>, StoreError> {
        let slugs: Vec<&str> = ids.iter().map(ImageId::as_str).collect();
        let rows = sqlx::query(include_str!("postgres/get.sql"))
            .bind(slugs)
            .fetch_all(&self.pool)
            .await
            .map_err(backend("read documents"))?;
        match rows.as_slice() {
            [row] if ids.len() == 1 => Ok(vec![rows::document(row)?]),
            rows => rows::readable(rows, rows::document),
        }
    }

    async fn list(
        &self,
        after: Option<&ImageId>,
        limit: u32,
    ) -> Result<Vec<ContentDocument>, StoreError> {
        let statement = include_str!("postgres/list.sql");
        self.page(statement, after, limit, rows::document).await
    }

    async fn put(
        &self,
        draft: &ContentDraft,
        now: OffsetDateTime,
    ) -> Result<PutOutcome, StoreError> {
        self.try_put(draft, now)
            .await
            .map_err(backend("write a document"))
    }

    async fn create(
        &self,
        draft: &ContentDraft,
        request: &str,
        stamp: &Stamp,
    ) -> Result<Write, StoreError> {
        self.try_create(draft, request, stamp)
            .await
            .map_err(backend("create a document"))
    }

    async fn replace(
        &self,
        draft: &ContentDraft,
        expected: i64,
        events: &[CampaignEvent],
        stamp: &Stamp,
    ) -> Result<Write, StoreError> {
        self.try_replace(draft, expected, events, stamp)
            .await
            .map_err(backend("replace a document"))
    }

    async fn delete(
        &self,
        id: &ImageId,
        expected: Option<i64>,
        stamp: &Stamp,
    ) -> Result<Write, StoreError> {
        self.try_delete(id, expected, stamp)
            .await
            .map_err(backend("delete a document"))
    }

    async fn browse(
        &self,
        wanted: &Browse,
        after: Option<&ImageId>,
        limit: u32,
    ) -> Result<Page<ContentDocument>, StoreError> {
        let rows = sqlx::query(include_str!("postgres/browse.sql"))
            .bind(after.map(ImageId::as_str))
            .bind(i64::from(limit))
            .bind(wanted.status.map(Status::as_str))
            .bind(wanted.hashtag.as_ref().map(|tag| tag.to_lowercase()))
            .bind(&wanted.channel)
            .bind(wanted.changed_since)
            .fetch_all(&self.pool)
            .await
            .map_err(backend("read a page of documents"))?;
        rows::page(&rows, limit, rows::document)
    }

    async fn alike(
        &self,
        image: &ImageFacts,
        within: u32,
        limit: u32,
    ) -> Result<Vec<Duplicate>, StoreError> {
        let found = sqlx::query(include_str!("postgres/alike.sql"))
            .bind(&image.sha256)
            .bind(writes::perceptual_bits(&image.perceptual_hash))
            .bind(i64::from(within))
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await
            .map_err(backend("look for alike images"))?;
        rows::readable(&found, rows::duplicate)
    }

    async fn pending(
        &self,
        after: Option<&ImageId>,
        limit: u32,
    ) -> Result<Vec<Pending>, StoreError> {
        let statement = include_str!("postgres/pending.sql");
        self.page(statement, after, limit, rows::pending).await
    }

    async fn unpublished(&self) -> Result<u64, StoreError> {
        self.count_by(include_str!("postgres/unpublished.sql"))
            .await
    }

    async fn acknowledge(&self, accepted: &[(ImageId, i64)]) -> Result<(), StoreError> {
        let (ids, revisions): (Vec<&str>, Vec<i64>) = accepted
            .iter()
            .map(|(id, revision)| (id.as_str(), *revision))
            .unzip();
        sqlx::query(include_str!("postgres/acknowledge.sql"))
            .bind(ids)
            .bind(revisions)
            .execute(&self.pool)
            .await
            .map_err(backend("acknowledge documents"))?;
        Ok(())
    }

    async fn raise_revision(&self, held: &[(ImageId, i64)]) -> Result<u64, StoreError> {
        self.try_raise(held)
            .await
            .map_err(backend("raise revisions"))
    }

    async fn known(&self, ids: &[ImageId]) -> Result<Vec<ImageId>, StoreError> {
        let slugs: Vec<&str> = ids.iter().map(ImageId::as_str).collect();
        let known: Vec<String> = sqlx::query_scalar(include_str!("postgres/known.sql"))
            .bind(slugs)
            .fetch_all(&self.pool)
            .await
            .map_err(backend("look for documents"))?;
        let known: HashSet<String> = known.into_iter().collect();
        let is_known = |id: &&ImageId| known.contains(id.as_str());
        Ok(ids.iter().filter(is_known).cloned().collect())
    }

    async fn unacknowledge_all(&self) -> Result<u64, StoreError> {
        let done = sqlx::query(include_str!("postgres/unacknowledge_all.sql"))
            .execute(&self.pool)
            .await
            .map_err(backend("mark documents as unpublished"))?;
        Ok(done.rows_affected())
    }

    async fn put_image(&self, image: &ImageFile) -> Result<(), StoreError> {
        sqlx::query(include_str!("postgres/put_image.sql"))
            .bind(&image.sha256)
            .bind(&image.media_type)
            .bind(image.bytes.as_ref())
            .execute(&self.pool)
            .await
            .map_err(backend("write an image file"))?;
        Ok(())
    }

    async fn has_image(&self, sha256: &str) -> Result<bool, StoreError> {
        sqlx::query_scalar(include_str!("postgres/has_image.sql"))
            .bind(sha256)
            .fetch_one(&self.pool)
            .await
            .map_err(backend("look for an image file"))
    }

    async fn image(&self, sha256: &str) -> Result<Option<ImageFile>, StoreError> {
        let row: Option<(String, Vec<u8>)> = sqlx::query_as(include_str!("postgres/image.sql"))
            .bind(sha256)
            .fetch_optional(&self.pool)
            .await
            .map_err(backend("read an image file"))?;
        Ok(row.map(|(media_type, bytes)| ImageFile {
            sha256: sha256.to_owned(),
            media_type,
            bytes: Bytes::from(bytes),
        }))
    }

    async fn count(&self) -> Result<u64, StoreError> {
        self.count_by(include_str!("postgres/count.sql")).await
    }

    async fn contents_version(&self) -> Result<i64, StoreError> {
        sqlx::query_scalar(include_str!("postgres/version.sql"))
            .fetch_one(&self.pool)
            .await
            .map_err(backend("read its version"))
    }
}

impl PostgresStore {
    /// The next rows that can be read. A page of nothing but unreadable ones is no end.
    async fn page<T>(
        &self,
        statement: &'static str,
        after: Option<&ImageId>,
        limit: u32,
        read: fn(&PgRow) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut after = after.map(ToString::to_string);
        loop {
            let rows = sqlx::query(statement)
                .bind(&after)
                .bind(i64::from(limit))
                .fetch_all(&self.pool)
                .await
                .map_err(backend("read a page of documents"))?;
            let found = rows::readable(&rows, read)?;
            match rows.last() {
                Some(last) if found.is_empty() => after = Some(rows::id(last)?),
                _ => return Ok(found),
            }
        }
    }

    async fn count_by(&self, statement: &'static str) -> Result<u64, StoreError> {
        let count: i64 = sqlx::query_scalar(statement)
            .fetch_one(&self.pool)
            .await
            .map_err(backend("count documents"))?;
        Ok(count.unsigned_abs())
    }
}

fn backend(action: &'static str) -> impl Fn(sqlx::Error) -> StoreError + Copy {
    move |error| StoreError::Backend {
        action,
        source: error.into(),
    }
}
