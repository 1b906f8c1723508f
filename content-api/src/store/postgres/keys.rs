//! Repeatable requests in PostgreSQL.

use async_trait::async_trait;
use time::OffsetDateTime;

use super::{PostgresStore, backend};
use crate::store::{Claim, RequestKeys, StoreError};

#[async_trait]
impl RequestKeys for PostgresStore {
    async fn claim(
        &self,
        key: &str,
        claim: &Claim,
        now: OffsetDateTime,
        expired: OffsetDateTime,
    ) -> Result<Claim, StoreError> {
        let failed = backend("claim a request's key");
        sqlx::query(include_str!("keys/claim.sql"))
            .bind(key)
            .bind(&claim.fingerprint)
            .bind(claim.subject.as_str())
            .bind(now)
            .bind(expired)
            .execute(&self.pool)
            .await
            .map_err(failed)?;
        let held: Option<(String, String, Option<String>, bool)> =
            sqlx::query_as(include_str!("keys/get.sql"))
                .bind(key)
                .fetch_optional(&self.pool)
                .await
                .map_err(failed)?;
        // Erased or purged in between: nobody else holds it.
        let Some((fingerprint, subject, answer, erased)) = held else {
            return Ok(claim.clone());
        };
        let subject = subject.parse().map_err(|source| StoreError::Damaged {
            id: subject.clone(),
            source: Box::new(source),
        })?;
        Ok(Claim {
            fingerprint,
            subject,
            answer,
            erased,
        })
    }

    async fn keep_answer(&self, key: &str, answer: &str) -> Result<(), StoreError> {
        sqlx::query(include_str!("keys/keep.sql"))
            .bind(key)
            .bind(answer)
            .execute(&self.pool)
            .await
            .map_err(backend("keep an answer"))?;
        Ok(())
    }

    async fn purge_keys(&self, before: OffsetDateTime) -> Result<u64, StoreError> {
        let done = sqlx::query(include_str!("keys/purge.sql"))
            .bind(before)
            .execute(&self.pool)
            .await
            .map_err(backend("drop old request keys"))?;
        Ok(done.rows_affected())
    }
}
