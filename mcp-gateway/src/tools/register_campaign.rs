//! `register_campaign`: a campaign, written once and only after a yes.
//!
//! ```text
//! call ─► content-api would take it? ─► a form and its sealed state (clients that show forms)
//!                                    └► a summary and a confirmation token (all others)
//! call, with the answer and the state, or with the token ─► registered
//! ```

mod answer;
mod arguments;
mod messages;

use std::collections::BTreeMap;

use contracts::{Language, campaigns::CampaignRequest};
use rmcp::model::{
    CallToolResponse, ContentBlock, ElicitRequest, ElicitRequestParams, ElicitationSchema,
    InputRequest, InputRequiredResult, Tool,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{
    confirmation::ConfirmationFault,
    origin::Origin,
    tools::{
        call::{Call, Round, adding, result},
        refusal::Refusal,
        stored_text::{fence, unmarked},
    },
};
use answer::{Answer, Status};
use arguments::Arguments;

/// On the wire.
pub(crate) const NAME: &str = "register_campaign";

const TITLE: &str = "Register a campaign";
const DESCRIPTION: &str = "\
Registers a new marketing campaign: name, objective, audience, markets, channels, budget, first and last \
day, and the images it uses. Use it only when the user asks to register or create a campaign and has given \
these facts; never make one up. Nothing is written before the user agrees: the first call checks everything \
and gives a summary (status 'confirmation_required') with a confirmation_token; show the summary to the \
user and, after a yes, call again with the same arguments and that token. Within a day the same \
idempotency_key registers once, however often it is called with. Do not use it to find images \
(getContent), for figures (query_sales, ask), or to change a campaign that exists.";

/// Our one question in a form.
const QUESTION: &str = "confirmation";
/// Its one field.
const FIELD: &str = "register";

/// As `tools/list` shows it.
pub(crate) fn definition() -> Tool {
    adding::<Arguments, Answer>(NAME, TITLE, DESCRIPTION)
}

/// What is to be written, for whom.
struct Intent<'a> {
    origin: &'a Origin,
    campaign: CampaignRequest,
    key: String,
    language: Language,
}

/// Where a call stands.
enum Step<'a> {
    /// Nothing is confirmed yet.
    First,
    /// The user said no.
    Declined,
    /// With what was given out for it.
    Confirmed { sealed: &'a str, way: Way },
}

/// How a confirmation went out: what was shown in a form counts for no token.
#[derive(Clone, Copy)]
enum Way {
    Form,
    Token,
}

pub(crate) async fn call(call: &Call<'_>) -> Result<CallToolResponse, Refusal> {
    let arguments = Arguments::parse(call.arguments.clone())?;
    let language = arguments.language.map_or(Language::En, Language::from);
    let intent = Intent {
        origin: &call.origin,
        campaign: arguments.campaign()?,
        key: arguments.idempotency_key.clone(),
        language,
    };
    match step(&call.round, arguments.confirmation_token.as_deref())? {
        Step::First => {
            let asked = "confirmation_required".to_owned();
            call.trail.note(|event| event.reason = Some(asked));
            first(call, &intent).await
        }
        Step::Declined => {
            let declined = "declined by the user".to_owned();
            call.trail.note(|event| event.reason = Some(declined));
            let answer = Answer::new(Status::NotRegistered, &intent.campaign, None, language);
            Ok(shown(&answer))
        }
        Step::Confirmed { sealed, way } => {
            let confirmations = call.gateway.confirmations();
            let taken = confirmations.take(sealed, &intent.context(way))?;
            let campaigns = call.gateway.campaigns();
            let registered = campaigns
                .register(&intent.campaign, &intent.upstream_key(), intent.origin)
                .await?;
            taken.used();
            tracing::info!(campaign = %registered.id, subject = intent.origin.subject(), "campaign registered");
            let id = Some(registered.id.as_str());
            call.trail
                .note(|event| event.about = vec![registered.id.to_string()]);
            let answer = Answer::new(Status::Registered, &intent.campaign, id, language);
            Ok(shown(&answer))
        }
    }
}

/// Reads what came with the call. It comes from the client and is believed in nothing but that it
/// says yes: what to, the seal says.
fn step<'a>(round: &'a Round, token: Option<&'a str>) -> Result<Step<'a>, Refusal> {
    let response = round.responses.as_ref().and_then(|all| all.get(QUESTION));
    let Some(response) = response else {
        return Ok(token.map_or(Step::First, |sealed| Step::Confirmed {
            sealed,
            way: Way::Token,
        }));
    };
    // Some clients send the result alone, some with its JSON-RPC name around it.
    let response = response.get("result").unwrap_or(response);
    if response["action"] != "accept" || response["content"][FIELD] != true {
        return Ok(Step::Declined);
    }
    let sealed = round.state.as_deref().ok_or(ConfirmationFault::Missing)?;
    Ok(Step::Confirmed {
        sealed,
        way: Way::Form,
    })
}

async fn first(call: &Call<'_>, intent: &Intent<'_>) -> Result<CallToolResponse, Refusal> {
    let campaigns = call.gateway.campaigns();
    campaigns.check(&intent.campaign, intent.origin).await?;
    let confirmations = call.gateway.confirmations();
    let (campaign, language) = (&intent.campaign, intent.language);
    let mut answer = Answer::new(Status::ConfirmationRequired, campaign, None, language);
    if call.round.can_ask_back {
        let sealed = confirmations.give(&intent.context(Way::Form));
        if let Some(form) = form(&answer, language, sealed) {
            return Ok(form.into());
        }
    }
    let token = confirmations.give(&intent.context(Way::Token));
    answer.confirm_with(token, confirmations.lifetime());
    Ok(shown(&answer))
}

fn form(answer: &Answer, language: Language, sealed: String) -> Option<InputRequiredResult> {
    let schema = json!({
        "type": "object",
        "properties": {FIELD: {"type": "boolean", "title": messages::register(language)}},
        "required": [FIELD],
    });
    let Value::Object(schema) = schema else {
        return None;
    };
    let request = ElicitRequest::new(ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: format!("{}\n{}", answer.message, unmarked(&answer.campaign.lines())),
        requested_schema: ElicitationSchema::from_json_schema(schema).ok()?,
    });
    let requests = BTreeMap::from([(QUESTION.to_owned(), InputRequest::Elicitation(request))]);
    let mut form = InputRequiredResult::from_input_requests(requests);
    form.request_state = Some(sealed);
    Some(form)
}

fn shown(answer: &Answer) -> CallToolResponse {
    let mut text = format!("{}\n{}", answer.message, fence(&answer.campaign.lines()));
    if let Some(token) = &answer.confirmation_token {
        text.push_str(&format!(
            "\nAfter the user's yes, call {NAME} again with the same arguments and \
             confirmation_token '{token}'."
        ));
    }
    result(vec![ContentBlock::text(text)], answer).into()
}

impl Intent<'_> {
    /// What a confirmation is bound to.
    fn context(&self, way: Way) -> Vec<u8> {
        let way = match way {
            Way::Form => "form",
            Way::Token => "token",
        };
        let (subject, client) = self.origin.identity();
        serde_json::to_vec(&(NAME, way, subject, client, &self.key, &self.campaign))
            .expect("texts always serialise")
    }

    /// content-api hears all of us as one client, so the caller goes into the key: nobody comes upon
    /// somebody else's campaign by choosing the same one.
    fn upstream_key(&self) -> String {
        let (subject, client) = self.origin.identity();
        let named = serde_json::to_vec(&(NAME, subject, client, &self.key))
            .expect("texts always serialise");
        hex::encode(Sha256::digest(named))
    }
}
