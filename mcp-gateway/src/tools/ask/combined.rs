//! Questions that take both systems, one after the other.

mod images;

use std::collections::BTreeMap;

use contracts::{
    ContentDocument, GetContentAnswer, Language, MetricQuery, SalesAnswer,
    metric_query::{Direction, Filter, Op, Order, Value},
    sales::{AnswerKind, Question},
};

use super::{Asking, answer::Answer, messages};
use crate::{
    routing::{Compound, read_compound},
    tools::{get_content::answer::Answer as Content, refusal::explain, sales::Sales},
    upstream::UpstreamError,
};
use images::show_images;

/// Wordings of a question's sales part that are tried.
const MAX_WORDINGS: usize = 4;
/// Campaigns whose images are fetched.
const MAX_CAMPAIGNS: usize = 10;
/// Campaigns that are asked about by their images.
const MAX_ASKED_CAMPAIGNS: usize = 50;
/// Images by which campaigns are found, and how many of them a reply shows.
const FOUND_IMAGES: i64 = 20;
const SHOWN_IMAGES: usize = 5;
/// What is shown where no metric is named.
const DEFAULT_METRICS: [&str; 3] = ["roas", "revenue", "spend"];

/// What came to light on the way, besides the answer.
#[derive(Default)]
pub(super) struct Found {
    /// The warehouse asks back.
    pub(super) unclear: Option<SalesAnswer>,
    /// Whole hits, for thumbnails and links.
    pub(super) hits: Option<GetContentAnswer>,
    /// Whole documents, for the same.
    pub(super) documents: Vec<ContentDocument>,
}

/// Fills the answer part by part, so that what is there stays when time is up.
pub(super) async fn fill(asking: &Asking<'_>, answer: &mut Answer, found: &mut Found) {
    let outcome = match read_compound(asking.question) {
        Some(Compound::ImagesOfCampaigns { sales }) => {
            images_of_campaigns(asking, &sales, answer, found).await
        }
        Some(Compound::CampaignsWithImages { subject, sales }) => {
            campaigns_with_images(asking, &subject, &sales, answer, found).await
        }
        None => side_by_side(asking, answer, found).await,
    };
    if let Err(error) = outcome {
        tracing::warn!(%error, "an answer lacks a part");
        answer.missing.push(explain(&error));
        conclude(answer, asking.language);
    }
}

/// Says what there is of an answer that did not come to its end.
pub(super) fn conclude(answer: &mut Answer, language: Language) {
    let has_images = answer.content.is_some() || !answer.campaign_images.is_empty();
    match (answer.sales.is_some(), has_images) {
        // What was said counts campaigns; their figures are to follow.
        (false, true) if !answer.message.is_empty() => {
            let more = messages::no_figures(language);
            answer.message = format!("{} {more}", answer.message);
        }
        (false, true) => answer.message = messages::images_alone(language).to_owned(),
        (true, false) => answer.message = messages::figures_alone(language).to_owned(),
        (true, true) if !answer.message.is_empty() => {}
        (true, true) => {
            answer.message = match answer.campaign_images.len() {
                0 => messages::side_by_side(language).to_owned(),
                images => messages::images_of_campaigns(language, images),
            }
        }
        (false, false) => {}
    }
}

/// The warehouse names campaigns or images; content-api has the images.
async fn images_of_campaigns(
    asking: &Asking<'_>,
    wordings: &[String],
    answer: &mut Answer,
    found: &mut Found,
) -> Result<(), UpstreamError> {
    let Some(sales) = first_answer(asking, wordings, false, &mut found.unclear).await? else {
        if found.unclear.is_none() {
            return side_by_side(asking, answer, found).await;
        }
        return Ok(());
    };
    found.unclear = None;
    answer.sales = Some(Sales::page(&sales, 0));
    let mut uses: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut order = Vec::new();
    let images = column(&sales, "content");
    if images.is_empty() {
        let mut campaigns = column(&sales, "campaign");
        if campaigns.is_empty() {
            campaigns = filtered(&sales, "campaign");
        }
        if campaigns.is_empty() {
            return side_by_side(asking, answer, found).await;
        }
        campaigns.truncate(MAX_CAMPAIGNS);
        let query = listing(["campaign", "content"], "campaign", campaigns);
        let pairs = asking.query(&query).await?;
        let (codes, ids) = (cells(&pairs, "campaign"), cells(&pairs, "content"));
        for (code, id) in codes.into_iter().zip(ids) {
            if !uses.contains_key(&id) {
                order.push(id.clone());
            }
            uses.entry(id).or_default().push(code);
        }
    } else {
        order = images;
    }
    show_images(asking, order, &uses, answer, found).await;
    Ok(())
}

/// content-api finds the images; the warehouse knows their campaigns and how those did.
async fn campaigns_with_images(
    asking: &Asking<'_>,
    subject: &str,
    wordings: &[String],
    answer: &mut Answer,
    found: &mut Found,
) -> Result<(), UpstreamError> {
    let hits = asking.search(subject, FOUND_IMAGES).await?;
    let ids: Vec<String> = hits.results.iter().map(|hit| hit.id.to_string()).collect();
    let mut shown = hits;
    shown.results.truncate(SHOWN_IMAGES);
    answer.content = Some(Content::new(&shown));
    found.hits = Some(shown);
    if ids.is_empty() {
        answer.message = messages::no_image_fits(asking.language).to_owned();
        return Ok(());
    }
    let images = ids.len();
    let using = asking.query(&listing(["campaign"], "content", ids)).await?;
    let mut campaigns = column(&using, "campaign");
    answer.message = messages::campaigns_with_images(asking.language, images, campaigns.len());
    if campaigns.is_empty() {
        return Ok(());
    }
    if campaigns.len() > MAX_ASKED_CAMPAIGNS {
        campaigns.truncate(MAX_ASKED_CAMPAIGNS);
        answer.missing.push(messages::cut_campaigns(
            asking.language,
            MAX_ASKED_CAMPAIGNS,
        ));
    }
    let asked = first_answer(asking, wordings, true, &mut None).await?;
    let asked = asked.and_then(|plan| plan.query);
    let asked = asked.filter(|query| !query.metrics.is_empty());
    if asked.is_none() {
        answer
            .missing
            .push(messages::default_metrics(asking.language).to_owned());
    }
    let query = about(asked, campaigns);
    answer.sales = Some(Sales::page(&asking.query(&query).await?, 0));
    Ok(())
}

