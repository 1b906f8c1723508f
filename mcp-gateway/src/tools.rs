//! The tools: which there are, what they need, how they are described.

pub(crate) mod get_content;
pub(crate) mod refusal;
mod schema;
mod stored_text;

use contracts::{Scope, Scopes};
use http::HeaderValue;
use rmcp::model::{CallToolResult, JsonObject, Tool};

use crate::Gateway;

/// A tool of the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GatewayTool {
    /// Images that fit a description.
    GetContent,
}

impl GatewayTool {
    /// In the order in which `tools/list` shows them.
    const ALL: [Self; 1] = [Self::GetContent];

    /// Its name on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::GetContent => get_content::NAME,
        }
    }

    /// The tool of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.name() == name)
    }

    /// What a token must allow to see and to call it.
    pub(crate) fn scopes(self) -> &'static [Scope] {
        match self {
            Self::GetContent => &[Scope::ContentRead],
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
            Self::GetContent => get_content::definition(),
        }
    }

    /// Does the work. Whatever goes wrong is part of the result, for the assistant to read.
    pub(crate) async fn call(
        self,
        gateway: &Gateway,
        arguments: JsonObject,
        origin: &Origin,
    ) -> CallToolResult {
        let outcome = match self {
            Self::GetContent => get_content::call(gateway.content(), arguments, origin).await,
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
                refusal.into_result()
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
