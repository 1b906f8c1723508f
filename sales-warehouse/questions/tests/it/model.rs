//! Loading the semantic model: what is built in holds, and every fault is told.

use contracts::Language;
use sales_questions::{
    Model,
    model::{Kind, Unit},
};

const SMALL: &str = include_str!("model/small.yaml");

#[test]
fn the_built_in_model_is_as_large_as_promised() {
    let model = Model::builtin();
    assert!(model.metrics().len() >= 30, "{}", model.metrics().len());
    assert!(
        model.dimensions().len() >= 15,
        "{}",
        model.dimensions().len()
    );
    for metric in model.metrics() {
        assert!(!metric.synonyms.is_empty(), "{}", metric.name);
        assert!(
            !metric.description(Language::En).is_empty(),
            "{}",
            metric.name
        );
    }
    let roas = model.metric("roas").unwrap();
    assert_eq!((roas.unit, roas.kind), (Unit::Ratio, Kind::Ratio));
    assert!(!roas.lower_is_better());
    let response = model.metric("response_time").unwrap();
    assert_eq!(response.label(Language::Es), "Tiempo de respuesta");
    assert!(response.lower_is_better());
    let market = model.dimension("market").unwrap();
    assert!(market.values["MX"].contains(&"méxico".to_owned()));
}

#[test]
fn a_metric_reaches_what_its_rows_lead_to() {
    let model = Model::builtin();
    for (metric, dimension) in [
        ("spend", "audience"),
        ("revenue", "category"),
        ("revenue", "lead_source"),
        // Over customers, as the dataset says.
        ("interactions", "market"),
        // Through ads, which the alternative counts.
        ("campaigns", "channel"),
        ("churned_subscriptions", "product"),
        ("roas", "campaign"),
        ("cumulative_revenue", "product"),
        ("content_uses", "hashtag"),
        ("ctr", "hashtag"),
        // Through ads.
        ("campaigns", "hashtag"),
        ("reactions", "hashtag"),
    ] {
        assert!(model.reaches(metric, dimension), "{metric} by {dimension}");
    }
    for (metric, dimension) in [
        ("spend", "product"),
        // One of its parts does not.
        ("roas", "product"),
        ("leads", "content"),
        ("revenue", "hashtag"),
        ("revenue_per_content_use", "hashtag"),
        ("revenue", "nothing"),
        ("nothing", "market"),
    ] {
        assert!(!model.reaches(metric, dimension), "{metric} by {dimension}");
    }
}

#[test]
fn a_small_model_loads() {
    let model = Model::load(&[("small.yaml", SMALL)]).unwrap();
    assert!(model.reaches("spend_per_sale", "shop"));
}

/// The small model with a text replaced, and what the one fault must say.
#[test]
fn each_fault_is_told() {
    for (from, to, expected) in [
        (
            "SUM(costs.usd)",
            "SUM(costs.euro)",
            "euro is no field of costs",
        ),
        ("SUM(costs.usd)", "SUM(price.usd)", "price is no dataset"),
        (
            "SUM(costs.usd)",
            "SUM(costs.usd",
            "parentheses do not match",
        ),
        (
            "SUM(costs.usd)",
            "SUM(costs.usd); DROP",
            "';' may not stand",
        ),
        (
            "SUM(costs.usd)",
            "SUM(costs.usd + sales.usd)",
            "no join path between",
        ),
        (
            "\"numerator\": \"spend\"",
            "\"numerator\": \"spent\"",
            "spent is no metric",
        ),
        (
            "\"numerator\": \"spend\"",
            "\"numerator\": \"spend_per_sale\"",
            "is made of itself",
        ),
        ("\"numerator\": \"spend\",", "", "has no numerator"),
        (
            "[\"spend\", \"gasto\"]",
            "[\"spend\", \"Sales\"]",
            "synonym 'sales' is also metric spend's",
        ),
        (
            "[\"spend\", \"gasto\"]",
            "[\"spend\", \"Spend\"]",
            "synonym 'Spend' twice",
        ),
        (
            "[\"city\", \"ciudad\"]",
            "[\"city\", \"shop\"]",
            "also dimension",
        ),
        ("[\"norte\"]", "[\"Sur\"]", "is also city member"),
        (
            "\"label\": {\"en\": \"Spend\", \"es\": \"Gasto\"}",
            "\"label\": {\"en\": \"Spend\"}",
            "missing field `es`",
        ),
        (
            "\"unit\": \"USD\", \"type\": \"sum\"",
            "\"unit\": \"EUR\", \"type\": \"sum\"",
            "unknown variant `EUR`",
        ),
        (
            "\"type\": \"sum\"",
            "\"type\": \"sum\", \"colour\": 1",
            "unknown field `colour`",
        ),
        (
            "to_columns: [shop_id]}",
            "to_columns: [city]}",
            "the join would multiply rows",
        ),
        (
            "from_columns: [shop_id]",
            "from_columns: [place]",
            "place is no column of",
        ),
        ("from: costs", "from: prices", "prices is no dataset"),
        (
            "\"time\": \"day\"",
            "\"time\": \"usd\"",
            "its time 'usd' is no field that is_time",
        ),
        (
            "\"time\": \"day\"",
            "\"time\": \"day\", \"rollups\": [{\"source\": \"marts.months\", \"sums\": [\"euro\"]}]",
            "rollup marts.months: 'euro' is no field",
        ),
        (
            "\"time\": \"day\"",
            "\"time\": \"day\", \"rollups\": [{\"source\": \"months\", \"sums\": []}]",
            "its source is not schema.table",
        ),
        (
            "source: marts.costs",
            "source: marts.costs; DROP",
            "is not schema.table",
        ),
        ("version: \"0.1.1\"", "version: \"9\"", "expected 0.1.1"),
        (
            "name: costs\n",
            "name: costs\n        colour: red\n",
            "colour",
        ),
        ("name: spend\n", "name: sales\n", "stands twice"),
        (
            "name: spend\n",
            "name: shop\n",
            "a dimension has the same name",
        ),
    ] {
        assert!(SMALL.contains(from), "{from}");
        let broken = SMALL.replacen(from, to, 1);
        let faults = Model::load(&[("small.yaml", &broken)]).unwrap_err();
        let told = faults.to_string();
        assert!(told.contains(expected), "{to}: {told}");
    }
}

#[test]
fn several_faults_are_told_at_once() {
    let broken = SMALL
        .replace("SUM(costs.usd)", "SUM(costs.euro)")
        .replace("\"es\": \"Ciudad\"", "\"fr\": \"Ville\"")
        .replace("to_columns: [shop_id]", "to_columns: [city]");
    let faults = Model::load(&[("small.yaml", &broken)]).unwrap_err();
    assert!(faults.0.len() >= 3, "{faults}");
    assert!(faults.to_string().starts_with("the semantic model has "));
}

#[test]
fn two_equally_short_paths_need_a_statement() {
    let more = SMALL.replacen(
        "    relationships:\n",
        "    relationships:\n      - {name: again, from: costs, to: shops, from_columns: [shop_id], to_columns: [shop_id]}\n",
        1,
    );
    let faults = Model::load(&[("small.yaml", &more)]).unwrap_err();
    let told = faults.to_string();
    assert!(told.contains("to shops, several join paths"), "{told}");
    let stated = more.replacen(
        "\"grain\": \"one cost\"",
        "\"grain\": \"one cost\", \"paths\": {\"shops\": [\"again\"]}",
        1,
    );
    Model::load(&[("small.yaml", &stated)]).unwrap();
}
