//! Searching a handful of documents with the real model.

use std::sync::Arc;

use contracts::{
    Filters, Language, SearchMode,
    search::{SearchAnswer, SearchRequest},
};
use embedder::{
    Service,
    index::{VectorIndex, memory::MemoryIndex},
    model::Embedder,
    search::{SearchError, fusion::FOLLOWERS},
};
use service_kit::Clock;

use crate::harness::{FUSION, document, pool, request};

/// A service with five pictures; `None` where there is no model.
async fn gallery() -> Option<Service> {
    let index: Arc<dyn VectorIndex> = Arc::new(MemoryIndex::default());
    let clock = Clock::system();
    let service = Service::with(pool()? as Arc<dyn Embedder>, vec![index], FUSION, &clock);
    let service = service.await.unwrap();
    let mut shoes = document(
        "running-shoes",
        1,
        (
            "Zapatillas rojas en la pista",
            "Un par de zapatillas rojas para correr sobre una pista de atletismo al amanecer.",
        ),
        (
            "Red shoes on the track",
            "A pair of red running shoes on an athletics track at sunrise.",
        ),
    );
    for (language, tag) in [
        (Language::Es, "#CorrerConGanas"),
        (Language::En, "#RunningShoes"),
    ] {
        shoes.text.get_mut(&language).unwrap().hashtags = vec![tag.to_owned()];
    }
    shoes.facets.themes = vec!["sport".to_owned()];
    let mut coffee = document(
        "coffee-cup",
        1,
        (
            "Café de la mañana",
            "Una taza de café humeante sobre una mesa de madera junto a una ventana con lluvia.",
        ),
        (
            "Morning coffee",
            "A steaming cup of coffee on a wooden table by a rainy window.",
        ),
    );
    coffee.facets.themes = vec!["food".to_owned()];
    let lighthouse = document(
        "lighthouse",
        1,
        (
            "Faro en la costa",
            "Un faro blanco sobre los acantilados, frente a un mar agitado por la tormenta.",
        ),
        (
            "Lighthouse on the coast",
            "A white lighthouse on the cliffs above a sea that a storm has stirred up.",
        ),
    );
    let office = document(
        "office-team",
        1,
        (
            "Equipo en la oficina",
            "Cuatro colegas conversan alrededor de una pantalla en una oficina luminosa.",
        ),
        (
            "Team at the office",
            "Four colleagues talk around a screen in a bright office.",
        ),
    );
    let puppy = document(
        "puppy-garden",
        1,
        (
            "Cachorro en el jardín",
            "Un cachorro juega con una pelota sobre la hierba de un jardín soleado.",
        ),
        (
            "Puppy in the garden",
            "A puppy plays with a ball on the grass of a sunny garden.",
        ),
    );
    let all = vec![shoes, coffee, lighthouse, office, puppy];
    service.indexer().put(all).await.unwrap();
    Some(service)
}

async fn ask(service: &Service, request: SearchRequest) -> SearchAnswer {
    service.searcher().search(&request).await.unwrap()
}

fn first(answer: &SearchAnswer) -> &str {
    answer.hits.first().map_or("nothing", |hit| hit.id.as_str())
}

#[tokio::test]
async fn both_languages_find_the_same_picture() {
    let Some(service) = gallery().await else {
        return;
    };
    for (es, en, expected) in [
        ("zapatillas para correr", "shoes to run in", "running-shoes"),
        (
            "algo caliente para beber un día de lluvia",
            "a hot drink on a wet day",
            "coffee-cup",
        ),
        (
            "torre junto al mar con olas",
            "a tower above rough waves",
            "lighthouse",
        ),
        ("reunión de trabajo", "a meeting at work", "office-team"),
        ("un perrito jugando", "a little dog playing", "puppy-garden"),
    ] {
        let (spanish, english) = (
            ask(&service, request(es)).await,
            ask(&service, request(en)).await,
        );
        assert_eq!(first(&spanish), expected, "{es}");
        assert_eq!(first(&english), expected, "{en}");
        assert_eq!(
            (spanish.language, english.language),
            (Language::Es, Language::En)
        );
        for answer in [spanish, english] {
            assert!(!answer.no_match);
            assert!(answer.hits.is_sorted_by(|a, b| a.score >= b.score));
            assert!(
                answer
                    .hits
                    .iter()
                    .all(|hit| (answer.floor * FOLLOWERS..=1.0).contains(&hit.score))
            );
            assert!(answer.hits[0].score >= answer.floor);
            assert_eq!(
                (answer.engine.as_str(), answer.model.as_str()),
                ("memory", "minilm-es-en-v1")
            );
            assert!(answer.embed_ms > 0.0 && answer.generation > 0);
        }
    }
}

#[tokio::test]
async fn a_typo_is_mended_and_the_reason_says_what_was_written() {
    let Some(service) = gallery().await else {
        return;
    };
    for (text, expected, word) in [
        ("ligthouse", "lighthouse", "ligthouse"),
        ("ZAPATILAS rojas", "running-shoes", "ZAPATILAS"),
        ("cofee", "coffee-cup", "cofee"),
    ] {
        let by_words = SearchRequest {
            mode: SearchMode::Lexical,
            ..request(text)
        };
        let answer = ask(&service, by_words).await;
        assert_eq!(first(&answer), expected, "{text}");
        let reason = &answer.hits[0].reason;
        assert!(
            reason.matched_terms.contains(&word.to_owned()),
            "{reason:?}"
        );
        assert!(reason.lexical > 0.0 && reason.lexical <= 1.0);
    }
}

