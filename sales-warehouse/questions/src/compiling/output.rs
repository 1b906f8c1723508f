//! Metrics out of what was counted, in the order asked.

use contracts::Language;

use super::{
    Bind, Column, ColumnType, CompileError, MAX_ROWS, column_type,
    facts::{self, Slice},
    keys,
    plan::Plan,
    writer::Writer,
};
use crate::{
    model::{Expression, Formula, Unit},
    query::{Direction, Grain, Measure, Op, Order},
};

pub fn write(plan: &Plan<'_>, writer: &mut Writer) -> Result<(String, Vec<Column>), CompileError> {
    let now = Slice {
        prefix: 'f',
        range: plan.query.time,
        shift: None,
        grouped: true,
        grain: plan.query.grain,
    };
    let mut counted = vec![now];
    if let Some(previous) = plan.previous {
        counted.push(Slice {
            prefix: 'p',
            range: previous.range,
            shift: Some(previous.shift),
            ..now
        });
    }
    let mut tables = Vec::new();
    for slice in &counted {
        tables.extend(facts::write(plan, writer, *slice));
    }
    tables.push(keys::write(plan, writer, &counted));
    if plan.shares {
        // Of each part of time where there are dimensions, else of all of it.
        let grain = plan.query.grain.filter(|_| !plan.dimensions.is_empty());
        let total = Slice {
            prefix: 's',
            grouped: false,
            grain,
            ..now
        };
        tables.extend(facts::write(plan, writer, total));
        counted.push(total);
    }
    tables.push(joined(plan, &counted));
    tables.push(metrics(plan));
    let (select, columns) = select(plan, writer);
    Ok((format!("WITH {},\n{select}", tables.join(",\n")), columns))
}

/// `v`: a row for each key with what every slice counted, as `<prefix>m<metric>`. What adds up is 0 where
/// there is nothing.
fn joined(plan: &Plan<'_>, slices: &[Slice]) -> String {
    let all = keys::columns(plan);
    let mut out: Vec<String> = all.iter().map(|key| format!("k.{key}")).collect();
    let mut joins = String::new();
    for slice in slices {
        let has = |key: &&String| slice.grouped || (*key == "t" && slice.grain.is_some());
        for (number, fact) in plan.facts.iter().enumerate() {
            let table = format!("{}{number}", slice.prefix);
            let on: Vec<String> = all
                .iter()
                .filter(has)
                .map(|key| format!("{table}.{key} = k.{key}"))
                .collect();
            let on = if on.is_empty() {
                "true".to_owned()
            } else {
                on.join(" AND ")
            };
            joins += &format!("\n    LEFT JOIN {table} ON {on}");
            for (metric, _) in &fact.counted {
                let column = format!("{table}.m{metric}");
                let value = if plan.adds_up(*metric) {
                    format!("coalesce({column}, 0)")
                } else {
                    column
                };
                out.push(format!("{value} AS {}m{metric}", slice.prefix));
            }
        }
    }
    format!("v AS (\n    SELECT {}\n    FROM k{joins})", out.join(", "))
}

/// `r`: each metric as `x<place>`, with `p`, `c`, `g` or `s` for what the comparison makes of it.
fn metrics(plan: &Plan<'_>) -> String {
    let mut out = keys::columns(plan);
    for (place, metric) in plan.metrics.iter().enumerate() {
        let value = formula(plan, *metric, 'f');
        out.push(format!("{value} AS x{place}"));
        if plan.previous.is_some() {
            let previous = formula(plan, *metric, 'p');
            out.push(format!("{previous} AS x{place}p"));
            out.push(format!("{value} - {previous} AS x{place}c"));
            out.push(format!(
                "({value} - {previous})::float8 / nullif({previous}, 0)::float8 AS x{place}g"
            ));
        }
        if plan.shares {
            let total = formula(plan, *metric, 's');
            out.push(format!(
                "({value})::float8 / nullif({total}, 0)::float8 AS x{place}s"
            ));
        }
    }
    format!(
        "r AS (\n    SELECT {}\n    FROM v)",
        out.join(",\n        ")
    )
}

