//! What cannot be asked is said; what can is one statement whose values are parameters.

use contracts::Language;
use sales_questions::{MetricQuery, Model, compile, compiling::Bind};
use serde_json::{Value, json};
use time::macros::date;

fn compiled(query: Value) -> Result<sales_questions::Statement, String> {
    let read: MetricQuery = serde_json::from_value(query).unwrap();
    let today = date!(2026 - 11 - 22);
    compile(Model::builtin(), &read, Language::En, today).map_err(|error| error.to_string())
}

#[test]
fn each_fault_of_a_query_is_told() {
    let filter = |field: &str, op: &str, value: Value| json!({"metrics": ["leads"], "filters": [{"field": field, "op": op, "value": value}]});
    let order =
        |order: Value| json!({"metrics": ["leads"], "dimensions": ["market"], "order": [order]});
    let year = json!({"from": "2026-01-01", "to": "2027-01-01"});
    for (query, expected) in [
        (json!({}), "neither a metric nor a dimension"),
        (json!({"metrics": ["stock"]}), "no metric 'stock'"),
        (
            json!({"metrics": ["leads"], "dimensions": ["city"]}),
            "no dimension 'city'",
        ),
        (
            json!({"metrics": ["leads", "leads"]}),
            "'leads' is asked for twice",
        ),
        (
            json!({"metrics": ["leads"], "dimensions": ["content"]}),
            "leads cannot be told apart by content",
        ),
        (
            json!({"metrics": ["roas"], "dimensions": ["product"]}),
            "roas cannot be told apart by product",
        ),
        // A filter that a fact does not know never passes in silence.
        (
            json!({"metrics": ["spend"], "filters": [{"field": "product", "op": "=", "value": "X"}]}),
            "spend cannot be told apart by product",
        ),
        (filter("city", "=", json!("x")), "'city' is neither"),
        (
            filter("market", ">", json!("ES")),
            "> does not go with market",
        ),
        (filter("market", "=", json!(["ES"])), "must be one member"),
        (filter("market", "in", json!("ES")), "must be a list"),
        (filter("market", "in", json!([])), "at least one"),
        (filter("market", "=", json!(7)), "must be one member"),
        (
            filter("leads", "in", json!([1, 2])),
            "in does not go with leads",
        ),
        (filter("leads", ">", json!("many")), "must be one number"),
        (
            filter("leads", "between", json!([5, 1])),
            "the smaller first",
        ),
        (filter("leads", "between", json!([5])), "two numbers"),
        (json!({"metrics": ["leads"], "limit": 0}), "from 1 to 1000"),
        (
            json!({"metrics": ["leads"], "limit": 1001}),
            "from 1 to 1000",
        ),
        (
            json!({"metrics": ["leads"], "time": {"from": "2026-02-01", "to": "2026-02-01"}}),
            "has no day in it",
        ),
        (
            order(json!({"by": "sales_tax", "dir": "asc"})),
            "'sales_tax' is neither",
        ),
        (
            order(json!({"by": "channel", "dir": "asc"})),
            "none of the dimensions asked for",
        ),
        (
            order(json!({"by": "time", "dir": "asc"})),
            "time needs a grain",
        ),
        (
            order(json!({"by": "leads", "dir": "asc", "measure": "growth"})),
            "needs a comparison",
        ),
        (
            order(json!({"by": "leads", "dir": "asc", "measure": "share"})),
            "share_of_total",
        ),
        (
            order(json!({"by": "leads", "dir": "asc", "within": "channel"})),
            "one of the dimensions",
        ),
        (
            order(json!({"by": "leads", "dir": "asc", "within": "market"})),
            "needs a limit",
        ),
        (
            json!({"metrics": ["leads"], "compare": "previous_period"}),
            "first and a last day",
        ),
        (
            json!({"metrics": ["leads"], "compare": "previous_year"}),
            "state a time",
        ),
        (
            json!({"metrics": ["leads"], "compare": "share_of_total"}),
            "a share needs a dimension",
        ),
        (
            json!({"metrics": ["ctr"], "dimensions": ["market"], "compare": "share_of_total"}),
            "metrics that add up",
        ),
        (
            json!({"metrics": ["leads"], "compare": {"from": "2026-01-01"}, "time": year}),
            "first and a last day",
        ),
        (
            json!({"dimensions": ["market"], "compare": "previous_year", "time": year}),
            "it needs a metric",
        ),
        (
            json!({"dimensions": ["channel"], "grain": "month"}),
            "has no date",
        ),
        (
            json!({"dimensions": ["reaction_type", "lead_source"]}),
            "nothing connects",
        ),
        (
            json!({"metrics": vec!["leads"; 11]}),
            "11 are too many; at most 10",
        ),
    ] {
        let told = compiled(query.clone()).expect_err(&query.to_string());
        assert!(told.contains(expected), "{query}: {told}");
        let query: MetricQuery = serde_json::from_value(query).unwrap();
        let error = compile(
            Model::builtin(),
            &query,
            Language::Es,
            date!(2026 - 11 - 22),
        )
        .unwrap_err();
        let spanish = error.message(Language::Es);
        let english = [
            "the ", " needs ", " must ", " does ", " with ", " one ", " has ", " cannot ",
        ];
        assert_ne!(spanish, told);
        assert!(
            !english.iter().any(|word| spanish.contains(word)),
            "{spanish}"
        );
    }
}

