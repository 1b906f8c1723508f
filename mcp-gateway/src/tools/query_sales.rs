//! `query_sales`: a metric query, for assistants that can be exact.

mod arguments;

use contracts::Language;
use rmcp::model::{CallToolResult, ContentBlock, Tool};
use schemars::JsonSchema;
use serde::Serialize;

use crate::tools::{
    call::{Call, reading, result},
    cursor,
    refusal::Refusal,
    sales::Sales,
    stored_text::fence,
};
use arguments::Arguments;

/// On the wire.
pub(crate) const NAME: &str = "query_sales";

const TITLE: &str = "Query the sales warehouse";
const DESCRIPTION: &str = "\
Answers a structured metric query about campaigns, advertising, leads, sales and customers as groups: \
metrics, grouped by dimensions, within filters and a time. Use it when you know the metric and \
dimension names from describe_sales and want exactly these numbers; the reply has rows, a sentence, \
the SQL and how old the data is. For a question in plain words use ask instead. Do not use it to find \
images (getContent) or for anything about single people: there is none. Times are half-open ranges of \
days; fractions are not percentages (0.02 is 2 %).";

/// A page of the answer.
#[derive(Debug, Serialize, JsonSchema)]
struct Answer {
    #[serde(flatten)]
    sales: Sales,
    /// Pass it with the same query for the rows that follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    next_cursor: Option<String>,
}

/// As `tools/list` shows it.
pub(crate) fn definition() -> Tool {
    reading::<Arguments, Answer>(NAME, TITLE, DESCRIPTION)
}

pub(crate) async fn call(call: &Call<'_>) -> Result<CallToolResult, Refusal> {
    let arguments = Arguments::parse(call.arguments.clone())?;
    let language = arguments.language.map_or(Language::En, Language::from);
    let query = arguments.query()?;
    let of = serde_json::to_string(&query).unwrap_or_default();
    let offset = match &arguments.cursor {
        Some(given) => cursor::read(&of, given)?,
        None => 0,
    };
    let warehouse = call.gateway.warehouse();
    call.trail
        .note(|event| event.plan = serde_json::to_value(&query).ok());
    let answer = warehouse.query(&query, language, &call.origin).await?;
    call.trail
        .note(|event| event.results = Some(answer.rows.len() as u64));
    let sales = Sales::page(&answer, offset);
    let next_cursor = sales.next(offset).map(|next| cursor::write(&of, next));
    let mut text = fence(&sales.text());
    if let Some(cursor) = &next_cursor {
        text.push_str(&format!("\nMore rows: call again with cursor '{cursor}'."));
    }
    let answer = Answer { sales, next_cursor };
    Ok(result(vec![ContentBlock::text(text)], &answer))
}
