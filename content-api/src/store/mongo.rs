//! Documents in MongoDB, or in what speaks its protocol.
//!
//! Everything of an image is one document of the collection `images`, and each write changes that
//! one document: there are no transactions, and nothing waits for change streams. Updates are
//! conditional on `change`, a token that every write replaces, so that of two writers at once one
//! looks again. What a write owes to other documents stays in it as a mark until it is paid: see
//! `version` and `feed`.

mod aggregate;
mod browse;
mod campaigns;
mod connect;
mod documents;
mod erasures;
mod feed;
mod files;
mod keys;
mod setup;
mod version;
mod writes;

use std::{
    collections::HashSet, error::Error, fmt::Display, future::IntoFuture, sync::Arc, time::Duration,
};

use async_trait::async_trait;
use contracts::{
    ContentDocument, ImageFacts, ImageId, campaigns::CampaignEvent, lifecycle::Duplicate,
};
use futures::TryStreamExt;
use mongodb::{
    Client, Collection, Database,
    bson::{Document, doc},
    gridfs::GridFsBucket,
};
use secrecy::SecretString;
use time::OffsetDateTime;
use tokio::sync::Mutex;

use super::{
    Browse, ContentDraft, ContentStore, ImageFile, Page, Pending, PutOutcome, Stamp, StoreError,
    Write,
};

/// Longest that one call may take, whatever it asks of the server, unless it is told otherwise.
/// Shorter than a request may take, so that its problem says why.
const DEADLINE: Duration = Duration::from_secs(8);

/// The MongoDB adapter of the store's ports. Cheap to clone.
#[derive(Clone, Debug)]
pub struct MongoStore {
    client: Client,
    database: Database,
    images: Collection<Document>,
    campaigns: Collection<Document>,
    feed: Collection<Document>,
    logs: Collection<Document>,
    request_keys: Collection<Document>,
    erasures: Collection<Document>,
    state: Collection<Document>,
    files: GridFsBucket,
    /// Held by the one sequencer of this process that is at work.
    sequencing: Arc<Mutex<()>>,
    server: String,
    lacking: Vec<&'static str>,
    deadline: Duration,
}

impl MongoStore {
    /// Connects to the server at `url`, and creates collections, validators, indexes and views in the
    /// database that it names (`promptcontent` if it names none). What the server cannot do is said
    /// in a log line. The URL may hold a password, so it is a secret.
    pub async fn connect(url: &SecretString) -> Result<Self, StoreError> {
        let (client, database) = connect::connect(url)
            .await
            .map_err(backend("connect to its database"))?;
        let mut store = Self {
            images: database.collection("images"),
            campaigns: database.collection("campaigns"),
            feed: database.collection("feed"),
            logs: database.collection("logs"),
            request_keys: database.collection("request_keys"),
            erasures: database.collection("erasures"),
            state: database.collection("state"),
            files: files::bucket(&database),
            sequencing: Arc::default(),
            server: within(
                DEADLINE,
                "connect to its database",
                connect::server(&database),
            )
            .await?,
            client,
            database,
            lacking: Vec::new(),
            deadline: DEADLINE,
        };
        store.lacking = setup::set_up(&store.database, &store.server)
            .await
            .map_err(backend("create its collections"))?;
        Ok(store)
    }

    /// With another longest time for one call than eight seconds, for a server that is known to be slow.
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// What the server cannot do and is done without, such as `views`.
    pub fn lacking(&self) -> &[&'static str] {
        &self.lacking
    }

    /// Collections with the schemas that their documents keep, as MongoDB's `$jsonSchema` has them. A
    /// server that has validators holds other writers to them.
    pub fn schemas() -> impl Iterator<Item = (&'static str, &'static str)> {
        setup::VALIDATED.into_iter()
    }

    /// Which server, such as `MongoDB 8.0.4` or `FerretDB v1.24.2`.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.client.clone().shutdown().await;
    }
}

#[async_trait]
impl ContentStore for MongoStore {
    async fn get(&self, ids: &[ImageId]) -> Result<Vec<ContentDocument>, StoreError> {
        let filter = doc! {"_id": {"$in": slugs(ids)}, "live": true};
        let found = self.within("read documents", self.all(filter)).await?;
        match found.as_slice() {
            [one] if ids.len() == 1 => Ok(vec![documents::document(one)?]),
            found => documents::readable(found, documents::document),
        }
    }

    async fn list(
        &self,
        after: Option<&ImageId>,
        limit: u32,
    ) -> Result<Vec<ContentDocument>, StoreError> {
        let filter = doc! {"live": true};
        self.page(filter, after, limit, documents::document).await
    }

    async fn put(
        &self,
        draft: &ContentDraft,
        now: OffsetDateTime,
    ) -> Result<PutOutcome, StoreError> {
        self.within("write a document", self.try_put(draft, now))
            .await
    }

    async fn create(
        &self,
        draft: &ContentDraft,
        request: &str,
        stamp: &Stamp,
    ) -> Result<Write, StoreError> {
        let creating = self.try_create(draft, request, stamp);
        self.within("create a document", creating).await
    }

    async fn replace(
        &self,
        draft: &ContentDraft,
        expected: i64,
        events: &[CampaignEvent],
        stamp: &Stamp,
    ) -> Result<Write, StoreError> {
        let replacing = self.try_replace(draft, expected, events, stamp);
        let says = !events.is_empty();
        self.within_and_told("replace a document", says, replacing)
            .await
    }

    async fn delete(
        &self,
        id: &ImageId,
        expected: Option<i64>,
        stamp: &Stamp,
    ) -> Result<Write, StoreError> {
        let deleting = self.try_delete(id, expected, stamp);
        self.within_and_told("delete a document", true, deleting)
            .await
    }

