//! The schema that editors use accepts the model's extensions, and little else.

use jsonschema::Validator;
use serde_json::{Value, json};

const SCHEMA: &str = include_str!("../../../semantic/extensions.schema.json");
const FILES: [&str; 4] = [
    include_str!("../../../semantic/dimensions.yaml"),
    include_str!("../../../semantic/advertising.yaml"),
    include_str!("../../../semantic/leads.yaml"),
    include_str!("../../../semantic/sales.yaml"),
];

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

/// The schema of what stands at one kind of place.
fn of(place: &str) -> Validator {
    let mut schema = schema();
    schema["oneOf"].take();
    schema.as_object_mut().unwrap().remove("oneOf");
    schema["$ref"] = json!(format!("#/$defs/{place}"));
    jsonschema::validator_for(&schema).unwrap()
}

/// The extensions of everything in a list, read as JSON.
fn extensions(list: &Value) -> Vec<Value> {
    let all = list.as_array().into_iter().flatten();
    all.flat_map(|one| one["custom_extensions"].as_array().into_iter().flatten())
        .map(|one| serde_json::from_str(one["data"].as_str().unwrap()).unwrap())
        .collect()
}

#[test]
fn the_files_fit_the_schema() {
    let (dataset, dimension, metric) = (of("Dataset"), of("Dimension"), of("Metric"));
    let mut seen = [0; 3];
    let mut check = |place: usize, validator: &Validator, all: Vec<Value>| {
        for one in all {
            let faults: Vec<String> = validator
                .iter_errors(&one)
                .map(|one| one.to_string())
                .collect();
            assert!(faults.is_empty(), "{one}: {faults:?}");
            seen[place] += 1;
        }
    };
    for file in FILES {
        let read: Value = serde_saphyr::from_str(file).unwrap();
        let model = &read["semantic_model"][0];
        check(0, &dataset, extensions(&model["datasets"]));
        for one in model["datasets"].as_array().unwrap() {
            check(1, &dimension, extensions(&one["fields"]));
        }
        check(2, &metric, extensions(&model["metrics"]));
    }
    assert!(seen[0] >= 10 && seen[1] >= 15 && seen[2] >= 30, "{seen:?}");
}

#[test]
fn what_the_loader_refuses_the_schema_refuses() {
    let label = json!({"en": "a", "es": "a"});
    let description = json!({"es": "a"});
    for (place, wrong) in [
        ("Dataset", json!({"time": "day"})),
        ("Dataset", json!({"grain": "one", "colour": 1})),
        ("Dimension", json!({"label": {"en": "a"}})),
        ("Dimension", json!({"label": label, "display": "a; drop"})),
        (
            "Metric",
            json!({"label": label, "description": description, "unit": "EUR", "type": "sum"}),
        ),
        (
            "Metric",
            json!({"label": label, "description": description, "unit": "USD", "type": "ratio"}),
        ),
        (
            "Metric",
            json!({"label": label, "unit": "USD", "type": "sum"}),
        ),
    ] {
        assert!(!of(place).is_valid(&wrong), "{place}: {wrong}");
    }
}
