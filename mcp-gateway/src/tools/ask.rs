//! `ask`: any question; the gateway finds out which system it is for.

mod answer;
mod arguments;
mod choices;
mod combined;
mod messages;

use audit::Trail;
use contracts::{
    GetContentAnswer, GetContentRequest, Language, MetricQuery, SalesAnswer,
    sales::{AnswerKind, Question},
};
use rmcp::model::{CallToolResponse, CallToolResult, ContentBlock, Tool};
use serde_json::{Value, json};

use crate::{
    Gateway,
    origin::Origin,
    routing::{Decision, Route},
    tools::{
        call::{Call, reading, result},
        get_content::{answer::Answer as Content, media},
        refusal::Refusal,
        sales::Sales,
    },
    upstream::UpstreamError,
};
use answer::Answer;
use arguments::Arguments;
use choices::{Offer, Offered, Reply};
use combined::Found;

/// On the wire.
pub(crate) const NAME: &str = "ask";

const TITLE: &str = "Ask PromptSales";
const DESCRIPTION: &str = "\
Answers a question in plain Spanish or English about the company's campaign images, its sales and \
campaign figures, or both together, such as 'the images of last quarter's campaigns with the best \
ROAS'. It decides which system the question is for and says so in route and score. Use it when you \
are not sure which tool fits or the question needs images and figures. 'neither' means that PromptSales \
does not have it: say so. 'ambiguous' and choices mean that the user must choose: show the choices and \
call what the chosen one names. 'missing' says what the answer lacks. Do not use it to write texts, to \
make or change images, for single people's data, for forecasts or for common knowledge.";

/// Images of a reply to a content question.
const IMAGES: i64 = 5;

/// What is asked, and with what.
struct Asking<'a> {
    gateway: &'a Gateway,
    question: &'a str,
    /// The answer's.
    language: Language,
    origin: &'a Origin,
}

/// As `tools/list` shows it.
pub(crate) fn definition() -> Tool {
    reading::<Arguments, Answer>(NAME, TITLE, DESCRIPTION)
}

pub(crate) async fn call(call: &Call<'_>) -> Result<CallToolResponse, Refusal> {
    let arguments = Arguments::parse(call.arguments.clone())?;
    let (gateway, round, origin) = (call.gateway, &call.round, &call.origin);
    let question = arguments.question.trim();
    let stated = arguments.language.map(Language::from);
    let reply = choices::reply(round.responses.as_ref());
    let chosen = chosen_route(&arguments, &reply);
    let decision = match chosen {
        Some(_) => None,
        None => Some(gateway.route_for(question, stated, origin).await),
    };
    let route = chosen.or(decision.as_ref().map(|decision| decision.route));
    let route = route.unwrap_or(Route::Ambiguous);
    let guessed = decision.as_ref().and_then(|decision| decision.language);
    let asking = Asking {
        gateway,
        question,
        language: stated.or(guessed).unwrap_or_else(|| guess(question)),
        origin,
    };
    let mut answer = Answer::of(decision.as_ref(), route, asking.language);
    if let Some(decision) = &decision {
        note_missing(decision, &mut answer, asking.language);
    }
    gateway.metrics().routed(route);
    tracing::info!(%route, score = answer.score, "question routed");
    call.trail.note(|event| {
        event.question = Some(question.to_owned());
        event.route = Some(route.as_str().to_owned());
        event.plan = Some(json!({"score": answer.score, "runner_up": answer.runner_up}));
    });
    let limit = gateway.config().answer_deadline;
    let mut found = Found::default();
    let mut offered = Vec::new();
    let work = asking.answer(route, &reply, &mut answer, &mut found, &mut offered);
    match tokio::time::timeout(limit, work).await {
        Ok(done) => done?,
        Err(_) if answer.content.is_some() || answer.sales.is_some() => {
            combined::conclude(&mut answer, asking.language);
            let what = messages::too_slow(asking.language, "PromptSales");
            answer.missing.push(what);
        }
        Err(_) => return Err(Refusal::TooSlow),
    }
    note(&call.trail, &answer, !offered.is_empty());
    if !offered.is_empty() {
        if reply == Reply::Declined {
            answer.message = messages::not_chosen(asking.language).to_owned();
        } else if round.can_ask_back
            && let Some(form) = choices::form(&answer.question(asking.language), &offered)
        {
            return Ok(form.into());
        }
        answer.choices = choices::shown(&offered, question, asking.language);
    }
    Ok(assemble(&asking, &answer, &found).await.into())
}

/// What came of a question, for whoever has to say why.
fn note(trail: &Trail, answer: &Answer, asks_back: bool) {
    let rows = answer.sales.as_ref().map_or(0, |sales| sales.total);
    let images = answer
        .content
        .as_ref()
        .map_or(0, |found| found.results.len());
    let query = answer.sales.as_ref().and_then(|sales| sales.query.clone());
    trail.note(|event| {
        event.results = Some((rows + images + answer.campaign_images.len()) as u64);
        event.reason = asks_back.then(|| "clarify".to_owned());
        if let (Some(Value::Object(plan)), Some(query)) = (&mut event.plan, query) {
            plan.insert("query".to_owned(), query);
        }
    });
}