/// What each system makes of the whole question, not joined.
async fn side_by_side(
    asking: &Asking<'_>,
    answer: &mut Answer,
    found: &mut Found,
) -> Result<(), UpstreamError> {
    answer
        .missing
        .push(messages::not_linked(asking.language).to_owned());
    let whole = [asking.question.to_owned()];
    let Found { unclear, hits, .. } = found;
    let (shown, known) = (&mut answer.content, &mut answer.sales);
    // Each half is kept as soon as it is there: time may be up before the other comes.
    let images = async {
        let found = asking.search(asking.question, SHOWN_IMAGES as i64).await?;
        *shown = Some(Content::new(&found));
        *hits = Some(found);
        Ok::<(), UpstreamError>(())
    };
    let figures = async {
        if let Some(said) = first_answer(asking, &whole, false, unclear).await?
            && known.is_none()
        {
            *known = Some(Sales::page(&said, 0));
        }
        Ok::<(), UpstreamError>(())
    };
    let (images, figures) = tokio::join!(images, figures);
    if let Err(error) = images {
        answer.missing.push(explain(&error));
    }
    figures?;
    match (&answer.sales, &answer.content) {
        (Some(_), Some(_)) => answer.message = messages::side_by_side(asking.language).to_owned(),
        _ => conclude(answer, asking.language),
    }
    Ok(())
}

/// The first wording that the warehouse answers; else `unclear` is its first question back.
async fn first_answer(
    asking: &Asking<'_>,
    wordings: &[String],
    plan_only: bool,
    unclear: &mut Option<SalesAnswer>,
) -> Result<Option<SalesAnswer>, UpstreamError> {
    for wording in wordings.iter().take(MAX_WORDINGS) {
        let question = Question {
            text: wording.clone(),
            language: Some(asking.language),
            plan_only,
            ..Question::default()
        };
        let answer = asking
            .gateway
            .warehouse()
            .ask(&question, asking.origin)
            .await?;
        match answer.kind {
            AnswerKind::Answer => return Ok(Some(answer)),
            AnswerKind::Clarify if unclear.is_none() => *unclear = Some(answer),
            AnswerKind::Clarify | AnswerKind::Decline => {}
        }
    }
    Ok(None)
}

/// Members of `dimensions` that stand beside some members of `field`.
fn listing<const N: usize>(
    dimensions: [&str; N],
    field: &str,
    members: Vec<String>,
) -> MetricQuery {
    MetricQuery {
        dimensions: dimensions.map(str::to_owned).into(),
        filters: vec![one_of(field, members)],
        ..MetricQuery::default()
    }
}

fn one_of(field: &str, mut members: Vec<String>) -> Filter {
    members.sort();
    Filter {
        field: field.to_owned(),
        op: Op::In,
        value: Value::Members(members),
    }
}

/// What was asked, of these campaigns alone; by campaign where nothing else was said.
fn about(asked: Option<MetricQuery>, campaigns: Vec<String>) -> MetricQuery {
    let mut query = asked.unwrap_or_else(|| MetricQuery {
        metrics: DEFAULT_METRICS.map(str::to_owned).into(),
        ..MetricQuery::default()
    });
    if query.dimensions.is_empty() && query.grain.is_none() {
        query.dimensions.push("campaign".to_owned());
        if query.order.is_empty() {
            let by = query.metrics.first().cloned().unwrap_or_default();
            query.order.push(Order {
                by,
                dir: Direction::Desc,
                within: None,
                measure: None,
            });
        }
    }
    query.filters.retain(|filter| filter.field != "campaign");
    query.filters.push(one_of("campaign", campaigns));
    query
}

/// The texts of a column, each once, in order.
fn column(answer: &SalesAnswer, name: &str) -> Vec<String> {
    let mut members = Vec::new();
    for text in cells(answer, name) {
        if !members.contains(&text) {
            members.push(text);
        }
    }
    members
}

fn cells(answer: &SalesAnswer, name: &str) -> Vec<String> {
    let Some(place) = answer.columns.iter().position(|column| column.name == name) else {
        return Vec::new();
    };
    let texts = answer
        .rows
        .iter()
        .map(|row| row.get(place).and_then(|cell| cell.as_str()));
    texts
        .map(|text| text.unwrap_or_default().to_owned())
        .collect()
}

/// The members that a filter on `field` lets through.
fn filtered(answer: &SalesAnswer, field: &str) -> Vec<String> {
    let filters = answer.query.iter().flat_map(|query| &query.filters);
    filters
        .filter(|filter| filter.field == field)
        .flat_map(|filter| match (&filter.op, &filter.value) {
            (Op::Is, Value::Member(member)) => vec![member.clone()],
            (Op::In, Value::Members(members)) => members.clone(),
            _ => Vec::new(),
        })
        .collect()
}
