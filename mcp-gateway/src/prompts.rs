//! Prompts: beginnings that a person picks from a menu, in Spanish and English.

use contracts::Scope;
use rmcp::{
    ErrorData,
    model::{GetPromptResult, JsonObject, Prompt, PromptArgument, PromptMessage, Role},
};

use crate::tools::stored_text::{clean, unmarked};

/// Longest value of an argument, in characters.
const MAX_VALUE_CHARS: usize = 200;

/// A prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GatewayPrompt {
    /// A new campaign, from the idea to its registration.
    CampaignBrief,
    /// How the last week went.
    WeeklyReport,
}

/// An argument: its name, whether it must be there, what it is.
type Argument = (&'static str, bool, &'static str);

impl GatewayPrompt {
    pub(crate) const ALL: [Self; 2] = [Self::CampaignBrief, Self::WeeklyReport];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CampaignBrief => "campaign_brief",
            Self::WeeklyReport => "weekly_report",
        }
    }

    /// The prompt of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|prompt| prompt.name() == name)
    }

    /// What its tools need: without them it would lead nowhere.
    pub(crate) fn scopes(self) -> &'static [Scope] {
        match self {
            Self::CampaignBrief => &[Scope::ContentRead, Scope::CampaignsWrite],
            Self::WeeklyReport => &[Scope::SalesRead],
        }
    }

    fn arguments(self) -> &'static [Argument] {
        const LANGUAGE: Argument = ("language", false, "es or en; en when absent");
        match self {
            Self::CampaignBrief => &[
                ("objective", true, "What the campaign is to achieve"),
                ("channel", false, "Where it is shown"),
                ("market", false, "Where it runs"),
                LANGUAGE,
            ],
            Self::WeeklyReport => &[
                ("campaign", false, "One campaign; all when absent"),
                ("channel", false, "One channel; all when absent"),
                ("market", false, "One market; all when absent"),
                LANGUAGE,
            ],
        }
    }

    /// Whether it has an argument of that name.
    pub(crate) fn takes(self, argument: &str) -> bool {
        self.arguments().iter().any(|(name, ..)| *name == argument)
    }

    /// As `prompts/list` shows it.
    pub(crate) fn definition(self) -> Prompt {
        let (title, description) = match self {
            Self::CampaignBrief => (
                "Campaign brief · Brief de campaña",
                "Drafts a campaign with images of the catalogue and registers it once you agree.",
            ),
            Self::WeeklyReport => (
                "Weekly report · Informe semanal",
                "Reports how campaigns, advertising and sales went in the last seven days.",
            ),
        };
        let arguments = self.arguments().iter().map(|(name, required, what)| {
            PromptArgument::new(*name)
                .with_description(*what)
                .with_required(*required)
        });
        Prompt::new(self.name(), Some(description), Some(arguments.collect())).with_title(title)
    }

    /// The prompt with its arguments filled in. A wrong argument is named.
    pub(crate) fn fill(self, given: &JsonObject) -> Result<GetPromptResult, ErrorData> {
        let wrong = |what: String| ErrorData::invalid_params(what, None);
        let names: Vec<_> = self.arguments().iter().map(|(name, ..)| *name).collect();
        for (name, value) in given {
            let shown = clean(name, 60);
            if !self.takes(name) {
                let names = names.join(", ");
                return Err(wrong(format!(
                    "{shown}: unknown argument; expected {names}"
                )));
            }
            let chars = value.as_str().map(|text| text.chars().count());
            if chars.is_none_or(|chars| chars > MAX_VALUE_CHARS) {
                return Err(wrong(format!(
                    "{shown}: expected text of at most {MAX_VALUE_CHARS} characters"
                )));
            }
        }
        let value = |name: &str| {
            let text = given.get(name).and_then(|value| value.as_str());
            // It may be a stored name, from a completion.
            text.map(|text| unmarked(&clean(text, MAX_VALUE_CHARS)))
                .filter(|text| !text.is_empty())
        };
        let missing = self
            .arguments()
            .iter()
            .find(|(name, required, _)| *required && value(name).is_none());
        if let Some((name, ..)) = missing {
            return Err(wrong(format!("{name}: it is missing or blank")));
        }
        let spanish = match value("language").as_deref() {
            None | Some("en") => false,
            Some("es") => true,
            Some(other) => {
                return Err(wrong(format!(
                    "language: '{other}' given; expected es or en"
                )));
            }
        };
        let text = match self {
            Self::CampaignBrief => brief(spanish, value),
            Self::WeeklyReport => report(spanish, value),
        };
        let message = PromptMessage::new_text(Role::User, text);
        Ok(GetPromptResult::new(vec![message]))
    }
}

fn brief(spanish: bool, value: impl Fn(&str) -> Option<String>) -> String {
    let objective = value("objective").unwrap_or_default();
    let (channel, market) = (value("channel"), value("market"));
    if spanish {
        let channel = channel.map_or_else(
            || "los canales que convengan".to_owned(),
            |one| format!("el canal {one}"),
        );
        let market = market.map_or_else(
            || "pregúntame en qué mercados".to_owned(),
            |one| format!("en {one}"),
        );
        return format!(
            "Prepara el brief de una campaña para {channel}, {market}. Objetivo: {objective}.\n\
             1. Busca con getContent de tres a cinco imágenes del catálogo que le vayan bien, y di por qué.\n\
             2. Propón nombre, audiencia, presupuesto y fechas, y pregúntame lo que falte: no lo inventes.\n\
             3. Cuando esté de acuerdo, regístrala con register_campaign y enséñame el resumen antes de confirmar."
        );
    }
    let channel = channel.map_or_else(
        || "the channels that suit it".to_owned(),
        |one| format!("the channel {one}"),
    );
    let market = market.map_or_else(
        || "ask me in which markets".to_owned(),
        |one| format!("in {one}"),
    );
    format!(
        "Prepare the brief of a campaign for {channel}, {market}. Objective: {objective}.\n\
         1. Find three to five images of the catalogue that suit it with getContent, and say why.\n\
         2. Propose name, audience, budget and days, and ask me for what is missing: do not make it up.\n\
         3. Once I agree, register it with register_campaign, and show me the summary before you confirm."
    )
}

fn report(spanish: bool, value: impl Fn(&str) -> Option<String>) -> String {
    let only = |names: [(&str, &str); 3], all: &str| {
        let parts: Vec<_> = names
            .into_iter()
            .filter_map(|(name, word)| Some(format!("{word} {}", value(name)?)))
            .collect();
        if parts.is_empty() {
            all.to_owned()
        } else {
            parts.join(", ")
        }
    };
    if spanish {
        let names = [
            ("campaign", "campaña"),
            ("channel", "canal"),
            ("market", "mercado"),
        ];
        let only = only(names, "todas las campañas");
        return format!(
            "Haz el informe de los últimos siete días ({only}), comparado con los siete anteriores.\n\
             Usa describe_sales para los nombres y query_sales para las cifras: gasto, clics, leads, ingresos \
             y ROAS. Di qué subió y qué bajó, qué campañas lo explican y cuán recientes son los datos. Si algo \
             no está en los datos, dilo."
        );
    }
    let names = [
        ("campaign", "campaign"),
        ("channel", "channel"),
        ("market", "market"),
    ];
    let only = only(names, "all campaigns");
    format!(
        "Report on the last seven days ({only}), compared with the seven before.\n\
         Use describe_sales for names and query_sales for figures: spend, clicks, leads, revenue and ROAS. \
         Say what rose and what fell, which campaigns explain it, and how recent the data is. If something is \
         not in the data, say so."
    )
}
