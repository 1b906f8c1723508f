//! Repeatable requests: one document of `request_keys` for each.

use async_trait::async_trait;
use mongodb::{
    bson::{Document, doc},
    error::Result as Outcome,
};
use time::OffsetDateTime;

use super::{MongoStore, custom, documents::date, setup::is_duplicate};
use crate::store::{Claim, RequestKeys, StoreError};

#[async_trait]
impl RequestKeys for MongoStore {
    async fn claim(
        &self,
        key: &str,
        claim: &Claim,
        now: OffsetDateTime,
        expired: OffsetDateTime,
    ) -> Result<Claim, StoreError> {
        let claiming = self.try_claim(key, claim, now, expired);
        self.within("claim a request's key", claiming).await
    }

    async fn keep_answer(&self, key: &str, answer: &str) -> Result<(), StoreError> {
        let unanswered = doc! {"_id": key, "answer": null, "erased": {"$ne": true}};
        let update = doc! {"$set": {"answer": answer}};
        let keeping = self.request_keys.update_one(unanswered, update);
        self.within("keep an answer", keeping).await.map(drop)
    }

    async fn purge_keys(&self, before: OffsetDateTime) -> Result<u64, StoreError> {
        let old = doc! {"claimed_at": {"$lt": date(before)}};
        let purging = self.request_keys.delete_many(old);
        let done = self.within("drop old request keys", purging).await?;
        Ok(done.deleted_count)
    }
}

impl MongoStore {
    async fn try_claim(
        &self,
        key: &str,
        claim: &Claim,
        now: OffsetDateTime,
        expired: OffsetDateTime,
    ) -> Outcome<Claim> {
        let own = doc! {
            "_id": key,
            "fingerprint": &claim.fingerprint,
            "subject": claim.subject.as_str(),
            "claimed_at": date(now),
        };
        loop {
            match self.request_keys.insert_one(own.clone()).await {
                Err(error) if is_duplicate(&error) => {}
                inserted => return inserted.map(|_| claim.clone()),
            }
            let Some(held) = self.request_keys.find_one(doc! {"_id": key}).await? else {
                continue;
            };
            let claimed_at = *held.get_datetime("claimed_at").map_err(custom)?;
            if claimed_at >= date(expired) {
                return read(&held);
            }
            // Only this old one: another may have taken its place already.
            let old = doc! {"_id": key, "claimed_at": claimed_at};
            self.request_keys.delete_one(old).await?;
        }
    }
}

impl MongoStore {
    /// Drops what is kept of the requests for a document, and says how much; `request`, which created
    /// it, stays claimed as erased. May be repeated.
    pub(super) async fn forget_requests(
        &self,
        slug: &str,
        request: Option<&str>,
        now: OffsetDateTime,
    ) -> Outcome<u64> {
        let kept = doc! {"subject": slug, "erased": {"$ne": true}};
        let dropped = self.request_keys.delete_many(kept).await?.deleted_count;
        if let Some(request) = request {
            let erased = doc! {
                "_id": request,
                "fingerprint": "",
                "subject": slug,
                "claimed_at": date(now),
                "erased": true,
            };
            let key = doc! {"_id": request};
            let replacing = self.request_keys.replace_one(key, erased).upsert(true);
            replacing.await?;
        }
        Ok(dropped)
    }
}

fn read(held: &Document) -> Outcome<Claim> {
    Ok(Claim {
        fingerprint: held.get_str("fingerprint").map_err(custom)?.to_owned(),
        subject: held
            .get_str("subject")
            .map_err(custom)?
            .parse()
            .map_err(custom)?,
        answer: held.get_str("answer").ok().map(str::to_owned),
        erased: held.get_bool("erased").unwrap_or(false),
    })
}