    async fn browse(
        &self,
        wanted: &Browse,
        after: Option<&ImageId>,
        limit: u32,
    ) -> Result<Page<ContentDocument>, StoreError> {
        let browsing = self.try_browse(wanted, after, limit);
        let found = self.within("read a page of documents", browsing).await?;
        documents::page(&found, limit, documents::document)
    }

    async fn alike(
        &self,
        image: &ImageFacts,
        within_bits: u32,
        limit: u32,
    ) -> Result<Vec<Duplicate>, StoreError> {
        let looking = self.try_alike(image, within_bits, limit);
        self.within("look for alike documents", looking).await
    }

    async fn pending(
        &self,
        after: Option<&ImageId>,
        limit: u32,
    ) -> Result<Vec<Pending>, StoreError> {
        let filter = doc! {"pending": true};
        self.page(filter, after, limit, documents::pending).await
    }

    async fn unpublished(&self) -> Result<u64, StoreError> {
        let filter = doc! {"pending": true};
        self.within("count documents", self.images.count_documents(filter))
            .await
    }

    async fn acknowledge(&self, accepted: &[(ImageId, i64)]) -> Result<(), StoreError> {
        self.within("acknowledge documents", self.try_acknowledge(accepted))
            .await
    }

    async fn raise_revision(&self, held: &[(ImageId, i64)]) -> Result<u64, StoreError> {
        self.within("raise revisions", self.try_raise(held)).await
    }

    async fn known(&self, ids: &[ImageId]) -> Result<Vec<ImageId>, StoreError> {
        let filter = doc! {"_id": {"$in": slugs(ids)}};
        let find = self.images.find(filter).projection(doc! {"_id": 1});
        let found = self.within("look for documents", async {
            find.await?.try_collect::<Vec<Document>>().await
        });
        let found = found.await?;
        let known = found.iter().filter_map(|found| found.get_str("_id").ok());
        let known: HashSet<&str> = known.collect();
        let is_known = |id: &&ImageId| known.contains(id.as_str());
        Ok(ids.iter().filter(is_known).cloned().collect())
    }

    async fn unacknowledge_all(&self) -> Result<u64, StoreError> {
        let filter = doc! {"acknowledged_revision": {"$gt": 0}};
        let update = doc! {"$set": {"acknowledged_revision": 0_i64, "pending": true}};
        let update = self.images.update_many(filter, update);
        let done = self.within("mark documents as unpublished", update).await?;
        Ok(done.modified_count)
    }

    async fn put_image(&self, image: &ImageFile) -> Result<(), StoreError> {
        self.within("write an image file", self.try_put_image(image))
            .await
    }

    async fn has_image(&self, sha256: &str) -> Result<bool, StoreError> {
        self.within("look for an image file", self.find_file(sha256))
            .await
            .map(|found| found.is_some())
    }

    async fn image(&self, sha256: &str) -> Result<Option<ImageFile>, StoreError> {
        self.within("read an image file", self.try_image(sha256))
            .await
    }

    async fn count(&self) -> Result<u64, StoreError> {
        let filter = doc! {"live": true};
        self.within("count documents", self.images.count_documents(filter))
            .await
    }

    async fn contents_version(&self) -> Result<i64, StoreError> {
        self.within("read its version", self.version()).await
    }
}

impl MongoStore {
    async fn all(&self, filter: Document) -> mongodb::error::Result<Vec<Document>> {
        self.images.find(filter).await?.try_collect().await
    }

    /// Bounds what is asked of the server, and says what it was for if it fails.
    async fn within<T>(
        &self,
        action: &'static str,
        asked: impl IntoFuture<Output = mongodb::error::Result<T>>,
    ) -> Result<T, StoreError> {
        within(self.deadline, action, asked).await
    }

    /// The next documents that can be read. A page of nothing but unreadable ones is no end.
    async fn page<T>(
        &self,
        mut filter: Document,
        after: Option<&ImageId>,
        limit: u32,
        read: fn(&Document) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut after = after.map(ToString::to_string);
        loop {
            if let Some(after) = &after {
                filter.insert("_id", doc! {"$gt": after});
            }
            let find = self.images.find(filter.clone()).sort(doc! {"_id": 1});
            let find = find.limit(i64::from(limit));
            let found: Vec<Document> = self
                .within("read a page of documents", async {
                    find.await?.try_collect().await
                })
                .await?;
            let readable = documents::readable(&found, read)?;
            match found.last() {
                Some(last) if readable.is_empty() => after = Some(documents::id(last)?),
                _ => return Ok(readable),
            }
        }
    }
}

/// Bounds what is asked of the server, and says what it was for if it fails.
async fn within<T>(
    deadline: Duration,
    action: &'static str,
    asked: impl IntoFuture<Output = mongodb::error::Result<T>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(deadline, Box::pin(asked.into_future())).await {
        Ok(answer) => answer.map_err(backend(action)),
        Err(_) => Err(backend(action)(format!("no answer within {deadline:?}"))),
    }
}

fn slugs(ids: &[ImageId]) -> Vec<&str> {
    ids.iter().map(ImageId::as_str).collect()
}

/// An error of our own among the driver's, which shows nothing but text.
fn custom(error: impl Display) -> mongodb::error::Error {
    mongodb::error::Error::custom(error.to_string())
}

fn backend<E: Into<Box<dyn Error + Send + Sync>>>(
    action: &'static str,
) -> impl Fn(E) -> StoreError + Copy {
    move |error| StoreError::Backend {
        action,
        source: error.into(),
    }
}
