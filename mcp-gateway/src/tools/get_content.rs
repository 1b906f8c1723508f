//! `getContent`: images that fit a description.

pub(crate) mod answer;
pub(crate) mod arguments;
pub(crate) mod media;
pub(crate) mod summary;

use contracts::GetContentAnswer;
use rmcp::model::{CallToolResult, ContentBlock, Tool};

use crate::tools::{
    call::{Call, reading, result},
    refusal::Refusal,
};
use answer::Answer;
use arguments::Arguments;

/// On the wire.
pub(crate) const NAME: &str = "getContent";

const TITLE: &str = "Find campaign images";
const DESCRIPTION: &str = "\
Finds images in the company's own catalogue by what they show or the mood they convey, described \
in Spanish or English. Use it when someone wants pictures for a campaign, post, email or banner, or \
asks which images, hashtags or usage rights exist for a subject. Each result has a score from 0 to \
1, the reason it was found, title, description, alt text, hashtags, the image's address and a note \
on rights; up to three thumbnails come along. 'no_match: true' means that nothing in the catalogue \
fits: say so, and do not pass off something else as a match. \
Do not use it for questions about sales, leads, campaign results or customers (it knows images, not \
figures), to look for images on the web, or to make or change images. Describe the picture itself \
('red running shoes on a wet street at dawn'), not the task ('find me something nice').";

/// As `tools/list` shows it.
pub(crate) fn definition() -> Tool {
    reading::<Arguments, Answer>(NAME, TITLE, DESCRIPTION)
}

/// Searches, and fetches the thumbnails of the first results. A thumbnail that cannot be had is
/// left out; the answer stands without it.
pub(crate) async fn call(call: &Call<'_>) -> Result<CallToolResult, Refusal> {
    let request = Arguments::parse(call.arguments.clone())?.into_request();
    let (content, origin) = (call.gateway.content(), &call.origin);
    call.trail
        .note(|event| event.question = Some(request.description.clone()));
    let mut found = content.get_content(&request, origin).await?;
    found.results.truncate(arguments::MAX_RESULTS);
    call.trail
        .note(|event| event.results = Some(found.results.len() as u64));
    let thumbnails = {
        let images = found.results.iter().map(|hit| (&hit.id, &hit.image));
        media::thumbnails(content, images, origin).await
    };
    Ok(assemble(&found, thumbnails))
}

fn assemble(found: &GetContentAnswer, thumbnails: Vec<ContentBlock>) -> CallToolResult {
    let answer = Answer::new(found);
    let mut blocks = vec![ContentBlock::text(summary::write(&answer))];
    blocks.extend(thumbnails);
    blocks.extend(found.results.iter().zip(&answer.results).map(media::link));
    result(blocks, &answer)
}
