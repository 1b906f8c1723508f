//! Words to terms to BM25 weights.

use contracts::Language;
use embedder::lexical::{
    Analyzer, Lexicon, SparseVector, Term,
    bm25::{B, K1, MAX_TERMS, document_weights, query_weights, term_index},
};
use proptest::prelude::*;

use crate::harness::id;

fn term(stem: &str) -> Term {
    Term {
        stem: stem.to_owned(),
        surface: stem.to_owned(),
    }
}

fn terms(stems: &[&str]) -> Vec<Term> {
    stems.iter().map(|stem| term(stem)).collect()
}

fn weights() -> impl Strategy<Value = Vec<(u32, f32)>> {
    prop::collection::vec((0_u32..60, 0.01_f32..10.0), 0..40)
}

fn naive_dot(a: &SparseVector, b: &SparseVector) -> f32 {
    let mut sum = 0.0;
    for (index, value) in a.indices.iter().zip(&a.values) {
        for (other, weight) in b.indices.iter().zip(&b.values) {
            if index == other {
                sum += value * weight;
            }
        }
    }
    sum
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn any_text_is_analysed(text in any::<String>()) {
        for language in Language::ALL {
            let analyzer = Analyzer::new(language);
            let terms = analyzer.terms(&text);
            for term in &terms {
                prop_assert!(!term.stem.is_empty(), "{term:?} of {text:?}");
                prop_assert!(text.contains(&term.surface), "{term:?} of {text:?}");
            }
            prop_assert_eq!(&terms, &analyzer.terms(&text));
            let vector = document_weights(&terms);
            prop_assert!(vector.values.iter().all(|weight| *weight > 0.0 && *weight < K1 + 1.0));
        }
    }

    #[test]
    fn any_word_of_letters_is_analysed(text in "[a-zA-Z0-9áéíóúñüÁÑçßøİıſﬃ'’_#·\u{301}\u{303} -]{0,60}") {
        for language in Language::ALL {
            for term in Analyzer::new(language).terms(&text) {
                prop_assert!(!term.stem.is_empty(), "{term:?} of {text:?}");
            }
        }
    }

    #[test]
    fn accents_and_case_never_matter(text in "[a-zñáéíóúü]{1,12}( [a-zñáéíóúü]{1,12}){0,4}") {
        let analyzer = Analyzer::new(Language::Es);
        let stems = |text: &str| -> Vec<String> {
            analyzer.terms(text).into_iter().map(|term| term.stem).collect()
        };
        let plain: String = text.chars().map(|c| match c {
            'á' => 'a', 'é' => 'e', 'í' => 'i', 'ó' => 'o', 'ú' | 'ü' => 'u', 'ñ' => 'n', c => c,
        }).collect();
        prop_assert_eq!(stems(&text), stems(&plain));
        prop_assert_eq!(stems(&text), stems(&text.to_uppercase()));
    }

    #[test]
    fn sparse_vectors_are_sorted_and_multiply_like_any(a in weights(), b in weights()) {
        let (left, right): (SparseVector, SparseVector) =
            (a.iter().copied().collect(), b.into_iter().collect());
        prop_assert!(left.indices.is_sorted_by(|x, y| x < y));
        let expected = naive_dot(&left, &right);
        prop_assert!((left.dot(&right) - expected).abs() <= 1e-4 * expected.max(1.0));
        prop_assert_eq!(left.dot(&right), right.dot(&left));
        for index in 0..60 {
            prop_assert_eq!(left.contains(index), a.iter().any(|(held, _)| *held == index));
        }
    }

    #[test]
    fn idf_is_never_negative_and_falls_with_frequency(
        documents in prop::collection::vec(prop::collection::vec("[a-e]", 0..5), 0..30),
    ) {
        let mut lexicon = Lexicon::default();
        for (number, stems) in documents.iter().enumerate() {
            let stems: Vec<Term> = stems.iter().map(|stem| term(stem)).collect();
            lexicon.put(&id(&format!("d{number}")), &stems);
        }
        let frequency = |stem: &str| documents.iter().filter(|d| d.iter().any(|t| t == stem)).count();
        let mut by_frequency: Vec<(usize, f32)> = ["a", "b", "c", "d", "e", "unheard"]
            .map(|stem| (frequency(stem), lexicon.idf(term_index(stem))))
            .to_vec();
        by_frequency.sort_by_key(|(frequency, _)| *frequency);
        for pair in by_frequency.windows(2) {
            prop_assert!(pair[1].1 >= 0.0 && pair[1].1 <= pair[0].1, "{by_frequency:?}");
        }
    }

    #[test]
    fn indices_fit_pgvector(stem in any::<String>()) {
        prop_assert!(term_index(&stem) < 1 << 29);
    }
}

#[test]
fn a_bm25_score_is_the_one_computed_by_hand() {
    // Five terms, `shoe` twice: tf 2, length 5, average 44.
    let document = document_weights(&terms(&["red", "shoe", "shoe", "run", "track"]));
    let length_factor = 1.0 - B + B * 5.0 / 44.0;
    assert!((length_factor - 0.335_227_27).abs() < 1e-6);
    let place = document.indices.binary_search(&term_index("shoe")).unwrap();
    // 2 * 2.2 / (2 + 1.2 * 0.335227)
    assert!(
        (document.values[place] - 1.831_616).abs() < 1e-4,
        "{}",
        document.values[place]
    );
    assert_eq!(document.indices.len(), 4);

    let mut lexicon = Lexicon::default();
    lexicon.put(&id("a"), &terms(&["shoe"]));
    lexicon.put(&id("b"), &terms(&["shoe", "beach"]));
    lexicon.put(&id("c"), &terms(&["beach"]));
    // ln(1 + (3 - 2 + 0.5) / (2 + 0.5))
    let query = query_weights(&terms(&["shoe", "shoe"]), &lexicon);
    assert_eq!(query.indices, [term_index("shoe")]);
    assert!((query.values[0] - 0.470_003_6).abs() < 1e-6);
    assert!(
        (query.dot(&document) - 0.860_866).abs() < 1e-4,
        "{}",
        query.dot(&document)
    );
    // ln(1 + 3.5 / 0.5)
    assert!((lexicon.idf(term_index("unheard")) - 2.079_441_5).abs() < 1e-6);
}

#[test]
fn a_vector_holds_a_thousand_terms_and_the_first_ones() {
    let names: Vec<String> = (0..MAX_TERMS + 500).map(|n| format!("t{n}")).collect();
    let mut many: Vec<Term> = names.iter().map(|name| term(name)).collect();
    many.push(term("t0"));
    let vector = document_weights(&many);
    assert_eq!(vector.indices.len(), MAX_TERMS);
    assert!(vector.contains(term_index("t0")));
    let weight =
        |stem: &str| vector.values[vector.indices.binary_search(&term_index(stem)).unwrap()];
    assert!(weight("t0") > weight("t1"), "a held term is still counted");
}

#[test]
fn a_run_of_letters_is_no_word() {
    let analyzer = Analyzer::new(Language::En);
    assert_eq!(analyzer.terms(&"x".repeat(40)).len(), 1);
    assert!(analyzer.terms(&"x".repeat(41)).is_empty());
    assert!(analyzer.terms(&"x".repeat(100_000)).is_empty());
}
