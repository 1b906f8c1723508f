//! The tools: which there are, what they need, how they are described.

mod arguments;
pub(crate) mod ask;
mod describe_sales;
pub(crate) mod get_content;
mod query_sales;
pub(crate) mod refusal;
mod sales;
mod schema;
mod stored_text;

use contracts::{Scope, Scopes};
use http::HeaderValue;
use rmcp::model::{CallToolResponse, JsonObject, Tool};

use crate::Gateway;

/// A tool of the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GatewayTool {
    /// Any question.
    Ask,
    /// Images that fit a description.
    GetContent,
    /// Figures, by a metric query.
    QuerySales,
    /// What figures there are.
    DescribeSales,
}

impl GatewayTool {
    /// In the order in which `tools/list` shows them.
    const ALL: [Self; 4] = [
        Self::Ask,
        Self::GetContent,
        Self::QuerySales,
        Self::DescribeSales,
    ];

    /// Its name on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ask => ask::NAME,
            Self::GetContent => get_content::NAME,
            Self::QuerySales => query_sales::NAME,
            Self::DescribeSales => describe_sales::NAME,
        }
    }

    /// The tool of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.name() == name)
    }

    /// What a token must allow to see and to call it.
    pub(crate) fn scopes(self) -> &'static [Scope] {
        match self {
            // An answer may need both, and which it needs is known too late to ask for more.
            Self::Ask => &[Scope::ContentRead, Scope::SalesRead],
            Self::GetContent => &[Scope::ContentRead],
            Self::QuerySales | Self::DescribeSales => &[Scope::SalesRead],
        }
    }

    /// Every scope that some tool needs.
    pub(crate) fn all_scopes() -> Scopes {
        Self::ALL
            .into_iter()
            .flat_map(Self::scopes)
            .copied()
            .collect()
    }

    fn definition(self) -> Tool {
        match self {
            Self::Ask => ask::definition(),
            Self::GetContent => get_content::definition(),
            Self::QuerySales => query_sales::definition(),
            Self::DescribeSales => describe_sales::definition(),
        }
    }

    /// Does the work. Whatever goes wrong is part of the result, for the assistant to read.
    pub(crate) async fn call(
        self,
        gateway: &Gateway,
        arguments: JsonObject,
        round: &ask::Round,
        origin: &Origin,
    ) -> CallToolResponse {
        let outcome = match self {
            Self::Ask => Box::pin(ask::call(gateway, arguments, round, origin)).await,
            Self::GetContent => get_content::call(gateway.content(), arguments, origin)
                .await
                .map(Into::into),
            Self::QuerySales => query_sales::call(gateway, arguments, origin)
                .await
                .map(Into::into),
            Self::DescribeSales => describe_sales::call(gateway, arguments, origin)
                .await
                .map(Into::into),
        };
        match outcome {
            Ok(result) => {
                tracing::info!(
                    tool = self.name(),
                    subject = origin.subject(),
                    "tool called"
                );
                result
            }
            Err(refusal) => {
                tracing::warn!(
                    tool = self.name(),
                    subject = origin.subject(),
                    error = %refusal,
                    "tool failed"
                );
                refusal.into_result().into()
            }
        }
    }
}

/// Where a call comes from, for logs and for the services behind.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin {
    /// The verified subject; none over stdio.
    pub(crate) subject: Option<String>,
    /// The request's id; none over stdio.
    pub(crate) request_id: Option<HeaderValue>,
}

impl Origin {
    fn subject(&self) -> &str {
        self.subject.as_deref().unwrap_or("stdio")
    }
}

/// The tools with their definitions, which are made once.
pub(crate) struct ToolSet(Vec<(GatewayTool, Tool)>);

impl ToolSet {
    pub(crate) fn new() -> Self {
        Self(
            GatewayTool::ALL
                .into_iter()
                .map(|tool| (tool, tool.definition()))
                .collect(),
        )
    }

    /// Those that `allowed` lets through.
    pub(crate) fn visible(&self, allowed: impl Fn(GatewayTool) -> bool) -> Vec<Tool> {
        self.0
            .iter()
            .filter(|(tool, _)| allowed(*tool))
            .map(|(_, shown)| shown.clone())
            .collect()
    }

    /// The definition of the tool of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&Tool> {
        self.0
            .iter()
            .map(|(_, tool)| tool)
            .find(|tool| tool.name == name)
    }
}