#[tokio::test]
async fn matched_terms_are_the_querys_words_that_the_document_holds() {
    let Some(service) = gallery().await else {
        return;
    };
    let text = "Running SHOES, with running elephants; corriendo";
    let answer = ask(&service, request(text)).await;
    let hit = answer
        .hits
        .iter()
        .find(|hit| hit.id.as_str() == "running-shoes")
        .unwrap();
    let mut matched = hit.reason.matched_terms.clone();
    matched.sort_unstable();
    assert_eq!(matched, ["Running", "SHOES", "corriendo", "running"]);
}

#[tokio::test]
async fn nothing_that_fits_is_an_empty_answer_that_says_so() {
    let Some(service) = gallery().await else {
        return;
    };
    for text in ["quarterly tax declaration form", "🎉🎉🎉"] {
        let answer = ask(&service, request(text)).await;
        assert!(
            answer.no_match && answer.hits.is_empty(),
            "{text}: {:?}",
            answer.hits
        );
        assert_eq!(answer.floor, FUSION.fused_floor);
        let nearest = SearchRequest {
            min_score: Some(0.0),
            ..request(text)
        };
        let answer = ask(&service, nearest).await;
        assert!(!answer.no_match && answer.floor == 0.0);
        assert_eq!(answer.hits.len(), 5, "however far they are");
    }
    // A score that the request names cuts every hit, not only the first.
    let fitting = ask(&service, request("zapatillas rojas para correr")).await;
    let scores: Vec<f32> = fitting.hits.iter().map(|hit| hit.score).collect();
    let exact = SearchRequest {
        min_score: Some(scores[0]),
        ..request("zapatillas rojas para correr")
    };
    assert_eq!(ask(&service, exact).await.hits.len(), 1, "{scores:?}");
    let strict = SearchRequest {
        min_score: Some(0.99),
        ..request("un faro")
    };
    assert!(ask(&service, strict).await.no_match);
}

#[tokio::test]
async fn limits_and_filters_hold() {
    let Some(service) = gallery().await else {
        return;
    };
    let all = SearchRequest {
        min_score: Some(0.0),
        ..request("una imagen")
    };
    assert_eq!(ask(&service, all.clone()).await.hits.len(), 5);
    let two = SearchRequest {
        limit: 2,
        ..all.clone()
    };
    let best: Vec<_> = ask(&service, all.clone())
        .await
        .hits
        .into_iter()
        .take(2)
        .map(|h| h.id)
        .collect();
    let cut: Vec<_> = ask(&service, two)
        .await
        .hits
        .into_iter()
        .map(|hit| hit.id)
        .collect();
    assert_eq!(cut, best);
    let filters = Filters {
        themes: vec!["food".to_owned()],
        ..Filters::default()
    };
    let food = SearchRequest { filters, ..all };
    let answer = ask(&service, food).await;
    assert_eq!((first(&answer), answer.hits.len()), ("coffee-cup", 1));
}

#[tokio::test]
async fn each_mode_counts_its_own_evidence() {
    let Some(service) = gallery().await else {
        return;
    };
    for (mode, floor) in [
        (SearchMode::Dense, FUSION.dense_floor),
        (SearchMode::Lexical, FUSION.lexical_floor),
        (SearchMode::Fused, FUSION.fused_floor),
    ] {
        let answer = ask(
            &service,
            SearchRequest {
                mode,
                ..request("red running shoes")
            },
        )
        .await;
        assert_eq!(
            (first(&answer), answer.floor),
            ("running-shoes", floor),
            "{mode:?}"
        );
        let hit = &answer.hits[0];
        assert!(
            hit.reason.dense > 0.4 && hit.reason.lexical > 0.4,
            "{hit:?}"
        );
        if mode == SearchMode::Lexical {
            assert_eq!(hit.score, hit.reason.lexical);
        }
    }
    // No document holds this word, so words alone find nothing and meaning does.
    let synonym = |mode| SearchRequest {
        mode,
        ..request("sneakers")
    };
    assert!(ask(&service, synonym(SearchMode::Lexical)).await.no_match);
    assert_eq!(
        first(&ask(&service, synonym(SearchMode::Dense)).await),
        "running-shoes"
    );
}

#[tokio::test]
async fn a_given_language_is_believed_and_another_is_guessed() {
    let Some(service) = gallery().await else {
        return;
    };
    for (text, guessed) in [
        ("coffee", Language::En),
        ("the sea", Language::En),
        ("el mar", Language::Es),
        ("oficina", Language::Es),
        ("12345", Language::Es),
    ] {
        assert_eq!(
            ask(&service, request(text)).await.language,
            guessed,
            "{text}"
        );
        for given in Language::ALL {
            let told = SearchRequest {
                language: Some(given),
                ..request(text)
            };
            assert_eq!(ask(&service, told).await.language, given, "{text}");
        }
    }
}

#[tokio::test]
async fn equal_queries_get_equal_answers() {
    let Some(service) = gallery().await else {
        return;
    };
    let shown = |answer: SearchAnswer| -> Vec<(String, f32)> {
        answer
            .hits
            .into_iter()
            .map(|hit| (hit.id.to_string(), hit.score))
            .collect()
    };
    let all = || SearchRequest {
        min_score: Some(0.0),
        ..request("mañana")
    };
    assert_eq!(
        shown(ask(&service, all()).await),
        shown(ask(&service, all()).await)
    );
}

#[tokio::test]
async fn an_engine_that_is_not_there_is_an_error() {
    let Some(service) = gallery().await else {
        return;
    };
    let named = |engine: &str| SearchRequest {
        engine: Some(engine.to_owned()),
        ..request("faro")
    };
    assert_eq!(ask(&service, named("memory")).await.engine, "memory");
    let error = service.searcher().search(&named("solr")).await.unwrap_err();
    assert!(
        matches!(error, SearchError::UnknownEngine { .. }),
        "{error}"
    );
    assert_eq!(error.to_string(), "engine 'solr' is not one of: memory");
}
