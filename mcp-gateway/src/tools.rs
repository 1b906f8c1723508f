//! The tools: which there are, what they need, how they are described.

mod arguments;
mod ask;
pub(crate) mod call;
pub(crate) mod cursor;
mod describe_sales;
mod get_campaign_log;
mod get_content;
mod query_sales;
pub(crate) mod refusal;
mod register_campaign;
mod sales;
mod schema;
pub(crate) mod stored_text;

use contracts::{Scope, Scopes};
use rmcp::model::{CallToolResponse, Tool};

use call::Call;
pub(crate) use get_content::answer::rights_note;
use refusal::Refusal;

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
    /// A new campaign.
    RegisterCampaign,
    /// What happened to a campaign.
    GetCampaignLog,
}

impl GatewayTool {
    /// In the order in which `tools/list` shows them.
    const ALL: [Self; 6] = [
        Self::Ask,
        Self::GetContent,
        Self::QuerySales,
        Self::DescribeSales,
        Self::RegisterCampaign,
        Self::GetCampaignLog,
    ];

    /// Its name on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ask => ask::NAME,
            Self::GetContent => get_content::NAME,
            Self::QuerySales => query_sales::NAME,
            Self::DescribeSales => describe_sales::NAME,
            Self::RegisterCampaign => register_campaign::NAME,
            Self::GetCampaignLog => get_campaign_log::NAME,
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
            Self::GetContent | Self::GetCampaignLog => &[Scope::ContentRead],
            Self::RegisterCampaign => &[Scope::CampaignsWrite],
            Self::QuerySales | Self::DescribeSales => &[Scope::SalesRead],
        }
    }

    /// Whether it changes anything.
    pub(crate) fn writes(self) -> bool {
        matches!(self, Self::RegisterCampaign)
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
            Self::RegisterCampaign => register_campaign::definition(),
            Self::GetCampaignLog => get_campaign_log::definition(),
        }
    }

    /// Does the work: [`Call::run`] is around it.
    async fn work(self, call: &Call<'_>) -> Result<CallToolResponse, Refusal> {
        match self {
            Self::Ask => Box::pin(ask::call(call)).await,
            Self::GetContent => get_content::call(call).await.map(Into::into),
            Self::QuerySales => query_sales::call(call).await.map(Into::into),
            Self::DescribeSales => describe_sales::call(call).await.map(Into::into),
            Self::RegisterCampaign => register_campaign::call(call).await,
            Self::GetCampaignLog => get_campaign_log::call(call).await.map(Into::into),
        }
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
