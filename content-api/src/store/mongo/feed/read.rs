//! Reading the feed.

use std::collections::HashMap;

use async_trait::async_trait;
use contracts::{
    ImageId,
    changes::{Change, ChangedItem},
};
use futures::TryStreamExt;
use mongodb::{
    Collection,
    bson::{Document, doc},
    error::Result,
};

use super::{
    super::{MongoStore, backend, campaigns, custom, documents},
    Mark, Round,
};
use crate::store::{ChangeFeed, StoreError};

#[async_trait]
impl ChangeFeed for MongoStore {
    async fn changes(
        &self,
        mut after: i64,
        limit: u32,
    ) -> std::result::Result<Vec<Change>, StoreError> {
        loop {
            let page = self
                .within("read changes", self.feed_page(after, limit))
                .await?;
            let Some(last) = page.last() else {
                return Ok(Vec::new());
            };
            after = last.get_i64("position").map_err(backend("read a place"))?;
            let found = self.as_they_are(&page).await?;
            // A page of nothing but unreadable ones is no end.
            if !found.is_empty() {
                return Ok(found);
            }
        }
    }
}

impl MongoStore {
    /// The next entries. A page that is not full has everything that was written before.
    async fn feed_page(&self, after: i64, limit: u32) -> Result<Vec<Document>> {
        let (mut settled, mut is_all) = (self.settle().await?, false);
        loop {
            let page = self.placed(after, settled.last, limit).await?;
            if page.len() as u64 >= u64::from(limit) || (is_all && !page.is_empty()) {
                return Ok(page);
            }
            settled = match self.place_some(Mark::Unplaced).await? {
                // In the meantime nobody moved anything that the page should have shown.
                Round::Nothing(now) if now.turn == settled.turn => return Ok(page),
                Round::Nothing(now) => now,
                round => {
                    is_all |= matches!(round, Round::All);
                    self.settle().await?
                }
            };
        }
    }

    async fn placed(&self, after: i64, last: i64, limit: u32) -> Result<Vec<Document>> {
        let find = self
            .feed
            .find(doc! {"position": {"$gt": after, "$lte": last}})
            .sort(doc! {"position": 1})
            .limit(i64::from(limit));
        find.await?.try_collect().await
    }

    /// The things at those places. What cannot be read is left out, and named in the log.
    async fn as_they_are(&self, page: &[Document]) -> std::result::Result<Vec<Change>, StoreError> {
        let images = page.iter().filter(|entry| is(entry, "content"));
        let images: Vec<&str> = images
            .filter_map(|entry| entry.get_str("id").ok())
            .collect();
        let campaigns = page
            .iter()
            .filter_map(|entry| match entry.get_str("campaign_id") {
                Ok(campaign) => Some(campaign),
                Err(_) if is(entry, "campaign") => entry.get_str("id").ok(),
                Err(_) => None,
            });
        let campaigns: Vec<&str> = campaigns.collect();
        let reading = async {
            tokio::try_join!(
                by_id(&self.images, &images),
                by_id(&self.campaigns, &campaigns)
            )
        };
        let (images, campaigns) = self.within("read changes", reading).await?;
        documents::readable(page, |entry| change(entry, &images, &campaigns))
    }
}

fn is(entry: &Document, kind: &str) -> bool {
    matches!(entry.get_str("kind"), Ok(found) if found == kind)
}

async fn by_id(
    collection: &Collection<Document>,
    ids: &[&str],
) -> Result<HashMap<String, Document>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let found: Vec<Document> = collection
        .find(doc! {"_id": {"$in": ids}})
        .await?
        .try_collect()
        .await?;
    let named = found.into_iter().map(|found| {
        let id = found.get_str("_id").map_err(custom)?.to_owned();
        Ok((id, found))
    });
    named.collect()
}

fn change(
    entry: &Document,
    images: &HashMap<String, Document>,
    campaigns: &HashMap<String, Document>,
) -> std::result::Result<Change, StoreError> {
    let damaged = |source: Box<dyn std::error::Error + Send + Sync>| StoreError::Damaged {
        id: entry.get_str("_id").unwrap_or_default().to_owned(),
        source,
    };
    let text = |field| entry.get_str(field).map_err(|error| damaged(error.into()));
    let (kind, id) = (text("kind")?, text("id")?);
    let campaign_id = match kind {
        "use" => text("campaign_id")?,
        _ => id,
    };
    let things = if kind == "content" { images } else { campaigns };
    let thing = things.get(if kind == "content" { id } else { campaign_id });
    let thing = thing.ok_or_else(|| damaged("there is no such thing".into()))?;
    let (dated, item) = match kind {
        "content" => (thing, content(thing)?),
        "campaign" => {
            let campaign = Box::new(campaigns::campaign(thing)?);
            (thing, ChangedItem::Campaign { campaign })
        }
        _ => {
            let link = thing
                .get_document("links")
                .and_then(|links| links.get_document(id));
            let link = link.map_err(|error| damaged(error.into()))?;
            let parse = |id: &str| {
                id.parse::<ImageId>()
                    .map_err(|error| damaged(Box::new(error)))
            };
            let (campaign_id, content_id) = (parse(campaign_id)?, parse(id)?);
            (link, in_use(link, campaign_id, content_id))
        }
    };
    let at = dated
        .get_datetime("updated_at")
        .map_err(|error| damaged(error.into()))?;
    Ok(Change {
        position: entry
            .get_i64("position")
            .map_err(|error| damaged(error.into()))?,
        at: documents::time_at(*at).map_err(|error| damaged(error.into()))?,
        item,
    })
}

fn content(thing: &Document) -> std::result::Result<ChangedItem, StoreError> {
    let id = documents::id(thing)?;
    let damaged = |source| StoreError::Damaged {
        id: id.clone(),
        source,
    };
    if !matches!(thing.get_bool("live"), Ok(false)) {
        let document = Box::new(documents::document(thing)?);
        return Ok(ChangedItem::Content { document });
    }
    Ok(ChangedItem::ContentDeleted {
        id: id.parse().map_err(|error| damaged(Box::new(error)))?,
        revision: thing
            .get_i64("revision")
            .map_err(|error| damaged(error.into()))?,
    })
}

fn in_use(link: &Document, campaign_id: ImageId, content_id: ImageId) -> ChangedItem {
    if matches!(link.get_bool("ended"), Ok(true)) {
        ChangedItem::ContentUseDeleted {
            campaign_id,
            content_id,
        }
    } else {
        ChangedItem::ContentUse {
            campaign_id,
            content_id,
        }
    }
}