fn formula(plan: &Plan<'_>, metric: usize, prefix: char) -> String {
    let render = |expression: &Expression<usize>| {
        let text = expression.render(|part| formula(plan, part, prefix));
        format!("({text})")
    };
    match &plan.model.metrics()[metric].formula {
        Formula::Base { .. } => format!("{prefix}m{metric}"),
        Formula::Ratio {
            numerator,
            denominator,
        } => format!(
            // As floating point: equal ratios are then equal, however many digits their parts have.
            "({}::float8 / nullif({}, 0)::float8)",
            render(numerator),
            render(denominator)
        ),
        Formula::Derived(expression) => render(expression),
        Formula::Cumulative(of) => {
            let of = formula(plan, *of, prefix);
            if plan.query.grain.is_none() {
                return of;
            }
            let members = (0..plan.dimensions.len()).map(|number| format!("d{number}"));
            let members: Vec<String> = members.collect();
            let apart = if members.is_empty() {
                String::new()
            } else {
                format!("PARTITION BY {} ", members.join(", "))
            };
            format!("sum({of}) OVER ({apart}ORDER BY t)")
        }
    }
}

/// `ranked`, and the rows of it that are asked for, with names.
pub fn select(plan: &Plan<'_>, writer: &mut Writer) -> (String, Vec<Column>) {
    let mut conditions: Vec<String> = plan
        .values
        .iter()
        .map(|filter| {
            let column = format!("x{}", filter.metric);
            let numbers = filter
                .numbers
                .iter()
                .map(|one| writer.bind(Bind::Number(*one)));
            let numbers: Vec<String> = numbers.collect();
            match filter.op {
                Op::Between => format!("{column} BETWEEN {} AND {}", numbers[0], numbers[1]),
                Op::IsNot => format!("{column} <> {}", numbers[0]),
                other => format!("{column} {} {}", other.symbol(), numbers[0]),
            }
        })
        .collect();
    for (number, members) in plan.left_out() {
        let members = writer.bind(Bind::Texts(members.to_vec()));
        conditions.push(format!("d{number} <> ALL({members})"));
    }
    let kept = if conditions.is_empty() {
        String::new()
    } else {
        format!("\n    WHERE {}", conditions.join(" AND "))
    };
    let within = plan.query.order.iter().find_map(|one| one.within.as_ref());
    let within = within.and_then(|name| plan.query.dimensions.iter().position(|one| one == name));
    let apart = within.map_or_else(String::new, |number| format!("PARTITION BY d{number} "));
    let order = order(plan);
    let ranked = format!(
        "ranked AS (\n    SELECT r.*, row_number() OVER ({apart}ORDER BY {order}) AS place\n    FROM r{kept})"
    );
    let (out, columns) = columns(plan);
    let limit = plan.query.limit.map_or_else(String::new, |limit| {
        format!(
            "\nWHERE place <= {}",
            writer.bind(Bind::Integer(i64::from(limit)))
        )
    });
    let first = within.map_or_else(String::new, |number| format!("d{number} COLLATE \"C\", "));
    let cap = MAX_ROWS + 1;
    let text = format!(
        "{ranked}\nSELECT {}\nFROM ranked{limit}\nORDER BY {first}place\nLIMIT {cap}",
        out.join(",\n    ")
    );
    (text, columns)
}

fn order(plan: &Plan<'_>) -> String {
    let mut all = Vec::new();
    let stated = plan
        .query
        .order
        .iter()
        .map(|order| (order_column(plan, order), order.dir));
    all.extend(stated);
    if plan.query.order.is_empty() {
        if plan.query.grain.is_some() {
            all.push(("t".to_owned(), Direction::Asc));
        }
        if !plan.query.metrics.is_empty() {
            all.push(("x0".to_owned(), Direction::Desc));
        }
    }
    // What is left of the keys, so that the order is always the same.
    for key in keys::columns(plan) {
        let key = if key == "t" {
            key
        } else {
            format!("{key} COLLATE \"C\"")
        };
        if !all.iter().any(|(column, _)| *column == key) {
            all.push((key, Direction::Asc));
        }
    }
    let words = all.iter().map(|(column, direction)| match direction {
        Direction::Asc => format!("{column} ASC NULLS LAST"),
        Direction::Desc => format!("{column} DESC NULLS LAST"),
    });
    let words: Vec<String> = words.collect();
    if words.is_empty() {
        // A single row.
        return "true".to_owned();
    }
    words.join(", ")
}

