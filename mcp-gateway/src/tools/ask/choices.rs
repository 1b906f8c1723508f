//! Asking back, and hearing what was chosen.
//!
//! A client of 2026-07-28 that can show forms gets an `input_required` result, and calls again with
//! what its user chose. Everybody else gets an ordinary result with the choices and the calls that
//! they stand for. Nothing is kept between two rounds: a choice names itself in full, and is looked
//! for among the choices of the moment.

use std::collections::BTreeMap;

use contracts::{Language, MetricQuery, sales};
use rmcp::model::{
    ElicitRequest, ElicitRequestParams, ElicitationSchema, InputRequest, InputRequiredResult,
    InputResponses,
};
use serde_json::{Value, json};

use super::{answer::Choice, messages};
use crate::{
    routing::Route,
    tools::{
        cursor::digest,
        query_sales,
        stored_text::{clean, unmarked},
    },
};

/// The one request of an `input_required` result.
const REQUEST: &str = "clarification";
/// Most choices that are offered.
const MAX_CHOICES: usize = 10;

/// What a user can choose.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Offer {
    /// Where the question goes.
    Route(Route),
    /// What the warehouse is asked.
    Query(Box<MetricQuery>),
    /// Another question, which only the user can write.
    Reword,
}

/// A choice with what it stands for.
#[derive(Clone, Debug)]
pub(crate) struct Offered {
    /// What travels for it in a form.
    id: String,
    label: String,
    pub(crate) offer: Offer,
}

/// What came back from a form.
#[derive(Debug, PartialEq)]
pub(crate) enum Reply {
    /// Nothing was asked, or nothing of ours came back.
    None,
    /// The user does not choose.
    Declined,
    /// The id of a choice.
    Chosen(String),
}

/// Images or figures?
pub(crate) fn routes(language: Language) -> Vec<Offered> {
    [
        (Route::Content, messages::images(language)),
        (Route::Warehouse, messages::figures(language)),
        (Route::Both, messages::images_and_figures(language)),
    ]
    .map(|(route, label)| Offered {
        id: route.as_str().to_owned(),
        label: label.to_owned(),
        offer: Offer::Route(route),
    })
    .into()
}

/// What the warehouse offers after a question back.
pub(crate) fn queries(choices: &[sales::Choice]) -> Vec<Offered> {
    let mut offered: Vec<Offered> = Vec::new();
    for choice in choices.iter().take(MAX_CHOICES) {
        let label = clean(&choice.label, 120);
        let id = match &choice.query {
            Some(query) => {
                let written = serde_json::to_string(query).unwrap_or_default();
                format!("warehouse/{}", digest(&written))
            }
            None => format!("reword/{}", digest(&label)),
        };
        if offered.iter().all(|other| other.id != id) {
            let offer = match &choice.query {
                Some(query) => Offer::Query(Box::new(query.clone())),
                None => Offer::Reword,
            };
            offered.push(Offered { id, label, offer });
        }
    }
    offered
}

/// The choice of that id.
pub(crate) fn find(offered: Vec<Offered>, id: &str) -> Option<Offer> {
    let mut all = offered.into_iter();
    all.find(|one| one.id == id).map(|one| one.offer)
}

/// As an ordinary result shows them.
pub(crate) fn shown(offered: &[Offered], question: &str, language: Language) -> Vec<Choice> {
    let choice = |one: &Offered| {
        let (tool, arguments) = match &one.offer {
            Offer::Route(route) => {
                let arguments = json!({
                    "question": question, "language": language, "route": route,
                });
                (Some(super::NAME), Some(arguments))
            }
            Offer::Query(query) => {
                let mut arguments = serde_json::to_value(query).unwrap_or_default();
                if let Value::Object(fields) = &mut arguments {
                    fields.retain(|_, value| !value.is_null());
                    fields.insert("language".into(), json!(language));
                }
                (Some(query_sales::NAME), Some(arguments))
            }
            Offer::Reword => (None, None),
        };
        Choice {
            label: one.label.clone(),
            tool: tool.map(str::to_owned),
            arguments,
        }
    };
    offered.iter().map(choice).collect()
}