/// The route that the user chose, if any.
fn chosen_route(arguments: &Arguments, reply: &Reply) -> Option<Route> {
    if let Reply::Chosen(id) = reply {
        if let Some(Offer::Route(route)) = choices::find(choices::routes(Language::En), id) {
            return Some(route);
        }
        if id.starts_with("warehouse/") {
            return Some(Route::Warehouse);
        }
    }
    arguments.route.map(Route::from)
}

/// Spanish has letters and words that English has not; everything else is taken for English.
fn guess(question: &str) -> Language {
    let spanish = question.contains(['¿', '¡', 'ñ', 'á', 'é', 'í', 'ó', 'ú'])
        || question.to_lowercase().split_whitespace().any(|word| {
            matches!(
                word,
                "de" | "la" | "el" | "los" | "las" | "que" | "en" | "una" | "del" | "con"
            )
        });
    if spanish { Language::Es } else { Language::En }
}

fn note_missing(decision: &Decision, answer: &mut Answer, language: Language) {
    if !decision.missing.is_empty() {
        let names: Vec<&str> = decision
            .missing
            .iter()
            .map(|service| service.name())
            .collect();
        answer
            .missing
            .push(messages::no_evidence(language, &names.join(", ")));
    }
}

impl Asking<'_> {
    async fn answer(
        &self,
        route: Route,
        reply: &Reply,
        answer: &mut Answer,
        found: &mut Found,
        offered: &mut Vec<Offered>,
    ) -> Result<(), Refusal> {
        match route {
            Route::Neither => answer.message = messages::neither(self.language).to_owned(),
            Route::Ambiguous => {
                answer.message = messages::ambiguous(self.language).to_owned();
                *offered = choices::routes(self.language);
            }
            Route::Content => {
                let hits = self.search(self.question, IMAGES).await?;
                let content = Content::new(&hits);
                answer.message.clone_from(&content.message);
                answer.content = Some(content);
                found.hits = Some(hits);
            }
            Route::Warehouse => {
                let said = self.figures(reply).await?;
                self.say(&said, answer, offered);
            }
            Route::Both => {
                combined::fill(self, answer, found).await;
                if let Some(unclear) = found.unclear.take().filter(|_| answer.sales.is_none()) {
                    self.say(&unclear, answer, offered);
                } else if answer.sales.is_none() && answer.content.is_none() {
                    // Nothing came of either half: that is a failure, and not an empty answer.
                    return Err(Refusal::Nothing(answer.missing.join(" ")));
                }
            }
        }
        Ok(())
    }

    /// The warehouse's answer, to the query that the user chose if one was.
    async fn figures(&self, reply: &Reply) -> Result<SalesAnswer, UpstreamError> {
        let question = Question {
            text: self.question.to_owned(),
            language: Some(self.language),
            ..Question::default()
        };
        let warehouse = self.gateway.warehouse();
        let said = warehouse.ask(&question, self.origin).await?;
        if let (Reply::Chosen(id), AnswerKind::Clarify) = (reply, said.kind)
            && let Some(Offer::Query(query)) = choices::find(choices::queries(&said.choices), id)
        {
            return self.query(&query).await;
        }
        Ok(said)
    }

    fn say(&self, said: &SalesAnswer, answer: &mut Answer, offered: &mut Vec<Offered>) {
        let sales = Sales::page(said, 0);
        answer.message = sales.sentence.clone();
        if said.kind == AnswerKind::Clarify {
            *offered = choices::queries(&said.choices);
        }
        answer.sales = Some(sales);
    }

    async fn query(&self, query: &MetricQuery) -> Result<SalesAnswer, UpstreamError> {
        let warehouse = self.gateway.warehouse();
        warehouse.query(query, self.language, self.origin).await
    }

    async fn search(
        &self,
        description: &str,
        limit: i64,
    ) -> Result<GetContentAnswer, UpstreamError> {
        let request = GetContentRequest {
            description: description.to_owned(),
            limit: Some(limit),
            language: Some(self.language),
            filters: Default::default(),
            min_score: None,
        };
        self.gateway
            .content()
            .get_content(&request, self.origin)
            .await
    }
}

/// Text, up to three thumbnails, links to the originals, and the structured answer.
async fn assemble(asking: &Asking<'_>, answer: &Answer, found: &Found) -> CallToolResult {
    let mut blocks = vec![ContentBlock::text(answer.text(asking.language))];
    let content = asking.gateway.content();
    if let (Some(hits), Some(shown)) = (&found.hits, &answer.content) {
        let images = hits.results.iter().map(|hit| (&hit.id, &hit.image));
        blocks.extend(media::thumbnails(content, images, asking.origin).await);
        blocks.extend(hits.results.iter().zip(&shown.results).map(media::link));
    } else {
        let images = found
            .documents
            .iter()
            .map(|document| (&document.id, &document.image));
        blocks.extend(media::thumbnails(content, images, asking.origin).await);
    }
    result(blocks, answer)
}