#[test]
fn values_are_parameters_and_days_are_dates() {
    let hostile = "x'; DROP TABLE core.fact_sale; --";
    let statement = compiled(json!({
        "metrics": ["revenue", "roas"], "dimensions": ["campaign"], "grain": "month",
        "filters": [{"field": "market", "op": "not_in", "value": ["ES", hostile]},
            {"field": "status", "op": "=", "value": hostile},
            {"field": "revenue", "op": ">", "value": 12345.5}],
        "time": {"from": "2026-01-01", "to": "2026-07-01"}, "limit": 7}))
    .unwrap();
    for value in ["DROP", "12345", "2026-01-01", "ES'"] {
        assert!(!statement.sql.contains(value), "{}", statement.sql);
    }
    for bind in [
        Bind::Text(hostile.to_owned()),
        Bind::Texts(vec!["ES".to_owned(), hostile.to_owned()]),
        Bind::Number(12_345.5),
        Bind::Integer(7),
        Bind::Date(date!(2026 - 01 - 01)),
    ] {
        assert!(statement.binds.contains(&bind), "{bind:?}");
    }
    assert!(!statement.sql.contains(';'), "one statement");
    // The partition's own column is compared, so that months out of the range are never read.
    assert!(
        statement.sql.contains("b.sold_on >= $1"),
        "{}",
        statement.sql
    );
    assert!(statement.sql.contains("b.day >= $1"), "{}", statement.sql);
}

#[test]
fn each_fact_is_counted_by_itself() {
    let statement =
        compiled(json!({"metrics": ["revenue", "spend", "leads"], "dimensions": ["channel"]}))
            .unwrap();
    for fact in ["f0 AS", "f1 AS", "f2 AS"] {
        assert!(statement.sql.contains(fact), "{}", statement.sql);
    }
    let names: Vec<&str> = statement
        .columns
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(
        names,
        ["channel", "channel_name", "revenue", "spend", "leads"]
    );
}

/// The tables that a query's facts are read from.
fn read_from(query: Value) -> Vec<String> {
    let sql = compiled(query).unwrap().sql;
    let facts = [
        "marts.ad_days",
        "marts.ad_months",
        "marts.sale_lines",
        "marts.sales ",
    ];
    let found = facts.iter().filter(|one| sql.contains(*one));
    found.map(|one| one.trim().to_owned()).collect()
}