/// As a form. `None` where there is nothing to choose from.
pub(crate) fn form(message: &str, offered: &[Offered]) -> Option<InputRequiredResult> {
    let options: Vec<Value> = offered
        .iter()
        .filter(|one| one.offer != Offer::Reword)
        .map(|one| json!({"const": one.id, "title": unmarked(&one.label)}))
        .collect();
    if options.len() < 2 {
        return None;
    }
    let schema = json!({
        "type": "object",
        "properties": {"choice": {"type": "string", "oneOf": options}},
        "required": ["choice"],
    });
    let Value::Object(schema) = schema else {
        return None;
    };
    let requested_schema = ElicitationSchema::from_json_schema(schema).ok()?;
    let request = ElicitRequest::new(ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: message.to_owned(),
        requested_schema,
    });
    let requests = BTreeMap::from([(REQUEST.to_owned(), InputRequest::Elicitation(request))]);
    Some(InputRequiredResult::from_input_requests(requests))
}

/// Reads what a form came back with. It comes from the client and is believed in nothing but which
/// of our own choices it names.
pub(crate) fn reply(responses: Option<&InputResponses>) -> Reply {
    let Some(response) = responses.and_then(|all| all.get(REQUEST)) else {
        return Reply::None;
    };
    // Some clients send the result alone, some with its JSON-RPC name around it.
    let response = response.get("result").unwrap_or(response);
    match (
        response["action"].as_str(),
        response["content"]["choice"].as_str(),
    ) {
        (Some("accept"), Some(id)) => Reply::Chosen(id.chars().take(100).collect()),
        _ => Reply::Declined,
    }
}

#[cfg(test)]
mod tests {
    use super::{Offer, Reply, find, form, queries, reply, routes};
    use crate::routing::Route;
    use contracts::{Language, MetricQuery, sales::Choice};
    use serde_json::json;

    fn choice(label: &str, metric: Option<&str>) -> Choice {
        Choice {
            label: label.to_owned(),
            query: metric.map(|metric| MetricQuery {
                metrics: vec![metric.to_owned()],
                ..MetricQuery::default()
            }),
        }
    }

    #[test]
    fn a_choice_is_found_again_by_what_it_asks() {
        let first = queries(&[
            choice("Revenue", Some("revenue")),
            choice("ROAS", Some("roas")),
        ]);
        let id = first[1].id.clone();
        // Another order, another label, the same query.
        let later = queries(&[choice("The ROAS", Some("roas")), choice("Else", None)]);
        let Some(Offer::Query(query)) = find(later, &id) else {
            panic!("lost")
        };
        assert_eq!(query.metrics, ["roas"]);
        assert_eq!(
            find(routes(Language::Es), "content"),
            Some(Offer::Route(Route::Content))
        );
        assert_eq!(find(routes(Language::Es), "neither"), None);
    }

    #[test]
    fn a_form_needs_something_to_choose_from() {
        assert!(form("?", &queries(&[choice("Only", Some("roas"))])).is_none());
        assert!(form("?", &queries(&[choice("a", None), choice("b", None)])).is_none());
        let form = form("Which?", &routes(Language::En)).unwrap();
        let written = serde_json::to_value(&form).unwrap();
        let request = &written["inputRequests"]["clarification"];
        assert_eq!(written["resultType"], "input_required");
        assert_eq!(request["method"], "elicitation/create");
        let options = &request["params"]["requestedSchema"]["properties"]["choice"]["oneOf"];
        assert_eq!(
            options[0],
            json!({"const": "content", "title": "The images"})
        );
    }

    #[test]
    fn only_an_accepted_choice_counts() {
        let of = |value| reply(Some(&[("clarification".to_owned(), value)].into()));
        assert_eq!(reply(None), Reply::None);
        assert_eq!(
            reply(Some(&[("other".to_owned(), json!({}))].into())),
            Reply::None
        );
        assert_eq!(
            of(json!({"action": "accept", "content": {"choice": "content"}})),
            Reply::Chosen("content".to_owned())
        );
        for declined in [
            json!({"action": "decline"}),
            json!({"action": "cancel", "content": {"choice": "content"}}),
            json!({"action": "accept"}),
            json!("accept"),
        ] {
            assert_eq!(of(declined), Reply::Declined);
        }
    }
}
