//! Does a point meet a filter?

use qdrant_client::qdrant::{
    Condition, FieldCondition, Filter, condition::ConditionOneOf, r#match::MatchValue,
    point_id::PointIdOptions,
};
use serde_json::Value;

use super::Point;

pub fn meets(filter: &Filter, id: &str, point: &Point) -> bool {
    assert!(filter.min_should.is_none(), "not ours");
    let holds = |condition: &Condition| holds(condition, id, point);
    (filter.should.is_empty() || filter.should.iter().any(holds))
        && filter.must.iter().all(holds)
        && !filter.must_not.iter().any(holds)
}

fn holds(condition: &Condition, id: &str, point: &Point) -> bool {
    match condition.condition_one_of.as_ref().unwrap() {
        ConditionOneOf::Field(field) => field_holds(field, point),
        ConditionOneOf::IsEmpty(empty) => values(&empty.key, point).is_empty(),
        ConditionOneOf::HasId(wanted) => {
            let own = Some(PointIdOptions::Uuid(id.to_owned()));
            wanted
                .has_id
                .iter()
                .any(|wanted| wanted.point_id_options == own)
        }
        ConditionOneOf::Filter(inner) => meets(inner, id, point),
        other => panic!("not ours: {other:?}"),
    }
}

/// A field's values: those of a list, the one of a scalar, none of nothing.
fn values(key: &str, point: &Point) -> Vec<Value> {
    match point.payload.get(key).cloned().map(Value::from) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(values)) => values,
        Some(value) => vec![value],
    }
}

fn field_holds(field: &FieldCondition, point: &Point) -> bool {
    let values = values(&field.key, point);
    if let Some(range) = &field.range {
        return values.iter().filter_map(Value::as_f64).any(|x| {
            range.lt.is_none_or(|bound| x < bound)
                && range.gt.is_none_or(|bound| x > bound)
                && range.lte.is_none_or(|bound| x <= bound)
                && range.gte.is_none_or(|bound| x >= bound)
        });
    }
    match field.r#match.as_ref().and_then(|m| m.match_value.as_ref()) {
        Some(MatchValue::Keywords(wanted)) => values
            .iter()
            .filter_map(Value::as_str)
            .any(|value| wanted.strings.iter().any(|wanted| wanted == value)),
        Some(MatchValue::Integer(wanted)) => values.iter().any(|v| v.as_i64() == Some(*wanted)),
        other => panic!("not ours: {other:?}"),
    }
}
