//! The images of campaigns, fetched by id.

use std::collections::BTreeMap;

use contracts::{ContentDocument, ImageId};
use futures::{StreamExt as _, stream};

use super::{super::answer::CampaignImage, Answer, Asking, Found, messages};
use crate::upstream::UpstreamError;

/// Images of campaigns in a reply.
const MAX_IMAGES: usize = 12;
/// Documents fetched at once. Where so many fail and none has come, the service is away, and the
/// others are not waited for.
const CONCURRENCY: usize = 4;

/// Fetches images, a few at once, and leaves out what cannot be had or may not be shown.
pub(super) async fn show_images(
    asking: &Asking<'_>,
    mut ids: Vec<String>,
    uses: &BTreeMap<String, Vec<String>>,
    answer: &mut Answer,
    found: &mut Found,
) {
    let left = ids.len().saturating_sub(MAX_IMAGES);
    ids.truncate(MAX_IMAGES);
    if left > 0 {
        answer
            .missing
            .push(messages::more_images(asking.language, left));
    }
    let mut fetched = stream::iter(ids.clone())
        .map(|id| async move { fetch(asking, &id).await })
        .buffered(CONCURRENCY);
    let (mut unusable, mut lost) = (Vec::new(), Vec::new());
    for id in &ids {
        if lost.len() >= CONCURRENCY && answer.campaign_images.is_empty() {
            lost.push(id.as_str());
            continue;
        }
        let document = match fetched.next().await {
            Some(Ok(document)) => document,
            Some(Err(error)) => {
                tracing::warn!(image = %named(id), %error, "an image of a campaign left out");
                lost.push(id.as_str());
                continue;
            }
            None => break,
        };
        let campaigns = uses.get(id).map_or(&[][..], Vec::as_slice);
        let public_url = &asking.gateway.config().content_public_url;
        let image = document.and_then(|document| {
            let image = CampaignImage::new(&document, campaigns, asking.language, public_url)?;
            Some((image, document))
        });
        match image {
            Some((image, document)) => {
                answer.campaign_images.push(image);
                found.documents.push(document);
            }
            None => unusable.push(id.as_str()),
        }
    }
    if !unusable.is_empty() {
        let ids = listed(&unusable);
        answer
            .missing
            .push(messages::unusable(asking.language, &ids));
    }
    let images = answer.campaign_images.len();
    answer.message = if lost.is_empty() || images > 0 {
        messages::images_of_campaigns(asking.language, images)
    } else {
        messages::figures_alone(asking.language).to_owned()
    };
    if !lost.is_empty() {
        let missing = messages::not_fetched(asking.language, lost.len(), &listed(&lost));
        answer.missing.push(missing);
    }
}

async fn fetch(asking: &Asking<'_>, id: &str) -> Result<Option<ContentDocument>, UpstreamError> {
    match id.parse::<ImageId>() {
        Ok(id) => asking.gateway.content().document(&id, asking.origin).await,
        Err(_) => Ok(None),
    }
}

fn listed(ids: &[&str]) -> String {
    let ids: Vec<&str> = ids.iter().map(|id| named(id)).collect();
    ids.join(", ")
}

/// An id as it may stand outside the fence. The warehouse's cells hold what a source wrote; what is no
/// id could be anything.
fn named(id: &str) -> &str {
    id.parse::<ImageId>().map_or("?", |_| id)
}
