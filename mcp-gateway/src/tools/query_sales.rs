//! `query_sales`: a metric query, for assistants that can be exact.

mod arguments;

use contracts::Language;
use rmcp::model::{CallToolResult, ContentBlock, JsonObject, Tool, ToolAnnotations};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    Gateway,
    tools::{
        Origin,
        refusal::Refusal,
        sales::{Sales, cursor},
        schema,
        stored_text::fence,
    },
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
    Tool::new(NAME, DESCRIPTION, schema::input::<Arguments>())
        .with_title(TITLE)
        .with_raw_output_schema(schema::output::<Answer>())
        .with_annotations(
            ToolAnnotations::with_title(TITLE)
                .read_only(true)
                .destructive(false)
                .idempotent(true)
                .open_world(false),
        )
}

pub(crate) async fn call(
    gateway: &Gateway,
    arguments: JsonObject,
    origin: &Origin,
) -> Result<CallToolResult, Refusal> {
    let arguments = Arguments::parse(arguments)?;
    let language = arguments.language.map_or(Language::En, Language::from);
    let query = arguments.query()?;
    let of = serde_json::to_string(&query).unwrap_or_default();
    let offset = match &arguments.cursor {
        Some(given) => cursor::read(&of, given)?,
        None => 0,
    };
    let request_id = origin.request_id.as_ref();
    let answer = gateway
        .warehouse()
        .query(&query, language, request_id)
        .await?;
    let sales = Sales::page(&answer, offset);
    let next_cursor = sales.next(offset).map(|next| cursor::write(&of, next));
    let mut text = fence(&sales.text());
    if let Some(cursor) = &next_cursor {
        text.push_str(&format!("\nMore rows: call again with cursor '{cursor}'."));
    }
    let mut result = CallToolResult::success(vec![ContentBlock::text(text)]);
    let answer = Answer { sales, next_cursor };
    result.structured_content =
        Some(serde_json::to_value(&answer).expect("texts and numbers always serialise"));
    Ok(result)
}