fn order_column(plan: &Plan<'_>, order: &Order) -> String {
    if order.by == Order::TIME {
        return "t".to_owned();
    }
    if let Some(number) = plan
        .query
        .dimensions
        .iter()
        .position(|one| *one == order.by)
    {
        return format!("d{number} COLLATE \"C\"");
    }
    let named = |place: &usize| plan.metric(*place).name == order.by;
    let place = (0..plan.metrics.len()).find(named).unwrap_or(0);
    let suffix = match order.measure {
        None | Some(Measure::Value) => "",
        Some(Measure::Previous) => "p",
        Some(Measure::Change) => "c",
        Some(Measure::Growth) => "g",
        Some(Measure::Share) => "s",
    };
    format!("x{place}{suffix}")
}

/// The columns of the answer, as SQL and as the reader sees them.
fn columns(plan: &Plan<'_>) -> (Vec<String>, Vec<Column>) {
    let (mut out, mut columns) = (Vec::new(), Vec::new());
    let mut add = |sql: String, name: String, label: String, unit, kind| {
        out.push(format!("{sql} AS \"{name}\""));
        columns.push(Column {
            name,
            label,
            unit,
            kind,
        });
    };
    let language = plan.language;
    if let Some(grain) = plan.query.grain {
        let label = grain_label(grain, language).to_owned();
        add(
            "t".to_owned(),
            Order::TIME.to_owned(),
            label,
            None,
            ColumnType::Date,
        );
    }
    for (number, dimension) in plan.dimensions.iter().enumerate() {
        let label = dimension.label(language);
        let key = format!("d{number}");
        add(
            key.clone(),
            dimension.name.clone(),
            label.to_owned(),
            None,
            ColumnType::Text,
        );
        if let Some(display) = dimension.display(language) {
            let source = &plan.model.dataset(dimension.column.dataset).source;
            let column = &plan.model.field(dimension.column).column;
            let named = match language {
                Language::En => format!("{label} name"),
                Language::Es => format!("Nombre: {}", label.to_lowercase()),
            };
            add(
                format!("(SELECT min(n.{display}) FROM {source} AS n WHERE n.{column} = {key})"),
                format!("{}_name", dimension.name),
                named,
                None,
                ColumnType::Text,
            );
        }
    }
    for place in 0..plan.query.metrics.len() {
        let metric = plan.metric(place);
        let label = metric.label(language);
        let own = column_type(metric.unit, metric.kind);
        let mut measure = |suffix: &str, of: &str, unit: Unit, kind| {
            let cast = if kind == ColumnType::Integer {
                "bigint"
            } else {
                "float8"
            };
            let name = if of.is_empty() {
                String::new()
            } else {
                format!("_{of}")
            };
            let what = measure_label(of, language);
            add(
                format!("x{place}{suffix}::{cast}"),
                format!("{}{name}", metric.name),
                format!("{label}{what}"),
                Some(unit),
                kind,
            );
        };
        measure("", "", metric.unit, own);
        if plan.previous.is_some() {
            measure("p", "previous", metric.unit, own);
            measure("c", "change", metric.unit, own);
            measure("g", "growth", Unit::Fraction, ColumnType::Number);
        }
        if plan.shares {
            measure("s", "share", Unit::Fraction, ColumnType::Number);
        }
    }
    (out, columns)
}

fn measure_label(of: &str, language: Language) -> &'static str {
    match (of, language) {
        ("previous", Language::En) => " (previous)",
        ("previous", Language::Es) => " (anterior)",
        ("change", Language::En) => " (change)",
        ("change", Language::Es) => " (diferencia)",
        ("growth", Language::En) => " (growth)",
        ("growth", Language::Es) => " (variación)",
        ("share", Language::En) => " (share)",
        ("share", Language::Es) => " (cuota)",
        _ => "",
    }
}

fn grain_label(grain: Grain, language: Language) -> &'static str {
    match (grain, language) {
        (Grain::Day, Language::En) => "Day",
        (Grain::Day, Language::Es) => "Día",
        (Grain::Week, Language::En) => "Week from",
        (Grain::Week, Language::Es) => "Semana del",
        (Grain::Month, Language::En) => "Month",
        (Grain::Month, Language::Es) => "Mes",
        (Grain::Quarter, Language::En) => "Quarter",
        (Grain::Quarter, Language::Es) => "Trimestre",
        (Grain::Year, Language::En) => "Year",
        (Grain::Year, Language::Es) => "Año",
    }
}
