//! After the load: waits until the system itself says that everything is level, and reads what
//! everybody holds.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use content_api::{PostgresStore, index_document, store::ContentStore};
use contracts::{ContentDocument, ImageId, index::ManifestDigest};
use embedder::index::{Change, Tombstone, VectorIndex};

use super::{client::Client, compare::Holdings, system::System};
use crate::session::Session;

/// The service compares its stores every minute, and mends what differs.
const PATIENCE: Duration = Duration::from_secs(150);
const PAGE: u32 = 256;

/// How long it took, or `None` when it did not come to rest.
pub async fn wait(system: &System, store: &PostgresStore) -> anyhow::Result<Option<Duration>> {
    let session = Session::connect(system.home.clone(), system.endpoints.clone(), None)?;
    let from = Instant::now();
    while from.elapsed() < PATIENCE {
        if is_level(&session, store).await? {
            return Ok(Some(from.elapsed()));
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Ok(None)
}

/// Nothing is to be published, and every index says that it holds what is stored.
async fn is_level(session: &Session, store: &PostgresStore) -> anyhow::Result<bool> {
    if store.unpublished().await? > 0 {
        return Ok(false);
    }
    let Ok(Ok(status)) = session.index_status().await else {
        return Ok(false);
    };
    let mut digest = ManifestDigest::default();
    for (id, document) in stored(store).await? {
        digest.add(&id, &index_document(&document).content_hash());
    }
    let wanted = digest.finish();
    let level =
        |index: &contracts::index::EngineStatus| index.ready && index.manifest_sha256 == wanted;
    Ok(status.indexes.iter().all(level))
}

async fn stored(store: &PostgresStore) -> anyhow::Result<BTreeMap<ImageId, ContentDocument>> {
    let (mut all, mut after): (BTreeMap<_, _>, Option<ImageId>) = (BTreeMap::new(), None);
    loop {
        let page = store.list(after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(all);
        };
        after = Some(last.id.clone());
        all.extend(
            page.into_iter()
                .map(|document| (document.id.clone(), document)),
        );
    }
}

/// Reads every store, with no service running. With `tamper`, the last index forgets a document
/// before.
pub async fn holdings(
    system: &System,
    client: &Client,
    store: &PostgresStore,
    tamper: bool,
) -> anyhow::Result<Holdings> {
    let indexes = embedder::Service::open(system.embedder_config()).await?;
    let stored = stored(store).await?;
    if tamper {
        let last = indexes.last().context("there is no index")?;
        forget_one(last, &stored).await?;
    }
    let mut holdings = Holdings {
        accepted: client.ledger.all(),
        stored,
        indexes: Vec::new(),
    };
    for index in indexes {
        let manifest = index.manifest().await?;
        holdings.indexes.push((index.engine().to_owned(), manifest));
    }
    Ok(holdings)
}

async fn forget_one(
    index: &Arc<dyn VectorIndex>,
    stored: &BTreeMap<ImageId, ContentDocument>,
) -> anyhow::Result<()> {
    let (id, document) = stored.iter().next().context("nothing is stored")?;
    let tombstone = Tombstone {
        id: id.clone(),
        revision: document.revision,
    };
    Ok(index.apply(vec![Change::Delete(tombstone)]).await?)
}

/// Documents whose image file is not there.
pub async fn lost_images(
    store: &PostgresStore,
    stored: &BTreeMap<ImageId, ContentDocument>,
) -> anyhow::Result<Vec<String>> {
    let mut lost = Vec::new();
    for (id, document) in stored {
        for image in std::iter::once(&document.image).chain(&document.former_images) {
            if !store.has_image(&image.sha256).await? {
                lost.push(format!(
                    "content store: {id} lacks its image file {}",
                    image.sha256
                ));
            }
        }
    }
    Ok(lost)
}
