//! The cache in memory: the contract.

use content_api::cache::MemoryCache;

use super::contract;

#[tokio::test]
async fn it_keeps_the_contract() {
    contract::suite("moka, in this process", async |bounds: contract::Bounds| {
        MemoryCache::new(bounds.bytes as u64, bounds.lifetime)
    })
    .await;
}
