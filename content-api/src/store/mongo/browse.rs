//! Looking for documents by what they are, and by what they look like.

use contracts::{ImageFacts, ImageId, lifecycle::Duplicate};
use futures::TryStreamExt;
use mongodb::{
    bson::{Document, doc},
    error::Result,
};

use super::{
    MongoStore, custom,
    documents::{date, hash_bands, perceptual_bits},
};
use crate::store::Browse;

/// Hashes that differ in fewer bits have one of their eight bytes in common.
const BITS_BY_BANDS: u32 = 7;

impl MongoStore {
    pub(super) async fn try_browse(
        &self,
        wanted: &Browse,
        after: Option<&ImageId>,
        limit: u32,
    ) -> Result<Vec<Document>> {
        let mut filter = doc! {"live": true};
        if let Some(status) = wanted.status {
            filter.insert("body.status", status.as_str());
        }
        if let Some(hashtag) = &wanted.hashtag {
            filter.insert("hashtags", hashtag.to_lowercase());
        }
        if let Some(channel) = &wanted.channel {
            filter.insert("body.channels", channel);
        }
        if let Some(since) = wanted.changed_since {
            filter.insert("updated_at", doc! {"$gte": date(since)});
        }
        if let Some(after) = after {
            filter.insert("_id", doc! {"$gt": after.as_str()});
        }
        let find = self.images.find(filter).sort(doc! {"_id": 1});
        let find = find.limit(i64::from(limit));
        find.await?.try_collect().await
    }

    pub(super) async fn try_alike(
        &self,
        image: &ImageFacts,
        within: u32,
        limit: u32,
    ) -> Result<Vec<Duplicate>> {
        let mut filter = doc! {"live": true};
        if within <= BITS_BY_BANDS {
            let bands = hash_bands(&image.perceptual_hash);
            let same = doc! {"body.image.sha256": &image.sha256};
            filter.insert("$or", vec![same, doc! {"hash_bands": {"$in": bands}}]);
        }
        let find = self.images.find(filter);
        let facts = doc! {"body.image.sha256": 1, "body.image.perceptual_hash": 1};
        let mut found = find.projection(facts).await?;
        let mut alike = Vec::new();
        while let Some(one) = found.try_next().await? {
            alike.extend(likeness(&one, image, within)?);
        }
        alike.sort_by(|one, other| {
            let key = |duplicate: &Duplicate| (!duplicate.exact, duplicate.distance);
            key(one)
                .cmp(&key(other))
                .then_with(|| one.id.as_str().cmp(other.id.as_str()))
        });
        alike.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(alike)
    }
}

/// How alike it is, if it is.
fn likeness(found: &Document, image: &ImageFacts, within: u32) -> Result<Option<Duplicate>> {
    let facts = found
        .get_document("body")
        .and_then(|body| body.get_document("image"));
    // One that cannot be read is like nothing.
    let Ok(facts) = facts else { return Ok(None) };
    let exact = matches!(facts.get_str("sha256"), Ok(sha256) if sha256 == image.sha256);
    let hash = facts
        .get_str("perceptual_hash")
        .ok()
        .and_then(perceptual_bits);
    let distance = hash
        .zip(perceptual_bits(&image.perceptual_hash))
        .map(|(one, other)| (one ^ other).count_ones());
    if !exact && distance.is_none_or(|distance| distance > within) {
        return Ok(None);
    }
    Ok(Some(Duplicate {
        id: found
            .get_str("_id")
            .map_err(custom)?
            .parse()
            .map_err(custom)?,
        exact,
        distance: distance.unwrap_or(0),
    }))
}
