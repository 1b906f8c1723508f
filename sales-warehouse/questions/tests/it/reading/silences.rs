//! What used to be left out without a word: an "or" between conditions, and what a sentence beside the question says.

use sales_questions::{Outcome, reading::ClarifyReason};

use super::{query, read};

#[track_caller]
fn asks_back(question: &str) {
    match read(question) {
        Outcome::Clarify(_) => {}
        other => panic!("{question}: {other:?}"),
    }
}

#[test]
fn an_or_between_conditions_asks_back() {
    for question in [
        "campaigns with ROAS above 3 or CTR above 2%",
        "campañas con ROAS superior a 3 o más de 1.000 leads",
        "campaigns with ROAS above 3 or below 1",
        "revenue in Mexico or from LinkedIn",
        "ingresos de México o de LinkedIn en 2025",
        "spend in Spain or last month",
        "campaigns with no clicks or no leads",
    ] {
        asks_back(question);
    }
}

#[test]
fn an_or_between_members_or_times_is_either() {
    for question in [
        "revenue in Mexico or Spain",
        "ingresos de México o España por canal",
        "leads from LinkedIn or email campaigns in Chile",
        "clicks or impressions in Mexico in 2025",
        "campaigns without clicks or leads",
        "campañas con 50 ventas o más",
    ] {
        if let Outcome::Clarify(ask) = read(question) {
            assert_ne!(ask.reason, ClarifyReason::UnknownWord, "{question}");
        }
    }
    assert_eq!(query("revenue in Mexico or Spain").filters.len(), 1);
}

#[test]
fn a_sentence_beside_questions_is_about_them() {
    let both = query("How many clicks did we get? How many leads? In Mexico, last month.");
    assert_eq!(both.metrics, ["clicks", "leads"]);
    assert_eq!(both.filters.len(), 1);
    assert!(both.time.is_some());
    asks_back("How many clicks? How many leads? Excluding xyzzy.");
}

#[test]
fn a_question_that_has_ended_takes_nothing_from_the_next() {
    asks_back("How many leads did we get? How much revenue did Mexico bring in 2025?");
    let one = query("how many clicks and how many leads did we get in Mexico in 2025");
    assert_eq!(one.metrics, ["clicks", "leads"]);
    assert_eq!(one.filters.len(), 1);
}