#[test]
fn whole_months_are_read_from_the_months() {
    let months = vec!["marts.ad_months"];
    let both = vec!["marts.ad_days", "marts.ad_months"];
    let days = vec!["marts.ad_days"];
    let quarter = json!({"from": "2026-07-01", "to": "2026-10-01"});
    for (query, expected) in [
        (json!({"metrics": ["ctr"]}), &months),
        (
            json!({"metrics": ["spend"], "time": quarter, "grain": "month"}),
            &months,
        ),
        (
            json!({"metrics": ["cpc"], "dimensions": ["campaign", "content"], "time": quarter, "compare": "previous_period"}),
            &months,
        ),
        (
            json!({"metrics": ["spend"], "time": quarter, "grain": "week"}),
            &days,
        ),
        (
            json!({"metrics": ["spend"], "time": quarter, "grain": "day"}),
            &days,
        ),
        (
            json!({"metrics": ["spend"], "time": {"from": "2026-08-25", "to": "2026-11-23"}}),
            &both,
        ),
        (
            json!({"metrics": ["spend"], "time": {"from": "2026-08-25"}}),
            &both,
        ),
        // No whole month is in there.
        (
            json!({"metrics": ["spend"], "time": {"from": "2026-01-02", "to": "2026-02-28"}}),
            &days,
        ),
        (
            json!({"metrics": ["spend"], "time": {"from": "2026-12-01", "to": "2026-12-31"}}),
            &days,
        ),
    ] {
        assert_eq!(&read_from(query.clone()), expected, "{query}");
    }
}

#[test]
fn the_days_at_the_edges_of_a_time_are_read_as_days() {
    let query = json!({"metrics": ["clicks"], "time": {"from": "2026-01-30", "to": "2026-11-23"}});
    let statement = compiled(query).unwrap();
    let days = [
        date!(2026 - 01 - 30),
        date!(2026 - 11 - 23),
        date!(2026 - 02 - 01),
        date!(2026 - 11 - 01),
    ];
    assert_eq!(statement.binds[..4], days.map(Bind::Date));
    for part in [
        "FROM marts.ad_months WHERE day >= $3 AND day < $4",
        "FROM marts.ad_days WHERE day >= $1 AND day < $3",
        "FROM marts.ad_days WHERE day >= $4 AND day < $2",
    ] {
        assert!(statement.sql.contains(part), "{part}: {}", statement.sql);
    }
}

#[test]
fn whole_sales_are_read_where_no_line_is_asked_for() {
    let (sales, lines) = (vec!["marts.sales"], vec!["marts.sale_lines"]);
    for (query, expected) in [
        (
            json!({"metrics": ["average_order_value"], "dimensions": ["market"]}),
            &sales,
        ),
        (
            json!({"metrics": ["sales", "units"], "grain": "day"}),
            &sales,
        ),
        (
            json!({"metrics": ["gross_margin"], "dimensions": ["customer_segment"]}),
            &sales,
        ),
        (
            json!({"metrics": ["sales"], "dimensions": ["category"]}),
            &lines,
        ),
        (
            json!({"metrics": ["revenue"], "filters": [{"field": "product", "op": "=", "value": "SPORT-SHOES"}]}),
            &lines,
        ),
    ] {
        assert_eq!(&read_from(query.clone()), expected, "{query}");
    }
    let sql = compiled(json!({"metrics": ["sales"], "dimensions": ["market"]}))
        .unwrap()
        .sql;
    assert!(sql.contains("COUNT(b.sale_id) FILTER"), "{sql}");
}

#[test]
fn days_without_a_counterpart_are_compared_with_none() {
    let query = json!({"metrics": ["revenue"], "grain": "day", "compare": "previous_year",
        "time": {"from": "2025-02-01", "to": "2025-03-01"}});
    let sql = compiled(query).unwrap().sql;
    let kept = "date_part('day', b.sold_on + interval '12 months') = date_part('day', b.sold_on)";
    assert_eq!(sql.matches(kept).count(), 1, "{sql}");
}

#[test]
fn members_without_any_are_those_that_the_filter_is_about() {
    let linkedin = json!([{"field": "channel", "op": "=", "value": "linkedin"}, {"field": "leads", "op": "=", "value": 0}]);
    let query = json!({"metrics": ["leads"], "dimensions": ["campaign"], "filters": linkedin});
    let sql = compiled(query).unwrap().sql;
    assert!(sql.contains("FROM marts.ads AS b"), "{sql}");
    // A country is no less one for having had no ad there.
    let query = json!({"metrics": ["leads"], "dimensions": ["market"], "filters": linkedin});
    let sql = compiled(query).unwrap().sql;
    assert!(!sql.contains("marts.ads"), "{sql}");
}
