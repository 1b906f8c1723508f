//! The part of the contract that is about filters: they are part of the retrieval, not a sieve.

use contracts::{
    Filters,
    content::{Orientation, Status},
    index::Facets,
};
use embedder::{
    index::{IndexQuery, PerLanguage, VectorIndex},
    lexical::SparseVector,
};

use crate::{
    harness::id,
    index_contract::{entry, found, leaning, nearest_to, put, sparse, with_words},
};

/// Many near documents that do not fit must not push the far one that does out of the lists.
pub async fn filters_are_part_of_the_retrieval(index: &dyn VectorIndex) {
    const CROWD: usize = 120;
    let crowd = (0..CROWD).map(|n| {
        let mut near = entry(&format!("near-{n}"), 1, "x");
        near.document.facets.territories = vec!["MX".to_owned()];
        near.document.facets.usable_from = "2021-01-01".to_owned();
        near.document.facets.usable_until = Some("2021-12-31".to_owned());
        near.dense.es = leaning(0, n as f32 / 1000.0);
        put(&near)
    });
    let mut far = entry("far", 1, "x");
    far.dense = PerLanguage {
        es: leaning(6, 0.0),
        en: leaning(6, 0.0),
    };
    far.sparse.es = sparse(&[(7, 0.01)]);
    far.document.facets = Facets {
        status: Status::Retired,
        themes: vec!["food".to_owned(), "home".to_owned()],
        campaign_themes: vec!["christmas".to_owned()],
        channels: vec!["social".to_owned()],
        audience: vec!["students".to_owned()],
        orientation: Orientation::Portrait,
        territories: vec!["CR".to_owned()],
        usable_from: "2022-01-01".to_owned(),
        usable_until: None,
    };
    let mut approved = far.clone();
    approved.document.id = id("far-approved");
    approved.document.facets.status = Status::Approved;
    approved.document.facets.territories = vec!["*".to_owned()];
    approved.document.facets.usable_until = Some("2022-06-30".to_owned());
    let changes = crowd.chain([put(&far), put(&approved)]).collect();
    index.apply(changes).await.unwrap();

    let only = || Filters::default();
    let list = |values: &[&str]| values.iter().map(|v| (*v).to_owned()).collect::<Vec<_>>();
    let conditions = [
        Filters {
            themes: list(&["nothing", "home"]),
            ..only()
        },
        Filters {
            campaign_themes: list(&["christmas"]),
            ..only()
        },
        Filters {
            channels: list(&["social"]),
            ..only()
        },
        Filters {
            audience: list(&["students"]),
            ..only()
        },
        Filters {
            orientation: vec![Orientation::Square, Orientation::Portrait],
            ..only()
        },
        Filters {
            territory: Some("CR".to_owned()),
            ..only()
        },
        Filters {
            usable_on: Some("2022-01-01".to_owned()),
            ..only()
        },
        Filters {
            usable_on: Some("2022-06-30".to_owned()),
            ..only()
        },
        Filters {
            themes: list(&["food"]),
            channels: list(&["social"]),
            ..only()
        },
    ];
    for filters in conditions {
        for by_words in [false, true] {
            let mut query = nearest_to(leaning(0, 0.0));
            if by_words {
                query = with_words(sparse(&[(7, 1.0)]), SparseVector::default());
            }
            query.filters = filters.clone();
            let ids = found(index, query).await;
            assert_eq!(ids, [id("far-approved")], "{filters:?}, words: {by_words}");
        }
    }

    let retired = IndexQuery {
        status: Status::Retired,
        ..nearest_to(leaning(0, 0.0))
    };
    assert_eq!(found(index, retired).await, [id("far")], "status");
    let count = |filters: Filters, status: Status| async move {
        let query = IndexQuery {
            filters,
            status,
            depth: 2 * CROWD,
            ..nearest_to(leaning(0, 0.0))
        };
        found(index, query).await.len()
    };
    let territory = |code: &str| Filters {
        territory: Some(code.to_owned()),
        ..only()
    };
    let on = |day: &str| Filters {
        usable_on: Some(day.to_owned()),
        ..only()
    };
    assert_eq!(count(territory("MX"), Status::Approved).await, CROWD + 1);
    assert_eq!(count(on("2021-12-31"), Status::Approved).await, CROWD);
    assert_eq!(count(on("2020-12-31"), Status::Approved).await, 0);
    assert_eq!(count(on("2022-07-01"), Status::Approved).await, 0);
    assert_eq!(count(on("2099-12-31"), Status::Retired).await, 1, "no end");
    let contradiction = Filters {
        themes: list(&["food"]),
        channels: list(&["email"]),
        ..only()
    };
    assert_eq!(count(contradiction, Status::Approved).await, 0, "all apply");
}
