//! A real server, where `TEST_QDRANT_URL` or a `qdrant` on the PATH says that there is one.

use contracts::ModelId;
use embedder::index::{
    VectorIndex,
    qdrant::{QdrantIndex, QdrantOptions},
};
use qdrant_client::qdrant::{DeleteCollection, collections_client::CollectionsClient};
use uuid::Uuid;

use super::{connect, model};
use crate::index_contract::{DIMENSIONS, entry, put};

/// Names of its own, and a broom.
pub struct Litter {
    options: QdrantOptions,
    collections: Vec<String>,
}

impl Drop for Litter {
    fn drop(&mut self) {
        let (url, names) = (
            self.options.url.clone(),
            std::mem::take(&mut self.collections),
        );
        let sweep = async move {
            let mut collections = CollectionsClient::connect(url).await.unwrap();
            for collection_name in names {
                let delete = DeleteCollection {
                    collection_name,
                    timeout: None,
                };
                drop(collections.delete(delete).await);
            }
        };
        // A thread of its own: the test's is inside a runtime already.
        let sweeping = std::thread::spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.unwrap().block_on(sweep);
        });
        drop(sweeping.join());
    }
}

async fn options() -> Option<Litter> {
    let mut options = QdrantOptions::at(test_support::qdrant().await?);
    options.deadline_ms = 30_000;
    options.prefix = format!("test-{}", Uuid::new_v4().simple());
    Some(Litter {
        options,
        collections: Vec::new(),
    })
}

/// An index for the contract.
pub async fn fresh() -> Option<(Litter, QdrantIndex)> {
    let mut litter = options().await?;
    let index = connect(litter.options.clone()).await.unwrap();
    litter.collections.push(index.collection().to_owned());
    Some((litter, index))
}

#[tokio::test]
async fn a_real_server_keeps_and_swaps() {
    let Some((mut litter, index)) = fresh().await else {
        return;
    };
    println!("qdrant {}", index.version());
    index.maintain().await.unwrap();
    index.apply(vec![put(&entry("a", 1, "x"))]).await.unwrap();
    let settings = litter.options.clone().check().unwrap();
    let other = ModelId::new("other-model");
    let beside = QdrantIndex::connect(&settings, &other, DIMENSIONS)
        .await
        .unwrap();
    litter.collections.push(beside.collection().to_owned());
    beside.apply(vec![put(&entry("a", 1, "x"))]).await.unwrap();
    beside.maintain().await.unwrap();
    assert_eq!(
        beside.manifest().await.unwrap(),
        index.manifest().await.unwrap()
    );
    let again = QdrantIndex::connect(&settings, &model(), DIMENSIONS)
        .await
        .unwrap();
    assert_eq!(again.manifest().await.unwrap().documents(), 1);
}
