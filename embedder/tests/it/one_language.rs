//! Documents with texts in one language only, with the real model.

use std::sync::Arc;

use contracts::Language;
use embedder::{
    Service,
    index::{VectorIndex, memory::MemoryIndex},
    model::Embedder,
};
use service_kit::Clock;

use crate::harness::{FUSION, document, id, pool, request};

#[tokio::test]
async fn a_document_is_found_in_the_language_that_it_has_no_text_in() {
    let Some(pool) = pool() else {
        return;
    };
    let index: Arc<MemoryIndex> = Arc::new(MemoryIndex::default());
    let held = vec![Arc::clone(&index) as Arc<dyn VectorIndex>];
    let clock = Clock::system();
    let service = Service::with(pool as Arc<dyn Embedder>, held, FUSION, &clock);
    let service = service.await.unwrap();
    let mut shoes = document(
        "shoes",
        1,
        (
            "Zapatillas rojas en la pista",
            "Un par de zapatillas rojas para correr sobre una pista de atletismo al amanecer.",
        ),
        ("", ""),
    );
    shoes.text.remove(&Language::En);
    let coffee = document(
        "coffee",
        1,
        ("Café de la mañana", "Una taza de café humeante."),
        ("Morning coffee", "A steaming cup of coffee."),
    );
    let documents = vec![shoes, coffee];
    service.indexer().put(documents).await.unwrap();
    for text in ["zapatillas rojas para correr", "red running shoes"] {
        let answer = service.searcher().search(&request(text)).await.unwrap();
        assert_eq!(answer.hits.first().unwrap().id, id("shoes"), "{text}");
    }
    let entry = index.entries(vec![id("shoes")]).await.unwrap().remove(0);
    assert_eq!(entry.dense.en, entry.dense.es, "what is meant");
    assert!(
        entry.sparse.en.indices.is_empty(),
        "no word of it is English"
    );
    assert!(!entry.sparse.es.indices.is_empty());
}
